"""A real S3 endpoint for tests: moto's server on a free loopback port."""

from __future__ import annotations

import json
import logging
import threading
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import boto3
import botocore.session
from botocore.loaders import create_loader
from moto.s3.exceptions import NoSuchUpload
from moto.s3.models import S3Backend
from moto.s3.responses import S3Response
from moto.server import ThreadedMotoServer

if TYPE_CHECKING:
    import pytest
    from types_boto3_s3 import S3Client

BUCKET = "wheels"
ACCESS_KEY = "AKIATESTTESTTESTTEST"
_LOADER = create_loader()
SECRET_KEY = "planted-secret-of-the-tests"  # noqa: S105 - planted, so that tests can look for it


@dataclass
class Moto:
    """A running server: its address and a client of its own."""

    endpoint_url: str
    client: S3Client

    def reset(self, bucket: str = BUCKET) -> None:
        """Forget everything (moto's memory outlives even its servers), and make one empty, public bucket."""
        address = f"{self.endpoint_url}/moto-api/reset"
        urllib.request.urlopen(urllib.request.Request(address, method="POST")).close()
        self.client.create_bucket(Bucket=bucket)
        self.client.put_bucket_policy(Bucket=bucket, Policy=json.dumps(_public(bucket)))

    def snapshot(self) -> dict[str, tuple[Any, ...]]:
        """Return every object: key -> (tag, time, headers that matter)."""
        found = {}
        for page in self.client.get_paginator("list_objects_v2").paginate(Bucket=BUCKET):
            for item in page.get("Contents", []):
                head = self.client.head_object(Bucket=BUCKET, Key=item["Key"])
                found[item["Key"]] = (item["ETag"], item["LastModified"], head["ContentType"], head["Metadata"])
        return found


def _public(bucket: str) -> dict[str, Any]:
    """Return the policy that lets anybody read the objects of a bucket, as an index needs it."""
    resource = f"arn:aws:s3:::{bucket}/*"
    statement = {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": resource}
    return {"Version": "2012-10-17", "Statement": [statement]}


def _answer_as_s3_does() -> None:
    """Let moto handle one request for an object at a time, and name uploads that are gone.

    Else two conditional writes at the same time may both win, a reader may get an object of which the headers are not
    set yet, and a part of an aborted upload is answered with 500.
    """
    upload_part, handling = S3Backend.upload_part, threading.RLock()

    def checked(self: S3Backend, bucket_name: str, multipart_id: str, *rest: Any) -> Any:
        if multipart_id not in self.get_bucket(bucket_name).multiparts:
            raise NoSuchUpload(upload_id=multipart_id)
        return upload_part(self, bucket_name, multipart_id, *rest)

    def alone(handle: Any) -> Any:
        def handled(*arguments: Any, **options: Any) -> Any:
            with handling:
                return handle(*arguments, **options)

        return handled

    # Their names are given as text, since mypy would compare the parameters.
    setattr(S3Backend, upload_part.__name__, checked)
    for name in ("_key_response_put", "_key_response_post", "_key_response_get", "head_object"):
        setattr(S3Response, name, alone(getattr(S3Response, name)))


@contextmanager
def moto_server() -> Iterator[Moto]:
    """Run a server on a free loopback port."""
    _answer_as_s3_does()
    logging.getLogger("werkzeug").setLevel(logging.WARNING)  # a line for each request costs more than the request
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    address = f"http://{host}:{port}"
    client = boto3.session.Session(ACCESS_KEY, SECRET_KEY, region_name="us-east-1").client("s3", endpoint_url=address)
    try:
        moto = Moto(address, client)
        moto.reset()  # all servers of a process share one state
        yield moto
    finally:
        client.close()
        server.stop()


def give_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let boto3 find the credentials of the tests and nothing of this machine, and read what S3 is only once."""
    monkeypatch.setattr(botocore.session, "create_loader", lambda paths: _LOADER)
    for name, value in (
        ("AWS_ACCESS_KEY_ID", ACCESS_KEY),
        ("AWS_SECRET_ACCESS_KEY", SECRET_KEY),
        ("AWS_DEFAULT_REGION", "us-east-1"),
        ("AWS_CONFIG_FILE", "/nonexistent"),
        ("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent"),
    ):
        monkeypatch.setenv(name, value)
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL", "AWS_REGION"):
        monkeypatch.delenv(name, raising=False)


def sent_bodies(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, int]]:
    """Return the keys and sizes of what is sent to buckets from now on."""
    from botocore.client import BaseClient

    found: list[tuple[str, int]] = []
    real = BaseClient._make_api_call  # type: ignore[attr-defined]

    def call(client: Any, operation: str, params: dict[str, Any]) -> Any:
        found.append((params.get("Key", ""), len(params.get("Body", b""))))
        return real(client, operation, params)

    monkeypatch.setattr(BaseClient, "_make_api_call", call)
    return found
