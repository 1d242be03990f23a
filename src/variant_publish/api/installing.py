"""For users of a release: choose, lock, install, evaluate, diagnose.

Each function imports the room that does its work. `environ` are environment variables, as a mapping: which pip or uv is
driven, where caches and preferences lie.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from variant_publish.progress import SILENT, Reporter

if TYPE_CHECKING:
    from variant_publish.dialects.base import Dialect
    from variant_publish.formats.pylock import Lock
    from variant_publish.install.client import Client
    from variant_publish.install.doctor import Diagnosis
    from variant_publish.install.environment import Environment
    from variant_publish.install.plan import InstallPlan
    from variant_publish.model.requirement import TaggedRequirement
    from variant_publish.providers.machine import Machine
    from variant_publish.view import Indexes, Selection

__all__ = [
    "PlannedInstall",
    "Request",
    "doctor",
    "evaluate",
    "install",
    "lock",
    "lock_universal",
    "plan_install",
    "plan_locked",
    "select",
]


@dataclass(frozen=True, slots=True)
class Request:
    """What is wanted, from where, for which environment and machine.

    `client` is "pip" or "uv", by default the one that the environment is used with; `default_index` is the URL of the
    index of everything else, by default the client's own; `generic` asks for the builds that serve everyone.
    """

    requirements: tuple[TaggedRequirement, ...]
    indexes: Indexes
    environment: Environment
    machine: Machine
    client: str | None = None
    default_index: str | None = None
    generic: bool = False


@dataclass(frozen=True, slots=True)
class PlannedInstall:
    """What `install` will do, and the environment and client that it was planned for."""

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
    from variant_publish.view import select as choose

    specifier = requirement.plain.specifier or None
    return choose(
        requirement.plain.name, indexes.urls, machine,
        version=specifier, dialect=dialect, tags=requirement.tags, implied=indexes.implied, generic=generic,
    )  # fmt: skip


def plan_install(request: Request, *, environ: Mapping[str, str], reporter: Reporter = SILENT) -> PlannedInstall:
    """Choose the wheels that an environment on this machine gets, with everything that they need.

    Chosen wheels are downloaded into the user's cache, and their hashes checked; nothing is installed. Raises
    VariantPublishError where a demand cannot be met.
    """
    from variant_publish.install.choose_client import choose_client
    from variant_publish.install.plan import Planner
    from variant_publish.serve.wheel_cache import WheelCache

    driven = choose_client(request.client, request.environment, environ)
    here, cache = request.environment.machine(request.machine), WheelCache.of_user(environ)
    planner = Planner(request.environment, driven, request.indexes, here, cache, reporter, generic=request.generic)
    plan = planner.plan(request.requirements, request.default_index)
    return PlannedInstall(plan, request.environment, driven)


def lock(request: Request, *, environ: Mapping[str, str], reporter: Reporter = SILENT) -> Lock:
    """Resolve for a machine, this or a described one, and give every file by URL and hash (PEP 751).

    Nothing is installed. The request's environment is where the client runs; what is installed in it does not count.
    Raises VariantPublishError where a demand cannot be met.
    """
    from variant_publish.install.choose_client import choose_client
    from variant_publish.install.lock import lock_of
    from variant_publish.install.plan import Planner
    from variant_publish.serve.wheel_cache import WheelCache

    driven, cache = choose_client(request.client, request.environment, environ), WheelCache.of_user(environ)
    planner = Planner(
        request.environment, driven, request.indexes, request.machine, cache, reporter,
        generic=request.generic, described=True,
    )  # fmt: skip
    return lock_of(planner.plan(request.requirements, request.default_index), request.machine, cache, reporter)


def lock_universal(
    request: Request, *, python: str | None = None, environ: Mapping[str, str], reporter: Reporter = SILENT
) -> Lock:
    """Resolve for every machine at once, and give every wheel of every variant by URL and hash.

    `python` is the oldest Python that counts; the request's machine does not. uv resolves: pip does so for one machine
    only. Raises UsageError for another client, VariantPublishError where there is no resolution that serves all.
    """
    from variant_publish.errors import UsageError
    from variant_publish.install.choose_client import choose_client
    from variant_publish.install.universal import UniversalLocker
    from variant_publish.install.uv import Uv
    from variant_publish.serve.wheel_cache import WheelCache

    driven = choose_client(request.client or "uv", request.environment, environ)
    if not isinstance(driven, Uv):
        raise UsageError("pip resolves for one machine only", hint="install uv, and leave out --with pip")
    locker = UniversalLocker(driven, request.indexes, WheelCache.of_user(environ), reporter)
    return locker.lock(request.requirements, request.default_index, python)


def plan_locked(
    lock: Lock,
    environment: Environment,
    machine: Machine,
    *,
    generic: bool = False,
    client: str | None = None,
    environ: Mapping[str, str],
    reporter: Reporter = SILENT,
) -> PlannedInstall:
    """Plan the installation of a lock's very files, on whatever machine this is.

    Of a lock for every machine, those for `machine` are chosen, or the `generic` builds; no index is asked. Raises
    VariantPublishError where a file is gone or has another hash.
    """
    from variant_publish.install.choose_client import choose_client
    from variant_publish.install.locked import narrowed, plan_of
    from variant_publish.serve.wheel_cache import WheelCache

    driven = choose_client(client, environment, environ)
    own = narrowed(lock, environment.machine(machine), generic=generic)
    plan = plan_of(own, environment, driven.name, WheelCache.of_user(environ), reporter)
    return PlannedInstall(plan, environment, driven)


def install(planned: PlannedInstall, reporter: Reporter = SILENT) -> None:
    """Carry out one planned installation; raise VariantPublishError with what the client said if it failed."""
    from variant_publish.install.apply import apply

    apply(planned.plan, planned.environment, planned.client, reporter)


def evaluate(
    requirement: TaggedRequirement,
    indexes: Indexes,
    machine: Machine,
    *,
    allowed: Collection[str],
    client: str | None = None,
    default_index: str | None = None,
    environ: Mapping[str, str],
    reporter: Reporter = SILENT,
) -> Machine:
    """Return the machine with what the selector functions and plugins of a release say of it.

    Only those run that are `allowed` by the name of their variable or namespace, each in an environment made for it,
    for a minute at most. Raises VariantPublishError where one of them fails.
    """
    from variant_publish.install.choose_client import choose_client
    from variant_publish.install.evaluate import Sandbox, evaluated
    from variant_publish.view.from_index import selector_files

    files = selector_files(requirement.project, indexes.urls, requirement.plain.specifier or None)
    sandbox = Sandbox(lambda place: choose_client(client, place, environ), allowed, indexes.urls, default_index)
    return evaluated(machine, files, sandbox, environ, reporter)


def doctor(environment: Environment, machine: Machine, indexes: Indexes) -> tuple[Diagnosis, ...]:
    """Return of each installed variant whether it fits, whether the index has a better one, whether its pins hold."""
    from variant_publish.install.doctor import diagnose

    return diagnose(environment, environment.machine(machine), indexes)
