"""Requirements and constraints files whose lines may have extra tags (`numpy+pypi==2.0.0`)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

from variant_publish.errors import UsageError
from variant_publish.model.requirement import TaggedRequirement

_INDEX = re.compile(r"(?:-i|--index-url|--extra-index-url|-f|--find-links|--no-index)\b")
_FILE = re.compile(r"(-r|--requirement|-c|--constraint)[\s=]+(\S+)")
_LIMIT = 4 * 1024 * 1024
_DEEPEST = 20

Lines = list[str | TaggedRequirement]
"""The lines of a file: requirements by name, and all else as clients read it."""


def read_lines(path: Path, parse: Callable[[str], TaggedRequirement], depth: int = 0) -> Lines:
    """Return the lines of a file, those of files that it names included; raise UsageError that names file and line.

    An index in such a file is refused: the options of the command say which index a project belongs to.
    """
    if depth > _DEEPEST:
        raise UsageError(f"{path} includes itself, perhaps by way of others", hint="take that line out")
    try:
        with path.open("rb") as stream:
            text = stream.read(_LIMIT + 1).decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path} cannot be read ({error})", hint="name a requirements file") from error
    if len(text) > _LIMIT:
        raise UsageError(f"{path} has more than {_LIMIT} bytes", hint="name a requirements file")
    found: Lines = []
    for line in _logical(text):
        if _INDEX.match(line):
            raise UsageError(f"{path} has the line {line!r}", hint="pass indexes as --index and --default-index")
        if include := _FILE.match(line):
            found += read_lines(path.parent / include[2], parse, depth + 1)
        else:
            found.append(_line(line, path, parse))
    return found


def _line(line: str, path: Path, parse: Callable[[str], TaggedRequirement]) -> str | TaggedRequirement:
    """Return a line as clients read it from another folder, or as a requirement with tags."""
    head = line.partition(";")[0].partition("--hash")[0]
    if re.match(r"[A-Za-z0-9][A-Za-z0-9._-]*\s*(?:[\[+<>=!~;]|$)", head) and "--" not in line:
        try:
            return parse(line)
        except UsageError as error:
            raise UsageError(f"{path}: {error.message}", hint=error.hint) from error
    if match := re.match(r"((?:-e|--editable)[\s=]+)?(\.{1,2}(?:/\S*)?)(\s.*|\[.*)?$", line):
        return f"{match[1] or ''}{(path.parent / match[2]).resolve()}{match[3] or ''}"
    return line


def _logical(text: str) -> Iterator[str]:
    for line in re.sub(r"\\\r?\n", " ", text).splitlines():
        if stripped := re.sub(r"(^|\s)#.*$", "", line).strip():
            yield stripped
