from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.binaries import elf
from support.checks import LINUX, PLUS, WINDOWS, report_on
from support.wheels import make_wheel
from variant_publish.archive.inflate import Inflater
from variant_publish.archive.zipraw import Member
from variant_publish.check.engine.report import Counts, Finding, Report
from variant_publish.check.engine.rule import Severity, Verdict
from variant_publish.check.engine.runner import Settings, check, find_selector_files
from variant_publish.config.configuration import Config
from variant_publish.config.tables import FailOn
from variant_publish.release.release import load

PLAIN = f"foo-1.0-cp312-cp312-{LINUX}.whl"
MATRIX = f'[tool.variant-publish.matrix]\npython = ["cp312-cp312"]\nplatform = ["{LINUX}", "{WINDOWS}"]\n'


def ids(report: Report) -> list[str]:
    return [finding.id for finding in report.findings]


def test_a_sound_release_has_no_findings(tmp_path: Path) -> None:
    make_wheel(tmp_path, PLAIN)
    report = report_on(tmp_path)
    assert report.findings == ()
    assert report.exit_code() == report_on(tmp_path, fail_on=FailOn.UNKNOWN).exit_code() == 0
    assert report.counts.passed > 10
    assert (report.counts.failed, report.counts.unknown) == (0, 0)
    assert [release.wheels for release in report.releases] == [(PLAIN,)]


def test_everything_is_reported_at_once_and_the_worst_comes_first(tmp_path: Path) -> None:
    make_wheel(tmp_path, PLAIN, tags=["cp312-cp312-linux_x86_64"], files={"../x": b""})
    (tmp_path / "bar-1.0-py3-none-any.whl").write_bytes(b"")
    report = report_on(tmp_path, MATRIX)
    assert ids(report) == ["VP101", "VP108", "VP301", "VP104"]
    assert report.exit_code() == 1
    assert report.counts.failed == 4


def test_strict_makes_warnings_count(tmp_path: Path) -> None:
    make_wheel(tmp_path, PLAIN, tags=["cp312-cp312-linux_x86_64"])
    assert report_on(tmp_path).exit_code() == 0
    report = report_on(tmp_path, fail_on=FailOn.WARNING)
    assert report.exit_code() == 1
    assert (report.count(Severity.ERROR), report.count(Severity.WARNING)) == (1, 0)


def test_unknown_is_listed_and_is_no_failure(tmp_path: Path) -> None:
    make_wheel(tmp_path, PLAIN.replace(".whl", "+a.whl"), requires=["numpy+pypi==2.0.0"])
    make_wheel(tmp_path, PLAIN, requires=["numpy==2.0.0"], extra_info={"abi-requires.txt": b"numpy+pypi==2.0.0\n"})
    report = report_on(tmp_path)
    assert [(finding.id, finding.verdict) for finding in report.findings] == [("VP404", "unknown")]
    codes = [report_on(tmp_path, fail_on=fail_on).exit_code() for fail_on in FailOn]
    assert codes == [0, 1, 1]  # --strict wants pins to be verified
    assert report.table()["summary"]["unknown"] == 1


def test_an_unknown_of_a_rule_that_guards_no_publication_fails_only_where_it_is_asked_to() -> None:
    finding = Finding("VP507", Severity.WARNING, Verdict.UNKNOWN, None, "x", None)
    reports = [Report((finding,), Counts(unknown=1), (), fail_on) for fail_on in FailOn]
    assert [report.exit_code() for report in reports] == [0, 0, 1]
    assert [report.undecided for report in reports] == [1, 1, 0]


def test_what_only_an_index_could_tell_is_no_failure_of_strict_where_offline_was_asked_for(tmp_path: Path) -> None:
    make_wheel(tmp_path, PLAIN.replace("foo", "dataclasses"), requires=["numpy==2.0.0"])
    loaded = load([tmp_path], Config.parse(""))
    found = {
        fail_on: check(loaded, settings=Settings(index="https://x.invalid/simple", offline=True, fail_on=fail_on))
        for fail_on in FailOn
    }
    assert set(ids(found[FailOn.WARNING])) == {"VP410", "VP704", "VP705", "VP706", "VP708"}
    assert [report.exit_code() for report in found.values()] == [0, 0, 1]
    messages = [finding.message for finding in found[FailOn.WARNING].findings]
    assert len(set(messages)) == len(messages)  # each says what was not asked


def test_files_without_a_release_are_checked_too(tmp_path: Path) -> None:
    (tmp_path / "bar-1.0-py3-none-any.whl").write_bytes(b"")
    assert ids(report_on(tmp_path)) == ["VP101"]


def test_findings_of_several_releases_say_of_which(tmp_path: Path) -> None:
    make_wheel(tmp_path, PLAIN)
    make_wheel(tmp_path, PLAIN.replace("1.0", "2.0"))
    report = report_on(tmp_path, MATRIX)
    assert [finding.message.split(": ")[0] for finding in report.findings] == ["foo 1.0", "foo 2.0"]


def test_the_table_has_the_agreed_keys(tmp_path: Path) -> None:
    make_wheel(tmp_path, PLAIN, tags=["cp312-cp312-linux_x86_64"])
    table = report_on(tmp_path, MATRIX).table()
    assert json.loads(json.dumps(table)) == table
    assert list(table) == ["schema-version", "releases", "summary", "findings"]
    missing, tags = table["findings"]
    assert list(tags) == ["id", "severity", "verdict", "file", "message", "hint"]
    assert (tags["id"], tags["severity"], tags["verdict"], tags["file"]) == ("VP104", "warning", "fail", PLAIN)
    assert missing["file"] is None
    assert (missing["python"], missing["platform"], missing["variant"]) == ("cp312-cp312", WINDOWS, "generic")
    assert table["releases"][0]["grid"][0]["state"] == "present"
    assert table["summary"]["errors"] == 1


def test_the_order_of_files_does_not_matter(tmp_path: Path) -> None:
    for python in ("cp311-cp311", "cp312-cp312"):
        make_wheel(tmp_path, f"foo-1.0-{python}-{LINUX}.whl", files={"/x": b""})
    config = Config.parse("")
    paths = sorted(tmp_path.glob("*.whl"))
    assert check(load(paths, config)) == check(load(reversed(paths), config))


def test_trouble_in_one_rule_leaves_the_others_their_say(tmp_path: Path) -> None:
    make_wheel(tmp_path, PLAIN.replace(".whl", "+a.whl"), files={"/x": b""})
    config = "[tool.variant-publish.selectors.a]\nwheel_tags = { x = ['a'] }\n"
    gone = tmp_path / "foo-1.0-wheel-selector.toml"
    report = check(load([tmp_path], Config.parse(config)), selector_files=[gone])
    assert {("VP601", "unknown"), ("VP108", "fail")} <= {(found.id, found.verdict) for found in report.findings}


def test_every_member_is_inflated_once_for_all_rules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_wheel(tmp_path, PLAIN, files={"foo/a.so": elf(), "foo/b.py": b"x = 1"})
    make_wheel(tmp_path, PLUS, files={"foo/a.so": elf(), "foo/b.py": b"x = 1"})
    inflated: list[str] = []
    original = Inflater.pieces

    def counting(self: Inflater, member: Member) -> Iterator[bytes]:
        inflated.append(f"{self.archive.path.name}/{member.name}")
        return original(self, member)

    monkeypatch.setattr(Inflater, "pieces", counting)
    report = report_on(tmp_path)
    assert {"VP112", "VP408", "VP409", "VP501", "VP508"} <= set(report.rules)
    assert len(inflated) == len(set(inflated)) == 2 * 5


def test_selector_files_are_looked_for_in_folders_only(tmp_path: Path) -> None:
    wheel = make_wheel(tmp_path, PLAIN)
    for name in ("foo-1.0-variants.json", "foo-1.0-wheel-selector.toml", "pyproject.toml"):
        (tmp_path / name).write_text("", "utf-8")
    assert [path.name for path in find_selector_files([tmp_path, wheel])] == [
        "foo-1.0-variants.json", "foo-1.0-wheel-selector.toml"
    ]  # fmt: skip
