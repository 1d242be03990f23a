from __future__ import annotations

from pathlib import Path

from support.binaries import elf, fatbin
from support.checks import PLAIN, failures, verdicts
from support.wheels import make_wheel
from variant_publish.check.rules.cpu import GenericWithoutDeviceCode


def test_device_code_in_the_generic_wheel_is_told_where_there_are_variants(tmp_path: Path) -> None:
    make_wheel(tmp_path, PLAIN, files={"foo/a.so": elf(extra=fatbin((90, "", False)))})
    assert verdicts(GenericWithoutDeviceCode(), tmp_path) == {"skip": 1}
    make_wheel(tmp_path, PLAIN.replace(".whl", "+cu128.whl"), files={"foo/a.so": elf()})
    assert failures(GenericWithoutDeviceCode(), tmp_path) == ["it has GPU code for sm_90"]
    make_wheel(tmp_path, PLAIN, files={"foo/a.so": elf()})
    assert verdicts(GenericWithoutDeviceCode(), tmp_path) == {"pass": 1, "skip": 1}
