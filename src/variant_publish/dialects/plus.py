"""Dialect plus: extra tags on the platform tag: `foo-1.0-cp312-cp312-win_amd64+cu128.whl` (semi-static proposal)."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import chain, product
from typing import Any

from variant_publish.dialects.base import (
    UNLISTED,
    Dialect,
    MachineFacts,
    PartialTagSet,
    Rank,
    ReleaseFacts,
    Simulate,
    Words,
)
from variant_publish.errors import UsageError, VariantPublishError
from variant_publish.formats.selector_toml import SUFFIX, Selector, SelectorFile, merge_selectors
from variant_publish.model.ordering import TagOrder
from variant_publish.model.plain_name import PlainName, shortened
from variant_publish.model.tags import validate_extra_tag
from variant_publish.model.variant import NULL_LABEL, Variant
from variant_publish.model.versions import release_prefixes

_ABI_VARIABLE = r"abi_([a-z0-9_]+)"
"""The selector variable of a dependency whose ABI counts; its values are release prefixes."""


class Plus(Dialect):
    """Extra tags behind every member of the platform tag set, in the order of the selector variables."""

    name = "plus"
    option = "--tag"
    plain_installers_read = False
    suffix = SUFFIX
    selector = SelectorFile

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

    def parse(self, content: bytes | str) -> SelectorFile:
        """Parse NAME-VERSION-wheel-selector.toml."""
        return SelectorFile.parse(content)

    def merge(self, parts: Sequence[SelectorFile]) -> SelectorFile:
        """Unite the files of one release."""
        return merge_selectors(parts)

    def gather(self, release: ReleaseFacts) -> SelectorFile:
        """Return the configured file, or the one derived from all declared variants, built or not.

        So jobs that publish parts of a release agree on it.
        """
        result = release.tables()
        for wheel in release.wheels:
            for tag in wheel.words:
                if tag not in result.owners:
                    raise UsageError(
                        "the selector file of dialect plus cannot be derived:"
                        f" {wheel.place} has the tag {tag!r}, which no variant declares",
                        hint="declare the whole selector as [tool.variant-publish.selectors.NAME]",
                    )
        return result

    def names(self, data: SelectorFile) -> Words:
        """Return the tags of all variables."""
        return tuple(data.owners)

    def fault(self, data: SelectorFile, words: Words) -> str:
        """Return why no value of the variables leads to the tags."""
        if unknown := [tag for tag in words if tag not in data.owners]:
            return f"it does not name the tag {unknown[0]!r} of the wheels {_suffix(words)}"
        own = [data.owners[tag] for tag in words]
        if [variable for variable in data.selectors if variable in own] != own:
            return f"the wheels {_suffix(words)} do not have their tags in the order of its variables"
        silent = next(
            (name for name, one in data.selectors.items() if name not in own and "" not in one.admitted), None
        )
        return f"the wheels {_suffix(words)} have no tag of {silent!r}, which has no fallback" if silent else ""

    def rank(self, data: SelectorFile | None, machine: MachineFacts, asked: Sequence[str] = ()) -> Rank:
        """Return the rank by the product of what the value of each variable allows."""
        choice = _Choice(data or SelectorFile(), machine)

        def place(words: Words) -> tuple[Any, ...] | str:
            found = choice.place(tuple(tag for tag in words if tag in choice.file.owners or tag not in asked))
            return UNLISTED if data is None and isinstance(found, str) else found

        return place

    def machines(
        self, data: SelectorFile, wheels: Collection[Words], simulate: Simulate
    ) -> Iterator[Mapping[str, str]]:
        """Return every combination of the values that the tables list, once where they mean the same to the wheels."""
        axes = []
        for variable, item in data.only({*chain(*wheels)}).selectors.items():
            kinds: dict[Any, str] = {}
            for value in item.wheel_tags:
                kinds.setdefault((value == "none", _tags(item, variable, value)), value)
            axes.append(kinds.values())
        for values in product(*axes):
            yield dict(zip(data.variables, values, strict=True))

    def dependencies(self, data: SelectorFile | None, words: Words) -> Mapping[str, Sequence[str]]:
        """Return the values of `abi_torch` and its kind that lead to the tags."""
        file = data or SelectorFile()
        found = {}
        for tag, variable in ((tag, file.owners[tag]) for tag in words if tag in file.owners):
            match, values = re.fullmatch(_ABI_VARIABLE, variable), file.selectors[variable].admitted[tag]
            if match and values:
                found[match[1]] = values
        return found

    def asks_hardware(self, data: SelectorFile | None, words: Words) -> bool:
        """Return whether a tag belongs to a variable that is not the version of a dependency."""
        owners = (data or SelectorFile()).owners
        return not all(re.fullmatch(_ABI_VARIABLE, owners.get(tag, "")) for tag in words)


PLUS = Plus()


class _Choice:
    """The selector file, evaluated for one machine."""

    def __init__(self, file: SelectorFile, machine: MachineFacts) -> None:
        self.file = file
        self.values = {variable: self._value(variable, machine) for variable in file.variables}
        # On another architecture the levels of this one say nothing: no tag of them can be right there.
        self.order = TagOrder(
            ("",) if (tags := _tags(item, variable, self.values[variable])) is None else tags
            for variable, item in file.selectors.items()
        )

    def place(self, words: Words) -> tuple[Any, ...] | str:
        found = self.order.place(words)
        return self._why(words) if found is None else (found, "+".join(words))

    def _value(self, variable: str, machine: MachineFacts) -> str:
        if match := re.fullmatch(_ABI_VARIABLE, variable):
            return machine.abi.get(match[1], "none")
        known = ", ".join(self.file.selectors[variable].wheel_tags)
        value = machine.value(variable)
        if value is None:
            raise VariantPublishError(
                f"selector variable {variable!r} has no value on this machine",
                hint=f"set it: --set {variable}=VALUE (known values: {known})",
            )
        if self.file.selectors[variable].tags_for(value) is None and not machine.is_foreign(variable):
            raise VariantPublishError(
                f"selector variable {variable!r} is {value!r} here, which its table does not know",
                hint=f"choose a known one: --set {variable}=VALUE (known values: {known})",
            )
        return value

    def _why(self, words: Words) -> str:
        owners = [self.file.owners.get(tag) for tag in words]
        for tag, owner in zip(words, owners, strict=True):
            if owner is None:
                return f"tag {tag!r} is not in the release's selector file"
            if tag not in self.order:
                return f"{owner} is {self.values[owner]} here: tag {tag!r} is not for it"
        for number in self.order.needed:
            if (variable := self.file.variables[number]) not in owners:
                return f"{variable} is {self.values[variable]} here: a wheel without a tag of it is no fallback"
        return "its tags are not in the order of the selector variables"


def _tags(selector: Selector, variable: str, value: str) -> Words | None:
    """Return the tags for a value of a variable, best first; None where it has none.

    A release of a dependency has those of each of its prefixes, and the generic wheel.
    """
    if not re.fullmatch(_ABI_VARIABLE, variable):
        return selector.tags_for(value)
    prefixes = [prefix for prefix in release_prefixes(value) if prefix in selector.wheel_tags]
    return (*dict.fromkeys(tag for prefix in prefixes for tag in selector.wheel_tags[prefix] if tag), "")


def _suffix(words: Words) -> str:
    return "".join(f"+{tag}" for tag in words)
