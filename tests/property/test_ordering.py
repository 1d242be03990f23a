"""The order of variants is total, and the same whatever the order of the input."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise, product

from hypothesis import given
from hypothesis import strategies as st

from variant_publish.model.ordering import Ranked, Supported, TagOrder, rank
from variant_publish.model.variant import NULL_LABEL, Properties, Property

VALUES = ("1", "2", "3")
SUPPORTED: Supported = {"a": {"f": VALUES, "g": VALUES}, "b": {"f": ("3", "1")}}
PROPERTY = st.builds(Property, st.sampled_from("ab"), st.sampled_from("fg"), st.sampled_from(VALUES))
PROPERTIES = st.lists(PROPERTY, min_size=1, max_size=5).map(lambda items: Properties(tuple(items)))
LABELS = st.text("klmn01", min_size=1, max_size=3).filter(lambda label: label != NULL_LABEL)
RELEASES = st.dictionaries(LABELS, PROPERTIES, min_size=1, max_size=6)
NAMESPACES = st.permutations(("a", "b"))
CHOICES = st.lists(st.lists(st.sampled_from(["x", "y", "z", ""]), max_size=4, unique=True), max_size=3)


def ranked(release: Mapping[str, Properties], namespaces: list[str]) -> list[Ranked]:
    found = (rank(label, properties, namespaces, SUPPORTED) for label, properties in release.items())
    return sorted((item for item in found if isinstance(item, Ranked)), key=lambda item: item.key)


@given(RELEASES, NAMESPACES)
def test_no_two_labels_stand_in_one_place(release: dict[str, Properties], namespaces: list[str]) -> None:
    keys = [item.key for item in ranked(release, namespaces)]
    assert len(set(keys)) == len(keys)
    assert all(one < other for one, other in pairwise(keys))


@given(RELEASES, NAMESPACES)
def test_the_order_of_the_input_does_not_matter(release: dict[str, Properties], namespaces: list[str]) -> None:
    turned = dict(reversed(release.items()))
    assert ranked(release, namespaces) == ranked(turned, namespaces)


@given(RELEASES, NAMESPACES)
def test_null_stands_after_every_other_variant(release: dict[str, Properties], namespaces: list[str]) -> None:
    found = ranked({NULL_LABEL: Properties(), **release}, namespaces)
    assert found[-1].label == NULL_LABEL


@given(RELEASES, NAMESPACES)
def test_another_variant_does_not_change_how_two_compare(release: dict[str, Properties], namespaces: list[str]) -> None:
    whole = [item.label for item in ranked(release, namespaces)]
    for gone in release:
        rest = {label: properties for label, properties in release.items() if label != gone}
        assert [item.label for item in ranked(rest, namespaces)] == [label for label in whole if label != gone]


@given(CHOICES)
def test_places_of_extra_tags_have_the_order_of_the_product(choices: list[list[str]]) -> None:
    own = [[tag and f"{tag}{number}" for tag in tags] for number, tags in enumerate(choices)]
    best_first = [tuple(filter(None, tags)) for tags in product(*own)]
    order = TagOrder(own)
    places = [order.place(tags) or () for tags in best_first]
    assert () not in places
    assert places == sorted(set(places))
    every = product(*([*tags, ""] for tags in own))
    others = {tuple(filter(None, tags)) for tags in every} - set(best_first)
    assert {order.place(tags) for tags in others} <= {None}
