from __future__ import annotations

import pytest

from variant_publish.errors import UsageError
from variant_publish.model.tags import (
    modern_platform,
    platform_covers,
    platform_serves,
    python_covers,
    validate_extra_tag,
)


@pytest.mark.parametrize(
    ("wheel", "cell", "covered"),
    [
        ("manylinux_2_28_x86_64", "manylinux_2_28_x86_64", True),
        ("manylinux2014_x86_64", "manylinux_2_17_x86_64", True),
        ("manylinux_2_17_x86_64", "manylinux_2_28_x86_64", True),
        ("manylinux_2_34_x86_64", "manylinux_2_28_x86_64", False),
        ("manylinux_2_17_aarch64", "manylinux_2_28_x86_64", False),
        ("musllinux_1_1_x86_64", "musllinux_1_2_x86_64", True),
        ("musllinux_1_2_x86_64", "manylinux_2_28_x86_64", False),
        ("any", "win_amd64", True),
        ("macosx_11_0_universal2", "macosx_11_0_arm64", True),
        ("macosx_11_0_arm64", "macosx_14_0_arm64", False),
        ("win_amd64", "win_arm64", False),
    ],
)
def test_platform_coverage(wheel: str, cell: str, covered: bool) -> None:
    assert platform_covers(wheel, cell) is covered


@pytest.mark.parametrize(
    ("wheel", "cell", "served"),
    [
        ("manylinux2014_x86_64", "manylinux_2_28_x86_64", True),
        ("macosx_11_0_arm64", "macosx_14_0_arm64", True),
        ("macosx_10_9_universal2", "macosx_14_0_arm64", True),
        ("macosx_14_0_arm64", "macosx_11_0_arm64", False),
        ("macosx_11_0_x86_64", "macosx_14_0_arm64", False),
        ("manylinux1_x86_64", "linux_x86_64", True),
        ("manylinux_2_28_aarch64", "linux_x86_64", False),
        ("win_amd64", "linux_x86_64", False),
    ],
)
def test_platforms_that_installers_serve(wheel: str, cell: str, served: bool) -> None:
    assert platform_serves(wheel, cell) is served


@pytest.mark.parametrize(
    ("interpreter", "abi", "cell", "covered"),
    [
        ("cp312", "cp312", "cp312-cp312", True),
        ("cp311", "abi3", "cp313-cp313", True),
        ("cp313", "abi3", "cp312-cp312", False),
        ("cp311", "abi3", "cp314-cp314t", False),
        ("cp314", "cp314t", "cp314-cp314t", True),
        ("py3", "none", "cp312-cp312", True),
        ("py313", "none", "cp312-cp312", False),
        ("cp312", "none", "cp312-cp312", True),
        ("py2", "none", "cp312-cp312", False),
        ("py3", "none", "pp310-pypy310_pp73", False),
    ],
)
def test_python_coverage(interpreter: str, abi: str, cell: str, covered: bool) -> None:
    assert python_covers(interpreter, abi, cell) is covered


def test_legacy_manylinux_names_have_modern_spellings() -> None:
    assert modern_platform("manylinux1_i686") == "manylinux_2_5_i686"
    assert modern_platform("manylinux2010_x86_64") == "manylinux_2_12_x86_64"
    assert modern_platform("win_amd64") == "win_amd64"


@pytest.mark.parametrize("tag", ["", "A", "a-b", "a.b", "a+b", "é"])
def test_an_extra_tag_with_illegal_characters_is_refused(tag: str) -> None:
    with pytest.raises(UsageError, match="extra tag"):
        validate_extra_tag(tag)
