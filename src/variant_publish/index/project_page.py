"""What people see on a project's page: for each release, its variants and platforms, and which machines need them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from packaging.version import Version

from variant_publish.dialects.registry import dialect_of_file
from variant_publish.dialects.wheel_name import WheelName
from variant_publish.errors import VariantPublishError
from variant_publish.formats.master import ProjectIndex
from variant_publish.formats.selector_toml import SelectorFile
from variant_publish.formats.simple import IndexFile, version_of
from variant_publish.model.plain_name import InvalidWheelName
from variant_publish.model.variant import GENERIC, NULL_LABEL, Property
from variant_publish.providers import catalog


@dataclass(frozen=True, slots=True)
class Link:
    """One wheel in a cell: its entry, and the tag of its interpreter as the label."""

    file: IndexFile
    label: str

    @property
    def href(self) -> str:
        """Return the link with the hash, where one is known."""
        return href_of(self.file)


@dataclass(frozen=True, slots=True)
class Row:
    """One variant of a release: what it needs, and its wheels for each platform of the release."""

    variant: str
    needs: str
    cells: tuple[tuple[Link, ...], ...]


@dataclass(frozen=True, slots=True)
class Section:
    """One release: a grid of its wheels, and every other file."""

    version: str
    platforms: tuple[str, ...]
    rows: tuple[Row, ...]
    others: tuple[IndexFile, ...]
    yanked: str | None

    @property
    def variants(self) -> tuple[str, ...]:
        """Return the variants besides the generic wheels."""
        return tuple(row.variant for row in self.rows if row.variant != GENERIC)


@dataclass(frozen=True, slots=True)
class Install:
    """One way to install: for whom it is, and the lines to copy."""

    title: str
    lines: tuple[str, ...]


def href_of(file: IndexFile) -> str:
    """Return the link to a file with its hash, where one is known."""
    return f"{file.url}#sha256={file.sha256}" if file.sha256 else file.url


def sections(index: ProjectIndex) -> tuple[Section, ...]:
    """Return the releases, newest first."""
    owner = {filename: version for version, names in index.selectors.items() for filename in names}
    groups: dict[str, list[IndexFile]] = {}
    for file in index.files:
        version = owner.get(file.filename) or version_of(file.filename) or ""
        groups.setdefault(Version(version).public if version else "", []).append(file)
    ordered = sorted(groups, key=lambda text: Version(text or "0"), reverse=True)
    return tuple(_section(version, groups[version], index.needs.get(version, {})) for version in ordered)


def installs(index: ProjectIndex, found: tuple[Section, ...]) -> tuple[Install, ...]:
    """Return the ways to install the newest release that has wheels, made from what is really there."""
    best = next((item for item in found if item.rows and item.yanked is None), None)
    if best is None:
        return ()
    address = index.public_url or "ADDRESS-OF-THIS-INDEX"
    if local := _only_local(best):
        return tuple(_of_view(index.name, best.version, local, address))
    result = []
    if any(row.variant == GENERIC for row in best.rows):
        result.append(Install("pip, the generic wheel", (f"pip install --extra-index-url {address} {index.name}",)))
        requirement = f"{index.name}=={best.version}"
        result.append(Install("a requirements file", (f"--extra-index-url {address}", requirement)))
    preview = "--preview-features wheel-variants "
    if any((owner := dialect_of_file(file.filename)) and owner.plain_installers_read for file in best.others):
        title = "uv, the variant of this machine"
        result.append(Install(title, (f"uv pip install {preview}--index {address} {index.name}",)))
    elif result:
        result.append(Install("uv, the generic wheel", (f"uv pip install --index {address} {index.name}",)))
    for name, view in sorted(index.views.get(best.version, {}).items()):
        if view:
            result.append(Install(f"pip, {name}", (view_command(index.name, view),)))
    for local in _locals(best):
        command = f"pip install --extra-index-url {address} {index.name}=={local}"
        result.append(Install(f"pip, {local.partition('+')[2]}", (command,)))
    if best.variants:
        command = f"variant-publish select {index.name} --index {address}"
        result.append(Install("which wheel this machine would get", (command,)))
    return tuple(result)


def view_command(project: str, address: str) -> str:
    """Return the command that takes a variant from its view by plain pip; "" where the address is not known."""
    return f"pip install --extra-index-url {address} {project}" if address else ""


def _section(version: str, files: list[IndexFile], needs: Mapping[str, str]) -> Section:
    parsed = {file.filename: _name(file.filename) for file in files}
    wheels = [(name, file) for file in files if (name := parsed[file.filename]) is not None]
    platforms = tuple(sorted({_platform(name) for name, _ in wheels}, key=_platform_order))
    variants = sorted({_variant(name) for name, _ in wheels}, key=lambda text: (text != GENERIC, text))
    rows = []
    for variant in variants:
        own = [(name, file) for name, file in wheels if _variant(name) == variant]
        cells = tuple(_cell([item for item in own if _platform(item[0]) == platform]) for platform in platforms)
        rows.append(Row(variant, _everyone(variant) or needs.get(variant, ""), cells))
    reasons = {file.yanked for _, file in wheels}
    yanked = next(iter(reasons)) if len(reasons) == 1 else None
    return Section(
        version, platforms, tuple(rows), tuple(file for file in files if parsed[file.filename] is None), yanked
    )


def _cell(wheels: list[tuple[WheelName, IndexFile]]) -> tuple[Link, ...]:
    labels = [_label(name) for name, _ in wheels]
    return tuple(
        Link(file, f"{label} {name.dialect or ''}".strip() if labels.count(label) > 1 else label)
        for (name, file), label in zip(wheels, labels, strict=True)
    )


def _of_view(project: str, version: str, local: str, address: str) -> Iterator[Install]:
    """Return ways to install from a view: an index of one variant as a local version, which every installer prefers.

    uv takes a project from the first index that has it, and a view has all files of the release.
    """
    variant = local.partition("+")[2]
    yield Install(f"pip, {variant} where it is built", (view_command(project, address),))
    yield Install("a requirements file", (f"--extra-index-url {address}", f"{project}=={version}"))
    yield Install(f"uv, {variant} where it is built", (f"uv pip install --index {address} {project}",))
    yield Install(f"pip, {variant} or nothing", (f"{view_command(project, address)}=={local}",))


def _only_local(section: Section) -> str | None:
    """Return the version of the one variant of a view; None where the section is no view's."""
    found = _locals(section)
    aware = any(name.dialect is not None for name in _names(section))
    return found[0] if len(found) == 1 and not aware else None


def _locals(section: Section) -> list[str]:
    return sorted({name.version for name in _names(section) if "+" in name.version})


def _names(section: Section) -> Iterator[WheelName]:
    for row in section.rows:
        for link in (link for cell in row.cells for link in cell):
            if (name := _name(link.file.filename)) is not None:
                yield name


def _name(filename: str) -> WheelName | None:
    try:
        return WheelName.parse(filename) if filename.endswith(".whl") else None
    except InvalidWheelName:
        return None


def _variant(name: WheelName) -> str:
    _, plus, local = name.version.partition("+")
    return local if plus and name.variant == GENERIC else name.variant


def _label(name: WheelName) -> str:
    python, abi = ".".join(name.python), ".".join(name.abi)
    return python if abi in (python, "none") else f"{python}-{abi}"


def _platform(name: WheelName) -> str:
    """Return the most telling of a wheel's platforms: of manylinux's aliases the one with the C library's version."""
    return next((item for item in name.platform if item.startswith("manylinux_")), name.platform[0])


def _platform_order(platform: str) -> tuple[int, str]:
    kinds = ("any", "manylinux", "musllinux", "linux", "macosx", "win")
    return next((rank for rank, kind in enumerate(kinds) if platform.startswith(kind)), len(kinds)), platform


def _everyone(variant: str) -> str:
    return "every machine" if variant in (GENERIC, NULL_LABEL) else ""


def needs_of(texts: Mapping[str, str]) -> dict[str, str]:
    """Return variant -> what a machine needs for it, in words, from the texts of the selector files of a release."""
    result: dict[str, str] = {}
    for name, text in texts.items():
        dialect = dialect_of_file(name)
        try:
            data = dialect.parse(text) if dialect is not None else None
            if isinstance(data, SelectorFile):
                result = {**dict(_of_selector(data)), **result}
            elif dialect is not None:
                result |= {word: ", ".join(_sentences(has.items)) for word, has in dialect.meanings(data).items()}
        except VariantPublishError:
            continue  # `check` and `verify` say what is wrong with it; the page shows the wheels all the same
    return result


def _sentences(properties: Iterable[Property]) -> Iterator[str]:
    groups: dict[tuple[str, str], list[str]] = {}
    for item in properties:
        groups.setdefault((item.namespace, item.feature), []).append(item.value)
    for (namespace, feature), values in groups.items():
        provider, text = catalog.find(namespace), " or ".join(values)
        yield provider.sentence(feature, text) if provider else f"{namespace} {feature} {text}"


def _of_selector(selector: SelectorFile) -> Iterator[tuple[str, str]]:
    for variable in selector.variables:
        table = selector.selectors[variable].wheel_tags
        for tag in selector.selectors[variable].tags:
            if words := catalog.properties_of_word(tag):
                yield tag, ", ".join(_sentences(words))
                continue
            values = [value for value, tags in table.items() if tag in tags]
            span = values[0] if len(values) == 1 else f"{values[0]} to {values[-1]}"
            yield tag, f"{variable} {span}"
