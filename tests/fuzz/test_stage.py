"""State and summaries of a stage, as a hostile job may write them."""

from __future__ import annotations

from support.fuzz import fuzz
from support.publishing import GENERIC, SDIST
from variant_publish.formats.stage_state import StagedFile, StageState, Status
from variant_publish.formats.summary import RuleVerdict, Summary

STATE = StageState("foo", Status.RELEASING, (StagedFile("foo-bar", GENERIC), StagedFile("foo-bar", SDIST)), 3)
SUMMARY = Summary(
    GENERIC, 10, "ab" * 32, "foo_bar-1.0.dist-info", {"METADATA": b"Name: foo_bar\n", "WHEEL": b"Tag: x\n"},
    b"foo_bar/a.py,sha256=x,1\n", (RuleVerdict("VP101", "pass"),), "1.0",
)  # fmt: skip


def test_states() -> None:
    def parse(content: bytes) -> None:
        state = StageState.parse(content, "foo")
        assert StageState.parse(state.dumps(), "foo") == state
        assert all(
            str(file).startswith(f"{file.project}/") and ".." not in str(file).split("/") for file in state.files
        )

    fuzz(parse, [STATE.dumps().encode()], words=[b"foo-bar/../x", b"released", b"aborting"])


def test_summaries() -> None:
    def parse(content: bytes) -> None:
        summary = Summary.parse(content)
        assert Summary.parse(summary.dumps()) == summary
        assert "/" not in summary.file

    fuzz(parse, [SUMMARY.dumps().encode()], words=[b"0" * 64, b"eJw", b"pass"])
