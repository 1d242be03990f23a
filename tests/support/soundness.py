"""Return whether what lies in a bucket is a sound index: every page a master's, every listed file there with its bytes."""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote, urldefrag, urljoin

from pypi_simple import ProjectPage

from support.moto import BUCKET, Moto
from variant_publish.formats.master import ProjectIndex, RootIndex

PREFIX = "simple/"
_ANYWHERE = "https://index.invalid/"


def objects(moto: Moto, prefix: str = PREFIX) -> dict[str, bytes]:
    """Return everything in the bucket: key without the prefix -> bytes."""
    found = {}
    for page in moto.client.get_paginator("list_objects_v2").paginate(Bucket=BUCKET, Prefix=prefix):
        for item in page.get("Contents", []):
            answer = moto.client.get_object(Bucket=BUCKET, Key=item["Key"])
            found[item["Key"].removeprefix(prefix)] = unpacked(answer["Body"].read(), answer)
    return found


def unpacked(content: bytes, headers: Mapping[str, Any]) -> bytes:
    """Return the content of an object as clients see it."""
    return gzip.decompress(content) if headers.get("ContentEncoding") == "gzip" else content


def broken_files(there: Mapping[str, bytes], root: str = "") -> list[str]:
    """Return what the index below `root` lists that is not there, or has other bytes than it says."""
    faults: list[str] = []
    listed = set()
    for key, content in there.items():
        project, slash, name = key.removeprefix(root).partition("/")
        if not key.startswith(root) or not slash or "/" in name or project.startswith("."):
            continue
        base = f"{_ANYWHERE}{root}{project}/"
        if name == "index.json":
            listed.add(project)
            for file in ProjectIndex.parse(content).files:
                faults += _faults(there, urljoin(base, file.url), file.sha256, file.metadata_sha256)
        elif name in ("index.html", ""):
            for package in ProjectPage.from_html(project, content.decode(), base_url=base).packages:
                metadata = (package.metadata_digests or {}).get("sha256")
                faults += _faults(there, package.url, package.digests["sha256"], metadata)
    names = RootIndex.parse(there[f"{root}index.json"]).names if f"{root}index.json" in there else ()
    return faults + [f"{name} is in the list of projects and not there" for name in names if name not in listed]


def check_index(moto: Moto, prefix: str = PREFIX) -> dict[str, list[str]]:
    """Assert that the index is sound, whatever was cut off; return the file names that each project's master lists."""
    there = objects(moto, prefix)
    assert broken_files(there) == []
    masters = {key.rpartition("/")[0]: content for key, content in there.items() if key.endswith("/index.json")}
    return {name: sorted(file.filename for file in ProjectIndex.parse(it).files) for name, it in masters.items()}


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


def _faults(there: Mapping[str, bytes], url: str, sha256: str, metadata: str | None) -> list[str]:
    if not url.startswith(_ANYWHERE):
        return []
    key = unquote(urldefrag(url).url).removeprefix(_ANYWHERE)
    wanted = {key: sha256} | ({f"{key}.metadata": metadata} if metadata is not None else {})
    faults = []
    for name, digest in wanted.items():
        if name not in there:
            faults.append(f"{name} is listed and not there")
        elif hashlib.sha256(there[name]).hexdigest() != digest:
            faults.append(f"{name} has other bytes than its hash says")
    return faults
