"""Dialect plus: extra tags on the platform tag: `foo-1.0-cp312-cp312-win_amd64+cu128.whl` (semi-static proposal)."""

from __future__ import annotations

from collections.abc import Sequence

from variant_publish.dialects.base import Dialect, PartialTagSet, Words
from variant_publish.model.plain_name import PlainName, shortened
from variant_publish.model.tags import validate_extra_tag
from variant_publish.model.variant import NULL_LABEL, Variant


class Plus(Dialect):
    """Extra tags behind every member of the platform tag set, in the order of the selector variables."""

    name = "plus"
    option = "--tag"
    plain_installers_read = False

    def read(self, text: str) -> tuple[str, Words] | None:
        """Take the extra tags off the platform tag; every member must have the same ones."""
        head, _, last = text.removesuffix(".whl").rpartition("-")
        if "+" not in last or head.count("-") < 3:
            return None
        members = [member.split("+") for member in last.split(".")]
        extra = {tuple(member[1:]) for member in members}
        if len(extra) != 1:
            marked = "+".join(max(extra))
            raise PartialTagSet(
                f"{shortened(text)} carries +{marked} on some members of its platform tag set only, so pip takes it"
                " for a generic wheel",
                hint=f"retag the generic wheel with --tag {marked}: every member needs the same extra tags",
            )
        return f"{head}-{'.'.join(member[0] for member in members)}.whl", extra.pop()

    def write(self, plain: PlainName, words: Words) -> str:
        """Return the name with the tags on every member of the platform tag set."""
        return f"{plain.head}-{'.'.join(member + _suffix(words) for member in plain.platform)}.whl"

    def validate(self, words: Words) -> None:
        """Raise UsageError for a tag that a platform tag cannot carry."""
        for tag in words:
            validate_extra_tag(tag)

    def words_of(self, variant: Variant) -> Words:
        """Return the extra tags; the null variant is the generic wheel."""
        return () if variant.label == NULL_LABEL else variant.tags

    def tag_lines(self, plain: PlainName, words: Words) -> Sequence[str]:
        """Return one line for each expanded tag, extra tags included."""
        return tuple(line + _suffix(words) for line in plain.tag_lines)


PLUS = Plus()


def _suffix(words: Words) -> str:
    return "".join(f"+{tag}" for tag in words)
