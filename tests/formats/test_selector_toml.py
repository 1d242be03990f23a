from __future__ import annotations

import tomllib

import pytest

from variant_publish.dialects.plus import PLUS
from variant_publish.formats.selector_toml import (
    InvalidSelectorFile,
    Selector,
    SelectorConflict,
    SelectorFile,
    merge_selectors,
)

LEVELS = Selector(
    {"x86-64": ("",), "x86-64-v3": ("x86_64_v3", "")}, ("cpuversion >= 1.0",), ("cpuversion:get_x86_64_psABI_version",)
)
FILE = SelectorFile({"x86_64_version": LEVELS, "cuda": Selector({"12.8": ("cu128", ""), "none": ("",)})})


def test_the_file_round_trips_and_is_toml_1_0() -> None:
    assert SelectorFile.parse(FILE.dumps()) == FILE
    data = tomllib.loads(FILE.dumps())
    assert data["wheel-selector"]["variables"] == ["x86_64_version", "cuda"]
    assert data["selector"]["cuda"]["wheel_tags"]["12.8"] == ["cu128", ""]


def test_the_inline_table_over_several_lines_of_the_proposal_is_read() -> None:
    text = """
        [wheel-selector]
        variables = ["v"]
        [selector.v]
        requires = ["cpuversion >= 1.0"]
        function = ["cpuversion:f"]
        wheel_tags = {
            x86-64 = [""],
            x86-64-v3 = ["x86_64_v3", ""],
        }
    """
    assert SelectorFile.parse(text).selectors["v"].wheel_tags == LEVELS.wheel_tags


def test_an_unknown_value_has_no_tags_unless_the_file_says_otherwise() -> None:
    assert LEVELS.tags_for("x86-64-v9") is None
    assert Selector({"a": ("b",)}, default=("",)).tags_for("z") == ("",)


@pytest.mark.parametrize(
    "text",
    [
        "no toml", "", "[wheel-selector]\nvariables = ['a']", "[wheel-selector]\nvariables = []\n[selector.a.wheel_tags]\n",
        "[wheel-selector]\nvariables = ['a']\n[selector.a]\nrequires = []",
        "[wheel-selector]\nvariables = ['a']\n[selector.a.wheel_tags]\nx = 'y'",
        "[wheel-selector]\nvariables = ['a']\n[selector.a]\nodd = 1\n[selector.a.wheel_tags]\nx = ['y']",
        "[wheel-selector]\nvariables = ['a', 'b']\n[selector.a.wheel_tags]\nx = ['t']\n[selector.b.wheel_tags]\nx = ['t']",
    ],
)  # fmt: skip
def test_what_is_no_selector_file_is_refused(text: str) -> None:
    with pytest.raises(InvalidSelectorFile):
        SelectorFile.parse(text)


def test_merging_takes_the_longer_of_two_agreeing_lists_in_any_order() -> None:
    fewer = SelectorFile({"x86_64_version": Selector({"x86-64-v3": ("",)}, LEVELS.requires, LEVELS.function)})
    assert merge_selectors([FILE, fewer]) == merge_selectors([fewer, FILE]) == FILE


def test_contradicting_files_are_an_error_in_any_order() -> None:
    other = SelectorFile({"cuda": Selector({"12.8": ("cu128", "")})})
    odd = SelectorFile({"x86_64_version": Selector({"x86-64-v3": ("", "x86_64_v3")}, LEVELS.requires, LEVELS.function)})
    for pair in ([FILE, other], [other, FILE], [FILE, odd], [odd, FILE]):
        with pytest.raises(SelectorConflict):
            merge_selectors(pair)


def test_the_file_is_named_with_the_normalised_project() -> None:
    assert PLUS.file_name("Python_Flint", "0.6.0") == "python-flint-0.6.0-wheel-selector.toml"
