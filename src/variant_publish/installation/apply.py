"""Carry out a plan: pip or uv installs, then each chosen wheel is recorded in its dist-info."""

from __future__ import annotations

from variant_publish.errors import VariantPublishError
from variant_publish.installation.client import Client
from variant_publish.installation.environment import Environment
from variant_publish.installation.plan import Action, InstallPlan
from variant_publish.progress import SILENT, Reporter


def apply(plan: InstallPlan, environment: Environment, client: Client, reporter: Reporter = SILENT) -> None:
    """Install; running it again after a kill finishes the work. Raises ClientFailed."""
    replaced = [item.project for item in plan.chosen if item.action is Action.REPLACE]
    client.install(plan.job, replaced, reporter)
    for item in plan.chosen:
        if item.action is Action.KEEP:
            continue
        installed = environment.find(item.project)
        if str(installed.version) != item.record.version:
            raise VariantPublishError(
                f"{item.project} {installed.version} is installed, not {item.record.version}",
                hint="the environment was changed in the meantime: run the command again",
            )
        installed.write(item.record)
