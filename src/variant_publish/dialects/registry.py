"""The dialects that this tool reads and writes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from packaging.version import Version

from variant_publish.dialects.base import Dialect
from variant_publish.dialects.local_version import LOCAL
from variant_publish.dialects.pep825 import PEP825
from variant_publish.dialects.plus import PLUS
from variant_publish.errors import UsageError, nearest
from variant_publish.model.project_name import canonicalize_name
from variant_publish.model.versions import version_or_none

if TYPE_CHECKING:
    from packaging.utils import NormalizedName

DIALECTS: dict[str, Dialect] = {dialect.name: dialect for dialect in (PLUS, PEP825, LOCAL)}
"""Every dialect by its name, in the order of reports; adding one is one line here."""


def dialect_of(name: str) -> Dialect:
    """Return a dialect by its name; raise UsageError with the nearest known one."""
    if name not in DIALECTS:
        raise UsageError(
            f"{name!r} is no dialect{nearest(name, DIALECTS)}", hint=f"known dialects: {', '.join(DIALECTS)}"
        )
    return DIALECTS[name]


def dialect_of_file(name: str) -> Dialect | None:
    """Return the dialect whose selector file has such a name; None for any other file."""
    return next((item for item in DIALECTS.values() if item.suffix and name.endswith(item.suffix)), None)


def release_of_file(name: str) -> tuple[NormalizedName, Version] | None:
    """Return the project and version that a selector file is of; None for any other file."""
    dialect = dialect_of_file(name)
    project, _, text = name.removesuffix(dialect.suffix if dialect else "").rpartition("-")
    version = version_or_none(text)
    return None if dialect is None or version is None else (canonicalize_name(project), version)


def selector_patterns() -> tuple[str, ...]:
    """Return a glob pattern for the selector files of each dialect."""
    return tuple(f"*{dialect.suffix}" for dialect in DIALECTS.values() if dialect.suffix)


def selector_names(project: str, version: str) -> tuple[str, ...]:
    """Return the names that the selector files of a release can have on an index."""
    return tuple(item.file_name(project, version) for item in DIALECTS.values() if item.suffix)


def preferred() -> tuple[Dialect, ...]:
    """Return the dialects in the order in which a release that is in several is read: what uv reads comes first."""
    return tuple(sorted(chosen_by_installers(), key=lambda dialect: not dialect.plain_installers_read))


def own_files() -> tuple[str, ...]:
    """Return the files of dist-info that wheels of one dialect only have."""
    return tuple(file for dialect in DIALECTS.values() for file in dialect.own_files)


def chosen_by_installers() -> tuple[Dialect, ...]:
    """Return the dialects whose clients choose by what the machine is."""
    return tuple(dialect for dialect in DIALECTS.values() if dialect.chosen_by_installers)
