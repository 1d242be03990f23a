"""`variant-publish metadata`."""

from __future__ import annotations

from pathlib import Path

import click

from variant_publish import api
from variant_publish.cli.console import ConsoleReporter, echo, say
from variant_publish.cli.options import with_config


@click.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("-o", "--output", type=click.Path(path_type=Path, file_okay=False), help="Default: the folder itself.")
@click.option("--check", is_flag=True, help="Write nothing; exit 1 where a file is missing or out of date.")
@with_config
def command(folder: Path, output: Path | None, check: bool, config: api.Config) -> int:
    """Write the files that installers select by, from the wheels in FOLDER and the configuration.

    \b
    NAME-VERSION-wheel-selector.toml   dialect plus
    name-version-variants.json         dialect pep825

    Dialect local needs no such file: where the configuration has upload.views, the command for users is named.

    \b
    Example:
      variant-publish metadata wheelhouse
    """  # noqa: D301  (\b is click's mark for text that keeps its lines)
    result = api.metadata([folder], output or folder, config, write=not check, reporter=ConsoleReporter())
    for path in result.current:
        echo(f"{path} is current")
    for path in result.outdated:
        if check:
            state = "is out of date" if path.exists() else "is missing"
            say("error", f"{path} {state}", "run variant-publish metadata")
        else:
            echo(f"{path} written")
    for variant, line in result.commands:
        echo(f"users of {variant}: {line}")
    if not result.current and not result.outdated:
        echo("no variant wheels here: nothing to write", err=True)
    return 1 if check and result.outdated else 0
