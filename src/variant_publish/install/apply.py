"""Carry out a plan: pip or uv installs, then each chosen wheel is recorded in its dist-info."""

from __future__ import annotations

from dataclasses import replace

from variant_publish.errors import VariantPublishError
from variant_publish.formats.installed import InstalledVariant
from variant_publish.install.client import Client
from variant_publish.install.environment import Environment, Installed
from variant_publish.install.plan import Action, InstallPlan
from variant_publish.progress import SILENT, Reporter


def apply(plan: InstallPlan, environment: Environment, client: Client, reporter: Reporter = SILENT) -> None:
    """Install; running it again after a kill finishes the work. Raises ClientFailed."""
    replaced = [item.project for item in plan.chosen if item.action is Action.REPLACE]
    client.install(plan.job, replaced, reporter)
    for item in plan.chosen:
        installed = environment.find(item.project)
        if item.action is Action.KEEP:
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
