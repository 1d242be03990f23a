"""The wheels that others publish and a release is linked against: which one a machine gets, and its symbols."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec
from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import SpecifierSet
from packaging.version import Version

from variant_publish.archive.atomic import replacing
from variant_publish.binary.linkage import Linkage
from variant_publish.binary.loading import Loader, Loading
from variant_publish.binary.policy import policy_of
from variant_publish.dialects.wheel_name import WheelName, wheels_among
from variant_publish.errors import UsageError, VariantPublishError
from variant_publish.formats.simple import IndexFile
from variant_publish.model.matrix import Cell, own_pythons, serves
from variant_publish.model.tags import modern_platform
from variant_publish.model.url import redact
from variant_publish.progress import SILENT, Reporter
from variant_publish.remote.files import download
from variant_publish.remote.local import local_path

_LAYOUT = "v1/symbols"
_ONE_PYTHON = re.compile(r"py(3[0-9]+)-none")
_PLATFORM = re.compile(r"(win|macosx|manylinux|musllinux|linux)(?:_[0-9]+_[0-9]+)?_?(.*)")

Listing = Callable[[str, str], tuple[IndexFile, ...]]
"""Index and project -> files, as `Context.listing`."""


class Linking(msgspec.Struct, frozen=True):
    """The dependencies that a check looks up symbols in, and where what was read of them is kept."""

    against: tuple[Requirement, ...] = ()
    cache: Path | None = None

    @classmethod
    def parse(cls, texts: Iterable[str], cache: Path | None = None) -> Linking:
        """Parse requirements such as "torch==2.10.0"; raise UsageError for anything else."""
        found = []
        for text in texts:
            try:
                found.append(Requirement(text))
            except InvalidRequirement as error:
                hint = 'write it like "torch==2.10.0"'
                reason = redact(str(error).splitlines()[0])
                raise UsageError(f"{redact(text)!r} is no requirement ({reason})", hint=hint) from error
        return cls(tuple(found), cache)


NO_LINKING = Linking()


class Dependencies(msgspec.Struct, frozen=True):
    """The published wheels of other projects; each is read once, and its symbols are kept in the `cache`."""

    indexes: tuple[str, ...]
    listing: Listing
    cache: Path | None = None
    reporter: Reporter = SILENT
    _read: dict[str, Linkage] = {}

    def releases(self, project: str, wanted: SpecifierSet) -> dict[Version, tuple[IndexFile, ...]]:
        """Return the wheels of each release that is wanted, oldest first; yanked ones only where `==` asks for them.

        Raises IndexUnavailable.
        """
        exact = any(one.operator == "==" and not one.version.endswith("*") for one in wanted)
        found: dict[Version, list[IndexFile]] = {}
        for index in self.indexes:
            for name, file in wheels_among(self.listing(index, project)):
                if not name.serves_everyone or (file.yanked is not None and not exact):
                    continue
                if wanted.contains(name.parsed_version, prereleases=exact or None):
                    found.setdefault(name.parsed_version, []).append(file)
        return {version: tuple(files) for version, files in sorted(found.items())}

    def wheel_for(self, name: WheelName, files: Iterable[IndexFile]) -> IndexFile | None:
        """Return the wheel that a machine gets which got the wheel of this name; None where there is none for it."""
        return next((file for other, file in wheels_among(files) if _meets(name, other)), None)

    def linkage(self, file: IndexFile) -> Linkage:
        """Return the symbols of a listed wheel, which is downloaded at most once.

        Raises IndexUnavailable, or VariantPublishError where the wheel cannot be read.
        """
        if file.url not in self._read:
            self._read[file.url] = self._kept(file) or self._fetched(file)
        return self._read[file.url]

    def load(self, name: WheelName, own: Linkage, file: IndexFile, others: Iterable[IndexFile] = ()) -> Loading:
        """Return what the libraries of a wheel find in a listed wheel; `others` are installed with it."""
        policy = policy_of(modern_platform(name.platform[0]))
        system = policy.libraries if policy is not None else frozenset()
        return Loader(own, self.linkage(file), tuple(map(self.linkage, others)), system).load()

    def _place(self, file: IndexFile) -> Path | None:
        return self.cache / _LAYOUT / file.sha256 if self.cache is not None and file.sha256 else None

    def _kept(self, file: IndexFile) -> Linkage | None:
        place = self._place(file)
        if place is None or not place.is_file():
            return None
        try:
            return Linkage.parse(place.read_bytes())
        except VariantPublishError:
            return None  # of another version of this program, or damaged: it is read again

    def _fetched(self, file: IndexFile) -> Linkage:
        path = local_path(file.url)
        if path is not None:
            return Linkage.read(path, is_dependency=True)
        with TemporaryDirectory(prefix="variant-publish-") as folder:
            target = Path(folder) / file.filename
            download(file, target, self.reporter)
            found = Linkage.read(target, is_dependency=True)
        if (place := self._place(file)) is not None:
            with replacing(place) as stream:
                stream.write(found.dumps())
        return found


def _meets(name: WheelName, other: WheelName) -> bool:
    """Return whether a machine may have both: one of the Pythons, and the platform whatever its version."""
    pythons = (_ONE_PYTHON.sub(r"cp\1-cp\1", python) for python in own_pythons(name.plain))
    if not any(serves(other.plain, Cell(python, "any", "")) for python in pythons):
        return False
    mine = {_family(platform) for platform in name.platform}
    return any(_family(platform) in mine or platform == "any" for platform in other.platform)


def _family(platform: str) -> tuple[str, str]:
    match = _PLATFORM.fullmatch(modern_platform(platform))
    return (match[1], match[2]) if match else ("", platform)
