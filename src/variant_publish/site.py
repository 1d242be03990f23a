"""The pages of the index (PEP 503, 592, 629, 658/714, 708), rendered from their masters."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from packaging.version import Version

from variant_publish.formats.simple import API_VERSION, IndexFile, ProjectIndex, RootIndex, version_of
from variant_publish.model.variant import GENERIC
from variant_publish.model.wheel_name import InvalidWheelName, WheelName

if TYPE_CHECKING:
    from jinja2 import Environment


@dataclass(frozen=True, slots=True)
class _Row:
    """Hold one line of a project page: the entry, and what a person wants to see of it."""

    file: IndexFile
    kind: str
    python: str = ""
    platform: str = ""

    @property
    def href(self) -> str:
        """Give the link with the hash, where one is known."""
        return f"{self.file.url}#sha256={self.file.sha256}" if self.file.sha256 else self.file.url

    @property
    def size(self) -> str:
        """Give the size in powers of ten, as package indexes count it."""
        return "" if self.file.size is None else readable_size(self.file.size)

    @property
    def day(self) -> str:
        """Give the day of the upload."""
        return (self.file.upload_time or "")[:10]


@dataclass(frozen=True, slots=True)
class _Section:
    """Hold one version of a project page."""

    version: str
    rows: tuple[_Row, ...]


def render_project(index: ProjectIndex) -> str:
    """Render the page of a project; equal masters give equal bytes."""
    return _environment().get_template("index/project.html").render(
        index=index, sections=list(_sections(index)), api_version=API_VERSION
    )  # fmt: skip


def render_root(root: RootIndex) -> str:
    """Render the list of projects."""
    return _environment().get_template("index/root.html").render(root=root, api_version=API_VERSION)


def templates_folder() -> Path:
    """Find the templates: inside an installed package, else beside `src` in a working copy."""
    package = Path(__file__).parent
    inside = package / "templates"
    return inside if inside.is_dir() else package.parents[1] / "templates"


def readable_size(size: int) -> str:
    """Write a number of bytes for people."""
    for unit, power in (("GB", 9), ("MB", 6), ("kB", 3)):
        if size >= 10**power:
            return f"{size / 10**power:.1f} {unit}"
    return f"{size} B"


def _sections(index: ProjectIndex) -> Iterator[_Section]:
    owner = {filename: version for version, texts in index.selector_texts.items() for filename in texts}
    groups: dict[str, list[_Row]] = {}
    for file in index.files:
        version = owner.get(file.filename) or version_of(file.filename) or ""
        groups.setdefault(version, []).append(_row(file))
    for version in sorted(groups, key=lambda text: Version(text or "0"), reverse=True):
        yield _Section(version, tuple(groups[version]))


def _row(file: IndexFile) -> _Row:
    if not file.filename.endswith(".whl"):
        kind = "source" if file.filename.endswith((".tar.gz", ".zip")) else "variant selection"
        return _Row(file, kind)
    try:
        name = WheelName.parse(file.filename)
    except InvalidWheelName:
        return _Row(file, "")
    _, plus, local = name.version.partition("+")
    variant = local if plus and name.variant == GENERIC else name.variant
    return _Row(file, variant, "-".join((".".join(name.python), ".".join(name.abi))), ", ".join(name.platform))


@cache
def _environment() -> Environment:
    import jinja2

    options: dict[str, Any] = {"trim_blocks": True, "lstrip_blocks": True, "keep_trailing_newline": True}
    return jinja2.Environment(
        loader=jinja2.FileSystemLoader(templates_folder()), autoescape=True, undefined=jinja2.StrictUndefined, **options
    )
