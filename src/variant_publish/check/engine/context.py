"""What a rule gets to see: the folder, one release in it, and what is inside the archives beyond dist-info."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import Any

import msgspec
from msgspec.structs import replace
from packaging.utils import canonicalize_name

from variant_publish.archive.wheel import Wheel, WholeWheel
from variant_publish.binary.scan import Scan
from variant_publish.binary.scans import Scans
from variant_publish.check.engine.grid import Grid
from variant_publish.check.engine.trial import Trial
from variant_publish.dialects.registry import selector_names
from variant_publish.formats.simple import IndexFile
from variant_publish.progress import SILENT, Reporter
from variant_publish.providers import catalog
from variant_publish.release.dependencies import NO_LINKING, Linking
from variant_publish.release.release import Loaded, Release
from variant_publish.remote.listing import read_project
from variant_publish.remote.transport import IndexUnavailable


class Folder(msgspec.Struct, frozen=True):
    """Everything that was named: what was loaded, and the selector files that lie beside the wheels."""

    loaded: Loaded
    selector_files: tuple[Path, ...] = ()

    def selector_files_of(self, release: Release) -> tuple[Path, ...]:
        """Return the selector files of one release, by the names that clients ask for."""
        names = names_of_selectors(release)
        return tuple(path for path in self.selector_files if path.name in names)


class RunOptions(msgspec.Struct, frozen=True, kw_only=True):
    """How rules work.

    `offline` leaves out what needs an index: its verdict is then unknown; `fast` leaves the disassembling out. `client`
    is the installer that must accept the release, where one was named; `index` is the one that was named for this
    check. `jobs` is how many things may go on at a time, `run` says that wheels may be run.
    """

    offline: bool = False
    fast: bool = False
    client: str | None = None
    index: str | None = None
    jobs: int = 1
    run: bool = False


class Surroundings(RunOptions, frozen=True, kw_only=True):
    """What rules have besides: `linking` names what libraries are to load with, `reporter` hears how far they are."""

    linking: Linking = NO_LINKING
    reporter: Reporter = SILENT


class Context(Surroundings, frozen=True, dict=True):
    """One release and what its rules may ask for; what is slow is computed once.

    `previous` are the wheels of the release before it, as an index lists them; `is_published` says that the release was
    read from one, so nothing is to be uploaded. `others` are the releases that are checked with it. `scans` are what
    has been read of wheels, `trials` what those did that were run, `listings` what indexes said, and `notes` what rules
    work out together, by their own names.
    """

    release: Release
    selector_files: tuple[Path, ...] = ()
    previous: tuple[IndexFile, ...] = ()
    is_published: bool = False
    others: tuple[Release, ...] = ()
    scans: Scans = msgspec.field(default_factory=lambda: Scans(catalog.providers()))
    trials: dict[Path, Trial] = {}
    listings: dict[tuple[str, str], tuple[IndexFile, ...] | IndexUnavailable] = {}
    notes: dict[str, Any] = {}

    @cached_property
    def grid(self) -> Grid:
        """Return the matrix of the release, and which wheel fills what."""
        return Grid.of_release(self.release)

    def of_one(self, wheel: Wheel) -> Context:
        """Return the context of one wheel alone; what has been read is shared."""
        one = replace(self, release=replace(self.release, wheels=(wheel,)))
        one.__dict__["variants"] = self.variants
        return one

    @cached_property
    def variants(self) -> tuple[str, ...]:
        """Return variants of the whole release, also where this is the context of one wheel; declared ones first."""
        return tuple(dict.fromkeys((*self.release.variants, *self.release.config.variants)))

    def listing(self, index: str, project: str) -> tuple[IndexFile, ...]:
        """Return the files of a project on an index; raise IndexUnavailable, at once where it did not answer before."""
        key = (index, canonicalize_name(project))
        if key not in self.listings:
            try:
                self.listings[key] = self.listings.get((index, "")) or read_project(*key)
            except IndexUnavailable as error:
                self.listings[index, ""] = self.listings[key] = error
        if isinstance(found := self.listings[key], IndexUnavailable):
            raise found
        return found

    def scan(self, wheel: WholeWheel) -> Scan:
        """Read every member of a wheel once; raise VariantPublishError where it cannot be read."""
        return self.scans.of(wheel)


def names_of_selectors(release: Release) -> tuple[str, ...]:
    """Return the names that the selector files of a release can have."""
    return selector_names(release.project, str(release.version))
