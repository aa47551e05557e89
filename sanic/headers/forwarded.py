"""Who the client is when trusted proxies stand in between: Forwarded (RFC 7239) and the X-Forwarded family.

Nothing is believed unless the configuration names what to trust. Headers are read from the right, because a proxy
appends on the right, so that whatever a client wrote before cannot hide or alter what the trusted proxy said.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

if TYPE_CHECKING:
    from sanic.compat import Header
    from sanic.config import Config

#: What was forwarded: `for`, `proto`, `host`, `path`, `by`, `secret` and others as text, `port` as int.
Options = dict[str, Any]

_SEPARATOR = re.compile(r"[;,]")
_TOKEN = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_NAME = re.compile(r"[ \t]*([A-Za-z0-9!#$%&'*+.^_`|~-]+)=")
_IPV6 = re.compile(r"[0-9A-Fa-f]*:[0-9A-Fa-f:]*:[0-9A-Fa-f.]*")


def parse_forwarded(headers: Header, config: Config) -> Options | None:
    """Find the element of the Forwarded headers that our own proxy wrote.

    It is the rightmost one that has `secret` or `by` equal to `FORWARDED_SECRET`. What is malformed ends the element
    there: pairs of it that are still well-formed on both sides of the secret are kept.

    Args:
        headers: the headers of the request.
        config: the application's configuration.

    Returns:
        the normalised pairs of the element, or `None` when nothing in the headers shows the secret.
    """
    secret = config.FORWARDED_SECRET
    values = headers.getall("forwarded", None)
    if not secret or not values:
        return None
    text = ",".join(values)
    if secret not in text:
        return None
    pairs: list[tuple[str, str]] = []
    is_trusted = False
    for pair in _from_the_right(text):
        if isinstance(pair, tuple):
            pairs.append(pair)
            is_trusted = is_trusted or (pair[0] in ("secret", "by") and pair[1] == secret)
        elif is_trusted:
            break
        else:
            pairs.clear()
    if not is_trusted:
        return None
    return fwd_normalize(reversed(pairs))


def _from_the_right(text: str) -> Iterator[tuple[str, str] | None]:
    """Pairs of the header from right to left, `None` where an element ends or something malformed stands.

    A quoted string begins at the first quotation mark to its left; backslashes do not escape, since from this side no
    one could tell.
    """
    separators = [found.start() for found in _SEPARATOR.finditer(text)]
    end = len(text)
    while True:
        stop = end
        while stop > 0 and text[stop - 1] in " \t":
            stop -= 1
        opening = text.rfind('"', 0, stop - 1) if text[stop - 1 : stop] == '"' else -1
        limit = end if opening < 0 else opening
        while separators and separators[-1] >= limit:
            separators.pop()
        start = separators.pop() + 1 if separators else 0
        piece = text[start:stop]
        name = _NAME.match(piece)
        if name is not None:
            value = piece[name.end() :]
            if opening >= 0 and start + name.end() == opening:
                yield name[1].lower(), value[1:-1]
            elif _TOKEN.fullmatch(value):
                yield name[1].lower(), value
            else:
                yield None
        elif piece.strip(" \t"):
            yield None
        if start == 0:
            return
        if text[start - 1] == ",":
            yield None
        end = start - 1


def parse_xforwarded(headers: Header, config: Config) -> Options | None:
    """Find the client in `REAL_IP_HEADER`, or `PROXIES_COUNT` places from the right in `FORWARDED_FOR_HEADER`.

    Args:
        headers: the headers of the request.
        config: the application's configuration.

    Returns:
        its normalised address, with `proto`, `host`, `port` and `path` of the X-Forwarded headers; `None` when there
        is no address, since then no proxy of ours has written those either.
    """
    address = _client_address(headers, config)
    if not address:
        return None
    return fwd_normalize(
        (
            ("for", address),
            ("proto", headers.get("x-forwarded-proto") or headers.get("x-scheme")),
            ("host", headers.get("x-forwarded-host")),
            ("port", headers.get("x-forwarded-port")),
            ("path", headers.get("x-forwarded-path")),
        )
    )


def _client_address(headers: Header, config: Config) -> str | None:
    if config.REAL_IP_HEADER:
        address: str = headers.get(config.REAL_IP_HEADER, "").strip()
        if address:
            return address
    count = config.PROXIES_COUNT
    if not count or count < 0:
        return None
    values = ",".join(headers.getall(config.FORWARDED_FOR_HEADER, ())).split(",")
    addresses = [address for value in values if (address := value.strip())]
    return addresses[-count] if count <= len(addresses) else None


def fwd_normalize(fwd: Iterable[tuple[str, str | None]]) -> Options:
    """Bring forwarded pairs into the form in which requests show them.

    `proto`, `host`, `for` and `by` become lower case and bare IPv6 addresses get brackets; `path` is percent-decoded,
    `port` becomes an int. Unusable ones (empty, `for=unknown`, a port that is none) are dropped. Other pairs stay as
    they are.

    Args:
        fwd: names in lower case and their values; later ones win. A value `None` is skipped.

    Returns:
        the usable pairs.
    """
    options: Options = {}
    for name, value in fwd:
        if value is None:
            continue
        try:
            if name in ("for", "by"):
                options[name] = fwd_normalize_address(value)
            elif name in ("host", "proto"):
                if value:
                    options[name] = value.lower()
            elif name == "port":
                options[name] = _port(value)
            elif name == "path":
                options[name] = unquote(value)
            else:
                options[name] = value
        except ValueError:
            continue
    return options


def fwd_normalize_address(addr: str) -> str:
    """Normalise the address of a client or a proxy (RFC 7239 section 6).

    Args:
        addr: an address, a name, or an identifier that begins with `_`, which is left alone.

    Returns:
        the address in lower case, a bare IPv6 address in brackets.

    Raises:
        ValueError: it is empty or `unknown`.
    """
    if addr.startswith("_"):
        return addr
    addr = addr.lower()
    if not addr or addr == "unknown":
        raise ValueError(f"The forwarded address {addr!r} names nobody")
    return f"[{addr}]" if _IPV6.fullmatch(addr) else addr


def _port(value: str) -> int:
    port = int(value) if value.strip().isdecimal() else 0
    if not 0 < port < 65536:
        raise ValueError(f"The forwarded port {value!r} is no number from 1 to 65535")
    return port
