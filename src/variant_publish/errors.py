"""The one error base: data in; message, hint and exit code out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager


class VariantPublishError(Exception):
    """What is wrong, where, and what to do about it.

    `message` is one sentence without a final full stop that names the file or key; `hint` is the remedy,
    an imperative sentence. The command line prints both and exits with `exit_code`.
    """

    exit_code = 1

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message}: {self.hint}" if self.hint else self.message


class UsageError(VariantPublishError):
    """Report a call or a configuration that cannot mean anything: exit code 2."""

    exit_code = 2


@contextmanager
def naming(place: object, kind: type[VariantPublishError] | None = None) -> Iterator[None]:
    """Name the file or key that an error of the block is of, unless it does so itself; as a `kind`, if one is given."""
    try:
        yield
    except VariantPublishError as error:
        if error.message.startswith(str(place)):
            raise
        raise (kind or type(error))(f"{place}: {error.message}", hint=error.hint) from error


def nearest(word: str, known: Iterable[str]) -> str:
    """Return " (did you mean 'x'?)" for the known word that is most like this one; "" where none is."""
    import difflib

    found = difflib.get_close_matches(word, list(known), n=1)
    return f" (did you mean {found[0]!r}?)" if found else ""
