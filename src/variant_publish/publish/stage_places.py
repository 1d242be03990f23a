"""Where stages lie, where testers find them, and which of them were left alone."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

from msgspec.structs import replace

from variant_publish.config.tables import UploadTable
from variant_publish.formats.stage_state import STAGES, STATE_FILE, StageState, Status, check_stage_name
from variant_publish.index.index import refuse_removed
from variant_publish.index.masters import read_index
from variant_publish.model.url import redact
from variant_publish.publish.destinations import opened_store
from variant_publish.publish.stage import VIEWS, Stage
from variant_publish.publish.uploads import uploads_of
from variant_publish.release.release import Release
from variant_publish.store.objects import conflict
from variant_publish.store.places import folder_of
from variant_publish.store.store import Store


@contextmanager
def opened_stage(settings: UploadTable, name: str) -> Iterator[Stage]:
    """Open a stage, and close its store at the end; raise UsageError for a name that cannot be a stage's."""
    own = stage_settings(settings, check_stage_name(name))
    with opened_store(own.extra_index, own.endpoint_url) as store:
        yield Stage(name, store, own)


def stage_settings(settings: UploadTable, name: str) -> UploadTable:
    """Return the settings of a stage: those of an index with its views inside, and of no repository."""
    place, address = f"{stages_place(settings)}/{name}", stage_address(settings, name)
    views = address if settings.views is not None else ""
    return replace(
        settings,
        repository=None,
        repository_url=None,
        extra_index=place,
        public_url=address or None,
        views=f"{place}/{VIEWS}" if settings.views is not None else None,
        views_url=f"{views}/{VIEWS}" if views else None,
    )


def stages_place(settings: UploadTable) -> str:
    """Return the place that stages lie in."""
    return (settings.stage or f"{settings.extra_index.rstrip('/')}/{STAGES}").rstrip("/")


def stage_address(settings: UploadTable, name: str) -> str:
    """Return where testers find a stage: as configured, else by where it lies; "" where that is not known."""
    place = stages_place(settings)
    if settings.stage_url is not None:
        return f"{redact(settings.stage_url).rstrip('/')}/{name}"
    if place.startswith("file:"):
        return (folder_of(place) / name).resolve().as_uri()
    if settings.stage is None and settings.public_url is not None:
        return f"{redact(settings.public_url).rstrip('/')}/{STAGES}/{name}"
    return ""


def refuse_taken(store: Store, release: Release) -> None:
    """Raise Conflict where the extra index has a name of the release with other bytes, or has removed it."""
    index = read_index(store, release.project)
    if index is None:
        return
    entries = [upload.entry for upload in uploads_of(release)]
    refuse_removed(store.describe(), index, entries)
    listed = {file.filename: file.sha256 for file in index.files}
    for entry in entries:
        if listed.get(entry.filename, entry.sha256) != entry.sha256:
            raise conflict(store.describe(), entry.filename)


def stale_stages(store: Store, days: int, now: datetime) -> tuple[str, ...]:
    """Return the stages in a store of stages to which nothing has come for `days` days and that are not being released.

    What is not a stage's name is left alone.
    """
    newest: dict[str, datetime] = {}
    for item in store.keys(""):
        name, _, rest = item.key.partition("/")
        if rest and not name.startswith("."):
            moment = datetime.fromisoformat(item.modified)
            newest[name] = max(moment, newest.get(name, moment))
    old = (name for name, moment in sorted(newest.items()) if moment < now - timedelta(days=days))
    return tuple(name for name in old if _status(store, check_stage_name(name)) is not Status.RELEASING)


def _status(store: Store, name: str) -> Status | None:
    stored = store.read(f"{name}/{STATE_FILE}")
    return None if stored is None else StageState.parse(stored.content, name).status
