"""Install a lock: the very files that it names, each fetched with its hash checked."""

from __future__ import annotations

from collections.abc import Set
from dataclasses import replace

from packaging.markers import Marker
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import Version

from variant_publish.dialects.wheel_name import WheelName
from variant_publish.errors import VariantPublishError
from variant_publish.formats.pylock import VARIANTS_EXTRA, Lock, LockedFile, LockedPackage
from variant_publish.formats.simple import IndexFile
from variant_publish.install.client import Job, Resolved
from variant_publish.install.environment import Environment
from variant_publish.install.plain import plain_for
from variant_publish.install.plan import Chosen, InstallPlan, action_of, keeping, record_of
from variant_publish.install.universal import closure
from variant_publish.progress import SILENT, Reporter
from variant_publish.providers.machine import Machine
from variant_publish.release.selectors import SelectorFiles
from variant_publish.serve.wheel_cache import WheelCache
from variant_publish.view import Indexes, Selection, Wish, choose


def plan_of(
    lock: Lock, environment: Environment, client: str, cache: WheelCache, reporter: Reporter = SILENT
) -> InstallPlan:
    """Return the plan of a lock for one machine: nothing is resolved or chosen again, so others get the same files."""
    assert lock.host is not None  # noqa: S101  (`narrowed` sees to it)
    machine = Machine.stored(lock.host)
    installed = environment.installed()
    chosen, others, pinned = [], [], {}
    for package in lock.packages:
        name = canonicalize_name(package.project)
        if package.chosen is None or package.record is None:
            others.append(Resolved(name, Version(package.version), package.files))
            pinned[name] = f"{package.files[0].url}#sha256={package.files[0].sha256}"
            continue
        item = _fetched(package, machine, cache, reporter)
        chosen.append(item.acting(action_of(installed.get(name), item.record)))
        pinned[name] = item.plain.as_uri()
    job = keeping(Job((), pinned=pinned, complete=True), chosen)
    named = [f"{name} @ {url}" for name, url in job.pinned.items()]
    named += [f"{name}=={version}" for name, version in job.kept.items()]
    job = replace(job, requirements=tuple(named))
    return InstallPlan(tuple(chosen), tuple(others), job, client)


def narrowed(lock: Lock, machine: Machine, *, generic: bool = False) -> Lock:
    """Return the part of a lock for every machine that one machine gets; a lock for one machine as it is.

    The wheels are chosen among those of the lock: no index is asked. Raises VariantPublishError where a package has
    no file for the machine, or where the lock is for other Pythons.
    """
    if lock.host is not None:
        return lock
    if not SpecifierSet(lock.requires_python).contains(machine.python_version, prereleases=True):
        raise VariantPublishError(
            f"the lock is for Python {lock.requires_python}, and this is {machine.python_version}",
            hint="lock again with --python for the oldest Python that you use",
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
    listed = [IndexFile(file.name, file.url, file.sha256) for file in files]
    metadata = SelectorFiles.of(package.metadata, package.selector)
    demand = Wish(generic=generic)
    found = choose(listed, {Version(package.version): metadata}, machine, version=SpecifierSet(f"=={package.version}"),
                   wish=demand)  # fmt: skip
    file = found.file
    if file is None:
        reasons = "; ".join(f"{item.filename} {item.reason}" for item in found.candidates[:3])
        raise VariantPublishError(
            f"the lock has no wheel of {package.project} {package.version} for this machine: {reasons}",
            hint="lock again, with an index that has one",
        )
    found = replace(found, index=package.index)
    record = replace(record_of(found, file.sha256, Indexes((package.index,)), machine), generic=generic)
    own = LockedFile(file.url, file.sha256)
    return LockedPackage(package.project, package.version, (own,), own, record)


def _best(package: LockedPackage, machine: Machine) -> LockedPackage:
    """Take the file of a package without variants that fits best; an sdist where no wheel does."""
    listed = [IndexFile(file.name, file.url, file.sha256) for file in package.files]
    found = choose(listed, {}, machine, version=SpecifierSet(f"=={package.version}")).file
    best = next((file for file in package.files if found is not None and file.url == found.url), None)
    best = best or next((file for file in package.files if not file.name.endswith(".whl")), None)
    if best is None:
        raise VariantPublishError(
            f"the lock has no file of {package.project} {package.version} for this machine",
            hint="lock again, with an index that has one",
        )
    return LockedPackage(package.project, package.version, (best,))


def _fetched(package: LockedPackage, machine: Machine, cache: WheelCache, reporter: Reporter) -> Chosen:
    assert package.chosen is not None  # noqa: S101  (the caller looked)
    assert package.record is not None  # noqa: S101
    file = IndexFile(package.chosen.name, package.chosen.url, package.chosen.sha256)
    fetched = cache.fetch(file, reporter)
    selection = Selection(
        Version(package.version), WheelName.parse(package.record.wheel).dialect, file.filename, file=file
    )
    plain, pins = plain_for(machine, fetched, cache, reporter)
    return Chosen(selection, fetched.path, plain, package.record, pins)
