"""Real package repositories for tests: pypiserver and devpi, each in a process of its own on a free loopback port."""

from __future__ import annotations

import base64
import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

USER = "uploader"
PASSWORD = "planted-password-of-the-tests"  # noqa: S105 - planted, so that tests can look for it


@contextmanager
def pypiserver(folder: Path, *, password: str | None = None) -> Iterator[str]:
    """Run pypiserver on a folder; give its address. `password`: uploads need it, with any user name."""
    folder.mkdir(parents=True, exist_ok=True)
    port = free_port()
    # pypiserver reads htpasswd files only with a further library; its own function takes a callable instead.
    script = (
        "import sys, pypiserver\n"
        "from wsgiref.simple_server import make_server, WSGIRequestHandler\n"
        "class Quiet(WSGIRequestHandler):\n"
        "    def log_message(self, *args): pass\n"
        "folder, port, password = sys.argv[1:]\n"
        "options = {'auther': lambda user, given: given == password, 'authenticate': ['update']}\n"
        "if not password: options = {'password_file': '.', 'authenticate': []}\n"
        "app = pypiserver.app(roots=[__import__('pathlib').Path(folder)], disable_fallback=True, **options)\n"
        "make_server('127.0.0.1', int(port), app, handler_class=Quiet).serve_forever()\n"
    )
    command = [sys.executable, "-c", script, str(folder), str(port), password or ""]
    with _running(command, f"http://127.0.0.1:{port}/simple/"):
        yield f"http://127.0.0.1:{port}/"


@contextmanager
def devpi(folder: Path) -> Iterator[str]:
    """Run devpi-server with the index root/wheels of the user root; give the index's address."""
    scripts = Path(sys.executable).parent
    init, server = (shutil.which(name, path=str(scripts)) or name for name in ("devpi-init", "devpi-server"))
    state = str(folder / "devpi")
    subprocess.run(
        [init, "--serverdir", state, "--no-root-pypi", "--root-passwd", PASSWORD], check=True, capture_output=True
    )
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    command = [server, "--serverdir", state, "--host", "127.0.0.1", "--port", str(port), "--offline-mode"]
    with _running(command, f"{address}/+api"):
        login = _json("POST", f"{address}/+login", {"user": "root", "password": PASSWORD})
        token = base64.b64encode(f"root:{login['result']['password']}".encode()).decode()
        _json("PUT", f"{address}/root/wheels", {"type": "stage", "bases": [], "volatile": False}, token)
        yield f"{address}/root/wheels/"


def _json(method: str, address: str, body: dict[str, Any], token: str = "") -> Any:
    headers = {"Content-Type": "application/json", "Accept": "application/json"}
    if token:
        headers["X-Devpi-Auth"] = token
    request = urllib.request.Request(address, json.dumps(body).encode(), headers, method=method)
    with urllib.request.urlopen(request, timeout=20) as answer:
        return json.loads(answer.read())


@contextmanager
def _running(command: list[str], address: str) -> Iterator[None]:
    process = subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env={**os.environ, "PYTHONWARNINGS": "ignore"}
    )
    try:
        _wait_for(address, process)
        yield
    finally:
        process.terminate()
        process.wait(timeout=20)


def _wait_for(address: str, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 180
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise RuntimeError(f"the server ended with {process.returncode}")
        try:
            urllib.request.urlopen(address, timeout=5).close()
        except urllib.error.HTTPError as error:
            error.close()
            return
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise TimeoutError(address)


def free_port() -> int:
    """Return a port of loopback that nobody listens on."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
    return port
