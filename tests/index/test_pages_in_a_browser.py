"""The project page in a real browser: readable on a screen and on a phone, in light and in dark, without JavaScript."""

from __future__ import annotations

from pathlib import Path

import pytest

from support.browser import SCHEMES, SIZES, browse, measured, needs_chromium
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
    """Give a project as a real one is: three platforms, three variants, two releases, the older one withdrawn."""
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


def test_the_reader_sees_labels_and_the_installer_file_names(page: Path) -> None:
    link = "document.querySelector('a.wheel')"
    assert measured(page, f"{link}.textContent", "screen") == "my_project-2.1.0-cp311-cp311-manylinux_2_28_aarch64.whl"
    assert (
        measured(page, f"getComputedStyle({link}, '::after').content.replaceAll('&quot;', '')", "screen")
        .strip('"')
        .replace("&quot;", "")
        == "cp311"
    )
    assert int(measured(page, f"Math.round({link}.getBoundingClientRect().width)", "screen")) < 100


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("scheme", SCHEMES)
def test_light_and_dark(page: Path, scheme: str, size: str) -> None:
    target = page.with_name(f"{scheme}-{size}.png")
    browse(page, SCHEMES[scheme], f"--screenshot={target}", size=size)
    assert target.stat().st_size > 20_000
