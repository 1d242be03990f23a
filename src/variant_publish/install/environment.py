"""The environment that is installed into: its Python, and the distributions that are there."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from functools import cached_property
from importlib import metadata
from pathlib import Path
from typing import Any, Self

import msgspec
from msgspec.structs import replace
from packaging.utils import NormalizedName, canonicalize_name
from packaging.version import InvalidVersion, Version

from variant_publish.archive.atomic import replacing
from variant_publish.archive.dist_info import ABI_REQUIRES, RECORD, parse_pins
from variant_publish.errors import UsageError, VariantPublishError
from variant_publish.formats.installed import INSTALLED_FILE, InstalledVariant
from variant_publish.formats.record import edit_record
from variant_publish.formats.variants_json import WHEEL_FILE, VariantsMetadata
from variant_publish.formats.wheel_file import WheelFile
from variant_publish.model.requirement import TaggedRequirement
from variant_publish.providers.machine import Machine

_DIRECT_URL = "direct_url.json"

_ASK = """
import importlib.util, json, sys, sysconfig
print(json.dumps({
    "version": "%d.%d.%d" % sys.version_info[:3],
    "threaded": bool(sysconfig.get_config_var("Py_GIL_DISABLED")),
    "paths": [sysconfig.get_path("purelib"), sysconfig.get_path("platlib")],
    "pip": importlib.util.find_spec("pip") is not None,
}))
"""


class Installed(msgspec.Struct, frozen=True, dict=True):
    """One installed distribution by its dist-info folder; its files are read when they are asked for."""

    project: NormalizedName
    version: Version
    dist_info: Path

    @cached_property
    def record(self) -> InstalledVariant | None:
        """Return what `install` wrote about the wheel, if it did."""
        text = self._text(INSTALLED_FILE)
        return None if text is None else InstalledVariant.parse(text)

    @cached_property
    def variant_json(self) -> VariantsMetadata | None:
        """Return what the wheel said of its label (PEP 825), where an installer left it there."""
        text = self._text(WHEEL_FILE)
        return None if text is None else VariantsMetadata.parse(text)

    @cached_property
    def direct_url(self) -> Mapping[str, Any]:
        """Return direct_url.json (PEP 610), empty where the distribution came from an index."""
        text = self._text(_DIRECT_URL)
        return {} if text is None else dict(json.loads(text))

    @cached_property
    def pins(self) -> tuple[TaggedRequirement, ...]:
        """Return the ABI pins."""
        return parse_pins((self._text(ABI_REQUIRES) or "").encode())

    @cached_property
    def tags(self) -> frozenset[str]:
        """Return the Tag lines of WHEEL."""
        text = self._text("WHEEL")
        return frozenset() if text is None else frozenset(WheelFile.parse(text.encode()).tags)

    def write(self, variant: InstalledVariant) -> None:
        """Write our record, and enter it into RECORD, so that an uninstall takes it away.

        The client was given a file of our cache, and says so in direct_url.json. That file (PEP 610) is for what was
        asked for by a URL, and this was found by its name, on an index that our record names: it goes, so that `freeze`
        tells `NAME==VERSION` and not a path of this machine. Everything is written beside its place and moved there:
        installers link files from their caches.
        """
        content = variant.dumps().encode()
        with replacing(self.dist_info / INSTALLED_FILE) as stream:
            stream.write(content)
        path = self.dist_info / RECORD
        if path.exists():
            changes = {
                f"{self.dist_info.name}/{INSTALLED_FILE}": content,
                f"{self.dist_info.name}/{_DIRECT_URL}": None,
            }
            record = edit_record(path.read_bytes(), {}, changes)
            with replacing(path) as stream:
                stream.write(record)
        (self.dist_info / _DIRECT_URL).unlink(missing_ok=True)

    def _text(self, file: str) -> str | None:
        try:
            return (self.dist_info / file).read_text("utf-8")
        except FileNotFoundError:
            return None


class Environment(msgspec.Struct, frozen=True):
    """The Python that installs, and the folders in which its distributions lie.

    With a `target` folder, what lies elsewhere does not count: that is how pip and uv read `--target`.
    """

    python: Path
    version: str
    threaded: bool
    sites: tuple[Path, ...]
    has_pip: bool
    target: Path | None = None

    @classmethod
    def of(cls, python: Path | None, target: Path | None, environ: Mapping[str, str]) -> Self:
        """Ask an interpreter or a virtual environment; by default the active one, else the one that runs this."""
        interpreter = _interpreter(python, environ)
        try:
            done = subprocess.run(
                [interpreter, "-I", "-c", _ASK], capture_output=True, encoding="utf-8", check=True, timeout=60
            )
        except (OSError, subprocess.SubprocessError) as error:
            raise UsageError(
                f"{interpreter} is no Python that runs ({error})", hint="name an interpreter or a virtual environment"
            ) from error
        answer = json.loads(done.stdout)
        paths = [target] if target is not None else dict.fromkeys(map(Path, answer["paths"]))
        return cls(interpreter, answer["version"], answer["threaded"], tuple(paths), answer["pip"], target)

    def machine(self, machine: Machine) -> Machine:
        """Return the machine with the Python of this environment, and the versions of what is installed in it."""
        here = {name.replace("-", "_"): item.version.public for name, item in self.installed().items()}
        machine = replace(machine, abi={**here, **machine.abi})
        if self.python == Path(sys.executable):
            return machine
        return machine.described({}, python=self.version + ("t" if self.threaded else ""))

    def installed(self) -> dict[NormalizedName, Installed]:
        """Return what is installed; a distribution that cannot be read is not there."""
        return {item.project: item for item in self._installed()}

    def find(self, project: str) -> Installed:
        """Return one distribution, or raise VariantPublishError where it is not there."""
        found = self.installed().get(canonicalize_name(project))
        if found is None:
            raise VariantPublishError(
                f"{project} is not installed in {', '.join(map(str, self.sites))}", hint="run the installation again"
            )
        return found

    def _installed(self) -> Iterator[Installed]:
        for found in metadata.distributions(path=[str(site) for site in self.sites]):
            folder = getattr(found, "_path", None)  # the only way to the folder; importlib.resources does the same
            name = found.metadata["Name"]
            if folder is None or name is None:
                continue
            try:
                yield Installed(canonicalize_name(name), Version(found.version), Path(folder))
            except InvalidVersion:
                continue


def _interpreter(python: Path | None, environ: Mapping[str, str]) -> Path:
    place = python or (Path(environ["VIRTUAL_ENV"]) if environ.get("VIRTUAL_ENV") else Path(sys.executable))
    if not place.is_dir():
        return place
    return place / "Scripts" / "python.exe" if os.name == "nt" else place / "bin" / "python"
