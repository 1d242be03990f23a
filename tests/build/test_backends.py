"""A C extension is built for a variant by real backends, in the environment of the tests: no isolation, no network."""

from __future__ import annotations

import json
import os
import platform
import sys
from pathlib import Path

import pytest

from support.cli import run
from support.projects import ASKING, make_extension, needs_compiler

pytestmark = [
    pytest.mark.package_index,
    pytest.mark.slow,
    needs_compiler,
    pytest.mark.skipif(
        sys.platform != "linux" or platform.machine() != "x86_64", reason="the levels of this test are those of x86-64"
    ),
]


@pytest.mark.parametrize("backend", ASKING)
def test_the_code_is_that_of_the_variant(backend: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CFLAGS", raising=False)
    scripts = str(Path(sys.executable).parent)  # cmake and ninja, where the environment of the tests is not activated
    monkeypatch.setenv("PATH", os.pathsep.join((scripts, os.environ["PATH"])))
    project = make_extension(tmp_path / "project", backend)
    result = run("build", str(project), "--variant", "x86_64_v3", "-o", str(tmp_path / "out"))
    assert result.code == 0, result.stderr
    [labelled] = [path for path in (tmp_path / "out").iterdir() if path.name.endswith("-x86_64_v3.whl")]
    [wheel] = json.loads(run("inspect", str(labelled), "--format", "json").stdout)["wheels"]
    assert wheel["properties"] == ["x86_64 :: level :: v3"]
    wheels, others = sorted((tmp_path / "out").glob("*.whl")), sorted((tmp_path / "out").glob("*.tar.gz"))
    assert (len(wheels), len(others)) == (2, 1)  # one for each dialect, and the sdist
    assert len(list((tmp_path / "out").iterdir())) == 3
