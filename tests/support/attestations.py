"""Attestations that say the right things; nobody has signed them."""

from __future__ import annotations

import base64
import hashlib
import json
from pathlib import Path


def attestation(name: str, sha256: str) -> bytes:
    """Return an attestation of a file (PEP 740)."""
    statement = {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"name": name, "digest": {"sha256": sha256}}],
        "predicateType": "https://docs.pypi.org/attestations/publish/v1",
        "predicate": None,
    }
    envelope = {"statement": base64.b64encode(json.dumps(statement).encode()).decode(), "signature": "c2ln"}
    material = {"certificate": "Y2VydA==", "transparency_entries": [{}]}
    return json.dumps({"version": 1, "verification_material": material, "envelope": envelope}).encode()


def attest(path: Path) -> Path:
    """Write an attestation beside a file, and give its path."""
    target = path.with_name(f"{path.name}.publish.attestation")
    target.write_bytes(attestation(path.name, hashlib.sha256(path.read_bytes()).hexdigest()))
    return target
