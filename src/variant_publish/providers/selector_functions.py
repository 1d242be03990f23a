"""The entry points that published selector files name: each returns one string about this machine.

Their names and the strings they return are public: files on indexes refer to them for years.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version

from variant_publish.providers import catalog
from variant_publish.providers.abi_dependency import PREFIX, parse_release
from variant_publish.providers.base import NONE


def x86_64_version() -> str:
    """Return the x86-64 level of this machine ("x86-64-v3"), "none" on another architecture."""
    return _value("x86_64_version")


def aarch64_version() -> str:
    """Return the Arm version of this machine ("8.2a"), "none" on another architecture."""
    return _value("aarch64_version")


def cuda() -> str:
    """Return the CUDA version of this machine's NVIDIA driver ("12.8"), "none" without one."""
    return _value("cuda")


def sm_arch() -> str:
    """Return the compute capability of this machine's NVIDIA GPU ("9.0"), "none" without one."""
    return _value("sm_arch")


def gfx_arch() -> str:
    """Return the architecture of this machine's AMD GPU ("gfx942"), "none" without one."""
    return _value("gfx_arch")


def rocm() -> str:
    """Return the version of ROCm on this machine ("6.4"), "none" without it."""
    return _value("rocm")


def xpu() -> str:
    """Return the device IP of this machine's Intel GPU ("20.1.0"), "none" without one."""
    return _value("xpu")


def tpu() -> str:
    """Return "true" on a machine with a TPU, else "none"."""
    return _value("tpu")


def __getattr__(name: str) -> Callable[[], str]:
    """Return the function of a dependency: `abi_torch` returns the release of torch that is installed here."""
    if not name.startswith(PREFIX):
        raise AttributeError(name)

    def release() -> str:
        try:
            return parse_release(version(name.removeprefix(PREFIX).replace("_", "-"))) or NONE
        except PackageNotFoundError:
            return NONE

    return release


def _value(name: str) -> str:
    return catalog.detected(os.environ).get(name, NONE)
