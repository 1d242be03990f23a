"""Where the wheels of a selector sdist come from: an index, a folder that will be published, or the configuration."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from pathlib import Path
from urllib.parse import quote, urlsplit

import msgspec
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import Version

from variant_publish.archive.digest import sha256_of
from variant_publish.archive.zipraw import RawArchive, open_archive
from variant_publish.config.configuration import Config
from variant_publish.config.tables import TABLE
from variant_publish.dialects.base import Dialect
from variant_publish.dialects.wheel_name import WheelName, wheels_among
from variant_publish.errors import UsageError, VariantPublishError
from variant_publish.formats.simple import IndexFile
from variant_publish.formats.variants_json import VariantsMetadata
from variant_publish.model.url import redact
from variant_publish.progress import Reporter
from variant_publish.release.release import load
from variant_publish.release.selectors import SelectorFiles, derive
from variant_publish.remote.archive import ranged
from variant_publish.remote.files import download
from variant_publish.remote.listing import read_project
from variant_publish.remote.local import local_path
from variant_publish.remote.transport import Transport
from variant_publish.stub.project import read_project_table
from variant_publish.view.from_index import ProjectNotFound, newest_selectors

_AT_ONCE = 8


class Offered(msgspec.Struct, frozen=True):
    """One wheel: its name and where users fetch it ("" where nothing tells).

    `opened` opens its archive, of which the dist-info can be read; `path` is where an embedded wheel lies.
    """

    name: WheelName
    url: str
    sha256: str
    size: int
    opened: Callable[[], AbstractContextManager[RawArchive]]
    path: Path


class WheelReader(msgspec.Struct, frozen=True):
    """Read the wheels of a release: where they lie, from their server in ranges, or whole into `folder`.

    Those that lie here will be found below `public_url`.
    """

    transport: Transport
    folder: Path
    reporter: Reporter
    public_url: str | None

    def offered(self, name: WheelName, file: IndexFile, *, whole: bool) -> Offered:
        """Return a listed wheel; raise VariantPublishError where it lacks a hash or cannot be read."""
        if (local := local_path(file.url)) is not None:
            return self._of_path(name, file, local)
        if not file.sha256:
            raise VariantPublishError(
                f"{redact(file.url)} is listed without a SHA-256, so an installer could not check it",
                hint="ask whoever runs the index to list hashes",
            )
        archive = None if whole else ranged(file, self.transport)
        path = self.folder / file.filename
        if archive is not None:
            return Offered(name, redact(file.url), file.sha256, archive.size, lambda: nullcontext(archive), path)
        download(file, path, self.reporter, self.transport)
        return Offered(name, redact(file.url), file.sha256, path.stat().st_size, partial(open_archive, path), path)

    def _of_path(self, name: WheelName, file: IndexFile, path: Path) -> Offered:
        root = (self.public_url or "").rstrip("/")
        url = f"{root}/{name.project}/{quote(file.filename)}" if root else ""
        sha256 = file.sha256 or sha256_of(path)
        return Offered(name, url, sha256, path.stat().st_size, partial(open_archive, path), path)


class Source(msgspec.Struct, frozen=True):
    """A release in one dialect: its wheels, sorted by name, and the files that they are chosen by."""

    project: str
    version: Version
    dialect: Dialect | None
    files: SelectorFiles
    wheels: tuple[Offered, ...]
    index: str


def release_of(
    text: str | None, index: str | None, config: Config, pyproject: Path | None
) -> tuple[str, Version, str | None]:
    """Return project, version and the index to look at: of a folder, of NAME==VERSION, or of `[project]`."""
    if text is not None and Path(text).is_dir():
        release = load([Path(text)], config).only()
        return release.project, release.version, text
    if text is None:
        table = read_project_table(pyproject) if pyproject is not None else {}
        if not isinstance(table.get("name"), str) or not isinstance(table.get("version"), str):
            raise UsageError("nothing says which release is meant", hint="name it as NAME==VERSION, or its folder")
        text = f"{table['name']}=={table['version']}"
    try:
        requirement = Requirement(text)
        [wanted] = requirement.specifier
        if wanted.operator != "==":
            raise ValueError(f"{wanted} is no exact version")
        return requirement.name, Version(wanted.version), index
    except ValueError as error:
        raise UsageError(
            f"{text!r} is neither a folder nor NAME==VERSION ({error})", hint="write it like foo==1.0"
        ) from error


def from_index(project: str, version: Version, index: str, reader: WheelReader, *, embeds: bool) -> Source:
    """Read a release from an index, or from a folder of wheels with the files that `metadata` writes.

    Of wheels on a server only directory and dist-info are fetched, but of generic ones everything where the sdist
    `embeds` them. Raises VariantPublishError where the release is not there or lacks a hash.
    """
    page = read_project(index, project, reader.transport)
    if not page:
        raise ProjectNotFound(project, [index])
    files = newest_selectors(project, page, SpecifierSet(f"=={version}"))
    dialect = files.dialect
    every = [
        (name, file) for name, file in wheels_among(page) if name.parsed_version == version and file.yanked is None
    ]
    listed = [(name, file) for name, file in every if name.dialect in (None, dialect)]
    if not every:
        raise VariantPublishError(
            f"{redact(index)} has no wheel of {project} {version}", hint="check the version, or publish it first"
        )
    if not files and len(listed) < len(every):
        raise VariantPublishError(
            f"{redact(index)} has variants of {project} {version} and no file that says whom they are for",
            hint="write it with 'variant-publish metadata', beside the wheels",
        )
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        found = pool.map(lambda item: reader.offered(*item, whole=embeds and item[0].serves_everyone), listed)
        wheels = tuple(sorted(found, key=_by_name))
    place = reader.public_url or ("" if local_path(index) or urlsplit(index).scheme == "" else redact(index))
    return Source(canonicalize_name(project), version, dialect, files, wheels, place)


def from_config(project: str, version: Version, config: Config) -> Source:
    """Return the declared variants of a release whose wheels belong to other projects."""
    if not config.variants:
        raise UsageError(
            "the configuration declares no variants", hint=f"declare [{TABLE}.variants.NAME] with properties"
        )
    if config.selectors:
        files = SelectorFiles.of(derive(tuple(config.variants.values()), config.namespaces, config.selectors))
    else:
        variants = {variant.label: variant.properties for variant in config.variants.values()}
        files = SelectorFiles.of(VariantsMetadata(config.namespaces, variants, config.providers))
    return Source(canonicalize_name(project), version, files.dialect, files, (), "")


def names_of(source: Source, config: Config) -> Sequence[WheelName]:
    """Return the names of the wheels, or of those that the declared variants would have, and of the generic one."""
    if source.wheels:
        return [wheel.name for wheel in source.wheels]
    plain = WheelName.parse(f"{source.project.replace('-', '_')}-{source.version}-py3-none-any.whl")
    dialect = source.dialect
    words = (dialect.words_of(variant) for variant in config.variants.values()) if dialect is not None else ()
    return [plain, *(plain.with_variant(dialect, one) for one in words)]


def _by_name(wheel: Offered) -> str:
    return str(wheel.name)
