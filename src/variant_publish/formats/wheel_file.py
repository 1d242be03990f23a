"""WHEEL of a dist-info folder (binary distribution format, "File contents")."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Self

import msgspec

from variant_publish.errors import VariantPublishError

TAG = "Tag"
BUILD = "Build"


class WheelFile(msgspec.Struct, frozen=True):
    """The text of a WHEEL file; lines that nobody asked to change stay byte for byte."""

    text: str

    @classmethod
    def parse(cls, content: bytes) -> Self:
        """Decode the file (UTF-8); raise VariantPublishError where it is something else."""
        try:
            return cls(content.decode("utf-8"))
        except UnicodeDecodeError as error:
            raise VariantPublishError("WHEEL is not UTF-8 text", hint="build the wheel again") from error

    def values(self, key: str) -> tuple[str, ...]:
        """Return the values of a key in their order."""
        return tuple(
            value.strip()
            for name, separator, value in (line.partition(":") for line in self.text.splitlines())
            if separator and name.strip().lower() == key.lower()
        )

    @property
    def tags(self) -> tuple[str, ...]:
        """Return the values of the `Tag:` lines."""
        return self.values(TAG)

    def expanded_tags(self) -> frozenset[str]:
        """Return the tags one by one; some builders write a compressed set in one line."""
        return frozenset(
            f"{python}-{abi}-{platform}"
            for pythons, abis, platforms in (line.split("-", 2) for line in self.tags if line.count("-") >= 2)
            for python in pythons.split(".")
            for abi in abis.split(".")
            for platform in platforms.split(".")
        )

    def with_tags(self, tags: Iterable[str]) -> Self:
        """Return the file with these `Tag:` lines, at the place of the first one, else at the end of the header."""
        newline = "\r\n" if "\r\n" in self.text else "\n"
        lines = self.text.splitlines(keepends=True)
        is_tag = [line.partition(":")[0].strip().lower() == TAG.lower() for line in lines]
        blank = next((index for index, line in enumerate(lines) if not line.strip()), len(lines))
        place = is_tag.index(True) if True in is_tag else blank
        before = [line for line, drop in zip(lines[:place], is_tag[:place], strict=True) if not drop]
        after = [line for line, drop in zip(lines[place:], is_tag[place:], strict=True) if not drop]
        if before and not before[-1].endswith("\n"):
            before[-1] += newline
        return type(self)("".join([*before, *(f"{TAG}: {tag}{newline}" for tag in tags), *after]))

    def __bytes__(self) -> bytes:
        return self.text.encode()
