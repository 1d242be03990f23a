"""Real installers in a view: what they install, and what a command that goes wrong leaves behind."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from support.environments import isolate, publish
from support.pips import new_pip, old_pip
from support.variants import ABI, VARIANTS, write_release
from support.wheels import make_wheel
from variant_publish.cli.main import run

TOOL = (sys.executable, "-m", "variant_publish", "run")


@pytest.fixture(autouse=True)
def _isolated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    isolate(monkeypatch, tmp_path)
    monkeypatch.chdir(tmp_path)


def uv() -> tuple[str, ...]:
    from uv import find_uv_bin

    return (find_uv_bin(), "pip")


def installed(target: Path) -> list[str]:
    return sorted(path.name.removesuffix(".dist-info") for path in target.glob("*.dist-info"))


def wheels(folder: Path) -> Path:
    write_release(folder, {**VARIANTS, **ABI}, requires=["torch"])
    for version in ("2.8.0", "2.9.1", "2.10.0"):
        make_wheel(folder, f"torch-{version}-py3-none-any.whl")
    make_wheel(folder, "app-1.0-py3-none-any.whl", requires=["foo"])
    return folder


@pytest.mark.slow
@pytest.mark.parametrize("client", [old_pip, new_pip, uv], ids=["pip 23.2", "pip 26", "uv"])
@pytest.mark.parametrize(
    ("cuda", "asked", "found", "variant"),
    [
        ("12.9", ["app"], ["app-1.0", "foo-1.0+torch2.9", "torch-2.9.1"], "cu128.torch2.9"),
        ("12.6", ["app", "torch==2.8.0"], ["app-1.0", "foo-1.0", "torch-2.8.0"], "cu126"),
        ("none", ["foo==1.0", "torch==2.8.0"], ["foo-1.0+torch2.8", "torch-2.8.0"], "torch2.8"),
        ("none", ["foo==1.0", "torch==2.10.0"], ["foo-1.0", "torch-2.10.0"], "generic"),
    ],
)
def test_an_installers_own_resolver_takes_the_build_that_fits(
    tmp_path: Path, client: object, cuda: str, asked: list[str], found: list[str], variant: str
) -> None:
    assert callable(client)
    command: Sequence[str] = client()
    target = tmp_path / "target"
    status = run(["run", "--index", str(wheels(tmp_path / "w")), "--set", f"cuda={cuda}", "--",
                  *command, "install", "--quiet", "--target", str(target), *asked])  # fmt: skip
    assert status == 0
    assert installed(target) == found
    assert variant in (target / "foo.py").read_text(encoding="utf-8")


@pytest.mark.slow
@pytest.mark.parametrize(("with_uv", "cuda", "variant"), [("1", "none", "torch2.8"), ("0", "12.6", "cu126")])
def test_pdm_installs_from_the_view(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, with_uv: str, cuda: str, variant: str
) -> None:
    # Its own resolver takes 1.0+torch2.9 for 1.0: local versions need uv as its resolver.
    pytest.importorskip("pdm")
    monkeypatch.setenv("PDM_USE_UV", with_uv)
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    (tmp_path / "pyproject.toml").write_text(
        '[project]\nname = "x"\nversion = "1"\nrequires-python = ">=3.9"\ndependencies = ["foo", "torch==2.8.0"]\n',
        encoding="utf-8",
    )
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(tmp_path / ".venv")], check=True)
    folder = wheels(tmp_path / "w") if with_uv == "1" else write_release(tmp_path / "w", requires=["torch"])
    make_wheel(folder, "torch-2.8.0-py3-none-any.whl")
    command = ["--", sys.executable, "-m", "pdm", "install", "--frozen-lockfile", "--no-self"]
    assert run(["run", "--index", str(folder), "--set", f"cuda={cuda}", *command]) == 0
    (site,) = (tmp_path / ".venv").glob("lib/python*/site-packages")
    assert variant in (site / "foo.py").read_text(encoding="utf-8")
    assert not (tmp_path / "pdm.lock").exists()


@pytest.mark.slow
def test_the_address_stays_so_that_a_second_run_downloads_nothing(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    folder = wheels(tmp_path / "w")
    for number in (1, 2):
        assert run(["run", "--index", str(folder), "--set", "cuda=none", "--", *uv(), "install", "--verbose",
                    "--target", str(tmp_path / str(number)), "foo", "torch==2.8.0"]) == 0  # fmt: skip
    second = capfd.readouterr().err.rpartition("uv 0.")[2]
    assert "Prepared" not in second
    assert "Installed 2 packages" in second


def test_the_exit_code_is_that_of_the_command(tmp_path: Path) -> None:
    folder = str(write_release(tmp_path / "w"))
    assert run(["run", "--index", folder, "--", sys.executable, "-c", "raise SystemExit(7)"]) == 7


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--", "no-such-command"], "there is no command 'no-such-command'"),
        (["--", "uv", "lock"], "would write addresses that exist on this machine alone"),
        (["--set", "cuda=many", "--", "true"], "cuda cannot be 'many'"),
        (["--index", "nowhere", "--", "true"], "nowhere cannot be read (there is no such folder)"),
        (["--default-index", "file:nowhere", "--", "true"], "file:nowhere cannot be read (there is no such folder)"),
    ],
)
def test_what_cannot_be_run_is_one_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], options: list[str], said: str
) -> None:
    assert run(["run", "--index", str(write_release(tmp_path / "w")), *options]) == 2
    assert said in capsys.readouterr().err


def test_a_port_in_use_is_one_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        folder = str(write_release(tmp_path / "w"))
        assert run(["run", "--index", folder, "--port", str(port), "--", sys.executable, "-c", ""]) == 2
    assert f"port {port} of 127.0.0.1 cannot be used" in capsys.readouterr().err


def test_an_index_that_does_not_answer_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code = (
        "import os, urllib.request\n"
        "try: urllib.request.urlopen(os.environ['PIP_INDEX_URL'] + 'foo/')\n"
        "except OSError as error: print(error.code); raise SystemExit(1)\n"
    )
    assert run(["run", "--index", "http://127.0.0.1:9/simple", "--", sys.executable, "-c", code]) == 1
    assert "127.0.0.1:9/simple/foo/ cannot be read" in capsys.readouterr().err


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="there are no such signals")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_leaves_no_process(tmp_path: Path, number: signal.Signals) -> None:
    folder = str(write_release(tmp_path / "w"))
    note = tmp_path / "pid"
    code = (
        "import os, signal, time; signal.signal(signal.SIGINT, signal.SIG_DFL);"
        f" open({str(note)!r}, 'w').write(str(os.getpid())); time.sleep(60)"
    )
    process = subprocess.Popen(
        [*TOOL, "--index", folder, "--", sys.executable, "-c", code], stderr=subprocess.PIPE, start_new_session=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # what runs in the background ignores it
    )  # fmt: skip
    for _ in range(600):
        if note.exists() and note.read_text(encoding="utf-8"):
            break
        time.sleep(0.1)
    # Ctrl-C goes to all processes of a terminal, and a request to end to one process.
    os.killpg(process.pid, number) if number == signal.SIGINT else process.send_signal(number)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 130
    assert b"Traceback" not in said
    with pytest.raises(ProcessLookupError):
        os.kill(int(note.read_text(encoding="utf-8")), 0)


@pytest.mark.slow
@pytest.mark.parametrize("client", [old_pip, new_pip, uv], ids=["pip 23.2", "pip 26", "uv"])
def test_an_index_of_the_clients_own_configuration_takes_no_name_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, client: object
) -> None:
    assert callable(client)
    make_wheel(tmp_path / "private", "foo-1.0-py3-none-any.whl")
    publish(tmp_path / "other", "foo-9.0-py3-none-any.whl")
    other = (tmp_path / "other").as_uri()
    table = f'index-strategy = "unsafe-best-match"\n[[{{}}index]]\nname = "other"\nurl = "{other}"\n'
    (tmp_path / "uv").mkdir()
    (tmp_path / "uv" / "uv.toml").write_text(table.format(""), encoding="utf-8")
    (tmp_path / "pyproject.toml").write_text(f"[tool.uv]\n{table.format('tool.uv.')}", encoding="utf-8")
    (tmp_path / "pip").mkdir()
    (tmp_path / "pip" / "pip.conf").write_text(f"[global]\nextra-index-url = {other}\n", encoding="utf-8")
    for name in ("PIP_CONFIG_FILE", "UV_NO_CONFIG"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    command: Sequence[str] = client()
    wanted = ["install", "--quiet", "--target", str(tmp_path / "target"), "foo"]
    assert run(["run", "--index", str(tmp_path / "private"), "--", *command, *wanted]) == 0
    assert installed(tmp_path / "target") == ["foo-1.0"]


@pytest.mark.slow
@pytest.mark.parametrize("client", [old_pip, new_pip, uv], ids=["pip 23.2", "pip 26", "uv"])
def test_a_build_that_a_wheel_asks_for_is_the_one_that_comes_or_none(
    tmp_path: Path, client: object, capfd: pytest.CaptureFixture[str]
) -> None:
    assert callable(client)
    command: Sequence[str] = client()
    write_release(tmp_path / "w", name="bar")
    make_wheel(tmp_path / "w", "app-1.0-py3-none-any.whl", requires=["bar==1.0"],
               extra_info={"abi-requires.txt": b"bar+cu126==1.0\n"})  # fmt: skip
    for cuda, holds in (("12.7", True), ("12.9", False)):
        target = tmp_path / cuda
        status = run(["run", "--index", str(tmp_path / "w"), "--set", f"cuda={cuda}", "--", *command, "install",
                      "--quiet", "--target", str(target), "app"])  # fmt: skip
        assert (status == 0) is holds
        assert (target / "app-1.0.dist-info").exists() is holds
    told = capfd.readouterr().err
    assert "app-1.0-py3-none-any.whl asks for bar+cu126==1.0, and this machine sees bar-1.0-py3-none-any-cu128" in told
