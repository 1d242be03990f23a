"""What the view costs: resolving a tree of projects through it, beside the client alone, in pairs of one run.

    python benchmarks/view.py [--pairs 5] [--index URL] [--requirement jupyterlab]

Without `--index` a made-up tree of jupyterlab's shape (91 projects, 40 versions each) is served on loopback; with it,
the tree of a real requirement on a real index. Caches are cold for every run. First, the time for
a page of 10,000 files.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from itertools import product
from multiprocessing import Pipe, Process
from multiprocessing.connection import Connection
from pathlib import Path

from variant_publish.providers.machine import Machine
from variant_publish.serve.loopback import serving
from variant_publish.serve.projects import Projects
from variant_publish.serve.wheel_cache import WheelCache
from variant_publish.view import Indexes

PROJECTS, VERSIONS = 91, 40


class _Quiet(SimpleHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def send_header(self, keyword: str, value: str) -> None:
        """Keep the connection after a 404, as servers of indexes do."""
        if keyword != "Connection":
            super().send_header(keyword, value)

    def log_message(self, *_: object) -> None:
        """Print nothing."""


def _serve(folder: Path, port: Connection) -> None:
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(folder)))
    port.send(server.server_port)
    server.serve_forever()


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """Serve a folder on loopback, from a process of its own: it is there in both runs of a pair."""
    here, there = Pipe()
    process = Process(target=_serve, args=(folder, there), daemon=True)
    process.start()
    try:
        yield f"http://127.0.0.1:{here.recv()}"
    finally:
        process.terminate()
        process.join()


def write_tree(folder: Path) -> None:
    """Write pages, and METADATA beside each wheel: project N requires up to six later ones."""
    dice = random.Random(1)  # noqa: S311
    for number in range(PROJECTS):
        place = folder / f"p{number}"
        place.mkdir(parents=True)
        later = list(range(number + 1, min(PROJECTS, number + 12)))
        requires = sorted({*dice.sample(later, min(len(later), 5)), *later[:1]})
        links = []
        for version in range(VERSIONS):
            name = f"p{number}-1.{version}-py3-none-any.whl"
            lines = ["Metadata-Version: 2.1", f"Name: p{number}", f"Version: 1.{version}"]
            lines += [f"Requires-Dist: p{other}>=1" for other in requires]
            content = "\n".join(lines).encode() + b"\n"
            (place / f"{name}.metadata").write_bytes(content)
            digest = hashlib.sha256(content).hexdigest()
            links.append(f'<a href="{name}#sha256={"0" * 64}" data-core-metadata="sha256={digest}">{name}</a><br>')
        body = "\n".join(links)
        (place / "index.html").write_text(f"<!DOCTYPE html><html><body>\n{body}\n</body></html>\n", encoding="utf-8")


def write_page(folder: Path) -> int:
    """Write the page of a project with a hundred releases, and return how many files it has."""
    dice, variants = random.Random(1), ("cu126", "cu128", "cu130")  # noqa: S311
    properties = {name: {"nvidia": {"cuda_version_lower_bound": [f"{name[2:4]}.{name[4]}"]}} for name in variants}
    provider = {"requires": ["nvidia-variant-provider>=0.0.1"],
                "plugin-api": "nvidia_variant_provider.plugin:NvidiaVariantPlugin"}  # fmt: skip
    data = {"$schema": "https://variants-schema.wheelnext.dev/peps/850/v0.2.0.json",
            "default-priorities": {"namespace": ["nvidia"]}, "providers": {"nvidia": provider},
            "variants": properties}  # fmt: skip
    text = json.dumps(data).encode()
    names: list[str] = []
    (folder / "foo").mkdir(parents=True)
    for version, python, platform in product(range(104), ("cp310", "cp311", "cp312", "cp313"), (
        "manylinux_2_28_x86_64", "manylinux_2_28_aarch64", "win_amd64", "win_arm64", "macosx_11_0_arm64",
        "macosx_11_0_x86_64")):  # fmt: skip
        if f"foo-1.{version}-variants.json" not in names[-30:]:
            names.append(f"foo-1.{version}-variants.json")
            (folder / "foo" / names[-1]).write_bytes(text)
        plain = f"foo-1.{version}-{python}-{python}-{platform}"
        names += [f"{plain}.whl", *(f"{plain}-{variant}.whl" for variant in variants)]
    rows = [{"filename": name, "url": name, "size": 1000, "hashes": {
        "sha256": hashlib.sha256(text).hexdigest() if name.endswith(".json") else f"{dice.getrandbits(256):064x}"}}
        for name in names]  # fmt: skip
    page = {"meta": {"api-version": "1.1"}, "name": "foo", "versions": [], "files": rows}
    (folder / "foo" / "index.json").write_text(json.dumps(page), encoding="utf-8")
    return len(names)


def run(client: str, index: str, requirement: str, extra: str = "") -> float:
    """Resolve with a cold cache, with another index too where it is named, and return the seconds."""
    with tempfile.TemporaryDirectory() as folder:
        environ = {**os.environ, "PIP_CONFIG_FILE": os.devnull, "PIP_NO_CACHE_DIR": "1", "UV_NO_CONFIG": "1"}
        if client == "pip":
            command = [sys.executable, "-m", "pip", "install", "--dry-run", "--ignore-installed", "--quiet",
                       "--disable-pip-version-check", "--index-url", index, requirement]  # fmt: skip
            command += ["--extra-index-url", extra] if extra else []
        else:
            from uv import find_uv_bin

            wanted = Path(folder, "in.txt")
            wanted.write_text(requirement, encoding="utf-8")
            command = [find_uv_bin(), "pip", "compile", "--quiet", "--cache-dir", f"{folder}/cache", "--default-index",
                       index, "--python", sys.executable, "-o", f"{folder}/out.txt", str(wanted)]  # fmt: skip
            command += ["--index", extra] if extra else []
        start = time.perf_counter()
        subprocess.run(command, check=True, env=environ, capture_output=True)
        return time.perf_counter() - start


def main() -> None:
    """Run pairs, and print medians and the ratio."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--index")
    parser.add_argument("--requirement", default="jupyterlab")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "extra").mkdir()
        write_tree(folder / "tree")
        files = write_page(folder / "large")
        large = Projects(Indexes.parse([str(folder / "large")]), None, Machine.detect({}), WheelCache(folder / "cache"))
        with serving(large) as view:
            start, spent = time.perf_counter(), time.process_time()
            urllib.request.urlopen(f"{view.url}foo/").read()  # noqa: S310
            start, spent = time.perf_counter() - start, time.process_time() - spent
            print(f"a page of {files} files: {start:.2f} s, {spent:.2f} s of them on the CPU")
        with served(folder / "tree") as loopback, served(folder / "extra") as extra:
            index, requirement = options.index or loopback, options.requirement if options.index else "p0"
            projects = Projects(Indexes.parse([extra]), index, Machine.detect({}), WheelCache(folder / "cache"))
            with serving(projects) as view:
                for client in ("uv", "pip"):
                    alone, both, through = [], [], []
                    for _ in range(options.pairs):
                        alone.append(run(client, index, requirement))
                        both.append(run(client, index, requirement, extra))
                        through.append(run(client, view.url, requirement))
                    print(
                        f"{client}: alone {statistics.median(alone):.2f} s, with both indexes"
                        f" {statistics.median(both):.2f} s, through the view {statistics.median(through):.2f} s,"
                        f" ratio {_ratio(alone, through):.2f}, of both {_ratio(both, through):.2f}"
                    )


def _ratio(before: list[float], after: list[float]) -> float:
    return statistics.median(b / a for a, b in zip(before, after, strict=True))


if __name__ == "__main__":
    main()
