from __future__ import annotations

import pytest

from support.binaries import elf, fatbin, searched
from variant_publish.binary.fatbin import DEVICE_CODE, DeviceCode, DeviceImages


def device_images(data: bytes) -> DeviceImages:
    return DeviceImages.of(data, searched(data, DEVICE_CODE))


def test_cubins_and_ptx_are_found_wherever_they_are() -> None:
    data = elf(extra=b"x" * 13 + fatbin((90, "", False), (90, "a", False)) + b"\0" * 7 + fatbin((120, "", True)))
    found = device_images(data)
    assert list(map(str, found.codes)) == ["sm_90", "sm_90a", "compute_120"]
    assert [code.value for code in found.codes] == ["90_real", "90a_real", "120_virtual"]
    assert found.ptx == ((8, 7),)
    assert found.cuda_majors == {12}


def test_what_the_compiler_left_in_clear_text_counts_more() -> None:
    data = fatbin((90, "", True), ptx=(9, 0)) + b"Cuda compilation tools, release 12.9, V12.9.1\0"
    assert device_images(data).cuda_majors == {12}


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x50\xed\x55\xba",
        b"\x50\xed\x55\xba" * 40,
        fatbin((90, "", False))[:-1],
        fatbin((9999, "", False)),
        b"Cuda compilation tools, release 12.9",
    ],
)
def test_chance_and_damage_are_no_device_code(data: bytes) -> None:
    assert device_images(data).codes == ()


def test_values_are_read_and_written() -> None:
    code = DeviceCode.parse("100f_real")
    assert code == DeviceCode(100, "f", False)
    assert code.value == "100f_real"
    assert DeviceCode.parse("90") is None
