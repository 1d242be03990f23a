"""RECORD of a wheel (binary distribution format, "The .dist-info directory"; recording installed projects)."""

from __future__ import annotations

import base64
import csv
import hashlib
import io
from collections.abc import Iterator, Mapping
from typing import Self

import msgspec

from variant_publish.errors import VariantPublishError

_FEW = 40
"""Up to so many paths are looked for one by one in a RECORD, which is faster than to look at every line."""


class RecordRow(msgspec.Struct, frozen=True):
    """One row: `path` inside the wheel, `digest` like "sha256=..." and `size`, both empty for RECORD itself."""

    path: str
    digest: str = ""
    size: str = ""

    @classmethod
    def of(cls, path: str, content: bytes) -> Self:
        """Build the row of a file from its content: SHA-256, urlsafe base64 without padding, size in bytes."""
        digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
        return cls(path, f"sha256={digest}", str(len(content)))


class Record(msgspec.Struct, frozen=True):
    """The rows of a RECORD file in their order, and the line ending that its builder used."""

    rows: tuple[RecordRow, ...]
    newline: str = "\n"

    @classmethod
    def parse(cls, content: bytes) -> Self:
        """Parse the file; raise VariantPublishError for a row that is no CSV row of three fields."""
        rows = []
        try:
            for number, row in enumerate(csv.reader(io.StringIO(content.decode("utf-8"), newline="")), 1):
                if not row:
                    continue
                if len(row) != 3:
                    raise ValueError(f"line {number} has {len(row)} fields, not 3")
                rows.append(RecordRow(*row))
        except (ValueError, csv.Error) as error:
            raise _unreadable(error) from error
        return cls(tuple(rows), "\r\n" if b"\r\n" in content else "\n")

    def __bytes__(self) -> bytes:
        out = io.StringIO()
        csv.writer(out, lineterminator=self.newline).writerows((row.path, row.digest, row.size) for row in self.rows)
        return out.getvalue().encode("utf-8", "surrogateescape")


def edit_record(text: bytes, renames: Mapping[str, str], contents: Mapping[str, bytes | None]) -> bytes:
    """Return a RECORD after a rewrite: paths renamed, rows of new `contents` replaced or added, None dropped.

    `contents` is keyed by the new path. Rows keep their place, and their bytes where nothing changes; new files come
    after the others, RECORD's own row stays where it is. The text is edited line by line: a large wheel has thousands
    of rows, of which a few change. Raises VariantPublishError for a line that is no CSV row of three fields.
    """
    newline = "\r\n" if b"\r\n" in text else "\n"
    touched = {name.encode("utf-8", "surrogateescape") for name in (*renames, *contents)}
    seen: set[str] = set()
    out = bytearray()
    done = 0
    for start, end in _rows(text, touched):
        out += text[done:start]
        done = end
        old, digest, size = _fields(text[start:end])
        path = renames.get(old, old)
        if path in seen:
            continue
        seen.add(path)
        content = contents.get(path)
        if path not in contents:
            out += _line(RecordRow(path, digest, size), newline)
        elif content is not None:
            out += _line(RecordRow.of(path, content), newline)
    out += text[done:]
    if out and not out.endswith(b"\n"):
        out += newline.encode()
    fresh = [
        _line(RecordRow.of(path, content), newline)
        for path, content in contents.items()
        if path not in seen and content is not None
    ]
    last = out.rfind(b"\n", 0, len(out) - 1) + 1
    place = last if out[last:].rstrip().endswith(b",,") else len(out)
    out[place:place] = b"".join(fresh)
    return bytes(out)


def _rows(text: bytes, touched: set[bytes]) -> Iterator[tuple[int, int]]:
    """Return where the rows of these paths begin and end, in the order of the file."""
    _check_encoding(text)
    body = b"\n" + text if text.endswith(b"\n") else b"\n" + text + b"\n"
    is_plain = b'"' not in text and body.count(b",") == 2 * (body.count(b"\n") - 1)
    if not is_plain or len(touched) > _FEW:
        return _rows_by_line(text, touched)
    found = []
    for path in touched:
        place = body.find(b"\n%b," % path)
        while place >= 0:
            end = body.index(b"\n", place + 1)
            found.append((place, min(end, len(text))))
            place = body.find(b"\n%b," % path, end)
    return iter(sorted(found))


def _rows_by_line(text: bytes, touched: set[bytes]) -> Iterator[tuple[int, int]]:
    start = end = 0
    for number, piece in enumerate(io.BytesIO(text), 1):
        end += len(piece)
        line = text[start:end]
        if b'"' in piece or end - start > len(piece):
            if line.count(b'"') % 2:
                continue  # a quoted field goes on in the next line
            path = _fields(line)[0].encode()
        elif line.count(b",") == 2:
            path = line[: line.index(b",")]
        elif line.strip():
            raise _unreadable(f"line {number} has {line.count(b',') + 1} fields, not 3")
        else:
            path = b""
        if path in touched:
            yield start, end
        start = end
    if start != end:
        raise _unreadable("a quoted path has no end")


def _check_encoding(text: bytes) -> None:
    try:
        text.isascii() or text.decode("utf-8")
    except UnicodeDecodeError as error:
        raise _unreadable(error) from error


def _fields(line: bytes) -> list[str]:
    try:
        (row,) = csv.reader([line.decode("utf-8")])
    except (ValueError, csv.Error) as error:
        raise _unreadable(f"{line[:80]!r}: {error}") from error
    if len(row) != 3:
        raise _unreadable(f"{line[:80]!r} has {len(row)} fields, not 3")
    return row


def _line(row: RecordRow, newline: str) -> bytes:
    return bytes(Record((row,), newline))


def _unreadable(reason: object) -> VariantPublishError:
    return VariantPublishError(
        f"RECORD cannot be read ({reason})", hint="build the wheel again: the file must be UTF-8 CSV"
    )
