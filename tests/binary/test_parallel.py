from __future__ import annotations

from pathlib import Path

import pytest

from support.binaries import VEX, elf
from support.checks import PLAIN, PLUS
from support.wheels import make_wheel
from variant_publish.archive.wheel import WholeWheel
from variant_publish.binary import parallel
from variant_publish.binary.parallel import scan_all
from variant_publish.binary.scan import scan
from variant_publish.check.engine.report import Report
from variant_publish.check.engine.runner import Settings, check
from variant_publish.config.configuration import Config
from variant_publish.providers.catalog import BUILTIN
from variant_publish.release.release import load


@pytest.fixture
def wheels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Four wheels that need AVX, so few bytes of which are worth several processes."""
    monkeypatch.setattr(parallel, "_WORTH", 0)
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
    found = scan_all([WholeWheel.read(path) for path in wheels], BUILTIN, simd=True, processes=2)
    assert found == {path: scan(WholeWheel.read(path), BUILTIN) for path in wheels}


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


def test_little_work_stays_in_one_process(wheels: list[Path], monkeypatch: pytest.MonkeyPatch) -> None:
    read = [WholeWheel.read(path) for path in wheels]
    assert scan_all(read[:1], BUILTIN, simd=True, processes=4) == {}
    assert scan_all(read, BUILTIN, simd=True, processes=1) == {}
    monkeypatch.undo()
    assert scan_all(read, BUILTIN, simd=True, processes=4) == {}
