from __future__ import annotations

import json
import shutil
import sys
import tarfile
from pathlib import Path

import pytest

from support.archives import contents
from support.cli import Result, run
from support.projects import make_project
from variant_publish.api.building import buildable
from variant_publish.config.configuration import Config

CONFIG = """
[tool.variant-publish]
dialects = ["plus", "pep825"]
[tool.variant-publish.build]
arguments = ["--no-isolation"]
[tool.variant-publish.variants.x86_64_v3]
properties = ["x86_64 :: level :: v3"]
build = { config-settings = { level = "v3", flags = ["-a", "-b c"] }, env = { CFLAGS = "-O3 -march=x86-64-v3" } }
[tool.variant-publish.variants.cu130]
properties = ["nvidia :: cuda_version_lower_bound :: 13.0"]
"""
WHEEL = "tiny-1.0-py3-none-any.whl"


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(make_project(tmp_path / "project", CONFIG))
    for name in ("CFLAGS", "BUILD_VARIANT"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")  # or importing the backend leaves a folder in the project
    return tmp_path / "project"


def names(folder: Path) -> list[str]:
    if not folder.exists():
        return []
    return sorted(path.name for path in folder.iterdir() if not path.name.endswith(".tar.gz"))


def seen(wheel: Path) -> dict[str, object]:
    found: dict[str, object] = json.loads(contents(wheel)["tiny.json"])
    return found


def build(*arguments: str) -> Result:
    return run("build", *arguments)


@pytest.mark.slow
def test_each_variant_is_built_with_its_settings_and_retagged(project: Path) -> None:
    result = build("--all", "-o", "out", "--format", "json")
    assert result.code == 0, result.stderr
    out = project / "out"
    v3, cu130 = "tiny-1.0-py3-none-any-x86_64_v3.whl", "tiny-1.0-py3-none-any-cu130.whl"
    plus = [WHEEL.replace(".whl", f"+{tag}.whl") for tag in ("cu130", "x86_64_v3")]
    assert names(out) == sorted([WHEEL, v3, cu130, *plus])
    asked = {"level": "v3", "flags": ["-a", "-b c"]}
    assert seen(out / v3) == {"settings": asked, "variant": "x86_64_v3", "flags": "-O3 -march=x86-64-v3", "old": False}
    assert seen(out / plus[1]) == seen(out / v3)
    assert seen(out / cu130) == {"settings": {}, "variant": "cu130", "flags": None, "old": False}
    assert seen(out / WHEEL) == {"settings": {}, "variant": "generic", "flags": None, "old": False}
    listed = json.loads(result.stdout)["wheels"]
    assert {entry["variant"] for entry in listed} == {"generic", "x86_64_v3", "cu130"}
    assert json.loads(result.stdout)["sdist"].endswith("tiny-1.0.tar.gz")
    assert sorted(Path(entry["path"]).name for entry in listed) == names(out)
    assert result.stderr.count("the backend speaks") == 3
    assert names(project) == ["backend.py", "out", "pyproject.toml"]  # nothing is left in the project


@pytest.mark.slow
def test_an_sdist_is_built_by_its_own_configuration_and_takes_the_place_of_older_wheels(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sdist = tmp_path / "tiny-1.0.tar.gz"
    with tarfile.open(sdist, "w:gz") as archive:
        archive.add(project, "tiny-1.0")
    shutil.rmtree(project)
    monkeypatch.chdir(tmp_path)
    out = tmp_path / "wheelhouse"
    out.mkdir()
    (out / "tiny-1.0-py3-none-any+cu130.whl").write_bytes(b"older")
    result = build(str(sdist), "--variant", "cu130")
    assert result.code == 0, result.stderr
    wheels = ["tiny-1.0-py3-none-any+cu130.whl", "tiny-1.0-py3-none-any-cu130.whl"]
    assert names(out) == wheels
    assert result.stdout.splitlines() == [str(Path("wheelhouse", name)) for name in ("tiny-1.0.tar.gz", *wheels)]
    assert seen(out / "tiny-1.0-py3-none-any+cu130.whl")["variant"] == "cu130"


@pytest.mark.slow
def test_a_failure_is_one_sentence_with_the_exit_code_and_leaves_no_half_wheel(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BREAK", "x86_64_v3")
    monkeypatch.setenv("TOKEN", "secret-token")
    result = build("--all", "-o", "out")
    assert result.code == 1
    assert "python -m build failed for variant 'x86_64_v3' with exit code 1" in result.stderr
    assert "the backend broke" in result.stderr
    assert "Traceback" not in result.stderr.rpartition("error:")[2]
    assert "secret-token" not in result.stderr + result.stdout
    assert names(project / "out") == [WHEEL]  # what was whole before stays
    assert str(Path("out", WHEEL)) in result.stdout


@pytest.mark.slow
def test_what_a_backend_labels_itself_gets_the_names_of_the_configuration(project: Path) -> None:
    with (project / "pyproject.toml").open("a") as stream:
        stream.write('build = { config-settings = { variant-label = "theirs" } }\n')
    result = build("--variant", "cu130", "-o", "out")
    assert result.code == 0, result.stderr
    assert names(project / "out") == ["tiny-1.0-py3-none-any+cu130.whl", "tiny-1.0-py3-none-any-cu130.whl"]
    assert seen(project / "out" / "tiny-1.0-py3-none-any-cu130.whl")["settings"] == {"variant-label": "theirs"}


@pytest.mark.slow
def test_uv_builds_with_the_same_settings(project: Path) -> None:
    isolation = (
        (project / "pyproject.toml").read_text().replace('"--no-isolation"', '"--no-build-isolation", "--offline"')
    )
    (project / "pyproject.toml").write_text(isolation)
    result = build("--variant", "x86_64_v3", "--frontend", "uv", "-o", "out")
    assert result.code == 0, result.stderr
    wheel = seen(project / "out" / "tiny-1.0-py3-none-any-x86_64_v3.whl")
    assert (wheel["settings"], wheel["variant"]) == ({"level": "v3", "flags": ["-a", "-b c"]}, "x86_64_v3")


@pytest.mark.slow
def test_an_interpreter_may_be_named_from_where_the_user_is(project: Path) -> None:
    (project / "environment").symlink_to(sys.prefix)
    python = str(Path("environment", Path(sys.executable).relative_to(sys.prefix)))
    result = build(".", "--variant", "generic", "--python", python, "--", "--skip-dependency-check")
    assert result.code == 0, result.stderr
    assert names(project / "wheelhouse") == [WHEEL]


def test_arguments_for_the_frontend_need_no_source_before_them(project: Path) -> None:
    assert build("--variant", "generic", "--dry-run", "--", "--no-isolation").stdout == "sdist\ngeneric: build\n"


def test_a_dry_run_says_what_would_be_asked_for(project: Path) -> None:
    result = build("--all", "--dry-run")
    assert result.code == 0
    assert result.stdout.splitlines() == [
        "sdist",
        "generic: build",
        "x86_64_v3: build with CFLAGS='-O3 -march=x86-64-v3' -Clevel=v3 -Cflags=-a '-Cflags=-b c'",
        "cu130: build",
    ]
    assert names(project) == ["backend.py", "pyproject.toml"]


def test_all_leaves_out_what_is_for_other_machines(project: Path) -> None:
    with (project / "pyproject.toml").open("a") as stream:
        stream.write(
            'platform = ["manylinux_2_28_s390x"]\n[tool.variant-publish.matrix]\npython = ["cp312-cp312"]\n'
            'platform = ["manylinux_2_28_x86_64", "manylinux_2_28_aarch64", "macosx_14_0_universal2", "win_amd64", '
            '"manylinux_2_28_s390x"]\n'
        )
    result = build("--all", "--dry-run")
    assert [line.partition(":")[0] for line in result.stdout.splitlines()] == ["sdist", "generic", "x86_64_v3"]
    assert "not for" in result.stderr
    assert "cu130" in result.stderr
    assert build("--variant", "cu130", "--dry-run").stdout == "sdist\ncu130: build\n"  # whoever names it gets it
    elsewhere = build(".", "--all", "--dry-run", "--frontend", "cibuildwheel", "--", "--only", "cp312-manylinux_s390x")
    assert len(elsewhere.stdout.splitlines()) == 4


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "nothing says what to build"),
        (["--all", "--variant", "cu130"], "nothing says what to build"),
        (["--variant", "cu13"], "did you mean 'cu130'"),
        (["nowhere", "--all"], "nowhere does not exist"),
        (["backend.py", "--all"], "is no sdist"),
        (["empty", "--all"], "neither pyproject.toml nor setup.py"),
        (["broken-1.0.tar.gz", "--all"], "cannot be unpacked"),
        (["--all", "--python", "no-such-python"], "cannot be run"),
        (["latin", "--all"], "latin/pyproject.toml cannot be read"),
        (["--all", "--plat", "manylinux_2_28_x86_64"], "need --repair"),
    ],
)
def test_a_mistake_is_one_sentence(project: Path, arguments: list[str], message: str) -> None:
    (project / "empty").mkdir()
    (project / "latin").mkdir()
    (project / "latin" / "pyproject.toml").write_bytes(b"# \xe9")
    (project / "broken-1.0.tar.gz").write_bytes(b"\x1f\x8bno")
    result = build(*arguments)
    assert result.code == 2, result.stderr
    assert message in result.stderr
    assert "Traceback" not in result.stderr
    assert not (project / "wheelhouse").exists()


def test_a_frontend_that_is_not_installed_is_named(project: Path, tmp_path: Path) -> None:
    from support.environments import make_environment

    python = make_environment(tmp_path / "bare") / "bin" / "python"
    result = build("--all", "--python", str(python))
    assert result.code == 2
    assert "the frontend 'build' is not installed for" in result.stderr
    assert "pip install build" in result.stderr


def test_what_is_skipped_everywhere_is_not_built() -> None:
    text = """
[tool.variant-publish.matrix]
python = ["cp312-cp312"]
platform = ["manylinux_2_28_x86_64"]
skip = [{ variant = "generic", reason = "there is no build without CUDA" }]
[tool.variant-publish.variants.cu128]
"""
    assert buildable(Config.parse(text), "manylinux_2_28_x86_64") == ("cu128",)
