from __future__ import annotations

import pytest

from variant_publish.errors import UsageError
from variant_publish.model.variant import Properties, Property, Variant


def test_a_property_prints_as_it_is_written() -> None:
    assert str(Property.parse("nvidia::sm_arch ::  90_real")) == "nvidia :: sm_arch :: 90_real"


@pytest.mark.parametrize(
    "text", ["a :: b", "a :: b :: c :: d", "A :: b :: c", "a :: b-c :: d", "a :: b :: c d", ":: ::"]
)
def test_an_illegal_property_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="property"):
        Property.parse(text)


def test_properties_are_a_sorted_set() -> None:
    one = Properties.parse(["b :: f :: 2", "a :: f :: 1", "b :: f :: 1", "b :: f :: 2"])
    assert one.grouped == {"a": {"f": ["1"]}, "b": {"f": ["1", "2"]}}
    assert one == Properties.from_table(one.grouped)
    assert one.values("b", "f") == ("1", "2")
    assert one.values("c", "f") == ()


def test_the_null_label_has_no_properties() -> None:
    with pytest.raises(UsageError, match="null"):
        Variant("x", ("x",), "null", Properties.parse(["a :: b :: c"]))


def test_a_variant_with_a_tag_twice_is_refused() -> None:
    with pytest.raises(UsageError, match="twice"):
        Variant("x", ("a", "a"), "x")
