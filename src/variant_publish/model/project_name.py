"""Names of projects (PEP 503), without `packaging.utils`: loading that takes a tenth of a short command."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, TypeGuard, cast

if TYPE_CHECKING:
    from packaging.utils import NormalizedName


def canonicalize_name(name: str) -> NormalizedName:
    """Return the normalised name of a project."""
    return cast("NormalizedName", re.sub(r"[-_.]+", "-", name).lower())


def is_normalized_name(name: str) -> TypeGuard[NormalizedName]:
    """Return whether a name is normalised, and one that a project may have."""
    return re.fullmatch(r"[a-z0-9]+(?:-[a-z0-9]+)*", name) is not None
