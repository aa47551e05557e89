"""The certificate of an inspector: read from two files, and read again when they change. Of HTTP it knows nothing."""

from __future__ import annotations

import asyncio
import os
import ssl
from typing import Any

from sanic.helpers import Default
from sanic.log import error_logger, logger

#: Seconds after which it is looked at the files again.
_LOOK_SECONDS = 10.0


class Certificate:
    """A certificate and its key, as a context of TLS.

    Args:
        key: Path of the key.
        certificate: Path of the certificate.

    Raises:
        ValueError: They cannot be used.
    """

    def __init__(self, key: Any, certificate: Any) -> None:
        self._paths = {"INSPECTOR_TLS_KEY": key, "INSPECTOR_TLS_CERT": certificate}
        self._seen = self._look()
        self._refused: Any = None
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.minimum_version = ssl.TLSVersion.TLSv1_2
        self.context.set_alpn_protocols(["http/1.1"])
        self._load(self.context)

    @classmethod
    def of(cls, key: Any, certificate: Any) -> Certificate | None:
        """That of the paths, None if both of them are unset.

        Raises:
            ValueError: Only one of them is given, or they cannot be used.
        """
        paths = {"INSPECTOR_TLS_KEY": key, "INSPECTOR_TLS_CERT": certificate}
        missing = [name for name, path in paths.items() if not path or isinstance(path, Default)]
        if len(missing) == 1:
            (given,) = paths.keys() - set(missing)
            raise ValueError(f"{given} is set and {missing[0]} is not: set both, or none for an inspector without TLS.")
        return None if missing else cls(key, certificate)

    async def renew(self, seconds: float = _LOOK_SECONDS) -> None:
        """Read the files again whenever they have changed; new connections see what has been read.

        Args:
            seconds: How long to wait until it is looked at them again.
        """
        while True:
            await asyncio.sleep(seconds)
            found = self._look()
            if found == self._seen:
                continue
            try:
                # First into one that nobody uses: the two files are not replaced at the same moment.
                self._load(ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER))
                self._load(self.context)
            except ValueError as error:
                if found != self._refused:
                    error_logger.warning("The inspector keeps its certificate: %s", error)
                self._refused = found
            else:
                self._seen = found
                logger.info("The inspector has a new certificate.")

    def _look(self) -> list[tuple[int, ...] | None]:
        return [_look_at(path) for path in self._paths.values()]

    def _load(self, context: ssl.SSLContext) -> None:
        for name, path in self._paths.items():
            if not os.access(path, os.R_OK):
                raise ValueError(f"{name}={os.fspath(path)} cannot be read: give the path of a PEM file.")
        key, certificate = self._paths.values()
        try:
            # A password cannot be asked for: nobody sits there.
            context.load_cert_chain(certificate, key, password=_refuse)
        except (ssl.SSLError, OSError) as error:
            raise ValueError(
                f"INSPECTOR_TLS_KEY={os.fspath(key)} and INSPECTOR_TLS_CERT={os.fspath(certificate)} cannot be used: "
                f"{error.reason if isinstance(error, ssl.SSLError) and error.reason else error}."
            ) from None


def _look_at(path: Any) -> tuple[int, ...] | None:
    try:
        status = os.stat(path)
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size, status.st_ino


def _refuse() -> str:
    raise ValueError("INSPECTOR_TLS_KEY is protected by a password: give a key that is not.")
