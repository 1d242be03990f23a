"""uv as the client: `uv pip compile` resolves, `uv pip install` installs."""

from __future__ import annotations

import re
import shutil
import tempfile
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self
from urllib.parse import unquote

from packaging.requirements import Requirement
from packaging.utils import NormalizedName, canonicalize_name
from packaging.version import Version

from variant_publish.dialects.wheel_name import WheelName
from variant_publish.formats.pylock import LockedFile
from variant_publish.install.client import Job, Resolved, follow, run
from variant_publish.install.environment import Environment, Installed
from variant_publish.model.tags import modern_platform
from variant_publish.progress import Reporter
from variant_publish.providers.machine import Machine
from variant_publish.providers.platforms import platform_architecture


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


@dataclass(frozen=True, slots=True)
class Universal:
    """A resolution for every machine: each distribution with its marker, and who depends on whom, by name."""

    packages: tuple[tuple[Resolved, str], ...]
    requires: Mapping[str, tuple[str, ...]]
    requires_python: str

    @classmethod
    def of(cls, lock: str, tree: str) -> Self:
        """Read uv's pylock.toml, and the comments of its requirements file ("via"), which tell the dependents."""
        data = tomllib.loads(lock)
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


@dataclass(frozen=True, slots=True)
class Uv:
    """Drive uv for an environment."""

    binary: Path
    environment: Environment
    environ: Mapping[str, str]
    name: str = "uv"

    def default_index(self) -> str:
        """Return UV_DEFAULT_INDEX, or the default of everybody."""
        from variant_publish.remote.listing import PYPI

        return self.environ.get("UV_DEFAULT_INDEX") or self.environ.get("UV_INDEX_URL") or PYPI

    def resolve(self, job: Job) -> tuple[Resolved, ...]:
        """Compile the requirements, for a described machine into a lock file, which tells URLs and hashes."""
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            command: list[str | Path] = [
                self.binary,
                "pip",
                "compile",
                "--quiet",
                "--python",
                self.environment.python,
                *_indexes(job),
            ]
            # `uv pip compile` takes the requirements as an argument, where `uv pip install` takes -r.
            arguments = job.write(folder)[1:]
            if job.described is not None:
                lock = folder / "pylock.toml"
                platform = _platform(job.described)
                run([*command, *platform, "--format", "pylock.toml", "--output-file", lock, *arguments], "uv")
                return tuple(_locked(lock.read_text("utf-8")))
            output = folder / "resolved.txt"
            # An output file that is there already is what uv prefers: so what is installed stays where it fits.
            output.write_text("".join(f"{item.project}=={item.version}\n" for item in self._installed), "utf-8")
            run([*command, "--no-header", "--no-annotate", "--output-file", output, *arguments], "uv")
            return tuple(_compiled(output.read_text("utf-8")))

    def resolve_universal(
        self, job: Job, known: Iterable[tuple[NormalizedName, Version, Sequence[str]]], python: str | None
    ) -> Universal:
        """Resolve for every machine at once; of the releases in `known` their requirements are given, not read.

        `python` is the oldest Python that counts, by default that of the environment. What is known is handed over in
        a configuration file, in whose place uv reads no other; its environment variables count. Raises ClientFailed.
        """
        import tomlkit

        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            config, lock, tree = folder / "uv.toml", folder / "pylock.toml", folder / "tree.txt"
            tables = [
                {"name": project, "version": str(version), "requires-dist": list(requires)}
                for project, version, requires in known
            ]
            config.write_text(tomlkit.dumps({"dependency-metadata": tables}) if tables else "", "utf-8")
            command: list[str | Path] = [
                self.binary, "pip", "compile", "--quiet", "--universal", "--python", self.environment.python,
                "--config-file", config, *(["--python-version", python] if python else []), *_indexes(job),
                *job.write(folder)[1:],
            ]  # fmt: skip
            run([*command, "--format", "pylock.toml", "--output-file", lock], "uv")
            run([*command, "--no-header", "--annotation-style", "split", "--output-file", tree], "uv")
            return Universal.of(lock.read_text("utf-8"), tree.read_text("utf-8"))

    def install(self, job: Job, reinstall: Sequence[NormalizedName], reporter: Reporter) -> None:
        """Install, and replace those that have the same version."""
        target = self.environment.target
        options: list[str | Path] = [] if target is None else ["--target", target]
        with tempfile.TemporaryDirectory() as folder:
            follow(
                [
                    self.binary, "pip", "install", "--python", self.environment.python, "--no-progress",
                    *options,
                    *(part for name in reinstall for part in ("--reinstall-package", name)),
                    *_indexes(job), *job.write(Path(folder)),
                ],
                "uv", reporter,
            )  # fmt: skip

    @property
    def _installed(self) -> Iterable[Installed]:
        return self.environment.installed().values()


def _compiled(text: str) -> Iterator[Resolved]:
    for line in text.splitlines():
        if not line.strip() or line.lstrip().startswith(("#", "-")):
            continue
        requirement = Requirement(line)
        name = canonicalize_name(requirement.name)
        if requirement.url is None:
            yield Resolved(name, Version(next(iter(requirement.specifier)).version))
        elif (file := requirement.url.rpartition("/")[2].partition("#")[0]).endswith(".whl"):
            yield Resolved(name, WheelName.parse(unquote(file)).parsed_version)


def _locked(text: str) -> Iterator[Resolved]:
    for package in tomllib.loads(text).get("packages", ()):
        if "version" not in package:
            continue  # a folder or a repository: nothing that has one version
        tables = [*package.get("wheels", ()), *(package[key] for key in ("archive", "sdist") if key in package)]
        files = tuple(
            LockedFile(
                table.get("url") or Path(table["path"]).resolve().as_uri(), table.get("hashes", {}).get("sha256", "")
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


def _indexes(job: Job) -> list[str]:
    repositories, folders = job.flat()
    default = [] if job.default_index is None else ["--default-index", job.default_index]
    return [
        *default,
        *(part for url in repositories for part in ("--index", url)),
        *(part for folder in folders for part in ("--find-links", folder)),
    ]
