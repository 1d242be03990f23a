"""Indexes as folders, for the tests of rules that ask one."""

from __future__ import annotations

from pathlib import Path

from variant_publish.formats.master import ProjectIndex
from variant_publish.formats.simple import IndexFile

REPOSITORY = '[tool.variant-publish.upload]\nrepository = "somewhere"\nrepository-index = "{}"\n'
"""A configuration with a repository, and where its files are shown."""


def listing(index: Path, project: str, *files: IndexFile) -> str:
    """Write the page of a project with these files, and give the index as `--index` takes it."""
    (index / project).mkdir(parents=True, exist_ok=True)
    page = ProjectIndex(project, files or (IndexFile(f"{project}-0.1.tar.gz", "x", "0" * 64, 1),))
    (index / project / "index.json").write_text(page.dumps(), "utf-8")
    return str(index)
