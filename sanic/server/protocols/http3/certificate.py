"""The certificate that HTTP/3 shows: QUIC brings its own TLS, which takes files where others take a context.

There is one for each port: aioquic does not choose by the name that a client asks for, and asks no client for one.
"""

from __future__ import annotations

import time
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from sanic.http.tls.certificate import Certificate
from sanic.http.tls.loader import normalized
from sanic.http.tls.selector import Entry
from sanic.log import error_logger

if TYPE_CHECKING:
    from aioquic.quic.configuration import QuicConfiguration

_FORMS = "ssl={'cert': 'fullchain.pem', 'key': 'privkey.pem'}, or the directory that holds these two files"
# Seconds from one look at the files to the next.
_INTERVAL_SECONDS = 1.0


class QuicCertificate:
    """The certificate of a port, read again when its files change.

    Args:
        ssl: What was given as `ssl=`.
        password: Of keys that have none of their own.

    Raises:
        ValueError: It holds no certificate that HTTP/3 could be served with; one line says why.
    """

    def __init__(self, ssl: Any, password: str) -> None:
        self._entry = Entry(_only_certificate(ssl, password))
        self._look_at = 0.0

    @property
    def tls(self) -> Any:
        """What stands in place of the TLS object of a connection, which QUIC does not have."""
        return SimpleNamespace(context=self._entry.context, sanic_server_name="")

    def load(self, configuration: QuicConfiguration) -> None:
        """Put the certificate into a configuration, for the connections to come.

        Raises:
            ValueError: aioquic cannot use it.
        """
        known = self._entry.certificate
        password = known.get("password") or None
        # Not into the one in use, which would have half of it when the other half cannot be read.
        read = type(configuration)(is_client=False)
        try:
            try:
                read.load_cert_chain(known["cert"], known["key"], _password(password))
            except TypeError:
                # A key that is not protected, although a password is configured.
                read.load_cert_chain(known["cert"], known["key"])
        except (OSError, ValueError, TypeError, IndexError) as error:
            raise ValueError(f"The certificate {known['cert']} cannot be used for HTTP/3: {error}") from None
        configuration.certificate = read.certificate
        configuration.certificate_chain = read.certificate_chain
        configuration.private_key = read.private_key

    def renew(self, configuration: QuicConfiguration) -> bool:
        """Put it in once more if its files have changed; returns whether they have."""
        now = time.monotonic()
        if now < self._look_at:
            return False
        self._look_at = now + _INTERVAL_SECONDS
        if not self._entry.renew():
            return False
        try:
            self.load(configuration)
        except ValueError as error:
            error_logger.error("The certificate in use is kept: %s", error)
            return False
        return True


def _password(given: str | bytes | bytearray | None) -> str | bytes | None:
    return bytes(given) if isinstance(given, bytearray) else given


def _only_certificate(ssl: Any, password: str) -> Certificate:
    if ssl is None:
        raise ValueError(f"HTTP/3 is always encrypted and needs a certificate: pass {_FORMS}.")
    given = normalized(ssl, password)
    entries = given if isinstance(given, tuple) else (given,)
    if entries[0] is None:
        raise ValueError("HTTP/3 cannot refuse clients by the name that they ask for: serve it with one certificate.")
    known = entries[0]
    if not isinstance(known, Certificate):
        raise ValueError(f"The files of {known!r} are not known, and HTTP/3 needs them: pass {_FORMS}.")
    if any("client_ca" in entry for entry in entries if isinstance(entry, Certificate)):
        raise ValueError("HTTP/3 cannot ask clients for certificates ('client_ca'): serve such an address with HTTP/1.")
    if len(entries) > 1:
        error_logger.warning("HTTP/3 shows the first certificate only, whatever name a client asks for.")
    return known
