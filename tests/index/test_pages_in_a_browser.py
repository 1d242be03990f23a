"""The project page in a real browser: readable on a screen and on a phone, in light and in dark, without JavaScript."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from support.browser import CONTRAST, SCHEMES, SIZES, Keyboard, browse, measured, needs_chromium
from support.http import serving
from variant_publish.formats.master import ProjectIndex, selector_entry
from variant_publish.formats.selector_toml import Selector, SelectorFile
from variant_publish.formats.simple import IndexFile
from variant_publish.formats.variants_json import VariantsMetadata
from variant_publish.index.pages import render_project
from variant_publish.index.project_page import needs_of
from variant_publish.model.variant import Properties
from variant_publish.providers.catalog import KNOWN_PROVIDERS

SHA = "ab" * 32

pytestmark = [pytest.mark.slow, needs_chromium]


def index() -> ProjectIndex:
    """Give a project as a real one is: three platforms, three variants, two releases, the older one yanked."""
    files = []
    for version in ("2.1.0", "2.0.0"):
        for platform in ("manylinux_2_28_x86_64", "manylinux_2_28_aarch64", "win_amd64"):
            for tag in ("", "+cu128", "+cu130"):
                if platform == "win_amd64" and tag == "+cu130":
                    continue
                for python in ("cp311-cp311", "cp312-cp312", "cp314-cp314t"):
                    name = f"my_project-{version}-{python}-{platform}{tag}.whl"
                    place = "https://files.example.org/" if not tag else ""
                    yanked = "wrong results on sm_90" if version == "2.0.0" else None
                    size = 700_000_000 if tag else 12_000_000
                    files.append(IndexFile(name, place + name.replace("+", "%2B"), SHA, size, ">=3.11", yanked=yanked))
        files.append(IndexFile(f"my_project-{version}.tar.gz", f"my_project-{version}.tar.gz", SHA, 1_000_000))
    variants = VariantsMetadata(
        ("nvidia",),
        {
            f"cu{major}{minor}": Properties.parse([f"nvidia :: cuda_version_lower_bound :: {major}.{minor}"])
            for major, minor in ((12, 8), (13, 0))
        },
        {"nvidia": KNOWN_PROVIDERS["nvidia"]},
    )
    selector = SelectorFile({"cuda": Selector({"12.8": ("cu128", ""), "13.0": ("cu130", "cu128", ""), "none": ("",)})})
    texts = {
        "my-project-2.1.0-wheel-selector.toml": selector.dumps(),
        "my_project-2.1.0-variants.json": variants.dumps(),
    }
    return ProjectIndex("my-project").updated(
        files,
        "2.1.0",
        [selector_entry(name, text) for name, text in texts.items()],
        needs={"2.1.0": needs_of(texts)},
        tracks=("https://example.org/simple/my-project/",),
        public_url="https://wheels.example.org/simple",
    )


@pytest.fixture
def page(tmp_path: Path) -> Path:
    path = tmp_path / "index.html"
    path.write_text(render_project(index()), "utf-8")
    return path


@pytest.mark.parametrize("size", SIZES)
def test_nothing_is_wider_than_the_device(page: Path, size: str) -> None:
    assert int(measured(page, "document.documentElement.scrollWidth", size)) <= SIZES[size][0]


def test_the_command_breaks_between_its_words_only(page: Path) -> None:
    lines = f"{SHOWN}[0].querySelectorAll('pre span')"
    assert measured(page, f"Math.max(...[...{lines}].map(one => one.getClientRects().length))", "phone") == "1"


def test_the_reader_sees_labels_and_the_installer_file_names(page: Path) -> None:
    link = "document.querySelector('td a')"
    assert measured(page, f"{link}.textContent", "screen") == "my_project-2.1.0-cp311-cp311-manylinux_2_28_aarch64.whl"
    assert 20 < int(measured(page, f"Math.round({link}.getBoundingClientRect().width)", "screen")) < 100
    assert measured(page, f"getComputedStyle({link}).fontSize", "screen") == "16px"


SHOWN = "[...document.querySelectorAll('.command')].filter(one => getComputedStyle(one).display === 'block')"


def test_one_command_is_shown_and_follows_the_radio_buttons(page: Path) -> None:
    what = f"{SHOWN}.map(one => one.querySelector('pre').textContent).join('|')"
    assert (
        measured(page, what, "screen") == "pip install --extra-index-url https://wheels.example.org/simple my-project"
    )
    choose = "document.getElementById('t-uv').checked = document.getElementById('m-1').checked = true"
    assert measured(page, f"({choose}, {what})", "phone") == (
        "uv pip install --preview-features wheel-variants --index https://wheels.example.org/simple my-project"
    )


def test_without_javascript_the_commands_and_the_grid_are_there(page: Path) -> None:
    text = page.read_text("utf-8")
    page.write_text(text.replace("<script>", "<script type=text/plain>"), "utf-8")
    assert measured(page, f"{SHOWN}.length", "screen") == "1"
    assert measured(page, "document.querySelectorAll('button').length", "screen") == "0"


def test_detect_names_the_system_and_marks_its_platforms(page: Path) -> None:
    click = "[...document.querySelectorAll('#machines button')].at(-1).click()"
    marked = "[...new Set([...document.querySelectorAll('td.mine')].map(one => one.dataset.platform))].join()"
    assert measured(page, f"({click}, {marked})", "screen") == "manylinux_2_28_aarch64,manylinux_2_28_x86_64"
    assert "This browser reports Linux" in measured(
        page, f"({click}, document.querySelector('[role=status]').textContent)", "screen"
    )


@pytest.mark.parametrize("scheme", SCHEMES)
def test_every_text_has_a_contrast_of_four_and_a_half(page: Path, scheme: str) -> None:
    assert float(measured(page, CONTRAST, "screen", SCHEMES[scheme])) >= 4.5


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("scheme", SCHEMES)
def test_light_and_dark(page: Path, scheme: str, size: str) -> None:
    target = page.with_name(f"{scheme}-{size}.png")
    browse(page, SCHEMES[scheme], f"--screenshot={target}", size=size)
    assert target.stat().st_size > 20_000


@pytest.mark.skipif(sys.platform == "win32", reason="Chromium takes no pipes by number on Windows")
def test_the_selector_is_used_by_keyboard_alone_and_shows_where_it_is(page: Path) -> None:
    focused = "document.activeElement"
    outline = f"getComputedStyle({focused}.closest('label') ?? {focused}).outlineWidth"
    command = f"{SHOWN}.map(one => one.querySelector('pre').textContent).join('|')"
    with serving(page.parent) as address, Keyboard(f"{address}/index.html", page.parent / "keys") as keys:

        def tab_to(wanted: str) -> None:
            for _ in range(12):
                keys.press("Tab")
                assert keys.evaluate(outline) == "3px", keys.evaluate(f"{focused}.outerHTML")
                if keys.evaluate(f"{focused}.matches({wanted!r})"):
                    return
            pytest.fail(f"Tab does not come to {wanted}")

        tab_to("[name=tool]")
        while "uv pip install" not in keys.evaluate(command):
            keys.press("ArrowDown")
        tab_to("[name=machine]")
        keys.press("ArrowDown")
        assert keys.evaluate("document.getElementById('m-1').checked")
        tab_to(".command pre")
        tab_to(".command button")
        keys.press("Enter")
        shown = keys.evaluate(command)
        assert shown.startswith("uv pip install")
        assert keys.evaluate(f"new Promise(done => setTimeout(() => done({focused}.textContent), 200))") == "Copied"
        assert keys.evaluate("navigator.clipboard.readText()") == shown
        tab_to("summary")
        keys.press("Enter")
        assert keys.evaluate(f"{focused}.parentElement.open") is False
