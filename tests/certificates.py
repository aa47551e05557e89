"""Certificates for tests, signed by an authority of their own, as files such as an ACME client writes them."""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import Any

import trustme
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)

#: Makes the certificates of all tests of a run.
AUTHORITY = trustme.CA()

PASSWORD = "tr0ub4dor"


def write_certificate(
    directory: Path,
    *names: str,
    authority: trustme.CA = AUTHORITY,
    password: str | None = None,
    **options: Any,
) -> Path:
    """Write `fullchain.pem` and `privkey.pem`, replacing those that are there; returns the directory.

    The options are those of `trustme.CA.issue_cert`.
    """
    issued = authority.issue_cert(*names, **options)
    directory.mkdir(exist_ok=True)
    key = issued.private_key_pem.bytes()
    if password is not None:
        key = load_pem_private_key(key, None).private_bytes(
            Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(password.encode())
        )
    for name, content in (
        ("privkey.pem", key),
        ("fullchain.pem", b"".join(blob.bytes() for blob in issued.cert_chain_pems)),
    ):
        # As a certificate is renewed in earnest: no reader ever sees half a file.
        (directory / f"{name}.new").write_bytes(content)
        (directory / f"{name}.new").replace(directory / name)
    return directory


def files_of(directory: Path) -> dict[str, Any]:
    return {"cert": directory / "fullchain.pem", "key": directory / "privkey.pem"}


def client_context(
    *,
    authority: trustme.CA = AUTHORITY,
    certificate: trustme.LeafCert | None = None,
    version: ssl.TLSVersion | None = None,
    protocols: list[str] | None = None,
) -> ssl.SSLContext:
    """The context of a client that trusts the authority."""
    context = ssl.create_default_context()
    authority.configure_trust(context)
    if certificate is not None:
        certificate.configure_cert(context)
    if version is not None:
        context.minimum_version = context.maximum_version = version
    if protocols is not None:
        context.set_alpn_protocols(protocols)
    return context
