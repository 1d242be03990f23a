from __future__ import annotations

import pytest

from variant_publish.model.variant import Properties
from variant_publish.providers import selector_functions
from variant_publish.providers.abi_dependency import AbiDependency


@pytest.mark.parametrize(
    ("word", "line"),
    [
        ("torch2.9", "abi_dependency :: torch :: 2.9"),
        ("torch2_10", "abi_dependency :: torch :: 2.10"),
        ("numpy_2_0_1", "abi_dependency :: numpy :: 2.0.1"),
    ],
)
def test_a_word_stands_for_the_release_of_a_dependency(word: str, line: str) -> None:
    assert [str(item) for item in AbiDependency().properties_of(word)] == [line]


@pytest.mark.parametrize("word", ["torch", "torch29", "foo2_9", "torch2_"])
def test_other_words_say_nothing(word: str) -> None:
    assert AbiDependency().properties_of(word) == ()


def test_a_release_supports_its_prefixes_longest_first() -> None:
    assert AbiDependency().supported({"abi_torch": "2.9.1", "abi_numpy": "none", "torch": "2.8"}) == {
        "torch": ("2.9.1", "2.9", "2")
    }


def test_machines_are_those_that_have_one_of_the_releases() -> None:
    items = Properties.parse([f"abi_dependency :: torch :: {value}" for value in ("2.10", "2.9")]).items
    assert AbiDependency().machines(items, "macosx_11_0_arm64") == [{"abi_torch": "2.9"}, {"abi_torch": "2.10"}]


def test_the_entry_point_returns_what_is_installed() -> None:
    assert selector_functions.abi_packaging() == __import__("packaging").__version__
    assert selector_functions.abi_nobody_has_this() == "none"
