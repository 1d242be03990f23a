"""`variant-publish init`."""

from __future__ import annotations

import difflib
import sys
from pathlib import Path

import click

from variant_publish import api
from variant_publish.cli.console import ConsoleReporter, echo, write_file
from variant_publish.cli.options import parse_release
from variant_publish.model.variant import GENERIC

WORKFLOW = Path(".github/workflows/variant-wheels.yml")


@click.command()
@click.option(
    "--wheels",
    "places",
    multiple=True,
    metavar="[NAME=]DIR|WHEEL",
    help="Built wheels, of the variant NAME or as their names tell: the matrix comes from them, and properties from"
    " their binaries. A folder of folders holds a variant in each. Repeat as needed.",
)
@click.option(
    "--from",
    "releases",
    multiple=True,
    metavar="[NAME=]PROJECT==VERSION",
    help="The same from a release on an index; repeat for projects that become one, like foo-cpu and foo-cuda12.",
)
@click.option("--index", metavar="URL|DIR", default="pypi", help="Where PROJECT==VERSION is. Default: PyPI.")
@click.option("--deep", is_flag=True, help="With --from: download the wheels and read their binaries too.")
@click.option("--fast", is_flag=True, help="Read no binaries.")
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
@click.option(
    "--bucket-files",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="Write the bucket's policy and a CloudFormation stack (bucket, CDN, role for the release job) there too.",
)
@click.option("--yes", is_flag=True, help="Write without asking. Without a terminal nothing is written otherwise.")
@click.option("--file", "path", type=click.Path(path_type=Path), default=Path("pyproject.toml"), show_default=True)
def command(
    places: tuple[str, ...], releases: tuple[str, ...], index: str, deep: bool, fast: bool, variants: tuple[str, ...],
    repository: str | None, extra_index: str | None, public_url: str | None, workflow: bool, bucket_files: Path | None,
    yes: bool, path: Path,
) -> int:  # fmt: skip
    """Propose the configuration of this project, show it as a diff, and write it.

    Matrix, skips, build flags, properties and renames come from built wheels, from releases, or from pyproject.toml
    with [tool.cibuildwheel]. What is configured already, and files that are there, stay as they are.

    \b
    Examples:
      variant-publish init --variant x86_64_v3 --variant cu128 --workflow
      variant-publish init --wheels dist --extra-index s3://my-wheels/simple --repository pypi
      variant-publish init --wheels generic=dist/cpu --wheels cu128=dist/cu128 --bucket-files deploy
      variant-publish init --from xgboost-cpu==3.4.1 --from cu130=xgboost==3.4.1 --yes
    """  # noqa: D301  (\b is click's mark for text that keeps its lines)
    text = path.read_text("utf-8") if path.exists() else ""
    if deep and not releases:
        raise api.UsageError("--deep needs --from", hint="name a release: --from PROJECT==VERSION")
    found = [*api.found_in_wheels(map(_place, places), look=not fast)]
    for release in releases:
        variant, wanted = _release(release)
        found += api.found_in_release(wanted, variant, index=index, deep=deep, reporter=ConsoleReporter())
    given = {"repository": repository, "extra-index": extra_index, "public-url": public_url}
    named = _named(variants)
    if sys.stdin.isatty() and not yes:
        given, named = _asked(given, named, text, has_variants=any(one.variant != GENERIC for one in found))
    upload = {key: value for key, value in given.items() if value}
    changes = {path: (text, api.configured(text, found, named, upload, source=str(path)))}
    config = api.Config.parse(changes[path][1], str(path))
    files = {WORKFLOW: api.workflow()} if workflow else {}
    if bucket_files is not None:
        files |= {bucket_files / name: new for name, new in api.bucket_files(config.upload.extra_index).items()}
    for place, new in files.items():
        old = place.read_text("utf-8") if place.exists() else ""
        changes[place] = (old, old or new)
    return _write({place: pair for place, pair in changes.items() if pair[0] != pair[1]}, yes)


def _write(changes: dict[Path, tuple[str, str]], yes: bool) -> int:
    """Show every change as a diff, ask where somebody can answer, and write."""
    if not changes:
        echo("nothing to do: everything is configured already")
        return 0
    for place, (old, new) in changes.items():
        diff = difflib.unified_diff(old.splitlines(True), new.splitlines(True), f"a/{place}", f"b/{place}")
        echo("".join(diff))
    if not yes and not (sys.stdin.isatty() and click.confirm("write this?", default=True)):
        echo("nothing was written; --yes writes it", err=True)
        return 0
    for place, (_, new) in changes.items():
        write_file(place, new)
        echo(f"{place} written")
    return 0


def _asked(
    given: dict[str, str | None], named: dict[str, tuple[str, ...]], text: str, *, has_variants: bool
) -> tuple[dict[str, str | None], dict[str, tuple[str, ...]]]:
    """Ask for what neither options, nor wheels, nor the configuration tell."""
    variants = dict(named)
    if not (named or has_variants or "[tool.variant-publish.variants" in text):
        answer = click.prompt("variants, like cu128 x86_64_v3 (empty for none)", default="", show_default=False)
        for name in answer.split():
            known = api.is_well_known(name)
            line = "" if known else click.prompt(f"what {name} needs, as NAMESPACE :: FEATURE :: VALUE")
            variants[name] = (line,) if line else ()
    questions = {
        "repository": ("repository for the generic wheels", "pypi"),
        "extra-index": ("extra index for the rest (s3://BUCKET/PREFIX or file:DIR)", "file:dist-index"),
    }
    answers = dict(given)
    for key, (question, default) in questions.items():
        if answers[key] is None and f"{key} =" not in text:
            answers[key] = click.prompt(question, default=default)
    return answers, variants


def _place(text: str) -> tuple[str | None, Path]:
    """Read [NAME=]DIR; a path that is there is a path, whatever is in its name."""
    name, separator, rest = text.partition("=")
    return (name, Path(rest)) if separator and not Path(text).exists() else (None, Path(text))


def _release(text: str) -> tuple[str | None, tuple[str, str]]:
    """Parse [NAME=]PROJECT==VERSION."""
    name, separator, rest = text.partition("=")
    has_name = bool(separator) and not rest.startswith("=")
    return (name, parse_release(rest)) if has_name else (None, parse_release(text))


def _named(variants: tuple[str, ...]) -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for text in variants:
        name, separator, line = text.partition("=")
        found[name.strip()] = (*found.get(name.strip(), ()), *((line.strip(),) if separator else ()))
    return found
