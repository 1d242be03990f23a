from __future__ import annotations

import json

import pytest

from variant_publish.formats.summary import InvalidSummary, RuleVerdict, Summary

WHEEL = "foo-1.0-py3-none-any.whl"
SUMMARY = Summary(
    WHEEL,
    12,
    "a" * 64,
    "foo-1.0.dist-info",
    {"METADATA": b"Name: foo\n", "RECORD.p7s": b"\xff\x00\x80"},
    b"foo.py,sha256=x,1\n",
    (RuleVerdict("VP101", "pass"), RuleVerdict("VP102", "fail", "it is wrong", "mend it")),
    "0.1.0",
)


def test_a_summary_says_the_same_after_its_text_was_read() -> None:
    assert Summary.parse(SUMMARY.dumps()) == SUMMARY
    assert SUMMARY.dumps() == Summary.parse(SUMMARY.dumps()).dumps()
    assert SUMMARY.filename == f"{WHEEL}.summary.json"
    assert SUMMARY.verdicts_of("VP101") == (RuleVerdict("VP101", "pass"),)
    assert SUMMARY.verdicts_of("VP999") == ()


@pytest.mark.parametrize("content", ["", "[]", "{}", "null", '{"schema-version": 1}', '{"variants": {}}'])
def test_another_text_is_refused_in_one_sentence_that_names_it(content: str) -> None:
    with pytest.raises(InvalidSummary, match=r"x\.json is not a summary of a wheel"):
        Summary.parse(content, "x.json")


def test_a_summary_of_a_later_program_is_refused() -> None:
    data = json.loads(SUMMARY.dumps()) | {"schema-version": 2}
    with pytest.raises(InvalidSummary, match=r"Invalid value 2 - at `\$.schema-version`.*this version"):
        Summary.parse(json.dumps(data), "x.json")


def test_a_verdict_is_one_of_four() -> None:
    with pytest.raises(InvalidSummary, match=r"Invalid enum value 'maybe' - at `\$.verdicts\[0\].verdict`"):
        Summary.parse(SUMMARY.dumps().replace('"pass"', '"maybe"'))


@pytest.mark.parametrize(("old", "new"), [(WHEEL, "../x.whl"), (WHEEL, "a\\nb"), ("a" * 64, "0" * 63), ("12", "-1")])
def test_a_summary_is_one_of_a_file(old: str, new: str) -> None:
    with pytest.raises(InvalidSummary, match="is not a summary of a wheel"):
        Summary.parse(SUMMARY.dumps().replace(old, new, 1))
