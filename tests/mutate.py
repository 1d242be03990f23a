"""Change one module in small ways, one at a time, and see whether the fast tests notice.

    python tests/mutate.py src/variant_publish/model/ordering.py --limit 40

Prints the mutants that no test has killed, and the count. The tests are those that import the module and those of its
room; `--tests` names others. The work tree stays as it is: mutants live in copies.
"""

from __future__ import annotations

import argparse
import ast
import copy
import multiprocessing
import os
import random
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from threading import local

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "src" / "variant_publish"

_COMPARISONS: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Eq: ast.NotEq, ast.NotEq: ast.Eq, ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt,
    ast.In: ast.NotIn, ast.NotIn: ast.In, ast.Is: ast.IsNot, ast.IsNot: ast.Is,
}  # fmt: skip
_CALLS = {"any": "all", "all": "any", "min": "max", "max": "min"}
_PROCESSES = multiprocessing.get_context("forkserver")  # what they all import is imported once
_PROCESSES.set_forkserver_preload(["pytest", "hypothesis", "requests", "rich.console", "click", "jinja2"])
_here = local()


@dataclass(frozen=True)
class Mutant:
    """One changed module: where, what was changed, and its source."""

    line: int
    change: str
    source: str


def mutants(path: Path) -> list[Mutant]:
    """Return every mutant of a module; annotations, docstrings and messages stay as they are."""
    tree = ast.parse(path.read_text("utf-8"))
    classes = [part for node in ast.walk(tree) if isinstance(node, ast.ClassDef) for part in node.keywords]
    decorators = [part for node in ast.walk(tree) for part in getattr(node, "decorator_list", ())]
    # `frozen=True` and `slots=True` change nothing that is asked.
    left_out = {inner for part in (*classes, *decorators) for inner in ast.walk(part)}
    found = []
    for number, node in enumerate(ast.walk(tree)):
        if node in left_out:
            continue
        for change, mutate in _changes(node):
            changed = copy.deepcopy(tree)
            mutate(next(other for index, other in enumerate(ast.walk(changed)) if index == number))
            found.append(Mutant(node.lineno, change, ast.unparse(ast.fix_missing_locations(changed))))  # type: ignore[attr-defined]
    return found


def _changes(node: ast.AST) -> Iterator[tuple[str, Callable[[ast.AST], None]]]:
    yield from _changes_of_values(node)
    match node:
        case ast.Compare(ops=[op, *_]) if type(op) in _COMPARISONS:
            other = _COMPARISONS[type(op)]
            yield f"{type(op).__name__} -> {other.__name__}", lambda it: it.ops.__setitem__(0, other())  # type: ignore[attr-defined]
        case ast.BoolOp(op=op):
            swapped: ast.boolop = ast.Or() if isinstance(op, ast.And) else ast.And()
            yield f"{type(op).__name__} swapped", lambda it: setattr(it, "op", swapped)
        case ast.If(test=test) | ast.IfExp(test=test):
            yield f"not ({ast.unparse(test)})", lambda it: setattr(it, "test", ast.UnaryOp(ast.Not(), it.test))  # type: ignore[attr-defined]
        case ast.comprehension(ifs=[condition, *_]):
            node.lineno = condition.lineno  # type: ignore[attr-defined]
            yield f"without 'if {ast.unparse(condition)}'", lambda it: it.ifs.pop(0)  # type: ignore[attr-defined]
        case ast.Call(func=ast.Name(id=name)) if name in _CALLS:
            yield f"{name} -> {_CALLS[name]}", lambda it: setattr(it.func, "id", _CALLS[name])  # type: ignore[attr-defined]
        case ast.Expr(value=ast.Call()) | ast.Raise():
            yield f"without '{ast.unparse(node)[:60]}'", _blank
        case ast.Return(value=value) if value is not None and not isinstance(value, ast.Constant):
            yield f"return None for '{ast.unparse(value)[:60]}'", lambda it: setattr(it, "value", ast.Constant(None))


def _changes_of_values(node: ast.AST) -> Iterator[tuple[str, Callable[[ast.AST], None]]]:
    match node:
        case ast.Constant(value=bool() as value):
            yield f"{value} -> {not value}", lambda it: setattr(it, "value", not value)
        case ast.Constant(value=int() as value):
            more = value + 1
            yield f"{value} -> {more}", lambda it: setattr(it, "value", more)
        case ast.BinOp(op=ast.Add() | ast.Sub() as op):
            turned: ast.operator = ast.Sub() if isinstance(op, ast.Add) else ast.Add()
            yield f"{type(op).__name__} turned", lambda it: setattr(it, "op", turned)


def _blank(node: ast.AST) -> None:
    """Turn a statement into one that does nothing."""
    node.__class__ = ast.Expr
    node.__dict__.update(value=ast.Constant(None))


def tests_of(path: Path) -> list[str]:
    """Return the test modules that import a module, its own first, and then those of its room."""
    name = "variant_publish." + ".".join(path.relative_to(PACKAGE).with_suffix("").parts)
    room = ROOT / "tests" / path.relative_to(PACKAGE).parent
    tests = [
        test for test in (ROOT / "tests").rglob("test_*.py") if name in test.read_text("utf-8") or test.parent == room
    ]
    return sorted(
        map(str, tests), key=lambda test: (path.stem not in test, name not in Path(test).read_text("utf-8"), test)
    )


def is_killed(path: Path, source: str, tests: list[str], limit: float) -> bool:
    """Return whether the tests fail, or run for too long, with another source of the module."""
    if not hasattr(_here, "folder"):
        _here.folder = Path(tempfile.mkdtemp(prefix="mutants-"))
        shutil.copytree(PACKAGE, _here.folder / "src" / "variant_publish")
        for name in ("templates", "docs"):
            (_here.folder / name).symlink_to(ROOT / name)
    place: Path = _here.folder / path.relative_to(ROOT)
    place.write_text(source, "utf-8")
    command = ["-qx", "--assert=plain", "-p", "no:cacheprovider", "-m", "not slow", *tests]
    process = _PROCESSES.Process(target=_test, args=(str(_here.folder / "src"), command))
    process.start()
    process.join(limit)
    if process.is_alive():
        process.kill()
        process.join()
    place.write_text(path.read_text("utf-8"), "utf-8")
    return process.exitcode != 0


def _test(source: str, command: list[str]) -> None:
    """Run pytest in this process, which has not imported the package yet, with the package of another folder."""
    os.chdir(ROOT)
    for descriptor in (1, 2):
        os.dup2(os.open(os.devnull, os.O_WRONLY), descriptor)
    sys.dont_write_bytecode = True
    sys.path.insert(0, source)
    os.environ["PYTHONPATH"] = source
    os._exit(pytest.main(command))


def main() -> int:
    """Run the mutants of one module and print those that survive."""
    parser = argparse.ArgumentParser(description="Change a module in small ways and see whether the fast tests notice.")
    parser.add_argument("module", type=Path)
    parser.add_argument("--limit", type=int, default=40, help="how many mutants at most, drawn by --seed [default: 40]")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--line", type=int, action="append", help="only the mutants of this line; may be repeated")
    parser.add_argument("--tests", nargs="*", help="test modules, instead of those that name the module")
    parser.add_argument("-j", "--jobs", type=int, default=os.cpu_count() or 1)
    options = parser.parse_args()
    path = options.module.resolve()
    every = [mutant for mutant in mutants(path) if not options.line or mutant.line in options.line]
    chosen = sorted(random.Random(options.seed).sample(every, min(options.limit, len(every))), key=lambda it: it.line)  # noqa: S311
    tests = options.tests or tests_of(path)
    began = time.monotonic()
    if is_killed(path, path.read_text("utf-8"), tests, 600):
        sys.exit(f"{path.name}: its tests fail without any change")
    limit = 10 + 5 * (time.monotonic() - began)
    with ThreadPoolExecutor(options.jobs) as pool:
        killed = list(pool.map(lambda mutant: is_killed(path, mutant.source, tests, limit), chosen))
    for mutant in (mutant for mutant, dead in zip(chosen, killed, strict=True) if not dead):
        print(f"{options.module}:{mutant.line}: survived: {mutant.change}")
    print(f"{options.module}: {sum(killed)} of {len(chosen)} mutants killed ({len(every)} in all)")
    return 0 if all(killed) else 1


if __name__ == "__main__":
    sys.exit(main())
