from __future__ import annotations

from pathlib import Path

from support.alike import held_against_most
from variant_publish.check.rules.metadata import (
    SameName,
)


def test_a_name_is_held_against_most_wheels(tmp_path: Path) -> None:
    held_against_most(tmp_path, SameName(), {"name": "Foo"}, {"name": "foo"})
