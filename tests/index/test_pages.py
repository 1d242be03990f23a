"""The rendered pages: what installers read of them equals the master."""

from __future__ import annotations

import gzip
import hashlib
import html
import re
import subprocess
import sys
import zipfile
from html.parser import HTMLParser
from pathlib import Path

import pytest
from msgspec.structs import replace
from pypi_simple import ProjectPage

import variant_publish
from variant_publish.formats.master import NewestRelease, ProjectIndex, RootIndex, selector_entry
from variant_publish.formats.metadata import About
from variant_publish.formats.page import parse_page
from variant_publish.formats.selector_toml import Selector, SelectorFile
from variant_publish.formats.simple import IndexFile
from variant_publish.formats.variants_json import VariantsMetadata
from variant_publish.index.commands import install_commands, machine_choices
from variant_publish.index.pages import render_project, render_root
from variant_publish.index.project_page import needs_of, newest, releases_of
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
            assert tag not in {"img", "link", "base", "iframe"}
            assert tag != "script" or attrs == []

    reader = Anchors()
    reader.feed(render_project(INDEX))
    assert reader.anchors == len(INDEX.files)


def test_a_link_of_the_project_is_no_file_of_it() -> None:
    links = (("Homepage", "https://evil.example/foo_bar-9.9-py3-none-any.whl"),)
    about = About("1.0", "A <b>summary</b>", "MIT", ">=3.9,<4", links)
    text = render_project(replace(INDEX, about=about))
    names = [file.filename for file in parse_page(text.encode(), "https://h/simple/foo-bar/")]
    assert len(names) == len(INDEX.files)
    assert "foo_bar-9.9-py3-none-any.whl" not in names
    assert "A &lt;b&gt;summary&lt;/b&gt;" in text
    assert all(part in text for part in ("<dd>MIT</dd>", "&gt;=3.9,&lt;4</dd>", "<dd>2026-01-02</dd>"))


def test_no_script_has_a_sign_that_simple_parsers_take_for_a_tag() -> None:
    script = render_project(INDEX).partition("<script>")[2].partition("</script>")[0]
    assert len(script) > 500
    assert "<" not in script


def test_a_large_project_stays_small_on_the_wire() -> None:
    places = ("manylinux_2_28_x86_64", "manylinux_2_28_aarch64", "win_amd64", "macosx_11_0_arm64")
    files = [
        IndexFile(name, name.replace("+", "%2B"), hashlib.sha256(name.encode()).hexdigest(), 7_000_000, ">=3.9",
                  hashlib.sha256(b"m" + name.encode()).hexdigest(), "2026-01-02T03:04:05Z")
        for minor in range(30)
        for python in ("cp310", "cp311", "cp312", "cp313", "cp314")
        for place in places
        for name in [f"foo-1.{minor}-{python}-{python}-{place}.whl"]
    ]  # fmt: skip
    page = render_project(ProjectIndex("foo").updated(files)).encode()
    assert len(files) == 600
    assert len(gzip.compress(page)) < 150_000


def test_selector_texts_are_linked_by_their_hash() -> None:
    links = {package.filename: package.url for package in parsed().packages}
    entry = INDEX.file("foo_bar-1.0-variants.json")
    assert entry is not None
    assert links["foo_bar-1.0-variants.json"].endswith(f"/.selectors/{entry.sha256[:16]}/foo_bar-1.0-variants.json")


def test_versions_come_newest_first_and_people_see_variants_and_sizes() -> None:
    text = render_project(INDEX)
    assert text.index("<h3>1.0</h3>") < text.index("<h3>0.9</h3>")
    assert '<span class="kind">cu128</span>' in text
    assert "100.0 MB" in text
    assert "yanked: bad &#34;&lt;b&gt;&#34; &amp; worse" in text


def commands(index: ProjectIndex) -> dict[tuple[str, str], str]:
    """Return (tool, words of the machine) -> what the page tells to type."""
    grid = newest(releases_of(index))
    assert grid is not None
    choices = machine_choices(grid)
    found = install_commands(index, grid)
    text = html.unescape(re.sub("</?span>", "", render_project(index)))  # each word stays in one line
    assert all("\n".join(one.lines) in text for one in found)
    return {(one.tool, choices[one.choice].words): "\n".join(one.lines) for one in found}


def test_the_page_says_what_a_variant_needs_and_how_to_install_it() -> None:
    address = "https://wheels.example.org/simple"
    needs = "An NVIDIA driver for CUDA 12.8 or newer, an NVIDIA GPU of architecture 90_real"
    index = replace(INDEX, public_url=address)
    assert commands(index) == {
        ("pip", "No special hardware"): f"pip install --extra-index-url {address} foo-bar",
        ("uv", "No special hardware"): f"uv pip install --index {address} foo-bar",
        ("file", "No special hardware"): f"--extra-index-url {address}\nfoo-bar==1.0",
        ("pip", needs): f"variant-publish run --index {address} -- pip install foo-bar",
        ("uv", needs): f"uv pip install --preview-features wheel-variants --index {address} foo-bar",
        ("file", needs): f"variant-publish run --index {address} -- pip install -r requirements.txt",
    }
    assert "This index extends <code>https://example.org/simple/foo-bar/</code>" in render_project(index)
    assert "<pre" not in render_project(ProjectIndex("foo"))


def test_the_page_names_the_view_of_each_variant_of_its_newest_release() -> None:
    views = {"1.0": {"cu128": "https://h/views/cu128", "cu130": ""}, "0.9": {"cu118": "https://h/views/cu118"}}
    index = replace(INDEX, views=views, needs={})
    assert commands(index)["pip", "Cu128"] == "pip install --extra-index-url https://h/views/cu128 foo-bar"
    assert commands(index)["uv", "Cu128"] == "uv pip install --index https://h/views/cu128 foo-bar"
    assert "cu118" not in render_project(index)


def test_the_page_of_a_view_installs_the_variant_where_it_is_built() -> None:
    names = ("foo-1.0+cu128-cp312-cp312-win_amd64.whl", "foo-1.0-cp312-cp312-macosx_11_0_arm64.whl")
    files = (IndexFile(name, name.replace("+", "%2B"), SHA) for name in names)
    index = ProjectIndex("foo").updated(files, public_url="https://h/views/cu128")
    assert commands(index)["pip", "Cu128"] == "pip install --extra-index-url https://h/views/cu128 foo"
    assert len(commands(index)) == 3
    assert "On a platform for which the variant is not built" in render_project(index)


def test_both_dialects_of_a_build_stand_in_one_line() -> None:
    names = [f"foo-1.0-cp312-cp312-win_amd64{mark}.whl" for mark in ("", "+cu128", "-cu128")]
    index = ProjectIndex("foo").updated(IndexFile(name, name.replace("+", "%2B"), SHA) for name in names)
    (release,) = releases_of(index)
    assert release.platforms == ("win_amd64",)
    shown = [[[link.parts[1] for link in build] for cell in row.cells for build in cell] for row in release.rows]
    assert shown == [[["cp312"]], [["cp312", "-cu128"]]]
    for file in index.files:
        assert any(
            "".join(link.parts) == file.filename
            for row in release.rows
            for cell in row.cells
            for build in cell
            for link in build
        )


def test_the_same_master_gives_the_same_bytes() -> None:
    assert render_project(ProjectIndex.parse(INDEX.dumps())) == render_project(INDEX)


def test_the_root_lists_the_projects() -> None:
    newest = {"foo-bar": NewestRelease("2.1", "2026-11-20", ("cu128", "cu130"))}
    text = render_root(RootIndex(("a", "foo-bar"), 2, newest))
    assert re.search(r'foo-bar/">foo-bar</a></th>\s*<td>2.1</td>\s*<td>cu128, cu130</td>\s*<td>2026-11-20</td>', text)
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
    script = (
        "from variant_publish.formats.master import RootIndex; from variant_publish.index.pages import render_root;"
        "from variant_publish.templating import templates_folder; print(templates_folder()); render_root(RootIndex())"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], env={"PYTHONPATH": str(tmp_path / "installed")}, cwd=tmp_path,
        check=True, capture_output=True, encoding="utf-8",
    )  # fmt: skip
    assert done.stdout.strip() == str(tmp_path / "installed" / "variant_publish" / "templates")


def test_a_tag_of_the_default_alone_has_words_too() -> None:
    text = SelectorFile({"v": Selector({"1": ("a", "")}, default=("b", ""))}).dumps()
    assert needs_of({"foo-1.0-wheel-selector.toml": text}) == {"a": "v 1", "b": "v of any other value"}
