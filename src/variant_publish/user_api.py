"""The library's face for users of a release: choose, lock, install, evaluate, diagnose; nothing here prints."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from variant_publish.progress import SILENT, Reporter

if TYPE_CHECKING:
    from variant_publish.formats.pylock import Lock
    from variant_publish.host.machine import Machine
    from variant_publish.installation.client import Client
    from variant_publish.installation.doctor import Diagnosis
    from variant_publish.installation.environment import Environment
    from variant_publish.installation.plan import InstallPlan
    from variant_publish.model.requirement import TaggedRequirement
    from variant_publish.selection import Indexes


@dataclass(frozen=True, slots=True)
class PlannedInstall:
    """Hold what `install` will do, and the environment and client that it was planned for."""

    plan: InstallPlan
    environment: Environment
    client: Client


def plan_install(
    requirements: Sequence[TaggedRequirement],
    indexes: Indexes,
    environment: Environment,
    machine: Machine,
    *,
    client: str | None = None,
    default_index: str | None = None,
    generic: bool = False,
    environ: Mapping[str, str],
    reporter: Reporter = SILENT,
) -> PlannedInstall:
    """Choose the wheels that an environment on this machine gets, with everything that they need.

    Chosen wheels are downloaded into the user's cache; nothing is installed. `client` is "pip" or "uv", by default the
    one that the environment is used with; `generic` asks for the builds that serve everyone. Raises
    VariantPublishError where a demand cannot be met.
    """
    from variant_publish.installation.cache import Cache
    from variant_publish.installation.choose_client import choose_client
    from variant_publish.installation.plan import Planner

    driven = choose_client(client, environment, environ)
    here, cache = environment.machine(machine), Cache.of_user(environ)
    planner = Planner(environment, driven, indexes, here, cache, reporter, generic=generic)
    return PlannedInstall(planner.plan(requirements, default_index), environment, driven)


def lock(
    requirements: Sequence[TaggedRequirement],
    indexes: Indexes,
    environment: Environment,
    machine: Machine,
    *,
    client: str | None = None,
    default_index: str | None = None,
    generic: bool = False,
    environ: Mapping[str, str],
    reporter: Reporter = SILENT,
) -> Lock:
    """Resolve for a machine, this or a described one, and give every file by URL and hash; nothing is installed.

    `environment` is where the client runs; what is installed in it does not count.
    """
    from variant_publish.installation.cache import Cache
    from variant_publish.installation.choose_client import choose_client
    from variant_publish.installation.lock import lock_of
    from variant_publish.installation.plan import Planner

    driven, cache = choose_client(client, environment, environ), Cache.of_user(environ)
    planner = Planner(environment, driven, indexes, machine, cache, reporter, generic=generic, described=True)
    return lock_of(planner.plan(requirements, default_index), machine, cache, reporter)


def lock_universal(
    requirements: Sequence[TaggedRequirement],
    indexes: Indexes,
    environment: Environment,
    *,
    client: str | None = None,
    default_index: str | None = None,
    python: str | None = None,
    environ: Mapping[str, str],
    reporter: Reporter = SILENT,
) -> Lock:
    """Resolve for every machine at once, and give every wheel of every variant by URL and hash.

    `python` is the oldest Python that counts. uv resolves: pip does so for one machine only. Raises UsageError for
    another client, VariantPublishError where there is no resolution that serves all.
    """
    from variant_publish.errors import UsageError
    from variant_publish.installation.cache import Cache
    from variant_publish.installation.choose_client import choose_client
    from variant_publish.installation.universal import UniversalLocker
    from variant_publish.installation.uv import Uv

    driven = choose_client(client or "uv", environment, environ)
    if not isinstance(driven, Uv):
        raise UsageError("pip resolves for one machine only", hint="install uv, and leave out --with pip")
    locker = UniversalLocker(driven, indexes, Cache.of_user(environ), reporter)
    return locker.lock(requirements, default_index, python)


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

    Of a lock for every machine, those for `machine` are chosen, or the `generic` builds; no index is asked.
    """
    from variant_publish.installation.cache import Cache
    from variant_publish.installation.choose_client import choose_client
    from variant_publish.installation.locked import narrowed, plan_of

    driven = choose_client(client, environment, environ)
    own = narrowed(lock, environment.machine(machine), generic=generic)
    plan = plan_of(own, environment, driven.name, Cache.of_user(environ), reporter)
    return PlannedInstall(plan, environment, driven)


def install(planned: PlannedInstall, reporter: Reporter = SILENT) -> None:
    """Carry out one planned installation."""
    from variant_publish.installation.apply import apply

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
    """Give the machine with what the selector functions and plugins of a release say of it.

    Only those run that are `allowed` by the name of their variable or namespace, each in an environment made for it.
    """
    from variant_publish.installation.choose_client import choose_client
    from variant_publish.installation.evaluate import Sandbox, evaluated
    from variant_publish.selection.from_index import selector_files

    files = selector_files(requirement.project, indexes.urls, requirement.plain.specifier or None)
    sandbox = Sandbox(lambda place: choose_client(client, place, environ), allowed, indexes.urls, default_index)
    return evaluated(machine, files, sandbox, environ, reporter)


def doctor(environment: Environment, machine: Machine, indexes: Indexes) -> tuple[Diagnosis, ...]:
    """Say of each installed variant whether it fits, whether the index has a better one, whether its pins hold."""
    from variant_publish.installation.doctor import diagnose

    return diagnose(environment, environment.machine(machine), indexes)
