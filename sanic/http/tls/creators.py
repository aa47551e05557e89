"""The tools that make certificates for development; where they are kept is none of their business."""

from __future__ import annotations

import shutil
import subprocess
from importlib.util import find_spec
from pathlib import Path
from typing import Protocol

from sanic.constants import LocalCertCreator
from sanic.exceptions import SanicException
from sanic.log import logger

#: Seconds that a tool may take; mkcert may ask for a password when it installs its authority.
_LONGEST_SECONDS = 60


class NoCertificate(SanicException, ValueError):
    """There is no certificate for development; the message says why, and what to do."""


class Creator(Protocol):
    """A tool that makes certificates."""

    name: str
    remedy: str

    def is_there(self) -> bool:
        """Whether it is installed."""

    def make(self, names: list[str], cert: Path, key: Path) -> None:
        """Make a certificate.

        Args:
            names: Host names and addresses that it is for.
            cert: Where it is written to, with its chain.
            key: Where its key is written to.

        Raises:
            NoCertificate: It could not be made.
        """

    def advise(self, cert: Path) -> None:
        """Tell how clients come to trust it."""


class Mkcert:
    """mkcert, whose authority the browsers of this machine trust once `mkcert -install` was run."""

    name = "mkcert"
    remedy = "install mkcert (https://github.com/FiloSottile/mkcert)"

    def is_there(self) -> bool:
        """Whether it is installed."""
        return shutil.which("mkcert") is not None

    def make(self, names: list[str], cert: Path, key: Path) -> None:
        """Make a certificate; see `Creator`."""
        command = ["mkcert", "-key-file", str(key), "-cert-file", str(cert), *names]
        try:
            done = subprocess.run(
                command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=_LONGEST_SECONDS, check=False
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise NoCertificate(f"mkcert has made no certificate: {error}.") from None
        if done.returncode:
            last = (done.stderr.strip() or done.stdout.strip() or f"status {done.returncode}").splitlines()[-1]
            raise NoCertificate(f"mkcert has made no certificate: {last}")

    def advise(self, cert: Path) -> None:
        """Tell how clients come to trust it."""
        logger.info("Browsers trust it once `mkcert -install` was run.")


class Trustme:
    """The package trustme, whose authority nobody trusts until told to."""

    name = "trustme"
    remedy = "pip install trustme"
    #: The authority, beside the certificate.
    authority = "ca.pem"

    def is_there(self) -> bool:
        """Whether it is installed."""
        return find_spec("trustme") is not None

    def make(self, names: list[str], cert: Path, key: Path) -> None:
        """Make a certificate; see `Creator`."""
        import trustme

        authority = trustme.CA()
        issued = authority.issue_cert(*names)
        issued.private_key_pem.write_to_path(str(key))
        # The authority follows, for whoever is to trust it.
        chain = [*issued.cert_chain_pems, authority.cert_pem]
        cert.write_bytes(b"".join(blob.bytes() for blob in chain))

    def advise(self, cert: Path) -> None:
        """Tell how clients come to trust it."""
        logger.info("Clients trust it by that file, for example: curl --cacert %s", cert)


def creator_for(wanted: LocalCertCreator) -> Creator:
    """The tool that is wanted; of `AUTO` the first one that is installed.

    Raises:
        NoCertificate: It is not installed.
    """
    tools: dict[LocalCertCreator, Creator] = {
        LocalCertCreator.MKCERT: Mkcert(),
        LocalCertCreator.TRUSTME: Trustme(),
    }
    candidates = list(tools.values()) if wanted is LocalCertCreator.AUTO else [tools[wanted]]
    for tool in candidates:
        if tool.is_there():
            return tool
    remedies = ", or ".join(tool.remedy for tool in candidates)
    raise NoCertificate(f"There is no tool that makes a certificate for development: {remedies}. Or give one as ssl=….")
