"""The options of repairing, which `retag` and `build` share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

from variant_publish import api
from variant_publish.errors import UsageError

_OPTIONS = (
    click.option("--repair", is_flag=True, help="Let auditwheel (Linux) or delocate (macOS) repair each wheel first."),
    click.option("--plat", metavar="PLATFORM", help="With --repair: auditwheel's --plat, like manylinux_2_28_x86_64."),
    click.option("--exclude", multiple=True, metavar="LIBRARY", help="With --repair: a library that stays outside."),
    click.option("--repair-option", "options", multiple=True, metavar="OPTION",
                 help='With --repair: handed to the tool as it is, like "--strip".'),
)  # fmt: skip


def repair_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options to a command, which gets them as `repair`, `plat`, `exclude` and `options`."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def repair_of(
    repair: bool, plat: str | None, exclude: tuple[str, ...], options: tuple[str, ...]
) -> api.RepairOptions | None:
    """Return how wheels are repaired, as the options say; None without --repair."""
    if repair:
        return api.RepairOptions(plat, exclude, options)
    if plat or exclude or options:
        raise UsageError("--plat, --exclude and --repair-option need --repair", hint="add --repair")
    return None
