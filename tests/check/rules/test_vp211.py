from __future__ import annotations

from pathlib import Path

from support.checks import PLAIN, PLUS, failures, verdicts
from support.wheels import make_wheel
from variant_publish.check.rules.content import SamePureFiles


def test_variants_with_the_same_python_files_pass(tmp_path: Path) -> None:
    for name in (PLAIN, PLUS):
        make_wheel(tmp_path, name, files={"foo/a.py": b"", "foo/_version.py": name.encode(), "foo/b.so": name.encode()})
    assert verdicts(SamePureFiles(), tmp_path) == {"pass": 1}


def test_other_python_files_in_a_variant_are_told(tmp_path: Path) -> None:
    make_wheel(tmp_path, PLAIN, files={"foo/a.py": b"1"})
    make_wheel(tmp_path, PLUS, files={"foo/a.py": b"2", "foo/b.py": b"", "foo/c.so": b""})
    assert failures(SamePureFiles(), tmp_path) == [f"it has other files than {PLAIN}: foo/a.py, foo/b.py"]


def test_without_a_generic_wheel_beside_it_there_is_nothing_to_compare(tmp_path: Path) -> None:
    make_wheel(tmp_path, PLAIN.replace("cp312", "cp311"))
    assert verdicts(SamePureFiles(), tmp_path) == {"skip": 1}
    make_wheel(tmp_path, PLUS)
    assert verdicts(SamePureFiles(), tmp_path) == {"skip": 1}


def test_variants_without_binaries_differ_by_nature(tmp_path: Path) -> None:
    for name in (PLAIN, PLUS):
        make_wheel(tmp_path, name)
    assert verdicts(SamePureFiles(), tmp_path) == {"skip": 1}
