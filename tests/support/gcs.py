"""A stand-in for Google Cloud Storage: its XML API with generations as conditions, which no emulator on PyPI speaks.

obstore, the real client, sends create-only and conditional writes by `x-goog-if-generation-match`, copies, and parts.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import re
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import NamedTuple
from urllib.parse import parse_qs, unquote, urlsplit
from xml.sax.saxutils import escape

from support.http import running

_KEPT = re.compile(r"content-type|content-encoding|cache-control|x-goog-meta-.*")
_DATE = "Tue, 24 Nov 2026 12:00:00 GMT"


class _Object(NamedTuple):
    content: bytes
    headers: Mapping[str, str]
    generation: int

    @property
    def etag(self) -> str:
        return f'"{hashlib.sha256(self.content).hexdigest()[:32]}"'


@dataclass
class _Bucket:
    objects: dict[str, _Object] = field(default_factory=dict)
    uploads: dict[str, tuple[dict[str, str], dict[int, bytes]]] = field(default_factory=dict)
    numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))
    lock: threading.Lock = field(default_factory=threading.Lock)

    def put(self, key: str, content: bytes, headers: Mapping[str, str], wanted: str | None) -> _Object | None:
        """Write an object; None where it has another generation than `wanted`, "0" for none."""
        with self.lock:
            old = self.objects.get(key)
            if wanted is not None and int(wanted) != (old.generation if old else 0):
                return None
            self.objects[key] = _Object(content, headers, next(self.numbers))
            return self.objects[key]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    bucket: _Bucket

    def parsed(self) -> tuple[str, dict[str, str], dict[str, str], bytes]:
        parts = urlsplit(self.path)
        query = {name: values[0] for name, values in parse_qs(parts.query, keep_blank_values=True).items()}
        headers = {name.lower(): value for name, value in self.headers.items()}
        body = self.rfile.read(int(headers.get("content-length", 0)))
        return unquote(parts.path).partition("/")[2].partition("/")[2], query, headers, body

    def do_GET(self) -> None:
        key, query, headers, _ = self.parsed()
        if not key:
            self.listing(query.get("prefix", ""))
            return
        found = self.bucket.objects.get(key)
        if found is None:
            self.answer(404)
        elif headers.get("if-none-match", "").strip('"') == found.etag.strip('"'):
            self.answer(304)
        elif headers.get("if-match", found.etag).strip('"') != found.etag.strip('"'):
            self.answer(412)
        else:
            self.send_object(found, headers.get("range", ""))

    do_HEAD = do_GET  # noqa: N815 - the name that the base class calls

    def send_object(self, found: _Object, wanted: str) -> None:
        content, status, own = found.content, 200, {}
        if match := re.fullmatch(r"bytes=(\d+)-(\d+)", wanted):
            first, last = int(match[1]), min(int(match[2]), len(content) - 1)
            own = {"Content-Range": f"bytes {first}-{last}/{len(content)}"}
            content, status = content[first : last + 1], 206
        own |= {"ETag": found.etag, "Last-Modified": _DATE, "x-goog-generation": str(found.generation)}
        self.answer(status, content, {**found.headers, **own})

    def listing(self, prefix: str) -> None:
        items = "".join(
            f"<Contents><Key>{escape(key)}</Key><Size>{len(found.content)}</Size><ETag>{escape(found.etag)}</ETag>"
            f"<LastModified>2026-11-24T12:00:00.000Z</LastModified></Contents>"
            for key, found in sorted(self.bucket.objects.items()) if key.startswith(prefix)
        )  # fmt: skip
        self.answer(200, f"<ListBucketResult>{items}<IsTruncated>false</IsTruncated></ListBucketResult>".encode())

    def do_PUT(self) -> None:
        key, query, headers, body = self.parsed()
        if "uploadId" in query:
            self.bucket.uploads[query["uploadId"]][1][int(query["partNumber"])] = body
            self.answer(200, headers={"ETag": f'"{hashlib.sha256(body).hexdigest()[:32]}"'})
            return
        kept = {name: value for name, value in headers.items() if _KEPT.fullmatch(name)}
        if source := unquote(headers.get("x-goog-copy-source", "")).partition("/")[2]:
            if source not in self.bucket.objects:
                self.answer(404)
                return
            body, kept = self.bucket.objects[source].content, dict(self.bucket.objects[source].headers)
        self.wrote(self.bucket.put(key, body, kept, headers.get("x-goog-if-generation-match")))

    def do_POST(self) -> None:
        key, query, headers, _ = self.parsed()
        if "uploads" in query:
            upload = str(next(self.bucket.numbers))
            kept = {name: value for name, value in headers.items() if _KEPT.fullmatch(name)}
            self.bucket.uploads[upload] = (kept, {})
            name = "InitiateMultipartUploadResult"
            self.answer(200, f"<{name}><UploadId>{upload}</UploadId></{name}>".encode())
            return
        kept, parts = self.bucket.uploads.pop(query["uploadId"])
        content = b"".join(parts[number] for number in sorted(parts))
        self.wrote(self.bucket.put(key, content, kept, headers.get("x-goog-if-generation-match")))

    def do_DELETE(self) -> None:
        key, query, _, _ = self.parsed()
        gone = self.bucket.uploads.pop(query["uploadId"]) if "uploadId" in query else self.bucket.objects.pop(key, None)
        self.answer(404 if gone is None else 204)

    def wrote(self, found: _Object | None) -> None:
        if found is None:
            self.answer(412)
            return
        name = "CompleteMultipartUploadResult"
        body = f"<{name}><ETag>{escape(found.etag)}</ETag></{name}>" if self.command == "POST" else ""
        self.answer(200, body.encode(), {"ETag": found.etag, "x-goog-generation": str(found.generation)})

    def answer(self, status: int, body: bytes = b"", headers: Mapping[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name of the base class
        pass


@contextmanager
def google_storage() -> Iterator[str]:
    """Run the stand-in with one empty bucket of any name; yield what GOOGLE_SERVICE_ACCOUNT_KEY must hold for it."""
    handler = type("Handler", (_Handler,), {"bucket": _Bucket()})
    with running(ThreadingHTTPServer(("127.0.0.1", 0), handler)) as address:
        account = {"gcs_base_url": address, "disable_oauth": True}
        yield json.dumps({**account, "client_email": "", "private_key": "", "private_key_id": ""})
