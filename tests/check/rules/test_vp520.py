from __future__ import annotations

from pathlib import Path

import pytest

from support.binaries import elf
from support.checks import PLAIN, failures, report_on, verdicts
from support.wheels import make_wheel
from variant_publish.archive.inflate import Inflater
from variant_publish.archive.zipraw import RawArchive
from variant_publish.check.rules import system_libraries
from variant_publish.check.rules.system_libraries import ExternalLibraries, PluginLibraries


@pytest.fixture(autouse=True)
def policies() -> None:
    pytest.importorskip("auditwheel")


def test_a_plugin_that_needs_more_than_the_wheel_has_is_told(tmp_path: Path) -> None:
    module = elf(exports=["PyInit_a"], needed=["libc.so.6", "libgomp.so.1"])
    make_wheel(tmp_path, PLAIN, files={"foo/a.so": module, "foo/plugin.so": elf(needed=["libsycl.so.8"])})
    assert failures(PluginLibraries(), tmp_path) == [
        "foo/plugin.so needs libsycl.so.8, which is neither in the wheel nor on every machine"
    ]


def test_a_module_that_is_imported_where_it_loads_is_a_plugin(tmp_path: Path) -> None:
    module = elf(exports=["PyInit_omp"], needed=["libgomp.so.1"])
    source = b"def layer():\n    try:\n        from foo import omp\n    except ImportError:\n        return None\n"
    make_wheel(tmp_path, PLAIN, files={"foo/omp.so": module, "foo/__init__.py": source})
    assert len(failures(PluginLibraries(), tmp_path)) == 1
    assert failures(ExternalLibraries(), tmp_path) == []
    make_wheel(
        tmp_path, PLAIN, files={"foo/omp.so": module, "foo/__init__.py": source + b"from foo import (\n    omp)\n"}
    )
    assert failures(PluginLibraries(), tmp_path) == []
    assert len(failures(ExternalLibraries(), tmp_path)) == 1


def test_both_rules_read_the_python_files_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened = []

    def counted(archive: RawArchive) -> Inflater:
        opened.append(archive.path.name)
        return Inflater(archive)

    monkeypatch.setattr(system_libraries, "Inflater", counted)
    module = elf(exports=["PyInit_omp"], needed=["libgomp.so.1"])
    make_wheel(tmp_path, PLAIN, files={"foo/omp.so": module, "foo/__init__.py": b"from foo import omp\n"})
    report = report_on(tmp_path)
    assert opened == [PLAIN]
    assert [finding.id for finding in report.findings if finding.id in ("VP502", "VP520")] == ["VP502"]


def test_plugins_that_need_nothing_more_pass(tmp_path: Path) -> None:
    make_wheel(tmp_path, PLAIN, files={"foo/plugin.so": elf(needed=["libc.so.6"])})
    config = '[tool.variant-publish.check]\nexternal = ["libsycl.so.8"]\n'
    assert verdicts(PluginLibraries(), tmp_path) == {"pass": 1}
    make_wheel(tmp_path, PLAIN, files={"foo/plugin.so": elf(needed=["libsycl.so.8"])})
    assert verdicts(PluginLibraries(), tmp_path, config) == {"pass": 1}


def test_tags_without_a_promise_are_skipped(tmp_path: Path) -> None:
    make_wheel(tmp_path, PLAIN.replace("manylinux_2_28", "linux"), files={"foo/plugin.so": elf()})
    assert verdicts(PluginLibraries(), tmp_path) == {"skip": 1}
