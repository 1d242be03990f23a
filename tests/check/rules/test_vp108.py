from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from support.checks import PLAIN, failures, verdicts
from support.wheels import make_wheel
from variant_publish.check.rules.archive import (
    SafePaths,
)


def test_names_that_stay_inside_pass(tmp_path: Path) -> None:
    make_wheel(tmp_path, PLAIN, files={"foo/..bar.py": b"", "foo/a b.py": b""})
    assert verdicts(SafePaths(), tmp_path) == {"pass": 1}


@pytest.mark.parametrize("name", ["/etc/passwd", "foo/../../x", "..", "foo\\x.py", "C:/x.py"])
def test_names_that_lead_outside_fail(tmp_path: Path, name: str) -> None:
    make_wheel(tmp_path, PLAIN, files={name: b"x"})
    assert failures(SafePaths(), tmp_path) == [f"members have names that lead outside: {name!r}"]


def test_a_symbolic_link_fails(tmp_path: Path) -> None:
    wheel = make_wheel(tmp_path, PLAIN)
    with zipfile.ZipFile(wheel, "a") as archive:
        entry = zipfile.ZipInfo("foo/link")
        entry.external_attr = 0o120777 << 16
        archive.writestr(entry, "/etc/passwd")
    assert failures(SafePaths(), tmp_path) == ["members are symbolic links: 'foo/link'"]
