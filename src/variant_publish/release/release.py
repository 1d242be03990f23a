"""Release: the wheels of one version of one project, parsed once, with the declared matrix beside them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
from msgspec.structs import replace
from packaging.version import Version

from variant_publish.archive.digest import sha256_of
from variant_publish.archive.journal import unfinished
from variant_publish.archive.wheel import DescribedWheel, SummaryWheel, Wheel, WholeWheel, described
from variant_publish.config.configuration import Config
from variant_publish.dialects.wheel_name import WheelName
from variant_publish.errors import UsageError, VariantPublishError
from variant_publish.formats.provenance import ATTESTATION_SUFFIX, check_attestation
from variant_publish.formats.summary import SUMMARY_SUFFIX, Summary
from variant_publish.model.project_name import canonicalize_name
from variant_publish.model.variant import GENERIC

if TYPE_CHECKING:
    from packaging.utils import NormalizedName


class Unreadable(msgspec.Struct, frozen=True):
    """A file that was named as a wheel and cannot be read as one, and why: itself a finding."""

    path: Path
    error: VariantPublishError


class Sdist(msgspec.Struct, frozen=True, dict=True):
    """A source distribution; one that is known by its `summary` alone has a `path` at which nothing lies."""

    path: Path
    size: int
    summary: Summary | None = None

    @property
    def filename(self) -> str:
        """Return the file name without its folder."""
        return self.path.name

    @cached_property
    def sha256(self) -> str:
        """Return the SHA-256, lower-case hex."""
        return sha256_of(self.path) if self.summary is None else self.summary.sha256

    def is_of(self, project: NormalizedName, version: Version) -> bool:
        """Return whether the file name is one of this release."""
        name, _, text = self.filename.removesuffix(".tar.gz").rpartition("-")
        return canonicalize_name(name) == project and text == str(version)


class Release(msgspec.Struct, frozen=True, dict=True):
    """The wheels of one version, sorted by file name, and its sdists."""

    project: NormalizedName
    version: Version
    wheels: tuple[Wheel, ...]
    config: Config
    sdists: tuple[Sdist, ...] = ()

    @cached_property
    def described(self) -> tuple[DescribedWheel, ...]:
        """Return the wheels with their dist-info; raise VariantPublishError where that of one was not read."""
        return described(self.wheels)

    @property
    def key(self) -> tuple[NormalizedName, Version]:
        """Return what tells the release from others: 1 and 1.0 are one version."""
        return self.project, self.version

    def variant_of(self, name: WheelName) -> str:
        """Return the variant as the configuration calls it, else as the file name does; null counts as generic."""
        if name.dialect is None or name.serves_everyone:
            return GENERIC
        declared = self.config.variant_of(name.dialect, name.words)
        return name.variant if declared is None else declared.name

    def attestations(self) -> dict[str, bytes]:
        """Read the attestations that lie beside the files, or that their summaries have: file name -> JSON text.

        Raises InvalidAttestation for one that is not of its file (PEP 740).
        """
        found = {}
        here = (wheel for wheel in self.wheels if isinstance(wheel, (WholeWheel, SummaryWheel)))
        files: tuple[WholeWheel | SummaryWheel | Sdist, ...] = (*here, *self.sdists)
        for item in files:
            if isinstance(item, SummaryWheel) or (isinstance(item, Sdist) and item.summary is not None):
                content = ((item.summary and item.summary.attestation) or "").encode()
            else:
                beside = item.path.with_name(item.filename + ATTESTATION_SUFFIX)
                content = beside.read_bytes() if beside.exists() else b""
            if content:
                check_attestation(content, item.filename, item.sha256)
                found[item.filename] = content
        return found

    @cached_property
    def variants(self) -> tuple[str, ...]:
        """Return the variants that occur, declared ones first and in their order, generic before all."""
        found = {self.variant_of(wheel.name) for wheel in self.wheels}
        declared = [name for name in (GENERIC, *self.config.variants) if name in found]
        return (*declared, *sorted(found - set(declared)))

    def for_installers(self) -> Release:
        """Return the release without wheels that only a user can choose: variants as local versions."""
        wheels = (wheel for wheel in self.wheels if wheel.name.chosen_by_installers)
        return replace(self, wheels=tuple(wheels))

    def for_users(self) -> tuple[Wheel, ...]:
        """Return the wheels that only a user can choose: variants as local versions."""
        return tuple(wheel for wheel in self.wheels if not wheel.name.chosen_by_installers)


class Loaded(msgspec.Struct, frozen=True):
    """What a set of files turned out to be: releases sorted by project and version, and what is no wheel."""

    releases: tuple[Release, ...]
    unreadable: tuple[Unreadable, ...]

    def only(self) -> Release:
        """Return the one release; raise the first error of a file, or UsageError where there are several releases."""
        if self.unreadable:
            raise self.unreadable[0].error
        if len(self.releases) != 1:
            found = ", ".join(f"{release.project} {release.version}" for release in self.releases)
            raise UsageError(
                f"the files are of {len(self.releases)} releases: {found}", hint="name one release at a time"
            )
        return self.releases[0]


def wheel_paths(places: Iterable[Path]) -> list[Path]:
    """Return the wheels in the places: files as they are, folders for every `*.whl` directly inside, sorted.

    Raises UsageError where a place does not exist or a folder has no wheel.
    """
    found: dict[Path, None] = {}
    for place in places:
        if place.is_dir():
            inside = sorted(place.glob("*.whl"))
            if not inside and not unfinished(place):
                raise UsageError(f"{place} holds no wheels", hint="name a folder with *.whl files")
            found.update(dict.fromkeys(inside))
        elif place.exists():
            found[place] = None
        elif not unfinished(place):
            raise UsageError(f"{place} does not exist", hint="name a wheel or a folder with wheels")
    return list(found)


def _cut_off(places: Iterable[Path]) -> Iterator[Unreadable]:
    for wheel in (wheel for place in places for wheel in unfinished(place)):
        error = VariantPublishError(
            f"{wheel} is half retagged: an in-place retag of it was cut off or still runs",
            hint="run the same 'variant-publish retag --in-place' again, which finishes it",
        )
        yield Unreadable(wheel, error)


def load(
    places: Iterable[Path], config: Config, known: Iterable[Wheel] = (), known_sdists: Iterable[Sdist] = ()
) -> Loaded:
    """Read wheels (and the sdists beside them in folders), and group them and those `known` already into releases.

    A `*.json` file, and a `*.summary.json` in a folder whose wheel is not beside it, stands for its wheel.
    """
    places = list(places)
    summaries = list(_summary_paths(places))
    with_wheels = [place for place in places if not _has_only_summaries(place)]
    wheels = list(known)
    unreadable = list(_cut_off(places))
    for path in (*wheel_paths(with_wheels), *summaries):
        try:
            wheels.append(_read_summary(path) if path in summaries else WholeWheel.read(path))
        except VariantPublishError as error:
            unreadable.append(Unreadable(path, error))
    paths = [path for place in places if place.is_dir() for path in sorted(place.glob("*.tar.gz"))]
    sdists = [Sdist(path, path.stat().st_size) for path in paths]
    return Loaded(tuple(releases_of(wheels, [*sdists, *known_sdists], config)), tuple(unreadable))


def releases_of(wheels: Iterable[Wheel], sdists: Iterable[Sdist], config: Config) -> Iterator[Release]:
    """Group wheels, and the sdists that belong to them, into releases, sorted by project and version.

    A wheel whose local version is a declared variant belongs to the release without it (dialect local).
    """
    groups: dict[tuple[NormalizedName, Version], list[Wheel]] = {}
    for wheel in (replace(wheel, name=_known(wheel.name, config)) for wheel in wheels):
        groups.setdefault((wheel.name.project, wheel.name.release_version), []).append(wheel)
    sdists = tuple(sdists)
    for (project, version), group in sorted(groups.items()):
        own = tuple(sdist for sdist in sdists if sdist.is_of(project, version))
        yield Release(project, version, tuple(sorted(group, key=lambda wheel: wheel.filename)), config, own)


def _known(name: WheelName, config: Config) -> WheelName:
    for dialect, words in config.known:
        name = name.with_known(dialect, words)
    return name


def _summary_paths(places: Iterable[Path]) -> Iterator[Path]:
    for place in places:
        if place.is_dir():
            for path in sorted(place.glob(f"*.whl{SUMMARY_SUFFIX}")):
                if not path.with_name(path.name.removesuffix(SUMMARY_SUFFIX)).exists():
                    yield path
        elif place.suffix == ".json" and place.exists():
            yield place


def _has_only_summaries(place: Path) -> bool:
    if place.is_dir():
        return not any(place.glob("*.whl")) and any(place.glob(f"*.whl{SUMMARY_SUFFIX}"))
    return place.suffix == ".json" and place.exists()


def _read_summary(path: Path) -> Wheel:
    return SummaryWheel.of(Summary.parse(path.read_bytes(), str(path)))
