from __future__ import annotations

from variant_publish.formats.wheel_file import WheelFile

TEXT = "Wheel-Version: 1.0\nRoot-Is-Purelib: false\nTag: py2.py3-none-any\nBuild: 1\n"


def test_tag_lines_are_replaced_where_they_stood() -> None:
    changed = WheelFile(TEXT).with_tags(["py3-none-any+x"])
    assert changed.text == TEXT.replace("py2.py3-none-any", "py3-none-any+x")
    assert changed.with_tags(["py2.py3-none-any"]).text == TEXT


def test_a_compressed_tag_line_expands() -> None:
    assert WheelFile(TEXT).expanded_tags() == {"py2-none-any", "py3-none-any"}


def test_line_endings_stay() -> None:
    changed = WheelFile("Wheel-Version: 1.0\r\nTag: a-b-c\r\n").with_tags(["a-b-d"])
    assert changed.text == "Wheel-Version: 1.0\r\nTag: a-b-d\r\n"


def test_a_file_without_tags_gets_them_at_the_end_of_its_header() -> None:
    assert WheelFile("Wheel-Version: 1.0").with_tags(["a-b-c"]).text == "Wheel-Version: 1.0\nTag: a-b-c\n"
    assert WheelFile("A: 1\n\n").with_tags(["a-b-c"]).text == "A: 1\nTag: a-b-c\n\n"
