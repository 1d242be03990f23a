"""The standard `[variant]` table of pyproject.toml (building draft of 2026): labels, properties, providers, priorities.

Build backends read it too. `[tool.variant-publish]` adds what it has no words for; what both say must be the same.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import reduce
from typing import Any, Self

import msgspec

from variant_publish.config.tables import TABLE
from variant_publish.errors import UsageError, naming, nearest
from variant_publish.formats import toml
from variant_publish.formats.variants_json import Provider
from variant_publish.model.variant import NULL_LABEL, Properties, validate_label

NAME = "variant"
"""The name of the table."""

_PRIORITIES = f"{NAME}.default-priorities.namespace"
_KEYS = ("default-priorities", "providers", "variants")
_OLDER = {"feature", "property"}
_WIDEST = 180
_BUILD_REQUIRES = "build-requires"
"""The requirement of a plugin that only builds run; it has no place in published metadata."""


class StandardTable(msgspec.Struct, frozen=True):
    """What the table says: namespaces by importance, the tables of their providers, and properties by label."""

    namespaces: tuple[str, ...] = ()
    providers: Mapping[str, Mapping[str, Any]] = {}
    variants: Mapping[str, Properties] = {}

    @classmethod
    def parse(cls, table: Any) -> Self:
        """Parse the table; raise UsageError with the dotted key and what is wrong."""
        known = _table(table, NAME)
        for key in known:
            if key not in _KEYS:
                raise UsageError(
                    f"{NAME}.{key} is not a known key{nearest(key, _KEYS)}",
                    hint=f"known keys: {', '.join(_KEYS)}; 'variant-publish convert' reads older tables",
                )
        priorities = _table(known.get("default-priorities", {}), f"{NAME}.default-priorities")
        if older := sorted(set(priorities) & _OLDER):
            raise UsageError(
                f"{NAME}.default-priorities.{older[0]} is of an older draft, which installers no longer read",
                hint="run 'variant-publish convert pyproject.toml', or keep default-priorities.namespace only",
            )
        namespaces = _strings(priorities["namespace"], _PRIORITIES) if "namespace" in priorities else ()
        providers = {
            namespace: _table(provider, f"{NAME}.providers.{namespace}")
            for namespace, provider in _table(known.get("providers", {}), f"{NAME}.providers").items()
        }
        variants = {
            label: _properties(label, features)
            for label, features in _table(known.get("variants", {}), f"{NAME}.variants").items()
        }
        for label, properties in variants.items():
            if missing := sorted(set(properties.namespaces) - set(namespaces)):
                raise UsageError(
                    f"{_PRIORITIES} lacks {missing[0]!r}, which {NAME}.variants.{label} uses",
                    hint="list every namespace there, the most important first",
                )
        return cls(namespaces, providers, variants)

    def merged(self, ours: Mapping[str, Any]) -> dict[str, Any]:
        """Return `[tool.variant-publish]` with what this table says; raise UsageError where the two differ.

        Alone, without a table of ours, it stands for the standard's dialect: labels.
        """
        result = dict(ours) or {"dialects": ["pep825"]}
        if self.namespaces:
            theirs = ours.get("priority")
            if theirs is not None and tuple(theirs) != self.namespaces:
                raise _contradiction(_PRIORITIES, f"{TABLE}.priority")
            result["priority"] = list(self.namespaces)
        result["providers"] = self._providers(_table(ours.get("providers", {}), f"{TABLE}.providers"))
        result["variants"] = self._variants(_table(ours.get("variants", {}), f"{TABLE}.variants"))
        return result

    def _providers(self, ours: Mapping[str, Any]) -> dict[str, Any]:
        result = dict(ours)
        for namespace, table in self.providers.items():
            where, own = f"{NAME}.providers.{namespace}", ours.get(namespace)
            if _BUILD_REQUIRES in table:
                if own is None:
                    raise UsageError(
                        f"{where}.{_BUILD_REQUIRES} names a plugin that only builds run, so the published metadata"
                        " needs its values",
                        hint=f"write them as static-properties of [{TABLE}.providers.{namespace}]",
                    )
                continue
            if own is not None and _provider(table, where) != _provider(own, f"{TABLE}.providers.{namespace}"):
                raise _contradiction(where, f"{TABLE}.providers.{namespace}")
            _provider(table, where)
            result[namespace] = dict(table)
        return result

    def _variants(self, ours: Mapping[str, Any]) -> dict[str, Any]:
        labels = {table.get("label", name): name for name, table in ours.items() if isinstance(table, dict)}
        result = {}
        for label, properties in self.variants.items():
            name = labels.get(label, label)
            own = ours.get(name, {})
            if "properties" in own and Properties.parse(own["properties"]) != properties:
                raise _contradiction(f"{NAME}.variants.{label}", f"{TABLE}.variants.{name}.properties")
            result[name] = {**own, "properties": [str(item) for item in properties.items]}
        return {**result, **{name: table for name, table in ours.items() if name not in result}}


def write_standard(
    document: Any, namespaces: tuple[str, ...], providers: Mapping[str, Provider], variants: Mapping[str, Properties]
) -> None:
    """Write into a TOML document (tomlkit) what the table does not have yet; what is there stays as it is."""
    import tomlkit

    standard = document.setdefault(NAME, tomlkit.table())
    listed = list(standard.get("default-priorities", {}).get("namespace", ()))
    if not listed:
        put(standard, ("default-priorities", "namespace"), list(namespaces))
    elif further := [name for name in namespaces if name not in listed]:
        standard["default-priorities"]["namespace"] = [*listed, *further]
    for namespace, provider in providers.items():
        if namespace not in standard.get("providers", {}):
            put(standard, ("providers", namespace), provider.table())
    for label, properties in variants.items():
        if label in standard.get("variants", {}):
            continue
        for namespace, features in properties.grouped.items():
            put(standard, ("variants", label, namespace), features)
        if not properties:
            put(standard, ("variants", label), {})


def toml_tables(content: bytes | str, source: object) -> dict[str, Any]:
    """Parse TOML; raise UsageError with `source` where it is something else."""
    try:
        return toml.loads(content if isinstance(content, str) else content.decode())
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{source} is not TOML ({error})", hint="correct the file") from error


def editable(text: str, source: object) -> Any:
    """Parse TOML into a document that keeps comments and order (tomlkit); raise UsageError with `source`."""
    import tomlkit
    from tomlkit.exceptions import TOMLKitError

    try:
        return tomlkit.parse(text)
    except TOMLKitError as error:
        raise UsageError(f"{source} cannot be edited ({error})", hint="correct the file") from error


def put(table: Any, path: Sequence[str], value: Any) -> None:
    """Write a value into a table of a TOML document (tomlkit), on one line; keys that are there stay as they are."""
    import tomlkit
    from tomlkit.container import OutOfOrderTableProxy

    first, *rest = path
    # Dotted keys in several places are such a proxy, which takes no further ones; the table around them does.
    scattered = rest and isinstance(table.get(first), OutOfOrderTableProxy) and rest[0] not in table[first]
    if isinstance(table, OutOfOrderTableProxy) and first not in table:
        table[first] = _item(reduce(lambda inner, key: {key: inner}, reversed(rest), value))
    elif first not in table or (scattered and not isinstance(table, OutOfOrderTableProxy)):
        table.append(tomlkit.key(list(path)) if rest else first, _item(value))
    elif rest:
        put(table[first], rest, value)
    elif isinstance(value, Mapping):
        for key, own in value.items():
            put(table[first], (key,), own)


def _item(value: Any) -> Any:
    """Return a value as a TOML item: tables inline, and lists that one line has no room for on several."""
    import tomlkit

    if isinstance(value, Mapping):
        item: Any = tomlkit.inline_table()
        item.update({key: _item(own) for key, own in value.items()})
        return item
    if isinstance(value, list | tuple):
        item = tomlkit.array()
        item.extend(map(_item, value))
        return item.multiline(len(item.as_string()) > _WIDEST)
    return tomlkit.item(value)


def _properties(label: str, table: Any) -> Properties:
    where = f"{NAME}.variants.{label}"
    with naming(where, UsageError):
        validate_label(label)
        properties = Properties.from_table(
            {
                namespace: {
                    feature: _strings(values, f"{where}.{namespace}.{feature}")
                    for feature, values in _table(features, f"{where}.{namespace}").items()
                }
                for namespace, features in _table(table, where).items()
            }
        )
    if bool(properties) == (label == NULL_LABEL):
        raise UsageError(
            f"{where} {'has properties' if properties else 'has no properties'}",
            hint="the label 'null', and no other one, is the variant without properties",
        )
    return properties


def _provider(table: Any, where: str) -> Provider:
    with naming(where, UsageError):
        return Provider.parse(_table(table, where))


def _contradiction(standard: str, ours: str) -> UsageError:
    return UsageError(
        f"{standard} and {ours} say different things", hint="remove one of them: the standard table is enough"
    )


def _table(value: Any, where: str) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise UsageError(f"{where} is not a table", hint="write it as variantlib's documentation has it")
    return value


def _strings(value: Any, where: str) -> tuple[str, ...]:
    if not isinstance(value, list) or not value or not all(isinstance(item, str) for item in value):
        raise UsageError(f"{where} is not a list of strings", hint='write it like ["12.8"]')
    return tuple(value)
