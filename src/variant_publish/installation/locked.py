"""Install a lock: the very files that it names, each fetched with its hash checked."""

from __future__ import annotations

from packaging.utils import canonicalize_name
from packaging.version import Version

from variant_publish.archive.wheel import Wheel
from variant_publish.formats.pylock import Lock, LockedPackage
from variant_publish.formats.simple import IndexFile
from variant_publish.installation.cache import Cache
from variant_publish.installation.client import Job, Resolved
from variant_publish.installation.environment import Environment
from variant_publish.installation.plan import Chosen, InstallPlan, action_of
from variant_publish.progress import SILENT, Reporter
from variant_publish.selection import Selection


def plan_of(
    lock: Lock, environment: Environment, client: str, cache: Cache, reporter: Reporter = SILENT
) -> InstallPlan:
    """Give the plan of a lock: nothing is resolved or chosen anew, so every machine gets the same files."""
    installed = environment.installed()
    chosen, others, pinned = [], [], {}
    for package in lock.packages:
        name = canonicalize_name(package.project)
        if package.chosen is None or package.record is None:
            others.append(Resolved(name, Version(package.version), package.files))
            pinned[name] = f"{package.files[0].url}#sha256={package.files[0].sha256}"
            continue
        item = _fetched(package, cache, reporter)
        chosen.append(item.acting(action_of(installed.get(name), item.record)))
        pinned[name] = item.plain.as_uri()
    job = Job(tuple(f"{name} @ {url}" for name, url in pinned.items()), pinned=pinned, complete=True)
    return InstallPlan(tuple(chosen), tuple(others), job, client)


def _fetched(package: LockedPackage, cache: Cache, reporter: Reporter) -> Chosen:
    assert package.chosen is not None  # noqa: S101  (the caller looked)
    assert package.record is not None  # noqa: S101
    file = IndexFile(package.chosen.name, package.chosen.url, package.chosen.sha256)
    fetched = cache.fetch(file, reporter)
    selection = Selection(Version(package.version), package.record.dialect, file.filename, file=file)
    pins = Wheel.read(fetched.path).pins
    return Chosen(selection, fetched.path, cache.plain(fetched, reporter), package.record, pins)
