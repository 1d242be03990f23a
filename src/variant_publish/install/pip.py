"""pip as the client: `--report` says what it would install."""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from packaging.utils import NormalizedName, canonicalize_name
from packaging.version import Version

from variant_publish.errors import VariantPublishError
from variant_publish.formats.pylock import LockedFile
from variant_publish.install.client import Job, Resolved, follow, run
from variant_publish.install.environment import Environment
from variant_publish.progress import Reporter
from variant_publish.providers.machine import Machine


@dataclass(frozen=True, slots=True)
class Pip:
    """Drive the pip of an environment; where it has none, the pip beside this tool by its `--python`."""

    environment: Environment
    environ: Mapping[str, str]
    name: str = "pip"

    def default_index(self) -> str:
        """Return PIP_INDEX_URL, the configured index-url, or the default of everybody."""
        from variant_publish.remote.listing import PYPI

        if self.environ.get("PIP_INDEX_URL"):
            return self.environ["PIP_INDEX_URL"]
        try:
            return run([*self._pip, "config", "get", "global.index-url"], "pip config").strip()
        except VariantPublishError:  # no such key
            return PYPI

    def resolve(self, job: Job) -> tuple[Resolved, ...]:
        """Ask for the report of a dry run: only what is not there yet, but for a described machine everything."""
        with tempfile.TemporaryDirectory() as folder:
            report = Path(folder, "report.json")
            options: list[str | Path] = ["--dry-run", "--quiet", "--report", report]
            if job.described is not None:
                options += ["--ignore-installed", "--target", Path(folder, "none"), *_platform(job.described)]
            else:
                options += self._target
            run([*self._pip, "install", *options, *_indexes(job), *job.write(Path(folder))], "pip")
            return tuple(_resolved(report.read_text("utf-8")))

    def install(self, job: Job, reinstall: Sequence[NormalizedName], reporter: Reporter) -> None:
        """Install; pip leaves a distribution of the same version alone, so those are forced one by one."""
        with tempfile.TemporaryDirectory() as folder:
            arguments = [*_indexes(job), *job.write(Path(folder))]
            # With --target, what is there already is replaced only with --upgrade.
            options: list[str | Path] = [*self._target, *(["--upgrade"] if self.environment.target else [])]
            follow([*self._pip, "install", *options, *arguments], "pip", reporter)
            forced = [f"{name} @ {job.pinned[name]}" for name in reinstall]
            if forced and not self.environment.target:
                follow([*self._pip, "install", "--no-deps", "--force-reinstall", *forced], "pip", reporter)

    @property
    def _pip(self) -> list[str | Path]:
        quiet: list[str | Path] = ["--disable-pip-version-check", "--no-input"]
        if self.environment.has_pip:
            return [self.environment.python, "-m", "pip", *quiet]
        return [sys.executable, "-m", "pip", "--python", self.environment.python, *quiet]

    @property
    def _target(self) -> list[str | Path]:
        return [] if self.environment.target is None else ["--target", self.environment.target]


def _resolved(report: str) -> Iterator[Resolved]:
    for item in json.loads(report)["install"]:
        info = item["download_info"]
        yield Resolved(
            canonicalize_name(item["metadata"]["name"]),
            Version(item["metadata"]["version"]),
            (LockedFile(info["url"], info.get("archive_info", {}).get("hashes", {}).get("sha256", "")),),
        )


def _indexes(job: Job) -> list[str]:
    repositories, folders = job.flat()
    default = [] if job.default_index is None else ["--index-url", job.default_index]
    return [
        *default,
        *(part for url in repositories for part in ("--extra-index-url", url)),
        *(part for folder in folders for part in ("--find-links", folder)),
    ]


def _platform(machine: Machine) -> list[str]:
    """Describe another machine as pip knows it: by its tags, and then no sdist can be built."""
    platforms = dict.fromkeys(tag.platform for tag in machine.tags if tag.platform != "any")
    abis = dict.fromkeys(tag.abi for tag in machine.tags)
    return [
        "--only-binary=:all:",
        "--implementation=cp",
        f"--python-version={machine.python_version}",
        *(f"--abi={abi}" for abi in abis),
        *(f"--platform={platform}" for platform in platforms),
    ]
