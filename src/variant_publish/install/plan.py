"""What will be installed: the wheels that we choose, and what pip or uv resolves around them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import Any

from packaging.specifiers import SpecifierSet
from packaging.utils import NormalizedName

from variant_publish.dialects.wheel_name import WheelName
from variant_publish.errors import VariantPublishError
from variant_publish.formats.installed import InstalledVariant
from variant_publish.install.client import Client, Job, Resolved
from variant_publish.install.environment import Environment, Installed
from variant_publish.install.origin import Verdict, judge
from variant_publish.install.plain import plain_for
from variant_publish.model.requirement import TaggedRequirement
from variant_publish.model.url import redact
from variant_publish.progress import SILENT, Reporter
from variant_publish.providers.machine import Machine
from variant_publish.remote.listing import read_project
from variant_publish.serve.wheel_cache import WheelCache
from variant_publish.view import Indexes, Selection, select
from variant_publish.view.from_index import ProjectNotFound

PYPI = "pypi"
"""The extra tag that the client's own index vouches for, unless another index is named for it."""

_ROUNDS = 20


class Action(StrEnum):
    """Name what happens to one package."""

    INSTALL = "install"
    REPLACE = "replace"
    KEEP = "keep"


@dataclass(frozen=True, slots=True)
class Chosen:
    """One wheel that we chose: `source` as the index has it, `plain` as pip and uv take it."""

    selection: Selection
    source: Path
    plain: Path
    record: InstalledVariant
    pins: tuple[TaggedRequirement, ...]
    action: Action = Action.INSTALL

    @property
    def project(self) -> NormalizedName:
        """Return the project's normalised name."""
        return WheelName.parse(self.plain.name).project

    def acting(self, action: Action) -> Chosen:
        """Return the same wheel with what happens to it."""
        return replace(self, action=action)

    def table(self) -> dict[str, Any]:
        """Return the JSON object."""
        return {
            "project": self.project,
            "version": self.record.version,
            "wheel": self.record.wheel,
            "variant": self.record.variant,
            "index": self.record.index,
            "sha256": self.record.sha256,
            "action": self.action,
            "pins": list(map(str, self.pins)),
        }


@dataclass(frozen=True, slots=True)
class InstallPlan:
    """The chosen wheels, and `others`, which the client takes from its indexes; `job` is what it is told."""

    chosen: tuple[Chosen, ...]
    others: tuple[Resolved, ...]
    job: Job
    client: str

    def table(self) -> dict[str, Any]:
        """Return the JSON object."""
        return {
            "client": self.client,
            "chosen": [item.table() for item in self.chosen],
            "others": [{"project": item.name, "version": str(item.version)} for item in self.others],
        }


class Planner:
    """Choose wheels and let the client resolve, in turn, until nothing is left to choose.

    A `described` machine is another one: what is installed here does not count.
    """

    def __init__(
        self,
        environment: Environment,
        client: Client,
        indexes: Indexes,
        machine: Machine,
        cache: WheelCache,
        reporter: Reporter = SILENT,
        *,
        generic: bool = False,
        described: bool = False,
    ) -> None:
        self.described = described
        self.generic = generic
        self.environment = environment
        self.client = client
        self.indexes = indexes
        self.machine = machine
        self.cache = cache
        self.reporter = reporter
        self.installed = {} if described else environment.installed()
        self.demands: dict[NormalizedName, TaggedRequirement] = {}
        self.chosen: dict[NormalizedName, Chosen | None] = {}

    def plan(self, requirements: Sequence[TaggedRequirement], default_index: str | None = None) -> InstallPlan:
        """Return the plan; nothing is installed. Raises VariantPublishError where a demand cannot be met."""
        wanted = [item for item in requirements if self._applies(item)]
        for requirement in wanted:
            if requirement.plain.url is None:
                self._demand(requirement)
        job = Job(tuple(str(item.plain) for item in wanted), self.indexes.urls, default_index)
        job = replace(job, described=self.machine if self.described else None)
        for _ in range(_ROUNDS):
            job = replace(job, pinned=self._pinned())
            resolved = self.client.resolve(job)
            if not self._choose_among(resolved):
                break
        else:
            raise VariantPublishError(
                f"{job.requirements[0]} does not resolve: each choice of a wheel asks for another one",
                hint="pin the versions of the packages involved",
            )
        chosen = [
            item.acting(action_of(self.installed.get(name), item.record)) for name, item in self.chosen.items() if item
        ]
        ours = {item.project for item in chosen}
        others = [item for item in resolved if item.name not in ours and not self._is_there(item)]
        return InstallPlan(tuple(chosen), tuple(others), keeping(job, chosen), self.client.name)

    def _applies(self, requirement: TaggedRequirement) -> bool:
        marker = requirement.plain.marker
        return marker is None or marker.evaluate(self.machine.marker_environment)

    def _choose_among(self, resolved: Iterable[Resolved]) -> bool:
        """Choose the wheels of what has been resolved; say whether the client has to resolve again."""
        before = self._pinned()
        for item in resolved:
            if item.name not in self.chosen and not self._is_there(item):
                self._demand(TaggedRequirement.parse(f"{item.name}=={item.version}"))
        return self._pinned() != before

    def _pinned(self) -> dict[NormalizedName, str]:
        return {name: item.plain.as_uri() for name, item in self.chosen.items() if item is not None}

    def _demand(self, requirement: TaggedRequirement) -> None:
        """Choose the wheel of a project again if more is asked of it than before."""
        project, old = requirement.project, self.demands.get(requirement.project)
        new = requirement if old is None else _both(old, requirement)
        if old is not None and (set(new.tags), new.plain.specifier) == (set(old.tags), old.plain.specifier):
            return
        self.demands[project] = new
        self.chosen[project] = chosen = self._choose(new)
        for pin in chosen.pins if chosen is not None else ():
            if not self._holds(pin):
                self._demand(pin)

    def _choose(self, wanted: TaggedRequirement) -> Chosen | None:
        """Choose and fetch a wheel; None where the client is to find the project by itself."""
        places = self._places(wanted)
        if not places.urls:
            return None
        try:
            found = select(
                wanted.project, places.urls, self.machine, version=wanted.plain.specifier or None,
                tags=wanted.tags, implied=places.implied, generic=self.generic,
            )  # fmt: skip
        except ProjectNotFound:
            if wanted.tags:
                raise
            return None
        if found.file is None:
            self._nothing(wanted, found)
            return None
        fetched = self.cache.fetch(found.file, self.reporter)
        plain, pins = plain_for(self.machine, fetched, self.cache, self.reporter)
        record = record_of(found, fetched.sha256, places, self.machine)
        record = replace(record, generic=self.generic, asked=wanted.tags)
        return Chosen(found, fetched.path, plain, record, pins)

    def _places(self, wanted: TaggedRequirement) -> Indexes:
        """Return the indexes to look at: for `+pypi` the client's own too, unless another one vouches for it."""
        vouched = {tag for tags in self.indexes.implied.values() for tag in tags}
        if PYPI not in wanted.tags or PYPI in vouched:
            return self.indexes
        return self.indexes.vouching(self.client.default_index(), [PYPI])

    def _nothing(self, wanted: TaggedRequirement, found: Selection) -> None:
        reasons = [f"{item.filename} {item.reason}" for item in found.candidates[:3]]
        why = "; ".join(reasons) or "it has no wheel of that version"
        if wanted.tags:
            raise VariantPublishError(
                f"{redact(found.index or '')} has no wheel of {wanted} for this machine: {why}",
                hint=f"a tag stands for one build of {wanted.project}: name the index that has it, as in --index"
                f" {wanted.tags[0]}=URL",
            )
        self.reporter.warn(f"{redact(found.index or '')} has no wheel of {wanted} for this machine: {why}")

    def _holds(self, pin: TaggedRequirement) -> bool:
        """Return whether a pin holds already; refuse where another build of that version is installed."""
        installed = self.installed.get(pin.project)
        if installed is None or not pin.plain.specifier.contains(installed.version, prereleases=True):
            return False
        places = self._places(pin)
        files = [file for url in _vouching(places, pin) for file in read_project(url, pin.project)]
        found = judge(pin, installed, files)
        if found.verdict is Verdict.BROKEN:
            raise VariantPublishError(
                f"{pin} is asked for, and {found.reason}: another build of that version need not have the same ABI",
                hint=f"uninstall {pin.project} and run the command again: it installs the build that is meant",
            )
        return found.verdict is Verdict.HOLDS

    def _is_there(self, item: Resolved) -> bool:
        installed = self.installed.get(item.name)
        return installed is not None and installed.version == item.version


def keeping(job: Job, chosen: Iterable[Chosen]) -> Job:
    """Return the job with what stays named by its version: uv would install it again from the file."""
    kept = {item.project: item.record.version for item in chosen if item.action is Action.KEEP}
    return replace(job, pinned={name: url for name, url in job.pinned.items() if name not in kept}, kept=kept)


def action_of(installed: Installed | None, wanted: InstalledVariant) -> Action:
    """Return what happens to a package, by what is installed of it."""
    if installed is None or str(installed.version) != wanted.version:
        return Action.INSTALL
    return Action.KEEP if is_same(installed, wanted) else Action.REPLACE


def is_same(installed: Installed, wanted: InstalledVariant) -> bool:
    """Return whether the wheel that is wanted is the one that is installed: by our record, else by its label."""
    if installed.record is not None:
        return installed.record.sha256 == wanted.sha256
    if installed.variant_json is not None:
        return wanted.metadata is not None and list(installed.variant_json.variants) == list(wanted.metadata.variants)
    # A plain wheel that pip or uv took from an index by themselves is known by its tags.
    return (
        wanted.dialect is None
        and not installed.direct_url
        and installed.tags == frozenset(WheelName.parse(wanted.wheel).tag_lines())
    )


def record_of(found: Selection, sha256: str, places: Indexes, machine: Machine) -> InstalledVariant:
    """Return what is kept of a chosen wheel."""
    name = WheelName.parse(found.selected or "")
    vouched = places.implied.get(found.index or "", ())
    tags = tuple(dict.fromkeys((*name.words, *vouched)))
    record = found.metadata.record(name, sha256, redact(found.index or ""), tags)
    counted = {
        variable: value for variable, value in machine.values.items() if variable in record.needs or record.metadata
    }
    return replace(record, values=counted)


def _vouching(places: Indexes, pin: TaggedRequirement) -> list[str]:
    return [url for url in places.urls if set(pin.tags) <= set(places.implied.get(url, ()))]


def _both(one: TaggedRequirement, other: TaggedRequirement) -> TaggedRequirement:
    tags = tuple(dict.fromkeys((*one.tags, *other.tags)))
    specifier = one.plain.specifier & other.plain.specifier if one.plain.specifier else other.plain.specifier
    return TaggedRequirement.parse(
        f"{one.plain.name}{''.join(f'+{tag}' for tag in tags)}{SpecifierSet(str(specifier))}"
    )
