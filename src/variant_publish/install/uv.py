"""uv as the client: `uv pip compile` resolves, `uv pip install` installs."""

from __future__ import annotations

import re
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Self

import msgspec
from packaging.utils import canonicalize_name
from packaging.version import Version

from variant_publish.formats import toml
from variant_publish.install.client import ClientProcess, Demand, Resolved, ResolvedFile
from variant_publish.install.environment import Environment
from variant_publish.model.tags import modern_platform
from variant_publish.progress import Reporter
from variant_publish.providers.machine import Machine
from variant_publish.providers.platforms import platform_architecture
from variant_publish.remote.default_index import pypi


def find_uv() -> Path | None:
    """Return the uv on the PATH, or the one that is installed beside this tool."""
    found = shutil.which("uv")
    if found:
        return Path(found)
    try:
        from uv import find_uv_bin

        return Path(find_uv_bin())
    except (ImportError, FileNotFoundError):
        return None


class Universal(msgspec.Struct, frozen=True):
    """A resolution for every machine: each distribution with its marker, and who depends on whom, by name."""

    packages: tuple[tuple[Resolved, str], ...]
    requires: Mapping[str, tuple[str, ...]]
    requires_python: str

    @classmethod
    def of(cls, lock: str, tree: str) -> Self:
        """Read uv's pylock.toml, and the comments of its requirements file ("via"), which tell the dependents."""
        data = toml.loads(lock)
        markers = [package.get("marker", "") for package in data.get("packages", ()) if "version" in package]
        requires: dict[str, list[str]] = {}
        name = ""
        for line in tree.splitlines():
            if not line.startswith((" ", "#")) and line.strip():
                name = canonicalize_name(re.split(r"[\s=@;\[]", line, maxsplit=1)[0])
            elif match := re.fullmatch(r"\s+#\s+(?:via )?([A-Za-z0-9._-]+)(?:\[.*\])?", line):
                requires.setdefault(canonicalize_name(match[1]), []).append(name)
        found = {owner: tuple(dict.fromkeys(names)) for owner, names in requires.items() if owner != "via"}
        return cls(tuple(zip(_locked(lock), markers, strict=True)), found, data.get("requires-python", ""))


class Uv(msgspec.Struct, frozen=True):
    """Drive uv for an environment."""

    binary: Path
    environment: Environment
    environ: Mapping[str, str]
    name: str = "uv"

    def default_index(self) -> str:
        """Return UV_DEFAULT_INDEX, or the default of everybody."""
        return self.environ.get("UV_DEFAULT_INDEX") or self.environ.get("UV_INDEX_URL") or pypi()

    def resolve(self, demand: Demand, index: str) -> tuple[Resolved, ...]:
        """Return what a dry run would install; for a described machine, what a lock file of it holds."""
        with tempfile.TemporaryDirectory(prefix="variant-publish-") as name:
            folder = Path(name)
            if demand.described is None:
                done = self._process.ask([*self._install(demand), "--dry-run", *demand.write(folder)], index, folder)
                return tuple(_told(done.stderr))
            lock = folder / "pylock.toml"
            command = [*self._compile(demand, folder), *_platform(demand.described)]
            self._process.ask([*command, "--format", "pylock.toml", "--output-file", lock], index, folder)
            return tuple(_locked(lock.read_text(encoding="utf-8")))

    def resolve_universal(self, demand: Demand, index: str, python: str | None) -> Universal:
        """Resolve for every machine at once; `python` is the oldest that counts, by default that of the environment."""
        with tempfile.TemporaryDirectory(prefix="variant-publish-") as name:
            folder = Path(name)
            lock, tree = folder / "pylock.toml", folder / "tree.txt"
            oldest = ("--python-version", python) if python else ()
            command: list[str | Path] = [*self._compile(demand, folder), "--universal", *oldest]
            self._process.ask([*command, "--format", "pylock.toml", "--output-file", lock], index, folder)
            written: list[str | Path] = ["--no-header", "--annotation-style", "split", "--output-file", tree]
            self._process.ask([*command, *written], index, folder)
            return Universal.of(lock.read_text(encoding="utf-8"), tree.read_text(encoding="utf-8"))

    def install(self, demand: Demand, index: str, reinstall: Sequence[str], reporter: Reporter) -> None:
        """Install, and replace those that have the same version."""
        names = [name.partition("==")[0] for name in reinstall]
        forced: list[str | Path] = [part for name in names for part in ("--reinstall-package", name)]
        with tempfile.TemporaryDirectory(prefix="variant-publish-") as folder:
            command: list[str | Path] = [*self._install(demand), "--no-progress", *forced, *demand.write(Path(folder))]
            self._process.stream(command, index, Path(folder), reporter)

    @property
    def _process(self) -> ClientProcess:
        return ClientProcess(self.name, (str(self.binary),), {**self.environ, "NO_COLOR": "1"})

    def _install(self, demand: Demand) -> list[str | Path]:
        target = self.environment.target
        where: list[str | Path] = [] if target is None else ["--target", target]
        return ["pip", "install", "--python", self.environment.python, *where, *_options(demand)]

    def _compile(self, demand: Demand, folder: Path) -> list[str | Path]:
        # `uv pip compile` takes the requirements as an argument, where `uv pip install` takes -r.
        arguments = demand.write(folder)[1:]
        quiet: list[str | Path] = ["pip", "compile", "--quiet", "--python", self.environment.python]
        return [*quiet, *_options(demand), *arguments]


def _options(demand: Demand) -> list[str]:
    flags = {"--upgrade": demand.upgrade, "--prerelease=allow": demand.pre, "--no-deps": demand.complete}
    return [*(flag for flag, is_set in flags.items() if is_set), *demand.options]


def _told(text: str) -> Iterator[Resolved]:
    """Read the lines of a dry run: ` + foo==1.0`."""
    for match in re.finditer(r"^ [+~] ([A-Za-z0-9._-]+)==([^\s]+)", text, re.MULTILINE):
        yield Resolved(canonicalize_name(match[1]), Version(match[2]))


def _locked(text: str) -> Iterator[Resolved]:
    for package in toml.loads(text).get("packages", ()):
        if "version" not in package:
            continue  # a folder or a repository: nothing that has one version
        tables = [*package.get("wheels", ()), *(package[key] for key in ("archive", "sdist") if key in package)]
        files = tuple(
            ResolvedFile(
                table.get("url") or Path(table["path"]).resolve().as_uri(), table.get("hashes", {}).get("sha256")
            )
            for table in tables
        )
        yield Resolved(canonicalize_name(package["name"]), Version(package["version"]), files)


def _platform(machine: Machine) -> list[str]:
    """Describe another machine as uv knows it: by one platform and the version of Python."""
    file = machine.store()
    modern = modern_platform(file.platform)
    arch = {"arm64": "aarch64", "amd64": "x86_64"}.get(file.platform.rpartition("_")[2], platform_architecture(modern))
    if match := re.fullmatch(r"manylinux_2_([0-9]+)_.+", modern):
        known = [17, 28, *range(31, 41)]
        best = max((minor for minor in known if minor <= int(match[1])), default=17)
        name = f"{arch}-manylinux_2_{best}"
    elif modern.startswith(("musllinux", "linux")):
        name = f"{arch}-unknown-linux-{'musl' if modern.startswith('musl') else 'gnu'}"
    else:
        name = f"{arch}-{'apple-darwin' if modern.startswith('macosx') else 'pc-windows-msvc'}"
    return ["--python-platform", name, "--python-version", machine.python_version, "--only-binary", ":all:"]
