"""`variant-publish check`."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import click

from variant_publish import api
from variant_publish.cli.complete import rules
from variant_publish.cli.console import ConsoleReporter, console, print_json
from variant_publish.cli.release_name import parse_release
from variant_publish.cli.render_machine import render
from variant_publish.config.configuration import Config
from variant_publish.errors import UsageError

FORMATS = ("text", "json", "github", "sarif", "junit", "html")


@click.command()
@click.argument("wheels", nargs=-1)
@click.option("--format", "output", type=click.Choice(FORMATS), default="text", show_default=True)
@click.option("--output", "-o", "file", type=click.Path(path_type=Path, dir_okay=False), help="Write to a file.")
@click.option(
    "--summary-out", type=click.Path(path_type=Path, file_okay=False), metavar="DIR",
    help="Write a summary of each wheel, by which the release can be checked without the wheels.",
)  # fmt: skip
@click.option(
    "--also",
    multiple=True,
    metavar="FORMAT=FILE",
    help="Write the report in another format, too; repeat as needed.",
)
@click.option("--strict", is_flag=True, help="Let warnings fail the check too.")
@click.option("--offline", is_flag=True, help="Ask no index: what needs one is then unknown.")
@click.option("--fast", is_flag=True, help="Disassemble no code: VP507 and half of VP508 are left out.")
@click.option(
    "--select",
    multiple=True,
    metavar="ID",
    shell_complete=rules,
    help="Run only these rules; ids or beginnings, like VP5.",
)
@click.option(
    "--ignore", multiple=True, metavar="ID", shell_complete=rules, help="Leave these rules out; ids or beginnings."
)
@click.option("--for", "client", type=click.Choice(["uv"]), help="Hold the metadata against what this installer takes.")
@click.option(
    "--index", metavar="URL|DIR", help="Where NAME==VERSION, or the previous release, and what is pinned are."
)
@click.option("--deep", is_flag=True, help="Download the wheels of NAME==VERSION and read their binaries too.")
@click.option("--outline", is_flag=True, help="Read the directories of its wheels where the index serves METADATA too.")
@click.option("--family", is_flag=True, help="What is named belongs together: compare the projects (VP8).")
@click.option("--jobs", "-j", type=click.IntRange(1), help="Wheels read at a time. Default: one for each CPU.")
@click.option("--config", "config_file", type=click.Path(path_type=Path), help="Default: pyproject.toml here.")
@click.option("--list", "show_list", is_flag=True, help="List the rules and exit.")
@click.option("--explain", metavar="ID", shell_complete=rules, help="Print the page of a rule and exit.")
def command(
    wheels: tuple[str, ...], output: str, file: Path | None, also: tuple[str, ...], strict: bool, offline: bool,
    fast: bool, select: tuple[str, ...], ignore: tuple[str, ...], index: str | None, deep: bool, outline: bool,
    family: bool,
    jobs: int | None, client: str | None, summary_out: Path | None,
    config_file: Path | None, show_list: bool, explain: str | None,
) -> int:  # fmt: skip
    """Prove that the release in WHEELS (folders or files) is complete, consistent, and what its names say.

    NAME==VERSION checks a release that an index has, without downloading it. With --family (or family.members in the
    configuration) the projects are held against each other too, published ones and folders alike. A *.json
    file that --summary-out wrote stands for its wheel. All findings are reported at once. Exit code 1: an error was
    found.

    \b
    Examples:
      variant-publish check wheelhouse
      variant-publish check wheelhouse --strict --format github
      variant-publish check wheelhouse --format html -o report.html
      variant-publish check xgboost==3.4.1
      variant-publish check xgboost==3.4.1 xgboost-cpu==3.4.1 --family
      variant-publish check wheelhouse --summary-out summaries
      variant-publish check summaries/*.json
      variant-publish check --explain VP503
    """  # noqa: D301  (\b is click's mark for text that keeps its lines)
    if show_list or explain:
        return _show(explain, as_json=output == "json")
    if not wheels:
        raise UsageError("no wheels are named", hint="name a folder with wheels, or --list to see the rules")
    options: dict[str, Any] = {
        "strict": strict, "reporter": ConsoleReporter(), "select": select, "ignore": ignore, "fast": fast,
        "jobs": jobs or os.cpu_count() or 1, "client": client, "deep": deep, "outline": outline, "family": family,
        "summaries": summary_out is not None,
    }  # fmt: skip
    others = [_also(text) for text in also]
    config = Config.load(config_file)
    published = [found for name in wheels if (found := _published(name))]
    places = [Path(name) for name in wheels if _published(name) is None]
    report = api.check(places, config, offline=offline, index=index, published=published, **options)
    if summary_out is not None:
        api.write_summaries(report, summary_out)
    for form, other in others:
        other.write_text(render(report, form), "utf-8")
    if file is not None:
        file.write_text(render(report, output), "utf-8")
    elif output == "text":
        from variant_publish.cli.render_check import render_text  # with rich, which the other formats do not need

        render_text(report, console())
    else:
        click.echo(render(report, output), nl=False)
    return report.exit_code()


def _also(text: str) -> tuple[str, Path]:
    form, _, name = text.partition("=")
    if form not in FORMATS or not name:
        raise UsageError(f"--also {text!r} is not FORMAT=FILE", hint=f"the formats are {', '.join(FORMATS)}")
    return form, Path(name)


def _published(name: str) -> tuple[str, str] | None:
    """Read NAME==VERSION, which is no path; None for a path."""
    return parse_release(name) if "==" in name and not Path(name).exists() else None


def _show(explain: str | None, *, as_json: bool) -> int:
    from variant_publish.check.engine import rule_pages as pages
    from variant_publish.check.engine.registry import RULES

    if explain:
        click.echo(pages.explain(explain), nl=False)
        return 0
    rules = sorted(RULES, key=lambda rule: rule.id)
    if as_json:
        found = [{"id": rule.id, "severity": rule.severity.value, "title": rule.title} for rule in rules]
        print_json({"schema-version": 1, "rules": found})
        return 0
    for rule in rules:
        click.echo(f"{rule.id}  {rule.severity.value:<8} {rule.title}")
    return 0
