from __future__ import annotations

import hashlib
from pathlib import Path

from support.checks import PLAIN, PLUS, failures, outcomes, verdicts
from support.indexes import listing
from support.wheels import make_wheel
from variant_publish.check.rules.destination import NamesUnused
from variant_publish.formats.simple import IndexFile

OTHER = "0" * 64


def test_new_names_and_the_same_bytes_pass(tmp_path: Path) -> None:
    wheel = make_wheel(tmp_path / "dist", PLAIN)
    make_wheel(tmp_path / "dist", PLAIN.replace("cp312", "cp313"))
    same = IndexFile(PLAIN, PLAIN, hashlib.sha256(wheel.read_bytes()).hexdigest())
    assert verdicts(NamesUnused(), tmp_path / "dist", index=listing(tmp_path / "index", "foo", same)) == {"pass": 2}


def test_other_bytes_under_a_name_fail(tmp_path: Path) -> None:
    make_wheel(tmp_path / "dist", PLAIN)
    (tmp_path / "dist" / "foo-1.0.tar.gz").write_bytes(b"sources")
    files = [IndexFile(name, name, OTHER) for name in (PLAIN, "foo-1.0.tar.gz")]
    index = listing(tmp_path / "index", "foo", *files)
    found = outcomes(NamesUnused(), tmp_path / "dist", index=index)
    assert [(one.verdict, one.file) for one in found] == [("fail", PLAIN), ("fail", "foo-1.0.tar.gz")]
    assert failures(NamesUnused(), tmp_path / "dist", index=index) == [f"{index} has other bytes under this name"] * 2


def test_variants_are_looked_for_on_the_extra_index(tmp_path: Path) -> None:
    make_wheel(tmp_path / "dist", PLUS)
    index, extra = listing(tmp_path / "index", "foo"), listing(tmp_path / "extra", "foo", IndexFile(PLUS, PLUS, OTHER))
    assert verdicts(NamesUnused(), tmp_path / "dist", index=index) == {"skip": 1}
    config = f'[tool.variant-publish.upload]\npublic-url = "{Path(extra).as_uri()}"\n'
    assert verdicts(NamesUnused(), tmp_path / "dist", config, index=index) == {"fail": 1}


def test_an_index_without_hashes_or_an_answer_is_unknown(tmp_path: Path) -> None:
    make_wheel(tmp_path / "dist", PLAIN)
    assert verdicts(NamesUnused(), tmp_path / "dist", index=str(tmp_path / "dist")) == {"unknown": 1}  # a flat folder
    assert verdicts(NamesUnused(), tmp_path / "dist", index=str(tmp_path / "gone")) == {"unknown": 1}
    assert verdicts(NamesUnused(), tmp_path / "dist", index="pypi", offline=True) == {"unknown": 1}


def test_without_an_index_it_is_skipped(tmp_path: Path) -> None:
    make_wheel(tmp_path, PLAIN)
    assert verdicts(NamesUnused(), tmp_path) == {"skip": 1}
