"""The rendered pages: what installers read of them equals the master."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest
from pypi_simple import ProjectPage

import variant_publish
from variant_publish.formats.master import ProjectIndex, RootIndex, selector_entry
from variant_publish.formats.simple import IndexFile
from variant_publish.formats.variants_json import VariantsMetadata
from variant_publish.index.pages import render_project, render_root
from variant_publish.index.project_page import needs_of, sections
from variant_publish.model.quantity import readable_size
from variant_publish.model.variant import Properties
from variant_publish.providers.catalog import KNOWN_PROVIDERS
from variant_publish.templating import templates_folder

SHA = "ab" * 32

VARIANTS = VariantsMetadata(
    ("nvidia",),
    {"cu128": Properties.parse(["nvidia :: cuda_version_lower_bound :: 12.8", "nvidia :: sm_arch :: 90_real"])},
    {"nvidia": KNOWN_PROVIDERS["nvidia"]},
)
INDEX = ProjectIndex("foo-bar", generation=7, tracks=("https://example.org/simple/foo-bar/",)).updated(
    (
        IndexFile(
            "foo_bar-1.0-py3-none-any.whl",
            "https://files.example.org/a?b=1&c=2/foo_bar-1.0-py3-none-any.whl",
            SHA,
            size=100_000_000,
            requires_python=">=3.9,<4",
            metadata_sha256="cd" * 32,
            upload_time="2026-01-02T03:04:05Z",
        ),
        IndexFile("foo_bar-1.0-py3-none-win_amd64+cu128.whl", "foo_bar-1.0-py3-none-win_amd64%2Bcu128.whl", SHA),
        IndexFile("foo_bar-0.9-py3-none-any.whl", "foo_bar-0.9-py3-none-any.whl", SHA, yanked='bad "<b>" & worse'),
        IndexFile("foo_bar-0.9.tar.gz", "foo_bar-0.9.tar.gz", SHA, yanked=""),
    ),
    "1.0",
    [
        selector_entry("foo_bar-1.0-variants.json", VARIANTS.dumps()),
        selector_entry("foo-bar-1.0-wheel-selector.toml", "x = 1\n"),
    ],
    needs={"1.0": needs_of({"foo_bar-1.0-variants.json": VARIANTS.dumps()})},
)


def parsed() -> ProjectPage:
    return ProjectPage.from_html("foo-bar", render_project(INDEX), base_url="https://h/simple/foo-bar/")


def test_the_page_says_what_the_master_says() -> None:
    page = parsed()
    found = {package.filename: package for package in page.packages}
    assert set(found) == {file.filename for file in INDEX.files}
    for file in INDEX.files:
        package = found[file.filename]
        assert package.digests == {"sha256": file.sha256}
        assert package.requires_python == file.requires_python
        assert package.has_metadata is (True if file.metadata_sha256 else None)
        assert package.metadata_digests == ({"sha256": file.metadata_sha256} if file.metadata_sha256 else None)
        assert package.is_yanked is (file.yanked is not None)
        assert (package.yanked_reason or None) == (file.yanked or None)


def test_the_page_names_its_version_its_generation_and_what_it_tracks() -> None:
    text = render_project(INDEX)
    assert parsed().repository_version == "1.2"
    assert '<meta name="variant-publish:generation" content="8">' in text
    assert '<meta name="pypi:tracks" content="https://example.org/simple/foo-bar/">' in text
    assert text.startswith("<!DOCTYPE html>")


def test_a_plus_is_never_bare_in_a_link() -> None:
    variant = next(package for package in parsed().packages if "cu128" in package.filename)
    assert variant.url == "https://h/simple/foo-bar/foo_bar-1.0-py3-none-win_amd64%2Bcu128.whl"


def test_every_anchor_is_a_file_and_nothing_is_loaded_from_elsewhere() -> None:
    class Anchors(HTMLParser):
        anchors = 0

        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            self.anchors += tag == "a"
            assert tag not in {"script", "img", "link", "base"}

    reader = Anchors()
    reader.feed(render_project(INDEX))
    assert reader.anchors == len(INDEX.files)


def test_selector_texts_are_linked_by_their_hash() -> None:
    links = {package.filename: package.url for package in parsed().packages}
    entry = INDEX.file("foo_bar-1.0-variants.json")
    assert entry is not None
    assert links["foo_bar-1.0-variants.json"].endswith(f"/.selectors/{entry.sha256[:16]}/foo_bar-1.0-variants.json")


def test_versions_come_newest_first_and_people_see_variants_and_sizes() -> None:
    text = render_project(INDEX)
    assert text.index("<h2>1.0</h2>") < text.index("<h2>0.9</h2>")
    assert '<span class="kind">cu128</span>' in text
    assert "100.0 MB" in text
    assert "withdrawn: bad &#34;&lt;b&gt;&#34; &amp; worse" in text


def test_the_page_tells_what_a_variant_needs_and_how_to_install_what_is_there() -> None:
    text = render_project(replace(INDEX, public_url="https://wheels.example.org/simple"))
    assert "an NVIDIA driver for CUDA 12.8 or newer, an NVIDIA GPU of architecture 90_real" in text
    assert "pip install --extra-index-url https://wheels.example.org/simple foo-bar" in text
    assert "uv pip install --preview-features wheel-variants --index https://wheels.example.org/simple foo-bar" in text
    assert "foo-bar==1.0" in text
    assert "This index extends <code>https://example.org/simple/foo-bar/</code>" in text
    local = ProjectIndex("foo").updated(
        (IndexFile("foo-1.0+cu128-py3-none-any.whl", "foo-1.0%2Bcu128-py3-none-any.whl", SHA),)
    )
    assert "foo==1.0+cu128" in render_project(local)
    assert "<pre>" not in render_project(ProjectIndex("foo"))


def test_the_page_names_the_view_of_each_variant_of_its_newest_release() -> None:
    views = {"1.0": {"cu128": "https://h/views/cu128", "cu130": ""}, "0.9": {"cu118": "https://h/views/cu118"}}
    text = render_project(replace(INDEX, views=views))
    assert "pip install --extra-index-url https://h/views/cu128 foo-bar" in text
    assert "ADDRESS-OF-THE-VIEW" not in text
    assert "pip, cu130" not in text, "nobody knows where it is"
    assert "cu118" not in text


def test_the_page_of_a_view_promises_the_variant() -> None:
    names = ("foo-1.0+cu128-cp312-cp312-win_amd64.whl", "foo-1.0-cp312-cp312-macosx_11_0_arm64.whl")
    files = (IndexFile(name, name.replace("+", "%2B"), SHA) for name in names)
    text = render_project(ProjectIndex("foo").updated(files, public_url="https://h/views/cu128"))
    assert "pip, cu128 where it is built" in text
    assert "pip install --extra-index-url https://h/views/cu128 foo==1.0+cu128" in text
    assert "uv pip install --index https://h/views/cu128 foo" in text
    assert "variant-publish select" not in text


def test_both_dialects_of_a_variant_stand_in_one_cell() -> None:
    names = [f"foo-1.0-cp312-cp312-win_amd64{mark}.whl" for mark in ("", "+cu128", "-cu128")]
    index = ProjectIndex("foo").updated(IndexFile(name, name.replace("+", "%2B"), SHA) for name in names)
    (section,) = sections(index)
    assert section.platforms == ("win_amd64",)
    assert [[[link.label for link in cell] for cell in row.cells] for row in section.rows] == [
        [["cp312"]],
        [["cp312 plus", "cp312 pep825"]],
    ]


def test_the_same_master_gives_the_same_bytes() -> None:
    assert render_project(ProjectIndex.parse(INDEX.dumps())) == render_project(INDEX)


def test_the_root_lists_the_projects() -> None:
    text = render_root(RootIndex(("a", "foo-bar"), 2))
    assert '<a href="foo-bar/">foo-bar</a>' in text
    assert '<meta name="pypi:repository-version" content="1.2">' in text


@pytest.mark.parametrize(
    ("size", "text"), [(0, "0 B"), (999, "999 B"), (1000, "1.0 kB"), (2_500_000, "2.5 MB"), (3 * 10**9, "3.0 GB")]
)
def test_sizes_for_people(size: int, text: str) -> None:
    assert readable_size(size) == text


def test_templates_are_found_in_a_working_copy() -> None:
    assert (templates_folder() / "index" / "project.html").is_file()


@pytest.mark.slow
def test_templates_are_found_in_an_installed_wheel(tmp_path: Path) -> None:
    root = Path(variant_publish.__file__).parents[2]
    if not (root / "pyproject.toml").exists():
        pytest.skip("this is not a working copy")
    pytest.importorskip("hatchling")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)],
        cwd=root,
        check=True,
        capture_output=True,
    )
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path / "installed")
    script = "from variant_publish import site; print(site.templates_folder()); site.render_root(site.RootIndex())"
    done = subprocess.run(
        [sys.executable, "-c", script], env={"PYTHONPATH": str(tmp_path / "installed")}, cwd=tmp_path,
        check=True, capture_output=True, encoding="utf-8",
    )  # fmt: skip
    assert done.stdout.strip() == str(tmp_path / "installed" / "variant_publish" / "templates")
