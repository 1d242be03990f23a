"""From a plan for one machine to a lock: every file by URL and hash."""

from __future__ import annotations

from packaging.specifiers import SpecifierSet

from variant_publish.dialects.wheel_name import WheelName
from variant_publish.errors import VariantPublishError
from variant_publish.formats.pylock import Lock, LockedFile, LockedPackage
from variant_publish.install.client import Resolved
from variant_publish.install.plan import Chosen, InstallPlan
from variant_publish.model.plain_name import InvalidWheelName
from variant_publish.model.url import redact
from variant_publish.progress import SILENT, Reporter
from variant_publish.providers.machine import Machine
from variant_publish.serve.wheel_cache import WheelCache
from variant_publish.view import select


def lock_of(plan: InstallPlan, machine: Machine, cache: WheelCache, reporter: Reporter = SILENT) -> Lock:
    """Return the lock of a plan: for today's clients the generic wheels, and beside them what was chosen."""
    packages = [
        *(_chosen(item, machine, cache, reporter) for item in plan.chosen),
        *(_other(item, machine) for item in plan.others),
    ]
    return Lock(tuple(sorted(packages, key=lambda package: package.project)), machine.store())


def refuse_plus(lock: Lock) -> None:
    """Refuse a lock as a requirements file where it holds a `+tag` wheel, which neither pip nor uv installs."""
    for package in lock.packages:
        if package.record is not None and not WheelName.parse(package.record.wheel).plain_installers_read:
            raise VariantPublishError(
                f"{package.record.wheel} has extra tags: no installer takes it from a requirements file",
                hint="write a pylock.toml and install that with 'variant-publish install --lock FILE'",
            )


def _chosen(item: Chosen, machine: Machine, cache: WheelCache, reporter: Reporter) -> LockedPackage:
    file = item.selection.file
    assert file is not None  # noqa: S101  (a chosen wheel is on an index)
    own = LockedFile(redact(file.url), item.record.sha256)
    if item.record.dialect is None:
        return LockedPackage(item.project, item.record.version, (own,), own, item.record)
    wanted = SpecifierSet(f"=={item.record.version}")
    found = select(item.project, [item.selection.index or ""], machine, version=wanted, generic=True)
    if found.file is None or WheelName.parse(found.file.filename).dialect is not None:
        reporter.warn(
            f"{item.project} {item.record.version} has no generic wheel: today's pip and uv cannot read its lock"
        )
        files: tuple[LockedFile, ...] = (own,)
    else:
        sha256 = found.file.sha256 or cache.fetch(found.file, reporter).sha256
        files = (LockedFile(redact(found.file.url), sha256),)
    return LockedPackage(item.project, item.record.version, files, own, item.record, item.selection.metadata.variants)


def _other(item: Resolved, machine: Machine) -> LockedPackage:
    """Take the best file of those that the client names."""
    order = {tag: place for place, tag in enumerate(machine.tags)}
    ranked = []
    for file in item.files:
        try:
            tags = WheelName.parse(file.name).tags
        except InvalidWheelName:
            ranked.append((len(order), file))  # an sdist comes after every wheel that fits
            continue
        if place := [order[tag] for tag in tags if tag in order]:
            ranked.append((min(place), file))
    if not ranked or not (best := min(ranked, key=lambda pair: pair[0])[1]).sha256:
        raise VariantPublishError(
            f"{item.name} {item.version} has no file with a hash for the described machine",
            hint="name an index that lists hashes and has a wheel of it",
        )
    return LockedPackage(item.name, str(item.version), (LockedFile(redact(best.url), best.sha256),))
