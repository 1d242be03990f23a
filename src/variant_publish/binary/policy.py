"""The manylinux and musllinux policies of auditwheel, compared with what ELF files need."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import msgspec

from variant_publish.binary.image import Image

_TAG = re.compile(r"((many|musl)linux_[0-9]+_[0-9]+)_(.+)")
_MUSL_NAMES = {"i686": "x86", "armv7l": "armv7"}
_LOADER = re.compile(r"ld-linux.*|ld64\.so\.[12]|ld-musl.*|libpython.*")


class Policy(msgspec.Struct, frozen=True):
    """One policy: the platform tag, the symbol versions it promises by name, and the libraries of every system."""

    tag: str
    versions: Mapping[str, frozenset[str]]
    libraries: frozenset[str]

    def beyond(self, image: Image) -> list[str]:
        """Return the symbol versions that the policy does not promise; names that it does not list are not its own."""
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
    """Return whether a needed library is the loader or Python itself, which nobody brings along."""
    return _LOADER.fullmatch(library) is not None


@cache
def policy_of(tag: str) -> Policy | None:
    """Return policy of a platform tag in its modern spelling; None where none is known, or auditwheel is missing."""
    match = _TAG.fullmatch(tag)
    return (
        None
        if match is None
        else next((one for one in _policies(match[2], match[3], match[1]) if one.tag == tag), None)
    )


def best_policy(images: Iterable[Image], architecture: str) -> Policy | None:
    """Return the glibc policy of the oldest systems that promise everything that the images need."""
    needs = list(images)
    found = [policy for policy in _policies("many", architecture, None) if not any(map(policy.beyond, needs))]
    return found[-1] if found else None


@cache
def _policies(libc: str, architecture: str, musl: str | None) -> tuple[Policy, ...]:
    """Return the policies of a libc, newest systems first, and of musl the one that is named.

    Only the data of auditwheel is read: importing it, with pyelftools, takes as long as to read a small wheel. A test
    compares the result with what auditwheel itself makes of the data.
    """
    found = sorted(_data(libc), key=lambda one: int(one["priority"]))
    sonames = {"libc.so": f"libc.musl-{_MUSL_NAMES.get(architecture, architecture)}.so.1"} if libc == "musl" else {}
    return tuple(
        Policy(
            f"{one['name']}_{architecture}",
            {name: frozenset(versions) for name, versions in one["symbol_versions"][architecture].items()},
            frozenset(sonames.get(library, library) for library in one["lib_whitelist"]),
        )
        for one in found
        if architecture in one["symbol_versions"] and one["name"] != "linux" and musl in (None, one["name"])
    )


@cache
def _data(libc: str) -> tuple[dict[str, Any], ...]:
    """Return auditwheel's own description of the policies; nothing where it is missing: a dependency on Linux only."""
    package = find_spec("auditwheel")
    if package is None or not package.submodule_search_locations:
        return ()
    path = Path(package.submodule_search_locations[0]) / "policy" / f"{libc}linux-policy.json"
    return tuple(json.loads(path.read_bytes())) if path.exists() else ()
