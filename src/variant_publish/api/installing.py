"""For users of a release: choose, lock, install, evaluate, diagnose.

`environ` are environment variables, as a mapping: which pip or uv is driven, where caches and preferences lie.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from pathlib import Path

import msgspec
from msgspec.structs import replace

from variant_publish.dialects.base import Dialect
from variant_publish.errors import UsageError
from variant_publish.formats.pylock import Lock
from variant_publish.install.choose_client import choose_client
from variant_publish.install.client import Client, Demand
from variant_publish.install.doctor import Diagnosis, diagnose
from variant_publish.install.environment import Environment
from variant_publish.install.evaluate import Sandbox, evaluated
from variant_publish.install.locked import narrowed, plan_lock
from variant_publish.install.locker import lock_of, refuse_unreadable
from variant_publish.install.planner import InstallPlan, Planner, carry_out
from variant_publish.install.requirement_files import read_lines
from variant_publish.install.universal import UniversalLocker, UniversalProjects
from variant_publish.install.uv import Uv
from variant_publish.model.requirement import TaggedRequirement
from variant_publish.progress import SILENT, Reporter
from variant_publish.providers.machine import Machine
from variant_publish.serve.projects import Projects
from variant_publish.serve.wheel_cache import WheelCache
from variant_publish.view import Indexes, Selection, Wish
from variant_publish.view import select as choose
from variant_publish.view.from_index import selector_files


class Request(msgspec.Struct, frozen=True):
    """What is wanted, from where, for which environment and machine.

    `lines` and `constraints` are lines of requirements and constraints files. `client` is "pip" or "uv", by default
    the one that the environment is used with, and `options` are its own; `default_index` is the URL of the index of
    everything else, by default the client's own; `generic` asks for the builds that serve all hardware.
    """

    requirements: tuple[TaggedRequirement, ...]
    indexes: Indexes
    environment: Environment
    machine: Machine
    client: str | None = None
    default_index: str | None = None
    generic: bool = False
    lines: tuple[str | TaggedRequirement, ...] = ()
    constraints: tuple[str | TaggedRequirement, ...] = ()
    options: tuple[str, ...] = ()
    upgrade: bool = False
    pre: bool = False

    @property
    def tagged(self) -> tuple[TaggedRequirement, ...]:
        """Return the requirements that are read here: those that are named, and those of files."""
        return (*self.requirements, *_tagged(self.lines))

    def demand(self, described: Machine | None = None) -> Demand:
        """Return what the client is told."""

        def plain(lines: Iterable[str | TaggedRequirement]) -> tuple[str, ...]:
            return tuple(line if isinstance(line, str) else str(line.plain) for line in lines)

        return Demand(
            plain((*self.requirements, *self.lines)), plain(self.constraints), self.options, self.upgrade, self.pre,
            described=described,
        )  # fmt: skip


def _tagged(lines: Iterable[str | TaggedRequirement]) -> tuple[TaggedRequirement, ...]:
    return tuple(line for line in lines if not isinstance(line, str))


class PlannedInstall(msgspec.Struct, frozen=True):
    """What `install` does, and the environment and client that it was planned for."""

    plan: InstallPlan
    environment: Environment
    client: Client


def select(
    requirement: TaggedRequirement,
    indexes: Indexes,
    machine: Machine,
    *,
    dialect: Dialect | None = None,
    generic: bool = False,
) -> Selection:
    """Return which wheel of a project a machine gets, and why each other one lost; no wheel is downloaded.

    The first index that has the project counts. `dialect` looks at the wheels of one dialect only, `generic` asks for
    the build that serves everyone. Raises VariantPublishError where no index has the project, or one cannot be read.
    """
    version, wish = requirement.plain.specifier or None, Wish(requirement.tags, generic=generic)
    return choose(requirement.plain.name, indexes, machine, version=version, dialect=dialect, wish=wish)


def plan_install(request: Request, *, environ: Mapping[str, str], reporter: Reporter = SILENT) -> PlannedInstall:
    """Plan what an environment on this machine gets: pip or uv resolves, against the view of the machine.

    Nothing is installed. Raises VariantPublishError where a demand cannot be met.
    """
    machine = request.environment.machine(request.machine)
    driven, planner = _planner(request, machine, environ, reporter)
    plan = planner.plan(request.tagged, request.demand(), _tagged(request.constraints))
    return PlannedInstall(plan, request.environment, driven)


def lock(request: Request, *, environ: Mapping[str, str], reporter: Reporter = SILENT) -> Lock:
    """Resolve for a machine, this or a described one, and return every file by URL and hash (PEP 751).

    Nothing is installed. The request's environment is where the client runs; what is installed in it does not count.
    Raises VariantPublishError where a demand cannot be met.
    """
    _, planner = _planner(request, request.machine, environ, reporter)
    plan = planner.plan(request.tagged, request.demand(request.machine), _tagged(request.constraints))
    return lock_of(plan, reporter)


def lock_universal(
    request: Request, *, python: str | None = None, environ: Mapping[str, str], reporter: Reporter = SILENT
) -> Lock:
    """Resolve for every machine at once, and return every wheel of every variant by URL and hash.

    `python` is the oldest Python that counts; the request's machine does not. uv resolves: pip does so for one machine
    only. Raises UsageError for another client, VariantPublishError where there is no resolution that serves all.
    """
    request = replace(request, client=request.client or "uv", generic=True)
    driven, planner = _planner(request, request.machine, environ, reporter)
    if not isinstance(driven, Uv):
        raise UsageError("pip resolves for one machine only", hint="install uv, and leave out --with pip")
    seen = planner.projects
    projects = UniversalProjects(seen.indexes, seen.default, seen.machine, seen.cache, generic=True, reporter=reporter)
    return UniversalLocker(driven, projects).lock(request.tagged, request.demand(), python)


def plan_locked(request: Request, lock: Lock, *, environ: Mapping[str, str]) -> PlannedInstall:
    """Plan the installation of a lock's very files into the environment of the request; its requirements are unused.

    Of a lock for every machine, those for the request's machine are chosen; no index is asked. Raises
    VariantPublishError where the lock is for another machine.
    """
    driven = choose_client(request.client, request.environment, environ)
    versions = {one.project.replace("-", "_"): one.version.partition("+")[0] for one in lock.packages}
    machine = replace(request.environment.machine(request.machine), abi=versions)
    own = narrowed(lock, machine, generic=request.generic)
    plan = plan_lock(own, request.environment, driven.name, WheelCache.of_user(environ))
    return PlannedInstall(plan, request.environment, driven)


def install(planned: PlannedInstall, reporter: Reporter = SILENT) -> None:
    """Carry out one planned installation; raise VariantPublishError with what the client said if it failed."""
    carry_out(planned.plan, planned.environment, planned.client, reporter)


def requirement_lines(file: Path, parse: Callable[[str], TaggedRequirement]) -> tuple[str | TaggedRequirement, ...]:
    """Return the lines of a requirements file, those with extra tags by `parse`; raise UsageError that names it."""
    return tuple(read_lines(file, parse))


def read_lock(file: Path) -> Lock:
    """Return a lock that `lock` wrote; raise VariantPublishError for any other file."""
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{file} cannot be read ({error})", hint="name a pylock.toml") from error
    return Lock.parse(text)


def requirements_of(lock: Lock) -> str:
    """Return a lock as a requirements file; raise VariantPublishError where no installer could read that."""
    refuse_unreadable(lock)
    return lock.requirements()


def _planner(
    request: Request, machine: Machine, environ: Mapping[str, str], reporter: Reporter
) -> tuple[Client, Planner]:
    driven = choose_client(request.client, request.environment, environ)
    default = request.default_index or driven.default_index()
    projects = Projects(
        request.indexes, default, machine, WheelCache.of_user(environ), generic=request.generic, reporter=reporter
    )
    return driven, Planner(request.environment, driven, projects, reporter)


def evaluate(
    request: Request, *, allowed: Collection[str], environ: Mapping[str, str], reporter: Reporter = SILENT
) -> Machine:
    """Return the request's machine with what the selector functions and plugins of a release say of it.

    The release is that of the first requirement. Only those run that are `allowed` by the name of their variable or
    namespace, each in an environment made for it, for a minute at most. Raises VariantPublishError where one fails.
    """
    wanted = request.requirements[0]
    files = selector_files(wanted.project, request.indexes.urls, wanted.plain.specifier or None)
    _, planner = _planner(request, request.machine, environ, reporter)
    sandbox = Sandbox(lambda place: choose_client(request.client, place, environ), allowed, planner.projects)
    return evaluated(request.machine, files, sandbox, environ, reporter)


def doctor(environment: Environment, machine: Machine, indexes: Indexes) -> tuple[Diagnosis, ...]:
    """Return of each installed variant whether it fits, whether the index has a better one, whether its pins hold."""
    return diagnose(environment, environment.machine(machine), indexes)
