"""The bucket store, against a real server."""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import urllib.request
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from botocore.stub import ANY, Stubber

from support.careless_s3 import careless_s3
from support.http import running
from support.moto import ACCESS_KEY, BUCKET, SECRET_KEY, Moto, give_credentials
from support.publishing import GENERIC, PLUS, make_release, run
from support.wheels import make_wheel
from variant_publish.errors import UsageError, VariantPublishError
from variant_publish.formats.master import ProjectIndex
from variant_publish.formats.simple import IndexFile
from variant_publish.index.index import update_project
from variant_publish.index.masters import read_index
from variant_publish.release.release import load
from variant_publish.remote.listing import read_project
from variant_publish.store import packing
from variant_publish.store.multipart import MOST_PARTS, PART, Multipart, composite_of, note_key, part_size
from variant_publish.store.objects import BINARY, CANARY, HTML, UPLOADS, Conflict, CreateOutcome, CutOff, PutResult
from variant_publish.store.s3 import S3Store
from variant_publish.store.s3_errors import StoreError

pytestmark = pytest.mark.slow

MIB = 1024 * 1024
SMALL_PART = 5 * MIB  # the least that S3 takes


@pytest.fixture
def store(moto: Moto) -> Iterator[S3Store]:
    with closing(S3Store(BUCKET, "simple", endpoint_url=moto.endpoint_url, part_size=SMALL_PART)) as store:
        yield store


def digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def requests_of(store: S3Store) -> list[str]:
    """Collect the methods of the requests that the store sends from now on."""
    sent: list[str] = []

    def note(request: Any, **_: Any) -> None:
        sent.append(request.method)

    store.client.meta.events.register("before-send.s3", note)
    return sent


def test_what_is_not_there_is_none(store: S3Store) -> None:
    assert store.read("foo/index.json") is None
    assert store.stat("foo/index.json") is None


def test_a_name_is_used_once(store: S3Store, moto: Moto, tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    one.write_bytes(b"one")
    two.write_bytes(b"two")
    assert store.create("foo/a.whl", one, sha256=digest(b"one"), content_type=BINARY) is CreateOutcome.CREATED
    sent = requests_of(store)
    assert store.create("foo/a.whl", one, sha256=digest(b"one"), content_type=BINARY) is CreateOutcome.ALREADY_THERE
    assert sent == ["PUT", "HEAD"]
    with pytest.raises(Conflict, match=r"foo/a\.whl"):
        store.create("foo/a.whl", two, sha256=digest(b"two"), content_type=BINARY)
    assert sent[2:] == ["PUT", "HEAD", "GET"]  # before a conflict is cried, the bytes decide
    head = moto.client.head_object(Bucket=BUCKET, Key="simple/foo/a.whl")
    assert head["ContentType"] == BINARY
    assert "immutable" in head["CacheControl"]
    assert head["Metadata"] == {"sha256": digest(b"one")}


def test_a_few_bytes_cost_one_request_where_their_name_is_free(store: S3Store) -> None:
    store.preflight()
    sent = requests_of(store)
    assert store.create("foo/a", b"one", sha256=digest(b"one"), content_type=BINARY) is CreateOutcome.CREATED
    assert sent == ["PUT"]
    assert store.create("foo/a", b"one", sha256=digest(b"one"), content_type=BINARY) is CreateOutcome.ALREADY_THERE
    assert sent == ["PUT", "PUT", "HEAD"]
    with pytest.raises(Conflict):
        store.create("foo/a", b"two", sha256=digest(b"two"), content_type=BINARY)


def test_an_object_of_another_tool_is_compared_by_its_bytes(store: S3Store, moto: Moto) -> None:
    moto.client.put_object(Bucket=BUCKET, Key="simple/foo/a.whl", Body=b"one")
    assert store.create("foo/a.whl", b"one", sha256=digest(b"one"), content_type=BINARY) is CreateOutcome.ALREADY_THERE
    with pytest.raises(Conflict):
        store.create("foo/a.whl", b"two", sha256=digest(b"two"), content_type=BINARY)


def test_a_page_is_swapped_only_from_what_was_read(store: S3Store, moto: Moto) -> None:
    assert store.swap("foo/", b"one", etag=None, content_type=HTML, generation=1)
    assert not store.swap("foo/", b"two", etag=None, content_type=HTML, generation=2)
    found, tag = store.read("foo/"), store.tag("foo/")
    assert found is not None
    assert tag is not None
    assert (found.content, tag.generation) == (b"one", 1)
    assert store.swap("foo/", b"two", etag=found.etag, content_type=HTML, generation=2)
    assert not store.swap("foo/", b"three", etag=found.etag, content_type=HTML, generation=3)
    assert not store.swap("gone/", b"three", etag=found.etag, content_type=HTML, generation=3)
    head = moto.client.head_object(Bucket=BUCKET, Key="simple/foo/")
    assert head["ContentType"] == HTML
    assert head["CacheControl"] == "public, max-age=60"


def test_pages_are_stored_compressed_and_read_as_they_were(store: S3Store, moto: Moto) -> None:
    page = b"<a href='x'>x</a>" * 1000
    assert store.swap("foo/", page, etag=None, content_type=HTML, generation=3)
    answer = moto.client.get_object(Bucket=BUCKET, Key="simple/foo/")
    assert answer["ContentEncoding"] == "gzip"
    assert answer["ContentLength"] < len(page) / 50
    assert gzip.decompress(answer["Body"].read()) == page
    with urllib.request.urlopen(f"{moto.endpoint_url}/{BUCKET}/simple/foo/") as served:
        assert served.headers["Content-Encoding"] == "gzip"
    found, tag = store.read("foo/"), store.tag("foo/")
    assert found is not None
    assert found.content == page
    assert tag is not None
    assert (tag.etag, tag.sha256, tag.generation) == (found.etag, digest(page), 3)
    assert store.swap("foo/", b"small", etag=tag.etag, content_type=HTML, generation=4)
    assert "ContentEncoding" not in moto.client.get_object(Bucket=BUCKET, Key="simple/foo/")


def test_a_compressed_page_is_read_also_where_nobody_says_that_it_is_one(store: S3Store, moto: Moto) -> None:
    page = b"<a href='x'>x</a>" * 1000
    moto.client.put_object(Bucket=BUCKET, Key="simple/foo/", Body=gzip.compress(page))
    found = store.read("foo/")
    assert found is not None
    assert found.content == page


UNPACKABLE: dict[str, Callable[[], bytes]] = {
    "no gzip": lambda: b"\x1f\x8bno gzip at all",
    "cut off": lambda: gzip.compress(b"cut off" * 500)[:-20],
    "bomb": lambda: gzip.compress(bytes(6 << 20)),
}


@pytest.mark.parametrize("kind", UNPACKABLE)
def test_a_page_that_does_not_unpack_is_an_error(
    store: S3Store, moto: Moto, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(packing, "_LARGEST", 5 << 20)
    content = UNPACKABLE[kind]()
    moto.client.put_object(Bucket=BUCKET, Key="simple/foo/", Body=content, ContentEncoding="gzip")
    with pytest.raises(VariantPublishError, match="not a whole page"):
        store.read("foo/")


def test_a_large_page_that_did_not_change_is_not_downloaded_again(moto: Moto) -> None:
    page = os.urandom(100_000)
    statuses: list[int] = []

    def note(response: dict[str, Any], **_: Any) -> None:
        statuses.append(response["status_code"])

    def opened() -> S3Store:
        store = S3Store(BUCKET, "simple", endpoint_url=moto.endpoint_url)
        store.client.meta.events.register("before-parse.s3.GetObject", lambda response_dict, **_: note(response_dict))
        return store

    with closing(opened()) as store:
        assert store.swap("foo/", page, etag=None, content_type=HTML, generation=1)
        first = store.read_again("foo/")
    with closing(opened()) as later:
        again = later.read_again("foo/")
        assert first is not None
        assert again is not None
        assert (again.content, again.etag) == (first.content, first.etag)
        assert statuses == [200, 304]
        assert later.swap("foo/", page + b"!", etag=first.etag, content_type=HTML, generation=2)
        changed = later.read_again("foo/")
        assert changed is not None
        assert changed.content == page + b"!"
        later.delete("foo/")
        assert later.read_again("foo/") is None


def test_a_swap_that_won_and_was_answered_too_late_has_won(store: S3Store) -> None:
    assert store.swap("foo/", b"one", etag=None, content_type=HTML, generation=1)
    assert store.swap("foo/", b"one", etag=None, content_type=HTML, generation=1)


def test_the_conditions_are_tried_once(store: S3Store) -> None:
    store.preflight()
    assert store.read(CANARY) is not None
    with closing(S3Store(BUCKET, "simple", endpoint_url=store.bucket.endpoint_url, part_size=SMALL_PART)) as later:
        sent = requests_of(later)
        later.preflight()
        later.swap("foo/", b"", etag=None, content_type=HTML, generation=1)
        assert sent == ["PUT", "PUT", "PUT"]
        later.preflight(SMALL_PART + 1)  # and where parts will be sent, the completion of an upload
        later.preflight(SMALL_PART + 1)
    assert sent[3:] == ["POST", "PUT", "POST", "DELETE"]


@pytest.mark.parametrize(("honours_create", "word"), [(False, "If-None-Match"), (True, "If-Match")])
def test_a_store_that_ignores_conditions_is_refused(moto: Moto, honours_create: bool, word: str) -> None:
    with (
        careless_s3(honours_create=honours_create) as address,
        closing(S3Store("b", endpoint_url=address)) as store,
        pytest.raises(UsageError, match=f"ignores {word}"),
    ):
        store.preflight()


def test_errors_have_remedies_and_no_secrets(moto: Moto, monkeypatch: pytest.MonkeyPatch) -> None:
    with closing(S3Store("no-such-bucket", endpoint_url=moto.endpoint_url)) as store:
        with pytest.raises(VariantPublishError, match="no such bucket") as missing:
            store.preflight()
        with pytest.raises(VariantPublishError, match="no such bucket"):
            store.read("foo/index.json")
    address = f"http://me:{SECRET_KEY}@127.0.0.1:1"
    with closing(S3Store(BUCKET, endpoint_url=address)) as store, pytest.raises(VariantPublishError) as unreachable:
        store.preflight()
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    with (
        closing(S3Store(BUCKET, endpoint_url=moto.endpoint_url)) as store,
        pytest.raises(VariantPublishError, match="no usable AWS credentials") as anonymous,
    ):
        store.preflight()
    for caught in (missing, unreachable, anonymous):
        assert caught.value.hint
        assert SECRET_KEY not in str(caught.value)
        assert ACCESS_KEY not in str(caught.value)


@pytest.mark.parametrize(
    ("code", "status", "word"),
    [
        ("AccessDenied", 403, "s3:ListBucket"),
        ("PermanentRedirect", 301, "region"),
        ("ExpiredToken", 400, "renew"),
        ("NotImplemented", 501, "conditional writes"),
        ("Strange", 418, "Strange"),
    ],
)
def test_answers_of_the_store(store: S3Store, code: str, status: int, word: str) -> None:
    with Stubber(store.client) as stubber:
        stubber.add_client_error("put_object", code, "no", http_status_code=status)
        with pytest.raises(StoreError, match=word) as caught:
            store.swap("foo/", b"", etag=None, content_type=HTML, generation=1)
    assert caught.value.code == code


def big(tmp_path: Path, size: int = 12 * MIB) -> tuple[Path, str]:
    path = tmp_path / "big.whl"
    path.write_bytes(os.urandom(size))
    return path, digest(path.read_bytes())


def test_a_large_file_goes_in_parts(store: S3Store, moto: Moto, tmp_path: Path) -> None:
    path, sha256 = big(tmp_path)
    counts: list[int] = []
    outcome = store.create("foo/big.whl", path, sha256=sha256, content_type=BINARY, advance=counts.append)
    assert outcome is CreateOutcome.CREATED
    assert sum(counts) == 12 * MIB
    answer = moto.client.get_object(Bucket=BUCKET, Key="simple/foo/big.whl")
    assert answer["Body"].read() == path.read_bytes()
    assert answer["ETag"].endswith('-3"')
    assert answer["Metadata"]["sha256"] == sha256
    assert store.create("foo/big.whl", path, sha256=sha256, content_type=BINARY) is CreateOutcome.ALREADY_THERE


def uploads(moto: Moto) -> list[Any]:
    return list(moto.client.list_multipart_uploads(Bucket=BUCKET).get("Uploads", []))


def cut_off(moto: Moto, content: bytes, sha256: str = "") -> str:
    """Leave an upload of the key with one part, begun for the file with this hash."""
    place = {"Bucket": BUCKET, "Key": "simple/foo/big.whl"}
    upload_id = moto.client.create_multipart_upload(
        **place, ChecksumAlgorithm="CRC32", Metadata={"sha256": sha256}  # type: ignore[arg-type]
    )["UploadId"]  # fmt: skip
    moto.client.upload_part(**place, UploadId=upload_id, PartNumber=1, Body=content)  # type: ignore[arg-type]
    if sha256:
        note = json.dumps({"upload-id": upload_id}).encode()
        moto.client.put_object(Bucket=BUCKET, Key=f"simple/{note_key('foo/big.whl', sha256)}", Body=note)
    return upload_id


def test_an_upload_that_was_cut_off_is_resumed(store: S3Store, moto: Moto, tmp_path: Path) -> None:
    path, sha256 = big(tmp_path)
    cut_off(moto, path.read_bytes()[:SMALL_PART], sha256)
    store.preflight(12 * MIB)
    sent = requests_of(store)
    assert store.create("foo/big.whl", path, sha256=sha256, content_type=BINARY) is CreateOutcome.CREATED
    assert sent.count("PUT") == 2  # the other two parts
    assert uploads(moto) == []
    assert list(store.keys(UPLOADS)) == []
    body = moto.client.get_object(Bucket=BUCKET, Key="simple/foo/big.whl")["Body"].read()
    assert digest(body) == sha256


@pytest.mark.parametrize("note", [b"", b"[]", b'{"upload-id": 1}', b'{"upload-id": "gone"}', b"[" * 100_000])
def test_a_note_that_names_no_upload_is_replaced(store: S3Store, moto: Moto, tmp_path: Path, note: bytes) -> None:
    path, sha256 = big(tmp_path, 6 * MIB)
    moto.client.put_object(Bucket=BUCKET, Key=f"simple/{note_key('foo/big.whl', sha256)}", Body=note)
    assert store.create("foo/big.whl", path, sha256=sha256, content_type=BINARY) is CreateOutcome.CREATED
    assert list(store.keys(UPLOADS)) == []


def twins(tmp_path: Path) -> list[tuple[Path, str]]:
    """Write two builds of one name that differ late: their first parts are equal."""
    head, found = os.urandom(12 * MIB), []
    for name in ("a", "b"):
        path = tmp_path / f"{name}.whl"
        path.write_bytes(head + name.encode() * 100)
        found.append((path, digest(path.read_bytes())))
    return found


def kill(count: int) -> None:
    raise KeyboardInterrupt


def test_an_upload_of_another_build_of_the_name_is_not_resumed(store: S3Store, moto: Moto, tmp_path: Path) -> None:
    (one, sha_one), (two, sha_two) = twins(tmp_path)
    with pytest.raises(KeyboardInterrupt):
        store.create("foo/big.whl", one, sha256=sha_one, content_type=BINARY, advance=kill)
    assert store.create("foo/big.whl", two, sha256=sha_two, content_type=BINARY) is CreateOutcome.CREATED
    with pytest.raises(Conflict):
        store.create("foo/big.whl", one, sha256=sha_one, content_type=BINARY)
    found = moto.client.get_object(Bucket=BUCKET, Key="simple/foo/big.whl")
    assert found["Metadata"]["sha256"] == sha_two == digest(found["Body"].read())
    assert uploads(moto) == []


def test_of_two_builds_sent_at_the_same_time_one_wins_with_its_own_hash(moto: Moto, tmp_path: Path) -> None:
    def send(build: tuple[Path, str]) -> CreateOutcome | str:
        with closing(S3Store(BUCKET, "simple", endpoint_url=moto.endpoint_url, part_size=SMALL_PART)) as store:
            try:
                return store.create("foo/big.whl", build[0], sha256=build[1], content_type=BINARY)
            except Conflict as error:
                return error.message

    builds = twins(tmp_path)
    with ThreadPoolExecutor(4) as pool:
        outcomes = list(pool.map(send, [*builds, *builds]))
    found = moto.client.get_object(Bucket=BUCKET, Key="simple/foo/big.whl")
    sha256 = digest(found["Body"].read())
    assert found["Metadata"]["sha256"] == sha256
    assert CreateOutcome.CREATED in outcomes  # of two jobs that share an upload, both may be told so
    for build, outcome in zip([*builds, *builds], outcomes, strict=True):
        assert (build[1] == sha256) is (outcome in tuple(CreateOutcome))
    assert uploads(moto) == []


def test_headers_that_the_bytes_do_not_bear_out_are_not_believed(store: S3Store, moto: Moto, tmp_path: Path) -> None:
    (one, sha_one), (two, _) = twins(tmp_path)
    place = {"Bucket": BUCKET, "Key": "simple/foo/big.whl", "Metadata": {"sha256": sha_one}}
    moto.client.put_object(**place, Body=two.read_bytes())  # type: ignore[arg-type]
    with pytest.raises(Conflict):
        store.create("foo/big.whl", one, sha256=sha_one, content_type=BINARY)
    moto.client.put_object(**place, Body=b"small", ChecksumAlgorithm="SHA256")  # type: ignore[arg-type]
    with pytest.raises(Conflict):
        store.create("foo/big.whl", one, sha256=sha_one, content_type=BINARY)


WRITES: tuple[Callable[[S3Store], object], ...] = (
    lambda store: store.swap("foo/", b"", etag=None, content_type=HTML, generation=1),
    lambda store: store.create("foo/a", b"", sha256=digest(b""), content_type=BINARY),
    lambda store: store.delete("foo/a"),
)


@pytest.mark.parametrize("write", WRITES)
def test_every_first_write_tries_the_conditions(moto: Moto, write: Callable[[S3Store], object]) -> None:
    with (
        careless_s3(honours_create=True) as address,
        closing(S3Store("b", endpoint_url=address)) as store,
        pytest.raises(UsageError, match="ignores If-Match"),
    ):
        write(store)


def test_a_kill_between_parts_costs_only_the_parts_that_were_not_sent(
    store: S3Store, moto: Moto, tmp_path: Path
) -> None:
    path, sha256 = big(tmp_path, 20 * SMALL_PART)
    with pytest.raises(KeyboardInterrupt):
        store.create("foo/big.whl", path, sha256=sha256, content_type=BINARY, advance=kill)
    assert store.stat("foo/big.whl") is None
    sent = requests_of(store)
    assert store.create("foo/big.whl", path, sha256=sha256, content_type=BINARY) is CreateOutcome.CREATED
    assert 0 < sent.count("PUT") < 20 + 3
    assert uploads(moto) == []
    assert digest(moto.client.get_object(Bucket=BUCKET, Key="simple/foo/big.whl")["Body"].read()) == sha256


def test_an_upload_of_other_bytes_is_not_taken_over_and_ends_when_the_name_is_taken(
    store: S3Store, moto: Moto, tmp_path: Path
) -> None:
    path, sha256 = big(tmp_path)
    foreign = cut_off(moto, os.urandom(SMALL_PART))
    store.preflight(12 * MIB)
    sent = requests_of(store)
    assert store.create("foo/big.whl", path, sha256=sha256, content_type=BINARY) is CreateOutcome.CREATED
    assert sent.count("PUT") == 4  # three parts, and the note of the upload
    assert sent[-1] == "DELETE"
    assert foreign not in [item["UploadId"] for item in uploads(moto)]
    assert digest(moto.client.get_object(Bucket=BUCKET, Key="simple/foo/big.whl")["Body"].read()) == sha256


def test_a_large_conflict_is_aborted(store: S3Store, moto: Moto, tmp_path: Path) -> None:
    path, sha256 = big(tmp_path)
    moto.client.put_object(Bucket=BUCKET, Key="simple/foo/big.whl", Body=b"other")
    # Past the first look, as if the other writer had come while the parts were on their way.
    sending = Multipart(store.bucket, "foo/big.whl", path, sha256, SMALL_PART)
    assert sending.send({"ContentType": BINARY}, lambda count: None) is PutResult.LOST
    assert uploads(moto) == []
    with pytest.raises(Conflict):
        store.create("foo/big.whl", path, sha256=sha256, content_type=BINARY)


def test_a_large_file_that_changed_is_aborted(store: S3Store, moto: Moto, tmp_path: Path) -> None:
    path, _ = big(tmp_path)
    with pytest.raises(VariantPublishError, match="changed while"):
        store.create("foo/big.whl", path, sha256="00" * 32, content_type=BINARY)
    assert uploads(moto) == []
    assert store.stat("foo/big.whl") is None


def test_a_race_on_completion_sends_the_upload_again(store: S3Store, tmp_path: Path) -> None:
    # moto never answers 409, so the answers of S3 are stubbed.
    path, sha256 = big(tmp_path, 6 * MIB)
    store.preflight(6 * MIB)
    with Stubber(store.client) as stubber:
        stubber.add_client_error("head_object", "404", http_status_code=404)
        for last in (False, True):
            stubber.add_client_error("get_object", "NoSuchKey", http_status_code=404)
            stubber.add_response("create_multipart_upload", {"UploadId": f"u{last}"})
            stubber.add_response("put_object", {"ETag": "note"})
            for number in (1, 2):
                stubber.add_response("upload_part", {"ETag": f'"{number}"'})
            if not last:
                stubber.add_client_error(
                    "complete_multipart_upload", "ConditionalRequestConflict", http_status_code=409
                )  # fmt: skip
                stubber.add_response("abort_multipart_upload", {})
                stubber.add_client_error("head_object", "404", http_status_code=404)
        stubber.add_response(
            "complete_multipart_upload", {},
            {"Bucket": BUCKET, "Key": "simple/foo/big.whl", "UploadId": "uTrue", "MultipartUpload": ANY, "IfNoneMatch": "*"},
        )  # fmt: skip
        stubber.add_response("delete_object", {})
        stubber.add_response("list_multipart_uploads", {})
        assert store.create("foo/big.whl", path, sha256=sha256, content_type=BINARY) is CreateOutcome.CREATED
        stubber.assert_no_pending_responses()


def test_a_completion_that_was_answered_too_late_has_won(store: S3Store, tmp_path: Path) -> None:
    path, sha256 = big(tmp_path, 6 * MIB)
    store.preflight(6 * MIB)
    with Stubber(store.client) as stubber:
        stubber.add_client_error("head_object", "404", http_status_code=404)
        stubber.add_client_error("get_object", "NoSuchKey", http_status_code=404)
        stubber.add_response("create_multipart_upload", {"UploadId": "u"})
        stubber.add_response("put_object", {"ETag": "note"})
        for number in (1, 2):
            stubber.add_response("upload_part", {"ETag": f'"{number}"'})
        stubber.add_client_error("complete_multipart_upload", "NoSuchUpload", http_status_code=404)
        stubber.add_client_error("abort_multipart_upload", "NoSuchUpload", http_status_code=404)
        stubber.add_response(
            "head_object",
            {
                "ContentLength": 6 * MIB,
                "ETag": '"whole"',
                "Metadata": {"sha256": sha256},
                "ChecksumCRC32": composite_of(path, SMALL_PART),
            },
        )
        assert store.create("foo/big.whl", path, sha256=sha256, content_type=BINARY) is CreateOutcome.ALREADY_THERE


@pytest.mark.parametrize("size", [1, PART, PART * MOST_PARTS, PART * MOST_PARTS + 1, 5 * 1024**4])
def test_ten_thousand_parts_hold_every_file(size: int) -> None:
    assert -(-size // part_size(size)) <= MOST_PARTS
    assert part_size(size) >= PART


def test_eight_writers_lose_nothing(moto: Moto) -> None:
    def add(number: int) -> None:
        name = f"foo-1.{number}-py3-none-any.whl"
        with closing(S3Store(BUCKET, "simple", endpoint_url=moto.endpoint_url)) as store:
            update_project(store, "foo", [IndexFile(name, name, "ab" * 32)])

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(add, range(16)))
    with closing(S3Store(BUCKET, "simple", endpoint_url=moto.endpoint_url)) as store:
        index = read_index(store, "foo")
        keys = ("foo/", "foo/index.html")
        pages, tags = [store.read(key) for key in keys], [store.tag(key) for key in keys]
    assert index is not None
    assert len(index.files) == 16
    assert index.generation == 16
    assert [tag.generation for tag in tags if tag] == [16, 16]
    assert all(page and page.content.count(b"<a ") == 16 for page in pages)


def test_a_release_is_published_once(moto: Moto, tmp_path: Path) -> None:
    upload = f'extra-index = "s3://{BUCKET}/simple"\nendpoint-url = "{moto.endpoint_url}"\n'
    release = make_release(tmp_path / "dist", upload=upload)
    _, published = run(release)
    assert set(published.sent) == {GENERIC, PLUS}
    before = moto.snapshot()
    assert {key for key in before if key.endswith((".html", "/"))} == {
        "simple/", "simple/index.html", "simple/foo-bar/", "simple/foo-bar/index.html"
    }  # fmt: skip
    assert f"simple/foo-bar/{PLUS}.metadata" in before
    again = S3Store(BUCKET, "simple", endpoint_url=moto.endpoint_url)
    sent = requests_of(again)
    plan, published = run(release, again)
    assert not plan.changes
    assert not published.changed
    assert set(sent) <= {"GET", "HEAD"}
    assert moto.snapshot() == before
    page = moto.client.get_object(Bucket=BUCKET, Key="simple/foo-bar/index.json")
    assert page["ContentType"] == "application/vnd.pypi.simple.v1+json"
    assert ProjectIndex.parse(gzip.decompress(page["Body"].read())).generation == 1


def test_other_bytes_change_nothing(moto: Moto, tmp_path: Path) -> None:
    upload = f'extra-index = "s3://{BUCKET}/simple"\nendpoint-url = "{moto.endpoint_url}"\n'
    run(make_release(tmp_path / "one", PLUS, upload=upload))
    before = moto.snapshot()
    release = make_release(tmp_path / "two", PLUS, upload=upload)
    make_wheel(tmp_path / "two", PLUS, files={"foo_bar.py": b"other"})
    with pytest.raises(Conflict, match="cu128"):
        run(load([tmp_path / "two"], release.config).only())
    assert moto.snapshot() == before


def test_the_bucket_serves_a_simple_index(moto: Moto, tmp_path: Path) -> None:
    upload = f'extra-index = "s3://{BUCKET}/simple"\nendpoint-url = "{moto.endpoint_url}"\n'
    run(make_release(tmp_path / "dist", upload=upload))
    files = {file.filename: file for file in read_project(f"{moto.endpoint_url}/{BUCKET}/simple/", "foo-bar")}
    assert set(files) == {GENERIC, PLUS, "foo-bar-1.0-wheel-selector.toml"}
    assert "%2Bcu128" in files[PLUS].url
    with urllib.request.urlopen(files[PLUS].url) as answer:
        assert digest(answer.read()) == files[PLUS].sha256


@pytest.mark.parametrize("whole_from", [2, 100])
def test_the_text_of_an_error_that_is_cut_off_is_asked_for_again(
    monkeypatch: pytest.MonkeyPatch, whole_from: int
) -> None:
    text = b"<Error><Code>NoSuchKey</Code><Message>It is not there.</Message></Error>"
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(404)
            self.send_header("Transfer-Encoding", "chunked")  # as Amazon sends errors
            self.end_headers()
            chunk = b"%x\r\n%b\r\n0\r\n\r\n" % (len(text), text)
            self.wfile.write(chunk if len(asked) >= whole_from else chunk[:40])
            self.close_connection = True

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name of the base class
            pass

    give_credentials(monkeypatch)
    with (
        running(ThreadingHTTPServer(("127.0.0.1", 0), Handler)) as address,
        closing(S3Store(BUCKET, "simple", endpoint_url=address)) as store,
    ):
        if whole_from == 2:
            assert store.read("foo/index.json") is None
            assert len(asked) == 2
        else:
            with pytest.raises(CutOff, match="was cut off"):
                store.read("foo/index.json")
