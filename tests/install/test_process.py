from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from variant_publish.errors import VariantPublishError
from variant_publish.install.process import follow


def test_each_line_of_both_streams_is_passed_on(tmp_path: Path) -> None:
    lines: list[str] = []
    code = (
        "import os, sys; print(os.getcwd()); sys.stdout.flush(); print(os.environ['A'], file=sys.stderr); sys.exit(3)"
    )
    done = follow([sys.executable, "-c", code], lines.append, folder=tmp_path, environ={**os.environ, "A": "b"})
    assert (done.status, lines) == (3, [str(tmp_path.resolve()), "b"])
    assert done.output == "\n".join(lines)


def test_it_gets_no_input() -> None:
    assert follow([sys.executable, "-c", "print(input())"], lambda line: None).status == 1


def test_a_program_that_is_not_there_is_one_sentence() -> None:
    with pytest.raises(VariantPublishError, match="no-such-program cannot be run"):
        follow(["no-such-program"], lambda line: None)


def test_when_the_listener_gives_up_the_program_ends() -> None:
    def stop(line: str) -> None:
        raise KeyboardInterrupt

    code = "import time\nprint('begun', flush=True)\ntime.sleep(60)"
    with pytest.raises(KeyboardInterrupt):
        follow([sys.executable, "-c", code], stop)
