"""From a plan for one machine to a lock: every file by its true URL and hash."""

from __future__ import annotations

from operator import itemgetter

from variant_publish.dialects.wheel_name import WheelName, wheels_among
from variant_publish.errors import VariantPublishError
from variant_publish.formats.pylock import Lock, LockedFile, LockedPackage
from variant_publish.install.client import Resolved, ResolvedFile
from variant_publish.install.planner import ChosenFile, InstallPlan
from variant_publish.model.url import redact
from variant_publish.progress import SILENT, Reporter
from variant_publish.serve.projects import Projects
from variant_publish.view.choice import choose
from variant_publish.view.wish import Wish


def lock_of(plan: InstallPlan, reporter: Reporter = SILENT) -> Lock:
    """Return the lock of a plan: for today's clients the generic wheels, and beside them what was chosen."""
    packages = [
        *(_chosen(item, plan.projects, reporter) for item in plan.chosen),
        *(_other(item, plan.projects) for item in plan.others),
    ]
    return Lock(tuple(sorted(packages, key=lambda package: package.project)), plan.projects.machine.store())


def refuse_unreadable(lock: Lock) -> None:
    """Refuse a lock as a requirements file where it holds a wheel that neither pip nor uv installs."""
    for package in lock.packages:
        record = package.record
        if record is not None and not WheelName.parse(record.wheel).plain_installers_read:
            raise VariantPublishError(
                f"{record.wheel} has extra tags: no installer takes it from a requirements file",
                hint="write a pylock.toml and install that with 'variant-publish install --lock FILE'",
            )


def _chosen(item: ChosenFile, projects: Projects, reporter: Reporter) -> LockedPackage:
    record, source = item.record, item.listed.source
    own = LockedFile(redact(source.url), record.sha256)
    if record.dialect is None:
        return LockedPackage(item.project, record.version, (own,), own, record)
    release = WheelName.parse(record.wheel).parsed_version
    seen = projects.find(item.project)
    found = choose(
        [file for name, file in wheels_among(seen.files if seen is not None else ())
         if name.dialect is None and name.parsed_version == release],
        {}, projects.machine, wish=Wish(generic=True),
    )  # fmt: skip
    if found.file is None:
        reporter.warn(f"{item.project} {release} has no generic wheel: today's pip and uv cannot read its lock")
        files: tuple[LockedFile, ...] = (own,)
    else:
        files = (LockedFile(redact(found.file.url), projects.cache.sha256(found.file)),)
    return LockedPackage(item.project, str(release), files, own, record, item.selectors.variants)


def _other(item: Resolved, projects: Projects) -> LockedPackage:
    """Take the best file of those that the client names."""
    order = {tag: place for place, tag in enumerate(projects.machine.tags)}
    ranked = []
    for file in item.files:
        name = WheelName.find(file.name)
        place = [order[tag] for tag in name.tags if tag in order] if name is not None else [len(order)]
        if place:  # an sdist comes after every wheel that fits
            ranked.append((min(place), file))
    if not ranked:
        raise VariantPublishError(
            f"{item.name} {item.version} has no file for the described machine",
            hint="name an index that has a wheel of it",
        )
    best = min(ranked, key=itemgetter(0))[1]
    return LockedPackage(item.name, str(item.version), (true_file(best, item, projects),))


def true_file(file: ResolvedFile, item: Resolved, projects: Projects) -> LockedFile:
    """Return a file where it is, and not where the view had it; raise VariantPublishError where no hash is known."""
    seen = projects.find(item.name)
    listed = seen.file(file.name) if seen is not None else None
    if listed is not None:
        return LockedFile(redact(listed.source.url), file.sha256 or projects.cache.sha256(listed.source))
    if file.sha256 is None:
        raise VariantPublishError(
            f"{redact(file.url)} is listed without a SHA-256", hint="name an index that lists hashes"
        )
    return LockedFile(file.url, file.sha256)
