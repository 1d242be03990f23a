"""`[tool.variant-publish]`: read once, validated by msgspec, turned into frozen values of the model."""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Iterator, Mapping
from contextlib import suppress
from enum import StrEnum
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import msgspec
from packaging.utils import canonicalize_name, is_normalized_name

from variant_publish.errors import UsageError, VariantPublishError
from variant_publish.formats.selector_toml import Selector
from variant_publish.formats.variants_json import KNOWN_PROVIDERS, Provider
from variant_publish.model.build_settings import BuildSettings
from variant_publish.model.matrix import Matrix, Skip
from variant_publish.model.requirement import TaggedRequirement
from variant_publish.model.variant import GENERIC, Dialect, Properties, Variant
from variant_publish.model.zip_group import ZipGroup

TABLE = "tool.variant-publish"
DEFAULT_FILE = "pyproject.toml"
DEFAULT_EXTRA_INDEX = "file:dist-index"


class _Table(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="kebab"):
    """A table of the configuration: frozen, kebab-case keys, no others.

    The text below each key is its description in the JSON Schema and in the reference.
    """


class SkipTable(_Table, frozen=True):
    """Leave cells of the matrix out, with a reason."""

    reason: str
    """Why these cells are not built; the grid shows it."""
    python: str | None = None
    """The Python and ABI tag of the cells, like "cp314-cp314t"; every one without it."""
    platform: str | None = None
    """The platform tag of the cells; every one without it."""
    variant: str | None = None
    """The variant of the cells, or "generic"; every one without it."""


class MatrixTable(_Table, frozen=True):
    """Declare which wheels a release has; each table of `zip` gives axes that move together, axis -> values."""

    python: tuple[str, ...] = ()
    """Python and ABI tags, like "cp312-cp312"."""
    platform: tuple[str, ...] = ()
    """Platform tags, like "manylinux_2_28_x86_64"."""
    skip: tuple[SkipTable, ...] = ()
    """Cells that are left out on purpose."""
    zip: tuple[dict[str, tuple[str, ...]], ...] = ()
    """Axes that move together, as conda-build's zip_keys: lists of one length."""


class RequiresTable(_Table, frozen=True):
    """Change Requires-Dist of the wheels of one variant."""

    add: tuple[str, ...] = ()
    """Requirements to add where they are missing; variant markers are resolved."""
    remove: tuple[str, ...] = ()
    """Projects whose requirements go, or whole requirements."""


class RenameTable(_Table, frozen=True):
    """Fold the project `name` into the project `to`."""

    name: str
    """The project that the wheel was built as."""
    to: str
    """The project that it becomes part of."""


class BuildTable(_Table, frozen=True):
    """Declare what a build is asked for, so that it makes the wheel of one variant."""

    config_settings: dict[str, str | tuple[str, ...]] = {}
    """Settings of the build backend (PEP 517)."""
    env: dict[str, str] = {}
    """Environment variables of the build."""


class ChangesTable(_Table, frozen=True):
    """Declare how a wheel is built, and what retagging does to it besides its name."""

    requires: RequiresTable = RequiresTable()
    """Requirements to add and to remove."""
    rename: RenameTable | None = None
    """Fold a per-variant project into one."""
    drop_local_version: bool = False
    """Make 1.0 of 1.0+cu128."""
    build: BuildTable = BuildTable()
    """What its build is asked for."""


class VariantTable(ChangesTable, frozen=True):
    """Declare one variant; `tags` and `label` default to the table's key."""

    properties: tuple[str, ...] = ()
    """What a machine must have: "namespace :: feature :: value" (PEP 825)."""
    platform: tuple[str, ...] = ()
    """The platforms of the matrix that it is built for; default: all."""
    tags: tuple[str, ...] = ()
    """The extra tags of dialect plus, in the order of the selector variables; default: the key."""
    label: str | None = None
    """The variant label of PEP 825; default: the key."""


class SelectorTable(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Give a selector of dialect plus in full; keys as the selector file has them."""

    wheel_tags: dict[str, tuple[str, ...]]
    """Each value of the variable with its extra tags, best first; "" is the generic wheel."""
    requires: tuple[str, ...] = ()
    """What to install, isolated, to run the function."""
    function: tuple[str, ...] = ()
    """The entry points, like "cpuversion:get_level", that return the value."""
    default: tuple[str, ...] | None = None
    """The tags of a value that the table does not name; without it such a value has no wheel."""


class ProviderTable(_Table, frozen=True):
    """Give a provider of PEP 850; keys as `variants.json` has them."""

    static_properties: dict[str, tuple[str, ...]] = {}
    """Each feature with its values, best first."""
    feature_order: tuple[str, ...] = ()
    """The features, most important first; needed for more than one."""
    requires: tuple[str, ...] = ()
    """The requirement of the plugin."""
    plugin_api: str | None = None
    """The entry point of the plugin; default: the name of the requirement."""
    builtin: str | None = None
    """A provider that installers have in them: "abi_dependency"."""
    optional: bool = False
    """Whether the provider is off until a user turns it on."""


class AbiTable(_Table, frozen=True):
    """Declare ABI pins, and which index implies which extra tag."""

    requires: tuple[str, ...] = ()
    """ABI pins, like "numpy+pypi==2.0.0": this version, and only a wheel that carries the tag."""
    indexes: dict[str, str] = {}
    """Which index implies which extra tag: { pypi = "pypi" }."""


class UploadTable(_Table, frozen=True):
    """Declare where a release goes; `generic` says how the extra index has what the repository gets."""

    repository: str | None = None
    """A repository that twine knows: pypi, testpypi, or one of .pypirc."""
    repository_url: str | None = None
    """The upload URL of a repository, or file:DIR."""
    repository_index: str | None = None
    """The simple index of the repository, where it is elsewhere than usual."""
    repository_takes_variants: bool = False
    """Whether the repository takes variant wheels; PyPI does not."""
    extra_index: str = DEFAULT_EXTRA_INDEX
    """Where the rest goes: s3://BUCKET/PREFIX or file:DIR."""
    endpoint_url: str | None = None
    """An S3 endpoint other than Amazon's."""
    public_url: str | None = None
    """Where users will find the extra index."""
    views: str | None = None
    """Where the views for plain pip go: an index for each variant, in an extra index or in a folder."""
    views_url: str | None = None
    """Where users will find the views."""
    split: str = "large-to-s3"
    """The rule for what goes where: "large-to-s3"."""
    large: str = "100 MB"
    """The size from which a file goes to the extra index, like "100 MB" or "2 GiB"."""
    generic: Literal["link", "copy"] = "link"
    """How the extra index has what the repository gets: by a link, or as a copy of its own."""
    attestations: bool = False
    """Whether attestations are published with the files (PEP 740)."""


class IgnoreTable(_Table, frozen=True):
    """Ignore findings of a rule (an id, or the beginning of several), with a reason; `file` is a name or a pattern."""

    id: str
    """A rule, or the beginning of several: "VP503", "VP5"."""
    reason: str
    """Why the finding is right to be ignored."""
    file: str | None = None
    """A file name or a pattern; every file without it."""
    variant: str | None = None
    """A variant; every one without it."""


class CheckTable(_Table, frozen=True):
    """Declare which rules `check` runs, what it ignores, and which libraries come from outside the wheels."""

    select: tuple[str, ...] = ()
    """The rules that run, or beginnings of them; default: all."""
    ignore: tuple[IgnoreTable, ...] = ()
    """Findings that do not count."""
    external: tuple[str, ...] = ()
    """Libraries that users have on their own, like "libcuda.so.1"."""


class FamilySkipTable(_Table, frozen=True):
    """Leave out what a member of a family lacks of the others' wheels, with a reason; every key that is set counts."""

    reason: str
    """Why these cells are not alike."""
    project: str | None = None
    """The project of the cells; every one without it."""
    python: str | None = None
    """The Python and ABI tag of the cells; every one without it."""
    platform: str | None = None
    """The platform tag of the cells; every one without it."""
    variant: str | None = None
    """The variant of the cells; every one without it."""


class FamilyTable(_Table, frozen=True):
    """Name projects that belong together: one matrix, the same variants, versions that fit each other."""

    members: tuple[str, ...] = ()
    """The projects, by name."""
    skip: tuple[FamilySkipTable, ...] = ()
    """Cells that one of them leaves out on purpose."""


class Frontend(StrEnum):
    """Name what builds wheels: PyPA's build, cibuildwheel, or uv."""

    BUILD = "build"
    CIBUILDWHEEL = "cibuildwheel"
    UV = "uv"


class FrontendTable(_Table, frozen=True):
    """Declare which frontend `build` runs, and with which arguments besides those of the variant."""

    frontend: Frontend = Frontend.BUILD
    """What builds wheels."""
    arguments: tuple[str, ...] = ()
    """What it is called with besides the settings of the variant."""


class StubTable(_Table, frozen=True):
    """Declare the selector sdist: how it gets the wheels, and what it does where it cannot tell or reach them."""

    mode: Literal["wheel", "requires"] = "wheel"
    """Whether it hands over a wheel, or requires another project for each variant."""
    fallback: Literal["error", "generic"] = "error"
    """What it does where it cannot tell what the machine is, or cannot reach a wheel."""
    embed_generic: bool = False
    """Whether it holds the generic wheel itself."""
    requires: dict[str, str] = {}
    """In the mode "requires": what each variant requires, by its name."""


class Tables(_Table, frozen=True):
    """The whole of `[tool.variant-publish]`, as it is written."""

    dialects: tuple[Dialect, ...] = (Dialect.PLUS,)
    """The wire formats that retag and metadata write."""
    priority: tuple[str, ...] = ()
    """The namespaces of the whole release, most important first; default: in order of appearance."""
    matrix: MatrixTable | None = None
    """Which wheels a release has."""
    build: FrontendTable = FrontendTable()
    """What `build` runs."""
    generic: ChangesTable = ChangesTable()
    """What retagging changes in generic wheels."""
    variants: dict[str, VariantTable] = {}
    """The variants; the key is the extra tag and the label unless told otherwise."""
    selectors: dict[str, SelectorTable] = {}
    """Selectors of dialect plus, by variable; derived from CPU levels and CUDA versions where they can be."""
    providers: dict[str, ProviderTable] = {}
    """Providers of PEP 850, by namespace; known ones have defaults."""
    abi: AbiTable = AbiTable()
    """ABI pins, and which index implies which tag."""
    upload: UploadTable = UploadTable()
    """Where a release goes."""
    check: CheckTable = CheckTable()
    """Which rules run, and what they ignore."""
    family: FamilyTable | None = None
    """Which projects belong together."""
    stub: StubTable = StubTable()
    """What the selector sdist is."""


class Config:
    """Hold the configuration as values of the model; built by `load` or `parse`, never changed.

    `declared` says whether there was a `[tool.variant-publish]` table at all.
    """

    def __init__(self, tables: Tables, *, declared: bool) -> None:
        self.tables = tables
        self.declared = declared
        self.dialects = tables.dialects
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
            **{name: _settings(f"{TABLE}.variants.{name}", table.build) for name, table in tables.variants.items()},
        }
        self.namespaces = self._namespaces()
        self.providers = {namespace: self._provider(namespace) for namespace in self.namespaces}
        self.selectors = {
            name: Selector(table.wheel_tags, table.requires, table.function, table.default)
            for name, table in tables.selectors.items()
        }
        self.matrix = self._matrix()
        if Dialect.LOCAL in self.dialects or self.upload.views is not None:
            self.check_locals()

    @classmethod
    def parse(cls, text: str, source: str = DEFAULT_FILE) -> Config:
        """Parse TOML text: a file with `[tool.variant-publish]`, or one that is that table alone.

        Raises UsageError with `source`, the dotted key, what is wrong and, for an unknown key, the nearest known one.
        """
        try:
            data = tomllib.loads(text)
        except tomllib.TOMLDecodeError as error:
            raise UsageError(f"{source} is not TOML ({error})", hint="correct the file") from error
        table = data.get("tool", {}).get("variant-publish")
        if table is None and Path(source).name != DEFAULT_FILE and "tool" not in data:
            table = data
        try:
            return cls(_convert(table or {}), declared=table is not None)
        except VariantPublishError as error:
            raise UsageError(f"{source}: {error.message}", hint=error.hint) from error

    @classmethod
    def load(cls, path: Path | None = None) -> Config:
        """Read the configuration: `path`, else pyproject.toml of the working directory, else defaults."""
        if path is None:
            path = Path(DEFAULT_FILE)
            if not path.exists():
                return cls(Tables(), declared=False)
        try:
            text = path.read_text("utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise UsageError(f"{path} cannot be read ({error})", hint="name an existing file with --config") from error
        return cls.parse(text, str(path))

    def variant(self, name: str) -> Variant:
        """Give a variant by its key, or raise UsageError with the nearest known one."""
        if name not in self.variants:
            known = ", ".join(self.variants) or "none; declare [tool.variant-publish.variants.NAME]"
            raise UsageError(f"variant {name!r} is not in the configuration{_nearest(name, self.variants)}",
                             hint=f"declared variants: {known}")  # fmt: skip
        return self.variants[name]

    @cached_property
    def locals(self) -> Mapping[str, str]:
        """Give local version -> declared variant, for every variant whose label can be a local version."""
        found: dict[str, str] = {}
        for name, variant in self.variants.items():
            with suppress(UsageError):
                found.setdefault(variant.local, name)
        return found

    def check_locals(self) -> None:
        """Raise UsageError unless every declared variant has a local version of its own."""
        for name, variant in self.variants.items():
            if self.locals.get(variant.local) != name:
                raise UsageError(
                    f"{TABLE}.variants.{name} and .{self.locals[variant.local]} have the same local version"
                    f" {variant.local!r}: local versions do not tell '_' from '.'",
                    hint="give one of the two another label",
                )

    def settings_of(self, name: str) -> BuildSettings:
        """Give what the build of a variant, or of "generic", is asked for; UsageError for a name nobody declared."""
        return self.build_settings[name if name == GENERIC else self.variant(name).name]

    def with_stub(self, **changes: Any) -> Config:
        """Give the configuration with these values of `[tool.variant-publish.stub]`; None leaves one as it is."""
        given = {key: value for key, value in changes.items() if value is not None}
        stub = msgspec.structs.replace(self.stub, **given)
        return Config(msgspec.structs.replace(self.tables, stub=stub), declared=self.declared)

    def changes_of(self, name: str) -> ChangesTable:
        """Give what retagging does to the wheels of a variant, or of "generic"."""
        return self.tables.generic if name == GENERIC else self.tables.variants[name]

    def _namespaces(self) -> tuple[str, ...]:
        used = (item.namespace for variant in self.variants.values() for item in variant.properties.items)
        listed = dict.fromkeys((*self.tables.priority, *self.tables.providers, *used))
        return tuple(listed)

    def _provider(self, namespace: str) -> Provider:
        return provider_of(namespace, self.tables.providers.get(namespace))

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
                    f"{_nearest(odd[0], table.platform)}", hint="add it to the matrix, or take it out of the variant",
                )  # fmt: skip
        skips = tuple(Skip(skip.reason, skip.python, skip.platform, skip.variant) for skip in table.skip)
        columns = tuple((name, own.platform or table.platform) for name, own in self.tables.variants.items())
        try:
            return Matrix(table.python, table.platform, columns, skips, tuple(self._groups(table)))
        except VariantPublishError as error:
            raise UsageError(f"{TABLE}.matrix.{error.message}", hint=error.hint) from error

    @staticmethod
    def _groups(table: MatrixTable) -> Iterator[ZipGroup]:
        for number, columns in enumerate(table.zip):
            try:
                yield ZipGroup.of_columns(columns)
            except VariantPublishError as error:
                raise UsageError(f"zip[{number}]: {error.message}", hint=error.hint) from error


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
                f"{where}.project {skip.project!r} is no member of the family{_nearest(skip.project, names)}",
                hint=f"the members are {', '.join(names)}",
            )


def provider_of(namespace: str, table: ProviderTable | None = None) -> Provider:
    """Give the provider of a namespace: as configured, else the one that clients know; UsageError for neither."""
    if table is not None:
        return Provider.parse(
            {key: value for key, value in msgspec.to_builtins(table).items() if value not in (None, False, [], {}, ())}
        )
    if namespace not in KNOWN_PROVIDERS:
        raise UsageError(
            f"namespace {namespace!r} has no known provider{_nearest(namespace, KNOWN_PROVIDERS)}",
            hint=f"declare [{TABLE}.providers.{namespace}] with static-properties or requires",
        )
    return KNOWN_PROVIDERS[namespace]


def parse_size(text: str, where: str) -> int:
    """Parse "100 MB" (powers of ten) or "100 MiB" (powers of two) into bytes."""
    match = re.fullmatch(r"\s*([0-9]+(?:\.[0-9]+)?)\s*([kMGT]?)(i?)B?\s*", text)
    if match is None:
        raise UsageError(f"{where} {text!r} is not a size", hint='write it like "100 MB" or "2 GiB"')
    power = " kMGT".index(match[2] or " ")
    return int(float(match[1]) * (1024 if match[3] else 1000) ** power)


def _variant(name: str, table: VariantTable) -> Variant:
    try:
        if name == GENERIC:
            raise UsageError("'generic' is the wheel without a variant", hint=f"use [{TABLE}.generic] for it")
        return Variant(name, table.tags or (name,), table.label or name, Properties.parse(table.properties))
    except VariantPublishError as error:
        raise UsageError(f"{TABLE}.variants.{name}: {error.message}", hint=error.hint) from error


def _settings(where: str, table: BuildTable) -> BuildSettings:
    settings = {
        name: (value,) if isinstance(value, str) else tuple(value) for name, value in table.config_settings.items()
    }
    try:
        return BuildSettings(settings, dict(table.env))
    except VariantPublishError as error:
        raise UsageError(f"{where}.build: {error.message}", hint=error.hint) from error


def _convert(table: Any) -> Tables:
    _check_keys(table, Tables, TABLE)
    try:
        return msgspec.convert(table, Tables)
    except msgspec.ValidationError as error:
        reason, _, path = str(error).partition(" - at `")
        dotted = TABLE + path.removesuffix("`").removeprefix("$")
        raise UsageError(f"{dotted} is wrong ({reason})", hint="see the README for the shape of the table") from error


def _check_keys(table: Any, kind: type[msgspec.Struct], where: str) -> None:
    if not isinstance(table, dict):
        return
    known = {field.encode_name: field.type for field in msgspec.structs.fields(kind)}
    for key, value in table.items():
        if key not in known:
            raise UsageError(
                f"{where}.{key} is not a known key{_nearest(key, known)}", hint=f"known keys: {', '.join(known)}"
            )
        for sub, inner in _structs_in(known[key], value, f"{where}.{key}"):
            _check_keys(inner[1], sub, inner[0])


def _structs_in(annotation: Any, value: Any, where: str) -> Iterator[tuple[type[msgspec.Struct], tuple[str, Any]]]:
    if isinstance(annotation, type) and issubclass(annotation, msgspec.Struct):
        yield annotation, (where, value)
        return
    for argument in getattr(annotation, "__args__", ()):
        if isinstance(value, dict):
            single = getattr(annotation, "__origin__", None) is dict
            inner = [(f"{where}.{key}", item) for key, item in value.items()] if single else [(where, value)]
        else:
            inner = [(f"{where}[{index}]", item) for index, item in enumerate(value)] if isinstance(value, list) else []
        for place, item in inner:
            yield from _structs_in(argument, item, place)


def _nearest(word: str, known: Any) -> str:
    found = difflib.get_close_matches(word, list(known), n=1)
    return f" (did you mean {found[0]!r}?)" if found else ""
