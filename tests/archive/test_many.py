from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from support.wheels import make_wheel
from variant_publish import api
from variant_publish.archive.many import Job, retag_all
from variant_publish.archive.retag import Rewrite
from variant_publish.dialects.plus import PLUS
from variant_publish.progress import SILENT, Advance, SilentReporter

TAGGED = Rewrite(PLUS, ("cu128",))


class Counting(SilentReporter):
    """Remember every bar and how far it went."""

    def __init__(self) -> None:
        self.bars: dict[str, int] = {}

    @contextmanager
    def track(self, label: str, total: int | None) -> Iterator[Advance]:
        self.bars[label] = 0

        def advance(count: int) -> None:
            self.bars[label] += count

        yield advance


def wheels(folder: Path, count: int = 5) -> list[Path]:
    return [
        make_wheel(folder, f"foo-1.{number}-py3-none-any.whl", files={"foo.bin": os.urandom(200_000)})
        for number in range(count)
    ]


@pytest.mark.slow
def test_the_number_of_processes_changes_no_byte(tmp_path: Path) -> None:
    wheels(tmp_path / "in")
    for jobs in (1, 3):
        result = api.retag(
            [tmp_path / "in"], tmp_path / str(jobs), [TAGGED], execution=api.Execution(jobs, digest=True)
        )
        assert not result.failed
    one, three = ({p.name: p.read_bytes() for p in (tmp_path / n).glob("*.whl")} for n in ("1", "3"))
    assert one == three
    assert len(one) == 5


@pytest.mark.slow
@pytest.mark.parametrize("jobs", [1, 2])
def test_there_is_one_bar_and_every_error_is_told(tmp_path: Path, jobs: int) -> None:
    paths = wheels(tmp_path / "in")
    for bad in paths[1:4:2]:
        bad.write_bytes(b"nonsense")
    reporter = Counting()
    result = api.retag([tmp_path / "in"], tmp_path / "out", [TAGGED], reporter, execution=api.Execution(jobs))
    assert [done.source for done in result.done] == [paths[0], paths[2], paths[4]]
    assert [paths[1].name in result.failed[0].message, paths[3].name in result.failed[1].message] == [True, True]
    (moved,) = reporter.bars.values()
    assert moved > 3 * 200_000


def test_a_fault_of_the_disk_stops_one_wheel_only(tmp_path: Path) -> None:
    paths = wheels(tmp_path, 2)
    target = tmp_path / "file"
    target.write_bytes(b"")
    jobs = [Job(paths[0], (TAGGED,), target), Job(paths[1], (TAGGED,), tmp_path / "out")]
    first, second = retag_all(jobs, 1, SILENT)
    assert first.error is not None
    assert "could not be rewritten" in first.error.message
    assert second.error is None
