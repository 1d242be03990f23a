"""Many processes publish into one bucket at the same time, and the cost of an upload does not grow with the bucket."""

from __future__ import annotations

import shutil
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from support import jobs
from support.moto import BUCKET, Moto
from support.publishing import GENERIC, PLUS, make_release, run
from support.soundness import check_whole, objects
from support.wheels import make_wheel
from variant_publish.formats.master import ProjectIndex, RootIndex
from variant_publish.index.verify import verify
from variant_publish.store.s3 import S3Store

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform == "win32", reason="processes are forked from a server that is warm"),
]

PROCESSES = 16
PROJECTS = 50


def upload_at_once(moto: Moto, shares: list[list[Path]]) -> list[int | None]:
    """Run a job for each share of folders, all at the same time; give their exit codes."""
    found = [
        jobs.context().Process(target=jobs.upload, args=([str(folder) for folder in share], moto.endpoint_url))
        for share in shares
    ]
    for job in found:
        job.start()
    for job in found:
        job.join(120)
    return [job.exitcode for job in found]


def generations(moto: Moto, key: str) -> list[int]:
    """Give the generations that an object of a versioned bucket has had, oldest first."""
    versions = moto.client.list_object_versions(Bucket=BUCKET, Prefix=key).get("Versions", [])
    ids = [item["VersionId"] for item in versions if item["Key"] == key]
    heads = [moto.client.head_object(Bucket=BUCKET, Key=key, VersionId=version) for version in ids]
    return [int(head["Metadata"]["generation"]) for head in reversed(heads)]


def test_sixteen_processes_lose_nothing(moto: Moto, tmp_path: Path) -> None:
    moto.client.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
    expected: dict[str, set[str]] = {"foo-bar": set()}
    shares: list[list[Path]] = [[] for _ in range(PROCESSES)]
    for number, share in enumerate(shares):
        # Four releases of one project, four jobs to each with another part of it.
        name = GENERIC.replace("1.0", f"1.{number // 4}").replace("py3", f"cp3{number % 4 + 11}")
        make_wheel(tmp_path / f"foo{number}", name)
        expected["foo-bar"].add(name)
        share.append(tmp_path / f"foo{number}")
    for number in range(PROJECTS):
        name = f"project_{number}-1.0-py3-none-any.whl"
        make_wheel(tmp_path / f"p{number}", name)
        expected[f"project-{number}"] = {name}
        shares[number % PROCESSES].append(tmp_path / f"p{number}")
    for number in range(4):  # and some publish the very same file
        shutil.copytree(tmp_path / "p0", tmp_path / f"same{number}")
        shares[-1 - number].insert(1, tmp_path / f"same{number}")
    assert upload_at_once(moto, shares) == [0] * PROCESSES
    assert {name: set(files) for name, files in check_whole(moto).items()} == expected
    there = objects(moto)
    assert ProjectIndex.parse(there["foo-bar/index.json"]).generation == PROCESSES
    assert RootIndex.parse(there["index.json"]).generation >= PROJECTS + 1  # a newer release is named there, too
    for key in ("index.json", "index.html", "foo-bar/index.json", "foo-bar/index.html", "foo-bar/"):
        had = generations(moto, f"simple/{key}")
        assert had == sorted(had)
    with closing(S3Store(BUCKET, "simple", endpoint_url=moto.endpoint_url)) as store:
        found = verify(store, deep=True)
    assert found.is_sound
    assert found.unlisted == ()


def test_of_two_files_with_one_name_the_first_stays(moto: Moto, tmp_path: Path) -> None:
    shares = []
    for number in range(4):
        make_wheel(tmp_path / str(number), PLUS, files={"foo_bar.bin": bytes([number]) * (3 * jobs.PART)})
        make_wheel(tmp_path / str(number), PLUS.replace("cu128", "cu130"), files={"foo_bar.py": b"the same"})
        shares.append([tmp_path / str(number)])
    codes = upload_at_once(moto, shares)
    assert sorted(code or 0 for code in codes) == [0, jobs.SKIP, jobs.SKIP, jobs.SKIP]
    winner = next(share[0] for share, code in zip(shares, codes, strict=True) if code == 0)
    assert objects(moto)[f"foo-bar/{PLUS}"] == (winner / PLUS).read_bytes()
    assert len(check_whole(moto)["foo-bar"]) == 3
    before = moto.snapshot()
    assert upload_at_once(moto, shares) == codes
    assert moto.snapshot() == before


def requests_of(moto: Moto, folder: Path, number: int) -> list[str]:
    """Publish one wheel of a new release into what is there, and give the requests that it took."""
    sent: list[str] = []

    def note(request: Any, **_: Any) -> None:
        sent.append(request.method)

    release = make_release(folder, PLUS.replace("1.0", f"1.{number}"))
    with closing(S3Store(BUCKET, "simple", endpoint_url=moto.endpoint_url)) as store:
        store.client.meta.events.register("before-send.s3", note)
        run(release, store)
    return sent


def test_an_upload_costs_the_same_in_a_bucket_of_any_size(moto: Moto, tmp_path: Path) -> None:
    counts, there = [], 0
    for number, size in enumerate((0, 10, 1000)):
        while there < size:  # in another project, in this one, and in others' folders
            place = ("other/", "foo-bar/old-", "../elsewhere/")[there % 3]
            moto.client.put_object(Bucket=BUCKET, Key=f"simple/{place}{there}", Body=b"")
            there += 1
        if number == 0:
            requests_of(moto, tmp_path / "first", 99)
        counts.append(requests_of(moto, tmp_path / str(number), number))
    assert counts[0] == counts[1] == counts[2]
    assert len(counts[0]) < 30
