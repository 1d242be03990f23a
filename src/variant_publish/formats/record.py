"""RECORD of a wheel (binary distribution format, "The .dist-info directory"; recording installed projects)."""

from __future__ import annotations

import base64
import csv
import hashlib
import io
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from variant_publish.errors import VariantPublishError


@dataclass(frozen=True, slots=True)
class RecordRow:
    """Hold one row: `path` inside the wheel, `digest` like "sha256=..." and `size`, both empty for RECORD itself."""

    path: str
    digest: str = ""
    size: str = ""

    @classmethod
    def of(cls, path: str, content: bytes) -> Self:
        """Build the row of a file from its content: SHA-256, urlsafe base64 without padding, size in bytes."""
        digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
        return cls(path, f"sha256={digest}", str(len(content)))


@dataclass(frozen=True, slots=True)
class Record:
    """Hold the rows of a RECORD file in their order, and the line ending that its builder used."""

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
            raise VariantPublishError(
                f"RECORD cannot be read ({error})", hint="build the wheel again: the file must be UTF-8 CSV"
            ) from error
        return cls(tuple(rows), "\r\n" if b"\r\n" in content else "\n")

    def rewritten(self, renames: Mapping[str, str], contents: Mapping[str, bytes | None]) -> Self:
        """Give the record after a rewrite: paths renamed, rows of new `contents` replaced or added, None dropped.

        `contents` is keyed by the new path. Rows keep their place; new files come after the others, RECORD's own
        row stays where it is.
        """
        rows: list[RecordRow] = []
        seen: set[str] = set()
        for row in self.rows:
            path = renames.get(row.path, row.path)
            if path in seen:
                continue
            seen.add(path)
            if path not in contents:
                rows.append(RecordRow(path, row.digest, row.size))
            elif (content := contents[path]) is not None:
                rows.append(RecordRow.of(path, content))
        fresh = [
            RecordRow.of(path, content)
            for path, content in contents.items()
            if path not in seen and content is not None
        ]
        if fresh and rows and not rows[-1].digest:
            rows[-1:-1] = fresh
        else:
            rows.extend(fresh)
        return type(self)(tuple(rows), self.newline)

    def __bytes__(self) -> bytes:
        out = io.StringIO()
        csv.writer(out, lineterminator=self.newline).writerows((row.path, row.digest, row.size) for row in self.rows)
        return out.getvalue().encode()
