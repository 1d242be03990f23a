"""Attestations of files, and the provenance object by which an index serves them (PEP 740)."""

from __future__ import annotations

import base64
from typing import Any

import msgspec

from variant_publish.errors import VariantPublishError
from variant_publish.formats.typed import to_json

ATTESTATION_SUFFIX = ".publish.attestation"
"""What an attestation's name ends in, beside the file: twine and the publishing actions write and look for it."""

PROVENANCE_SUFFIX = ".provenance"
_KIND = "unverified"
"""The kind of publisher of an index that serves what it was given: the signature is enough."""


class InvalidAttestation(VariantPublishError):
    """Report an attestation that is none, or one of another file."""


def check_attestation(content: bytes, filename: str, sha256: str) -> dict[str, Any]:
    """Return an attestation as an object; raise InvalidAttestation unless its statement is about this file.

    Signatures are not verified: that needs the keys of the signer's log, and is the business of who trusts the file.
    A wheel that was retagged after it was attested is another file.
    """
    place = f"{filename}{ATTESTATION_SUFFIX}"
    try:
        data = msgspec.json.decode(content)
        version = data["version"]
        statement = msgspec.json.decode(base64.b64decode(data["envelope"]["statement"]))
        subjects = [(subject["name"], subject["digest"]["sha256"]) for subject in statement["subject"]]
        _ = data["verification_material"], data["envelope"]["signature"]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise InvalidAttestation(
            f"{place} is no attestation ({error!r})", hint="make it with pypi-attestations or the publishing action"
        ) from error
    if version != 1:
        raise InvalidAttestation(f"{place} has version {version!r}, and 1 is known", hint="make it again")
    if (filename, sha256) not in subjects:
        names = ", ".join(name for name, _ in subjects) or "nothing"
        raise InvalidAttestation(
            f"{place} attests {names} with other bytes or another name", hint="attest the wheel after it was retagged"
        )
    return dict(data)


def provenance(attestation: dict[str, Any]) -> str:
    """Return the JSON text of the provenance object of a file; equal values give equal text."""
    bundle = {"publisher": {"kind": _KIND, "claims": None}, "attestations": [attestation]}
    return to_json({"version": 1, "attestation_bundles": [bundle]})
