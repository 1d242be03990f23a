from __future__ import annotations

from pathlib import Path

from support.binaries import elf, fatbin
from support.checks import PLAIN, failures, verdicts
from support.wheels import make_wheel
from variant_publish.check.rules.claims import GenericForOneDevice


def beside(folder: Path, content: bytes) -> None:
    make_wheel(folder, PLAIN, files={"foo/a.so": content})
    make_wheel(folder, PLAIN.replace(".whl", "+cu128.whl"), files={"foo/a.so": elf()})


def test_a_generic_wheel_for_one_device_fails(tmp_path: Path) -> None:
    beside(tmp_path, elf(extra=fatbin((90, "", False))))
    assert failures(GenericForOneDevice(), tmp_path) == ["it has device code for sm_90 alone"]


def test_a_generic_wheel_whose_modules_need_a_runtime_fails(tmp_path: Path) -> None:
    beside(tmp_path, elf(needed=["libcudart.so.12"], exports=["PyInit_a"]))
    assert failures(GenericForOneDevice(), tmp_path) == ["foo/a.so needs the libraries of CUDA"]


def test_code_for_many_devices_that_is_loaded_later_passes(tmp_path: Path) -> None:
    beside(tmp_path, elf(needed=["libcudart.so.12"], extra=fatbin((80, "", False), (90, "", False))))
    assert verdicts(GenericForOneDevice(), tmp_path) == {"pass": 1, "skip": 1}


def test_releases_without_variants_are_skipped(tmp_path: Path) -> None:
    make_wheel(tmp_path, PLAIN, files={"foo/a.so": elf(extra=fatbin((90, "", False)))})
    assert verdicts(GenericForOneDevice(), tmp_path) == {"skip": 1}
