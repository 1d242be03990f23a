from __future__ import annotations

import pytest

from variant_publish.model.ordering import Incompatible, Ranked, Supported, TagOrder, rank
from variant_publish.model.variant import Properties

NAMESPACES = ("nvidia", "x86_64")
SUPPORTED: Supported = {
    "nvidia": {"cuda": ("12.8", "12.0", "11.8"), "sm": ("90", "80")},
    "x86_64": {"level": ("v3", "v2", "v1")},
}


def order(variants: dict[str, list[str]], namespaces: tuple[str, ...] = NAMESPACES) -> list[str]:
    ranks = [rank(label, Properties.parse(lines), namespaces, SUPPORTED) for label, lines in variants.items()]
    return [item.label for item in sorted((item for item in ranks if isinstance(item, Ranked)), key=lambda i: i.key)]


def test_the_namespace_matters_more_than_the_value() -> None:
    variants = {"cpu": ["x86_64 :: level :: v3"], "gpu": ["nvidia :: cuda :: 11.8"]}
    assert order(variants) == ["gpu", "cpu"]
    assert order(variants, ("x86_64", "nvidia")) == ["cpu", "gpu"]


def test_the_feature_matters_more_than_the_value() -> None:
    assert order({"sm": ["nvidia :: sm :: 90"], "cuda": ["nvidia :: cuda :: 11.8"]}) == ["cuda", "sm"]


def test_the_best_compatible_value_of_a_feature_counts() -> None:
    variants = {
        "many": ["nvidia :: cuda :: 11.8", "nvidia :: cuda :: 12.8", "nvidia :: cuda :: 13.0"],
        "one": ["nvidia :: cuda :: 12.0"],
    }
    assert order(variants) == ["many", "one"]


def test_more_properties_beat_their_beginning() -> None:
    variants = {
        "few": ["nvidia :: cuda :: 12.0"],
        "more": ["nvidia :: cuda :: 12.0", "x86_64 :: level :: v1"],
    }
    assert order(variants) == ["more", "few"]


def test_a_better_first_triple_beats_a_longer_list() -> None:
    variants = {
        "long": ["nvidia :: cuda :: 12.0", "nvidia :: sm :: 90", "x86_64 :: level :: v3"],
        "short": ["nvidia :: cuda :: 12.8"],
    }
    assert order(variants) == ["short", "long"]


def test_a_tie_goes_by_label() -> None:
    assert order({"b": ["x86_64 :: level :: v3"], "a": ["x86_64 :: level :: v3"]}) == ["a", "b"]


def test_null_comes_after_all_others() -> None:
    assert order({"null": [], "zzz": ["x86_64 :: level :: v1"]}) == ["zzz", "null"]


@pytest.mark.parametrize(
    ("line", "feature"),
    [
        ("nvidia :: cuda :: 13.0", "cuda"),
        ("nvidia :: memory :: 80gb", "memory"),
        ("aarch64 :: version :: 8a", "version"),
    ],
)
def test_a_feature_without_a_compatible_value_makes_the_label_incompatible(line: str, feature: str) -> None:
    found = rank("label", Properties.parse(["x86_64 :: level :: v1", line]), NAMESPACES, SUPPORTED)
    assert isinstance(found, Incompatible)
    assert (found.feature, found.values) == (feature, (line.rpartition(" ")[2],))


def test_a_namespace_outside_the_priorities_makes_the_label_incompatible() -> None:
    found = rank("label", Properties.parse(["x86_64 :: level :: v1"]), ("nvidia",), SUPPORTED)
    assert found == Incompatible("label", "x86_64", "level", ("v1",))


def test_the_first_variable_matters_most_to_the_place_of_extra_tags() -> None:
    best_first = [("v3", "cu128"), ("v3", "cu126"), ("v3",), ("cu128",), ("cu126",), ()]
    order = TagOrder([["v3", ""], ["cu128", "cu126", ""]])
    assert sorted([*reversed(best_first)], key=lambda tags: order.place(tags) or ()) == best_first


@pytest.mark.parametrize("tags", [("cu128", "v3"), ("cu126",), ("v3", "v3"), ("v3", "cu128", "mkl")])
def test_tags_in_another_order_or_of_other_values_have_no_place(tags: tuple[str, ...]) -> None:
    assert TagOrder([["v3", ""], ["cu128", ""]]).place(tags) is None


def test_an_empty_list_leaves_no_place() -> None:
    assert TagOrder([["v3", ""], []]).place(("v3",)) is None
    assert TagOrder([]).place(()) is not None


def test_a_place_is_as_long_as_the_tags() -> None:
    order = TagOrder([f"v{number}", ""] for number in range(20_000))
    place = order.place(("v7", "v19999"))
    assert place is not None
    assert len(place) == 3
