"""`variant-publish convert`."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import click

from variant_publish import api
from variant_publish.cli.console import ConsoleReporter, echo, say
from variant_publish.model.variant import validate_label


@click.command()
@click.argument("places", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--label", "labels", multiple=True, metavar="OLD=NEW", help="Give a variant another label; repeat.")
@click.option("--metadata-config", metavar="NAME", help="The table of variant-repack that the project is built with.")
@click.option("--in-place", is_flag=True, help="Rewrite only the end of each wheel: no copy, no disk space.")
@click.option("--digest", is_flag=True, help="Keep each result's SHA-256 in NAME.whl.sha256, for upload.")
@click.option("-j", "--jobs", default=1, type=click.IntRange(min=1), metavar="N", help="Rewrite N wheels at a time.")
@click.option("-o", "--output", type=click.Path(path_type=Path, file_okay=False), help="Output folder.")
@click.option("--config", "config_file", type=click.Path(path_type=Path), help="Default: pyproject.toml here.")
def command(
    places: tuple[Path, ...], labels: tuple[str, ...], metadata_config: str | None, in_place: bool, digest: bool,
    jobs: int, output: Path | None, config_file: Path | None,
) -> int:  # fmt: skip
    """Convert what variantlib, variant-repack and similar tools made to today's PEP 825 and 850, as uv reads them.

    PLACES are wheels, index files (name-version-variants.json), configurations (*.toml), or folders of the first two.
    Wheels get today's variant.json, and plain requirements in place of variant markers; nothing is recompressed.
    Providers come from [tool.variant-publish.providers] where it has them. Configurations become variant-publish.toml;
    of a pyproject.toml with [tool.variant-publish.variants], properties move into the standard [variant] table.

    \b
    Examples:
      variant-publish convert old-wheels -o wheelhouse
      variant-publish convert torch-2.8.0-variants.json -o wheelhouse
      variant-publish convert old-wheels --label 5d8be4b9=cu128 -o wheelhouse
      variant-publish convert pyproject.toml --in-place
      variant-publish convert pyproject.toml torch_variant_config.toml --metadata-config torch -o new
    """  # noqa: D301  (\b is click's mark for text that keeps its lines)
    if in_place == (output is not None):
        raise api.UsageError("say where the results go", hint="use -o FOLDER or --in-place")
    result = api.convert(
        places,
        output,
        api.Config.load(config_file, standard=False),
        ConsoleReporter(),
        options=api.ConvertOptions(_labels(labels), metadata_config),
        execution=api.Execution(jobs, digest),
    )
    for done in result.wheels.done:
        echo(f"{done.path}{' (was there already, unchanged)' if done.existed else ''}")
    for path in result.files:
        echo(path)
    if not (result.wheels.done or result.wheels.failed or result.files):
        echo("nothing to do: everything is in today's form already")
    for error in result.wheels.failed:
        say("error", error.message, error.hint)
    return max((error.exit_code for error in result.wheels.failed), default=0)


def _labels(texts: Iterable[str]) -> dict[str, str]:
    result = {}
    for text in texts:
        old, separator, new = text.partition("=")
        if not separator:
            raise api.UsageError(f"--label {text!r} is not OLD=NEW", hint="write it like 5d8be4b9=cu128")
        result[old] = validate_label(new)
    return result
