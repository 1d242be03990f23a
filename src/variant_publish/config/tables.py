"""The tables of `[tool.variant-publish]` as they are written: msgspec reads them, and the schema is made from them."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Literal

import msgspec

from variant_publish.archive.rewrite import Rename
from variant_publish.dialects.registry import DIALECTS
from variant_publish.errors import UsageError
from variant_publish.formats.selector_toml import Selector
from variant_publish.formats.variants_json import Provider
from variant_publish.model.matrix import Skip
from variant_publish.model.url import fault_of_address

DialectName = Annotated[str, msgspec.Meta(extra_json_schema={"enum": list(DIALECTS)})]
"""The name of a dialect; `Config` looks it up."""

TABLE = "tool.variant-publish"
DEFAULT_FILE = "pyproject.toml"
DEFAULT_EXTRA_INDEX = "file:dist-index"


class _Table(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="kebab"):
    """A table of the configuration: frozen, kebab-case keys, no others.

    The text below each key is its description in the JSON Schema and in the reference.
    """


class MatrixTable(_Table, frozen=True):
    """Declare which wheels a release has; each table of `zip` gives axes that move together, axis -> values."""

    python: tuple[str, ...] = ()
    """Python and ABI tags, like "cp312-cp312"."""
    platform: tuple[str, ...] = ()
    """Platform tags, like "manylinux_2_28_x86_64"."""
    product: tuple[tuple[str, ...], ...] = ()
    """Axes of words whose combinations are variants, like [["cu126", "cu128"], ["torch2.8", "torch2.9"]]."""
    skip: tuple[Skip, ...] = ()
    """Cells that are left out on purpose."""
    zip: tuple[dict[str, tuple[str, ...]], ...] = ()
    """Axes that move together, as conda-build's zip_keys: lists of one length."""


class RequiresTable(_Table, frozen=True):
    """Change Requires-Dist of the wheels of one variant."""

    add: tuple[str, ...] = ()
    """Requirements to add where they are missing; variant markers are resolved."""
    remove: tuple[str, ...] = ()
    """Projects whose requirements go, or whole requirements."""


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
    rename: Rename | None = None
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
    """The platforms of the matrix that it is built for; default: all that have the hardware it needs."""
    tags: tuple[str, ...] = ()
    """The extra tags of dialect plus, in the order of the selector variables; default: the key."""
    label: str | None = None
    """The variant label of PEP 825; default: the key."""


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
    stage: str | None = None
    """Where staged releases lie; default: .staged in the extra index. A bucket of its own keeps them private."""
    stage_url: str | None = None
    """Where testers will find the stages."""
    split: Literal["large-to-s3"] = "large-to-s3"
    """The rule for what goes where: "large-to-s3"."""
    large: str = "100 MB"
    """The size from which a file goes to the extra index, like "100 MB" or "2 GiB"."""
    generic: Literal["link", "copy"] = "link"
    """How the extra index has what the repository gets: by a link, or as a copy of its own."""
    attestations: bool = False
    """Whether attestations are published with the files (PEP 740)."""

    def __post_init__(self) -> None:
        shown = ("public_url", "views_url", "stage_url", "endpoint_url", "extra_index", "views", "stage")
        for name in (*shown, "repository_url", "repository_index"):
            url = getattr(self, name)
            if url is not None and (fault := fault_of_address(url, is_shown=name in shown)):
                raise UsageError(
                    f"{TABLE}.upload.{name.replace('_', '-')} {fault}",
                    hint="write the plain address; credentials belong into .pypirc, .netrc or the environment",
                )


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
    baseline: Literal["v1", "v2", "v3", "v4"] = "v1"
    """The x86-64 level that wheels without one of their own may need."""
    run: str = ""
    """What `check --run` runs instead of importing the modules: like python -c 'import foo; foo.test()'."""


class FailOn(StrEnum):
    """The least that makes a check fail.

    WARNING (--strict) includes what the rules that guard publication could not decide, UNKNOWN what any rule could not.
    """

    ERROR = "error"
    WARNING = "warning"
    UNKNOWN = "unknown"


class FamilySkip(Skip, frozen=True):
    """Leave out what a member of a family lacks of the others' wheels, with a reason; every key that is set counts."""

    project: str | None = None
    """The project of the cells; every one without it."""


class FamilyTable(_Table, frozen=True):
    """Name projects that belong together: one matrix, the same variants, versions that fit each other."""

    members: tuple[str, ...] = ()
    """The projects, by name."""
    skip: tuple[FamilySkip, ...] = ()
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

    dialects: tuple[DialectName, ...] = ("plus", "pep825")
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
    selectors: dict[str, Selector] = {}
    """Selectors of dialect plus, by variable; derived from CPU levels and CUDA versions where they can be."""
    providers: dict[str, Provider] = {}
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
