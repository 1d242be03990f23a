"""`variant-publish serve`."""

from __future__ import annotations

import os
import signal
import threading

import click

from variant_publish import api
from variant_publish.cli.console import ConsoleReporter, echo
from variant_publish.cli.options import view_options


@click.command()
@view_options
def command(view: api.ViewOptions) -> int:
    """Serve what this machine sees of indexes as a plain index on loopback, for any installer.

    Of every release the best variant for this machine is left under its plain name; the installer's own resolver does
    the rest. The address has a secret path and stays the same from run to run. Ctrl-C ends it.

    \b
    Examples:
      variant-publish serve --index https://wheels.example.org/simple
      variant-publish serve --index wheelhouse --set cuda=12.8 --port 8000
    """  # noqa: D301  (\b is click's mark for text that keeps its lines)
    ended = threading.Event()
    with api.serve(view, environ=os.environ, reporter=ConsoleReporter()) as served:
        signal.signal(signal.SIGTERM, lambda *_: ended.set())
        echo(served.url)
        try:
            while not ended.wait(1):
                while served.problems:
                    ConsoleReporter().warn(str(served.problems.pop(0)))
        except KeyboardInterrupt:
            pass
    return 0
