"""What a wheel shall become: another variant, project, requirements."""

from __future__ import annotations

from dataclasses import dataclass

from packaging.utils import canonicalize_name

from variant_publish.errors import UsageError
from variant_publish.formats.variants_json import VariantsMetadata
from variant_publish.model.requirement import TaggedRequirement
from variant_publish.model.variant_marker import VariantMarkers
from variant_publish.model.wheel_name import WheelName


@dataclass(frozen=True, slots=True)
class Rename:
    """Fold the project `old` into the project `new`; `new` is spelled as METADATA shall have it."""

    old: str
    new: str

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


@dataclass(frozen=True, slots=True)
class Rewrite:
    """What the new wheel shall be: without extra tags and label, a generic one.

    `variant_json` is what a labelled wheel carries: exactly its label. `pins` come on top of those that the wheel has
    already; they are written as the target's readers understand them (see `_with_pins`). `local` is the local version
    of dialect local, and `locals` are those that count as a variant in the old name, so that they give way.
    With `drop_local_version` any local version gives way; with `keep_variant_json` that file stays as it is. `markers`
    are what variant markers of requirements are resolved by; None leaves them.
    """

    extra_tags: tuple[str, ...] = ()
    label: str | None = None
    variant_json: VariantsMetadata | None = None
    local: str | None = None
    locals: tuple[str, ...] = ()
    rename: Rename | None = None
    add: tuple[str, ...] = ()
    remove: tuple[str, ...] = ()
    pins: tuple[TaggedRequirement, ...] = ()
    drop_signatures: bool = False
    drop_local_version: bool = False
    keep_variant_json: bool = False
    markers: VariantMarkers | None = None

    def __post_init__(self) -> None:
        if (self.label is None) != (self.variant_json is None):
            raise UsageError("a label and variant.json belong together", hint="give both, or neither")

    def name_of(self, name: WheelName) -> WheelName:
        """Return the file name of the new wheel."""
        renamed = name.renamed(self.rename.new) if self._renames(name) and self.rename else name
        marked = renamed.without_local() if self.drop_local_version else renamed.with_locals(self.locals)
        return marked.with_variant(extra_tags=self.extra_tags, label=self.label, local=self.local)

    def _renames(self, name: WheelName) -> bool:
        return self.rename is not None and self.rename.applies_to(name)
