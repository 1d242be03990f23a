"""`state.json` of a staged release: whether it is open, being released, or out, and which files belong to it."""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Self

import msgspec
from msgspec.structs import replace
from packaging.utils import is_normalized_name

from variant_publish.errors import UsageError, VariantPublishError
from variant_publish.formats.simple import project_of
from variant_publish.formats.typed import from_json, to_json

STAGES = ".staged"
"""Where stages lie in an extra index unless told otherwise; no project's name begins with a dot."""

STATE_FILE = "state.json"
MOST_FILES = 50_000

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]{0,99}")
_FILENAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+!-]{0,254}")


class InvalidStage(VariantPublishError):
    """Report what lies in a stage and does not belong there."""

    def __init__(self, what: str, why: str) -> None:
        super().__init__(
            f"{what} in the stage {why}", hint="remove the stage with 'variant-publish release NAME --abort'"
        )


class Status(StrEnum):
    """How far a stage has come."""

    OPEN = "open"
    RELEASING = "releasing"
    RELEASED = "released"
    ABORTING = "aborting"


class StagedFile(msgspec.Struct, frozen=True, order=True):
    """A file of a stage, `PROJECT/FILE`: a wheel or sdist of that project and nothing else; `parse(str(x)) == x`."""

    project: str
    filename: str

    def __post_init__(self) -> None:
        if not is_normalized_name(self.project) or not _FILENAME.fullmatch(self.filename):
            raise InvalidStage(f"{str(self)[:300]!r}", "is not PROJECT/FILE")
        if (owner := project_of(self.filename)) != self.project:
            raise InvalidStage(self.filename, f"is a file of {owner or 'no project'}, and not of {self.project}")

    def __str__(self) -> str:
        return f"{self.project}/{self.filename}"

    @classmethod
    def parse(cls, text: str) -> Self:
        """Parse `PROJECT/FILE`; raise InvalidStage for anything else."""
        project, _, filename = text.partition("/")
        return cls(project, filename)


class StageState(msgspec.Struct, frozen=True, tag_field="schema-version", tag=2):
    """How far a stage has come; `parse(dumps(), name) == self`.

    `files` belong to the release: the list is fixed when the release begins, so a job that comes late changes nothing.
    `generation` counts the changes.
    """

    name: str
    status: Status = Status.OPEN
    files: tuple[StagedFile, ...] = ()
    generation: int = 1

    def __post_init__(self) -> None:
        check_stage_name(self.name)
        if self.generation < 1 or len(self.files) > MOST_FILES:
            raise InvalidStage(STATE_FILE, f"has generation {self.generation} and {len(self.files)} files")

    def then(self, status: Status, files: tuple[StagedFile, ...] | None = None) -> Self:
        """Return the next state."""
        files = self.files if files is None else files
        return replace(self, status=status, files=files, generation=self.generation + 1)

    def dumps(self) -> str:
        """Return the JSON text; equal values give equal text."""
        return to_json(self)

    @classmethod
    def parse(cls, content: bytes | str, name: str) -> Self:
        """Parse the state of the stage `name`; raise VariantPublishError where it is something else."""

        def failure(reason: str) -> VariantPublishError:
            return VariantPublishError(
                f"{STATE_FILE} of the stage {name} is not what this program writes ({reason})",
                hint="use one version of variant-publish in all jobs of a release",
            )

        found = from_json(content, cls, failure)
        if found.name != name:
            raise failure(f"the state of {found.name[:100]!r}")
        return found


def check_stage_name(name: str) -> str:
    """Return the name; raise UsageError for one that cannot be a stage's."""
    if not _NAME.fullmatch(name):
        raise UsageError(
            f"{name[:300]!r} cannot name a staged release", hint="use letters, digits and . _ + -, for example foo-1.0"
        )
    return name
