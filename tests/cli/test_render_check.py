from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from support.checks import LINUX, WINDOWS, report_on
from support.wheels import make_wheel
from variant_publish.check.engine.report import Counts, Finding, Report
from variant_publish.check.engine.rule import Severity, Verdict
from variant_publish.check.engine.runner import Settings, check
from variant_publish.cli.render_check import render_text
from variant_publish.cli.render_machine import render_github, render_json
from variant_publish.config.configuration import Config
from variant_publish.config.tables import FailOn
from variant_publish.model.matrix import Cell
from variant_publish.release.release import load

CONFIG = f"""
[tool.variant-publish]
dialects = ["plus", "pep825"]
[tool.variant-publish.matrix]
python = ["cp311-cp311", "cp312-cp312"]
platform = ["{LINUX}", "{WINDOWS}"]
skip = [{{ python = "cp312-cp312", platform = "{WINDOWS}", reason = "no [bold] toolchain" }}]
[tool.variant-publish.variants.cu128]
platform = ["{LINUX}"]
"""


def text_of(report: Report, *, ascii_only: bool = False, width: int | None = None) -> str:
    """Return a report as a stream that is no terminal gets it."""
    return click.unstyle(render_text(report, ascii_only=ascii_only, width=width))


@pytest.fixture
def report(tmp_path: Path) -> Report:
    """Give a report with every state and most kinds of findings."""
    for python in ("cp311-cp311", "cp312-cp312"):
        make_wheel(tmp_path, f"foo-1.0-{python}-{LINUX}.whl")
    make_wheel(tmp_path, f"foo-1.0-cp311-cp311-{LINUX}+cu128.whl", requires=["numpy+pypi==2.0.0"])
    make_wheel(tmp_path, f"foo-1.0-cp311-cp311-{WINDOWS}+cu128.whl")
    return report_on(tmp_path, CONFIG)


def test_the_grid_can_be_read_at_a_glance(report: Report) -> None:
    lines = text_of(report).splitlines()
    assert lines[0].strip() == "foo 1.0 (4 wheels)"
    rows = [line.split() for line in lines if line.startswith("  cp31")]
    assert rows[0] == ["cp311-cp311", LINUX, "✔", "✔", "plus,", "✘", "pep825"]
    assert rows[1] == ["cp312-cp312", LINUX, "✔", "✘"]
    assert "✔ present   ✘ missing   – skipped   + extra   · not declared" in lines  # noqa: RUF001  (a dash is meant)
    assert "skipped: no [bold] toolchain" in lines


def test_an_ascii_terminal_gets_words(report: Report) -> None:
    text = text_of(report, ascii_only=True)
    assert text.isascii()
    assert "ok present   MISSING missing   skip skipped   EXTRA extra   . not declared" in text
    assert "  cp312-cp312  manylinux_2_28_x86_64  ok       MISSING\n" in text


@pytest.mark.parametrize("width", [40, 60, 80, 100])
def test_no_name_is_broken(report: Report, width: int) -> None:
    text = text_of(report, width=width)
    for finding in report.findings:
        assert not finding.file or f"  {finding.file}:" in text
    assert [line for line in text.splitlines() if len(line) > width and len(line.split()) > 2] == []


def test_findings_are_grouped_by_rule_with_file_and_hint(report: Report) -> None:
    lines = text_of(report).splitlines()
    place = lines.index("error VP302 (1 finding)")
    file = f"foo-1.0-cp311-cp311-{WINDOWS}+cu128.whl"
    assert lines[place + 1].startswith(f"  {file}: it fills no declared cell")
    assert lines[place + 2].startswith("  hint: add its python and platform")
    assert "unknown VP404 (1 finding)" in lines
    assert lines[-1].startswith("4 wheels checked: ")
    assert lines[-1].endswith("1 unknown")


def test_a_terminal_gets_colours_and_strict_is_told(tmp_path: Path) -> None:
    make_wheel(tmp_path, f"foo-1.0-cp311-cp311-{LINUX}.whl", tags=["cp311-cp311-linux_x86_64"])
    report = report_on(tmp_path, fail_on=FailOn.WARNING)
    assert "(an error by --fail-on warning)" in text_of(report)
    assert "\x1b[" in render_text(report)


def test_no_releases_are_no_trouble(tmp_path: Path) -> None:
    (tmp_path / "foo.whl").write_bytes(b"")
    assert "0 wheels checked: 1 error, 0 warnings, 0 notes" in text_of(report_on(tmp_path))


def test_annotations_are_escaped_as_github_wants() -> None:
    cell = Cell("cp312-cp312", LINUX, "cu128")
    finding = Finding("VP301", Severity.ERROR, Verdict.FAIL, "a,b:c%.whl", "50% of\r\nit: gone", "build, it", cell)
    report = Report((finding,), Counts(failed=1), ())
    assert render_github(report) == (
        "::error file=a%2Cb%3Ac%25.whl,title=VP301 50%25 of\\r::50%25 of\\r%0Ait: gone%0Ahint: build, it\n"
    )


@pytest.mark.parametrize(
    ("severity", "verdict", "fail_on", "level"),
    [
        (Severity.ERROR, Verdict.FAIL, FailOn.ERROR, "error"),
        (Severity.WARNING, Verdict.FAIL, FailOn.ERROR, "warning"),
        (Severity.WARNING, Verdict.FAIL, FailOn.WARNING, "error"),
        (Severity.INFO, Verdict.FAIL, FailOn.WARNING, "notice"),
        (Severity.ERROR, Verdict.UNKNOWN, FailOn.ERROR, "notice"),
        (Severity.ERROR, Verdict.UNKNOWN, FailOn.WARNING, "notice"),
        (Severity.INFO, Verdict.UNKNOWN, FailOn.UNKNOWN, "error"),
    ],
)
def test_annotations_have_the_level_that_the_exit_code_has(
    severity: Severity, verdict: Verdict, fail_on: FailOn, level: str
) -> None:
    report = Report((Finding("VP404", severity, verdict, None, "x", None),), Counts(), (), fail_on)
    assert render_github(report).startswith(
        f"::{level} title=VP404 {'unknown%3A ' if verdict is Verdict.UNKNOWN else ''}x::"
    )


def test_json_is_the_table(report: Report) -> None:
    assert json.loads(render_json(report)) == report.table()


def keys_of(value: object, place: str = "") -> Iterator[tuple[str, str]]:
    """Give each key of a JSON document with the row of its table: "findings[]", "" for the document."""
    if isinstance(value, list):
        for item in value:
            yield from keys_of(item, f"{place}[]")
    elif isinstance(value, dict) and not place.endswith((".sizes", ".zip[][]")):  # those keys are file names and axes
        for key, item in value.items():
            yield place, key
            yield from keys_of(item, f"{place}.{key}".removeprefix("."))


def test_every_key_of_the_json_is_documented_and_every_documented_one_is_there(tmp_path: Path) -> None:
    make_wheel(tmp_path, f"foo-1.0-cp311-cp311-{LINUX}.whl", files={"../x": b""})
    make_wheel(tmp_path, f"bar-1.0-cp311-cp311-{LINUX}.whl")
    make_wheel(tmp_path, f"bar-1.0-cp312-cp312-{LINUX}.whl")
    config = f"""{CONFIG}[tool.variant-publish.check]
ignore = [{{ id = "VP108", reason = "a test" }}]
[[tool.variant-publish.matrix.zip]]
python = ["cp311-cp311"]
gcc = ["12"]
[[tool.variant-publish.family.skip]]
project = "foo"
reason = "a test"
"""
    parsed = Config.parse(config)
    report = check(
        load([tmp_path], parsed), settings=Settings(table=parsed.check, family=parsed.family, asks_family=True)
    )
    found = {
        (place, key) for place, key in keys_of(json.loads(render_json(report))) if "ignored[].findings" not in place
    }
    text = (Path(__file__).parents[2] / "docs" / "check-json.md").read_text("utf-8")
    rows = re.findall(r"^\| `([^`]+)` \| (.*) \|$", text, flags=re.MULTILINE)
    documented = {row: set(re.findall(r"`([a-z-]+)`", meaning)) for row, meaning in rows}
    for place, key in found:
        where = documented.keys() if not place else documented[place]
        assert key in where or f"{key}[]" in where, f"{place} {key}"
    values = {"present", "missing", "skipped", "extra", "error", "warning", "info", "unknown", "fail"}
    for row, keys in documented.items():
        for key in keys - values:
            assert (row, key) in found, f"{row} {key}"
