"""Rank the wheels of one release on one machine, and separate hardware from the ABI of dependencies."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice, product
from typing import Any

from variant_publish.dialects.base import Dialect
from variant_publish.dialects.pep825 import PEP825
from variant_publish.dialects.plus import PLUS
from variant_publish.dialects.wheel_name import WheelName
from variant_publish.formats.variants_json import ABI_DEPENDENCY
from variant_publish.model.variant import Properties
from variant_publish.providers.machine import Machine
from variant_publish.release.selectors import SelectorFiles
from variant_publish.view.labels import Labels
from variant_publish.view.selector_tags import ABI_VARIABLE, Tags
from variant_publish.view.wish import Wish

Place = Callable[[WheelName], tuple[Any, ...] | str]
"""Return the key of a wheel among the variants of its release, the smallest being the best, or why it has none."""

Abi = tuple[tuple[str, str], ...]
"""One version prefix for each dependency that a build was compiled against, sorted by dependency."""

_MANY = 64
UNLISTED = "is a variant, and no selector file lists it"


@dataclass(frozen=True, slots=True)
class Ranking:
    """The selector files of a release, in the dialect that counts, on one machine with one wish."""

    dialect: Dialect | None
    files: SelectorFiles
    machine: Machine
    wish: Wish

    def place(self, abi: Abi) -> Place:
        """Return how wheels are placed where the dependencies have these versions."""
        machine = replace(self.machine, abi=dict(abi))
        if self.dialect is PEP825:
            labels = Labels(self.files.variants, machine)
            return labels.place
        if self.dialect is PLUS and self.files.selector is not None:
            tags = Tags(self.files.selector, machine)
            known = {tag for selector in self.files.selector.selectors.values() for tag in selector.tags}
            return lambda name: tags.place(self.wish.without(name, known))
        return lambda name: (0,) if self.wish.without(name, ()).dialect is None else UNLISTED

    def builds(self, name: WheelName) -> tuple[Abi, ...]:
        """Return what a wheel was built against, once for each combination of versions; `((),)` for nothing."""
        choices = [[(key, value) for value in values] for key, values in sorted(self._dependencies(name).items())]
        return tuple(sorted(islice(product(*choices), _MANY)))

    def serves_all_hardware(self, name: WheelName) -> bool:
        """Return whether a wheel asks nothing of the hardware."""
        if name.serves_everyone:
            return True
        if name.dialect is PEP825:
            known = self.files.variants
            properties = known.variants.get(name.label) if known is not None else None
            return properties is not None and set(properties.namespaces) <= self._abi_namespaces
        selector = self.files.selector
        return selector is not None and all(
            any(tag in item.tags for variable, item in selector.selectors.items() if ABI_VARIABLE.fullmatch(variable))
            for tag in name.words
        )

    @property
    def _abi_namespaces(self) -> set[str]:
        providers = self.files.variants.providers if self.files.variants is not None else {}
        return {namespace for namespace, provider in providers.items() if provider.builtin == ABI_DEPENDENCY}

    def _dependencies(self, name: WheelName) -> Mapping[str, Sequence[str]]:
        if name.dialect is PEP825 and self.files.variants is not None:
            properties = self.files.variants.variants.get(name.label, Properties()).table()
            return {key: values for space in self._abi_namespaces for key, values in properties.get(space, {}).items()}
        found = {}
        for variable, selector in self.files.selector.selectors.items() if self.files.selector is not None else ():
            if match := ABI_VARIABLE.fullmatch(variable):
                own = [value for value, tags in selector.wheel_tags.items() if {*tags} & {*name.words}]
                if own:
                    found[match[1]] = own
        return found


def dialect_of(names: Iterable[WheelName], files: SelectorFiles, wish: Wish) -> Dialect | None:
    """Return the dialect that counts where a release is in both: that of the tags asked for, else pep825."""
    names = list(names)
    if wish.tags:
        named = {name.dialect for name in names if wish.met_by(name)}
        if len(named) == 1:
            return named.pop()
    if files.variants is not None:
        return PEP825
    if files.selector is not None or any(name.dialect is PLUS for name in names):
        return PLUS
    return PEP825 if any(name.dialect is PEP825 for name in names) else None


def admits(abi: Abi, versions: Mapping[str, str]) -> bool:
    """Return whether versions, or version prefixes, of dependencies lie within those of a build."""
    return all(
        name in versions and (versions[name] == prefix or versions[name].startswith(f"{prefix}."))
        for name, prefix in abi
    )
