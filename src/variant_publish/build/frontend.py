"""Frontends: PyPA's build, uv, or cibuildwheel make an sdist of a project, and wheels of the sdist."""

from __future__ import annotations

import os
import subprocess
import sys
import tarfile
from collections.abc import Callable, Mapping
from pathlib import Path

import msgspec
from msgspec.structs import replace
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from variant_publish.build import cibuildwheel_config
from variant_publish.config.tables import DEFAULT_FILE, TABLE, Frontend
from variant_publish.errors import UsageError, VariantPublishError
from variant_publish.formats import toml
from variant_publish.install.process import follow
from variant_publish.model.build_job import BuildSettings

_SUFFIX = ".tar.gz"
_LARGEST = 1024 * 1024
"""Bytes of a pyproject.toml."""


def is_sdist(path: Path) -> bool:
    """Return whether the source is an sdist; False for the folder of a project. Raises UsageError for neither."""
    if path.is_dir():
        if not any((path / name).is_file() for name in (DEFAULT_FILE, "setup.py")):
            raise UsageError(
                f"{path} is no project: it has neither {DEFAULT_FILE} nor setup.py", hint="name its folder or its sdist"
            )
        return False
    if not path.exists():
        raise UsageError(f"{path} does not exist", hint="name the folder of a project, or its sdist")
    if not path.name.endswith(_SUFFIX):
        raise UsageError(f"{path} is no sdist (PEP 625: NAME-VERSION{_SUFFIX})", hint="name a folder or an sdist")
    return True


def configuration(path: Path) -> str:
    """Return the text of the source's own pyproject.toml, "" where it has none. Raises UsageError for no source."""
    if not is_sdist(path):
        own = path / DEFAULT_FILE
        try:
            return own.read_text("utf-8") if own.exists() else ""
        except (OSError, UnicodeDecodeError) as error:
            raise UsageError(f"{own} cannot be read ({error})", hint="correct the file") from error
    try:
        with tarfile.open(path, "r:gz") as archive:
            for member in archive:
                if (
                    member.isfile()
                    and member.name.partition("/")[2] == DEFAULT_FILE
                    and (file := archive.extractfile(member))
                ):
                    if member.size > _LARGEST:
                        raise UsageError(f"{path} has a {DEFAULT_FILE} of {member.size:,} bytes", hint="make it again")
                    return file.read().decode("utf-8")
    except (tarfile.TarError, OSError, EOFError, UnicodeDecodeError) as error:
        raise _broken(path, error) from error
    return ""


def unpack(sdist: Path, folder: Path) -> Path:
    """Unpack an sdist into an empty folder and give the one folder that it holds.

    Members that would leave the folder, devices and links to the outside are refused (PEP 706). Raises UsageError.
    """
    try:
        with tarfile.open(sdist, "r:gz") as archive:
            archive.extractall(folder, filter="data")
    except (tarfile.TarError, OSError, EOFError) as error:
        raise _broken(sdist, error) from error
    found = list(folder.iterdir())
    if len(found) != 1 or not found[0].is_dir():
        raise UsageError(f"{sdist} is no sdist: it does not hold exactly one folder", hint="make it again")
    return found[0]


def _broken(path: Path, error: Exception) -> UsageError:
    return UsageError(f"{path} cannot be unpacked ({error})", hint="download it again, or build it again")


VARIABLE = "BUILD_VARIANT"
"""The variable by which every build can see which variant it makes."""

CONSTRAINTS = "variant-constraints.txt"
"""The file in the unpacked source that says what the build requirements of a variant are, such as `torch==2.9.*`."""

_CONSTRAINING = ("PIP_CONSTRAINT", "PIP_BUILD_CONSTRAINT", "UV_CONSTRAINT", "UV_BUILD_CONSTRAINT")
"""The variables that name constraints: of the requirements themselves, and of what is built for them."""

# A folder called build in the working directory is not the frontend.
_LOOK = """
import importlib.util, sys
sys.path = [place for place in sys.path if place]
sys.exit(importlib.util.find_spec("{0}") is None or importlib.util.find_spec("{0}.__main__") is None)
"""

_SPOKEN = {Frontend.BUILD: "python -m build", Frontend.UV: "uv build", Frontend.CIBUILDWHEEL: "cibuildwheel"}

Say = Callable[[str], object]


class BuildFailed(VariantPublishError):
    """Report that a frontend gave up; what it said was passed on while it ran."""


class Builder(msgspec.Struct, frozen=True):
    """Drive one frontend; `python` is the interpreter that runs it, and that build and uv make wheels for.

    `arguments` go to the frontend as they are, `environ` is what it sees besides the settings of a variant.
    """

    frontend: Frontend
    python: str = sys.executable
    arguments: tuple[str, ...] = ()
    environ: Mapping[str, str] = msgspec.field(default_factory=lambda: dict(os.environ))

    def __post_init__(self) -> None:
        if os.sep in self.python:  # programs run in other folders; links of virtual environments are not followed
            msgspec.structs.force_setattr(self, "python", str(Path(self.python).absolute()))

    @property
    def says_where(self) -> bool:
        """Return whether the arguments tell cibuildwheel for which machines it builds, other ones than this perhaps."""
        words = ("--only", "--platform", "--archs")
        return self.frontend is Frontend.CIBUILDWHEEL and any(one.startswith(words) for one in self.arguments)

    def preflight(self) -> None:
        """Raise UsageError where the frontend is not installed, before anything takes time."""
        self._program(Frontend.UV if self.frontend is Frontend.UV else Frontend.BUILD)
        self._program(self.frontend)

    def sdist(self, project: Path, folder: Path, say: Say) -> Path:
        """Make the sdist of a project in a folder that is not there yet; wheels are built from it.

        So no build sees what another one left behind.
        """
        maker = Frontend.UV if self.frontend is Frontend.UV else Frontend.BUILD
        arguments = () if self.frontend is Frontend.CIBUILDWHEEL else self.arguments
        command = self._command(maker, "--sdist", _made(folder), BuildSettings(), arguments, project)
        _run(maker, command, "the sdist", say, folder, self.environ)
        return _only(folder, "*.tar.gz", "the sdist")[0]

    def wheels(self, sdist: Path, folder: Path, variant: str, settings: BuildSettings, say: Say) -> tuple[Path, ...]:
        """Build the wheels of one variant in an empty folder, from a fresh copy of the sdist.

        Raises BuildFailed with the exit code, or where there is no wheel in the end.
        """
        settings = replace(settings, env={VARIABLE: variant, **settings.env})
        what = f"variant {variant!r}"
        output, source = folder / "dist", unpack(sdist, _made(folder / "source"))
        _made(output)
        settings = self._constrained(settings, source, say)
        if self.frontend is Frontend.CIBUILDWHEEL:
            file = folder / "cibuildwheel.toml"
            file.write_text(cibuildwheel_config.configured(configuration(source), settings), "utf-8")
            environ = cibuildwheel_config.extended(self.environ, settings)
            # It takes the working directory into its container; -P: what lies there are no modules of its own.
            command = [self.python, "-P", "-m", "cibuildwheel", "--output-dir", str(output), "--config-file", str(file)]
            _run(self.frontend, [*command, *self.arguments, "."], what, say, source, {**environ, **settings.env})
        else:
            command = self._command(self.frontend, "--wheel", output, settings, self.arguments, source)
            _run(self.frontend, command, what, say, output, {**self.environ, **settings.env})
        return _only(output, "*.whl", what)

    def _constrained(self, settings: BuildSettings, source: Path, say: Say) -> BuildSettings:
        """Return the settings with the constraints as a file, for whatever installs the build requirements."""
        if not settings.constraints:
            return settings
        requires = toml.loads(configuration(source)).get("build-system", {}).get("requires", [])
        names = {canonicalize_name(Requirement(text).name) for text in requires}
        for text in settings.constraints:
            if canonicalize_name(Requirement(text).name) not in names:
                say(f"warning: the project's build requirements lack {text}: install it before, without isolation")
        file = source / CONSTRAINTS
        file.write_text("".join(f"{text}\n" for text in settings.constraints), encoding="utf-8")
        # cibuildwheel takes the source into a container, and runs pip there.
        place = CONSTRAINTS if self.frontend is Frontend.CIBUILDWHEEL else str(file.absolute())
        found = {name: f"{self.environ[name]} {place}" if self.environ.get(name) else place for name in _CONSTRAINING}
        return replace(settings, env={**found, **settings.env})

    def _command(
        self, frontend: Frontend, kind: str, output: Path, settings: BuildSettings, arguments: tuple[str, ...],
        source: Path,
    ) -> list[str]:  # fmt: skip
        """Return the command of build or uv, whose options are the same but for the interpreter and the folder."""
        own = ["--python", self.python, "--out-dir"] if frontend is Frontend.UV else ["--outdir"]
        program = self._program(frontend)
        return [*program, kind, *own, str(output), *settings.arguments, *arguments, str(source.absolute())]

    def _program(self, frontend: Frontend) -> list[str]:
        """Return the beginning of the command; raise UsageError where it is not installed."""
        if frontend is Frontend.UV:
            from variant_publish.install.uv import find_uv

            if binary := find_uv():
                return [str(binary), "build"]
        elif self._has(frontend):
            return [self.python, "-m", frontend.value]
        raise UsageError(
            f"the frontend {frontend.value!r} is not installed for {self.python}",
            hint=f"pip install {frontend.value}, or name another one in [{TABLE}.build] frontend",
        )

    def _has(self, frontend: Frontend) -> bool:
        try:
            code = _LOOK.format(frontend.value)
            return subprocess.run([self.python, "-c", code], capture_output=True, check=False).returncode == 0
        except OSError as error:
            raise UsageError(
                f"{self.python} cannot be run ({error.strerror or error})", hint="name an interpreter with --python"
            ) from error


def _run(frontend: Frontend, command: list[str], what: str, say: Say, folder: Path, environ: Mapping[str, str]) -> None:
    # Python keeps back what it prints to a pipe, and a build of an hour would be silent.
    done = follow(command, say, folder=folder, environ={"PYTHONUNBUFFERED": "1", **environ})
    if done.status:
        raise BuildFailed(
            f"{_SPOKEN[frontend]} failed for {what} with exit code {done.status}",
            hint="what it said is above; the output folder has nothing of it",
        )


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True)
    return folder


def _only(folder: Path, pattern: str, what: str) -> tuple[Path, ...]:
    found = tuple(sorted(folder.glob(pattern)))
    if not found:
        raise BuildFailed(f"the build of {what} made no {pattern}", hint="see what the frontend said above")
    return found
