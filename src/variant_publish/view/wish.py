"""What a user asks of the wheels of one project, besides a version."""

from __future__ import annotations

from collections.abc import Collection

import msgspec

from variant_publish.dialects.wheel_name import WheelName


class Wish(msgspec.Struct, frozen=True):
    """The extra tags that a wheel must carry (`numpy+pypi`), and `implied`, those that its index vouches for.

    A label that is the same word counts: one variant of a release has one name in both dialects. `generic` asks for
    the builds that serve all hardware. `locals` are wanted by name (`foo==1.0+cu128`) where a release has variants in
    another dialect, too.
    """

    tags: tuple[str, ...] = ()
    implied: frozenset[str] = frozenset()
    generic: bool = False
    locals: bool = False

    def met_by(self, name: WheelName) -> bool:
        """Return whether a wheel carries every tag, or its index vouches for those that it lacks."""
        missing = [tag for tag in self.tags if tag not in self.implied and tag not in name.words]
        return not missing or name.label.replace(".", "_") == "_".join(missing).replace(".", "_")

    def without(self, name: WheelName, known: Collection[str]) -> WheelName:
        """Return the name without tags that were asked for and that no selector places: asking for them is enough."""
        kept = tuple(tag for tag in name.words if tag in known or tag not in self.tags)
        return name if name.plain_installers_read else name.with_variant(name.dialect, kept)
