from __future__ import annotations

import re
from pathlib import Path

import pytest
from msgspec.structs import replace

from support.browser import CONTRAST, SCHEMES, SIZES, browse, measured, needs_chromium
from support.checks import LINUX, WINDOWS, report_on
from support.wheels import make_wheel
from variant_publish.cli.render_html import render_html
from variant_publish.config.tables import FailOn

CONFIG = f"""
[tool.variant-publish]
dialects = ["plus"]
[tool.variant-publish.matrix]
python = ["cp311-cp311", "cp312-cp312"]
platform = ["{LINUX}", "{WINDOWS}"]
skip = [{{ python = "cp312-cp312", platform = "{WINDOWS}", reason = "no toolchain" }}]
[tool.variant-publish.variants.cu128]
platform = ["{LINUX}"]
[tool.variant-publish.check]
ignore = [{{ id = "VP302", reason = "<b>on purpose</b>" }}]
"""


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
    assert not re.findall(r"""src\s*=|href\s*=\s*"[^#]|url\(|@import""", page)
    assert "prefers-color-scheme: dark" in page
    assert 'name="viewport"' in page


def test_what_wheels_say_is_escaped(page: str) -> None:
    assert "<i>" not in page
    assert "+&lt;i&gt;" in page


@pytest.mark.slow
@needs_chromium
@pytest.mark.parametrize("scheme", SCHEMES)
def test_every_text_has_a_contrast_of_four_and_a_half(page: str, tmp_path: Path, scheme: str) -> None:
    path = tmp_path / "report.html"
    path.write_text(page, "utf-8")
    assert float(measured(path, CONTRAST, "screen", SCHEMES[scheme])) >= 4.5
    one_line = "[...document.querySelectorAll('.findings td a, .word')].every(one => one.getClientRects().length === 1)"
    assert measured(path, one_line, "screen") == "true"


def test_a_hint_keeps_its_lines(tmp_path: Path) -> None:
    make_wheel(tmp_path, f"foo-1.0-cp311-cp311-{LINUX}.whl")
    make_wheel(tmp_path, f"foo-1.0-cp311-cp311-{LINUX}+cu128.whl", requires=["bar"])
    found = render_html(report_on(tmp_path, CONFIG))
    assert "declare it if it is on purpose:\n[tool.variant-publish.variants" in found


def test_the_heat_map_has_a_tile_for_each_cell(page: str) -> None:
    tiles = re.findall(r'<td class="(\w+) shade(\d)"', page)
    assert len(tiles) == 8
    assert ("present", "5") in tiles
    assert {tone for tone, _ in tiles} == {"present", "error", "skipped", "undeclared"}
    assert 'aria-label="missing"' in page


@pytest.mark.parametrize("fail_on", FailOn)
def test_the_page_says_what_makes_the_check_fail(fail_on: FailOn, tmp_path: Path) -> None:
    make_wheel(tmp_path, f"foo-1.0-py3-none-{LINUX}.whl")
    found = render_html(replace(report_on(tmp_path), fail_on=fail_on))
    assert (f"(by --fail-on {fail_on.value})" in found) is (fail_on is not FailOn.ERROR)


def test_a_folder_without_a_release_has_a_page_too(tmp_path: Path) -> None:
    (tmp_path / "foo.whl").write_bytes(b"")
    assert "No release" in render_html(report_on(tmp_path))


def test_axes_that_move_together_are_told(tmp_path: Path) -> None:
    zipped = '[[tool.variant-publish.matrix.zip]]\nvariant = ["generic", "cu128"]\ngcc = ["<12>", "14"]\n'
    make_wheel(tmp_path, f"foo-1.0-cp311-cp311-{LINUX}.whl")
    assert "variant <b>cu128</b>, gcc <b>14</b>" in render_html(report_on(tmp_path, CONFIG + zipped))


FAMILY = (
    CONFIG.partition("[tool.variant-publish.check]")[0] + '[tool.variant-publish.family]\nmembers = ["foo", "bar"]\n'
)


@pytest.fixture
def family(tmp_path: Path) -> str:
    """Give the page of a family of which one member lacks what the other one has."""
    for project, parts in (("foo", (f"{LINUX}", f"{LINUX}+cu128", WINDOWS)), ("bar", (LINUX,))):
        for part in parts:
            make_wheel(tmp_path / "family", f"{project}-1.0-cp311-cp311-{part}.whl")
    return render_html(report_on(tmp_path / "family", FAMILY))


def test_a_family_has_a_map_of_its_own(family: str) -> None:
    assert re.findall("<h2>(.*)</h2>", family)[:3] == [
        "bar 1.0: the matrix", "foo 1.0: the matrix", "The family: bar 1.0, foo 1.0"
    ]  # fmt: skip
    heads = re.findall('<th scope="col">([^<]+)</th>', family.partition("The family")[2])
    assert heads[:5] == ["Python", "Platform", "bar", "foo", "foo cu128"]


def test_findings_of_one_release_are_not_on_the_tiles_of_another(family: str) -> None:
    foo = family.partition("foo 1.0: the matrix")[2].partition("</section>")[0]
    row = foo.partition("cp311-cp311")[2].partition("</tr>")[0]
    assert re.findall(r'<td class="(\w+) ', row) == ["present", "present"]
    bar = family.partition("bar 1.0: the matrix")[2].partition("</section>")[0]
    assert re.findall(r'<td class="(\w+) ', bar.partition("cp311-cp311")[2].partition("</tr>")[0]) == [
        "present",
        "error",
    ]


@pytest.mark.slow
@needs_chromium
def test_the_names_of_rows_can_be_read_on_a_phone(family: str, tmp_path: Path) -> None:
    path = tmp_path / "family.html"
    path.write_text(family, "utf-8")
    narrow = "Math.min(...[...document.querySelectorAll('th[scope=row]')].map(one => one.clientWidth))"
    assert int(measured(path, narrow, "phone")) > 60
    assert int(measured(path, "document.documentElement.scrollWidth", "phone")) <= SIZES["phone"][0]


SORTED = """(() => {
  const heads = [...document.querySelectorAll("#findings th")], order = [];
  heads.forEach((head, place) => ["ascending", "descending"].forEach(way => {
    head.querySelector("button").click();
    const keys = [...document.querySelectorAll("#findings tbody tr")].map(row => row.cells[place].dataset.key);
    const wanted = [...keys].sort((one, two) => one.localeCompare(two, "en", {numeric: true}));
    if (way === "descending") wanted.reverse();
    order.push(head.getAttribute("aria-sort") === way && keys.length > 2 && keys.join() === wanted.join());
  }));
  return order.join();
})()"""


@pytest.fixture
def file(page: str, tmp_path: Path) -> Path:
    """Write the page."""
    path = tmp_path / "report.html"
    path.write_text(page, "utf-8")
    return path


@pytest.mark.slow
@needs_chromium
def test_a_browser_sorts_the_findings_by_every_column_in_both_ways(file: Path) -> None:
    assert measured(file, SORTED, "screen") == ",".join(["true"] * 8)


@pytest.mark.slow
@needs_chromium
@pytest.mark.parametrize("size", SIZES)
def test_nothing_is_wider_than_the_device(file: Path, size: str) -> None:
    assert int(measured(file, "document.documentElement.scrollWidth", size)) <= SIZES[size][0]


@pytest.mark.slow
@needs_chromium
@pytest.mark.parametrize(("scheme", "ground"), [("light", "rgb(255, 255, 255)"), ("dark", "rgb(20, 24, 28)")])
def test_the_page_is_light_or_dark_as_its_reader_is(file: Path, scheme: str, ground: str) -> None:
    colour = "getComputedStyle(document.body).backgroundColor"
    assert measured(file, colour, "screen", SCHEMES[scheme]) == ground
    shot = file.with_name("shot.png")
    browse(file, SCHEMES[scheme], f"--screenshot={shot}", size="phone")
    assert shot.stat().st_size > 10_000
