from __future__ import annotations

from pathlib import Path

from support.checks import outcomes, verdicts
from support.selector_files import CONFIG, JSON, PLUS_V3
from support.wheels import make_wheel
from variant_publish.check.rules.selection import (
    OwnedFiles,
)


def test_without_selector_files_there_is_nothing_to_check(tmp_path: Path) -> None:
    make_wheel(tmp_path, PLUS_V3)
    assert verdicts(OwnedFiles(), tmp_path) == {"skip": 1}


def test_files_as_they_are_written_pass(folder: Path) -> None:
    assert verdicts(OwnedFiles(), folder, CONFIG) == {"pass": 2}


def test_a_file_under_another_name_is_told(folder: Path) -> None:
    (folder / "Foo-1.0-variants.json").write_text("{}", "utf-8")
    (outcome,) = [outcome for outcome in outcomes(OwnedFiles(), folder) if outcome.message]
    assert outcome.verdict.value == "fail"
    assert (outcome.file, outcome.hint) == ("Foo-1.0-variants.json", f"clients ask for {JSON}")
