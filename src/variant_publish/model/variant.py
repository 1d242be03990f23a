"""Variants of a release: properties and labels (PEP 825, "Variant properties" and "Variant label")."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from typing import Self

import msgspec

from variant_publish.errors import UsageError
from variant_publish.model.tags import validate_extra_tag

GENERIC = "generic"
"""How people and matrices call the wheel without a variant."""

NULL_LABEL = "null"
"""The reserved label of PEP 825: no properties, compatible with every machine."""

_KEY = r"[a-z0-9_]+"
_VALUE = r"[a-z0-9_.]+"


class Property(msgspec.Struct, frozen=True, order=True):
    """One `namespace :: feature :: value` (PEP 825, "Variant properties").

    Raises UsageError for characters that the PEP does not allow.
    """

    namespace: str
    feature: str
    value: str

    def __post_init__(self) -> None:
        for kind, text, pattern in (
            ("namespace", self.namespace, _KEY),
            ("feature", self.feature, _KEY),
            ("value", self.value, _VALUE),
        ):
            if not re.fullmatch(pattern, text):
                raise UsageError(
                    f"property {str(self)!r} has the {kind} {text!r}, which PEP 825 does not allow",
                    hint=f"use {pattern.removesuffix('+')} only, for example 'x86_64 :: level :: v3'",
                )

    @classmethod
    def parse(cls, text: str) -> Self:
        """Parse `namespace :: feature :: value`; white space around the parts does not count."""
        parts = [part.strip() for part in text.split("::")]
        if len(parts) != 3:
            raise UsageError(
                f"property {text!r} does not have three parts",
                hint="write it as 'namespace :: feature :: value', for example 'x86_64 :: level :: v3'",
            )
        return cls(*parts)

    def __str__(self) -> str:
        return f"{self.namespace} :: {self.feature} :: {self.value}"


class Properties(msgspec.Struct, frozen=True, dict=True):
    """The properties of one variant: a set, iterated in sorted order."""

    items: tuple[Property, ...] = ()

    def __post_init__(self) -> None:
        msgspec.structs.force_setattr(self, "items", tuple(sorted(set(self.items))))

    @classmethod
    def parse(cls, lines: Iterable[str]) -> Self:
        """Parse `namespace :: feature :: value` lines."""
        return cls(tuple(Property.parse(line) for line in lines))

    @classmethod
    def from_table(cls, table: Mapping[str, Mapping[str, Iterable[str]]]) -> Self:
        """Build from namespace -> feature -> values, the shape of the JSON files."""
        return cls(
            tuple(
                Property(namespace, feature, value)
                for namespace, features in table.items()
                for feature, values in features.items()
                for value in values
            )
        )

    @cached_property
    def grouped(self) -> Mapping[str, Mapping[str, Sequence[str]]]:
        """Return namespace -> feature -> sorted values, made once for the thousands of machines that may ask."""
        result: dict[str, dict[str, list[str]]] = {}
        for item in self.items:
            result.setdefault(item.namespace, {}).setdefault(item.feature, []).append(item.value)
        return result

    @property
    def namespaces(self) -> tuple[str, ...]:
        """Return the namespaces in use, sorted."""
        return tuple(self.grouped)

    def values(self, namespace: str, feature: str) -> tuple[str, ...]:
        """Return the values of one feature, sorted; empty where the feature is not set."""
        return tuple(self.grouped.get(namespace, {}).get(feature, ()))

    def __bool__(self) -> bool:
        return bool(self.items)

    def __str__(self) -> str:
        return ", ".join(map(str, self.items))


def validate_label(label: str) -> str:
    """Return `label` if PEP 825 allows it (`^[0-9a-z_.]+$`), else raise UsageError."""
    if label.startswith(".") or label.endswith(".") or ".." in label:
        raise UsageError(
            f"variant label {label!r} has dots that could lead out of a folder",
            hint="write single dots, between words, for example 'cu128.torch2.9'",
        )
    if not re.fullmatch(_VALUE, label):
        raise UsageError(
            f"variant label {label!r} has characters that PEP 825 does not allow",
            hint="use lower-case letters, digits, '_' and '.' only, for example 'cu128'",
        )
    return label


class Variant(msgspec.Struct, frozen=True):
    """One variant of a project: how each dialect writes it, and its properties.

    `tags` are the extra tags of dialect plus in the order of the selector variables, `label` is that of PEP 825.
    Raises UsageError where a tag or label has illegal characters, or a null label has properties.
    """

    name: str
    tags: tuple[str, ...]
    label: str
    properties: Properties = Properties()

    def __post_init__(self) -> None:
        for tag in self.tags:
            validate_extra_tag(tag)
        if len(set(self.tags)) != len(self.tags):
            raise UsageError(
                f"variant {self.name!r} carries the tag {'+'.join(self.tags)!r} with a part twice",
                hint="name every extra tag once",
            )
        validate_label(self.label)
        if self.label == NULL_LABEL and self.properties:
            raise UsageError(
                f"variant {self.name!r} has the label 'null' and properties",
                hint="'null' is reserved for the variant without properties (PEP 825): choose another label",
            )
