"""What a wheel becomes: another variant, project, requirements."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from variant_publish.dialects.base import Dialect, Words
from variant_publish.dialects.wheel_name import WheelName
from variant_publish.errors import UsageError
from variant_publish.model.project_name import canonicalize_name
from variant_publish.model.requirement import TaggedRequirement
from variant_publish.model.variant_marker import VariantMarkers


class Rename(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename={"old": "name", "new": "to"}):
    """Fold the project `name` into the project `to`, which is spelled as in METADATA."""

    old: str
    """The project that the wheel was built as."""
    new: str
    """The project that it becomes part of."""

    @classmethod
    def parse(cls, text: str) -> Rename:
        """Parse `OLD=NEW`."""
        old, separator, new = text.partition("=")
        if not separator or not old.strip() or not new.strip():
            raise UsageError(f"--rename {text!r} is not OLD=NEW", hint="write it like xgboost-cpu=xgboost")
        return cls(old.strip(), new.strip())

    def applies_to(self, name: WheelName) -> bool:
        """Return whether the wheel is one of the project `old`."""
        return name.project == canonicalize_name(self.old)


class Rewrite(msgspec.Struct, frozen=True):
    """What the new wheel is: the variant `words` of `dialect`, or without them a generic wheel.

    `files` are the files of dist-info that the dialect adds. `pins` come on top of those that the wheel has already;
    they are written for those who read the target (see `_with_pins`). `known` are variants, by dialect, that count as
    such in an old name that does not say it by itself, so that they give way. With `drop_local_version` any local
    version gives way, and `version` stands in place of the old one; with `keep_own_files` the files of the old dialect
    stay. `markers` resolve the variant markers of requirements; None leaves them.
    """

    dialect: Dialect | None = None
    words: Words = ()
    files: Mapping[str, bytes] = {}
    known: tuple[tuple[Dialect, frozenset[Words]], ...] = ()
    rename: Rename | None = None
    add: tuple[str, ...] = ()
    remove: tuple[str, ...] = ()
    pins: tuple[TaggedRequirement, ...] = ()
    drop_signatures: bool = False
    drop_local_version: bool = False
    version: str | None = None
    keep_own_files: bool = False
    markers: VariantMarkers | None = None

    def name_of(self, name: WheelName) -> WheelName:
        """Return the file name of the new wheel."""
        renamed = name.renamed(self.rename.new) if self._renames(name) and self.rename else name
        for dialect, words in self.known:
            renamed = renamed.with_known(dialect, words)
        marked = renamed.without_local() if self.drop_local_version else renamed
        marked = marked if self.version is None else marked.generic().with_parts(version=self.version)
        return marked.with_variant(self.dialect, self.words)

    def _renames(self, name: WheelName) -> bool:
        return self.rename is not None and self.rename.applies_to(name)
