"""Imports go down: a room imports lower layers and itself, never a sibling."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest

import variant_publish

ROOT = Path(variant_publish.__file__).parent

LAYERS = (
    {"errors", "progress", "__init__"},
    {"model"},
    {"formats", "templating"},
    {"dialects"},
    {"archive"},
    {"binary"},
    {"providers"},
    {"config"},
    {"remote"},
    {"release"},
    {"view"},
    {"serve"},
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
    "jinja2",
    "archspec",
    "iced_x86",
    "abi3info",
    "uv",
    "readme_renderer",
}


def modules() -> list[Path]:
    return sorted(ROOT.rglob("*.py"))


@cache
def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text("utf-8"))


def room(path: Path) -> str:
    return path.relative_to(ROOT).parts[0].removesuffix(".py")


def layer(name: str) -> int:
    return next(number for number, rooms in enumerate(LAYERS) if name in rooms)


@cache
def imports(path: Path, *, top_only: bool = False) -> list[str]:
    tree = parsed(path)
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
    tree = parsed(path)
    calls = [node.func.id for node in ast.walk(tree) if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)]
    assert "print" not in calls
    assert {"click", "rich"}.isdisjoint(name.split(".")[0] for name in imports(path))


FACE = {"api", "cli", "config", "errors", "model", "progress", "templating"}
ROUND_THE_FACE = {"console.py": {"archive"}}
"""What may go round the public face: the console writes files as the library does, whole or not at all."""


def run_time_imports(path: Path) -> set[str]:
    """Return the rooms that a module imports, but for what only a type checker sees."""
    tree = parsed(path)
    typing = {
        inner
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"
        for part in node.body
        for inner in ast.walk(part)
    }
    names = [
        node.module
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module and node not in typing
    ]
    return {name.split(".")[1] for name in names if name.startswith("variant_publish.")}


@pytest.mark.parametrize("path", sorted((ROOT / "cli").glob("*.py")), ids=lambda path: path.name)
def test_a_command_calls_the_public_face_only(path: Path) -> None:
    drawn = {"check"} if path.name.startswith("render_") else set()  # the enumerations of what they draw
    beyond = run_time_imports(path) - FACE - drawn
    assert beyond <= ROUND_THE_FACE.get(path.name, set())


MOST_PARAMETERS = 6
NAMES_OF_SEVERAL_CLASSES: set[str] = set()
NAMES_OF_SEVERAL_MODULES: set[str] = set()
"""Words that still name several things; the lists only get shorter."""

NAMES_A_DIALECT = {"publish/static_view.py"}
"""Modules outside dialects/ that name one dialect: views of one variant each are local versions by their nature."""

CIRCLES: set[tuple[str, str]] = set()
"""Modules that still import each other, perhaps by way of others; the list only gets shorter."""


def relative(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def library() -> list[Path]:
    """Return the modules outside cli/, whose functions take what click gives them."""
    return [path for path in modules() if room(path) != "cli"]


def test_no_function_has_more_than_six_parameters() -> None:
    wide = set()
    for path in library():
        for node in ast.walk(parsed(path)):
            if isinstance(node, ast.FunctionDef):
                given = (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs)
                if sum(argument.arg not in ("self", "cls") for argument in given) > MOST_PARAMETERS:
                    wide.add(f"{relative(path)}:{node.name}")
    assert wide == set()


def test_one_name_means_one_class() -> None:
    places: dict[str, set[str]] = {}
    for path in modules():
        for node in parsed(path).body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                places.setdefault(node.name, set()).add(relative(path))
    assert {
        name: found for name, found in places.items() if len(found) > 1 and name not in NAMES_OF_SEVERAL_CLASSES
    } == {}


def test_one_name_means_one_module() -> None:
    places: dict[str, set[str]] = {}
    for path in library():
        if path.stem not in ("__init__", "base", "registry") and path.parent.name != "rules":
            places.setdefault(path.stem, set()).add(relative(path))
    assert {
        name: found for name, found in places.items() if len(found) > 1 and name not in NAMES_OF_SEVERAL_MODULES
    } == {}


def test_only_dialects_name_a_dialect() -> None:
    pattern = re.compile(
        r"dialects\.(plus|pep825|local_version) import|(dialect_of\(|DIALECTS\[|dialect.* == )[\"'](plus|pep825|local)"
    )
    naming = {
        relative(path) for path in modules() if room(path) != "dialects" and pattern.search(path.read_text("utf-8"))
    }
    assert naming <= NAMES_A_DIALECT


def graph() -> dict[str, set[str]]:
    """Return which modules each module imports when it is imported itself."""
    known = {
        f"variant_publish.{relative(path).removesuffix('.py').removesuffix('/__init__').replace('/', '.')}": relative(
            path
        )
        for path in modules()
    }
    found: dict[str, set[str]] = {}
    for path in modules():
        own = found.setdefault(relative(path), set())
        for node in parsed(path).body:
            if isinstance(node, ast.ImportFrom) and node.module:
                names = {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
                own |= {known[name] for name in names if name in known}
    return found


def reached(edges: dict[str, set[str]], start: str) -> set[str]:
    """Return the modules that one module imports, by way of others too."""
    found: set[str] = set()
    left = set(edges[start])
    while left:
        found |= left
        left = {other for one in left for other in edges[one]} - found
    return found


def test_no_modules_import_each_other() -> None:
    edges = graph()
    closure = {start: reached(edges, start) for start in edges}
    circles = {
        tuple(sorted((one, other))) for one in edges for other in closure[one] if other != one and one in closure[other]
    }
    assert circles <= CIRCLES


def test_few_modules_lie_at_the_root() -> None:
    loose = {path.stem for path in ROOT.glob("*.py")} - {"__init__"}
    assert loose == {"__main__", "errors", "progress", "templating"}


def test_no_folder_of_tests_is_left_out(pytestconfig: pytest.Config) -> None:
    """By default pytest enters no folder that is called build."""
    folders = {path.parent for path in Path(__file__).parent.rglob("test_*.py")} - {Path(__file__).parent}
    skipped = pytestconfig.getini("norecursedirs")
    assert [folder for folder in folders if any(folder.match(pattern) for pattern in skipped)] == []
