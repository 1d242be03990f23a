"""The parts of a plain wheel's file name."""

from __future__ import annotations

from contextlib import suppress

from hypothesis import given
from hypothesis import strategies as st
from packaging.utils import parse_wheel_filename

from variant_publish.model.plain_name import InvalidWheelName, PlainName

PART = st.text("aZ09._+! é", max_size=5)
KNOWN = st.sampled_from(
    ["foo_bar", "1.0", "cp312", "none", "abi3", "py3", "manylinux_2_28_x86_64", "01_x", "a__b", "3p"]
)


@given(st.lists(KNOWN | PART, min_size=5, max_size=6))
def test_what_packaging_refuses_is_refused(parts: list[str]) -> None:
    filename = "-".join(parts) + ".whl"
    with suppress(InvalidWheelName):
        PlainName.parse(filename)
        parse_wheel_filename(filename)


@given(KNOWN | PART, KNOWN | PART)
def test_a_python_tag_that_packaging_refuses_is_refused(python: str, build: str) -> None:
    for filename in (f"foo-1.0-{python}-none-any.whl", f"foo-1.0-{build}-{python}.py3-none-any.whl"):
        with suppress(InvalidWheelName):
            PlainName.parse(filename)
            parse_wheel_filename(filename)
