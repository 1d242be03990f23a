"""Keep of several builds the best one under every compatibility tag, whatever order an installer has for tags."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import cache
from typing import Any

import msgspec
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.tags import Tag

from variant_publish.dialects.wheel_name import WheelName
from variant_publish.errors import VariantPublishError
from variant_publish.view.meets import LAST_MINOR, family, meet, minors_of

_MINORS = range(LAST_MINOR + 1)
_NEWER = re.compile(r"py3[0-9]+")
_STEPS = 1_000_000
"""Comparisons of tags for one release; real ones with thousands of wheels take some ten thousand."""
_ANY = "any"
_EVERY = "py3"
"""This interpreter stands before `py311` in the order of installers; `py30`, the same machines, stands last."""


class Offer(msgspec.Struct):
    """One wheel of a release: `place` is the smaller the better, and a guest is listed only to stand before others.

    `listed` are the tags under which the wheel is offered in the end.
    """

    name: WheelName
    place: tuple[Any, ...]
    requires_python: str | None
    guest: bool = False
    listed: set[Tag] = set()
    own: frozenset[Tag] = frozenset()


def settled(offers: Iterable[Offer]) -> list[Offer]:
    """Return the offers, best first, under such tags that an installer that takes the best tag takes the best place.

    A tag of a worse wheel goes where a better wheel covers it. Where two tags meet without covering each other, the
    better wheel is offered under the tag of what they have in common, which installers prefer to both. Raises
    VariantPublishError for a release with more tags than any real one.
    """
    ordered = sorted(offers, key=lambda offer: offer.place)
    mixed = len({offer.requires_python for offer in ordered}) > 1
    for offer in ordered:
        offer.own = offer.name.tags if not mixed else frozenset(_admitted(offer.name.tags, offer.requires_python))
        offer.listed = set() if offer.guest else set(offer.own)
    classes: dict[tuple[Any, ...], list[Offer]] = {}
    for offer in ordered:
        classes.setdefault(offer.place, []).append(offer)
    if len(classes) > 1:
        _Shadows([*classes.values()], mixed=mixed).cast()
    return ordered


class _Shadows:
    """The offers of a release by their places, best first, and which of their tags cover which."""

    def __init__(self, classes: Sequence[Sequence[Offer]], *, mixed: bool) -> None:
        self.classes, self.mixed = classes, mixed
        self.first: dict[Tag, int] = {}
        for place, members in enumerate(classes):
            for offer in members:
                for tag in offer.own:
                    self.first.setdefault(tag, place)
        self.newer = min(
            (at for tag, at in self.first.items() if _NEWER.fullmatch(tag.interpreter)), default=len(classes)
        )
        self._near: defaultdict[str, list[Tag]] = defaultdict(list)
        for tag in self.first:
            self._near[family(tag.platform)].append(tag)
        self._covering: dict[Tag, tuple[Tag, ...]] = {}
        self._left = _STEPS

    def cast(self) -> None:
        self._drop_covered()
        self._stand_before()

    def _drop_covered(self) -> None:
        better: dict[Tag, set[frozenset[int]]] = {}
        for place, members in enumerate(self.classes):
            for offer in members:
                left = offer.listed if self.mixed else offer.listed - better.keys()
                offer.listed = {tag for tag in left if not self._is_covered(tag, offer, better)}
                if self.mixed or self.newer < place:
                    offer.listed = {_last(tag) for tag in offer.listed}
            for offer in members:
                for tag in offer.own:
                    better.setdefault(tag, set()).add(_minors(offer.requires_python))

    def _is_covered(self, tag: Tag, offer: Offer, better: Mapping[Tag, Collection[frozenset[int]]]) -> bool:
        wanted = _minors(offer.requires_python) & minors_of(tag) if self.mixed else frozenset()
        owners = [better[other] for other in self._covering_of(tag) if other in better]
        self._spend(sum(map(len, owners)))
        return any(wanted <= minors for own in owners for minors in own)

    def _stand_before(self) -> None:
        worse: dict[str, dict[Tag, None]] = {}
        met: dict[Tag, set[Tag]] = {}
        seen: Counter[tuple[Tag, str]] = Counter()
        for place in range(len(self.classes) - 1, -1, -1):
            members, known = self.classes[place], {name: [*tags] for name, tags in worse.items()}
            offered = {tag for offer in members for tag in offer.listed}
            for own in {tag for offer in members for tag in offer.own}:
                tags = met.setdefault(own, set())
                for name in known if own.platform == _ANY else (family(own.platform), _ANY):
                    new = known.get(name, [])[seen[own, name] :]
                    self._spend(len(new))
                    tags.update(tag for other in new if (tag := meet(own, other)) is not None)
                    seen[own, name] += len(new)
            for offer in members:
                found = {tag for own in offer.own for tag in met[own]} - offered
                self._spend(len(found) // 16)
                found = {tag for tag in found if not self._is_had(tag, place)}
                found = {_last(tag) for tag in found} if self.newer < place else found
                offer.listed |= found
                offered |= found
            for tag in offered:
                worse.setdefault(family(tag.platform), {})[tag] = None

    def _is_had(self, tag: Tag, place: int) -> bool:
        """Return whether a better offer serves every machine of a tag."""
        return any(self.first[other] < place for other in self._covering_of(tag))

    def _covering_of(self, tag: Tag) -> tuple[Tag, ...]:
        """Return the tags of the offers that cover a tag, itself among them."""
        if tag not in self._covering:
            near = [*self._near[_ANY], *self._near[family(tag.platform)]]
            self._spend(len(near))
            found = sorted({other for other in near if meet(tag, other) == tag}, key=self.first.__getitem__)
            self._covering[tag] = tuple(found)
        return self._covering[tag]

    def _spend(self, steps: int) -> None:
        self._left -= steps
        if self._left < 0:
            example = self.classes[0][0].name
            raise VariantPublishError(
                f"the wheels of {example.project} {example.release_version} have too many tags to be compared",
                hint="tell whoever publishes it, or ask for another version",
            )


def _last(tag: Tag) -> Tag:
    return Tag("py30", tag.abi, tag.platform) if tag.interpreter == _EVERY else tag


def _admitted(tags: Iterable[Tag], requires_python: str | None) -> Iterable[Tag]:
    """Return the tags as far as the oldest Python of Requires-Python goes."""
    admitted = _minors(requires_python)
    if not admitted:
        return ()
    oldest = Tag(f"py3{min(admitted)}", "none", "any")
    return tags if min(admitted) == 0 else (found for tag in tags if (found := meet(tag, oldest)) is not None)


@cache
def _minors(requires_python: str | None) -> frozenset[int]:
    try:
        specifier = SpecifierSet(requires_python or "")
    except InvalidSpecifier:
        return frozenset(_MINORS)  # installers take no notice of what they cannot read
    return frozenset(minor for minor in _MINORS if any(specifier.contains(f"3.{minor}.{patch}") for patch in (0, 99)))
