"""The options that describe a machine, shared by the commands that choose wheels."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from typing import Any

import click

from variant_publish.errors import UsageError
from variant_publish.host.machine import Machine

INDEX_HELP = (
    "An index, or a folder of wheels; repeat: the first one that has the project counts, as in uv. TAG=URL says that"
    " every wheel of this index carries +TAG."
)


def index_option(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add `--index`."""
    option = click.option("--index", "indexes", multiple=True, required=True, metavar="[TAG=]URL|DIR", help=INDEX_HELP)
    return option(function)


def set_option(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add `--set`."""
    return click.option(
        "--set",
        "settings",
        multiple=True,
        metavar="NAME=VALUE",
        help="Describe the machine: cuda=12.8, cuda=none, x86_64_version=x86-64-v3, or a variable of the project.",
    )(function)


def machine_of(settings: Iterable[str], python: str | None = None, platform: str | None = None) -> Machine:
    """Give this machine with what the options say of it."""
    return Machine.detect(os.environ).described(dict(map(_setting, settings)), python=python, platform=platform)


def _setting(text: str) -> tuple[str, str]:
    name, separator, value = text.partition("=")
    if not separator or not name.strip() or not value.strip():
        raise UsageError(f"--set {text!r} is not NAME=VALUE", hint="write it like cuda=12.8")
    return name.strip(), value.strip()
