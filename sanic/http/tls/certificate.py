"""One certificate as it is configured: which files, which password, which names, which clients.

It checks what was written down, not what stands in the files; those are read by `context`.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

#: The names of the two files in a directory, which are those that ACME clients write.
CHAIN_FILE = "fullchain.pem"
KEY_FILE = "privkey.pem"

_ALIASES = {"certificate": "cert", "keyfile": "key"}
#: Whether clients must show a certificate, or may.
REQUIRED = "required"
OPTIONAL = "optional"


class Certificate(dict[str, Any]):
    """The settings of a certificate, checked and complete; it can be sent to another process.

    Keys are `cert`, `key` and what else was given: `password`, `names`, `client_ca`, `verify`, and any of the user's
    own. Paths are absolute.
    """

    @classmethod
    def of(cls, given: Any, password: str = "") -> Certificate:
        """The certificate that a dict describes, or that lies in a directory.

        Args:
            given: The dict, or the path of the directory.
            password: That of the key, if the dict does not tell it.

        Raises:
            ValueError: It is neither, or something in it is missing or wrong.
        """
        if isinstance(given, cls):
            return given
        if isinstance(given, Mapping):
            known = _checked(given)
        elif isinstance(given, (str, bytes, os.PathLike)):
            known = _in_directory(_path(given, "the directory of a certificate"))
        else:
            raise ValueError(
                f"ssl={given!r} is no certificate. Give a dict with 'cert' and 'key', the directory of {CHAIN_FILE} "
                f"and {KEY_FILE}, an ssl.SSLContext, or a list of these."
            )
        if password and not known.get("password"):
            known["password"] = password
        return cls(known)

    @property
    def files(self) -> tuple[str, ...]:
        """The files that it is read from."""
        return tuple(self[name] for name in ("cert", "key", "client_ca") if name in self)

    @property
    def public(self) -> dict[str, Any]:
        """All of it but the password."""
        return {name: value for name, value in self.items() if name != "password"}

    def __repr__(self) -> str:
        return f"<Certificate {self.get('cert')}>"


def _path(given: Any, what: str) -> str:
    try:
        path = os.fsdecode(given)
    except TypeError:
        path = ""
    if not path:
        raise ValueError(f"{given!r} is no path of {what}.")
    if "-----BEGIN " in path:
        # It may be the key, and the message will be logged.
        raise ValueError(f"{what[0].upper()}{what[1:]} is given as text. Write it to a file, and give its path.")
    # Absolute, since a server may change its directory before it reads the file again.
    return os.path.abspath(os.path.expanduser(path))


def _in_directory(directory: str) -> dict[str, Any]:
    if not os.path.isdir(directory):
        what = "is a file" if os.path.exists(directory) else "does not exist"
        raise ValueError(
            f"{directory} {what}. Give the directory that holds {CHAIN_FILE} and {KEY_FILE}, or a dict with 'cert' and "
            "'key'."
        )
    return {"cert": os.path.join(directory, CHAIN_FILE), "key": os.path.join(directory, KEY_FILE)}


def _checked(given: Mapping[Any, Any]) -> dict[str, Any]:
    known: dict[str, Any] = {_ALIASES.get(name, name): value for name, value in given.items()}
    for name, what in (("cert", "the certificate and its chain"), ("key", "the private key")):
        if not known.get(name):
            keys = ", ".join(map(str, given)) or "nothing"
            raise ValueError(f"A certificate has no {name!r}: give the path of {what}, in PEM format. Known is {keys}.")
        known[name] = _path(known[name], what)
    if known.get("password") is None:
        known.pop("password", None)
    elif not isinstance(known["password"], (str, bytes, bytearray)):
        raise ValueError(f"The password of {known['key']} must be text or bytes, not {type(known['password'])}.")
    if "names" in known:
        known["names"] = _names(known["names"])
    return known | _clients(known)


def _names(given: Any) -> list[str]:
    names = [given] if isinstance(given, str) else list(given or ())
    for name in names:
        if not isinstance(name, str) or not name.strip():
            raise ValueError(f"{name!r} in 'names' is no host name. Give names such as a.test or *.a.test.")
    return names


def _clients(known: dict[str, Any]) -> dict[str, Any]:
    wanted = known.get("verify")
    if wanted not in (None, REQUIRED, OPTIONAL):
        raise ValueError(f"'verify' must be {REQUIRED!r} or {OPTIONAL!r}, not {wanted!r}.")
    if known.get("client_ca"):
        return {
            "client_ca": _path(known["client_ca"], "the authorities of client certificates"),
            "verify": wanted or REQUIRED,
        }
    if wanted is not None:
        raise ValueError(
            f"'verify' is {wanted!r} without 'client_ca': give the path of the authorities that client certificates "
            "must come from, in PEM format."
        )
    return {}
