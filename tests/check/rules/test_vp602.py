from __future__ import annotations

from pathlib import Path

from support.checks import PLAIN, failures, verdicts
from support.selector_files import CONFIG, JSON, PLUS_V3, TOML, metadata_of
from support.wheels import make_wheel
from variant_publish.check.rules.selection import (
    EveryVariantNamed,
)


def test_without_selector_files_there_is_nothing_to_check(tmp_path: Path) -> None:
    make_wheel(tmp_path, PLUS_V3)
    assert verdicts(EveryVariantNamed(), tmp_path) == {"skip": 1}


def test_files_as_they_are_written_pass(folder: Path) -> None:
    assert verdicts(EveryVariantNamed(), folder, CONFIG) == {"pass": 2}


def test_a_label_that_an_old_file_lacks_fails(folder: Path) -> None:
    make_wheel(folder, PLAIN.replace(".whl", "-v2.whl"), variant=metadata_of("v2", "x86_64 :: level :: v2"))
    assert failures(EveryVariantNamed(), folder, CONFIG) == ["it does not name the label 'v2'"]


def test_a_file_that_cannot_be_read_is_left_to_its_own_rule(folder: Path) -> None:
    (folder / TOML).unlink()
    (folder / JSON).write_text("{", "utf-8")
    assert verdicts(EveryVariantNamed(), folder, CONFIG) == {}


def test_a_tag_that_no_selector_mentions_fails(folder: Path) -> None:
    make_wheel(folder, PLAIN.replace(".whl", "+v4.whl"))
    assert failures(EveryVariantNamed(), folder, CONFIG) == ["it does not name the tag 'v4' of the wheels +v4"]


def test_tags_follow_the_variables_and_lack_only_what_has_a_fallback(folder: Path) -> None:
    (folder / TOML).write_text(
        '[wheel-selector]\nvariables = ["level", "cuda"]\n'
        '[selector.level]\nwheel_tags = { v3 = ["v3", ""] }\n[selector.cuda]\nwheel_tags = { "12" = ["cu12"] }\n',
        "utf-8",
    )
    make_wheel(folder, PLAIN.replace(".whl", "+v3+cu12.whl"))
    make_wheel(folder, PLAIN.replace(".whl", "+cu12+v3.whl"))
    assert failures(EveryVariantNamed(), folder, CONFIG) == [
        "the wheels +cu12+v3 do not have their tags in the order of its variables",
        "the wheels +v3 have no tag of 'cuda', which has no fallback",
    ]
