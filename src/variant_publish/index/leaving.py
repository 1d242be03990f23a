"""What was taken from an index for good and still lies there: the master names it until the last of it is gone."""

from __future__ import annotations

from msgspec.structs import replace

from variant_publish.formats.master import SELECTORS, ProjectIndex
from variant_publish.formats.provenance import ATTESTATION_SUFFIX, PROVENANCE_SUFFIX
from variant_publish.index.masters import change_master, master_key, parser_of
from variant_publish.store.store import Store

BESIDE = (".metadata", PROVENANCE_SUFFIX, ATTESTATION_SUFFIX)
"""What lies beside a file under its name with this ending, and goes where it goes."""


def delete_leaving(store: Store, index: ProjectIndex) -> None:
    """Delete what a project's master says is to go, and then say so there; a run that is cut off is finished by any.

    No page lists these files any more, and no name of them can be used again, so nobody sends one meanwhile.
    """
    if not index.leaving:
        return
    for key in leaving_keys(store, index):
        store.delete(key)
    gone = frozenset(index.leaving)

    def change(found: ProjectIndex) -> ProjectIndex:
        # No page depends on it, so it is no new generation.
        return replace(found, leaving=tuple(name for name in found.leaving if name not in gone))

    change_master(store, master_key(index.name), parser_of(index.name), index, change)


def leaving_keys(store: Store, index: ProjectIndex) -> list[str]:
    """Return the keys of everything under a project that is to go and still lies there."""
    names = frozenset(index.leaving) - {file.filename for file in index.files}
    found = []
    for item in store.keys(f"{index.name}/") if names else ():
        name = item.key.rpartition("/")[2]
        for ending in BESIDE:
            name = name.removesuffix(ending)
        is_own = item.key.count("/") == 1 or item.key.startswith(f"{index.name}/{SELECTORS}/")
        if is_own and name in names:
            found.append(item.key)
    return found
