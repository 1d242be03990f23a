from __future__ import annotations

import pytest

from variant_publish.errors import VariantPublishError
from variant_publish.formats.record import Record, RecordRow


def test_a_record_without_changes_is_the_same_bytes() -> None:
    for newline in ("\n", "\r\n"):
        text = newline.join(['"a,b.py",sha256=x,1', "c.py,sha256=y,2", "d.dist-info/RECORD,,", ""]).encode()
        assert bytes(Record.parse(text)) == text


def test_rows_are_replaced_in_place_and_new_files_come_before_record() -> None:
    record = Record.parse(b"a,sha256=x,1\nb,sha256=y,2\ni/RECORD,,\n")
    changed = record.rewritten({"b": "c"}, {"a": b"new", "i/new": b"!", "gone": None})
    assert [row.path for row in changed.rows] == ["a", "c", "i/new", "i/RECORD"]
    assert changed.rows[0] == RecordRow.of("a", b"new")
    assert changed.rows[1].digest == "sha256=y"


def test_a_dropped_file_loses_its_row() -> None:
    assert Record.parse(b"a,sha256=x,1\nb,,\n").rewritten({}, {"a": None}).rows == (RecordRow("b"),)


@pytest.mark.parametrize("content", [b"a,b\n", b"\xff\xfe", b"a,b,c,d\n"])
def test_what_is_no_record_is_refused(content: bytes) -> None:
    with pytest.raises(VariantPublishError, match="RECORD"):
        Record.parse(content)
