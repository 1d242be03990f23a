"""For maintainers: write the selector files, plan and carry out an upload."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import msgspec

from variant_publish.archive.atomic import replacing
from variant_publish.config.configuration import Config
from variant_publish.config.tables import UploadTable
from variant_publish.index.commands import view_command
from variant_publish.progress import SILENT, Reporter
from variant_publish.publish.destinations import opened
from variant_publish.publish.upload_plan import UploadPlan, plan_release
from variant_publish.publish.uploader import UploadResult, publish
from variant_publish.publish.view_places import views_address
from variant_publish.publish.views import view_names
from variant_publish.release.release import Release, load
from variant_publish.release.selectors import of_release


class MetadataResult(msgspec.Struct, frozen=True):
    """The selector files of the releases: which are current on disk, and which were (or would be) written.

    `commands` are, for each variant that has a view, its name and how users of plain pip install it.
    """

    current: tuple[Path, ...]
    outdated: tuple[Path, ...]
    commands: tuple[tuple[str, str], ...] = ()


def metadata(
    places: Sequence[Path], folder: Path, config: Config, *, write: bool = True, reporter: Reporter = SILENT
) -> MetadataResult:
    """Write the selector files of every release in the places into `folder`; with `write=False` only compare.

    Raises the error of a wheel that cannot be read: a file that leaves one out would be wrong.
    """
    loaded = load(places, config)
    if loaded.unreadable:
        raise loaded.unreadable[0].error
    current, outdated, commands = [], [], []
    for release in loaded.releases:
        commands += _view_commands(release)
        texts = of_release(release, reporter).texts(release.project, str(release.version))
        for name, text in texts.items():
            path = folder / name
            if path.exists() and path.read_bytes() == text.encode():
                current.append(path)
                continue
            outdated.append(path)
            if write:
                with replacing(path) as stream:
                    stream.write(text.encode())
    return MetadataResult(tuple(current), tuple(outdated), tuple(commands))


def _view_commands(release: Release) -> list[tuple[str, str]]:
    upload = release.config.upload
    if upload.views is None:
        return []
    address = views_address(upload)
    if not address:
        return []
    return [(name, view_command(release.project, f"{address}/{name}")) for name in view_names(release)]


def plan_upload(
    places: Sequence[Path], config: Config, settings: UploadTable, reporter: Reporter = SILENT
) -> tuple[UploadPlan, ...]:
    """Ask the destinations what they have, and plan the upload of every release in the places; nothing is sent.

    `settings` are the configuration's with what the call overrides. Raises the error of a wheel that cannot be read,
    or Conflict where a name is taken by other bytes.
    """
    loaded = load(places, config)
    if loaded.unreadable:
        raise loaded.unreadable[0].error
    with opened(settings) as destinations:
        return tuple(plan_release(release, destinations, reporter) for release in loaded.releases)


def upload(plan: UploadPlan, reporter: Reporter = SILENT) -> UploadResult:
    """Carry out one planned upload; running it again finishes what was cut off, and else changes nothing."""
    with opened(plan.settings) as destinations:
        return publish(plan, destinations, reporter)
