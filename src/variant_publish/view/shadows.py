"""Keep of several builds the best one under every compatibility tag, whatever order an installer has for tags."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import Any

import msgspec
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.tags import Tag

from variant_publish.dialects.wheel_name import WheelName
from variant_publish.view.meets import LAST_MINOR, meet, minors_of

_MINORS = range(LAST_MINOR + 1)
_NEWER = re.compile(r"py3[0-9]+")
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
    better wheel is offered under the tag of what they have in common, which installers prefer to both.
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
        _drop_covered([*classes.values()], mixed=mixed)
        _stand_before([*classes.values()])
    return ordered


def _drop_covered(classes: Sequence[Sequence[Offer]], *, mixed: bool) -> None:
    better: dict[Tag, list[Offer]] = {}
    has_newer = mixed
    for members in classes:
        for offer in members:
            left = offer.listed if mixed else offer.listed - better.keys()
            offer.listed = {tag for tag in left if not _is_covered(tag, offer, better, mixed=mixed)}
            if has_newer:
                offer.listed = {_last(tag) for tag in offer.listed}
        for offer in members:
            for tag in offer.own:
                better.setdefault(tag, []).append(offer)
                has_newer = has_newer or _NEWER.fullmatch(tag.interpreter) is not None


def _is_covered(tag: Tag, offer: Offer, better: Mapping[Tag, Sequence[Offer]], *, mixed: bool) -> bool:
    def serves(other: Offer) -> bool:
        wanted = _minors(offer.requires_python) & minors_of(tag) if mixed else frozenset()
        return wanted <= _minors(other.requires_python)

    if any(map(serves, better.get(tag, ()))):
        return True
    return any(meet(tag, other) == tag and any(map(serves, owners)) for other, owners in better.items())


def _stand_before(classes: Sequence[Sequence[Offer]]) -> None:
    worse: set[Tag] = set()
    for place in range(len(classes) - 1, -1, -1):
        members = classes[place]
        offered = {tag for offer in members for tag in offer.listed}
        better = {tag for others in classes[:place] for other in others for tag in other.own}
        for offer in members:
            found = {tag for own in offer.own for other in worse if (tag := meet(own, other)) is not None}
            new = {tag for tag in found - offered if not any(meet(tag, other) == tag for other in better)}
            new = {_last(tag) for tag in new} if any(_NEWER.fullmatch(tag.interpreter) for tag in better) else new
            offer.listed |= new
            offered |= new
        worse |= offered


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
