from __future__ import annotations

from pathlib import Path
from threading import Barrier

import pytest

from support.checks import release_in
from support.wheels import make_wheel
from variant_publish.check.engine.context import Context
from variant_publish.check.engine.runner import Settings, check
from variant_publish.check.engine.trial import Trial
from variant_publish.check.rules.running import RunsOnLess
from variant_publish.config.configuration import Config
from variant_publish.release.release import load

NAME = "foo-1.0-py3-none-manylinux_2_17_x86_64+x86_64_v3.whl"


@pytest.mark.parametrize(
    ("found", "verdict"),
    [(Trial(1), "fail"), (Trial(3, {1: "foo/a.so", 2: "foo/a.so"}), "pass"), (Trial(fault="no"), "pass")],
)
def test_only_what_imports_on_v1_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, found: Trial, verdict: str
) -> None:
    monkeypatch.setattr("variant_publish.check.rules.running.missing_tool", lambda: "")
    monkeypatch.setattr("variant_publish.check.rules.running.tried", lambda *given: found)
    make_wheel(tmp_path, NAME)
    (outcome,) = RunsOnLess().check(Context(release_in(tmp_path), run=True))
    assert outcome.verdict == verdict
    assert verdict in ("pass", "fail")


def test_several_wheels_run_at_a_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    together = Barrier(2, timeout=9)

    def tried(*given: object) -> Trial:
        together.wait()
        return Trial(1)

    monkeypatch.setattr("variant_publish.check.rules.running.missing_tool", lambda: "")
    monkeypatch.setattr("variant_publish.check.rules.running.tried", tried)
    for libc in ("manylinux_2_17", "manylinux_2_28"):
        make_wheel(tmp_path, NAME.replace("manylinux_2_17", libc))
    report = check(load([tmp_path], Config.parse("")), settings=Settings(run=True, jobs=2))
    assert sum(finding.id == "VP902" for finding in report.findings) == 2


def test_nothing_runs_unless_asked(tmp_path: Path) -> None:
    make_wheel(tmp_path, NAME)
    (outcome,) = RunsOnLess().check(Context(release_in(tmp_path)))
    assert outcome.verdict == "skip"
