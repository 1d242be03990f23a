"""Run a command whose installers have a view as their index."""

from __future__ import annotations

import shutil
import signal
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from types import FrameType

from variant_publish.errors import UsageError
from variant_publish.progress import Reporter
from variant_publish.serve.client_environment import LockGuard, client_environment
from variant_publish.serve.loopback import ServedView

_GRACE_S = 5.0


def run_in_view(view: ServedView, command: Sequence[str], environ: Mapping[str, str], reporter: Reporter) -> int:
    """Run a command to its end and return its exit status; a signal that ends this ends the command, too."""
    program = shutil.which(command[0], path=environ.get("PATH"))
    if program is None:
        raise UsageError(f"there is no command {command[0]!r}", hint="install it, or name it by its path")
    guard = LockGuard(Path.cwd())
    with _terminable(), TemporaryDirectory(prefix="variant-publish-") as folder:
        environment = client_environment(environ, view.url, Path(folder))
        with subprocess.Popen([program, *command[1:]], env=environment) as process:
            try:
                status = process.wait()
            except BaseException:
                _end(process)
                raise
    for problem in {str(problem): problem for problem in view.problems}.values():
        reporter.warn(str(problem))
    guard.restore(view.url)
    return status if status >= 0 else 128 - status


def _end(process: subprocess.Popen[bytes]) -> None:
    """Wait for a process that got the same Ctrl-C, then end it."""
    for end in (process.terminate, process.kill):
        try:
            process.wait(_GRACE_S if end == process.terminate else 1)
        except subprocess.TimeoutExpired:
            end()
        else:
            return


@contextmanager
def _terminable() -> Iterator[None]:
    """Turn SIGTERM into KeyboardInterrupt for as long as the block runs."""

    def interrupt(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    try:
        before = signal.signal(signal.SIGTERM, interrupt)
    except ValueError:  # not the main thread, which gets no signals
        yield
        return
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
