"""The certificates of an address: which one a client gets, and whether their files have changed.

Connections are accepted with one context that holds no certificate; in the handshake, when the name that the client
asks for is known (RFC 6066 section 3), that of the right certificate takes its place. So a new certificate needs no new
listener, and connections that are open keep theirs.
"""

from __future__ import annotations

import os
import ssl
import time
from collections.abc import Sequence
from typing import Any

from sanic.http.tls.certificate import Certificate
from sanic.http.tls.context import CertificateContext, apply_policy, hosts_of, read, verification
from sanic.log import error_logger, logger

#: Seconds from one look at the files to the next.
_INTERVAL_SECONDS = 1.0
#: Seconds after a change in which the change may be half done: one file is new, the other one is not yet.
_SETTLING_SECONDS = 2.0
#: Characters of a name that are logged.
_LONGEST_NAME = 253

_Marks = tuple[tuple[int, int, int] | None, ...]


class AcceptedConnection(ssl.SSLObject):
    """A connection that is accepted: when its handshake fails, the client is told why before it is cut.

    Event loops throw away what is unsent then, and that is the alert (RFC 8446 section 6.2). So they are told that more
    is to be read, which makes them send it; they learn of the failure when the client closes, or has no time left.
    """

    outgoing: ssl.MemoryBIO
    failure: ssl.SSLError | None = None

    def do_handshake(self) -> None:
        """Go on with the handshake."""
        if self.failure is not None:
            raise self.failure
        try:
            super().do_handshake()
        except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
            raise
        except ssl.SSLError as error:
            if not self.outgoing.pending:
                raise
            self.failure = error
            raise ssl.SSLWantReadError(ssl.SSL_ERROR_WANT_READ, "The alert is to be sent first.") from None


class ListeningContext(ssl.SSLContext):
    """The context that connections are accepted with."""

    sslobject_class = AcceptedConnection

    def wrap_bio(self, incoming: ssl.MemoryBIO, outgoing: ssl.MemoryBIO, *args: Any, **kwargs: Any) -> Any:
        """Make the object of a connection."""
        connection: Any = super().wrap_bio(incoming, outgoing, *args, **kwargs)
        connection.outgoing = outgoing
        return connection

    def _encode_hostname(self, name: str | None) -> str | None:
        # The name has come as ASCII already. The standard library would encode it once more, and fail with a traceback
        # where it is no host name: whoever sends nonsense gets the default certificate.
        return name


class Entry:
    """A certificate that is in use, and when its files were read.

    Args:
        certificate: The files.
    """

    def __init__(self, certificate: Certificate) -> None:
        self.certificate = certificate
        self._marks = self._look()
        self._complained: _Marks | None = None
        self.context = read(certificate)

    def renew(self) -> bool:
        """Read the files again if they have changed; returns whether there is a new context.

        Files that cannot be used change nothing.
        """
        marks = self._look()
        if marks == self._marks:
            return False
        try:
            self.context = read(self.certificate)
        except ValueError as error:
            self._complain(error, marks)
            return False
        self._marks = marks
        self._complained = None
        logger.info("The certificate %s has been read again.", self.certificate["cert"])
        return True

    def _look(self) -> _Marks:
        return tuple(_mark(path) for path in self.certificate.files)

    def _complain(self, error: ValueError, marks: _Marks) -> None:
        newest = max((mark[0] for mark in marks if mark is not None), default=0)
        is_settling = 0 <= time.time() - newest / 1e9 < _SETTLING_SECONDS
        if not is_settling and marks != self._complained:
            self._complained = marks
            error_logger.error("The certificate in use is kept, since the new one cannot be used: %s", error)


def _mark(path: str) -> tuple[int, int, int] | None:
    try:
        status = os.stat(path)
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size, status.st_ino


class Selector:
    """Chooses the certificate for a client.

    Args:
        given: The certificates, or contexts, in order of preference; None at the beginning refuses clients that ask
            for no known name.

    Raises:
        ValueError: A certificate cannot be used; or there are several entries, and no names to choose by; or they ask
            clients for certificates in different ways.
    """

    def __init__(self, given: Sequence[Any]) -> None:
        self._entries: list[Any] = [Entry(item) if isinstance(item, Certificate) else item for item in given]
        self.verify_mode = _common_verification(given)
        self._is_several = len(given) > 1 or given[0] is None
        self._look_at = time.monotonic() + _INTERVAL_SECONDS
        self._contexts: dict[str, ssl.SSLContext]
        self._default: ssl.SSLContext | None
        self._arrange()
        if self._is_several and not self._contexts:
            raise ValueError(
                "The certificates bear no names, so that none could be chosen by the name that a client asks for. "
                "Give each of them its 'names', or give only one."
            )

    @property
    def names(self) -> list[str]:
        """All names that a certificate is chosen by."""
        return list(self._contexts)

    def _arrange(self) -> None:
        contexts: dict[str, ssl.SSLContext] = {}
        found = [entry.context if isinstance(entry, Entry) else entry for entry in self._entries]
        for context in found:
            if context is not None:
                # A context that somebody else made may bear names, too.
                names = context.hosts if isinstance(context, CertificateContext) else hosts_of(context)
                for name in names:
                    # The first one that bears a name has it.
                    contexts.setdefault(name, context)
        self._contexts = contexts
        self._default = found[0]

    def make_context(self) -> ssl.SSLContext:
        """The context to accept connections with."""
        context = ListeningContext(ssl.PROTOCOL_TLS_SERVER)
        apply_policy(context)
        context.verify_mode = self.verify_mode
        if self.verify_mode is not ssl.CERT_NONE:
            # A session that is resumed is not verified again, not even when the authorities have changed. Those of
            # TLS 1.2 that OpenSSL remembers itself cannot be switched off from here.
            context.num_tickets = 0
            context.options |= ssl.OP_NO_TICKET
        context.sni_callback = self._choose
        return context

    def _choose(self, connection: Any, name: str | None, context: ssl.SSLContext) -> int | None:
        now = time.monotonic()
        if now >= self._look_at:
            self._look_at = now + _INTERVAL_SECONDS
            self._renew()
        connection.sanic_server_name = name
        chosen = self.context_for(name)
        if chosen is None:
            error_logger.warning(
                "A client that asks for %s is refused: there is no certificate for it.",
                repr(name[:_LONGEST_NAME]) if name else "no host name",
            )
            return ssl.ALERT_DESCRIPTION_UNRECOGNIZED_NAME
        connection.context = chosen
        return None

    def _renew(self) -> None:
        renewed = [entry.renew() for entry in self._entries if isinstance(entry, Entry)]
        if any(renewed):
            self._arrange()

    def context_for(self, name: str | None) -> ssl.SSLContext | None:
        """The context for a name, None if the client is to be refused.

        Args:
            name: What the client asks for, None if it does not say.
        """
        if name:
            name = name.lower().rstrip(".")
            # An asterisk stands for one label (RFC 9525 section 6.3).
            found = self._contexts.get(name) or self._contexts.get("*." + name.partition(".")[2])
            if found is not None:
                return found
        return self._default


def _common_verification(given: Sequence[Any]) -> ssl.VerifyMode:
    # When the name is known, it is too late to decide whether the client is asked; and who may come with one name
    # could then ask for the pages of another one.
    wanted = {_verification_of(item) for item in given if item is not None}
    if len(wanted) > 1:
        raise ValueError(
            "The certificates of a list must ask clients for certificates in the same way: give all of them the same "
            "'client_ca' and 'verify', or serve them at addresses of their own."
        )
    for item in given:
        if isinstance(item, ssl.SSLContext) and item.verify_mode is not ssl.CERT_NONE:
            raise ValueError(
                "An ssl.SSLContext in a list cannot ask clients for certificates: give a dict with 'cert', 'key' and "
                "'client_ca' instead, or the context alone."
            )
    for mode, _ in wanted:
        return mode
    return ssl.CERT_NONE


def _verification_of(item: Any) -> tuple[ssl.VerifyMode, str]:
    if isinstance(item, Certificate):
        return verification(item), item.get("client_ca", "")
    return ssl.VerifyMode(item.verify_mode), ""
