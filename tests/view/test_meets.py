"""What two compatibility tags have in common."""

from __future__ import annotations

import pytest
from packaging.tags import Tag

from variant_publish.view.meets import LAST_MINOR, meet, minors_of


def tag(text: str) -> Tag:
    return Tag(*text.split("-"))


def meet_in_any_order(one: str, other: str, both: str | None) -> None:
    expected = tag(both) if both is not None else None
    assert meet(tag(one), tag(other)) == expected
    assert meet(tag(other), tag(one)) == expected


@pytest.mark.parametrize(
    ("one", "other", "both"),
    [
        ("py3-none", "py3-none", "py3-none"),
        ("py3-none", "py311-none", "py311-none"),
        ("py311-none", "py3-none", "py311-none"),
        ("py3-none", "cp312-cp312", "cp312-cp312"),
        ("py312-none", "cp311-cp311", None),
        ("cp312-cp312", "cp312-none", "cp312-cp312"),
        ("cp312-none", "cp311-abi3", "cp312-cp312"),
        ("cp312-none", "cp315-abi3t", None),
        ("cp315-none", "cp315-abi3t", "cp315-cp315t"),
        ("cp315-abi3t", "cp315-abi3", None),
        ("cp311-abi3", "cp312-abi3", "cp312-abi3"),
        ("cp312-abi3", "cp311-cp311", None),
        ("cp311-abi3", "cp313-cp313", "cp313-cp313"),
        ("cp311-abi3", "cp313-cp313t", None),
        ("cp313-cp313", "cp313-cp313t", None),
        ("cp311-abi3", "py312-none", "cp312-abi3"),
        ("cp315-abi3t", "py316-none", "cp316-abi3t"),
        ("cp312-none", "py311-none", "cp312-none"),
        ("pp310-pypy310_pp73", "py3-none", "pp310-pypy310_pp73"),
        ("pp310-pypy310_pp73", "pp310-pypy310_pp74", None),
        ("pp310-pypy310_pp73", "cp310-cp310", None),
        ("pp310-pypy310_pp73", "py311-none", None),
        ("cp312-cp311", "py3-none", None),
        ("ironpython-x", "py3-none", None),
    ],
)
def test_two_pythons(one: str, other: str, both: str | None) -> None:
    meet_in_any_order(f"{one}-any", f"{other}-any", both and f"{both}-any")


@pytest.mark.parametrize(
    ("one", "other", "both"),
    [
        ("any", "win_amd64", "win_amd64"),
        ("win_amd64", "win32", None),
        ("linux_x86_64", "manylinux_2_28_x86_64", "manylinux_2_28_x86_64"),
        ("linux_x86_64", "musllinux_1_2_x86_64", "musllinux_1_2_x86_64"),
        ("linux_aarch64", "manylinux_2_28_x86_64", None),
        ("manylinux_2_17_x86_64", "manylinux_2_28_x86_64", "manylinux_2_28_x86_64"),
        ("manylinux_2_5_x86_64", "manylinux_2_28_x86_64", "manylinux_2_28_x86_64"),
        ("manylinux_2_28_x86_64", "manylinux_2_17_aarch64", None),
        ("manylinux_1_1_x86_64", "musllinux_1_1_x86_64", None),
        ("macosx_11_0_arm64", "macosx_14_2_arm64", "macosx_14_2_arm64"),
        ("macosx_11_5_arm64", "macosx_12_0_arm64", "macosx_12_0_arm64"),
        ("macosx_11_0_universal2", "macosx_14_0_arm64", "macosx_14_0_arm64"),
        ("macosx_14_0_universal2", "macosx_11_0_arm64", "macosx_14_0_arm64"),
        ("macosx_11_0_universal2", "macosx_12_0_universal2", "macosx_12_0_universal2"),
        ("macosx_10_9_intel", "macosx_11_0_universal2", "macosx_11_0_x86_64"),
        ("macosx_11_0_arm64", "macosx_11_0_x86_64", None),
        ("macosx_11_0_arm64", "manylinux_2_28_aarch64", None),
    ],
)
def test_two_platforms(one: str, other: str, both: str | None) -> None:
    meet_in_any_order(f"py3-none-{one}", f"py3-none-{other}", both and f"py3-none-{both}")


def test_two_spellings_of_one_platform_are_the_first() -> None:
    old, new = tag("py3-none-manylinux2014_x86_64"), tag("py3-none-manylinux_2_17_x86_64")
    assert meet(old, new) == old
    assert meet(new, old) == new


def test_both_parts_must_meet() -> None:
    assert meet(tag("py3-none-any"), tag("cp312-cp312-win_amd64")) == tag("cp312-cp312-win_amd64")
    assert meet(tag("cp311-cp311-any"), tag("cp312-cp312-any")) is None
    assert meet(tag("py3-none-win32"), tag("py3-none-win_amd64")) is None


def test_the_minor_versions_of_a_tag() -> None:
    assert minors_of(tag("cp312-cp312-any")) == {12}
    assert minors_of(tag("cp312-none-any")) == {12}
    assert minors_of(tag("py3-none-any")) == set(range(LAST_MINOR + 1))
    assert minors_of(tag("cp311-abi3-any")) == set(range(11, LAST_MINOR + 1))
    assert minors_of(tag("pp310-pypy310_pp73-any")) == {10}
    assert minors_of(tag("unknown-x-any")) == set(range(LAST_MINOR + 1))
