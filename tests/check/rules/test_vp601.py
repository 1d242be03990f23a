from __future__ import annotations

from pathlib import Path

from support.checks import PLAIN, failures, outcomes, verdicts
from support.selector_files import CONFIG, JSON, LABELLED_V3, PLUS_V3, TOML, metadata_of
from support.wheels import make_wheel
from variant_publish.check.rules.selection import (
    CurrentFiles,
)


def test_without_selector_files_there_is_nothing_to_check(tmp_path: Path) -> None:
    make_wheel(tmp_path, PLUS_V3)
    assert verdicts(CurrentFiles(), tmp_path) == {"skip": 1}


def test_files_as_they_are_written_pass(folder: Path) -> None:
    assert verdicts(CurrentFiles(), folder, CONFIG) == {"pass": 2}


def test_another_layout_of_the_same_file_passes(folder: Path) -> None:
    (folder / JSON).write_text((folder / JSON).read_text("utf-8").replace("\n", "").replace("  ", ""), "utf-8")
    assert verdicts(CurrentFiles(), folder, CONFIG) == {"pass": 2}


def test_an_old_file_fails(folder: Path) -> None:
    make_wheel(folder, PLAIN.replace(".whl", "-v2.whl"), variant=metadata_of("v2", "x86_64 :: level :: v2"))
    found = [(outcome.file, outcome.message) for outcome in outcomes(CurrentFiles(), folder, CONFIG) if outcome.message]
    assert found == [(JSON, "it is not what the wheels and the configuration say now")]


def test_a_file_that_is_missing_or_broken_fails(folder: Path) -> None:
    (folder / TOML).unlink()
    (folder / JSON).write_text("{", "utf-8")
    assert [message.split(" (")[0] for message in failures(CurrentFiles(), folder, CONFIG)] == [
        "variant metadata is not JSON",
        "it is missing beside the wheels",
    ]


def test_a_file_of_a_dialect_without_wheels_fails(folder: Path) -> None:
    (folder / LABELLED_V3).unlink()
    assert failures(CurrentFiles(), folder, CONFIG) == ["no wheel of the release is of its dialect"]


def test_what_cannot_be_worked_out_is_unknown(folder: Path) -> None:
    make_wheel(folder, PLAIN.replace(".whl", "+fast.whl"))
    assert verdicts(CurrentFiles(), folder) == {"unknown": 1}


def test_a_conflict_of_the_wheels_is_left_to_its_own_rule(folder: Path) -> None:
    make_wheel(folder, LABELLED_V3.replace("cp312", "cp313"), variant=metadata_of("v3", "x86_64 :: level :: v4"))
    assert verdicts(CurrentFiles(), folder, CONFIG) == {"skip": 1}
