"""`variant-publish demo`."""

from __future__ import annotations

from pathlib import Path

import click

from variant_publish import api
from variant_publish.api import demo
from variant_publish.cli import render_upload
from variant_publish.cli.console import ConsoleReporter, echo, echo_report, echo_table
from variant_publish.model.variant import GENERIC


@click.command()
@click.option(
    "--folder",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("variant-publish-demo"),
    show_default=True,
    help="Where everything is kept; a second run reuses the downloads.",
)
def command(folder: Path) -> int:
    """Run the whole job on the xgboost wheels of the package index (64 MB), with two folders as destinations.

    xgboost-cpu and xgboost are the same project under two names. The CPU build becomes the generic wheel of xgboost,
    the GPU build its variant for CUDA 13.

    \b
    Example:
      variant-publish demo
    """  # noqa: D301  (\b is click's mark for text that keeps its lines)
    reporter = ConsoleReporter()
    wheelhouse = folder / "wheelhouse"

    _step("download")
    downloads = demo.download(folder / "downloads", reporter)
    echo(f"{'reused' if downloads.reused else 'downloaded'}: {folder / 'downloads'}")
    config_file, config = demo.configure(folder)
    echo(f"configuration: {config_file}")

    _step("retag")
    for variant, wheel in ((None, downloads.generic), (config.variant(demo.VARIANT), downloads.variant)):
        declared = config.changes_of(variant.name if variant else GENERIC)
        changes = api.rewrites(variant, config, api.RetagOptions(declared=declared))
        result = api.retag([wheel], wheelhouse, changes, reporter)
        for error in result.failed:
            raise error
        for done in result.done:
            echo(f"{wheel.name} -> {done.path.name}")

    _step("check")
    report = api.check([wheelhouse], config, reporter=reporter)
    echo_report(report)
    if report.exit_code():
        raise api.VariantPublishError("the check found errors", hint=f"remove {folder} and run the demo again")

    _step("upload")
    for planned in api.plan_upload([wheelhouse], config, config.upload, reporter):
        render_upload.show_plan(planned)
        render_upload.show_published(planned, api.upload(planned, reporter), config.upload)

    _step("select")
    _show_choices(config)
    return 0


def _step(title: str) -> None:
    echo(f"\n{title}", bold=True)


def _show_choices(config: api.Config) -> None:
    """Print what machines would get from the published extra index."""
    rows = []
    for name, machine in demo.machines().items():
        indexes = api.Indexes.parse([config.upload.extra_index])
        chosen = api.select(machine.requirement("xgboost"), indexes, machine)
        best = next(candidate for candidate in chosen.candidates if candidate.chosen)
        rows.append((name, best.filename, best.variant))
    echo_table(("a machine (x86-64 Linux)", "gets", "which is"), rows)
