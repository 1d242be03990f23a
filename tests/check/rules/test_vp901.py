"""Wheels are run under a real emulator."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.checks import release_in
from support.compiled import library
from support.real_wheels import wheel_of
from support.wheels import make_wheel
from variant_publish.check.engine import trial
from variant_publish.check.engine.context import Context
from variant_publish.check.engine.rule import Outcome
from variant_publish.check.rules.running import RunsOnLess, RunsWherePromised
from variant_publish.config.configuration import Config
from variant_publish.progress import SilentReporter
from variant_publish.release.release import load

PLAIN = "foo-1.0-py3-none-manylinux_2_17_x86_64.whl"
DIES = "import ctypes, os\nlib = ctypes.CDLL(os.path.join(os.path.dirname(__file__), 'a.so'))\n"
CALL = "import array\na = array.array('d', [1.5] * 64)\nat = a.buffer_info()[0]\nlib.f0(ctypes.c_void_p(at), ctypes.c_void_p(at), 64)\n"

needs_emulator = pytest.mark.skipif(shutil.which(trial.EMULATOR) is None, reason="qemu-x86_64 is not installed")


def of(folder: Path, level: int, name: str = PLAIN) -> Path:
    """Write a wheel whose import calls code that was compiled for a level."""
    return make_wheel(folder, name, files={"foo/__init__.py": (DIES + CALL).encode(), "foo/a.so": library(level)})


def outcomes(
    rule: RunsWherePromised | RunsOnLess, folder: Path, config: str = "", *, runs: bool = True
) -> list[Outcome]:
    context = Context(load([folder], Config.parse(config)).only(), run=runs)
    return list(rule.check(context))


def said(rule: RunsWherePromised | RunsOnLess, folder: Path, config: str = "") -> list[tuple[str, str]]:
    return [(one.verdict.value, one.message) for one in outcomes(rule, folder, config)]


def test_nothing_runs_unless_asked(tmp_path: Path) -> None:
    make_wheel(tmp_path, PLAIN)
    for rule in (RunsWherePromised(), RunsOnLess()):
        (found,) = outcomes(rule, tmp_path, runs=False)
        assert (found.verdict, found.message) == ("skip", "nobody asked to run it (--run)")


def test_without_an_emulator_one_sentence_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_wheel(tmp_path, PLAIN)
    monkeypatch.setattr("variant_publish.check.rules.running.missing_tool", lambda: "qemu-x86_64 is not installed")
    assert said(RunsWherePromised(), tmp_path) == [("unknown", "it was not run: qemu-x86_64 is not installed")]
    assert said(RunsOnLess(), tmp_path) == [("skip", "the wheel promises v1, or was not run")]


def test_wheels_for_other_machines_are_skipped(tmp_path: Path) -> None:
    make_wheel(tmp_path, "foo-1.0-cp312-cp312-win_amd64.whl")
    assert [verdict for verdict, _ in said(RunsWherePromised(), tmp_path)] == ["skip"]


def test_what_the_emulator_cannot_be_is_unknown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_wheel(tmp_path, PLAIN.replace(".whl", "+x86_64_v4.whl"))
    monkeypatch.setattr("variant_publish.check.rules.running.missing_tool", lambda: "")
    monkeypatch.setattr("variant_publish.check.rules.running.tried", lambda *given: trial.Trial(1))
    assert said(RunsWherePromised(), tmp_path) == [("unknown", "it promises x86-64-v4, which the emulator cannot be")]


@pytest.mark.slow
@needs_emulator
def test_code_for_v3_in_a_generic_wheel_dies_and_says_where_it_runs(tmp_path: Path) -> None:
    of(tmp_path, 3)
    assert said(RunsWherePromised(), tmp_path) == [("fail", "it dies on x86-64-v1; it runs on x86-64-v3")]
    assert said(RunsOnLess(), tmp_path) == [("skip", "the wheel promises v1, or was not run")]
    config = '[tool.variant-publish.check]\nbaseline = "v3"\n'
    assert [verdict for verdict, _ in said(RunsWherePromised(), tmp_path, config)] == ["pass"]
    assert [verdict for verdict, _ in said(RunsOnLess(), tmp_path, config)] == ["pass"]


@pytest.mark.slow
@needs_emulator
def test_code_for_v1_under_a_higher_level_is_a_note(tmp_path: Path) -> None:
    of(tmp_path, 1, PLAIN.replace(".whl", "+x86_64_v3.whl"))
    assert [verdict for verdict, _ in said(RunsWherePromised(), tmp_path)] == ["pass"]
    assert said(RunsOnLess(), tmp_path) == [("fail", "it promises x86-64-v3 only, and imports on x86-64-v1 too")]


@pytest.mark.slow
@needs_emulator
def test_a_module_that_fails_everywhere_proves_nothing(tmp_path: Path) -> None:
    make_wheel(tmp_path, PLAIN, files={"foo/__init__.py": b"import nowhere_at_all\n"})
    assert said(RunsWherePromised(), tmp_path) == [
        ("unknown", "it does not import: ModuleNotFoundError: No module named 'nowhere_at_all'")
    ]


@pytest.mark.slow
@needs_emulator
def test_a_command_of_the_configuration_takes_the_place_of_the_imports(tmp_path: Path) -> None:
    make_wheel(tmp_path, PLAIN, files={"foo/__init__.py": b"import nowhere_at_all\n"})
    config = "[tool.variant-publish.check]\nrun = 'python -c \"print(1)\"'\n"
    assert [verdict for verdict, _ in said(RunsWherePromised(), tmp_path, config)] == ["pass"]


@pytest.fixture
def unwalled() -> Iterator[None]:
    trial.missing_walls.cache_clear()
    yield
    trial.missing_walls.cache_clear()


@pytest.mark.usefixtures("unwalled")
def test_a_system_that_cannot_keep_wheels_in_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_wheel(tmp_path, PLAIN)
    monkeypatch.setattr(trial, "_WALLS", {"limits": ("true",), "a network of its own (unshare)": ("false",)})
    monkeypatch.setattr("variant_publish.check.rules.running.missing_tool", lambda: "")
    monkeypatch.setattr("variant_publish.check.rules.running.tried", lambda *given: trial.Trial(1))
    notes: list[str] = []
    reporter = SilentReporter()
    monkeypatch.setattr(reporter, "note", notes.append)
    context = Context(load([tmp_path], Config.parse("")).only(), run=True, reporter=reporter)
    assert [one.verdict.value for one in RunsWherePromised().check(context)] == ["pass"]
    list(RunsOnLess().check(context))
    assert notes == ["wheels are run without a network of its own (unshare), which do not work here"]


@pytest.mark.slow
@needs_emulator
@pytest.mark.skipif(bool(trial.missing_walls()), reason="prlimit or unshare does not work here")
@pytest.mark.parametrize(
    ("code", "fault"),
    [
        (b"x = bytearray(9 << 30)\n", "MemoryError"),
        (b"while True: pass\n", "it took longer than 5 s"),
        (
            b"import socket\nsocket.create_connection(('127.0.0.1', 9), 9)\n",
            "OSError: [Errno 101] Network is unreachable",
        ),
        (b"open('x', 'wb').truncate(9 << 30)\n", "OSError: [Errno 27] File too large"),
        (b"import os\nassert not {'TOKEN', 'UV_INDEX'} & set(os.environ), 'seen'\n", ""),
    ],
)
def test_a_wheel_is_kept_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: bytes, fault: str) -> None:
    monkeypatch.setattr(trial, "LIMIT_S", 60.0)
    walls = {
        name: tuple("--cpu=5:9" if "--cpu" in word else word for word in words) for name, words in trial._WALLS.items()
    }
    monkeypatch.setattr(trial, "_WALLS", walls)
    monkeypatch.setenv("TOKEN", "secret")
    make_wheel(tmp_path, PLAIN, files={"foo/__init__.py": code})
    (wheel,) = release_in(tmp_path).wheels
    assert trial.tried(wheel, (3,), "", None).fault == fault.replace("5 s", "60 s")  # type: ignore[arg-type]


@pytest.mark.slow
@needs_emulator
@pytest.mark.parametrize(
    ("requirement", "runs_on"),
    [("orjson==3.13.0", 1), ("duckdb==2.0.0", 3), ("polars-runtime-compat==2.1.0", 2), ("polars-runtime-32==2.1.0", 3)],
)
def test_real_wheels_run_where_it_is_known_that_they_do(tmp_path: Path, requirement: str, runs_on: int) -> None:
    path = wheel_of(requirement, python=f"3.{sys.version_info[1]}")
    (tmp_path / path.name).symlink_to(path)
    (wheel,) = release_in(tmp_path).wheels
    found = trial.tried(wheel, (1, 2, 3), "", None)  # type: ignore[arg-type]
    assert found.runs_on == runs_on
