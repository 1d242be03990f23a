"""Which variant is best: the order of PEP 825 ("Variant ordering") and that of dialect plus."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

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


def place_of_tags(choices: Sequence[Sequence[str]], tags: Sequence[str]) -> tuple[int, ...] | None:
    """Return the place of extra tags in each selector variable's choices, the smallest being best; None for none.

    `choices` holds, for each selector variable in the order of the file, the tags that the machine's value allows,
    best first; "" stands for no tag, and no tag is of two variables. The first variable matters most. The product of
    the choices has the same order, and is far too long to be written down.
    """
    left, places = list(tags), []
    for choice in choices:
        tag = left.pop(0) if left and left[0] in choice else ""
        if tag not in choice:
            return None
        places.append(choice.index(tag))
    return None if left else tuple(places)
