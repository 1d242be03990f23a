"""Imports go down: a room imports lower layers and itself, never a sibling."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import variant_publish

ROOT = Path(variant_publish.__file__).parent

LAYERS = (
    {"errors", "progress", "templating", "__init__"},
    {"model"},
    {"formats"},
    {"dialects"},
    {"archive", "config"},
    {"binary", "providers"},
    {"remote"},
    {"release"},
    {"view"},
    {"check", "store"},
    {"index"},
    {"publish", "install"},
    {"stub"},
    {"build"},
    {"api"},
    {"cli"},
    {"__main__"},
)

PURE = {"model", "formats", "dialects"}
IMPURE_MODULES = {"os", "pathlib", "socket", "subprocess", "tempfile", "time", "datetime", "random", "logging", "sys"}
LAZY_MODULES = {
    "boto3",
    "botocore",
    "twine",
    "auditwheel",
    "pypi_simple",
    "jinja2",
    "archspec",
    "macholib",
    "iced_x86",
    "abi3info",
    "uv",
    "readme_renderer",
}


def modules() -> list[Path]:
    return sorted(ROOT.rglob("*.py"))


def room(path: Path) -> str:
    return path.relative_to(ROOT).parts[0].removesuffix(".py")


def layer(name: str) -> int:
    return next(number for number, rooms in enumerate(LAYERS) if name in rooms)


def imports(path: Path, *, top_only: bool = False) -> list[str]:
    tree = ast.parse(path.read_text("utf-8"))
    nodes = tree.body if top_only else list(ast.walk(tree))
    found = []
    for node in nodes:
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.append(node.module)
    return found


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(ROOT)))
def test_a_module_imports_only_lower_layers_and_its_own_room(path: Path) -> None:
    own = room(path)
    for name in imports(path):
        if not name.startswith("variant_publish."):
            continue
        other = name.split(".")[1]
        if other == own:
            continue
        assert layer(other) < layer(own), f"{own} imports {other}"


@pytest.mark.parametrize(
    "path", [p for p in modules() if room(p) in PURE], ids=lambda path: str(path.relative_to(ROOT))
)
def test_the_core_touches_no_file_clock_or_environment(path: Path) -> None:
    assert IMPURE_MODULES.isdisjoint(name.split(".")[0] for name in imports(path))


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(ROOT)))
def test_heavy_libraries_are_imported_only_when_used(path: Path) -> None:
    assert LAZY_MODULES.isdisjoint(name.split(".")[0] for name in imports(path, top_only=True))


@pytest.mark.parametrize(
    "path", [p for p in modules() if room(p) != "cli"], ids=lambda path: str(path.relative_to(ROOT))
)
def test_the_library_never_prints(path: Path) -> None:
    tree = ast.parse(path.read_text("utf-8"))
    calls = [node.func.id for node in ast.walk(tree) if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)]
    assert "print" not in calls
    assert {"click", "rich"}.isdisjoint(name.split(".")[0] for name in imports(path))
