"""Plan an installation: one resolution by pip or uv against a view, and again only where tags of a dependency bind."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from enum import StrEnum
from typing import Any

import msgspec
from msgspec.structs import replace
from packaging.specifiers import SpecifierSet
from packaging.utils import NormalizedName, canonicalize_name
from packaging.version import Version

from variant_publish.dialects.wheel_name import WheelName
from variant_publish.errors import VariantPublishError
from variant_publish.formats.installed import InstalledVariant
from variant_publish.install.client import Client, ClientFailed, Demand, Resolved
from variant_publish.install.environment import Environment, Installed
from variant_publish.install.origin import PinState, judge
from variant_publish.model.requirement import TaggedRequirement
from variant_publish.model.url import redact
from variant_publish.progress import SILENT, Reporter
from variant_publish.release.selectors import SelectorFiles
from variant_publish.remote.listing import read_project
from variant_publish.serve.loopback import ServedView, serving
from variant_publish.serve.projects import Projects, SeenProject
from variant_publish.view.choice import choose
from variant_publish.view.view import ViewFile
from variant_publish.view.wish import Wish

_ROUNDS = 20


class InstallAction(StrEnum):
    """Name what happens to one package."""

    INSTALL = "install"
    REPLACE = "replace"
    KEEP = "keep"


class ChosenFile(msgspec.Struct, frozen=True):
    """One file of a named index: how the view lists it, and what will be recorded of it."""

    listed: ViewFile
    record: InstalledVariant
    pins: tuple[TaggedRequirement, ...]
    selectors: SelectorFiles
    action: InstallAction = InstallAction.INSTALL

    @property
    def project(self) -> NormalizedName:
        """Return the project's normalised name."""
        return canonicalize_name(self.record.project)

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


class InstallPlan(msgspec.Struct, frozen=True):
    """The chosen files of named indexes, and `others`, of the client's own; `demand` is what the client is told."""

    chosen: tuple[ChosenFile, ...]
    others: tuple[Resolved, ...]
    demand: Demand
    client: str
    projects: Projects

    def table(self) -> dict[str, Any]:
        """Return the JSON object."""
        return {
            "client": self.client,
            "chosen": [item.table() for item in self.chosen],
            "others": [{"project": item.name, "version": str(item.version)} for item in self.others],
        }


class Planner(msgspec.Struct):
    """Let a client resolve against the view of a machine, and look at what it took of the named indexes."""

    environment: Environment
    client: Client
    projects: Projects
    reporter: Reporter = SILENT
    wishes: dict[NormalizedName, Wish] = {}

    def plan(
        self, requirements: Sequence[TaggedRequirement], demand: Demand, constraints: Sequence[TaggedRequirement] = ()
    ) -> InstallPlan:
        """Return the plan; nothing is installed. Raises VariantPublishError where a demand cannot be met."""
        installed = {} if demand.described is not None else self.environment.installed()
        self.projects = replace(self.projects, holds_pins=False)
        for requirement in (*requirements, *constraints):
            self._wish(requirement)
        for _ in range(_ROUNDS):
            projects = replace(self.projects, wishes=dict(self.wishes))
            with serving(projects) as view:
                resolved = self._resolved(view, demand, requirements)
                chosen = [item for one in resolved if (item := self._chosen(one, view)) is not None]
            chosen += self._kept(requirements, resolved, installed, projects)
            pins = [pin for item in chosen for pin in item.pins if not self._holds(pin, installed)]
            more = [self._wish(pin) for pin in pins]
            if not any(more):
                break
        else:
            raise VariantPublishError(
                "the wheels do not resolve: each choice asks for another build", hint="pin the versions of the packages"
            )
        acting = [replace(item, action=action_of(installed.get(item.project), item.record)) for item in chosen]
        ours = {item.project for item in acting}
        self._refuse_useless_indexes(requirements, ours)
        others = tuple(item for item in resolved if item.name not in ours)
        return InstallPlan(tuple(acting), others, demand, self.client.name, projects)

    def _refuse_useless_indexes(
        self, requirements: Sequence[TaggedRequirement], chosen: Collection[NormalizedName]
    ) -> None:
        """Refuse to install from elsewhere alone: a wrong address must not fetch a stranger's project of that name."""
        urls = self.projects.indexes.urls
        if chosen or not requirements or not urls or any(self._is_there(one.project) for one in requirements):
            return
        names = ", ".join(dict.fromkeys(one.plain.name for one in requirements))
        raise VariantPublishError(
            f"neither {names} nor anything that it requires is on {' or '.join(map(redact, urls))}",
            hint=f"--index is the address below which {requirements[0].project}/ is; without one, use pip or uv itself",
        )

    def _is_there(self, project: NormalizedName) -> bool:
        seen = self.projects.find(project)
        return seen is not None and bool(seen.files) and seen.index in self.projects.indexes.urls

    def _wish(self, requirement: TaggedRequirement) -> bool:
        """Add what a requirement asks of a project's wheels; return whether that is more than before."""
        old = self.wishes.get(requirement.project, Wish())
        tags = tuple(dict.fromkeys((*old.tags, *requirement.tags)))
        new = replace(
            old, tags=tags, locals=old.locals or any("+" in one.version for one in requirement.plain.specifier)
        )
        self.wishes[requirement.project] = new
        return new != old

    def _resolved(
        self, view: ServedView, demand: Demand, requirements: Sequence[TaggedRequirement]
    ) -> tuple[Resolved, ...]:
        try:
            return self.client.resolve(demand, view.url)
        except ClientFailed as error:
            if view.problems:
                raise view.problems[0] from error
            for requirement in requirements:
                self._explain(view, requirement, error)
            raise

    def _explain(self, view: ServedView, requirement: TaggedRequirement, error: ClientFailed) -> None:
        """Raise what the index of a project has, and why none of it fits, if that is why a client failed."""
        projects = view.projects
        seen = projects.find(requirement.project)
        if seen is None or not seen.files:
            return
        machine = projects.machine
        selectors = {version: seen.view.selectors.get(version, SelectorFiles()) for version in seen.view.selectors}
        wish = replace(projects.wish_of(requirement.project, seen.index), locals=True)
        found = choose(seen.files, selectors, machine, version=requirement.plain.specifier, wish=wish)
        if found.selected is not None:
            return
        why = "; ".join(f"{item.filename}: {item.reason}" for item in found.candidates[:3])
        why = why or ("none of that version" if requirement.plain.specifier else "it lists none")
        if found.candidates and all(item.is_for_other_pythons for item in found.candidates):
            hint = "use a Python that the wheels are for, by --python"
        elif requirement.tags or len(projects.indexes.urls) > 1:
            named = f", as in --index {requirement.tags[0]}=URL" if requirement.tags else ""
            hint = f"the first index that has a project owns it: name the right one first{named}"
        else:
            hint = f"'variant-publish select {requirement.project} --index {redact(seen.index)}' shows every wheel"
        raise VariantPublishError(
            f"{redact(seen.index)} has no wheel of {requirement} for this machine: {why}",
            hint=hint,
        ) from error

    def _chosen(self, item: Resolved, view: ServedView) -> ChosenFile | None:
        """Return the file of a named index that the client took; None for what is from elsewhere."""
        seen = view.projects.find(item.name)
        if seen is None or not seen.files or self._is_left(seen, item.name):
            return None
        listed = next((file for one in item.files if (file := seen.file(one.name)) is not None), None)
        return self._chosen_file(seen, listed or self._best(seen, item.version), view.projects)

    def _is_left(self, seen: SeenProject, name: NormalizedName) -> bool:
        """Return whether a project is the client's own affair: on the default index, and no tag of it is asked for."""
        return seen.index not in self.projects.indexes.urls and not self.wishes.get(name, Wish()).tags

    def _best(self, seen: SeenProject, version: Version) -> ViewFile | None:
        machine = self.projects.machine
        order = {tag: place for place, tag in enumerate(machine.tags)}
        fitting = [
            file
            for file in seen.view.usable(version, order)
            if SpecifierSet(file.source.requires_python or "").contains(machine.python_version, prereleases=True)
        ]
        return min(fitting, key=lambda file: file.source.yanked is not None, default=None)

    def _chosen_file(self, seen: SeenProject, listed: ViewFile | None, projects: Projects) -> ChosenFile | None:
        if listed is None or listed.name is None:
            return None
        selectors = seen.view.selectors.get(listed.name.parsed_version, SelectorFiles())
        wish, pins = projects.wish_of(listed.name.project, seen.index), projects.cache.pins(listed.source)
        vouched = projects.vouched(seen.index)
        tags = tuple(dict.fromkeys((*(() if listed.name.plain_installers_read else listed.name.words), *vouched)))
        record = selectors.record(listed.name, projects.cache.sha256(listed.source), redact(seen.index), tags)
        counted = {
            variable: value for variable, value in projects.machine.values.items()
            if variable in record.needs or record.metadata is not None
        }  # fmt: skip
        record = replace(
            record, version=str(listed.version), values=counted, generic=wish.generic, asked=wish.tags,
            abi=dict(listed.abi),
        )  # fmt: skip
        applying = tuple(pin for pin in pins if self._applies(pin))
        return ChosenFile(listed, record, applying, selectors)

    def _applies(self, pin: TaggedRequirement) -> bool:
        marker = pin.plain.marker
        return marker is None or marker.evaluate({**self.projects.machine.marker_environment, "extra": ""})

    def _kept(
        self,
        requirements: Iterable[TaggedRequirement],
        resolved: Iterable[Resolved],
        installed: dict[NormalizedName, Installed],
        projects: Projects,
    ) -> Iterator[ChosenFile]:
        """Return what was asked for and the client leaves alone: there may be a better wheel of that version."""
        found = {item.name for item in resolved}
        for name in dict.fromkeys(requirement.project for requirement in requirements):
            here = installed.get(name)
            seen = projects.find(name) if here is not None and name not in found else None
            if here is None or seen is None or not seen.files or self._is_left(seen, name):
                continue
            chosen = self._chosen_file(seen, self._best(seen, here.version), projects)
            if chosen is not None:
                yield chosen

    def _holds(self, pin: TaggedRequirement, installed: dict[NormalizedName, Installed]) -> bool:
        """Return whether a pin holds already; refuse where another build of that version is installed."""
        here = installed.get(pin.project)
        if here is None or not pin.plain.specifier.contains(here.version, prereleases=True):
            return False
        every = (*self.projects.indexes.urls, *filter(None, [self.projects.default]))
        urls = [url for url in every if {*pin.tags} <= self.projects.vouched(url)]
        files = [file for url in urls for file in read_project(url, pin.project)] if urls else None
        found = judge(pin, here, files)
        if found.state is PinState.BROKEN:
            raise VariantPublishError(
                f"{pin} is asked for, and {found.reason}: another build of that version need not have the same ABI",
                hint=f"uninstall {pin.project} and run the command again: it installs the build that is meant",
            )
        return found.state is PinState.HOLDS


def action_of(installed: Installed | None, wanted: InstalledVariant) -> InstallAction:
    """Return what happens to a package, by what is installed of it."""
    if installed is None or str(installed.version) != wanted.version:
        return InstallAction.INSTALL
    return InstallAction.KEEP if is_same(installed, wanted) else InstallAction.REPLACE


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


def carry_out(plan: InstallPlan, environment: Environment, client: Client, reporter: Reporter = SILENT) -> None:
    """Install and record each chosen wheel; running it again after a kill finishes the work. Raises ClientFailed."""
    replaced = [
        f"{item.project}=={item.record.version}" for item in plan.chosen if item.action is InstallAction.REPLACE
    ]
    with serving(plan.projects) as view:
        try:
            client.install(plan.demand, view.url, replaced, reporter)
        except ClientFailed as error:
            if view.problems:
                raise view.problems[0] from error
            raise
    for item in plan.chosen:
        installed = environment.find(item.project)
        if item.action is InstallAction.KEEP:
            _note_wish(installed, item.record)
            continue
        if str(installed.version) != item.record.version:
            raise VariantPublishError(
                f"{item.project} {installed.version} is installed, not {item.record.version}",
                hint="the environment was changed in the meantime: run the command again",
            )
        installed.write(item.record)


def _note_wish(installed: Installed, wanted: InstalledVariant) -> None:
    """Keep what the user asks for now of a wheel that stays; of one that somebody else installed, if it is a wish."""
    record = installed.record
    if record is None and wanted.wish is not None:
        installed.write(wanted)
    elif record is not None and record.wish != wanted.wish:
        installed.write(replace(record, generic=wanted.generic, asked=wanted.asked))
