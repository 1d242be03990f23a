"""Tags of wheels: extra tags of dialect plus, and which machine a tag set serves (PEP 425, 600, 656)."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING

from variant_publish.errors import UsageError

if TYPE_CHECKING:
    from packaging.tags import Tag

_EXTRA_TAG = r"[a-z0-9_]+"
_LEGACY_MANYLINUX = {
    "manylinux1": "manylinux_2_5",
    "manylinux2010": "manylinux_2_12",
    "manylinux2014": "manylinux_2_17",
}
_LIBC = r"(manylinux|musllinux)_([0-9]+)_([0-9]+)_(.+)"
_CPYTHON = r"cp3([0-9]+)(t?)"
_GENERIC_PYTHON = r"py3([0-9]*)"
_UNIVERSAL2 = r"(macosx_[0-9]+_[0-9]+)_universal2"
_MACOS = r"macosx_([0-9]+)_([0-9]+)_(.+)"


def validate_extra_tag(tag: str) -> str:
    """Return `tag` if it is one extra tag of dialect plus (`^[a-z0-9_]+$`), else raise UsageError."""
    if not re.fullmatch(_EXTRA_TAG, tag):
        raise UsageError(
            f"extra tag {tag!r} has characters that a platform tag cannot carry",
            hint="use lower-case letters, digits and '_' only, for example 'x86_64_v3'",
        )
    return tag


def modern_platform(platform: str) -> str:
    """Spell the legacy manylinux names of PEP 513, 571 and 599 as PEP 600 does; give others back as they are."""
    head, _, arch = platform.partition("_")
    return f"{_LEGACY_MANYLINUX[head]}_{arch}" if head in _LEGACY_MANYLINUX else platform


def in_use(platform: str) -> str:
    """Return what a platform for a glibc that is gone stands for: all that is left has 2.17 at least."""
    return re.sub(r"^manylinux_2_(?:[0-9]|1[0-6])_", "manylinux_2_17_", modern_platform(platform))


@cache
def platform_covers(wheel: str, cell: str) -> bool:
    """Return whether a wheel tagged `wheel` installs on every machine of the platform `cell`.

    An older glibc or musl serves a newer one. Minimum versions of macOS stay apart on purpose: folding them
    would hide a cell that is really missing; `universal2` serves both architectures of its version.
    """
    wheel, cell = modern_platform(wheel), modern_platform(cell)
    if wheel in ("any", cell):
        return True
    if universal := re.fullmatch(_UNIVERSAL2, wheel):
        return cell in (f"{universal[1]}_x86_64", f"{universal[1]}_arm64")
    old, new = re.fullmatch(_LIBC, wheel), re.fullmatch(_LIBC, cell)
    if not old or not new or (old[1], old[4]) != (new[1], new[4]):
        return False
    return (int(old[2]), int(old[3])) <= (int(new[2]), int(new[3]))


@cache
def platform_serves(wheel: str, cell: str) -> bool:
    """Return whether a machine of the platform `cell` can use a wheel tagged `wheel`, as installers see it.

    Unlike `platform_covers`, an older minimum version of macOS serves a newer one, and `linux_ARCH`, which says
    nothing of its libc, is served by every wheel of that architecture.
    """
    if platform_covers(wheel, cell):
        return True
    old, new = re.fullmatch(_MACOS, wheel), re.fullmatch(_MACOS, cell)
    if old and new:
        return old[3] in (new[3], "universal2") and (int(old[1]), int(old[2])) <= (int(new[1]), int(new[2]))
    libc = re.fullmatch(_LIBC, modern_platform(wheel))
    return libc is not None and cell == f"linux_{libc[4]}"


@cache
def python_covers(interpreter: str, abi: str, cell: str) -> bool:
    """Return whether a wheel with the tags `interpreter`-`abi` installs on the interpreter `cell` ("cp312-cp312").

    abi3 (PEP 384) serves every later CPython that is not free-threaded; `py3`, `py31x` and `cp31x` with the ABI
    `none` serve their own Python and later ones, as installers have it.
    """
    cell_interpreter, _, cell_abi = cell.partition("-")
    if (interpreter, abi) == (cell_interpreter, cell_abi):
        return True
    wanted = re.fullmatch(_CPYTHON, cell_interpreter)
    if wanted is None:
        return False
    minor, threaded = int(wanted[1]), cell_abi.endswith("t")
    if given := re.fullmatch(_CPYTHON, interpreter):
        if abi == "abi3":
            return not threaded and int(given[1]) <= minor
        return abi == "none" and int(given[1]) == minor
    if given := re.fullmatch(_GENERIC_PYTHON, interpreter):
        return abi == "none" and int(given[1] or 0) <= minor
    return False


def tag_covers(tag: Tag, python: str, platform: str) -> bool:
    """Return whether one expanded tag serves the cell of `python` ("cp312-cp312") and `platform`."""
    return python_covers(tag.interpreter, tag.abi, python) and platform_covers(tag.platform, platform)
