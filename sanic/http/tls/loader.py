"""From what is given as `ssl=` to the context of an address.

It is done in two steps: the main process settles what is given, so that each mistake is known before anything starts,
and a worker loads it, since a context cannot be sent to another process.
"""

from __future__ import annotations

import os
import ssl
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from sanic.constants import LocalCertCreator
from sanic.http.tls.certificate import Certificate
from sanic.http.tls.selector import Selector
from sanic.log import logger

if TYPE_CHECKING:
    from sanic.app import Sanic


class CertificateList(tuple[Any, ...]):
    """Several certificates, or contexts, or None, checked and complete."""

    __slots__ = ()


class CertLoader:
    """Makes the TLS context of an address; `Sanic(..., certloader_class=…)` takes a subclass in its place.

    Args:
        ssl_data: What was given as `ssl=`.
    """

    def __init__(self, ssl_data: Any) -> None:
        self.ssl_data = ssl_data

    def load(self, app: Sanic[Any, Any]) -> ssl.SSLContext:
        """Make the context, in the process that serves.

        Args:
            app: The application that is served.

        Raises:
            ValueError: A certificate cannot be used.
        """
        settled = normalized(self.ssl_data, app.config.TLS_CERT_PASSWORD)
        if isinstance(settled, ssl.SSLContext):
            return settled
        return Selector(_entries(settled)).make_context()


def normalized(given: Any, password: str = "") -> Any:
    """What was given, checked and complete: a context, a `Certificate`, or a `CertificateList`.

    Args:
        given: What was given as `ssl=`.
        password: That of keys which have none of their own.

    Raises:
        ValueError: It is nothing that TLS could be served with.
    """
    if isinstance(given, (ssl.SSLContext, CertificateList)):
        return given
    if not isinstance(given, (list, tuple)):
        return Certificate.of(given, str(password))
    if not any(item is not None for item in given):
        raise ValueError("ssl= is a list without a certificate. Give a dict or a directory for each of them.")
    if None in given[1:]:
        raise ValueError("None in a list of certificates must stand first: it refuses clients that ask for no name.")
    return CertificateList(
        item if item is None or isinstance(item, ssl.SSLContext) else Certificate.of(item, str(password))
        for item in given
    )


def _entries(settled: Any) -> tuple[Any, ...]:
    return settled if isinstance(settled, CertificateList) else (settled,)


def settle(given: Any, app: Sanic[Any, Any]) -> Any:
    """Check what was given as `ssl=`, and complete it; what comes back can be settled again, and is what was given.

    Args:
        given: What was given, None for no TLS.
        app: The application.

    Returns:
        What `load` takes; it can be sent to another process, unless there is a context in it.

    Raises:
        ValueError: It cannot be served with; one line says why.
    """
    if given is None or isinstance(given, (Certificate, CertificateList)):
        return given
    if isinstance(given, LocalCertCreator):
        from sanic.http.tls.development import development_certificate

        given = development_certificate(given, app)
    if _loader_of(app) is not CertLoader:
        # What it makes of it, and when it can, is its own matter.
        return given
    settled = normalized(given, app.config.TLS_CERT_PASSWORD)
    if isinstance(settled, ssl.SSLContext):
        return settled
    selector = Selector(_entries(settled))
    if isinstance(settled, CertificateList):
        logger.info("Certificate vhosts: %s", ", ".join(selector.names))
    return settled


def load(settled: Any, app: Sanic[Any, Any]) -> ssl.SSLContext | None:
    """The context for what has been settled, None for no TLS.

    Raises:
        ValueError: A certificate cannot be used.
    """
    if settled is None:
        return None
    context: ssl.SSLContext = _loader_of(app)(settled).load(app)
    return context


def _loader_of(app: Sanic[Any, Any]) -> Any:
    return app.certloader_class or CertLoader


def check_sendable(settled: Any) -> None:
    """Refuse what cannot be sent to a process that is not forked.

    Raises:
        ValueError: It holds a context, or something else that cannot be sent.
    """
    if isinstance(settled, ssl.SSLContext):
        what = "An ssl.SSLContext"
    elif isinstance(settled, (list, tuple)) and any(isinstance(item, ssl.SSLContext) for item in settled):
        what = "An ssl.SSLContext in a list"
    else:
        _check_pickles(settled)
        return
    raise ValueError(
        f"{what} cannot be sent to worker processes. Give the files: ssl={{'cert': 'fullchain.pem', 'key': "
        "'privkey.pem'} or their directory. Or set Sanic.start_method = 'fork' before app.run(), or serve with "
        "single_process=True."
    )


def _check_pickles(settled: Any) -> None:
    import pickle

    try:
        pickle.dumps(settled)
    except Exception as error:
        items = settled.items() if isinstance(settled, Mapping) else ()
        known = ", ".join(str(name) for name, value in items if not isinstance(value, (str, bytes, os.PathLike, list)))
        raise ValueError(
            f"ssl= holds what cannot be sent to worker processes{f' ({known})' if known else ''}: {error}"
        ) from None
