"""The public face: one place, every name documented, and nothing is imported that is not used."""

from __future__ import annotations

import inspect
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

from variant_publish import api
from variant_publish.api import (
    building,
    checking,
    indexing,
    installing,
    machines,
    publishing,
    retagging,
    serving,
    staging,
    starting,
    stubs,
    values,
)  # fmt: skip

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "api.md"
FUNCTIONS = [
    building,
    checking,
    indexing,
    installing,
    publishing,
    retagging,
    serving,
    staging,
    starting,
    stubs,
]
PARTS = [*FUNCTIONS, values, machines]


def names_of(part: ModuleType) -> tuple[str, ...]:
    return api._PARTS[part.__name__.rpartition(".")[2]]


@pytest.mark.parametrize("part", FUNCTIONS, ids=lambda part: part.__name__)
def test_what_is_defined_is_public_or_has_an_underscore(part: ModuleType) -> None:
    defined = {
        name
        for name, item in vars(part).items()
        if getattr(item, "__module__", None) == part.__name__ and not name.startswith("_")
    }
    assert defined == set(names_of(part))


def test_every_name_is_there_once_and_says_what_it_is() -> None:
    names = [name for part in PARTS for name in names_of(part)]
    assert sorted(names) == dir(api)
    assert len(names) == len(set(names))
    for part in PARTS:
        for name in names_of(part):
            assert getattr(api, name) is getattr(part, name)
            assert name in ("SILENT", "DIALECTS") or inspect.getdoc(getattr(api, name))


def test_what_is_not_public_is_not_there() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'Path'"):
        _ = api.Path  # type: ignore[attr-defined]


def test_every_value_is_on_the_page() -> None:
    page = PAGE.read_text("utf-8")
    assert [
        name for name in (*names_of(values), *names_of(machines)) if f":: variant_publish.api.{name}\n" not in page
    ] == []
    for part in FUNCTIONS:
        assert f"automodule:: {part.__name__}\n" in page


def test_retagging_does_not_wait_for_what_installs_or_publishes() -> None:
    code = (
        "import sys; from variant_publish import api; api.retag, api.rewrites; import variant_publish.cli.retag;"
        "print([name for name in sys.modules if name.startswith(('variant_publish.install', 'variant_publish.view',"
        " 'variant_publish.publish', 'variant_publish.check', 'requests', 'packaging.tags', 'packaging.utils', 'logging',"
        " 'subprocess', 'json', 'rich', 'tempfile'))])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, encoding="utf-8", check=True)
    assert done.stdout.strip() == "[]"
