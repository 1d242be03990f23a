"""The options that describe a machine, shared by the commands that choose wheels."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import click

from variant_publish import api
from variant_publish.errors import UsageError, VariantPublishError

HOST_VARIABLE = "VARIANT_PUBLISH_HOST"
"""The environment variable that names such a file: for the build backend of `stub`, which has no options, too."""

INDEX_HELP = (
    "An index, or a folder of wheels; repeat: the first one that has the project counts, as in uv. TAG=URL says that"
    " every wheel of this index carries +TAG."
)


def index_option(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add `--index`."""
    option = click.option("--index", "indexes", multiple=True, required=True, metavar="[TAG=]URL|DIR", help=INDEX_HELP)
    return option(function)


def machine_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add `--set` and `--host`."""
    setting = click.option(
        "--set",
        "settings",
        multiple=True,
        metavar="NAME=VALUE",
        help="Describe the machine: cuda=12.8, cuda=none, x86_64_version=x86-64-v3, or a variable of the project.",
    )
    host = click.option(
        "--host",
        "host_file",
        envvar=HOST_VARIABLE,
        type=click.Path(path_type=Path, dir_okay=False),
        help=f"A machine described by 'variant-publish host --save FILE', in place of this one; or {HOST_VARIABLE}.",
    )
    return setting(host(function))


def generic_option(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add `--generic`."""
    return click.option("--generic", is_flag=True, help="The build that serves everyone, whatever this machine has.")(
        function
    )


def described_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add `--python-version` and `--platform`."""
    python = click.option(
        "--python-version", metavar="VERSION", help="The Python to choose for, like 3.13. Default: the running one."
    )
    platform = click.option("--platform", metavar="TAG", help="The platform to choose for, like manylinux_2_28_x86_64.")
    return python(platform(function))


def view_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options that say what is seen by whom: `--index`, `--default-index`, `--set`, `--host`, `--generic`."""
    default = click.option(
        "--default-index", metavar="URL", help="The index of everything else. Default: that of your installers."
    )
    return index_option(machine_options(generic_option(default(function))))


def view_options_of(
    indexes: Iterable[str], settings: Iterable[str], host_file: Path | None, generic: bool, default_index: str | None,
    port: int | None,
) -> api.ViewOptions:  # fmt: skip
    """Return the view that the options ask for."""
    machine = machine_of(settings, host_file)
    return api.ViewOptions(api.Indexes.parse(indexes), machine, default_index, generic, port)


def machine_of(
    settings: Iterable[str], host_file: Path | None = None, python: str | None = None, platform: str | None = None
) -> api.Machine:
    """Return this machine as far as the user's preferences go, or that of a file, with what the options say of it."""
    if host_file is None:
        machine = api.Preferences.of_user(os.environ).applied(api.Machine.detect(os.environ))
    else:
        try:
            machine = api.Machine.stored(api.HostFile.parse(host_file.read_text("utf-8")))
        except (VariantPublishError, UnicodeDecodeError) as error:
            message, hint = (
                (error.message, error.hint) if isinstance(error, VariantPublishError) else (str(error), None)
            )
            raise UsageError(f"{host_file}: {message}", hint=hint) from error
    return machine.described(dict(map(_setting, settings)), python=python, platform=platform)


def _setting(text: str) -> tuple[str, str]:
    name, separator, value = text.partition("=")
    if not separator or not name.strip() or not value.strip():
        raise UsageError(f"--set {text!r} is not NAME=VALUE", hint="write it like cuda=12.8")
    return name.strip(), value.strip()
