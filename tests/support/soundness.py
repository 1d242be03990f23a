"""Return whether what lies in a bucket is a sound index: every page a master's, every listed file there with its bytes."""

from __future__ import annotations

import gzip
import hashlib
from posixpath import normpath
from urllib.parse import unquote, urldefrag

from pypi_simple import ProjectPage

from support.moto import BUCKET, Moto
from variant_publish.formats.master import ProjectIndex, RootIndex

PREFIX = "simple/"


def objects(moto: Moto, prefix: str = PREFIX) -> dict[str, bytes]:
    """Return everything in the bucket: key without the prefix -> bytes."""
    found = {}
    for page in moto.client.get_paginator("list_objects_v2").paginate(Bucket=BUCKET, Prefix=prefix):
        for item in page.get("Contents", []):
            answer = moto.client.get_object(Bucket=BUCKET, Key=item["Key"])
            content = answer["Body"].read()
            if answer.get("ContentEncoding") == "gzip":
                content = gzip.decompress(content)
            found[item["Key"].removeprefix(prefix)] = content
    return found


def check_index(moto: Moto, prefix: str = PREFIX) -> dict[str, list[str]]:
    """Assert that the index is sound, whatever was cut off; give the file names that each project's master lists."""
    there = objects(moto, prefix)
    listed = {}
    for key, content in there.items():
        project, _, name = key.rpartition("/")
        if name == "index.json" and project:
            files = ProjectIndex.parse(content).files
            for file in files:
                _check_file(there, project, file.url, file.sha256, file.metadata_sha256)
            listed[project] = sorted(file.filename for file in files)
        elif name in ("index.html", "") and project:
            page = ProjectPage.from_html(project, content.decode(), base_url=f"https://index.invalid/{project}/")
            for package in page.packages:
                metadata = (package.metadata_digests or {}).get("sha256")
                url = package.url.removeprefix(f"https://index.invalid/{project}/")
                _check_file(there, project, url, package.digests["sha256"], metadata)
    if "index.json" in there:
        assert set(RootIndex.parse(there["index.json"]).names) <= set(listed)
    return listed


def check_whole(moto: Moto, prefix: str = PREFIX) -> dict[str, list[str]]:
    """Assert that the index is sound and that its three pages agree for every project; give what they list."""
    listed = check_index(moto, prefix)
    there = objects(moto, prefix)
    assert set(RootIndex.parse(there["index.json"]).names) == set(listed)
    for project, names in listed.items():
        assert len(names) == len(set(names))
        for key in (f"{project}/", f"{project}/index.html"):
            page = ProjectPage.from_html(project, there[key].decode(), base_url="https://index.invalid/")
            assert sorted(package.filename for package in page.packages) == names
    return listed


def _check_file(there: dict[str, bytes], project: str, url: str, sha256: str, metadata: str | None) -> None:
    if "://" in url:
        return
    key = normpath(f"{project}/{unquote(urldefrag(url).url)}")
    assert key in there, f"{key} is listed and not there"
    assert hashlib.sha256(there[key]).hexdigest() == sha256
    if metadata is not None:
        assert hashlib.sha256(there[f"{key}.metadata"]).hexdigest() == metadata
