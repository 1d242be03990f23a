"""`variant-publish stub`."""

from __future__ import annotations

from pathlib import Path

import click

from variant_publish import api
from variant_publish.cli.console import ConsoleReporter, echo, print_json
from variant_publish.config.tables import DEFAULT_FILE
from variant_publish.model.quantity import count


@click.command()
@click.argument("release", required=False, metavar="[DIR|NAME==VERSION]")
@click.option("--index", metavar="URL|DIR", help="The index that has the release NAME==VERSION.")
@click.option("--public-url", metavar="URL", help="Where users find the index. Default: upload.public-url.")
@click.option("--mode", type=click.Choice(["wheel", "requires"]), help="Default: stub.mode, else wheel.")
@click.option(
    "--fallback",
    type=click.Choice(["error", "generic"]),
    help="What an unknown machine gets, and one that cannot reach the index. Default: stub.fallback, else error.",
)
@click.option("--embed-generic", is_flag=True, help="Put the generic wheels into the sdist: they need no index.")
@click.option("-o", "--output", type=click.Path(path_type=Path, file_okay=False), default="dist", show_default=True)
@click.option("--config", "config_file", type=click.Path(path_type=Path), help="Default: pyproject.toml here.")
@click.option("--format", "output_format", type=click.Choice(["text", "json"]), default="text", show_default=True)
def command(
    release: str | None, index: str | None, public_url: str | None, mode: str | None, fallback: str | None,
    embed_generic: bool, output: Path, config_file: Path | None, output_format: str,
) -> int:  # fmt: skip
    """Write an sdist for people who only have "pip install NAME": it chooses among the published wheels.

    Its build backend looks at the machine, fetches the wheel that fits, checks the SHA-256 that the sdist holds, and
    hands the wheel over. With --mode requires it builds an empty wheel that requires the project of the variant,
    such as foo-cuda12x. Read in docs/users.md when not to publish one.

    \b
    Examples:
      variant-publish stub wheelhouse --public-url https://wheels.example.org/simple
      variant-publish stub foo==1.0 --index https://wheels.example.org/simple --fallback generic
      variant-publish stub foo==1.0 --mode requires
    """  # noqa: D301  (\b is click's mark for text that keeps its lines)
    config = api.Config.load(config_file).with_stub(mode=mode, fallback=fallback, embed_generic=embed_generic or None)
    public_url, pyproject = public_url or config.upload.public_url, config_file or Path(DEFAULT_FILE)
    given = api.StubSource(release, index, public_url, pyproject if pyproject.exists() else None)
    written = api.stub(given, config, output, reporter=ConsoleReporter())
    if output_format == "json":
        print_json({"schema-version": 1, "sdist": str(written.path), "sha256": written.sha256,
                    "wheels": written.wheels, "variants": list(written.variants)})  # fmt: skip
    else:
        echo(f"{written.path}: {count(written.wheels, 'wheel')}, variants {', '.join(written.variants)}")
    return 0
