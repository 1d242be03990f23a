from __future__ import annotations

import base64
import json

import pytest

from support.attestations import attestation
from variant_publish.formats.provenance import InvalidAttestation, check_attestation, provenance

NAME, DIGEST = "foo-1.0-py3-none-any.whl", "a" * 64


def test_an_attestation_of_the_file_becomes_a_provenance_object() -> None:
    found = check_attestation(attestation(NAME, DIGEST), NAME, DIGEST)
    data = json.loads(provenance(found))
    assert data["version"] == 1
    (bundle,) = data["attestation_bundles"]
    assert bundle["publisher"] == {"kind": "unverified", "claims": None}
    assert bundle["attestations"] == [json.loads(attestation(NAME, DIGEST))]


@pytest.mark.parametrize(("name", "digest"), [("bar-1.0-py3-none-any.whl", DIGEST), (NAME, "b" * 64)])
def test_an_attestation_of_another_file_is_refused(name: str, digest: str) -> None:
    with pytest.raises(InvalidAttestation, match="with other bytes or another name"):
        check_attestation(attestation(name, digest), NAME, DIGEST)


@pytest.mark.parametrize("content", [b"", b"[]", b"{}", b'{"version": 1, "envelope": {"statement": "!"}}', b"\xff"])
def test_what_is_no_attestation_is_refused_by_name(content: bytes) -> None:
    with pytest.raises(InvalidAttestation, match=f"{NAME}.publish.attestation is no attestation"):
        check_attestation(content, NAME, DIGEST)


def test_a_later_version_is_refused() -> None:
    data = json.loads(attestation(NAME, DIGEST)) | {"version": 2}
    with pytest.raises(InvalidAttestation, match="has version 2"):
        check_attestation(json.dumps(data).encode(), NAME, DIGEST)


def test_a_statement_about_several_files_counts_for_each() -> None:
    both = json.loads(base64.b64decode(json.loads(attestation(NAME, DIGEST))["envelope"]["statement"]))
    both["subject"].insert(0, {"name": "other", "digest": {"sha256": "c"}})
    data = json.loads(attestation(NAME, DIGEST))
    data["envelope"]["statement"] = base64.b64encode(json.dumps(both).encode()).decode()
    assert check_attestation(json.dumps(data).encode(), NAME, DIGEST)["version"] == 1
