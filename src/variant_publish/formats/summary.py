"""`FILE.summary.json`: what one wheel says of itself and what reading it has shown, without the wheel.

A release is judged and published from these where its wheels lie on many machines, or in a store already.
"""

from __future__ import annotations

import base64
import json
import re
import zlib
from collections.abc import Mapping
from typing import Any, Self

import msgspec

from variant_publish.errors import VariantPublishError

SUMMARY_SUFFIX = ".summary.json"
SCHEMA_VERSION = 1
MOST_BYTES = 64 * 1024 * 1024
"""Of a summary's text, and of the RECORD in it."""

_VERDICTS = ("pass", "fail", "skip", "unknown")
_SHA256 = r"[0-9a-f]{64}"
_FILENAME = r"[^/\\\x00-\x1f\x7f]{1,255}"


class InvalidSummary(VariantPublishError):
    """Report a text that is no summary of a file."""


class RuleVerdict(msgspec.Struct, frozen=True):
    """What one rule has said of the file: its id, and verdict ("pass", "fail", "skip", "unknown") with reasons."""

    rule: str
    verdict: str
    message: str = ""
    hint: str | None = None

    def __post_init__(self) -> None:
        if self.verdict not in _VERDICTS:
            raise InvalidSummary(f"{self.verdict!r} is no verdict", hint=f"one of {', '.join(_VERDICTS)}")


class Summary(msgspec.Struct, frozen=True):
    """One file of a release; `parse(dumps()) == self`.

    `size` is in bytes, `sha256` lower-case hex. Of a wheel, `files` are the small files of its dist-info folder by
    name, `record` is RECORD, and `verdicts` are those of all rules that look at one wheel alone; `made_by` is the
    version of variant-publish whose rules they are. Of an sdist, all these are empty. `attestation` is the text of the
    file's attestation (PEP 740).
    """

    file: str
    size: int
    sha256: str
    dist_info: str = ""
    files: Mapping[str, bytes] = {}
    record: bytes | None = None
    verdicts: tuple[RuleVerdict, ...] = ()
    made_by: str = ""
    attestation: str | None = None

    def __post_init__(self) -> None:
        if not re.fullmatch(_FILENAME, self.file) or not re.fullmatch(_SHA256, self.sha256) or self.size < 0:
            raise InvalidSummary(
                f"a summary of {self.file[:300]!r} with the size {self.size} and the SHA-256 {self.sha256[:100]!r}"
                " is not one of a file",
                hint="write it again from the file",
            )

    @property
    def filename(self) -> str:
        """Return the name that the summary has beside its file."""
        return self.file + SUMMARY_SUFFIX

    def verdicts_of(self, rule: str) -> tuple[RuleVerdict, ...]:
        """Return what a rule has said; nothing where it did not run."""
        return tuple(verdict for verdict in self.verdicts if verdict.rule == rule)

    def dumps(self) -> str:
        """Return the JSON text; equal values give equal text."""
        data = {
            "schema-version": SCHEMA_VERSION,
            "made-by": self.made_by,
            "file": self.file,
            "size": self.size,
            "sha256": self.sha256,
            "dist-info": self.dist_info,
            # Bytes that are no UTF-8 become lone surrogates, which JSON can write and Python turns back.
            "files": {name: content.decode("utf-8", "surrogateescape") for name, content in self.files.items()},
            "record": None if self.record is None else base64.b64encode(zlib.compress(self.record)).decode(),
            "verdicts": [_table(verdict) for verdict in self.verdicts],
            "attestation": self.attestation,
        }
        return json.dumps(data, indent=1) + "\n"

    @classmethod
    def parse(cls, content: bytes | str, source: str = "the summary") -> Self:
        """Parse the text; raise InvalidSummary, with the name of `source`, where it is something else."""
        try:
            if len(content) > MOST_BYTES:
                raise ValueError(f"{len(content)} bytes")
            data = json.loads(content)
            if not isinstance(data, dict):
                raise TypeError("it is not an object")
            if data["schema-version"] != SCHEMA_VERSION:
                raise InvalidSummary(
                    f"{source} has schema version {data['schema-version']}, and this program reads {SCHEMA_VERSION}",
                    hint="use one version of variant-publish in all jobs of a release",
                )
            record = data["record"]
            return cls(
                file=str(data["file"]),
                size=int(data["size"]),
                sha256=str(data["sha256"]),
                dist_info=str(data["dist-info"]),
                files={name: text.encode("utf-8", "surrogateescape") for name, text in data["files"].items()},
                record=None if record is None else _inflate(base64.b64decode(record)),
                verdicts=tuple(RuleVerdict(**verdict) for verdict in data["verdicts"]),
                made_by=str(data["made-by"]),
                attestation=_text_or_none(data["attestation"]),
            )
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError, zlib.error) as error:
            raise InvalidSummary(
                f"{source} is not a summary of a wheel ({str(error)[:200] or type(error).__name__})",
                hint="name files that 'variant-publish check --summary-out' wrote",
            ) from error


def _text_or_none(value: object) -> str | None:
    if not isinstance(value, str | None):
        raise TypeError("its attestation is not a text")
    return value


def _inflate(content: bytes) -> bytes:
    inflater = zlib.decompressobj()
    result = inflater.decompress(content, MOST_BYTES)
    if not inflater.eof:
        raise ValueError("its RECORD is too long, or cut off")
    return result


def _table(verdict: RuleVerdict) -> dict[str, Any]:
    table = {"rule": verdict.rule, "verdict": verdict.verdict, "message": verdict.message, "hint": verdict.hint}
    return {key: value for key, value in table.items() if value}
