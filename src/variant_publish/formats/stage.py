"""`.staged/NAME/state.json` in a store: whether a release that many machines make is open, being listed, or out."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, Self

from variant_publish.errors import UsageError, VariantPublishError

FOLDER = ".staged/"
"""Where stages lie in a store; no project's name begins with a dot."""

STATE_FILE = "state.json"
SCHEMA_VERSION = 1

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]{0,99}")


class Status(StrEnum):
    """Return how far a stage has come."""

    OPEN = "open"
    RELEASING = "releasing"
    RELEASED = "released"
    ABORTING = "aborting"


@dataclass(frozen=True, slots=True)
class StageState:
    """How far a stage has come; `parse(dumps()) == self`.

    `files` are the keys of the summaries that belong to the release: they are fixed when it begins to be listed, so a
    job that comes late changes nothing. `generation` counts the changes.
    """

    status: Status = Status.OPEN
    files: tuple[str, ...] = ()
    generation: int = 1

    def then(self, status: Status, files: tuple[str, ...] | None = None) -> Self:
        """Return the next state."""
        return replace(
            self, status=status, files=self.files if files is None else files, generation=self.generation + 1
        )

    def dumps(self) -> str:
        """Return the JSON text; equal values give equal text."""
        data: dict[str, Any] = {
            "schema-version": SCHEMA_VERSION,
            "status": self.status.value,
            "files": list(self.files),
            "generation": self.generation,
        }
        return json.dumps(data, indent=1) + "\n"

    @classmethod
    def parse(cls, content: bytes | str) -> Self:
        """Parse the text; raise VariantPublishError where it is something else."""
        try:
            data = json.loads(content)
            if data["schema-version"] != SCHEMA_VERSION:
                raise ValueError(f"schema version {data['schema-version']}")
            return cls(Status(data["status"]), tuple(map(str, data["files"])), int(data["generation"]))
        except (ValueError, KeyError, TypeError) as error:
            raise VariantPublishError(
                f"{STATE_FILE} is not what this program writes ({error!r})",
                hint="use one version of variant-publish in all jobs of a release",
            ) from error


def stage_folder(name: str) -> str:
    """Return the folder of a stage; raise UsageError for a name that cannot be one."""
    if not _NAME.fullmatch(name):
        raise UsageError(
            f"{name!r} cannot name a staged release", hint="use letters, digits and . _ + -, for example foo-1.0"
        )
    return f"{FOLDER}{name}/"
