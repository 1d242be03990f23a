from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from support.checks import LINUX, WINDOWS, report_on
from support.wheels import make_wheel
from variant_publish.cli.render_html import render_html

BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
CONFIG = f"""
[tool.variant-publish.matrix]
python = ["cp311-cp311", "cp312-cp312"]
platform = ["{LINUX}", "{WINDOWS}"]
skip = [{{ python = "cp312-cp312", platform = "{WINDOWS}", reason = "no toolchain" }}]
[tool.variant-publish.variants.cu128]
platform = ["{LINUX}"]
[tool.variant-publish.check]
ignore = [{{ id = "VP302", reason = "<b>on purpose</b>" }}]
"""
LAST = "<script>document.querySelectorAll('#findings button')[1].click();document.title='sorted'</script></body>"


@pytest.fixture
def page(tmp_path: Path) -> str:
    """Give the page of a release with a hole, a warning and cells of several sizes."""
    for python in ("cp311-cp311", "cp312-cp312"):
        make_wheel(tmp_path, f"foo-1.0-{python}-{LINUX}.whl", files={"foo/x.bin": bytes(range(256)) * 9})
    make_wheel(
        tmp_path,
        f"foo-1.0-cp311-cp311-{LINUX}+cu128.whl",
        tags=["cp311-cp311-linux_x86_64+<i>"],
        files={"foo/x.bin": bytes(99)},
    )
    return render_html(report_on(tmp_path, CONFIG))


def test_the_page_needs_nothing_else(page: str) -> None:
    assert not re.findall(r"""(?:src|href)\s*=|url\(|@import|https?://""", page)
    assert "prefers-color-scheme: dark" in page
    assert 'name="viewport"' in page


def test_what_wheels_say_is_escaped(page: str) -> None:
    assert "<i>" not in page
    assert "+&lt;i&gt;" in page


def test_the_heat_map_has_a_tile_for_each_cell(page: str) -> None:
    tiles = re.findall(r'<td class="(\w+) shade(\d)"', page)
    assert len(tiles) == 8
    assert ("present", "5") in tiles
    assert {tone for tone, _ in tiles} == {"present", "error", "skipped", "undeclared"}
    assert 'aria-label="missing"' in page


def test_a_folder_without_a_release_has_a_page_too(tmp_path: Path) -> None:
    (tmp_path / "foo.whl").write_bytes(b"")
    assert "No release" in render_html(report_on(tmp_path))


@pytest.mark.slow
@pytest.mark.skipif(BROWSER is None, reason="needs Chromium")
def test_a_browser_sorts_and_draws_it(page: str, tmp_path: Path) -> None:
    assert BROWSER is not None
    target, shot = tmp_path / "report.html", tmp_path / "shot.png"
    target.write_text(page.replace("</body>", LAST), "utf-8")
    options = ["--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={tmp_path / 'profile'}"]
    dumped = subprocess.run(
        [BROWSER, *options, "--dump-dom", target.as_uri()], capture_output=True, timeout=60, check=True
    )
    dom = dumped.stdout.decode()
    assert "<title>sorted</title>" in dom
    assert 'aria-sort="ascending"><button type="button">rule' in dom
    ids = re.findall(r"<b>(VP\d+)</b> <span", dom)
    assert len(ids) > 2
    assert ids == sorted(ids)
    subprocess.run(
        [BROWSER, *options, "--window-size=390,844", f"--screenshot={shot}", target.as_uri()],
        capture_output=True,
        timeout=60,
        check=True,
    )
    assert shot.read_bytes().startswith(b"\x89PNG")
