from __future__ import annotations

import threading
from pathlib import Path

import pytest

from support.binaries import VEX, elf
from support.checks import PLAIN, PLUS
from support.wheels import make_wheel
from variant_publish.archive.wheel import WholeWheel
from variant_publish.binary import scans
from variant_publish.binary.scan import scan
from variant_publish.binary.scans import Scans
from variant_publish.check.engine.report import Report
from variant_publish.check.engine.runner import Settings, check
from variant_publish.config.configuration import Config
from variant_publish.errors import VariantPublishError
from variant_publish.providers.catalog import BUILTIN
from variant_publish.release.release import load


@pytest.fixture
def wheels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Four wheels that need AVX, so few bytes of which are worth several processes."""
    monkeypatch.setattr(scans, "_WORTH", 0)
    files = {"foo/a.so": elf(functions=[VEX] * 60, needed=["libgone.so.1"], exports=["PyInit_a"])}
    others = PLAIN.replace("cp312", "cp313"), PLAIN.replace("foo", "bar")  # one of another release, too
    return [make_wheel(tmp_path, name, files=files, tags=["py3-none-any"]) for name in (PLAIN, PLUS, *others)]


def checked(folder: Path, processes: int) -> Report:
    return check(load([folder], Config.parse("")), settings=Settings(jobs=processes))


@pytest.mark.slow
def test_several_processes_find_what_one_does(wheels: list[Path]) -> None:
    one, four = checked(wheels[0].parent, 1), checked(wheels[0].parent, 4)
    assert {"VP104", "VP502", "VP513"} <= {finding.id for finding in one.findings}
    assert four == one
    read = [WholeWheel.read(path) for path in wheels]
    side_by_side = Scans(BUILTIN)
    side_by_side.start(read, 2)
    assert [side_by_side.of(wheel) for wheel in read] == [scan(wheel, BUILTIN) for wheel in read]


@pytest.mark.slow
def test_an_error_in_one_process_is_one_sentence_of_that_wheel(wheels: list[Path]) -> None:
    loaded = load([wheels[0].parent], Config.parse(""))
    wheels[1].write_bytes(b"gone meanwhile")
    (vp112, *others) = [
        finding
        for finding in check(loaded, settings=Settings(jobs=3)).findings
        if finding.file == PLUS and finding.id in ("VP112", "VP502", "VP513")
    ]
    assert others == []
    assert vp112.verdict == "unknown"
    assert vp112.message == f"{wheels[1]} is not a ZIP archive, or its end is missing"


def test_one_wheel_is_scanned_beside_the_rules_in_threads(wheels: list[Path]) -> None:
    wheel = WholeWheel.read(wheels[0])
    before = threading.active_count()
    beside = Scans(BUILTIN)
    beside.start([wheel], 2)
    assert threading.active_count() > before
    assert beside.of(wheel) == beside.of(wheel) == scan(wheel, BUILTIN)
    wheels[0].write_bytes(b"gone meanwhile")
    again = Scans(BUILTIN)
    again.start([wheel], 2)
    for _ in range(2):
        with pytest.raises(VariantPublishError, match="not a ZIP archive"):
            again.of(wheel)


def test_little_work_is_done_when_it_is_asked_for(wheels: list[Path], monkeypatch: pytest.MonkeyPatch) -> None:
    read, found, before = [WholeWheel.read(path) for path in wheels], Scans(BUILTIN), threading.active_count()
    found.start(read, 1)
    monkeypatch.undo()
    found.start(read, 4)
    assert threading.active_count() == before
    assert found.of(read[0]) == scan(read[0], BUILTIN)
