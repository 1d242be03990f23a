"""Which variant is best: the order of PEP 825 ("Variant ordering") and that of dialect plus."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise

import msgspec

from variant_publish.model.variant import Properties

Supported = Mapping[str, Mapping[str, Sequence[str]]]
"""What a machine supports: namespace -> feature (most important first) -> values, best first."""

Triple = tuple[float, float, float]

_END: Triple = (math.inf, math.inf, math.inf)


class Ranked(msgspec.Struct, frozen=True):
    """The place of one label in the order: `key` sorts best first.

    `triples` are (namespace, feature, value) indices of the best compatible value of each feature, sorted.
    """

    label: str
    triples: tuple[Triple, ...]

    @property
    def key(self) -> tuple[tuple[Triple, ...], str]:
        """Return the sort key: a longer list beats its prefix, and the label breaks a tie."""
        return ((*self.triples, _END), self.label)


class Incompatible(msgspec.Struct, frozen=True):
    """Why a label cannot be used: one feature of it has no compatible value."""

    label: str
    namespace: str
    feature: str
    values: tuple[str, ...]


def rank(label: str, properties: Properties, namespaces: Sequence[str], supported: Supported) -> Ranked | Incompatible:
    """Rank one label on a machine.

    `namespaces` is the default priority of the release, best first; `supported` is the machine. The first feature
    without a compatible value makes the label incompatible. A label without properties (null) ranks after all others.
    """
    triples: list[Triple] = []
    for namespace, features in properties.grouped.items():
        offered = supported.get(namespace, {})
        order = list(offered)
        for feature, values in features.items():
            indices = [index for index, value in enumerate(offered.get(feature, ())) if value in values]
            if not indices or namespace not in namespaces:
                return Incompatible(label, namespace, feature, tuple(values))
            triples.append((namespaces.index(namespace), order.index(feature), indices[0]))
    return Ranked(label, tuple(sorted(triples)))


class TagOrder:
    """The places of extra tags on one machine, the smallest being best; what it cannot use has none.

    `choices` holds, for each selector variable in the order of the file, the tags that the machine's value allows,
    best first; "" stands for no tag, and no tag is of two variables. The first variable matters most. The product of
    the choices has the same order, and is far too long to be written down. A place is as long as the tags, however
    many variables there are: it says where they differ from no tag at all.
    """

    def __init__(self, choices: Iterable[Sequence[str]]) -> None:
        self._spots: dict[str, tuple[int, int]] = {}
        needed = []
        for number, choice in enumerate(choices):
            ranks = {tag: rank for rank, tag in reversed([*enumerate(choice)])}
            without = ranks.pop("", len(choice))
            if without == len(choice):
                needed.append(number)
            self._spots.update((tag, (number, rank - without)) for tag, rank in ranks.items())
        self.needed = tuple(needed)
        """The numbers of the variables that no wheel can be without a tag of."""

    def place(self, tags: Sequence[str]) -> tuple[tuple[int, ...], ...] | None:
        """Return the place of tags in the order of the variables; None where the machine cannot use them."""
        spots = [self._spots.get(tag, (-1, 0)) for tag in tags]
        numbers = [number for number, _ in spots]
        if any(later <= earlier for earlier, later in pairwise((-1, *numbers))) or not {*numbers}.issuperset(
            self.needed
        ):
            return None
        # The first difference between two places decides: what is better than no tag counts the more the earlier it
        # stands, and what is worse, too.
        return (*((-1, number, by) if by < 0 else (1, -number, by) for number, by in spots), (0,))

    def __contains__(self, tag: str) -> bool:
        return tag in self._spots
