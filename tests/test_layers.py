"""Imports go down: a room imports lower layers and itself, never a sibling."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterable
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


@cache
def modules() -> list[Path]:
    return sorted(ROOT.rglob("*.py"))


def relative(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@cache
def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text("utf-8"))


@cache
def nodes(path: Path) -> list[ast.AST]:
    return list(ast.walk(parsed(path)))


def of_each(paths: Iterable[Path], faults: Callable[[Path], set[str]]) -> dict[str, set[str]]:
    """Return what is wrong with each module; those without a fault are left out."""
    return {relative(path): found for path in paths if (found := faults(path))}


def room(path: Path) -> str:
    return path.relative_to(ROOT).parts[0].removesuffix(".py")


def layer(name: str) -> int:
    return next(number for number, rooms in enumerate(LAYERS) if name in rooms)


def imports(path: Path, *, top_only: bool = False) -> set[str]:
    found = set()
    for node in parsed(path).body if top_only else nodes(path):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module)
    return found


def distributions(path: Path, *, top_only: bool = False) -> set[str]:
    return {name.split(".")[0] for name in imports(path, top_only=top_only)}


def higher_rooms(path: Path) -> set[str]:
    own = room(path)
    others = {name.split(".")[1] for name in imports(path) if name.startswith("variant_publish.")} - {own}
    return {other for other in others if layer(other) >= layer(own)}


def test_a_module_imports_only_lower_layers_and_its_own_room() -> None:
    assert of_each(modules(), higher_rooms) == {}


def test_the_core_touches_no_file_clock_or_environment() -> None:
    core = [path for path in modules() if room(path) in PURE]
    assert of_each(core, lambda path: IMPURE_MODULES & distributions(path)) == {}


def test_heavy_libraries_are_imported_only_when_used() -> None:
    assert of_each(modules(), lambda path: LAZY_MODULES & distributions(path, top_only=True)) == {}


def test_the_library_never_prints() -> None:
    def calls(path: Path) -> set[str]:
        return {node.func.id for node in nodes(path) if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)}

    assert of_each(library(), lambda path: {"print"} & calls(path)) == {}
    assert of_each(library(), lambda path: {"click", "rich"} & distributions(path)) == {}


FACE = {"api", "cli", "config", "errors", "model", "progress", "templating"}
ROUND_THE_FACE = {"console.py": {"archive"}}
"""What may go round the public face: the console writes files as the library does, whole or not at all."""


def run_time_imports(path: Path) -> set[str]:
    """Return the rooms that a module imports, but for what only a type checker sees."""
    typing = {
        inner
        for node in nodes(path)
        if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"
        for part in node.body
        for inner in ast.walk(part)
    }
    names = [
        node.module for node in nodes(path) if isinstance(node, ast.ImportFrom) and node.module and node not in typing
    ]
    return {name.split(".")[1] for name in names if name.startswith("variant_publish.")}


def beyond_the_face(path: Path) -> set[str]:
    drawn = {"check"} if path.name.startswith("render_") else set()  # the enumerations of what they draw
    return run_time_imports(path) - FACE - drawn - ROUND_THE_FACE.get(path.name, set())


def test_a_command_calls_the_public_face_only() -> None:
    assert of_each((ROOT / "cli").glob("*.py"), beyond_the_face) == {}


MOST_PARAMETERS = 6
NAMES_OF_SEVERAL_CLASSES: set[str] = set()
NAMES_OF_SEVERAL_MODULES: set[str] = set()
"""Words that still name several things; the lists only get shorter."""

NAMES_A_DIALECT = {"publish/static_view.py"}
"""Modules outside dialects/ that name one dialect: views of one variant each are local versions by their nature."""

CIRCLES: set[tuple[str, str]] = set()
"""Modules that still import each other, perhaps by way of others; the list only gets shorter."""


def library() -> list[Path]:
    """Return the modules outside cli/, whose functions take what click gives them."""
    return [path for path in modules() if room(path) != "cli"]


def test_no_function_has_more_than_six_parameters() -> None:
    wide = set()
    for path in library():
        for node in nodes(path):
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
