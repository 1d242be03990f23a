from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from xml.etree import ElementTree

import click
import pytest
from jsonschema import Draft4Validator, FormatChecker
from msgspec.structs import replace

from support.checks import LINUX, WINDOWS
from support.wheels import make_wheel
from variant_publish.check.engine.report import Report
from variant_publish.check.engine.runner import Settings, check
from variant_publish.cli.render_check import render_text
from variant_publish.cli.render_machine import render_github, render_junit, render_sarif
from variant_publish.config.configuration import Config
from variant_publish.config.tables import FailOn
from variant_publish.release.release import load

SCHEMA = Path(__file__).parents[1] / "data" / "sarif-schema-2.1.0.json"
CONFIG = f"""
[tool.variant-publish.matrix]
python = ["cp312-cp312"]
platform = ["{LINUX}", "{WINDOWS}"]
[tool.variant-publish.check]
ignore = [{{ id = "VP108", reason = "a test" }}]
"""


@pytest.fixture
def report(tmp_path: Path) -> Report:
    """Give a report with an error of a cell, a warning, an unknown and an ignored finding."""
    make_wheel(
        tmp_path, f"foo-1.0-cp312-cp312-{LINUX}.whl", tags=["cp312-cp312-linux_x86_64"], requires=["numpy==2.0.0"],
        extra_info={"abi-requires.txt": b"numpy+pypi==2.0.0\n"}, files={"../x": b""},
    )  # fmt: skip
    config = Config.parse(CONFIG)
    return check(load([tmp_path], config), settings=Settings(table=config.check))


def only(table: Mapping[str, object], keys: Iterable[str]) -> None:
    assert set(table) <= set(keys), "no other properties"


def test_sarif_has_the_shape_of_2_1_0(report: Report) -> None:
    log = json.loads(render_sarif(report))
    only(log, ["$schema", "version", "runs"])
    assert log["version"] == "2.1.0"
    (run,) = log["runs"]
    only(run, ["tool", "columnKind", "results"])
    driver = run["tool"]["driver"]
    only(driver, ["name", "version", "rules"])
    assert [rule["id"] for rule in driver["rules"]] == ["VP104", "VP108", "VP301", "VP404"]
    for rule in driver["rules"]:
        only(rule, ["id", "name", "shortDescription", "help", "defaultConfiguration"])
        assert rule["help"]["markdown"].startswith(f"# {rule['id']}")
        assert rule["defaultConfiguration"]["level"] in ("none", "note", "warning", "error")
    for result in run["results"]:
        only(result, ["ruleId", "ruleIndex", "kind", "level", "message", "locations", "suppressions"])
        assert driver["rules"][result["ruleIndex"]]["id"] == result["ruleId"]
        assert result["kind"] in ("fail", "open")
        assert (result["level"] == "none") == (result["kind"] == "open"), "only failures have a level"
        assert result["message"]["text"]
    by_id = {result["ruleId"]: result for result in run["results"]}
    assert by_id["VP404"]["kind"] == "open"
    assert by_id["VP104"]["locations"][0]["physicalLocation"]["artifactLocation"]["uri"].startswith("foo-1.0")
    assert by_id["VP301"]["locations"][0]["logicalLocations"]
    assert by_id["VP108"]["suppressions"] == [{"kind": "external", "status": "accepted", "justification": "a test"}]


def faults(log: object) -> list[str]:
    """Hold a log against the JSON schema of SARIF 2.1.0."""
    validator = Draft4Validator(json.loads(SCHEMA.read_text("utf-8")), format_checker=FormatChecker())
    return [error.message for error in validator.iter_errors(log)]


def test_sarif_is_valid_by_its_schema(report: Report, tmp_path: Path) -> None:
    log = json.loads(render_sarif(report))
    assert len(log["runs"][0]["results"]) >= 4
    assert faults(log) == []
    make_wheel(tmp_path / "sound", "foo-1.0-py3-none-any.whl")
    assert faults(json.loads(render_sarif(check(load([tmp_path / "sound"], Config.parse("")))))) == []
    log["runs"][0]["results"][0]["kind"] = "unknown"
    assert faults(log) == [
        "'unknown' is not one of ['notApplicable', 'pass', 'fail', 'review', 'open', 'informational']"
    ]


def test_junit_has_the_shape_that_its_readers_know(report: Report) -> None:
    root = ElementTree.fromstring(render_junit(report))  # noqa: S314  (our own text)
    assert root.tag == "testsuites"
    only(root.attrib, ["name", "tests", "failures", "skipped"])
    for suite in root:
        assert suite.tag == "testsuite"
        assert set(suite.attrib) == {"name", "tests", "failures", "errors", "skipped"}
        cases = suite.findall("testcase")
        assert len(suite) == len(cases) == int(suite.attrib["tests"])
        for case in cases:
            assert set(case.attrib) == {"classname", "name"}
            assert case.get("classname") == suite.get("name"), "the rule by its id; the case says what is wrong"
            assert len(case) <= 1, "one outcome for a case"
            assert all(child.tag in ("failure", "skipped") and child.get("message") for child in case)
        for tag, key in (("failure", "failures"), ("skipped", "skipped")):
            assert len(suite.findall(f"testcase/{tag}")) == int(suite.attrib[key])
    for key in ("tests", "failures", "skipped"):
        assert int(root.attrib[key]) == sum(int(suite.attrib[key]) for suite in root)


def test_junit_counts_what_fails(report: Report) -> None:
    root = ElementTree.fromstring(render_junit(report))  # noqa: S314  (our own text)
    suites = {suite.get("name", "")[:5]: suite for suite in root}
    assert (root.get("failures"), root.get("tests")) == ("1", str(len(root.findall(".//testcase"))))
    assert suites["VP301"].find("testcase/failure") is not None
    message = suites["VP104"].find("testcase/skipped")
    assert message is not None
    assert message.get("message", "").startswith("warning: WHEEL has cp312-cp312-linux_x86_64, the file name ")
    assert suites["VP101"].get("tests") == "1"
    assert suites["VP108"].get("failures") == "0"


def test_junit_follows_strict(tmp_path: Path) -> None:
    make_wheel(tmp_path, f"foo-1.0-cp312-cp312-{LINUX}.whl", tags=["cp312-cp312-linux_x86_64"])
    strict = check(load([tmp_path], Config.parse("")), settings=Settings(fail_on=FailOn.WARNING))
    assert ElementTree.fromstring(render_junit(strict)).get("failures") == "1"  # noqa: S314


@pytest.mark.parametrize("fail_on", FailOn)
def test_every_format_counts_alike(report: Report, fail_on: FailOn) -> None:
    report = replace(report, fail_on=fail_on)
    summary = report.table()["summary"]
    errors, warnings, infos, undecided = (summary[key] for key in ("errors", "warnings", "infos", "undecided"))
    assert errors + warnings + infos + undecided == len(report.findings)
    assert (errors, warnings, undecided) == {"error": (1, 1, 1), "warning": (3, 0, 0), "unknown": (3, 0, 0)}[fail_on]
    closing = click.unstyle(render_text(report)).splitlines()[-1]
    assert re.findall(r"(\d+) (?:error|warning|note|unknown)", closing) == [
        str(number) for number in (errors, warnings, infos, undecided)
    ]
    annotations = Counter(re.findall(r"^::(\w+) ", render_github(report), re.MULTILINE))
    assert annotations == Counter(error=errors, warning=warnings, notice=infos + undecided)
    results = [one for one in json.loads(render_sarif(report))["runs"][0]["results"] if "suppressions" not in one]
    levels = Counter(one["level"] for one in results)
    assert levels == Counter(error=errors, warning=warnings, note=infos, none=undecided)
    assert faults(json.loads(render_sarif(report))) == []
    junit = ElementTree.fromstring(render_junit(report))  # noqa: S314  (our own text)
    assert (junit.get("failures"), junit.get("skipped")) == (str(errors), str(warnings + infos + undecided))
    assert summary["exit-code"] == report.exit_code() == int(errors > 0)
