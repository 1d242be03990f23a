"""`[tool.variant-publish]`: read once, validated by msgspec, turned into frozen values of the model."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from functools import cached_property
from itertools import product
from pathlib import Path
from typing import Any

import msgspec
from msgspec.structs import replace

from variant_publish.config.known_keys import tables_of
from variant_publish.config.product import with_product
from variant_publish.config.standard import NAME as STANDARD
from variant_publish.config.standard import StandardTable, toml_tables
from variant_publish.config.tables import (
    DEFAULT_FILE,
    TABLE,
    BuildTable,
    ChangesTable,
    FamilyTable,
    MatrixTable,
    Tables,
    VariantTable,
)
from variant_publish.dialects.base import Dialect, Words
from variant_publish.dialects.registry import DIALECTS, dialect_of
from variant_publish.errors import UsageError, VariantPublishError, naming, nearest
from variant_publish.formats.variants_json import Provider
from variant_publish.model.build_job import BuildSettings
from variant_publish.model.matrix import Matrix, ZipGroup
from variant_publish.model.project_name import canonicalize_name, is_normalized_name
from variant_publish.model.requirement import TaggedRequirement
from variant_publish.model.variant import GENERIC, Properties, Variant
from variant_publish.providers import catalog
from variant_publish.providers.abi_dependency import abi_requirements


class Config:
    """The configuration as values of the model; built by `load` or `parse`, never changed.

    `declared` says whether there was a `[tool.variant-publish]` table at all; `project` is the name in `[project]`,
    normalised, "" where there is none.
    """

    def __init__(self, tables: Tables, *, declared: bool, project: str = "") -> None:
        self.tables = tables = with_product(tables)
        self.declared = declared
        self.project = project
        with naming(f"{TABLE}.dialects[...]", UsageError):
            self.dialects = tuple(dict.fromkeys(map(dialect_of, tables.dialects)))
        self.upload = tables.upload
        self.check = tables.check
        self.family = tables.family
        _check_family(tables.family)
        self.stub = tables.stub
        self.large = parse_size(tables.upload.large, f"{TABLE}.upload.large")
        self.pins = tuple(TaggedRequirement.parse(text) for text in tables.abi.requires)
        self.tag_indexes: Mapping[str, str] = dict(tables.abi.indexes)
        self.variants = {name: _variant(name, table) for name, table in tables.variants.items()}
        self.build_settings = {
            GENERIC: _settings(f"{TABLE}.generic", tables.generic.build),
            **{
                name: replace(
                    _settings(f"{TABLE}.variants.{name}", table.build),
                    constraints=abi_requirements(self.variants[name].properties),
                )
                for name, table in tables.variants.items()
            },
        }
        self.namespaces = self._namespaces()
        self.providers = {namespace: self.provider_of(namespace) for namespace in self.namespaces}
        self.selectors = tables.selectors
        self.matrix = self._matrix()
        for dialect in DIALECTS.values():
            if dialect in self.dialects or (self.upload.views is not None and not dialect.chosen_by_installers):
                self.check_words(dialect)

    @classmethod
    def parse(cls, text: str, source: str = DEFAULT_FILE, *, standard: bool = True) -> Config:
        """Parse TOML text: a file with `[tool.variant-publish]`, or one that is that table alone; and `[variant]`.

        Raises UsageError with `source`, the dotted key, what is wrong and, for an unknown key, the nearest known one.
        """
        data = toml_tables(text, source)
        shared = data.pop(STANDARD, None)
        table = data.get("tool", {}).get("variant-publish")
        if table is None and Path(source).name != DEFAULT_FILE and "tool" not in data:
            table = data
        with naming(source, UsageError):
            if shared is not None and standard:
                table = StandardTable.parse(shared).merged(table or {})
            return cls(tables_of(table or {}), declared=table is not None, project=_project(data))

    @classmethod
    def load(cls, path: Path | None = None, *, standard: bool = True) -> Config:
        """Read the configuration: `path`, else pyproject.toml of the working directory, else defaults.

        Without `standard` the table `[variant]` is left out, which may be of an older draft.
        """
        if path is None:
            path = Path(DEFAULT_FILE)
            if not path.exists():
                return cls(Tables(), declared=False)
        try:
            text = path.read_text("utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise UsageError(f"{path} cannot be read ({error})", hint="name an existing file with --config") from error
        return cls.parse(text, str(path), standard=standard)

    def variant(self, name: str) -> Variant:
        """Return a variant by its key, or raise UsageError with the nearest known one."""
        if name not in self.variants:
            known = ", ".join(self.variants) or "none; declare [tool.variant-publish.variants.NAME]"
            raise UsageError(f"variant {name!r} is not in the configuration{nearest(name, self.variants)}",
                             hint=f"declared variants: {known}")  # fmt: skip
        return self.variants[name]

    @cached_property
    def known(self) -> tuple[tuple[Dialect, frozenset[Words]], ...]:
        """Return the declared variants in the words of each dialect that can write them."""
        return known_words(self.variants.values())

    def provider_of(self, namespace: str) -> Provider:
        """Return the provider of a namespace: as configured, else the one that clients know; UsageError for neither."""
        return provider_of(namespace, self.tables.providers.get(namespace))

    def variant_of(self, dialect: Dialect, words: Words) -> Variant | None:
        """Return the first declared variant that a dialect writes so."""
        for variant in self.variants.values():
            with suppress(UsageError):
                if dialect.words_of(variant) == words:
                    return variant
        return None

    def check_words(self, dialect: Dialect) -> None:
        """Raise UsageError unless every declared variant has words of its own in the dialect."""
        owner: dict[Words, str] = {}
        for name, variant in self.variants.items():
            words = dialect.words_of(variant)
            if words and owner.setdefault(words, name) != name:
                raise UsageError(
                    f"{TABLE}.variants.{name} and .{owner[words]} are both written {'+'.join(words)!r} in dialect"
                    f" {dialect}",
                    hint="change the label or the tags of one of the two",
                )

    def settings_of(self, name: str) -> BuildSettings:
        """Return what the build of a variant, or of "generic", is asked for; UsageError for a name nobody declared."""
        return self.build_settings[name if name == GENERIC else self.variant(name).name]

    def platforms_of(self, name: str) -> tuple[str, ...]:
        """Return the platforms of a variant, or of "generic": as declared, else those of the matrix with its hardware.

        Empty where nothing declares any.
        """
        everywhere = self.tables.matrix.platform if self.tables.matrix else ()
        if name == GENERIC:
            return everywhere
        return self.tables.variants[name].platform or catalog.platforms_of(self.variants[name].properties, everywhere)

    def with_stub(self, **changes: Any) -> Config:
        """Return the configuration with these values of `[tool.variant-publish.stub]`; None leaves one as it is."""
        given = {key: value for key, value in changes.items() if value is not None}
        stub = msgspec.structs.replace(self.stub, **given)
        return Config(msgspec.structs.replace(self.tables, stub=stub), declared=self.declared, project=self.project)

    def changes_of(self, name: str) -> ChangesTable:
        """Return what retagging does to the wheels of a variant, or of "generic": as declared, and its ABI."""
        if name == GENERIC:
            return self.tables.generic
        table, abi = self.tables.variants[name], abi_requirements(self.variants[name].properties)
        requires = msgspec.structs.replace(table.requires, add=(*table.requires.add, *abi))
        return msgspec.structs.replace(table, requires=requires)

    def _namespaces(self) -> tuple[str, ...]:
        used = (item.namespace for variant in self.variants.values() for item in variant.properties.items)
        listed = dict.fromkeys((*self.tables.priority, *self.tables.providers, *used))
        return tuple(listed)

    def _matrix(self) -> Matrix | None:
        table = self.tables.matrix
        if table is None:
            return None
        if not table.python or not table.platform:
            raise UsageError(
                f"{TABLE}.matrix needs python and platform", hint='write python = ["cp312-cp312"], platform = [...]'
            )
        for variant, own in self.tables.variants.items():
            if odd := [platform for platform in own.platform if platform not in table.platform]:
                raise UsageError(
                    f"{TABLE}.variants.{variant}.platform names {odd[0]!r}, which {TABLE}.matrix.platform does not"
                    f"{nearest(odd[0], table.platform)}", hint="add it to the matrix, or take it out of the variant",
                )  # fmt: skip
        columns = tuple((name, self.platforms_of(name)) for name in self.tables.variants)
        try:
            return Matrix(table.python, table.platform, columns, table.skip, tuple(self._groups(table)))
        except VariantPublishError as error:
            raise UsageError(f"{TABLE}.matrix.{error.message}", hint=error.hint) from error

    @staticmethod
    def _groups(table: MatrixTable) -> Iterator[ZipGroup]:
        for number, columns in enumerate(table.zip):
            with naming(f"zip[{number}]", UsageError):
                yield ZipGroup.of_columns(columns)


def _check_family(table: FamilyTable | None) -> None:
    if table is None:
        return
    names: list[str] = []
    for place, text in enumerate(table.members):
        where = f"{TABLE}.family.members[{place}]"
        if not is_normalized_name(canonicalize_name(text)):
            raise UsageError(f"{where} {text!r} is not the name of a project", hint="write names only, no versions")
        if canonicalize_name(text) in names:
            raise UsageError(f"{where} names {text!r} a second time", hint="name every project once")
        names.append(canonicalize_name(text))
    if len(names) == 1:
        raise UsageError(f"{TABLE}.family.members has one project", hint="name all that belong together")
    for place, skip in enumerate(table.skip):
        where = f"{TABLE}.family.skip[{place}]"
        if not skip.reason.strip():
            raise UsageError(f"{where} has no reason", hint="say why the wheels are left out")
        if skip.project is not None and names and canonicalize_name(skip.project) not in names:
            raise UsageError(
                f"{where}.project {skip.project!r} is no member of the family{nearest(skip.project, names)}",
                hint=f"the members are {', '.join(names)}",
            )


def provider_of(namespace: str, declared: Provider | None = None) -> Provider:
    """Return the provider of a namespace: as configured, else the one that clients know; UsageError for neither."""
    if declared is not None:
        return declared
    known = catalog.find(namespace)
    if known is None:
        raise UsageError(
            f"namespace {namespace!r} has no known provider{nearest(namespace, catalog.KNOWN_PROVIDERS)}",
            hint=f"declare [{TABLE}.providers.{namespace}] with static-properties or requires",
        )
    return known.metadata


def known_words(variants: Iterable[Variant]) -> tuple[tuple[Dialect, frozenset[Words]], ...]:
    """Return the variants in the words of each dialect that can write them."""
    found: dict[Dialect, set[Words]] = {dialect: set() for dialect in DIALECTS.values()}
    for variant, dialect in product(variants, found):
        with suppress(UsageError):
            found[dialect].add(dialect.words_of(variant))
    return tuple((dialect, frozenset(words - {()})) for dialect, words in found.items())


def _project(data: Mapping[str, Any]) -> str:
    """Return the name in `[project]`, normalised; "" where there is none."""
    table = data.get("project", {})
    name = table.get("name", "") if isinstance(table, dict) else ""
    return str(canonicalize_name(name)) if isinstance(name, str) else ""


def parse_size(text: str, where: str) -> int:
    """Parse "100 MB" (powers of ten) or "100 MiB" (powers of two) into bytes."""
    match = re.fullmatch(r"\s*([0-9]+(?:\.[0-9]+)?)\s*([kMGT]?)(i?)B?\s*", text)
    if match is None:
        raise UsageError(f"{where} {text!r} is not a size", hint='write it like "100 MB" or "2 GiB"')
    power = " kMGT".index(match[2] or " ")
    return int(float(match[1]) * (1024 if match[3] else 1000) ** power)


def _variant(name: str, table: VariantTable) -> Variant:
    with naming(f"{TABLE}.variants.{name}", UsageError):
        if name == GENERIC:
            raise UsageError("'generic' is the wheel without a variant", hint=f"use [{TABLE}.generic] for it")
        tags = table.tags or catalog.tags_of(name)
        said = Properties.parse(table.properties) or catalog.properties_of_words(tags)
        return Variant(name, tags, table.label or name, said)


def _settings(where: str, table: BuildTable) -> BuildSettings:
    settings = {
        name: (value,) if isinstance(value, str) else tuple(value) for name, value in table.config_settings.items()
    }
    with naming(f"{where}.build", UsageError):
        return BuildSettings(settings, dict(table.env))
