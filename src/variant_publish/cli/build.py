"""`variant-publish build`."""

from __future__ import annotations

import sysconfig
from pathlib import Path

import click

from variant_publish import api
from variant_publish.cli.console import ConsoleReporter, echo, print_json
from variant_publish.cli.options import repair_options
from variant_publish.config.tables import Frontend


@click.command()
@click.argument("source", metavar="[SRC]", default=".", type=click.Path(path_type=Path))
@click.argument("arguments", metavar="[-- ARGUMENT...]", nargs=-1)
@click.option("--variant", "names", multiple=True, metavar="NAME", help='A variant, or "generic"; repeat as needed.')
@click.option("--all", "everything", is_flag=True, help="The generic build and every variant for this machine.")
@click.option("--sdist", "only_sdist", is_flag=True, help="The sdist alone.")
@click.option("--frontend", type=click.Choice([f.value for f in Frontend]), help="Default: the configuration's.")
@click.option("--python", metavar="PYTHON", help="The interpreter to build for, with its build or cibuildwheel.")
@repair_options
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("wheelhouse"),
    show_default=True,
    help="Output folder.",
)
@click.option("--dry-run", is_flag=True, help="Only say what would be built, and how.")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
@click.option("--config", "config_file", type=click.Path(path_type=Path), help="Default: pyproject.toml of SRC.")
def command(
    source: Path, arguments: tuple[str, ...], names: tuple[str, ...], everything: bool, only_sdist: bool,
    frontend: str | None, python: str | None, repair: api.RepairOptions | None, output: Path, dry_run: bool, form: str,
    config_file: Path | None,
) -> int:  # fmt: skip
    """Make the sdist of SRC (a project's folder or an sdist), then build and retag the wheels of each variant.

    A variant says what its build is asked for: build = { config-settings = {...}, env = {...} }. The build sees
    BUILD_VARIANT, too. What the frontend prints goes to stderr; ARGUMENTS after -- are handed to it.

    \b
    Examples:
      variant-publish build --all
      variant-publish build foo-1.0.tar.gz --variant x86_64_v3 --repair -o wheelhouse
      variant-publish build . --all --frontend cibuildwheel -- --only cp312-manylinux_x86_64
    """  # noqa: D301  (\b is click's mark for text that keeps its lines)
    if str(source).startswith("-"):  # `build --all -- --no-isolation`: there was no SRC
        source, arguments = Path(), (str(source), *arguments)
    if [bool(names), everything, only_sdist].count(True) != 1:
        raise api.UsageError("nothing says what to build", hint="use --variant NAME, --all, or --sdist")
    config = api.Config.load(config_file) if config_file else api.source_configuration(source)
    builder = api.builder(config, frontend, python, arguments)
    if everything:
        names = tuple(config.build_settings) if builder.says_where else _for_here(config)
    building = api.BuildOptions(names, builder, repair)
    if dry_run:
        jobs = [(name, config.settings_of(name)) for name in names]
        lines = [f"{name}: {builder.frontend}{f' with {settings}' if settings else ''}" for name, settings in jobs]
        echo("\n".join(["sdist", *lines]))
        return 0
    sdist, wheels = "", []
    for one in api.build(source, output, config, building, ConsoleReporter()):
        if one.variant is None:
            sdist = str(one.files[0])
        else:
            wheels += [{"variant": one.variant, "path": str(path)} for path in one.files]
        if form == "text":
            echo("\n".join(map(str, one.files)))
    if form == "json":
        print_json({"schema-version": 1, "sdist": sdist, "wheels": wheels})
    return 0


def _for_here(config: api.Config) -> tuple[str, ...]:
    platform = sysconfig.get_platform().replace("-", "_").replace(".", "_")
    found = api.buildable(config, platform)
    left = [name for name in config.variants if name not in found]
    if left:
        ConsoleReporter().note(f"not for {platform}: {', '.join(left)}")
    return found
