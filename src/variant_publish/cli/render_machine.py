"""The report of a check for other machines: JSON, GitHub annotations, SARIF 2.1.0 and JUnit XML."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import click

from variant_publish import __version__
from variant_publish.check.engine.registry import RULES
from variant_publish.check.engine.report import Finding, Report
from variant_publish.check.engine.rule import Rule, Severity
from variant_publish.check.engine.rule_pages import explain
from variant_publish.model.quantity import count
from variant_publish.model.safe_text import for_github, for_github_property, for_markdown, for_xml, visible

if TYPE_CHECKING:
    from xml.etree import ElementTree

_SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
_LEVELS: Mapping[Severity, str] = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "note"}
_ANNOTATIONS: Mapping[Severity, str] = {**_LEVELS, Severity.INFO: "notice"}


def render(report: Report, output: str) -> str:
    """Return the report in a format: "text", "json", "github", "sarif", "junit", "html" or "markdown"."""
    if output == "text":
        from variant_publish.cli.render_check import render_text

        return click.unstyle(render_text(report)) + "\n"
    if output == "html":
        from variant_publish.cli.render_html import render_html

        return render_html(report)
    formats = {"json": render_json, "github": render_github, "sarif": render_sarif, "junit": render_junit,
               "markdown": render_markdown}  # fmt: skip
    return formats[output](report)


def render_github(report: Report) -> str:
    """Return workflow commands, one for each finding: annotations on the run and on the files they name."""
    return "".join(f"{_annotation(finding, finding.level(report.fail_on))}\n" for finding in report.findings)


def render_json(report: Report) -> str:
    """Return the JSON document."""
    return json.dumps(report.table(), indent=2) + "\n"


def render_markdown(report: Report) -> str:
    """Return the counts and a list of findings, as GitHub shows them in a step summary and GitLab in a comment."""
    lines = [f"**{count(report.count(Severity.ERROR), 'error')}**, {count(report.count(Severity.WARNING), 'warning')}"]
    lines[0] += f", {count(report.count(Severity.INFO), 'note')}, {report.undecided} unknown"
    for release in report.releases:
        lines[0] += f"; {for_markdown(f'{release.project} {release.version}')}: {count(len(release.wheels), 'wheel')}"
    for finding in report.findings:
        word = _word(finding, report)
        file = f"{for_markdown(finding.file)}: " if finding.file else ""
        lines.append(f"- {word} **{finding.id}** {file}{for_markdown(finding.message)}")
        if finding.hint:
            lines.append(f"  _{for_markdown(finding.hint)}_")
    return "\n".join([lines[0], "", *lines[1:]]) + "\n"


def render_sarif(report: Report) -> str:
    """Return a SARIF log with one run: every rule that has findings, and a result for each, ignored ones suppressed."""
    ignored = [(finding, item.ignore.reason) for item in report.ignored for finding in item.findings]
    shown = {finding.id for finding in (*report.findings, *(finding for finding, _ in ignored))}
    rules = [rule for rule in sorted(RULES, key=lambda rule: rule.id) if rule.id in shown]
    places = {rule.id: place for place, rule in enumerate(rules)}
    results = [_result(finding, places[finding.id], report) for finding in report.findings]
    results += [
        _result(finding, places[finding.id], report)
        | {"suppressions": [{"kind": "external", "status": "accepted", "justification": reason}]}
        for finding, reason in ignored
    ]
    driver = {"name": "variant-publish", "version": __version__, "rules": list(map(_descriptor, rules))}
    log = {
        "$schema": _SCHEMA,
        "version": "2.1.0",
        "runs": [{"tool": {"driver": driver}, "columnKind": "unicodeCodePoints", "results": results}],
    }
    return json.dumps(log, indent=2) + "\n"


def render_junit(report: Report) -> str:
    """Return JUnit XML: a suite for each rule that has findings and one for the others.

    A case with a failure for each finding that makes the check fail; unknown, warnings and notes are skipped cases
    with their message, because JUnit has nothing between the two.
    """
    from xml.etree import ElementTree

    root = ElementTree.Element("testsuites", name="variant-publish check")
    by_rule: dict[str, list[Finding]] = {rule.id: [] for rule in sorted(RULES, key=lambda rule: rule.id)}
    for finding in report.findings:
        by_rule[finding.id].append(finding)
    for id_, findings in by_rule.items():
        if id_ in report.rules:
            root.append(_suite(id_, findings, report))
    for key in ("tests", "failures", "skipped"):
        root.set(key, str(sum(int(suite.get(key, "0")) for suite in root)))
    for element in root.iter():
        element.attrib = {name: for_xml(value) for name, value in element.attrib.items()}
        element.text = for_xml(element.text) if element.text else None
    ElementTree.indent(root)
    return ElementTree.tostring(root, "unicode", xml_declaration=True) + "\n"


def _suite(name: str, findings: Iterable[Finding], report: Report) -> ElementTree.Element:
    from xml.etree import ElementTree

    suite = ElementTree.Element("testsuite", name=name, errors="0")
    cases = [(finding, report.is_error(finding)) for finding in findings]
    for finding, is_error in cases:
        title = f"{finding.file}: {finding.message}" if finding.file else finding.message
        case = ElementTree.SubElement(suite, "testcase", classname=name, name=title)
        message = f"{_word(finding, report)}: {finding.message}"
        outcome = ElementTree.SubElement(case, "failure" if is_error else "skipped", message=message)
        outcome.text = finding.hint if is_error else None
    if not cases:
        ElementTree.SubElement(suite, "testcase", classname=name, name="no findings")
    suite.set("tests", str(max(len(cases), 1)))
    suite.set("failures", str(sum(is_error for _, is_error in cases)))
    suite.set("skipped", str(sum(not is_error for _, is_error in cases)))
    return suite


def _descriptor(rule: Rule) -> dict[str, Any]:
    return {
        "id": rule.id,
        "name": type(rule).__name__,
        "shortDescription": {"text": rule.title},
        "help": {"text": (page := explain(rule.id)), "markdown": page},
        "defaultConfiguration": {"level": _LEVELS[rule.severity]},
    }


def _result(finding: Finding, place: int, report: Report) -> dict[str, Any]:
    is_open = finding.is_unknown and not report.is_error(finding)
    text = finding.message + (f"\n{finding.hint}" if finding.hint else "")
    result: dict[str, Any] = {
        "ruleId": finding.id,
        "ruleIndex": place,
        "kind": "open" if is_open else "fail",
        "level": "none" if is_open else _LEVELS[finding.level(report.fail_on)],
        "message": {"text": visible(text, keep="\n")},
    }
    if finding.file:
        result["locations"] = [{"physicalLocation": {"artifactLocation": {"uri": quote(finding.file)}}}]
    elif finding.cell is not None:
        result["locations"] = [{"logicalLocations": [{"fullyQualifiedName": str(finding.cell)}]}]
    return result


def _word(finding: Finding, report: Report) -> str:
    """Return the level as a word; "unknown" where the rule could not decide, whatever that does to the check."""
    return "unknown" if finding.is_unknown else finding.level(report.fail_on).value


def _annotation(finding: Finding, level: Severity) -> str:
    message = f"{'unknown: ' if finding.is_unknown else ''}{finding.message}"
    headline = message.partition("\n")[0]
    title = f"{finding.id} {headline}"
    place = f"file={for_github_property(finding.file)}," if finding.file else ""
    message += f"\nhint: {finding.hint}" if finding.hint else ""
    return f"::{_ANNOTATIONS[level]} {place}title={for_github_property(title)}::{for_github(message)}"
