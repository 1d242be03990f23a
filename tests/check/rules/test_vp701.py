from __future__ import annotations

from pathlib import Path

from support.checks import LINUX, PLAIN, PLUS, failures, verdicts
from support.wheels import make_wheel
from variant_publish.check.rules.destination import PlatformTaken

UPLOAD = "[tool.variant-publish.upload]\n"


def test_platforms_that_pypi_knows_pass(tmp_path: Path) -> None:
    make_wheel(tmp_path, PLAIN)
    make_wheel(tmp_path, "foo-1.0-py3-none-any.whl")
    assert verdicts(PlatformTaken(), tmp_path) == {"pass": 2}


def test_platforms_that_it_does_not_know_fail(tmp_path: Path) -> None:
    make_wheel(tmp_path, PLAIN.replace(LINUX, "linux_x86_64"))
    assert failures(PlatformTaken(), tmp_path) == ["its platform linux_x86_64 is not one that public repositories take"]
    assert verdicts(PlatformTaken(), tmp_path, f'{UPLOAD}repository = "pypi"\n') == {"fail": 1}


def test_wheels_for_another_place_are_skipped(tmp_path: Path) -> None:
    make_wheel(tmp_path, PLAIN.replace(LINUX, "linux_x86_64"))
    assert verdicts(PlatformTaken(), tmp_path, f'{UPLOAD}extra-index = "s3://wheels/simple"\n') == {"skip": 1}
    assert verdicts(PlatformTaken(), tmp_path, is_published=True) == {"skip": 1}
    make_wheel(tmp_path, PLUS.replace(LINUX, "linux_x86_64"))
    assert verdicts(PlatformTaken(), tmp_path) == {"fail": 1, "skip": 1}
    assert verdicts(PlatformTaken(), tmp_path, f"{UPLOAD}repository-takes-variants = true\n") == {"fail": 2}
