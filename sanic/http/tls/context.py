"""A certificate that is read: its context, the names in it, and an error of one line when it cannot be used.

What this server speaks stands here, too: TLS 1.2 and 1.3, ciphers that are forward secret and authenticated
(RFC 9325 section 4.2), HTTP/1.1 by ALPN (RFC 7301).
"""

from __future__ import annotations

import ssl
import time
from ipaddress import ip_address
from typing import Any

from sanic.http.tls.certificate import REQUIRED, Certificate
from sanic.log import error_logger

_CIPHERS = "ECDHE+AESGCM:ECDHE+CHACHA20"
_PROTOCOLS = ["http/1.1"]


class CertificateContext(ssl.SSLContext):
    """The context of one certificate.

    Attributes:
        sanic: What is known of the certificate: its subject, and what was configured, without the password.
        hosts: The names that it is chosen by, as clients send them.
        expires: When it does, in seconds since the epoch.
    """

    sanic: dict[str, Any]
    hosts: list[str]
    expires: float


def apply_policy(context: ssl.SSLContext) -> None:
    """Make a context accept what this server speaks."""
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers(_CIPHERS)
    context.set_alpn_protocols(_PROTOCOLS)
    # A client could keep the server busy with it, and TLS 1.3 has none.
    context.options |= ssl.OP_NO_RENEGOTIATION


def verification(certificate: Certificate) -> ssl.VerifyMode:
    """Whether clients are asked for certificates."""
    if "client_ca" not in certificate:
        return ssl.CERT_NONE
    return ssl.CERT_REQUIRED if certificate["verify"] == REQUIRED else ssl.CERT_OPTIONAL


def read(certificate: Certificate) -> CertificateContext:
    """Read the files of a certificate.

    Raises:
        ValueError: They are not there, or do not fit together; one line says which, and why.
    """
    for path in certificate.files:
        _check_readable(path)
    known = _decode(certificate["cert"])
    context = CertificateContext(ssl.PROTOCOL_TLS_SERVER)
    apply_policy(context)
    _load_chain(context, certificate)
    if "client_ca" in certificate:
        try:
            context.load_verify_locations(cafile=certificate["client_ca"])
        except (ssl.SSLError, OSError):
            raise ValueError(f"{certificate['client_ca']} ('client_ca') holds no certificate in PEM format.") from None
        context.verify_mode = verification(certificate)
    subject = {name: value for part in known.get("subject", ()) for name, value in part}
    names = [_plain(kind, value) for kind, value in known.get("subjectAltName", ()) if kind in ("DNS", "IP Address")]
    context.sanic = {**subject, "names": names, **certificate.public}
    context.hosts = hosts_of(context)
    context.expires = ssl.cert_time_to_seconds(known["notAfter"])
    _warn_of_dates(certificate["cert"], known)
    return context


def _plain(kind: str, value: str) -> str:
    if kind == "DNS":
        return value
    try:
        return str(ip_address(value.strip()))
    except ValueError:
        return value


def hosts_of(context: ssl.SSLContext) -> list[str]:
    """The names that a context bears, as clients send them in a handshake (RFC 6066 section 3).

    Raises:
        ValueError: One of them can be no host name.
    """
    known = getattr(context, "sanic", None) or {}
    return [_ascii(name) for name in known.get("names") or ()]


def _ascii(name: str) -> str:
    name = name.strip().lower().rstrip(".")
    if name.isascii():
        return name
    try:
        return name.encode("idna").decode("ascii")
    except UnicodeError:
        raise ValueError(f"{name!r} is no host name: it cannot be written in ASCII.") from None


def _check_readable(path: str) -> None:
    try:
        with open(path, "rb") as file:
            file.read(1)
    except OSError as error:
        raise ValueError(f"{path} cannot be read: {error.strerror or error}.") from None


def _decode(path: str) -> dict[str, Any]:
    # Elsewhere the standard library tells what stands in a certificate only when it has come in a handshake.
    import _ssl

    try:
        decoded: dict[str, Any] = _ssl._test_decode_cert(path)  # type: ignore[attr-defined]
        return decoded
    except (ssl.SSLError, ValueError):
        raise ValueError(f"{path} holds no certificate in PEM format.") from None


def _load_chain(context: ssl.SSLContext, certificate: Certificate) -> None:
    chain, key = certificate["cert"], certificate["key"]
    secret: str | bytes | bytearray = certificate.get("password") or b""
    is_asked = False

    def tell() -> str | bytes | bytearray:
        # Without this the key's password would be asked for on the terminal.
        nonlocal is_asked
        is_asked = True
        if not secret:
            raise ValueError("no password")
        return secret

    try:
        context.load_cert_chain(chain, key, tell)
        return
    except (ssl.SSLError, OSError, ValueError) as error:
        reason = getattr(error, "reason", None) or str(error)
    if is_asked and "MISMATCH" not in reason:
        if secret:
            raise ValueError(f"The password of {key} is wrong.")
        raise ValueError(f"{key} is protected by a password: give it as 'password', or set TLS_CERT_PASSWORD.")
    if "MISMATCH" in reason:
        raise ValueError(f"The key {key} does not belong to the certificate {chain}.")
    if "PEM LIB" in reason.upper().replace("_", " "):
        raise ValueError(f"{key} holds no private key in PEM format, or {chain} a chain that is broken.")
    raise ValueError(f"The certificate {chain} with the key {key} cannot be used: {reason}.")


def _warn_of_dates(path: str, known: dict[str, Any]) -> None:
    now = time.time()
    start, end = known["notBefore"], known["notAfter"]
    if ssl.cert_time_to_seconds(end) < now:
        error_logger.warning("The certificate %s has expired on %s: clients will refuse it.", path, end)
    elif ssl.cert_time_to_seconds(start) > now:
        error_logger.warning("The certificate %s is not valid before %s: clients will refuse it.", path, start)
