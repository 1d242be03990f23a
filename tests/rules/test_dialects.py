from __future__ import annotations

from pathlib import Path

from support.checks import LINUX, failures, outcomes, verdicts
from support.wheels import make_wheel
from variant_publish.rules.dialects import SameContent, SameWheels

PLAIN = f"foo-1.0-cp312-cp312-{LINUX}.whl"
PLUS = PLAIN.replace(".whl", "+cu128.whl")
LABEL = PLAIN.replace(".whl", "-cu128.whl")
LOCAL = PLAIN.replace("1.0", "1.0+cu128")
CONFIG = """
[tool.variant-publish]
dialects = ["plus", "pep825", "local"]
[tool.variant-publish.variants.cu128]
"""
FILES = {"foo/a.py": b"1", "foo/b.so": b"2"}


def make(folder: Path, name: str, files: dict[str, bytes] = FILES) -> None:
    version = name.split("-")[1]
    make_wheel(folder, name, files={**files, f"foo-{version}.data/data/x": b"3"}, extra_info={"LICENSE": b"4"})


def test_all_dialects_with_the_same_wheels_pass(tmp_path: Path) -> None:
    for name in (PLAIN, PLUS, LABEL, LOCAL):
        make(tmp_path, name)
    assert verdicts(SameWheels(), tmp_path, CONFIG) == {"pass": 3}
    assert verdicts(SameContent(), tmp_path, CONFIG) == {"pass": 2}


def test_a_wheel_that_one_dialect_lacks_is_named(tmp_path: Path) -> None:
    for name in (PLUS, LABEL, LOCAL, PLUS.replace("cp312", "cp311"), LABEL.replace("cp312", "cp311")):
        make(tmp_path, name)
    [message] = failures(SameWheels(), tmp_path, CONFIG)
    assert "'cu128' lacks 1 of 2 wheels in dialect local" in message
    assert "cp311" in message
    assert verdicts(SameWheels(), tmp_path, CONFIG) == {"pass": 2, "fail": 1}


def test_other_files_in_another_dialect_are_named(tmp_path: Path) -> None:
    make(tmp_path, PLUS)
    make(tmp_path, LOCAL, {**FILES, "foo/b.so": b"another build"})
    [message] = failures(SameContent(), tmp_path, CONFIG)
    assert message.endswith("with other files: foo/b.so")


def test_one_dialect_has_nothing_to_compare(tmp_path: Path) -> None:
    make(tmp_path, PLAIN)
    make(tmp_path, PLUS)
    assert verdicts(SameWheels(), tmp_path, CONFIG) == {"skip": 1}
    assert verdicts(SameContent(), tmp_path, CONFIG) == {"skip": 1}


def test_a_declared_matrix_is_left_to_the_rules_on_cells(tmp_path: Path) -> None:
    make(tmp_path, PLUS)
    make(tmp_path, LOCAL.replace("cp312", "cp311"))
    matrix = f'[tool.variant-publish.matrix]\npython = ["cp312-cp312"]\nplatform = ["{LINUX}"]\n'
    assert verdicts(SameWheels(), tmp_path, CONFIG + matrix) == {"skip": 1}


def test_a_wheel_without_record_is_unknown(tmp_path: Path) -> None:
    make(tmp_path, PLUS)
    make_wheel(tmp_path, LOCAL, files=FILES, record=b"not,a,record,at all\n")
    assert verdicts(SameContent(), tmp_path, CONFIG) == {"skip": 1}  # VP101 reports what cannot be read
    import zipfile

    make(tmp_path, LABEL)
    path = tmp_path / LABEL
    with zipfile.ZipFile(path) as archive:
        members = {info.filename: archive.read(info) for info in archive.infolist()}
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            if not name.endswith("RECORD"):
                archive.writestr(name, content)
    [outcome] = outcomes(SameContent(), tmp_path, CONFIG)
    assert (outcome.verdict, outcome.file) == ("unknown", LABEL)
