"""`FILE.summary.json`: what one wheel says of itself and what reading it has shown, without the wheel.

A release is judged and published from these where its wheels lie on many machines, or in a store already.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from typing import Annotated, Literal, Self

import msgspec
from msgspec.structs import replace

from variant_publish.errors import VariantPublishError
from variant_publish.formats.typed import from_json, refusing, to_json

SUMMARY_SUFFIX = ".summary.json"
MOST_BYTES = 64 * 1024 * 1024
"""Of a summary's text, and of the RECORD in it."""


class InvalidSummary(VariantPublishError):
    """Report a text that is no summary of a file."""


class RuleVerdict(msgspec.Struct, frozen=True, omit_defaults=True):
    """What one rule has said of the file: its id, and verdict with reasons."""

    rule: str
    verdict: Literal["pass", "fail", "skip", "unknown"]
    message: str = ""
    hint: str | None = None


class Summary(msgspec.Struct, frozen=True, omit_defaults=True, rename="kebab", tag_field="schema-version", tag=1):
    """One file of a release; `parse(dumps()) == self`.

    `size` is in bytes, `sha256` lower-case hex. Of a wheel, `files` are the small files of its dist-info folder by
    name, `record` is RECORD, and `verdicts` are those of all rules that look at one wheel alone; `made_by` is the
    version of variant-publish whose rules they are. Of an sdist, all these are empty. `attestation` is the text of the
    file's attestation (PEP 740).
    """

    file: Annotated[str, msgspec.Meta(pattern=r"\A[^/\\\x00-\x1f\x7f]{1,255}\Z")]
    size: Annotated[int, msgspec.Meta(ge=0)]
    sha256: Annotated[str, msgspec.Meta(pattern=r"\A[0-9a-f]{64}\Z")]
    dist_info: str = ""
    files: Mapping[str, bytes] = {}
    record: bytes | None = None
    verdicts: tuple[RuleVerdict, ...] = ()
    made_by: str = ""
    attestation: str | None = None

    @property
    def filename(self) -> str:
        """Return the name that the summary has beside its file."""
        return self.file + SUMMARY_SUFFIX

    def verdicts_of(self, rule: str) -> tuple[RuleVerdict, ...]:
        """Return what a rule has said; nothing where it did not run."""
        return tuple(verdict for verdict in self.verdicts if verdict.rule == rule)

    def dumps(self) -> str:
        """Return the JSON text; equal values give equal text."""
        return to_json(self if self.record is None else replace(self, record=zlib.compress(self.record)))

    @classmethod
    def parse(cls, content: bytes | str, source: str = "the summary") -> Self:
        """Parse the text; raise InvalidSummary, with the name of `source`, where it is something else."""

        def failure(reason: str) -> InvalidSummary:
            hint = "name files that this version of 'variant-publish check --summary-out' wrote"
            return InvalidSummary(f"{source} is not a summary of a wheel ({reason})", hint=hint)

        if len(content) > MOST_BYTES:
            raise failure(f"{len(content)} bytes")
        found = from_json(content, cls, failure)
        with refusing(failure):
            return found if found.record is None else replace(found, record=_inflate(found.record))


def _inflate(content: bytes) -> bytes:
    inflater = zlib.decompressobj()
    try:
        result = inflater.decompress(content, MOST_BYTES)
    except zlib.error as error:
        raise ValueError(str(error)) from error
    if not inflater.eof:
        raise ValueError("its RECORD is too long, or cut off")
    return result
