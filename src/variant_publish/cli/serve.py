"""`variant-publish serve`."""

from __future__ import annotations

import os
import signal
import threading
from pathlib import Path

import click

from variant_publish import api
from variant_publish.cli.console import ConsoleReporter, echo
from variant_publish.cli.machine import view_options, view_options_of


@click.command()
@view_options
@click.option("--port", type=click.IntRange(1, 65535), help="The port on 127.0.0.1. Default: the same one each time.")
def command(
    indexes: tuple[str, ...], settings: tuple[str, ...], host_file: Path | None, generic: bool,
    default_index: str | None, port: int | None,
) -> int:  # fmt: skip
    """Serve what this machine sees of indexes as a plain index on loopback, for any installer.

    Of every release the best variant for this machine is left under its plain name; the installer's own resolver does
    the rest. The address has a secret path and stays the same from run to run. Ctrl-C ends it.

    \b
    Examples:
      variant-publish serve --index https://wheels.example.org/simple
      variant-publish serve --index wheelhouse --set cuda=12.8 --port 8000
    """  # noqa: D301  (\b is click's mark for text that keeps its lines)
    options = view_options_of(indexes, settings, host_file, generic, default_index, port)
    ended = threading.Event()
    with api.serve(options, environ=os.environ, reporter=ConsoleReporter()) as served:
        signal.signal(signal.SIGTERM, lambda *_: ended.set())
        echo(served.url)
        try:
            while not ended.wait(1):
                while served.problems:
                    ConsoleReporter().warn(str(served.problems.pop(0)))
        except KeyboardInterrupt:
            pass
    return 0
