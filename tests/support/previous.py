"""A release against the one before it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from support.checks import LINUX, release_in
from variant_publish.check.engine.context import Context
from variant_publish.check.engine.rule import Outcome, ReleaseRule
from variant_publish.formats.simple import IndexFile

SECOND = f"foo-2.0-cp312-cp312-{LINUX}.whl"


def after(rule: ReleaseRule[Any], folder: Path, *previous: str, size: int | None = None) -> list[Outcome]:
    files = tuple(IndexFile(name, name, "", size=size) for name in previous)
    return list(rule.check(Context(release_in(folder), previous=files)))
