"""The manylinux and musllinux policies of auditwheel, held against what ELF files need."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from variant_publish.binary.image import Image

_TAG = re.compile(r"((many|musl)linux_[0-9]+_[0-9]+)_(.+)")
_LOADER = re.compile(r"ld-linux.*|ld64\.so\.[12]|ld-musl.*|libpython.*")


@dataclass(frozen=True)
class Policy:
    """Hold one policy: the platform tag, the symbol versions it promises by name, and the libraries of every system."""

    tag: str
    versions: Mapping[str, frozenset[str]]
    libraries: frozenset[str]

    def beyond(self, image: Image) -> list[str]:
        """Give the symbol versions that the policy does not promise; names that it does not list are not its own."""
        return sorted(
            version
            for library, wanted in image.versions.items()
            if not is_loader(library)
            for version in wanted
            if not self._has(version)
        )

    def _has(self, version: str) -> bool:
        name, _, number = version.partition("_")
        return name not in self.versions or number in self.versions[name]


def is_loader(library: str) -> bool:
    """Say whether a needed library is the loader or Python itself, which nobody brings along."""
    return _LOADER.fullmatch(library) is not None


@cache
def policy_of(tag: str) -> Policy | None:
    """Give the policy of a platform tag in its modern spelling; None where none is known, or auditwheel is missing."""
    match = _TAG.fullmatch(tag)
    return (
        None
        if match is None
        else next((one for one in _policies(match[2], match[3], match[1]) if one.tag == tag), None)
    )


def best_policy(images: Iterable[Image], architecture: str) -> Policy | None:
    """Give the glibc policy of the oldest systems that promise everything that the images need."""
    needs = list(images)
    found = [policy for policy in _policies("many", architecture, None) if not any(map(policy.beyond, needs))]
    return found[-1] if found else None


@cache
def _policies(libc: str, architecture: str, musl: str | None) -> tuple[Policy, ...]:
    """Give the policies of a libc, newest systems first."""
    try:
        from auditwheel.architecture import Architecture
        from auditwheel.libc import Libc
        from auditwheel.policy import WheelPolicies
    except ImportError:  # auditwheel is a dependency on Linux only
        return ()
    try:
        kind, version = (Libc.MUSL, musl) if libc == "musl" else (Libc.GLIBC, None)
        policies: Any = WheelPolicies(libc=kind, arch=Architecture(architecture), musl_policy=version)
    except (ValueError, LookupError, AssertionError):  # a policy or architecture that this auditwheel does not know
        return ()
    return tuple(
        Policy(one.name, one.symbol_versions, one.whitelist) for one in policies if not one.name.startswith("linux_")
    )
