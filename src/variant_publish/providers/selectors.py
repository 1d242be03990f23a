"""The entry points that published selector files name: each gives one string about this machine.

Their names and the strings they give are public: files on indexes refer to them for years.
"""

from __future__ import annotations

import os

from variant_publish.providers.machine import detected_values


def x86_64_version() -> str:
    """Return the x86-64 level of this machine ("x86-64-v3"), "none" on another architecture."""
    return detected_values(os.environ)["x86_64_version"]


def aarch64_version() -> str:
    """Return the Arm version of this machine ("8.2a"), "none" on another architecture."""
    return detected_values(os.environ)["aarch64_version"]


def cuda() -> str:
    """Return the CUDA version of this machine's NVIDIA driver ("12.8"), "none" without one."""
    return detected_values(os.environ)["cuda"]
