"""The project page in a real browser: readable on a screen and on a phone, in light and in dark, without JavaScript."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from variant_publish.formats.selector_toml import Selector, SelectorFile
from variant_publish.formats.simple import IndexFile, ProjectIndex
from variant_publish.formats.variants_json import KNOWN_PROVIDERS, VariantsMetadata
from variant_publish.model.variant import Properties
from variant_publish.site import render_project

CHROMIUM = shutil.which("chromium")
SIZES = {"screen": (1280, 900), "phone": (390, 844)}
SHA = "ab" * 32

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium (Debian's package is called chromium)"),
]


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
        "2.1.0": {
            "my-project-2.1.0-wheel-selector.toml": selector.dumps(),
            "my_project-2.1.0-variants.json": variants.dumps(),
        }
    }
    tracks = ("https://example.org/simple/my-project/",)
    return ProjectIndex("my-project").updated(files, texts, tracks, "https://wheels.example.org/simple")


def browse(page: Path, *options: str, size: str = "screen") -> str:
    """Let Chromium open the page and give what it prints."""
    width, height = SIZES[size]
    command = [
        str(CHROMIUM), "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--disable-dev-shm-usage",
        f"--user-data-dir={page.parent / 'profile'}", f"--window-size={width},{height}", *options, page.as_uri(),
    ]  # fmt: skip
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout


@pytest.fixture
def page(tmp_path: Path) -> Path:
    path = tmp_path / "index.html"
    path.write_text(render_project(index()), "utf-8")
    return path


def measured(page: Path, expression: str, size: str) -> str:
    """Evaluate a script in a copy of the page inside a frame as wide as the device; the page itself has none."""
    width, height = SIZES[size]
    copy = page.with_name("copy.html")
    script = f"<script>document.documentElement.setAttribute('data-found', {expression})</script>"
    copy.write_text(page.read_text("utf-8").replace("</body>", f"{script}</body>"), "utf-8")
    frame = page.with_name("frame.html")
    frame.write_text(
        f"<iframe id=f src=copy.html width={width} height={height}></iframe><script>f.onload = () =>"
        " document.documentElement.setAttribute('data-found', f.contentDocument.documentElement.dataset.found)</script>"
    )
    found = re.search(r'data-found="([^"]*)"', browse(frame, "--allow-file-access-from-files", "--dump-dom"))
    assert found is not None
    return found[1]


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
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_light_and_dark(page: Path, scheme: str, size: str) -> None:
    target = page.with_name(f"{scheme}-{size}.png")
    preferred = f"--blink-settings=preferredColorScheme={0 if scheme == 'dark' else 1}"
    browse(page, preferred, f"--screenshot={target}", size=size)
    assert target.stat().st_size > 20_000
