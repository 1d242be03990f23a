from __future__ import annotations

from pathlib import Path

from support.checks import PLAIN, failures, verdicts
from support.wheels import make_wheel
from variant_publish.check.rules.archive import (
    BuildNumber,
)


def test_build_numbers_agree(tmp_path: Path) -> None:
    wheel = b"Wheel-Version: 1.0\nBuild: 2\nTag: py3-none-any\n"
    make_wheel(tmp_path, "foo-1.0-2-py3-none-any.whl", extra_info={"WHEEL": wheel})
    make_wheel(tmp_path, PLAIN)
    assert verdicts(BuildNumber(), tmp_path) == {"pass": 2}
    make_wheel(tmp_path, "foo-1.0-3-py3-none-any.whl", extra_info={"WHEEL": wheel})
    make_wheel(tmp_path, "foo-1.0-py3-none-any.whl", extra_info={"WHEEL": wheel})
    assert failures(BuildNumber(), tmp_path) == [
        "WHEEL has build 2, the file name has build 3",
        "WHEEL has build 2, the file name has no build number",
    ]
