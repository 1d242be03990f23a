"""Requirements with extra tags: `numpy+pypi` takes a wheel that carries the tag, or whose index vouches for it."""

from __future__ import annotations

from pathlib import Path

import pytest

from support.cli import run
from support.wheels import make_wheel
from variant_publish.dialects.pep825 import PEP825
from variant_publish.errors import VariantPublishError
from variant_publish.formats.selector_toml import Selector, SelectorFile
from variant_publish.providers.machine import Machine
from variant_publish.release.selectors import SelectorFiles
from variant_publish.view import Indexes, Wish, select

PLAIN = "foo-1.0-py3-none-any.whl"
LEVELS = {"x86-64": ("",), "x86-64-v3": ("v3", ""), "x86-64-v4": ("v4", "v3", "")}


def here(level: str = "x86-64-v4") -> Machine:
    found = Machine.detect({})
    return Machine({**found.values, "x86_64_version": level, "cuda": "none"}, found.tags, found.python_version)


def index(folder: Path, *variants: str, selector: bool = True) -> str:
    for variant in variants:
        make_wheel(folder, PLAIN.replace(".whl", f"{variant}.whl"))
    if selector:
        files = SelectorFiles.of(SelectorFile({"x86_64_version": Selector(LEVELS)}))
        for name, text in files.texts("foo", "1.0").items():
            (folder / name).write_text(text, "utf-8")
    return str(folder)


@pytest.mark.parametrize(
    ("level", "tag", "variant"),
    [
        ("x86-64-v4", "v4", "+v4"),
        ("x86-64-v4", "v3", "+v3"),
        ("x86-64-v3", "v3", "+v3"),
        ("x86-64-v3", "v4", None),
        ("x86-64-v4", "v2", None),
    ],
)
def test_only_a_wheel_with_the_tag_counts_and_the_machine_still_does(
    tmp_path: Path, level: str, tag: str, variant: str | None
) -> None:
    found = select("foo", Indexes((index(tmp_path, "", "+v3", "+v4"),)), here(level), wish=Wish((tag,)))
    assert found.selected == (None if variant is None else PLAIN.replace(".whl", f"{variant}.whl"))
    reasons = {item.filename: item.reason for item in found.candidates}
    assert reasons[PLAIN] == f"does not carry +{tag}, which is asked for"


def test_a_tag_that_no_selector_places_is_taken_where_it_is_asked_for(tmp_path: Path) -> None:
    place = index(tmp_path, "", "+pypi", "+v3+pypi")
    seen = Indexes((place,))
    assert select("foo", seen, here(), wish=Wish(("pypi",))).selected == PLAIN.replace(".whl", "+v3+pypi.whl")
    assert select("foo", seen, here()).selected == PLAIN


def test_an_index_vouches_for_a_tag(tmp_path: Path) -> None:
    local, other = (index(tmp_path / name, "", selector=False) for name in ("local", "other"))
    refused = select("foo", Indexes((local, other)), here(), wish=Wish(("pypi",)))
    assert (refused.selected, refused.index) == (None, local)
    found = select("foo", Indexes((local, other), {other: ("pypi",)}), here(), wish=Wish(("pypi",)))
    assert (found.selected, found.index) == (PLAIN, other)
    assert found.file is not None
    assert "/other/" in found.file.url


def test_a_label_of_that_name_counts(tmp_path: Path) -> None:
    place = index(tmp_path, "", "-v3", selector=False)
    found = select("foo", Indexes((place,)), here(), wish=Wish(("v3",)))
    assert (found.selected, found.dialect) == (None, PEP825)
    assert {item.filename: item.reason for item in found.candidates} == {
        PLAIN: "does not carry +v3, which is asked for",
        PLAIN.replace(".whl", "-v3.whl"): "is a variant, and no selector file lists it",
    }


def test_a_tag_on_no_index_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(VariantPublishError, match="bar is not on"):
        select("bar", Indexes((index(tmp_path, ""),)), here(), wish=Wish(("v3",)))


def test_indexes_are_read_as_they_are_typed(tmp_path: Path) -> None:
    found = Indexes.parse(["pypi=https://a.example/simple", "https://b.example/simple?x=y", str(tmp_path), "ours=w"])
    assert found.urls == ("https://a.example/simple", "https://b.example/simple?x=y", str(tmp_path), "w")
    assert found.implied == {"https://a.example/simple": ("pypi",), "w": ("ours",)}


def test_the_command_reads_tags(tmp_path: Path) -> None:
    place = index(tmp_path, "", "+v3", "+v4")
    result = run("select", "foo+v3==1.0", "--index", place, "--set", "x86_64_version=v4")
    assert (result.code, result.stdout.splitlines()[0]) == (0, "selected: foo-1.0-py3-none-any+v3.whl")
    result = run("select", "foo+v4", "--index", place, "--set", "x86_64_version=v3")
    assert result.code == 1
    assert "tag 'v4' is not for it" in result.stdout
    assert run("select", "foo+V4", "--index", place).code == 2
