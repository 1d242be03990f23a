from __future__ import annotations

from pathlib import Path

from support.checks import PLAIN, PLUS, failures, verdicts
from support.indexes import REPOSITORY, listing
from support.wheels import make_wheel
from variant_publish.check.rules.destination import ProjectSize
from variant_publish.formats.simple import IndexFile

GB = 1_000_000_000


def indexed(folder: Path, size: int | None, filename: str = "foo-0.9.tar.gz") -> str:
    return listing(folder / "index", "foo", IndexFile(filename, filename, "0" * 64, size))


def test_a_project_with_room_passes(tmp_path: Path) -> None:
    make_wheel(tmp_path / "dist", PLAIN)
    assert verdicts(ProjectSize(), tmp_path / "dist", index=indexed(tmp_path, 10 * GB)) == {"pass": 1}
    assert verdicts(ProjectSize(), tmp_path / "dist", index=str(tmp_path / "dist")) == {"pass": 1}


def test_a_project_without_room_fails(tmp_path: Path) -> None:
    make_wheel(tmp_path / "dist", PLAIN)
    full = 10 * 1024**3 - 10
    (message,) = failures(ProjectSize(), tmp_path / "dist", index=indexed(tmp_path, full))
    assert message.startswith("the project has 10.7 GB on ")
    assert verdicts(ProjectSize(), tmp_path / "dist", index=indexed(tmp_path, full, PLAIN)) == {"pass": 1}
    granted = indexed(tmp_path, 99 * GB)
    assert verdicts(ProjectSize(), tmp_path / "dist", index=granted) == {"pass": 1}
    (tmp_path / "dist" / PLAIN).unlink()
    make_wheel(tmp_path / "dist", PLUS)
    assert verdicts(ProjectSize(), tmp_path / "dist", index=indexed(tmp_path, full)) == {"pass": 1}


def test_an_index_without_sizes_or_an_answer_is_unknown(tmp_path: Path) -> None:
    make_wheel(tmp_path / "dist", PLAIN)
    assert verdicts(ProjectSize(), tmp_path / "dist", index=indexed(tmp_path, None)) == {"unknown": 1}
    assert verdicts(ProjectSize(), tmp_path / "dist", index=str(tmp_path / "gone")) == {"unknown": 1}
    config = REPOSITORY.format("https://nowhere.invalid/simple")
    assert verdicts(ProjectSize(), tmp_path / "dist", config, offline=True) == {"unknown": 1}


def test_without_an_index_it_is_skipped(tmp_path: Path) -> None:
    make_wheel(tmp_path, PLAIN)
    assert verdicts(ProjectSize(), tmp_path) == {"skip": 1}
    assert verdicts(ProjectSize(), tmp_path, index="pypi", is_published=True) == {"skip": 1}
