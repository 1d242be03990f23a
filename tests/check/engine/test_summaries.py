"""A release is judged by summaries of its wheels as by the wheels."""

from __future__ import annotations

from pathlib import Path

import pytest
from msgspec.structs import replace

from support.binaries import elf, fatbin
from support.checks import LINUX, WINDOWS, release_in
from support.wheels import make_wheel
from variant_publish.archive.wheel import SummaryWheel
from variant_publish.check.engine.report import Report
from variant_publish.check.engine.rule import Verdict
from variant_publish.check.engine.runner import Settings, check
from variant_publish.config.configuration import Config
from variant_publish.release.release import load

GENERIC = f"foo-1.0-cp312-cp312-{LINUX}.whl"
PLUS = f"foo-1.0-cp312-cp312-{LINUX}+cu128.whl"
CONFIG = f"""
[tool.variant-publish.matrix]
python = ["cp312-cp312"]
platform = ["{LINUX}", "{WINDOWS}"]
[tool.variant-publish.variants.cu128]
properties = ["nvidia :: cuda_version_lower_bound :: 12.8"]
"""

OVER_WHEELS = ("VP408", "VP409")  # compare the binaries of several wheels, so a summary of one does not have them


def report_on(*places: Path, summaries: bool = True) -> Report:
    return check(load(places, Config.parse(CONFIG)), settings=Settings(summaries=summaries))


def write(report: Report, folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for summary in report.summaries:
        (folder / summary.filename).write_text(summary.dumps())
    return folder


@pytest.fixture
def wheels(tmp_path: Path) -> Path:
    """Give a release with a wrong wheel, unlike metadata, and holes in its matrix."""
    folder = tmp_path / "wheels"
    make_wheel(folder, GENERIC, requires=["numpy"], files={"foo.py": b"A = 1", "../x": b"", "foo.so": elf()})
    make_wheel(folder, PLUS, requires=["numpy<2"], files={"foo.py": b"A = 2", "foo.so": elf()})
    return folder


def test_summaries_give_the_findings_of_their_wheels(wheels: Path, tmp_path: Path) -> None:
    whole = report_on(wheels)
    told = report_on(write(whole, tmp_path / "summaries"))
    assert {finding.id for finding in whole.findings} >= {"VP108", "VP211", "VP301"}
    own = [finding for finding in told.findings if finding.id not in OVER_WHEELS]
    assert own == [finding for finding in whole.findings if finding.id not in OVER_WHEELS]
    assert told.releases == whole.releases
    assert told.exit_code() == whole.exit_code() == 1


def test_a_release_may_be_half_wheels_and_half_summaries(wheels: Path, tmp_path: Path) -> None:
    whole = report_on(wheels)
    folder = write(whole, tmp_path / "summaries")
    (folder / f"{GENERIC}.summary.json").unlink()
    half = report_on(folder, wheels / GENERIC)
    assert half.releases == whole.releases
    own = [finding for finding in half.findings if finding.id not in OVER_WHEELS]
    assert own == [finding for finding in whole.findings if finding.id not in OVER_WHEELS]


def test_a_wheel_beside_its_summary_is_read_itself(wheels: Path) -> None:
    write(report_on(wheels), wheels)
    (wheels / f"{PLUS}.summary.json").write_text("nonsense")
    assert len(report_on(wheels).releases[0].wheels) == 2


def test_what_only_the_wheels_can_tell_together_is_unknown(wheels: Path, tmp_path: Path) -> None:
    told = report_on(write(report_on(wheels), tmp_path / "summaries"))
    (finding,) = [item for item in told.findings if item.id == "VP408"]
    assert finding.verdict is Verdict.UNKNOWN
    assert "read as summary only" in finding.message


def test_a_rule_that_an_older_program_did_not_have_is_unknown(wheels: Path, tmp_path: Path) -> None:
    report = report_on(wheels)
    kept = tuple(
        replace(summary, verdicts=tuple(item for item in summary.verdicts if item.rule != "VP105"), made_by="0.0.1")
        for summary in report.summaries
    )
    told = report_on(write(replace(report, summaries=kept), tmp_path / "old"))
    missing = [finding for finding in told.findings if finding.id == "VP105"]
    assert [finding.file for finding in missing] == [PLUS, GENERIC]
    assert "made by version 0.0.1, does not have VP105" in missing[0].message


def test_something_else_named_as_a_summary_is_a_finding(tmp_path: Path) -> None:
    (tmp_path / "foo-1.0-variants.json").write_text("{}")
    (finding,) = report_on(tmp_path / "foo-1.0-variants.json").findings
    assert finding.id == "VP101"
    assert "is not a summary of a wheel" in finding.message


def test_a_summary_without_metadata_is_refused(wheels: Path, tmp_path: Path) -> None:
    summary = report_on(wheels).summaries[0]
    (tmp_path / summary.filename).write_text(replace(summary, files={}).dumps())
    (finding,) = report_on(tmp_path / summary.filename).findings
    assert f"the summary of {PLUS}: there is no METADATA" in finding.message


def test_a_generic_wheel_is_judged_as_part_of_its_release(tmp_path: Path) -> None:
    """VP511 asks whether the release has variants, which one wheel alone does not tell."""
    gpu = {"foo.so": elf(extra=fatbin((90, "", False)))}
    make_wheel(tmp_path, GENERIC, files=gpu)
    alone = check(load([tmp_path], Config.parse("")))
    make_wheel(tmp_path, PLUS, files=gpu)
    beside = check(load([tmp_path], Config.parse("")))
    assert "VP511" not in [finding.id for finding in alone.findings]
    assert [finding.file for finding in beside.findings if finding.id == "VP511"] == [GENERIC]


def test_the_release_of_summaries_knows_hash_and_size(wheels: Path, tmp_path: Path) -> None:
    write(report_on(wheels), tmp_path / "summaries")
    real, told = release_in(wheels), release_in(tmp_path / "summaries")
    assert [wheel.sha256 for wheel in told.described] == [wheel.sha256 for wheel in real.described]
    assert [wheel.size for wheel in told.wheels] == [wheel.size for wheel in real.wheels]
    assert isinstance(told.wheels[0], SummaryWheel)
