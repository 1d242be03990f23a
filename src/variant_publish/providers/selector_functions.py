"""The entry points that published selector files name: each returns one string about this machine.

`cuda` returns the CUDA version of its driver, `x86_64_version` the level of its CPU, `abi_torch` the release of torch
that is installed here: there is a function for each selector variable, and for each dependency. What is not there is
"none". Their names and the strings they return are public: files on indexes refer to them for years.
"""

from __future__ import annotations

import os
from collections.abc import Callable

from variant_publish.providers import catalog
from variant_publish.providers.abi_dependency import PREFIX, parse_release
from variant_publish.providers.base import NONE


def __getattr__(name: str) -> Callable[[], str]:
    if name.startswith(PREFIX):
        return lambda: _installed(name.removeprefix(PREFIX).replace("_", "-"))
    if any(name == variable.name for provider in catalog.BUILTIN for variable in provider.variables):
        return lambda: catalog.detected(os.environ).get(name, NONE)
    raise AttributeError(name)


def _installed(distribution: str) -> str:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return parse_release(version(distribution)) or NONE
    except PackageNotFoundError:
        return NONE
