"""Which of pip and uv is driven."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.util import find_spec

from variant_publish.errors import UsageError
from variant_publish.install.client import Client
from variant_publish.install.environment import Environment
from variant_publish.install.pip import Pip
from variant_publish.install.uv import Uv, find_uv


def choose_client(name: str | None, environment: Environment, environ: Mapping[str, str]) -> Client:
    """Return the client of that name; without one, the environment's own pip, else uv, else the pip beside this tool.

    An environment without pip was made by uv, as a rule. Raises UsageError where the client is not there.
    """
    if name == "pip" or (name is None and environment.has_pip):
        if not environment.has_pip and find_spec("pip") is None:
            raise UsageError("pip is not installed", hint="install it, or use uv: --with uv")
        return Pip(environment, environ)
    uv = find_uv()
    if uv is not None:
        return Uv(uv, environment, environ)
    if name is None and find_spec("pip") is not None:
        return Pip(environment, environ)
    raise UsageError("uv is not installed", hint="install it, or use pip: --with pip")
