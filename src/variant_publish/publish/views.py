"""Views: one index for each variant, for installers without variants, as today's plain pip.

A view has the wheels of one variant as a local version (`foo-1.0+cu128-...whl`, dialect local), which every installer
prefers to 1.0, and the other files of the release by a link to where they lie: the generic wheels for what the variant
is not built for, and the sdist. It is an index like the extra one, below a place for all of them: `PLACE/cu128/foo/`.

The wheels are made at the upload, by raw copy from the variant wheels of the release, one at a time in the temporary
folder. So nothing is to be typed but where the views lie, and the folder of a release does not hold every variant
once more on disk. (The destinations do: a local version is another name, METADATA and RECORD, so it is another file.)
Planning goes through each copy without writing it, for its hash. Wheels that `retag --dialect local` made are sent as
they are, and where dialect local is the only one, they are the only copies there are.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from typing import Any

import msgspec

from variant_publish.archive.retag import Measured, Rewrite, measure
from variant_publish.archive.wheel import WholeWheel
from variant_publish.config.tables import TABLE, UploadTable
from variant_publish.dialects.wheel_name import WheelName
from variant_publish.errors import UsageError
from variant_publish.formats.master import ProjectIndex
from variant_publish.formats.simple import IndexFile
from variant_publish.index.index import hosted_url, missing_files, refuse_removed
from variant_publish.index.masters import read_index
from variant_publish.model.variant import NULL_LABEL
from variant_publish.progress import SILENT, Reporter
from variant_publish.publish.destinations import opened_store
from variant_publish.publish.placement import Destination, Placement, Transfer
from variant_publish.publish.static_view import LOCAL, by_view, is_own, links_of
from variant_publish.publish.view_places import base_of_links, place_of_view, unreachable, views_address
from variant_publish.release.release import Release
from variant_publish.store.objects import Conflict


class OwnFile(msgspec.Struct, frozen=True):
    """One wheel of a view: where it goes, what it is made of, and its entry and METADATA there."""

    placement: Placement
    source: WholeWheel
    entry: IndexFile
    metadata: bytes
    rewrite: Rewrite = Rewrite()

    @property
    def is_made(self) -> bool:
        """Return whether the wheel is made of one in another dialect."""
        return self.source.name.chosen_by_installers


class ViewPlan(msgspec.Struct, frozen=True):
    """What one view becomes: the wheels that it holds itself, and the names of the files that it links.

    `name` is the folder, the label of the hardware, or "generic"; `place` where it lies; `address` where users find it,
    "" where that is not known; `base` where the project's files on the extra index lie, seen from the view's page.
    """

    release: Release
    name: str
    place: str
    address: str
    base: str | None
    own: tuple[OwnFile, ...]
    links: tuple[str, ...]
    changes: bool

    def table(self) -> dict[str, Any]:
        """Return the JSON object."""
        files = [{**item.placement.table(), "made-of": item.source.filename if item.is_made else None}
                 for item in self.own]  # fmt: skip
        return {
            "view": self.name,
            "place": self.place,
            "url": self.address or None,
            "files": files,
            "links": list(self.links),
            "changes": self.changes,
        }


def check_local_wheels(release: Release, upload: UploadTable) -> None:
    """Raise UsageError where wheels of dialect local have no view to go to."""
    stray = release.for_users()
    if stray and upload.views is None:
        raise UsageError(
            f"{stray[0].filename} is a variant as a local version, which repositories refuse and every installer would"
            " prefer on the extra index, on any machine",
            hint=f"name a place for views ({TABLE}.upload.views or --views), or take it out of the folder",
        )


def refuse_local_wheels(release: Release) -> None:
    """Raise UsageError where wheels of dialect local would be staged: they go to views, and are listed nowhere else."""
    stray = release.for_users()
    if stray:
        raise UsageError(
            f"{stray[0].filename} is a variant as a local version, which every installer would prefer on any machine as"
            " soon as 'release' lists it on the extra index",
            hint="stage the variant in another dialect: with --views the stage has a view with it as a local version",
        )


def plan_views(
    release: Release, upload: UploadTable, hosted: set[str], main: ProjectIndex | None, reporter: Reporter = SILENT
) -> tuple[ViewPlan, ...]:
    """Plan the views of a release; reads only.

    `hosted` are the files that the extra index will hold itself, `main` is the extra index as it is now. A view that
    has wheels of this version already is planned for its links, too, though no wheel of the variant is here. Raises
    UsageError where the views have no place, and Conflict where a name is taken by other bytes, naming all of them.
    """
    if upload.views is None:
        return ()
    if upload.views.rstrip("/") == upload.extra_index.rstrip("/"):
        raise UsageError(
            f"{TABLE}.upload.views is the extra index itself", hint="name a place beside it, such as s3://BUCKET/views"
        )
    release.config.check_words(LOCAL)
    planner = _ViewPlanner(release, upload, hosted | _hosted(main), main, reporter)
    names = dict.fromkeys((*(variant.label for variant in release.config.variants.values()), *planner.sources))
    found = (planner.plan(name) for name in names if name != NULL_LABEL)
    views = [view for view in found if view is not None]
    if planner.conflicts:
        raise Conflict(
            f"{'; '.join(planner.conflicts)}: the same name, other bytes",
            hint="a published name is never used twice: build these files with a new version or build tag",
        )
    return tuple(views)


class _ViewPlanner:
    """Plan the views one by one, and collect conflicts."""

    def __init__(
        self, release: Release, upload: UploadTable, hosted: set[str], main: ProjectIndex | None, reporter: Reporter
    ) -> None:
        self.release = release
        self.upload = upload
        self.hosted = hosted
        self.main = main
        self.reporter = reporter
        self.sources = _sources(release)
        self.conflicts: list[str] = []

    def plan(self, name: str) -> ViewPlan | None:
        """Plan a view; None where it has no wheel of the release."""
        release, main = self.release, self.main
        place = place_of_view(self.upload, name)
        with opened_store(place, self.upload.endpoint_url) as store:
            listed, described = read_index(store, release.project), store.describe()
            missing = missing_files(store, listed, str(release.version))
        files = listed.files if listed is not None else ()
        if name not in self.sources and not any(is_own(file, release.version) for file in files):
            return None
        here = {file.filename for file in files} - missing
        sources = sorted(self.sources.get(name, {}).items())
        own = tuple(_own_file(*source, here, self.reporter) for source in sources)
        self.conflicts += [f"{item.entry.filename} in the view {name}" for item in own if _is_taken(item, listed)]
        if listed is not None:
            refuse_removed(described, listed, [item.entry for item in own])
        base = base_of_links(self.upload, name, release.project)
        listed_there = [*_planned(release), *(main.distributions if main else ())]
        links = tuple(links_of(listed_there, release.version, name, [item.entry for item in own], listed))
        if base is None and (unlinked := self.hosted.intersection(links)):
            raise unreachable(min(unlinked))
        mentioned = main is None or name in main.views.get(str(release.version), {})
        known = {file.filename for file in files}
        changes = not mentioned or not {*links, *(item.entry.filename for item in own)} <= known
        changes = changes or any(item.placement.transfer is Transfer.UPLOAD for item in own)
        address = views_address(self.upload)
        return ViewPlan(release, name, place, f"{address}/{name}" if address else "", base, own, links, changes)


def view_names(release: Release) -> tuple[str, ...]:
    """Return the views that the wheels of a release call for, by the labels of their variants."""
    return tuple(_sources(release))


def _sources(release: Release) -> dict[str, dict[str, tuple[WholeWheel, tuple[str, ...]]]]:
    """Return what views are made of here: first of wheels that are as a view has them."""
    here = [wheel for wheel in release.wheels if isinstance(wheel, WholeWheel)]
    here.sort(key=lambda wheel: (wheel.name.chosen_by_installers, wheel.filename))
    return dict(sorted(by_view(release, ((wheel.name, wheel) for wheel in here)).items()))


def _own_file(
    filename: str, source: tuple[WholeWheel, tuple[str, ...]], here: Collection[str], reporter: Reporter
) -> OwnFile:
    (wheel, requires), rewrite = source, Rewrite()
    if not wheel.name.chosen_by_installers:
        made = Measured(wheel.name, wheel.size, wheel.sha256, wheel.info["METADATA"])
        reason = "it is a local version, which only a view can have"
    else:
        local = WheelName.parse(filename).parsed_version.local or ""
        rewrite = Rewrite(LOCAL, (local,), add=requires)
        with reporter.track(f"{wheel.filename} as {local}", wheel.size) as advance:
            made = measure(wheel, rewrite, advance)
        reason = f"the variant {wheel.name.variant}, made of {wheel.filename}"
    entry = IndexFile(
        filename,
        hosted_url(filename),
        made.sha256,
        made.size,
        wheel.metadata.requires_python,
        hashlib.sha256(made.metadata).hexdigest(),
    )
    transfer = Transfer.SKIP if filename in here else Transfer.UPLOAD
    placement = Placement.of(entry, Destination.VIEW, reason, transfer, filename in here)
    return OwnFile(placement, wheel, entry, made.metadata, rewrite)


def _is_taken(item: OwnFile, listed: ProjectIndex | None) -> bool:
    known = listed.file(item.entry.filename) if listed is not None else None
    return known is not None and known.sha256 != item.entry.sha256


def _planned(release: Release) -> list[IndexFile]:
    wheels = [IndexFile(one.filename, "", "", requires_python=one.metadata.requires_python) for one in release.wheels]
    return [*wheels, *(IndexFile(sdist.filename, "", "") for sdist in release.sdists)]


def _hosted(main: ProjectIndex | None) -> set[str]:
    """Return the files that the extra index holds itself."""
    return {file.filename for file in (main.files if main else ()) if file.is_hosted}
