"""The certificate of a developer's own machine: found where it was kept, else made by whichever tool there is.

How a tool makes one stands in `creators`; who serves with it this module does not know.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sanic.constants import DEFAULT_LOCAL_TLS_CERT, DEFAULT_LOCAL_TLS_KEY, LocalCertCreator
from sanic.helpers import Default
from sanic.http.tls.certificate import Certificate
from sanic.http.tls.context import read
from sanic.http.tls.creators import Creator, NoCertificate, creator_for
from sanic.log import logger

if TYPE_CHECKING:
    from sanic.app import Sanic

#: Seconds that a certificate must be good for yet, to be used once more.
_REST_SECONDS = 24 * 3600
_LOOPBACK = ("localhost", "127.0.0.1", "::1")


def development_certificate(creator: LocalCertCreator, app: Sanic[Any, Any]) -> Certificate:
    """A certificate for this machine.

    Args:
        creator: The tool that makes it.
        app: The application: its configuration says for which name (`LOCALHOST`), and where it is kept
            (`LOCAL_TLS_CERT` and `LOCAL_TLS_KEY`; default the user's cache directory).

    Raises:
        NoCertificate: The application is not in debug mode, or there is no tool, or it has failed.
        ValueError: The configured files cannot be used.
    """
    check_mode(app)
    names = list(dict.fromkeys((app.config.LOCALHOST, *_LOOPBACK)))
    given = _configured(app)
    if given is not None:
        cert, key = given
        if cert.exists() and key.exists():
            return Certificate.of({"cert": cert, "key": key}, app.config.TLS_CERT_PASSWORD)
        maker = creator_for(creator)
        with _alone(names[0], cert, key):
            if not (cert.exists() and key.exists()):
                _make(maker, names, cert, key)
        return Certificate.of({"cert": cert, "key": key, "creator": maker.name, "localhost": names[0]})
    maker = creator_for(creator)
    directory = _cache() / f"{maker.name}-{_file_name(names[0])}"
    cert, key = directory / DEFAULT_LOCAL_TLS_CERT, directory / DEFAULT_LOCAL_TLS_KEY
    certificate = Certificate.of({"cert": cert, "key": key, "creator": maker.name, "localhost": names[0]})
    if not _is_good(certificate, names):
        with _alone(names[0], cert, key):
            if not _is_good(certificate, names):
                _make(maker, names, cert, key)
    return certificate


def check_mode(app: Any) -> None:
    """Refuse a development certificate in production.

    Raises:
        NoCertificate: The application is not in debug mode.
    """
    if not app.state.is_debug:
        raise NoCertificate(
            "A certificate is made for development only, and this is production mode: give one as ssl=…, or run with "
            "debug=True."
        )


def _configured(app: Sanic[Any, Any]) -> tuple[Path, Path] | None:
    paths = {"LOCAL_TLS_CERT": app.config.LOCAL_TLS_CERT, "LOCAL_TLS_KEY": app.config.LOCAL_TLS_KEY}
    given = {name: value for name, value in paths.items() if value and not isinstance(value, Default)}
    if len(given) == 1:
        (missing,) = paths.keys() - given
        raise ValueError(f"{next(iter(given))} is set and {missing} is not: set both, or none.")
    if not given:
        return None
    cert, key = (Path(os.path.abspath(os.path.expanduser(path))) for path in given.values())
    return cert, key


def _cache() -> Path:
    base = os.environ.get("XDG_CACHE_HOME") or ""
    return Path(base if os.path.isabs(base) else os.path.expanduser("~/.cache"), "sanic", "tls")


def _file_name(name: str) -> str:
    return "".join(char if char.isalnum() or char in "-." else "_" for char in name).strip(".") or "_"


def _is_good(certificate: Certificate, names: list[str]) -> bool:
    if not all(map(os.path.exists, certificate.files)):
        return False
    try:
        context = read(certificate)
    except ValueError:
        return False
    return names[0].lower() in context.hosts and context.expires > time.time() + _REST_SECONDS


@contextmanager
def _alone(name: str, cert: Path, key: Path) -> Iterator[None]:
    # Another server may be starting, too: the certificate of one and the key of the other would not match.
    try:
        for path in (cert, key):
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        if sys.platform == "win32":
            yield
            return
        import fcntl

        directory = os.open(key.parent, os.O_RDONLY)
        try:
            # Whoever has it makes one, which takes as long as the tool may take at most. Where directories cannot be
            # locked, as on NFS, each server makes its own.
            with suppress(OSError):
                fcntl.flock(directory, fcntl.LOCK_EX)
            yield
        finally:
            os.close(directory)
    except OSError as error:
        raise NoCertificate(f"A certificate for {name} cannot be kept at {cert}: {error.strerror or error}.") from None


def _make(maker: Creator, names: list[str], cert: Path, key: Path) -> None:
    # In a directory of its own, and moved when it is complete: whoever reads the old one does not wait.
    with tempfile.TemporaryDirectory(dir=key.parent, prefix=".new-") as name:
        new_cert, new_key = Path(name, DEFAULT_LOCAL_TLS_CERT), Path(name, DEFAULT_LOCAL_TLS_KEY)
        maker.make(names, new_cert, new_key)
        for path in (new_cert, new_key):
            path.chmod(0o600)
        shutil.move(new_key, key)
        shutil.move(new_cert, cert)
    logger.info("%s has made a certificate for %s: %s", maker.name, names[0], cert)
    maker.advise(cert)
