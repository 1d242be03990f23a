from __future__ import annotations

from pathlib import Path

from support.binaries import elf
from support.checks import LINUX, PLAIN, failures, verdicts
from support.wheels import make_wheel
from variant_publish.check.rules.extensions import SameCxxLibrary


def cxx(version: str) -> dict[str, bytes]:
    return {"foo/_c.so": elf(versions={"libstdc++.so.6": ["GLIBCXX_3.4", f"GLIBCXX_{version}"]})}


def test_variants_of_one_image_pass(tmp_path: Path) -> None:
    make_wheel(tmp_path, PLAIN, files=cxx("3.4.21"))
    make_wheel(tmp_path, PLAIN.replace(".whl", "+cu128.whl"), files=cxx("3.4.21"))
    assert verdicts(SameCxxLibrary(), tmp_path) == {"pass": 1}


def test_variants_of_two_images_are_told(tmp_path: Path) -> None:
    make_wheel(tmp_path, PLAIN, files=cxx("3.4.9"))
    make_wheel(tmp_path, PLAIN.replace(".whl", "+cu128.whl"), files=cxx("3.4.21"))
    assert failures(SameCxxLibrary(), tmp_path) == [
        f"the variants of cp312-cp312-{LINUX} need different versions of GLIBCXX: generic 3.4.9, cu128 3.4.21"
    ]


def test_one_variant_or_no_cxx_is_skipped(tmp_path: Path) -> None:
    make_wheel(tmp_path, PLAIN, files=cxx("3.4.9"))
    assert verdicts(SameCxxLibrary(), tmp_path) == {"skip": 1}
    make_wheel(tmp_path, PLAIN.replace(".whl", "+cu128.whl"))
    assert verdicts(SameCxxLibrary(), tmp_path) == {"skip": 1}
