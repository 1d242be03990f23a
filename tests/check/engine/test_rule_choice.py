from __future__ import annotations

from pathlib import Path

import pytest

from support.checks import LINUX, report_on
from support.wheels import make_wheel
from variant_publish.check.engine.report import Report
from variant_publish.check.engine.rule_choice import Choice
from variant_publish.check.engine.runner import Settings, check
from variant_publish.config.configuration import Config
from variant_publish.config.tables import FailOn
from variant_publish.errors import UsageError
from variant_publish.release.release import load

KNOWN = ["VP101", "VP104", "VP301"]
PLAIN = f"foo-1.0-cp312-cp312-{LINUX}.whl"
LINUX_TAG = "cp312-cp312-linux_x86_64"


@pytest.mark.parametrize(
    ("selected", "dropped", "wanted"),
    [
        ([], [], KNOWN),
        (["VP1"], [], ["VP101", "VP104"]),
        (["VP1"], ["VP104"], ["VP101"]),
        (["VP301, VP104"], [], ["VP104", "VP301"]),
        (["VP301,", " "], [], ["VP301"]),
        ([], ["VP"], []),
    ],
)
def test_rules_are_chosen_by_id_and_prefix(selected: list[str], dropped: list[str], wanted: list[str]) -> None:
    choice = Choice.of(KNOWN, selected, dropped)
    assert [id_ for id_ in KNOWN if choice.wants(id_)] == wanted


@pytest.mark.parametrize("prefix", ["VP9", "vp1", "101", "VP1011"])
def test_what_is_no_id_is_an_error(prefix: str) -> None:
    with pytest.raises(UsageError, match="is the id of no rule"):
        Choice.of(KNOWN, [prefix], [])


def checked(folder: Path, ignore: str, choice: Choice | None = None) -> Report:
    config = Config.parse(f"[tool.variant-publish.check]\nignore = [{ignore}]\n")
    settings = Settings(choice or Choice(), config.check, fail_on=FailOn.WARNING)
    return check(load([folder], config), settings=settings)


def test_ignored_findings_are_reported_with_their_reason(tmp_path: Path) -> None:
    make_wheel(tmp_path, PLAIN, tags=[LINUX_TAG])
    report = checked(tmp_path, '{ id = "VP104", reason = "renamed by hand", file = "foo-*" }')
    assert report.findings == ()
    assert report.exit_code() == 0
    (item,) = report.ignored
    assert item.table()["reason"] == "renamed by hand"
    assert [finding.id for finding in item.findings] == ["VP104"]
    assert report.table()["ignored"][0]["findings"][0]["file"] == PLAIN


@pytest.mark.parametrize(
    "ignore",
    [
        '{ id = "VP104", reason = "x", file = "bar-*" }',
        '{ id = "VP2", reason = "x" }',
        '{ id = "VP104", reason = "x", variant = "cu128" }',
    ],
)
def test_an_ignore_that_does_not_fit_takes_nothing(tmp_path: Path, ignore: str) -> None:
    make_wheel(tmp_path, PLAIN, tags=[LINUX_TAG])
    report = checked(tmp_path, ignore)
    assert [finding.id for finding in report.findings] == ["VP104"]
    assert [item.findings for item in report.ignored] == [()]


def test_an_ignore_can_be_of_one_variant(tmp_path: Path) -> None:
    make_wheel(tmp_path, PLAIN, tags=[LINUX_TAG])
    assert checked(tmp_path, '{ id = "VP104", reason = "x", variant = "generic" }').findings == ()


@pytest.mark.parametrize(
    ("ignore", "message"),
    [
        ('{ id = "VP104", reason = " " }', "has no reason"),
        ('{ id = "VP999", reason = "x" }', "names 'VP999', which is the id of no rule"),
    ],
)
def test_an_ignore_needs_a_rule_and_a_reason(tmp_path: Path, ignore: str, message: str) -> None:
    make_wheel(tmp_path, PLAIN)
    with pytest.raises(UsageError, match=message):
        checked(tmp_path, ignore)
    with pytest.raises(UsageError, match="reason"):
        Config.parse('[tool.variant-publish.check]\nignore = [{ id = "VP104" }]\n')


def test_rules_that_are_not_chosen_do_not_run(tmp_path: Path) -> None:
    make_wheel(tmp_path, PLAIN, tags=[LINUX_TAG])
    report = checked(tmp_path, "", Choice(("VP1",), ("VP104",)))
    assert report.findings == ()
    assert all(id_.startswith("VP1") and id_ != "VP104" for id_ in report.rules)
    assert report.counts.passed < report_on(tmp_path).counts.passed
