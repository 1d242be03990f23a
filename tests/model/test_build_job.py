from __future__ import annotations

import pytest

from variant_publish.model.build_job import BuildJob
from variant_publish.model.matrix import Cell


@pytest.mark.parametrize(
    ("python", "platform", "expected"),
    [
        (
            "cp312-cp312",
            "manylinux_2_28_x86_64",
            ("ubuntu-latest", "3.12", "cp312-manylinux_x86_64", "manylinux_2_28", ""),
        ),
        (
            "cp314-cp314t",
            "manylinux2014_aarch64",
            ("ubuntu-24.04-arm", "3.14t", "cp314t-manylinux_aarch64", "manylinux_2_17", ""),
        ),
        (
            "cp311-abi3",
            "musllinux_1_2_x86_64",
            ("ubuntu-latest", "3.11", "cp311-musllinux_x86_64", "musllinux_1_2", ""),
        ),
        ("cp312-cp312", "macosx_14_0_arm64", ("macos-latest", "3.12", "cp312-macosx_arm64", "", "14.0")),
        ("cp312-cp312", "macosx_10_13_x86_64", ("macos-15-intel", "3.12", "cp312-macosx_x86_64", "", "10.13")),
        ("cp312-cp312", "win_amd64", ("windows-latest", "3.12", "cp312-win_amd64", "", "")),
        ("cp312-cp312", "win_arm64", ("windows-11-arm", "3.12", "cp312-win_arm64", "", "")),
        ("cp312-cp312", "win32", ("windows-latest", "3.12", "cp312-win32", "", "")),
        (
            "cp312-cp312",
            "manylinux_2_28_ppc64le",
            ("ubuntu-latest", "3.12", "cp312-manylinux_ppc64le", "manylinux_2_28", ""),
        ),
        ("py3-none", "manylinux_2_28_x86_64", ("ubuntu-latest", "3.x", "", "manylinux_2_28", "")),
        ("py3-none", "any", ("ubuntu-latest", "3.x", "", "", "")),
    ],
)
def test_a_cell_is_a_job_for_ci(python: str, platform: str, expected: tuple[str, ...]) -> None:
    table = BuildJob.of(Cell(python, platform, "generic")).table()
    assert tuple(table.values())[3:8] == expected
