"""moto's server in a process of its own, so that whoever starts it may fork; what it holds is read and set in one go.

It prints its address. A line with a path on its standard input writes all objects there or reads them from there:
`save PATH` and `load PATH`; the answer is an empty line.
"""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from support.moto import BUCKET, Moto, moto_server

ACCOUNT = "123456789012"
_FIELDS = ("checksum_algorithm", "checksum_value", "checksum_type", "checksum_parts")


class MotoProcess:
    """A server that was started, and its objects."""

    def __init__(self, endpoint_url: str, process: subprocess.Popen[str], exchange: Path) -> None:
        self.endpoint_url = endpoint_url
        self.process = process
        self.exchange = exchange

    def objects(self) -> dict[str, Any]:
        """Return all objects: key -> (content, headers, what moto keeps besides)."""
        self._tell("save")
        found: dict[str, Any] = pickle.loads(self.exchange.read_bytes())  # noqa: S301 - our own process wrote it
        return found

    def restore(self, objects: dict[str, Any]) -> None:
        """Hold these objects and no others."""
        self.exchange.write_bytes(pickle.dumps(objects))
        self._tell("load")

    def _tell(self, word: str) -> None:
        given, answers = self.process.stdin, self.process.stdout
        assert given is not None
        assert answers is not None
        given.write(f"{word} {self.exchange}\n")
        given.flush()
        answers.readline()


@contextmanager
def moto_process(folder: Path) -> Iterator[MotoProcess]:
    """Run moto's server; it takes parts of any size."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    pipe = subprocess.PIPE
    command = [sys.executable, "-m", "support.moto_process"]
    process = subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL, text=True, env=environment)
    assert process.stdout is not None
    try:
        yield MotoProcess(process.stdout.readline().strip(), process, folder / "objects")
    finally:
        assert process.stdin is not None
        process.stdin.close()
        process.wait(10)
        process.stdout.close()


def _serve(server: Moto, commands: IO[str]) -> None:
    from moto.s3.models import FakeKey, s3_backends

    for command in commands:
        word, _, path = command.strip().partition(" ")
        if word == "save":
            keys = s3_backends[ACCOUNT]["aws"].get_bucket(BUCKET).keys
            found = {
                key.name: (key.value, dict(key.metadata), key.etag.strip('"'), {name: getattr(key, name) for name in _FIELDS})
                for key in keys.values()
            }  # fmt: skip
            Path(path).write_bytes(pickle.dumps(found))
        else:
            server.reset()
            bucket = s3_backends[ACCOUNT]["aws"].get_bucket(BUCKET)
            for name, (value, metadata, etag, fields) in pickle.loads(Path(path).read_bytes()).items():  # noqa: S301
                key = FakeKey(name, value, ACCOUNT, "us-east-1", etag=etag, bucket_name=BUCKET)
                key.set_metadata(dict(metadata), replace=True)
                vars(key).update(fields)
                bucket.keys[name] = key
        sys.stdout.write("\n")
        sys.stdout.flush()


if __name__ == "__main__":
    import moto.s3.models

    vars(moto.s3.models)["S3_UPLOAD_PART_MIN_SIZE"] = 1
    with moto_server() as running:
        sys.stdout.write(f"{running.endpoint_url}\n")
        sys.stdout.flush()
        _serve(running, sys.stdin)
