"""`variant-publish init`."""

from __future__ import annotations

import difflib
import sys
import tomllib
from pathlib import Path

import click

from variant_publish import starter
from variant_publish.archive.atomic import replacing
from variant_publish.archive.wheel import Wheel
from variant_publish.config import Config
from variant_publish.errors import UsageError
from variant_publish.release import wheel_paths
from variant_publish.site import templates_folder

WORKFLOW = Path(".github/workflows/variant-wheels.yml")


@click.command()
@click.option(
    "--wheels", type=click.Path(path_type=Path), metavar="DIR", help="Built wheels: the matrix comes from them."
)
@click.option(
    "--variant",
    "variants",
    multiple=True,
    metavar="NAME[=PROPERTY]",
    help='Like cu128, or "fast=x86_64 :: level :: v3"; repeat a name for several properties.',
)
@click.option("--repository", help="Where generic wheels go: a repository that twine knows, like pypi.")
@click.option("--extra-index", metavar="s3://BUCKET/PREFIX|file:DIR", help="Where the rest goes.")
@click.option("--public-url", metavar="URL", help="Where users will find the extra index.")
@click.option("--workflow", is_flag=True, help=f"Write {WORKFLOW} too.")
@click.option("--yes", is_flag=True, help="Write without asking. Without a terminal nothing is written otherwise.")
@click.option("--file", "path", type=click.Path(path_type=Path), default=Path("pyproject.toml"), show_default=True)
def command(
    wheels: Path | None, variants: tuple[str, ...], repository: str | None, extra_index: str | None,
    public_url: str | None, workflow: bool, yes: bool, path: Path,
) -> int:  # fmt: skip
    """Propose a [tool.variant-publish] table for this project, show it as a diff, and write it.

    It reads pyproject.toml with [tool.cibuildwheel], and built wheels. What is configured already stays as it is.

    \b
    Examples:
      variant-publish init --wheels dist --variant cu128 --extra-index s3://my-wheels/simple --repository pypi
      variant-publish init --variant x86_64_v3 --workflow --yes
    """  # noqa: D301  (\b is click's mark for text that keeps its lines)
    text = path.read_text("utf-8") if path.exists() else ""
    given = {"repository": repository, "extra-index": extra_index, "public-url": public_url}
    if sys.stdin.isatty() and not yes:
        given = _asked(given, text)
    found = [Wheel.read(file) for file in wheel_paths([wheels])] if wheels else []
    proposal = starter.propose(
        _parsed(text, path),
        [
            (wheel.name, wheel.variant_json.variants.get(wheel.name.label or "") if wheel.variant_json else None)
            for wheel in found
        ],
        _named(variants),
        {key: value for key, value in given.items() if value},
    )
    changes = {path: (text, starter.applied(text, proposal))}
    Config.parse(changes[path][1], str(path))
    if workflow:
        old = WORKFLOW.read_text("utf-8") if WORKFLOW.exists() else ""
        changes[WORKFLOW] = (old, old or (templates_folder() / "starter" / "workflow.yml").read_text("utf-8"))
    return _write({place: pair for place, pair in changes.items() if pair[0] != pair[1]}, yes)


def _write(changes: dict[Path, tuple[str, str]], yes: bool) -> int:
    """Show every change as a diff, ask where somebody can answer, and write."""
    if not changes:
        click.echo("nothing to do: everything is configured already")
        return 0
    for place, (old, new) in changes.items():
        diff = difflib.unified_diff(old.splitlines(True), new.splitlines(True), f"a/{place}", f"b/{place}")
        click.echo("".join(diff))
    if not yes and not (sys.stdin.isatty() and click.confirm("write this?", default=True)):
        click.echo("nothing was written; --yes writes it", err=True)
        return 0
    for place, (_, new) in changes.items():
        with replacing(place) as stream:
            stream.write(new.encode())
        click.echo(f"{place} written")
    return 0


def _asked(given: dict[str, str | None], text: str) -> dict[str, str | None]:
    questions = {
        "repository": ("repository for the generic wheels", "pypi"),
        "extra-index": ("extra index for the rest (s3://BUCKET/PREFIX or file:DIR)", "file:dist-index"),
    }
    answers = dict(given)
    for key, (question, default) in questions.items():
        if answers[key] is None and f"{key} =" not in text:
            answers[key] = click.prompt(question, default=default)
    return answers


def _parsed(text: str, path: Path) -> dict[str, object]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"{path} is not TOML ({error})", hint="correct the file") from error


def _named(variants: tuple[str, ...]) -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for text in variants:
        name, separator, line = text.partition("=")
        found[name.strip()] = (*found.get(name.strip(), ()), *((line.strip(),) if separator else ()))
    return found
