"""For maintainers: write the selector sdist, whose backend hands over the wheel that fits the machine."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec

from variant_publish.archive.digest import sha256_of
from variant_publish.config.configuration import Config
from variant_publish.errors import UsageError
from variant_publish.model.url import fault_of_address, redact
from variant_publish.progress import SILENT, Reporter
from variant_publish.remote.transport import Transport
from variant_publish.stub import contents, source
from variant_publish.stub.project import metadata_of
from variant_publish.stub.sdist import write_sdist


class StubSource(msgspec.Struct, frozen=True):
    """What a selector sdist is made of.

    `release` is a folder of wheels, which will be found below `public_url`, or NAME==VERSION on the index; by default
    what `pyproject` tells.
    """

    release: str | None = None
    index: str | None = None
    public_url: str | None = None
    pyproject: Path | None = None


class Stub(msgspec.Struct, frozen=True):
    """A selector sdist that was written: its place and hash, and what its backend chooses from."""

    path: Path
    sha256: str
    wheels: int
    variants: tuple[str, ...]


def stub(given: StubSource, config: Config, folder: Path, *, reporter: Reporter = SILENT) -> Stub:
    """Write the selector sdist of a release into `folder`: its backend hands over the wheel that fits the machine.

    In the mode "requires" the variants may be those of the configuration, without any wheel.
    Raises UsageError where something is missing, VariantPublishError where a wheel cannot be read.
    """
    _check_addresses(given.index, given.public_url)
    requires = config.stub.mode == "requires"
    project, version, place = source.release_of(given.release, given.index, config, given.pyproject)
    if place is None and not requires:
        raise UsageError("nothing says where the wheels are", hint="name a folder of wheels, or give --index URL")
    with TemporaryDirectory(prefix="variant-publish-") as outlines:
        if place is None:
            found = source.from_config(project, version, config)
        else:
            embeds = config.stub.embed_generic and not requires
            reader = source.WheelReader(Transport(), Path(outlines), reporter, given.public_url)
            found = source.from_index(project, version, place, reader, embeds=embeds)
        if requires:
            metadata = None if found.wheels else metadata_of(given.pyproject, project, str(version))
            filled = contents.of_requirements(found, config, metadata)
        else:
            filled = contents.of_wheels(found, config)
        path = write_sdist(filled, folder)
    variants = tuple(dict.fromkeys(variant for row in filled.rows for variant in row.variants))
    return Stub(path, sha256_of(path), len(found.wheels), variants)


def _check_addresses(index: str | None, public_url: str | None) -> None:
    """Raise UsageError where an address of the sdist has a secret; the user name of an index is left out."""
    read = redact(index) if index and "://" in index else ""
    for option, url, is_shown in (("--public-url", public_url or "", True), ("--index", read, public_url is None)):
        if fault := fault_of_address(url, is_shown=is_shown):
            raise UsageError(
                f"{option} {fault}", hint="write the plain address; credentials belong into .netrc or the environment"
            )
