"""Microsoft's own emulator of Azure's blob store, npm's azurite, as a real server for tests."""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
import shutil
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from support.pypi import free_port

ACCOUNT = "devstoreaccount1"
KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
"""The account and the key that the emulator documents; they open nothing else."""

CONTAINER = "wheels"


def azurite_command() -> str | None:
    """Return the program of the emulator: $AZURITE_BLOB, or `azurite-blob` (npm install -g azurite)."""
    return os.environ.get("AZURITE_BLOB") or shutil.which("azurite-blob")


@contextmanager
def azurite(folder: Path) -> Iterator[str]:
    """Run the emulator with one container; yield its endpoint."""
    command = azurite_command()
    assert command is not None
    port = free_port()
    arguments = ["--silent", "--skipApiVersionCheck", "--blobPort", str(port), "--location", str(folder)]
    process = subprocess.Popen([command, *arguments], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    endpoint = f"http://127.0.0.1:{port}/{ACCOUNT}"
    try:
        _create_container(endpoint)
        yield endpoint
    finally:
        process.terminate()
        process.wait(20)


def _create_container(endpoint: str) -> None:
    """Create the container; wait until the server answers."""
    date, version = datetime.now(UTC).strftime("%a, %d %b %Y %H:%M:%S GMT"), "2021-08-06"
    text = f"PUT{chr(10) * 12}x-ms-date:{date}\nx-ms-version:{version}\n/{ACCOUNT}/{ACCOUNT}/{CONTAINER}\nrestype:container"
    signature = base64.b64encode(hmac.new(base64.b64decode(KEY), text.encode(), hashlib.sha256).digest()).decode()
    headers = {"x-ms-date": date, "x-ms-version": version, "Authorization": f"SharedKey {ACCOUNT}:{signature}"}
    request = urllib.request.Request(f"{endpoint}/{CONTAINER}?restype=container", method="PUT", headers=headers)
    for left in reversed(range(100)):
        try:
            urllib.request.urlopen(request).close()
        except ConnectionError:
            if not left:
                raise
        except urllib.error.URLError as error:
            if not left or not isinstance(error.reason, ConnectionError):
                raise
        else:
            return
        time.sleep(0.1)
