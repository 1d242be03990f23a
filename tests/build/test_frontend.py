from __future__ import annotations

import io
import os
import sys
import tarfile
from pathlib import Path

import pytest

from support.projects import make_project
from variant_publish.build.frontend import Builder, configuration
from variant_publish.config.tables import Frontend
from variant_publish.errors import UsageError
from variant_publish.model.build_job import BuildSettings


@pytest.mark.slow
def test_what_the_frontend_prints_is_passed_on_while_it_runs(tmp_path: Path) -> None:
    """The backend waits for a file, and the file is there only when its line was heard."""
    project, heard = make_project(tmp_path / "project", ""), tmp_path / "heard"

    def say(line: str) -> None:
        if line == "the backend speaks":
            heard.touch()

    environ = {**os.environ, "WAIT_FOR": str(heard)}
    environ.pop("PYTHONUNBUFFERED", None)
    builder = Builder(Frontend.BUILD, arguments=("--no-isolation",), environ=environ)
    sdist = builder.sdist(project, tmp_path / "sdist", say)
    [wheel] = builder.wheels(sdist, tmp_path / "built", "generic", BuildSettings(), say)
    assert wheel.name == "tiny-1.0-py3-none-any.whl"
    assert heard.exists()


def test_an_interpreter_with_a_path_is_found_from_every_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    assert Builder(Frontend.BUILD, os.path.join("bin", "python")).python == str(tmp_path / "bin" / "python")  # noqa: PTH118
    assert Builder(Frontend.BUILD, "python3").python == "python3"
    assert Builder(Frontend.BUILD).python == sys.executable


@pytest.mark.parametrize("arguments", [("--only", "cp312-win32"), ("--platform=linux",), ("--archs", "aarch64")])
def test_arguments_of_cibuildwheel_may_name_another_machine(arguments: tuple[str, ...]) -> None:
    assert Builder(Frontend.CIBUILDWHEEL, arguments=arguments).says_where
    assert not Builder(Frontend.BUILD, arguments=arguments).says_where


def test_a_configuration_without_end_in_an_sdist_is_refused_before_it_is_read(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "foo-1.0.tar.gz", "w:gz") as archive:
        member = tarfile.TarInfo("foo-1.0/pyproject.toml")
        member.size = 3_000_000
        archive.addfile(member, io.BytesIO(bytes(member.size)))
    with pytest.raises(UsageError, match=r"a pyproject\.toml of 3,000,000 bytes"):
        configuration(tmp_path / "foo-1.0.tar.gz")


def test_a_file_that_is_no_sdist_is_told_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "foo-1.0.tar.gz").write_bytes(b"\x1f\x8b" + bytes(100))
    with pytest.raises(UsageError, match="cannot be unpacked") as caught:
        configuration(tmp_path / "foo-1.0.tar.gz")
    assert "\n" not in str(caught.value)
