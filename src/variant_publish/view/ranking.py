"""Rank the wheels of one release on one machine, and separate hardware from the ABI of dependencies."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import islice, product
from operator import itemgetter
from typing import Any

import msgspec
from msgspec.structs import replace

from variant_publish.dialects.base import UNLISTED, Dialect
from variant_publish.dialects.registry import preferred
from variant_publish.dialects.wheel_name import WheelName
from variant_publish.providers.machine import Machine
from variant_publish.release.selectors import SelectorFiles
from variant_publish.view.wish import Wish

Place = Callable[[WheelName], tuple[Any, ...] | str]
"""Return the key of a wheel among the variants of its release, the smallest being the best, or why it has none."""

Abi = tuple[tuple[str, str], ...]
"""One version prefix for each dependency that a build was compiled against, sorted by dependency."""

_MANY = 64


class Ranking(msgspec.Struct, frozen=True):
    """The selector files of a release, in the dialect that counts, on one machine with one wish."""

    dialect: Dialect | None
    files: SelectorFiles
    machine: Machine
    wish: Wish

    def place(self, abi: Abi) -> Place:
        """Return how wheels are placed where the dependencies have these versions."""
        if self.dialect is None:
            return lambda name: (0, "") if self.wish.without(name, ()).dialect is None else UNLISTED
        rank = self.dialect.rank(self.data, replace(self.machine, abi=dict(abi)), self.wish.tags)
        return lambda name: rank(name.words)

    @property
    def data(self) -> Any:
        """Return the parsed selector file of the dialect; None where there is none."""
        return None if self.dialect is None else self.files.files.get(self.dialect)

    def builds(self, name: WheelName) -> tuple[Abi, ...]:
        """Return what a wheel was built against, once for each combination of versions; `((),)` for nothing."""
        choices = [[(key, value) for value in values] for key, values in sorted(self._dependencies(name).items())]
        return tuple(sorted(islice(product(*choices), _MANY)))

    def serves_all_hardware(self, name: WheelName) -> bool:
        """Return whether a wheel asks nothing of the hardware."""
        if name.serves_everyone or name.dialect is None:
            return True
        return name.dialect is self.dialect and not name.dialect.asks_hardware(self.data, name.words)

    def _dependencies(self, name: WheelName) -> Mapping[str, Sequence[str]]:
        return {} if name.dialect is None else name.dialect.dependencies(self.files.files.get(name.dialect), name.words)


def in_order(
    names: Iterable[WheelName], files: SelectorFiles, machine: Machine, dialect: Dialect | None
) -> list[tuple[tuple[Any, ...], WheelName]]:
    """Return the wheels that a machine can use with its dependencies, and their places, best first.

    That is the order in which an installer takes them from the view, if the better ones are not there.
    """
    place = Ranking(dialect, files, machine, Wish()).place(tuple(machine.abi.items()))
    placed = [(found, name) for name in names if not isinstance(found := place(name), str)]
    return sorted(placed, key=itemgetter(0))


def dialect_that_counts(names: Iterable[WheelName], files: SelectorFiles, wish: Wish) -> Dialect | None:
    """Return the dialect that counts where a release is in both: that of the tags asked for, else pep825."""
    names = list(names)
    if wish.tags:
        named = {name.dialect for name in names if wish.met_by(name)}
        if len(named) == 1:
            return named.pop()
    spoken = {name.dialect for name in names}
    listed = next((dialect for dialect in preferred() if dialect in files.files), None)
    return listed or next((dialect for dialect in preferred() if dialect in spoken), None)


def admits(abi: Abi, versions: Mapping[str, str]) -> bool:
    """Return whether versions, or version prefixes, of dependencies lie within those of a build."""
    return all(
        name in versions and (versions[name] == prefix or versions[name].startswith(f"{prefix}."))
        for name, prefix in abi
    )
