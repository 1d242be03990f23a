"""`variant-publish config`: what the configuration may hold, and what it holds."""

from __future__ import annotations

from pathlib import Path

import click
import msgspec

from variant_publish.cli.console import print_json
from variant_publish.config.configuration import Config
from variant_publish.model.url import redact


@click.group()
def command() -> None:
    """Show the configuration as it was read, or the JSON Schema that editors complete it by.

    \b
    Example:
      variant-publish config show
    """  # noqa: D301  (\b is click's mark for text that keeps its lines)


@command.command()
def schema() -> None:
    """Print the JSON Schema of [tool.variant-publish], and of the same keys in a file of their own.

    An editor wants a file; validate-pyproject finds the schema by itself.

    \b
    Example:
      variant-publish config schema > variant-publish.schema.json
    """  # noqa: D301  (\b is click's mark for text that keeps its lines)
    from variant_publish.config.schema import schema as generated

    print_json(generated())


@command.command()
@click.option("--config", "config_file", type=click.Path(path_type=Path), help="Default: pyproject.toml here.")
def show(config_file: Path | None) -> None:
    """Print the configuration as JSON, with every default filled in.

    \b
    Example:
      variant-publish config show --config variant-publish.toml
    """  # noqa: D301  (\b is click's mark for text that keeps its lines)
    config = Config.load(config_file)
    tables = redact(msgspec.json.encode(config.tables).decode())  # a URL may hold a password
    print_json({"schema-version": 1, "declared": config.declared, "configuration": msgspec.json.decode(tables)})
