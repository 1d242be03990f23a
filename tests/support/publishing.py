"""Small releases to publish, and what to compare a published folder by."""

from __future__ import annotations

import hashlib
from pathlib import Path

from support.wheels import make_wheel
from variant_publish.config.configuration import Config
from variant_publish.publish.destinations import Destinations, open_repository
from variant_publish.publish.upload_plan import UploadPlan, plan_release
from variant_publish.publish.uploader import UploadResult, publish
from variant_publish.release.release import Release, load
from variant_publish.release.selectors import SelectorFiles, of_release
from variant_publish.store.places import open_store
from variant_publish.store.store import Store

GENERIC = "foo_bar-1.0-py3-none-manylinux_2_28_x86_64.whl"
PLUS = "foo_bar-1.0-py3-none-manylinux_2_28_x86_64+cu128.whl"
SDIST = "foo_bar-1.0.tar.gz"

CONFIG = """
[tool.variant-publish]
[tool.variant-publish.variants.cu128]
properties = ["nvidia :: cuda_version_lower_bound :: 12.8"]
[tool.variant-publish.variants.cu130]
properties = ["nvidia :: cuda_version_lower_bound :: 13.0"]
[tool.variant-publish.upload]
"""


def make_release(folder: Path, *names: str, upload: str = "", sdist: bool = False) -> Release:
    """Write wheels and give their release; `upload` are lines of `[tool.variant-publish.upload]`."""
    for name in names or (GENERIC, PLUS):
        make_wheel(folder, name, headers=["Requires-Python: >=3.9,<4"])
    if sdist:
        (folder / SDIST).write_bytes(b"a source distribution")
    return load([folder], Config.parse(CONFIG + upload)).only()


def run(release: Release, store: Store | None = None, *, deadline_s: float = 20.0) -> tuple[UploadPlan, UploadResult]:
    """Plan and publish as the configuration says."""
    upload = release.config.upload
    store = store or open_store(upload.extra_index, endpoint_url=upload.endpoint_url)
    destinations = Destinations(upload, store, open_repository(upload))
    plan = plan_release(release, destinations)
    try:
        return plan, publish(plan, destinations, deadline_s=deadline_s)
    finally:
        store.close()
        if destinations.repository is not None:
            destinations.repository.close()


def selectors_of(release: Release) -> SelectorFiles:
    """Return the selector files of a release."""
    return of_release(release)


def snapshot(folder: Path) -> dict[str, tuple[str, int]]:
    """Return every file below a folder: path -> (hash, time of the last change)."""
    return {
        path.relative_to(folder).as_posix(): (
            hashlib.sha256(path.read_bytes()).hexdigest(),
            path.stat().st_mtime_ns,
        )
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }
