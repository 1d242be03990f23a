from __future__ import annotations

import pytest

from variant_publish.errors import VariantPublishError
from variant_publish.formats.record import Record, RecordRow, edit_record


def test_a_record_without_changes_is_the_same_bytes() -> None:
    for newline in ("\n", "\r\n"):
        text = newline.join(['"a,b.py",sha256=x,1', "c.py,sha256=y,2", "d.dist-info/RECORD,,", ""]).encode()
        assert bytes(Record.parse(text)) == text


def test_rows_are_replaced_in_place_and_new_files_come_before_record() -> None:
    text = b"a,sha256=x,1\nb,sha256=y,2\ni/RECORD,,\n"
    changed = Record.parse(edit_record(text, {"b": "c"}, {"a": b"new", "i/new": b"!", "gone": None}))
    assert [row.path for row in changed.rows] == ["a", "c", "i/new", "i/RECORD"]
    assert changed.rows[0] == RecordRow.of("a", b"new")
    assert changed.rows[1].digest == "sha256=y"


def test_a_dropped_file_loses_its_row() -> None:
    assert edit_record(b"a,sha256=x,1\nb,,\n", {}, {"a": None}) == b"b,,\n"


def test_quoted_rows_are_edited_and_the_others_keep_their_bytes() -> None:
    text = b'"a,""b"".py",sha256=x,1\r\n"new\nline",sha256=y,2\r\nc,sha256=z,03\r\n"i/RECORD",,'
    assert edit_record(text, {}, {"i/x": b""}).endswith(
        b"2\r\nc,sha256=z,03\r\n" + bytes(Record((RecordRow.of("i/x", b""),), "\r\n")) + b'"i/RECORD",,\r\n'
    )
    renamed = Record.parse(edit_record(text, {'a,"b".py': "d,é.py", "i/RECORD": "j/RECORD"}, {}))
    assert [row.path for row in renamed.rows] == ["d,é.py", "new\nline", "c", "j/RECORD"]


@pytest.mark.parametrize("content", [b"a,b\n", b"\xff\xfe", b"a,b,c,d\n"])
def test_what_is_no_record_is_refused(content: bytes) -> None:
    with pytest.raises(VariantPublishError, match="RECORD"):
        Record.parse(content)
    with pytest.raises(VariantPublishError, match="RECORD"):
        edit_record(content, {}, {"a": b""})
