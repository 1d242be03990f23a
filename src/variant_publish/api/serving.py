"""For users of a release: what one machine sees of indexes, served over HTTP to any installer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

import msgspec

from variant_publish.errors import UsageError
from variant_publish.progress import SILENT, Reporter
from variant_publish.providers.machine import Machine
from variant_publish.remote.default_index import default_index
from variant_publish.remote.local import folder_of, is_on_server
from variant_publish.serve.client_environment import refuse_locking
from variant_publish.serve.command import run_in_view
from variant_publish.serve.loopback import ServedView, serving
from variant_publish.serve.projects import Projects
from variant_publish.serve.wheel_cache import WheelCache
from variant_publish.view import Indexes


class ViewOptions(msgspec.Struct, frozen=True):
    """The indexes of a view and the machine that looks; `default_index` is that of everything else."""

    indexes: Indexes
    machine: Machine
    default_index: str | None = None
    generic: bool = False
    port: int | None = None


@contextmanager
def serve(options: ViewOptions, *, environ: Mapping[str, str], reporter: Reporter = SILENT) -> Iterator[ServedView]:
    """Serve the view on loopback until the block ends.

    Raises UsageError for a folder that is not there, and for a port that is in use.
    """
    default = options.default_index or default_index(environ)
    for index in (*options.indexes.urls, default):
        if not is_on_server(index) and not folder_of(index).is_dir():
            raise UsageError(
                f"{index} cannot be read (there is no such folder)", hint="name an existing folder, or a URL"
            )
    projects = Projects(
        options.indexes, default, options.machine, WheelCache.of_user(environ), generic=options.generic,
        reporter=reporter,
    )  # fmt: skip
    with serving(projects, options.port) as served:
        yield served


def run(
    options: ViewOptions, command: Sequence[str], *, environ: Mapping[str, str], reporter: Reporter = SILENT
) -> int:
    """Run a command whose installers have the view as their index, and return its exit status.

    Raises UsageError for a command that is not there, and for one that would write the address of the view into a
    project's lock.
    """
    refuse_locking(command)
    with serve(options, environ=environ, reporter=reporter) as served:
        return run_in_view(served, command, environ, reporter)
