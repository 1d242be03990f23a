from __future__ import annotations

import zipfile
from pathlib import Path

from support.checks import PLAIN, outcomes, verdicts
from support.wheels import make_wheel
from variant_publish.check.rules.archive import (
    Readable,
)


def test_a_wheel_that_can_be_read_passes(tmp_path: Path) -> None:
    make_wheel(tmp_path, PLAIN)
    assert verdicts(Readable(), tmp_path) == {"pass": 1}


def test_files_that_are_no_wheels_are_findings(tmp_path: Path) -> None:
    truncated = make_wheel(tmp_path, PLAIN)
    truncated.write_bytes(truncated.read_bytes()[:-30])
    (tmp_path / "not_a_wheel.whl").write_bytes(b"")
    (tmp_path / "bar-1.0-py3-none-any.whl").write_bytes(b"<html>404</html>")
    with zipfile.ZipFile(tmp_path / "two-1.0-py3-none-any.whl", "w") as archive:
        archive.writestr("two-1.0.dist-info/METADATA", "")
        archive.writestr("two-1.dist-info/METADATA", "")
    with zipfile.ZipFile(tmp_path / "none-1.0-py3-none-any.whl", "w") as archive:
        archive.writestr("none.py", "")
    found = {outcome.file: outcome.message for outcome in outcomes(Readable(), tmp_path)}
    assert found == {
        PLAIN: "is not a ZIP archive, or its end is missing",
        "not_a_wheel.whl": "is not a wheel's file name",
        "bar-1.0-py3-none-any.whl": "is not a ZIP archive, or its end is missing",
        "two-1.0-py3-none-any.whl": "has 2 dist-info folders: 'two-1.0.dist-info', 'two-1.dist-info'",
        "none-1.0-py3-none-any.whl": "has no dist-info folder, so it is not a wheel",
    }
    assert verdicts(Readable(), tmp_path) == {"fail": 5}


def test_a_file_with_a_rule_of_its_own_is_no_finding_here(tmp_path: Path) -> None:
    make_wheel(tmp_path, "foo-1.0-cp312-cp312-manylinux_2_17_x86_64+cu128.manylinux2014_x86_64+cu128.whl")
    (tmp_path / "foo-1.0-cp312-cp312-manylinux_2_17_x86_64.manylinux2014_x86_64+cu128.whl").write_bytes(b"")
    assert verdicts(Readable(), tmp_path) == {"pass": 1}
