"""A first configuration: proposed from what a project has, written into pyproject.toml without touching the rest."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import tomlkit
from tomlkit.items import Array, Table

from variant_publish.archive.wheel import DescribedWheel, Wheel, WholeWheel
from variant_publish.errors import UsageError
from variant_publish.model.cibuildwheel import cibuildwheel_matrix
from variant_publish.model.matrix import found_matrix, natural_key
from variant_publish.model.variant import GENERIC, Properties, Property, validate_label
from variant_publish.dialects.wheel_name import WheelName
from variant_publish.providers import catalog
from variant_publish.release.release import wheel_paths
from variant_publish.templating import templates_folder


@dataclass(frozen=True, slots=True)
class Found:
    """What one wheel tells: its name, its variant ("generic" too), and properties.

    `said` are those that its metadata has, `seen` those that follow from its binaries.
    """

    name: WheelName
    variant: str
    said: tuple[str, ...] = ()
    seen: tuple[str, ...] = ()

    @classmethod
    def of(cls, wheel: DescribedWheel, variant: str | None = None, *, look: bool = True) -> Self:
        """Read a wheel; `variant` is what it is where its name does not tell. With `look`, its binaries are read.

        Only those of variants that say nothing themselves are looked into. Raises the error of a wheel that cannot be
        read.
        """
        name = wheel.name
        known = name.label
        own = GENERIC if name.serves_everyone else known
        own = variant if variant is not None and own == GENERIC else own
        declared = wheel.variant_json.variants.get(name.label) if wheel.variant_json else None
        said = tuple(map(str, declared.items)) if declared else ()
        if said or own == GENERIC or not look or not isinstance(wheel, WholeWheel):
            return cls(name, own, said)
        from variant_publish.binary.scan import scan
        from variant_publish.release.inspection import Inspection

        return cls(name, own, said, Inspection.of(wheel, scan(wheel, catalog.providers())).properties)


def found_in(places: Iterable[tuple[str | None, Path]], *, look: bool = True) -> tuple[Found, ...]:
    """Read built wheels for a proposal: each place is a wheel or a folder, with the variant that it holds, or None.

    A folder that has only folders with wheels, as builds leave them, holds a variant in each, called like the folder.
    With `look`, the binaries of variants that say nothing themselves are read. Raises the error of a broken wheel.
    """
    found: list[Found] = []
    for variant, place in places:
        inside = sorted({path.parent for path in place.glob("*/*.whl")}) if place.is_dir() else []
        if variant is None and inside and not any(place.glob("*.whl")):
            found += found_in([(folder.name, folder) for folder in inside], look=look)
        else:
            found += [Found.of(WholeWheel.read(path), variant, look=look) for path in wheel_paths([place])]
    return tuple(found)


@dataclass(frozen=True, slots=True)
class ProposedVariant:
    """One variant of a proposal; `platform` and `tags` are empty where they need not be written."""

    properties: tuple[str, ...]
    platform: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Proposal:
    """A configuration to be: what is empty is left out."""

    dialects: tuple[str, ...] = ("plus", "pep825")
    python: tuple[str, ...] = ()
    platform: tuple[str, ...] = ()
    variants: Mapping[str, ProposedVariant] = field(default_factory=dict)
    upload: Mapping[str, str] = field(default_factory=dict)


def propose(
    pyproject: Mapping[str, Any],
    wheels: Iterable[Found],
    named: Mapping[str, tuple[str, ...]],
    upload: Mapping[str, str],
) -> Proposal:
    """Propose a configuration.

    The matrix comes from the wheels, else from `[tool.cibuildwheel]`; variants from the wheels with their properties,
    and from `named` (name -> property lines, empty where the name itself or a binary says enough: cu128, x86_64_v3).
    Raises UsageError for a name whose properties nobody can tell.
    """
    found = list(wheels)
    matrix = found_matrix((one.name, one.variant) for one in found)
    python, platform = matrix.python, matrix.platform
    if not found:
        python, platform = cibuildwheel_matrix(pyproject)
    groups: dict[str, list[Found]] = {name: [] for name in named}
    for one in found:
        if one.variant != GENERIC:
            groups.setdefault(one.variant, []).append(one)
    own_platforms = dict(matrix.variants)
    variants = {}
    for name, group in groups.items():
        validate_label(name)
        lines = named.get(name) or _properties(name, group)
        if not lines:
            raise UsageError(
                f"neither the name {name!r} nor a binary tells what the variant needs",
                hint=f'say it: --variant "{name}=NAMESPACE :: FEATURE :: VALUE"',
            )
        own = own_platforms.get(name, platform)
        tags = next((one.name.words for one in group if one.name.words), (name,))
        variants[name] = ProposedVariant(lines, () if own == platform else own, () if tags == (name,) else tags)
    return Proposal(python=python, platform=platform, variants=variants, upload=upload)


def guessed(variant: str) -> tuple[str, ...]:
    """Return the properties that a well-known word stands for: cu128, x86_64_v3, gfx942; empty for any other name."""
    return tuple(map(str, catalog.properties_of_word(variant)))


def applied(text: str, proposal: Proposal) -> str:
    """Write the proposal into a pyproject.toml: only keys that are not there yet; comments and order stay.

    Applying it again changes nothing.
    """
    document = tomlkit.parse(text)
    tool = _table(document, "tool", is_super=True)
    ours = _table(tool, "variant-publish")
    ours.setdefault("dialects", list(proposal.dialects))
    if proposal.python and proposal.platform:
        matrix = _table(ours, "matrix")
        matrix.setdefault("python", _lines(proposal.python))
        matrix.setdefault("platform", _lines(proposal.platform))
    if proposal.variants:
        variants = _table(ours, "variants", is_super=True)
        for name, column in proposal.variants.items():
            is_new = name not in variants
            table = _table(variants, name)
            table.setdefault("properties", _lines(column.properties))
            # A table that was there without platforms means all of them; the matrix may be older than the wheels.
            own = [platform for platform in column.platform if platform in ours.get("matrix", {}).get("platform", ())]
            if is_new and own:
                table["platform"] = _lines(own)
            if is_new and column.tags:
                table["tags"] = _lines(column.tags)
    if proposal.upload:
        upload = _table(ours, "upload")
        for key, value in proposal.upload.items():
            upload.setdefault(key, value)
    return tomlkit.dumps(document)


def bucket_files(extra_index: str) -> dict[str, str]:
    """Return the bucket policy and the CloudFormation stack for an index at `s3://BUCKET/PREFIX`, by file name.

    Both serve views (the indexes of one variant each) in the folder `views` beside the index, too.
    Raises UsageError for an index that is in no bucket.
    """
    scheme, _, place = extra_index.partition("://")
    bucket, _, prefix = place.strip("/").partition("/")
    if scheme != "s3" or not bucket:
        raise UsageError(
            f"the extra index {extra_index!r} is in no bucket, so it needs no bucket files",
            hint="name one: --extra-index s3://BUCKET/PREFIX",
        )
    folder = templates_folder() / "starter"
    policy = (folder / "bucket-policy.json").read_text("utf-8")
    stack = (folder / "cloudformation.yaml").read_text("utf-8")
    inside = f"{prefix}/*" if prefix else "*"
    views = prefix.rpartition("/")[0] + "/views" if "/" in prefix else "views"
    policy = policy.replace("BUCKET/simple/*", f"{bucket}/{inside}").replace("BUCKET/views/*", f"{bucket}/{views}/*")
    stack = stack.replace("Default: simple", f"Default: {prefix}") if prefix else stack
    return {
        "bucket-policy.json": policy.replace("BUCKET", bucket),
        "cloudformation.yaml": stack.replace("Default: views", f"Default: {views}"),
    }


def _properties(variant: str, group: Iterable[Found]) -> tuple[str, ...]:
    """Return what the wheels of a variant say; else what its name says, and of its binaries what the name does not.

    Of a feature that has one value at a time, the highest that any wheel needs counts.
    """
    wheels = list(group)
    said = {line for one in wheels for line in one.said}
    if said:
        return tuple(map(str, Properties.parse(said).items))
    tags = next((one.name.words for one in wheels if one.name.words), (variant,))
    found = [Property.parse(line) for tag in tags for line in guessed(tag)]
    known = {(item.namespace, item.feature) for item in found}
    seen: dict[tuple[str, str], set[str]] = {}
    for item in (Property.parse(line) for one in wheels for line in one.seen):
        seen.setdefault((item.namespace, item.feature), set()).add(item.value)
    for (namespace, feature), values in seen.items():
        ordered = sorted(values, key=natural_key)
        provider = catalog.find(namespace)
        several = ordered if provider and feature == provider.code_feature else ordered[-1:]
        if (namespace, feature) not in known:
            found += [Property(namespace, feature, value) for value in several]
    return tuple(map(str, found))


def _table(parent: Any, key: str, *, is_super: bool = False) -> Table:
    if key not in parent:
        parent[key] = tomlkit.table(is_super_table=is_super)
    table: Table = parent[key]
    return table


def _lines(items: Iterable[str]) -> Array:
    found = list(items)
    array = tomlkit.array()
    array.extend(found)
    return array.multiline(len(found) > 2)
