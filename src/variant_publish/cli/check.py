"""`variant-publish check`."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from variant_publish import api
from variant_publish.cli.completion import rules
from variant_publish.cli.console import ConsoleReporter, echo, echo_document, echo_report, print_json
from variant_publish.cli.options import parse_release
from variant_publish.cli.render_machine import render

FORMATS = ("text", "json", "github", "sarif", "junit", "html", "markdown")
_LEAST = click.Choice(api.FailOn, case_sensitive=False)
_FAIL_ON = (
    click.option("--fail-on", type=_LEAST, default=api.FailOn.ERROR, show_default="error",
                 help="The least that makes the check fail; 'unknown' is what a rule could not decide."),
    click.option("--strict", "fail_on", flag_value=api.FailOn.WARNING, type=_LEAST,
                 help="As --fail-on warning: warnings, and what the rules that guard publication could not decide."),
)  # fmt: skip


def with_fail_on(function: Callable[..., int]) -> Callable[..., int]:
    """Add --fail-on and --strict; the command gets them as `fail_on`."""
    for option in reversed(_FAIL_ON):
        function = option(function)
    return function


def rule_options(function: Callable[..., int]) -> Callable[..., int]:
    """Add the options that `api.CheckOptions` holds; the command gets them as `given`."""
    for option in reversed(_RULE_OPTIONS):
        function = option(function)
    return function


_RULE_OPTIONS = (
    with_fail_on,
    click.option("--offline", is_flag=True, help="Ask no index: what needs one is then unknown."),
    click.option("--fast", is_flag=True, help="Disassemble no code: skips VP507, VP513 and VP514."),
    click.option("--select", multiple=True, metavar="ID", shell_complete=rules,
                 help="Run only these rules; ids or beginnings, like VP5."),
    click.option("--ignore", multiple=True, metavar="ID", shell_complete=rules,
                 help="Leave these rules out; ids or beginnings."),
    click.option("--for", "client", type=click.Choice(["uv"]), help="Also check what this installer accepts."),
    click.option("--index", metavar="URL|DIR",
                 help="The index of NAME==VERSION, of the previous release, and of what is pinned."),
    click.option("--against", multiple=True, metavar="NAME==VERSION",
                 help="Libraries must load with this release of a dependency; repeat as needed."),
    click.option("--run", is_flag=True,
                 help="Import each wheel of this system on the lowest CPU that it promises, emulated: runs its code."),
    click.option("--deep", is_flag=True, help="Download the wheels of NAME==VERSION and read their binaries too."),
    click.option("--outline", is_flag=True,
                 help="Read the directories of its wheels where the index serves METADATA too."),
    click.option("--family", is_flag=True, help="The projects belong together: compare them (VP8)."),
    click.option("--jobs", "-j", type=click.IntRange(1), default=os.cpu_count() or 1,
                 help="Wheels read at a time. Default: one for each CPU."),
)  # fmt: skip


@click.command()
@click.argument("wheels", nargs=-1)
@click.option("--format", "output", type=click.Choice(FORMATS), default="text", show_default=True)
@click.option("--output", "-o", "file", type=click.Path(path_type=Path, dir_okay=False), help="Write to a file.")
@click.option(
    "--also", multiple=True, metavar="FORMAT=FILE", help="Write the report in another format too; repeat as needed."
)
@click.option(
    "--summary-out", type=click.Path(path_type=Path, file_okay=False), metavar="DIR",
    help="Write a summary of each wheel, by which the release can be checked without the wheels.",
)  # fmt: skip
@rule_options
@click.option("--config", "config_file", type=click.Path(path_type=Path), help="Default: pyproject.toml here.")
@click.option("--list", "show_list", is_flag=True, help="List the rules and exit.")
@click.option("--explain", metavar="ID", shell_complete=rules, help="Print the page of a rule and exit.")
def command(
    wheels: tuple[str, ...], output: str, file: Path | None, also: tuple[str, ...], summary_out: Path | None,
    config_file: Path | None, show_list: bool, explain: str | None, **given: Any,
) -> int:  # fmt: skip
    """Prove that the release in WHEELS (folders or files) is complete, consistent, and what its names say.

    NAME==VERSION checks a release that an index has, without downloading it. With --family (or family.members in the
    configuration) the projects are compared with each other too, published ones and folders alike. A *.json
    file that --summary-out wrote stands for its wheel. All findings are reported at once. Exit code 1: an error was
    found, or what --fail-on names.

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
        raise api.UsageError("no wheels are named", hint="name a folder with wheels, or use --list to see the rules")
    others = [_also(text) for text in also]
    published = {name: _published(name) for name in wheels}
    places = [Path(name) for name, release in published.items() if release is None]
    options = api.CheckOptions(
        published=tuple(filter(None, published.values())), summaries=summary_out is not None, **given
    )
    report = api.check(places, api.Config.load(config_file), options, ConsoleReporter())
    if summary_out is not None:
        api.write_summaries(report, summary_out)
    for form, other in others:
        other.write_text(render(report, form), "utf-8")
    if file is not None:
        file.write_text(render(report, output), "utf-8")
    elif output == "text":
        echo_report(report)
    else:
        echo_document(render(report, output))
    return report.exit_code()


def _also(text: str) -> tuple[str, Path]:
    form, _, name = text.partition("=")
    if form not in FORMATS or not name:
        raise api.UsageError(f"--also {text!r} is not FORMAT=FILE", hint=f"the formats are {', '.join(FORMATS)}")
    return form, Path(name)


def _published(name: str) -> tuple[str, str] | None:
    """Read NAME==VERSION, which is no path; None for a path."""
    return parse_release(name) if "==" in name and not Path(name).exists() else None


def _show(explain: str | None, *, as_json: bool) -> int:
    if explain:
        echo_document(api.explain_rule(explain))
    elif as_json:
        found = [{"id": rule.id, "severity": rule.severity.value, "title": rule.title} for rule in api.rules()]
        print_json({"schema-version": 1, "rules": found})
    else:
        for rule in api.rules():
            echo(f"{rule.id}  {rule.severity.value:<8} {rule.title}")
    return 0
