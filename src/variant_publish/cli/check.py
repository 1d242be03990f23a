"""`variant-publish check`."""

from __future__ import annotations

from pathlib import Path

import click

from variant_publish import api
from variant_publish.cli import render_check
from variant_publish.cli.console import ConsoleReporter, console
from variant_publish.config import Config


@click.command()
@click.argument("wheels", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--format", "output", type=click.Choice(["text", "json", "github"]), default="text", show_default=True)
@click.option("--strict", is_flag=True, help="Let warnings fail the check too.")
@click.option("--offline", is_flag=True, help="Ask no index: what needs one is then unknown.")
@click.option("--config", "config_file", type=click.Path(path_type=Path), help="Default: pyproject.toml here.")
def command(wheels: tuple[Path, ...], output: str, strict: bool, offline: bool, config_file: Path | None) -> int:
    """Prove that the release in WHEELS (folders or files) is complete, consistent, and what its names say.

    All findings are reported at once. Exit code 1: an error was found.

    \b
    Examples:
      variant-publish check wheelhouse
      variant-publish check wheelhouse --strict --format github
    """  # noqa: D301  (\b is click's mark for text that keeps its lines)
    report = api.check(wheels, Config.load(config_file), strict=strict, offline=offline, reporter=ConsoleReporter())
    if output == "json":
        click.echo(render_check.render_json(report), nl=False)
    elif output == "github":
        click.echo(render_check.render_github(report), nl=False)
    else:
        render_check.render_text(report, console())
    return report.exit_code()
