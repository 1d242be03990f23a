"""Which old nightly releases an index need not keep, and which uploads were cut off long ago."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import msgspec
from packaging.version import Version

from variant_publish.formats.master import ProjectIndex
from variant_publish.formats.simple import version_of
from variant_publish.index.pins import pins_of
from variant_publish.index.yank import Removal, existing, plan_removal
from variant_publish.store.objects import Pending
from variant_publish.store.store import Store


class Retention(msgspec.Struct, frozen=True):
    """The rule: keep the newest `keep` nightly releases, and all that are younger than `days`.

    At least one of both is given; a release goes only if every rule that is given lets it go.
    """

    keep: int | None = None
    days: int | None = None


class Cleanup(msgspec.Struct, frozen=True):
    """What a cleanup removes of a project, and what it keeps although it is old: version -> who pins it.

    It is unfinished where an earlier command was killed while it deleted files.
    """

    project: str
    removals: tuple[Removal, ...]
    kept: tuple[tuple[str, str], ...]
    is_unfinished: bool = False


def plan_cleanup(store: Store, project: str, rule: Retention, now: datetime) -> Cleanup:
    """Find the old nightly releases (versions with `.devN`) of a project; a pinned one is kept. Reads only."""
    index = existing(store, project)
    removals, kept = [], []
    for version in _old(index, rule, now):
        pins = tuple(pins_of(store, index.name, {version}))
        if pins:
            kept.append((version, pins[0]))
        else:
            removals.append(plan_removal(store, index.name, [version]))
    return Cleanup(index.name, tuple(removals), tuple(kept), bool(index.leaving))


def stale_uploads(store: Store, days: int, now: datetime) -> tuple[Pending, ...]:
    """Return the uploads that were begun more than `days` days ago and never finished."""
    limit = now - timedelta(days=days)
    return tuple(item for item in store.pending() if datetime.fromisoformat(item.begun) < limit)


def _old(index: ProjectIndex, rule: Retention, now: datetime) -> list[str]:
    nightlies = sorted((v for v in index.versions if Version(v).is_devrelease), key=Version, reverse=True)
    beyond = nightlies[rule.keep :] if rule.keep is not None else nightlies
    if rule.days is None:
        return beyond
    limit = now - timedelta(days=rule.days)
    return [version for version in beyond if (age := _begun(index, version)) is not None and age < limit]


def _begun(index: ProjectIndex, version: str) -> datetime | None:
    """Return when the last file of a release came; None where one does not tell, so its age is not known."""
    times = [file.upload_time for file in index.distributions if version_of(file.filename) == version]
    if not times or None in times:
        return None
    moments = [datetime.fromisoformat(text) for text in times if text]
    return max(moment if moment.tzinfo else moment.replace(tzinfo=UTC) for moment in moments)
