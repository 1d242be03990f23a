"""NAME==VERSION on the command line: a release that an index has."""

from __future__ import annotations

from packaging.requirements import InvalidRequirement, Requirement
from packaging.version import InvalidVersion, Version

from variant_publish.errors import UsageError


def parse_release(text: str) -> tuple[str, str]:
    """Parse NAME==VERSION into both, or raise UsageError."""
    project, _, version = text.partition("==")
    try:
        return Requirement(project).name, str(Version(version))
    except (InvalidRequirement, InvalidVersion) as error:
        raise UsageError(f"{text!r} is not NAME==VERSION", hint="write it like foo==1.0") from error
