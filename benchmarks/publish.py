"""Time the sending of a large file beside boto3's `upload_file`, and count requests: `python benchmarks/publish.py`.

The sink takes every byte and drops it, so that what is measured is the client. Each row is a process of its own, in
turns, wall and CPU seconds as medians. The counts are of one upload into buckets of 10, 1,000 and 100,000 objects.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import resource
import socketserver
import ssl
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

MIB = 1024 * 1024
CANARY = ".variant-publish/conditions"
_BUFFER = bytearray(MIB)


class Sink(BaseHTTPRequestHandler):
    """Answer as S3 does, and keep nothing."""

    protocol_version = "HTTP/1.1"

    def do_HEAD(self) -> None:
        self.answer(404)

    def do_GET(self) -> None:
        self.answer(200, b"<ListMultipartUploadsResult></ListMultipartUploadsResult>")

    def do_PUT(self) -> None:
        if self.headers.get("Transfer-Encoding") == "chunked":
            while size := int(self.rfile.readline(), 16):
                self.drop(size + 2)
            self.rfile.readline()
        else:
            self.drop(int(self.headers.get("Content-Length", 0)))
        if self.path.endswith(CANARY):
            self.refuse()
        else:
            self.answer(200, etag='"0"')

    def drop(self, left: int) -> None:
        while left:
            left -= self.rfile.readinto(memoryview(_BUFFER)[: min(left, MIB)])

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        begun = self.path.endswith("uploads")
        if CANARY in self.path and not begun:
            self.refuse()
            return
        name = "InitiateMultipartUploadResult" if begun else "CompleteMultipartUploadResult"
        self.answer(200, f"<{name}><UploadId>u</UploadId><ETag>e</ETag></{name}>".encode())

    def do_DELETE(self) -> None:
        self.answer(204)

    def refuse(self) -> None:
        """Answer that a condition does not hold: what a store is tried with is there already."""
        self.answer(412, b"<Error><Code>PreconditionFailed</Code></Error>")

    def answer(self, status: int, body: bytes = b"", etag: str = "") -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        if etag:
            self.send_header("ETag", etag)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name of the base class
        pass


@contextmanager
def sink(certificate: Path | None) -> Iterator[str]:
    """Run the sink in a process of its own, so that its work is not the client's; with a certificate it speaks TLS."""
    code = "import sys; sys.path.insert(0, sys.argv[1]); import publish; publish.serve(sys.argv[2])"
    command = [sys.executable, "-c", code, str(Path(__file__).parent), str(certificate or "")]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, encoding="utf-8")
    try:
        assert process.stdout is not None  # noqa: S101
        yield f"{'https' if certificate else 'http'}://localhost:{process.stdout.readline().strip()}"
    finally:
        process.terminate()
        process.wait()


def make_certificate(path: Path) -> None:
    """Write a key and a certificate for localhost."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    form = (
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    path.write_bytes(key.private_bytes(*form) + certificate.public_bytes(serialization.Encoding.PEM))


def serve(certificate: str) -> None:
    """Serve until terminated."""
    socketserver.TCPServer.request_queue_size = 64
    server = ThreadingHTTPServer(("127.0.0.1", 0), Sink)
    if certificate:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    print(server.server_port, flush=True)
    server.serve_forever()


def send(how: str, path: Path, address: str) -> None:
    """Send the file one way and print wall, CPU and peak memory."""
    import boto3

    from variant_publish.store.objects import BINARY
    from variant_publish.store.s3 import S3Store

    os.environ |= {"AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b", "AWS_DEFAULT_REGION": "us-east-1"}
    sha256 = os.environ["BENCHMARK_SHA256"]
    if how == "ours":
        store = S3Store("bucket", endpoint_url=address)
        _ = store.client
        start = time.perf_counter()
        store.create("foo/big.whl", path, sha256=sha256, content_type=BINARY)
    else:
        client = boto3.client("s3", endpoint_url=address)
        start = time.perf_counter()
        client.upload_file(str(path), "bucket", "foo/big.whl")
    wall = time.perf_counter() - start
    usage = resource.getrusage(resource.RUSAGE_SELF)
    print(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)


def compare(size: int, runs: int, *, secure: bool) -> None:
    """Time both ways in turns."""
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        certificate = Path(folder) / "certificate.pem" if secure else None
        if certificate:
            make_certificate(certificate)
        address = stack.enter_context(sink(certificate))
        path = Path(folder) / "big.whl"
        digest = hashlib.sha256()
        with path.open("wb") as stream:
            for _ in range(size // MIB):
                stream.write(block := os.urandom(MIB))
                digest.update(block)
        environment = {**os.environ, "BENCHMARK_SHA256": digest.hexdigest()}
        environment |= {"AWS_CA_BUNDLE": str(certificate)} if certificate else {}
        rows: dict[str, list[list[float]]] = {"upload_file": [], "ours": []}
        for _ in range(runs):
            for how, row in rows.items():
                command = [sys.executable, __file__, "--send", how, str(path), address]
                done = subprocess.run(command, env=environment, capture_output=True, encoding="utf-8", check=True)
                row.append([float(text) for text in done.stdout.split()])
    print(f"{size // MIB} MiB to a sink over {address.partition(':')[0]}: wall s, CPU s, peak MiB (medians of {runs})")
    medians = {how: [statistics.median(column) for column in zip(*row, strict=True)] for how, row in rows.items()}
    for how, figures in medians.items():
        print(f"{how:12}", *(f"{figure:8.2f}" for figure in figures))
    ratios = [ours[0] / theirs[0] for ours, theirs in zip(rows["ours"], rows["upload_file"], strict=True)]
    print(f"wall ratio   {statistics.median(ratios):8.2f} (median of pairs; {min(ratios):.2f} to {max(ratios):.2f})")


def count(sizes: list[int]) -> None:
    """Count the requests of an upload into buckets of several sizes."""
    sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
    import pytest

    from support.moto import BUCKET, give_credentials, moto_server
    from support.publishing import PLUS, make_release, run
    from variant_publish.store.s3 import S3Store

    with pytest.MonkeyPatch.context() as patch, moto_server() as moto, tempfile.TemporaryDirectory() as folder:
        give_credentials(patch)
        there = 0
        for number, size in enumerate([0, *sizes]):
            fill(moto.client, BUCKET, there, size)
            there = size
            sent: list[str] = []

            def note(request: Any, sent: list[str] = sent, **_: Any) -> None:
                sent.append(request.method)

            release = make_release(Path(folder) / str(number), PLUS.replace("1.0", f"1.{number}"))
            with closing(S3Store(BUCKET, "simple", endpoint_url=moto.endpoint_url)) as store:
                store.client.meta.events.register("before-send.s3", note)
                start = time.perf_counter()
                run(release, store)
            if number:  # the first makes the project
                print(f"{size:7} objects: {len(sent)} requests, {time.perf_counter() - start:.2f} s")


def fill(client: Any, bucket: str, start: int, end: int) -> None:
    """Put small objects into several folders, the project's own among them."""

    def put(numbers: range) -> None:
        for number in numbers:
            place = ("other", "foo-bar")[number % 2]
            client.put_object(Bucket=bucket, Key=f"simple/{place}/old-{number}", Body=b"")

    workers = [threading.Thread(target=put, args=(range(start + offset, end, 4),)) for offset in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--send", nargs=3, help=argparse.SUPPRESS)
    parser.add_argument("--quick", action="store_true", help="a smaller file, no bucket of 100,000")
    options = parser.parse_args()
    if options.send:
        how, path, address = options.send
        send(how, Path(path), address)
        return
    for secure in (True, False):
        compare((256 if options.quick else 717) * MIB, 3 if options.quick else 5, secure=secure)
    count([10, 1000] if options.quick else [10, 1000, 100_000])


if __name__ == "__main__":
    main()
