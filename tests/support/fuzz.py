"""Fuzz a parser with fixed seeds: damaged samples in, a value or an error of ours out, in bounded time.

A test is one call: `fuzz(parse, [sample, ...], words=[...])`. A few hundred cases run by default;
VARIANT_PUBLISH_FUZZ=20000 runs that many. A failure names the case: `fuzz(parse, samples, only=CASE)` repeats it alone.
"""

from __future__ import annotations

import os
import random
import time
from collections.abc import Callable, Iterator, Sequence

from variant_publish.errors import VariantPublishError

CASES = int(os.environ.get("VARIANT_PUBLISH_FUZZ", "300"))
SECONDS = 10.0
"""How long one case may take."""

NUMBERS = (0, 1, 0x7F, 0x80, 0xFF, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, (1 << 63) - 1, (1 << 64) - 1)
WORDS = (
    b"\0", b"\n", b"\r\n", b"../", b"..\\", b"/etc/passwd", b"\x1b[2J", b"::set-output name=x::y", b"\xff\xfe", b"%2e%2e%2f",
    "\u202e\U0001f600".encode(), b"\xed\xa0\x80", b"9" * 5000, b"[" * 5000, b"{\"a\":" * 2000, b"(" * 500, b"A" * 100_000, b"", b"-", b"+",
    b"null", b"true", b"-1", b"1e999", b"NaN", b"'", b"\"", b"<!--", b"<script>", b"javascript:x", b"file:///etc/passwd", b"//host/x",
)  # fmt: skip
"""What is put into text: line breaks, paths, escapes, broken UTF-8, huge numbers, deep nesting, other addresses."""


class FuzzFailure(AssertionError):
    """A case that ended in neither a value nor an error of ours, or too late."""


def fuzz(
    call: Callable[[bytes], object],
    samples: Sequence[bytes],
    *,
    words: Sequence[bytes] = (),
    allowed: tuple[type[BaseException], ...] = (VariantPublishError,),
    only: int | None = None,
) -> int:
    """Run the call on every case and return how many were accepted; raise FuzzFailure on the first that misbehaves."""
    accepted = 0
    for number, content in (
        _cases(samples, (*WORDS, *words)) if only is None else [(only, case(only, samples, (*WORDS, *words)))]
    ):
        start = time.perf_counter()
        try:
            call(content)
            accepted += 1
        except allowed:
            pass
        except Exception as error:
            raise FuzzFailure(
                f"case {number}: {type(error).__name__}: {error!s:.300}; input {content[:300]!r}"
            ) from error
        if (seconds := time.perf_counter() - start) > SECONDS:
            raise FuzzFailure(f"case {number} took {seconds:.1f} s; input {content[:300]!r}")
    return accepted


def _cases(samples: Sequence[bytes], words: Sequence[bytes]) -> Iterator[tuple[int, bytes]]:
    for number in range(CASES):
        yield number, case(number, samples, words)


def case(number: int, samples: Sequence[bytes], words: Sequence[bytes] = WORDS) -> bytes:
    """Return the input of one case; the same number gives the same bytes."""
    chance = random.Random(number)  # noqa: S311  (nothing secret: cases have to repeat)
    content = bytearray(chance.choice(samples))
    for _ in range(chance.choice((1, 1, 2, 3, 8))):
        chance.choice(_CHANGES)(chance, content, samples, words)
    return bytes(content[:4_000_000])


def _place(chance: random.Random, content: bytearray) -> tuple[int, int]:
    start = chance.randrange(len(content) + 1)
    return start, min(len(content), start + chance.choice((0, 1, 2, 4, 8, 40)))


def _flip(chance: random.Random, content: bytearray, samples: Sequence[bytes], words: Sequence[bytes]) -> None:
    if content:
        content[chance.randrange(len(content))] ^= 1 << chance.randrange(8)


def _insert(chance: random.Random, content: bytearray, samples: Sequence[bytes], words: Sequence[bytes]) -> None:
    start, end = _place(chance, content)
    content[start:end] = chance.choice(words)


def _number(chance: random.Random, content: bytearray, samples: Sequence[bytes], words: Sequence[bytes]) -> None:
    """Write a number as binaries have it, or as text in place of digits."""
    value = chance.choice(NUMBERS)
    if chance.random() < 0.5:
        width = chance.choice((1, 2, 4, 8))
        start = chance.randrange(len(content) + 1)
        content[start : start + width] = (value & ((1 << 8 * width) - 1)).to_bytes(
            width, chance.choice(("little", "big"))
        )
    elif digits := [place for place, byte in enumerate(content) if 48 <= byte <= 57]:
        place = chance.choice(digits)
        content[place : place + 1] = str(value).encode()


def _cut(chance: random.Random, content: bytearray, samples: Sequence[bytes], words: Sequence[bytes]) -> None:
    start = chance.randrange(len(content) + 1)
    del content[start : chance.choice((len(content), start + 1, start + 16))]


def _repeat(chance: random.Random, content: bytearray, samples: Sequence[bytes], words: Sequence[bytes]) -> None:
    start, end = _place(chance, content)
    content[start:end] = content[start:end] * chance.choice((2, 3, 100, 2000))


def _splice(chance: random.Random, content: bytearray, samples: Sequence[bytes], words: Sequence[bytes]) -> None:
    other = chance.choice(samples)
    start = chance.randrange(len(other) + 1)
    content[_place(chance, content)[0] :] = other[start:]


_CHANGES = (_flip, _flip, _insert, _insert, _insert, _number, _number, _cut, _repeat, _splice)
