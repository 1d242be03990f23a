"""Whether the libraries of a wheel find what they need in those of a dependency, as the loader of each system looks.

A missing symbol is a proof: the library does not load. None missing is not one of compatibility, for the layout of a
type changes without a symbol. What only a library could have that is in neither wheel is unknown.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cached_property

import msgspec

from variant_publish.binary.demangle import demangled
from variant_publish.binary.image import Format, Symbol
from variant_publish.binary.linkage import Library, Linkage, name_hash
from variant_publish.binary.policy import is_loader

_COPIED = re.compile(r"-[0-9a-f]{6,40}(?=[.-]|$)")
_NUMBERS = re.compile(r"(?:(?<=\.so)(?:\.[0-9]+)+$|[.-][0-9.]+(?=\.(?:dylib|dll)$))")
_GNU = re.compile(
    r"lib(?:c|m|dl|rt|gomp|gfortran|quadmath|atomic|pthread|util|nsl|resolv|gcc_s|stdc\+\+|mvec|anl|BrokenLocale|crypt|thread_db)\.so\.[0-9]+|linux-vdso.*"
)
"""Libraries of glibc and GCC: all their symbols have versions, so one without a version is not theirs."""
_C_ONLY = re.compile(
    r"lib(?:cu[a-zA-Z]*|nv[A-Za-z_]*|nccl|amdhip64|hip[a-z]*|roc[a-z]*|hsa-[a-z0-9]+)\.so(?:\.[0-9]+)*"
)
"""Libraries of GPU makers: their functions are C's, so a C++ name is not theirs."""
_STANDARD = re.compile(r"_Z(?:T[ISVT])?(?:N[VKRO]*)?(?:St|S[absiod]|NSt|KSt)")
_NAMED = 3
_PYTHON = ("Py", "_Py")
_MAC_SYSTEM = ("/usr/lib/", "/System/")


class Missing(msgspec.Struct, frozen=True):
    """What a library of the wheel needs: a `symbol`, or a whole library where that is None; `reason` if unknown."""

    path: str
    symbol: str | None
    library: str | None = None
    reason: str = ""

    def __str__(self) -> str:
        return self.library or "" if self.symbol is None else demangled(self.symbol)


class Loading(msgspec.Struct, frozen=True):
    """What was found of one wheel in one dependency: how many symbols are there, which are not, which may be.

    `libraries` are those of the wheel that need one of the dependency.
    """

    found: int = 0
    missing: tuple[Missing, ...] = ()
    unknown: tuple[Missing, ...] = ()
    libraries: tuple[str, ...] = ()

    @property
    def loads(self) -> bool:
        """Return whether nothing is missing or unknown, and something was needed."""
        return bool(self.libraries) and not self.missing and not self.unknown


class Loader(msgspec.Struct, frozen=True, dict=True):
    """Look up what a wheel's libraries need: in the wheel, in a dependency, in `others`, on the system.

    `system` are the libraries that every machine of the wheel's platform has.
    """

    own: Linkage
    dependency: Linkage
    others: tuple[Linkage, ...] = ()
    system: frozenset[str] = frozenset()

    def load(self) -> Loading:
        """Return what each library that needs one of the dependency finds there."""
        found, libraries = 0, []
        missing: dict[tuple[str, str | None, str | None], Missing] = {}
        unknown: dict[tuple[str, str | None, str | None], Missing] = {}
        for library in self.own.libraries:
            if not library.is_read or not self._concerns(library):
                continue
            libraries.append(library.path)
            for answer in self._of_library(library):
                if answer is None:
                    found += 1
                else:
                    kept = unknown if answer.reason else missing
                    kept.setdefault((answer.path, answer.symbol, answer.library), answer)
        return Loading(found, tuple(missing.values()), tuple(unknown.values()), tuple(libraries))

    def _of_library(self, library: Library) -> Iterator[Missing | None]:
        """Yield None for each symbol that is there, and what is not."""
        for name in library.needed:
            if self._stands_in(name) is not None:
                yield Missing(library.path, None, name)
        if library.format is not Format.ELF:
            for symbol in library.wanted:
                yield from self._in_named_library(library, symbol)
            return
        nowhere = self._nowhere(library)
        for symbol in library.wanted:
            if self._is_elsewhere(symbol):
                continue
            if name_hash(symbol.name) in self.dependency.exports:
                yield self._versioned(library, symbol)
            else:
                yield Missing(library.path, symbol.name, None, self._doubt(symbol, nowhere))

    def _is_elsewhere(self, symbol: Symbol) -> bool:
        """Return whether a symbol of ELF is looked for in the wheel, in another one, in Python or in the system."""
        if symbol.name.startswith(_PYTHON) or (
            symbol.library is not None and symbol.library not in self.dependency.by_name
        ):
            return True
        value = name_hash(symbol.name)
        return value in self.own.exports or any(value in other.exports for other in self.others)

    def _versioned(self, library: Library, symbol: Symbol) -> Missing | None:
        """Return a symbol that the dependency has in other versions only; None where it has the right one."""
        if symbol.version is None or name_hash(symbol.name, symbol.version) in self.dependency.exports:
            return None
        return Missing(library.path, f"{symbol.name}@{symbol.version}")

    def _doubt(self, symbol: Symbol, nowhere: tuple[str, ...]) -> str:
        """Return why nobody can know whether a symbol of ELF is missing; nothing where it is."""
        if _STANDARD.match(symbol.name):
            return "it belongs to a C++ library newer than the platform promises, or to none"
        is_cxx = symbol.name.startswith("_Z")
        could = [name for name in nowhere if not (is_cxx and (name in self.system or _C_ONLY.fullmatch(name)))]
        if could:
            return f"{could[0]} could export it, which is in neither wheel"
        return ""

    def _nowhere(self, library: Library) -> tuple[str, ...]:
        """Return the libraries that are loaded too and could export anything: they are in no wheel that was read."""
        return tuple(
            name
            for name, found in self._closure(library).items()
            if found is None and not is_loader(name) and not _GNU.fullmatch(name) and self._stands_in(name) is None
        )

    def _closure(self, library: Library) -> Mapping[str, Library | None]:
        """Return all that is loaded with a library, by the names that it is needed by; None for what is in no wheel."""
        found: dict[str, Library | None] = {}
        wanted = list(library.needed)
        while wanted:
            name = wanted.pop()
            if name not in found:
                found[name] = inside = self._find(name)
                wanted += inside.needed if inside else ()
        return found

    def _find(self, needed: str) -> Library | None:
        name = needed.rpartition("/")[2]
        wheels = (self.own, self.dependency, *self.others)
        return next((wheel.by_name[name] for wheel in wheels if name in wheel.by_name), None)

    def _concerns(self, library: Library) -> bool:
        """Return whether a library of the dependency is loaded with this one, or should be."""
        names = self.dependency.by_name
        own = self.own.by_name
        loaded = self._closure(library)
        return any(
            (name.rpartition("/")[2] in names and name.rpartition("/")[2] not in own) or self._stands_in(name)
            for name in (*loaded, *library.needed)
        )

    def _stands_in(self, needed: str) -> str | None:
        """Return the library that the dependency has instead of a needed one: another copy, or another version of it.

        The copy that repair tools made of a library, with a hash in its name, does not stand in for the library itself.
        """
        name = needed.rpartition("/")[2]
        if needed.startswith(_MAC_SYSTEM) or name in self.system or self._find(name) is not None:
            return None
        return self._stems.get((_stem(name), _COPIED.search(name) is not None))

    @cached_property
    def _stems(self) -> Mapping[tuple[str, bool], str]:
        return {(_stem(name), _COPIED.search(name) is not None): name for name in self.dependency.by_name}

    def _in_named_library(self, library: Library, symbol: Symbol) -> Iterator[Missing | None]:
        """Look a symbol up in the library that Mach-O and PE files name for it, and in what that re-exports."""
        if symbol.library is None or symbol.library.startswith(_MAC_SYSTEM) or symbol.name.startswith(_PYTHON):
            return
        name = symbol.library.rpartition("/")[2]
        if name in self.own.by_name or name not in self.dependency.by_name:
            return
        holder = self.dependency.by_name[name]
        if not holder.is_read:
            yield Missing(library.path, symbol.name, name, f"{holder.path} cannot be read")
        elif name_hash(symbol.name) in self.dependency.exports:
            yield None
        else:
            yield Missing(library.path, symbol.name, name)


def _stem(name: str) -> str:
    """Return the name of a library without the hash that repair tools add, and without its version."""
    return _NUMBERS.sub("", _COPIED.sub("", name))


def lacking(found: Loading, dependency: str) -> str:
    """Return a sentence on what a dependency does not have: three symbols or libraries named, the others counted."""
    kind = found.missing or found.unknown
    libraries = [one for one in kind if one.symbol is None]  # the loader looks for them first
    verb = "have" if libraries else "export"
    names = list(dict.fromkeys(f"`{one}`" for one in libraries or kind))
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    places = list(dict.fromkeys(one.path for one in libraries or kind))
    needs = f"{' and '.join(places[:2])} {'needs' if len(places) == 1 else 'need'}"
    doubt = f": {found.unknown[0].reason}" if not found.missing else ""
    return f"{dependency} does not {verb} {', '.join(names[:_NAMED])}{more}, which {needs}{doubt}"
