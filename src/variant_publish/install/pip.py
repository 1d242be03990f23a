"""pip as the client: the report of a dry run says what it would install."""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import msgspec
from packaging.utils import NormalizedName, canonicalize_name
from packaging.version import Version

from variant_publish.install.client import ClientFailed, ClientProcess, Demand, Resolved, ResolvedFile
from variant_publish.install.environment import Environment
from variant_publish.install.process import follow
from variant_publish.progress import Reporter
from variant_publish.providers.machine import Machine
from variant_publish.remote.default_index import pypi

_QUIET = ("--disable-pip-version-check", "--no-input")


class Pip(msgspec.Struct, frozen=True):
    """Drive the pip of an environment; where it has none, the pip beside this tool by its `--python`."""

    environment: Environment
    environ: Mapping[str, str]
    name: str = "pip"

    def default_index(self) -> str:
        """Return PIP_INDEX_URL, the configured index-url, or the default of everybody."""
        if self.environ.get("PIP_INDEX_URL"):
            return self.environ["PIP_INDEX_URL"]
        for key in ("install.index-url", "global.index-url"):
            lines: list[str] = []
            done = follow([*self._program, "config", "get", key], lines.append, environ=self.environ)
            if done.status == 0 and lines:
                return lines[-1].strip()
        return pypi()

    def resolve(self, demand: Demand, index: str) -> tuple[Resolved, ...]:
        """Return the report of a dry run: only what is not there yet, but for a described machine everything."""
        with tempfile.TemporaryDirectory(prefix="variant-publish-") as name:
            folder = Path(name)
            report = folder / "report.json"
            options: list[str | Path] = ["install", "--dry-run", "--quiet", "--report", report]
            if demand.described is not None:
                options += ["--ignore-installed", "--target", folder / "none", *_platform(demand.described)]
            else:
                options += self._target
            self._process.ask([*options, *_options(demand), *demand.write(folder)], index, folder)
            return tuple(_resolved(report.read_text(encoding="utf-8")))

    def install(self, demand: Demand, index: str, reinstall: Sequence[str], reporter: Reporter) -> None:
        """Install; pip leaves a distribution of the same version alone, so those are forced one by one."""
        with tempfile.TemporaryDirectory(prefix="variant-publish-") as name:
            folder = Path(name)
            # With --target, what is there already is replaced only with --upgrade.
            options: list[str | Path] = ["install", *self._target, *(["--upgrade"] if self.environment.target else [])]
            self._process.stream([*options, *_options(demand), *demand.write(folder)], index, folder, reporter)
            if reinstall and not self.environment.target:
                forced = ["install", "--no-deps", "--force-reinstall", *reinstall]
                self._process.stream(forced, index, folder, reporter)

    @property
    def _program(self) -> tuple[str, ...]:
        if self.environment.has_pip:
            return (str(self.environment.python), "-m", "pip", *_QUIET)
        return (sys.executable, "-m", "pip", "--python", str(self.environment.python), *_QUIET)

    @property
    def _process(self) -> ClientProcess:
        return ClientProcess(self.name, self._program, self.environ)

    @property
    def _target(self) -> list[str | Path]:
        return [] if self.environment.target is None else ["--target", self.environment.target]


def _options(demand: Demand) -> list[str]:
    flags = {"--upgrade": demand.upgrade, "--pre": demand.pre, "--no-deps": demand.complete}
    return [*(flag for flag, is_set in flags.items() if is_set), *demand.options]


def _resolved(report: str) -> Iterator[Resolved]:
    try:
        for item in json.loads(report)["install"]:
            info = item["download_info"]
            sha256 = info.get("archive_info", {}).get("hashes", {}).get("sha256")
            name: NormalizedName = canonicalize_name(item["metadata"]["name"])
            yield Resolved(name, Version(item["metadata"]["version"]), (ResolvedFile(info["url"], sha256),))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ClientFailed(f"the report of pip cannot be read ({error!r})", hint="use a newer pip, or uv") from error


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
