"""Install a lock: a view of the very files that it names; nothing is resolved or chosen again."""

from __future__ import annotations

from collections.abc import Set

from msgspec.structs import replace
from packaging.markers import Marker
from packaging.specifiers import SpecifierSet
from packaging.utils import NormalizedName, canonicalize_name
from packaging.version import Version

from variant_publish.dialects.wheel_name import WheelName
from variant_publish.errors import VariantPublishError
from variant_publish.formats.pylock import VARIANTS_EXTRA, Lock, LockedFile, LockedPackage
from variant_publish.formats.simple import IndexFile
from variant_publish.install.client import Demand, Resolved
from variant_publish.install.environment import Environment
from variant_publish.install.fit import misfit
from variant_publish.install.planner import ChosenFile, InstallPlan, action_of
from variant_publish.install.universal import closure
from variant_publish.providers.machine import Machine
from variant_publish.release.selectors import SelectorFiles
from variant_publish.serve.projects import Projects, SeenProject
from variant_publish.serve.wheel_cache import WheelCache
from variant_publish.view import Selection, Wish, choose
from variant_publish.view.indexes import Indexes
from variant_publish.view.view import View, ViewFile


class LockedProjects(Projects):
    """The files of a lock, as if an index had nothing else."""

    lock: Lock = Lock((), None)

    def identity(self) -> str:
        """Return the lock itself."""
        return self.lock.dumps()

    def _find(self, name: NormalizedName) -> SeenProject | None:
        package = next((one for one in self.lock.packages if canonicalize_name(one.project) == name), None)
        if package is None:
            return None
        files = (listed_file(package),) if package.chosen is not None else tuple(map(_plain_file, package.files))
        return SeenProject("", View(name, files), tuple(file.source for file in files))


def plan_lock(lock: Lock, environment: Environment, client: str, cache: WheelCache) -> InstallPlan:
    """Return the plan of a lock for one machine: `environment` gets the same files as any other."""
    assert lock.host is not None  # noqa: S101  (`narrowed` sees to it)
    machine = Machine.stored(lock.host)
    installed = environment.installed()
    chosen, others, lines = [], [], []
    for package in lock.packages:
        name = canonicalize_name(package.project)
        if package.record is None:
            others.append(Resolved(name, Version(package.version)))
            lines.append(f"{name}=={package.version}")
            continue
        action = action_of(installed.get(name), package.record)
        chosen.append(ChosenFile(listed_file(package), package.record, (), SelectorFiles(), action))
        lines.append(f"{name}=={package.record.version}")
    projects = LockedProjects(Indexes(()), None, machine, cache, lock=lock)
    return InstallPlan(tuple(chosen), tuple(others), Demand(tuple(lines), complete=True), client, projects)


def listed_file(package: LockedPackage) -> ViewFile:
    """Return the chosen wheel of a package as a view lists it: under its plain name, or another version."""
    assert package.chosen is not None  # noqa: S101  (the caller looked)
    assert package.record is not None  # noqa: S101
    name = WheelName.parse(package.chosen.name)
    plain = str(name.generic().with_parts(version=package.record.version) if package.record.abi else name.generic())
    source = IndexFile(package.chosen.name, package.chosen.url, package.chosen.sha256)
    return ViewFile(plain, source, Version(package.record.version), name, tuple(sorted(package.record.abi.items())))


def _plain_file(file: LockedFile) -> ViewFile:
    name = WheelName.find(file.name)
    version = name.parsed_version if name is not None else Version("0")
    return ViewFile(file.name, IndexFile(file.name, file.url, file.sha256), version, name)


def refuse_misfit(lock: Lock, machine: Machine) -> None:
    """Raise VariantPublishError where a lock for one machine is for another one than this."""
    for package in lock.packages:
        file = package.chosen or package.files[0]
        why = misfit(package.record, machine) if package.record is not None else None
        if why is None and file.name.endswith(".whl") and machine.tag_set.isdisjoint(WheelName.parse(file.name).tags):
            why = f"its tags do not fit Python {machine.python_version} here"
        if why is not None:
            raise VariantPublishError(
                f"the lock is for another machine: {file.name} does not fit this one, {why}",
                hint="lock again here, or for every machine with --universal",
            )


def narrowed(lock: Lock, machine: Machine, *, generic: bool = False) -> Lock:
    """Return the part of a lock for every machine that one machine gets; a lock for one machine as it is.

    The wheels are chosen among those of the lock: no index is asked. Raises VariantPublishError where a package has
    no file for the machine, or where the lock is for another machine or for other Pythons.
    """
    if lock.host is not None:
        refuse_misfit(lock, machine)
        return lock
    if not SpecifierSet(lock.requires_python).contains(machine.python_version, prereleases=True):
        raise VariantPublishError(
            f"the lock is for Python {lock.requires_python}, and this is {machine.python_version}",
            hint="lock again with --python-version for the oldest Python that you use",
        )
    fitting = [package for package in lock.packages if _applies(package, machine)]
    with_variants = {package.project: package for package in fitting if package.variants}
    chosen: dict[str, LockedPackage] = {}
    requires: dict[str, tuple[str, ...]] = dict.fromkeys(with_variants, ())
    # What is chosen tells what else is needed: nothing is asked of a package that this machine does not need.
    while open_ones := [
        package for name, package in with_variants.items()
        if name not in chosen and name in closure(fitting, lock.roots, requires)
    ]:  # fmt: skip
        for package in open_ones:
            chosen[package.project] = own = _choose(package, machine, generic)
            dependencies = {variant.file: variant.requires for variant in package.variants}
            requires[package.project] = dependencies.get(own.files[0], package.requires)
    wanted = closure(fitting, lock.roots, requires)
    packages = [
        chosen[package.project] if package.variants else _best(package, machine)
        for package in fitting
        if package.project in wanted
    ]
    return Lock(tuple(packages), machine.store())


def _applies(package: LockedPackage, machine: Machine) -> bool:
    if not package.marker:
        return True
    here: dict[str, str | Set[str]] = {**machine.marker_environment, "extras": frozenset({VARIANTS_EXTRA})}
    return Marker(package.marker).evaluate(here, context="lock_file")


def _choose(package: LockedPackage, machine: Machine, generic: bool) -> LockedPackage:
    """Choose among the wheels of a package in the lock, as among those of an index."""
    files = [*package.files, *(variant.file for variant in package.variants)]
    metadata = SelectorFiles.of(package.metadata, package.selector)
    found = _chosen(files, package, machine, metadata, generic=generic)
    if found.file is None or found.listed is None or found.listed.name is None:
        reasons = "; ".join(f"{item.filename} {item.reason}" for item in found.candidates[:3])
        raise VariantPublishError(
            f"the lock has no wheel of {package.project} {package.version} for this machine: {reasons}",
            hint="lock again, with an index that has one",
        )
    listed, file = found.listed, found.file
    words = () if found.listed.name.plain_installers_read else found.listed.name.words
    record = metadata.record(found.listed.name, file.sha256, package.index, words)
    values = {name: value for name, value in machine.values.items() if name in record.needs or record.metadata}
    record = replace(
        record, version=str(listed.version), values=values, generic=generic, abi=dict(listed.abi)
    )  # fmt: skip
    own = LockedFile(file.url, file.sha256)
    return LockedPackage(package.project, package.version, (own,), own, record)


def _best(package: LockedPackage, machine: Machine) -> LockedPackage:
    """Take the file of a package without variants that fits best; an sdist where no wheel does."""
    found = _chosen(package.files, package, machine, SelectorFiles()).file
    best = next((file for file in package.files if found is not None and file.url == found.url), None)
    best = best or next((file for file in package.files if not file.name.endswith(".whl")), None)
    if best is None:
        raise VariantPublishError(
            f"the lock has no file of {package.project} {package.version} for this machine",
            hint="lock again, with an index that has one",
        )
    return LockedPackage(package.project, package.version, (best,))


def _chosen(
    files: list[LockedFile] | tuple[LockedFile, ...], package: LockedPackage, machine: Machine,
    metadata: SelectorFiles, *, generic: bool = False,
) -> Selection:  # fmt: skip
    listed = [IndexFile(file.name, file.url, file.sha256) for file in files]
    known = {Version(package.version): metadata} if metadata else {}
    return choose(listed, known, machine, version=SpecifierSet(f"=={package.version}"), wish=Wish(generic=generic))
