"""The dialects that this tool reads and writes."""

from __future__ import annotations

import difflib

from variant_publish.dialects.base import Dialect
from variant_publish.dialects.local_version import LOCAL
from variant_publish.dialects.pep825 import PEP825
from variant_publish.dialects.plus import PLUS
from variant_publish.errors import UsageError

DIALECTS: dict[str, Dialect] = {dialect.name: dialect for dialect in (PLUS, PEP825, LOCAL)}
"""Every dialect by its name, in the order of reports; adding one is one line here."""


def dialect_of(name: str) -> Dialect:
    """Return a dialect by its name; raise UsageError with the nearest known one."""
    if name not in DIALECTS:
        near = difflib.get_close_matches(name, list(DIALECTS), n=1)
        raise UsageError(
            f"{name!r} is no dialect{f' (did you mean {near[0]!r}?)' if near else ''}",
            hint=f"known dialects: {', '.join(DIALECTS)}",
        )
    return DIALECTS[name]


def own_files() -> tuple[str, ...]:
    """Return the files of dist-info that wheels of one dialect only have."""
    return tuple(file for dialect in DIALECTS.values() for file in dialect.own_files)


def chosen_by_installers() -> tuple[Dialect, ...]:
    """Return the dialects whose clients choose by what the machine is."""
    return tuple(dialect for dialect in DIALECTS.values() if dialect.chosen_by_installers)
