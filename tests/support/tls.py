"""A certificate of loopback and the authority that signed it, both made anew."""

from __future__ import annotations

import datetime
import ipaddress
import ssl
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

_DAY = datetime.timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Certificate:
    """`authority` is what clients trust (REQUESTS_CA_BUNDLE), `context` what a server on 127.0.0.1 uses."""

    authority: Path
    context: ssl.SSLContext


def certificate(folder: Path) -> Certificate:
    """Write both below a folder."""
    now = datetime.datetime.now(datetime.UTC)
    signer, key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    root, host = (x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]) for name in ("a root", "127.0.0.1"))

    def signed(name: x509.Name, public: ec.EllipticCurvePublicKey, *extensions: x509.ExtensionType) -> bytes:
        builder = (
            x509.CertificateBuilder().subject_name(name).issuer_name(root).public_key(public)
            .serial_number(x509.random_serial_number()).not_valid_before(now - _DAY).not_valid_after(now + _DAY)
        )  # fmt: skip
        for extension in extensions:
            builder = builder.add_extension(extension, critical=isinstance(extension, x509.BasicConstraints))
        return builder.sign(signer, hashes.SHA256()).public_bytes(Encoding.PEM)

    own = x509.SubjectKeyIdentifier.from_public_key(signer.public_key())
    by_root = x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key())
    usage = x509.KeyUsage(True, False, False, False, False, True, True, False, False)
    authority, chain = folder / "authority.pem", folder / "server.pem"
    authority.write_bytes(signed(root, signer.public_key(), x509.BasicConstraints(True, None), own, usage))
    address = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    chain.write_bytes(
        signed(host, key.public_key(), x509.BasicConstraints(False, None), address, by_root)
        + key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(chain)
    return Certificate(authority, context)
