"""Who the client is when trusted proxies stand in between: Forwarded (RFC 7239) and the X-Forwarded family.

Nothing is believed unless the configuration names what to trust. Headers are read from the right, because a proxy
appends on the right, so that whatever a client wrote before cannot hide or alter what the trusted proxy said.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from sanic.helpers import Default

if TYPE_CHECKING:
    from sanic.compat import Header
    from sanic.config import Config
    from sanic.headers.proxies import TrustedProxies
    from sanic.models.server_types import ConnInfo

#: What was forwarded: `for`, `proto`, `host`, `path`, `by`, `secret` and others as text, `port` as int.
Options = dict[str, Any]

_SEPARATOR = re.compile(r"[;,]")
_TOKEN = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_NAME = re.compile(r"[ \t]*([A-Za-z0-9!#$%&'*+.^_`|~-]+)=")
_IPV6 = re.compile(r"[0-9A-Fa-f]*:[0-9A-Fa-f:]*:[0-9A-Fa-f.]*")

# What stands between the pairs of a Forwarded header, apart from semicolons.
_END = ","
_MALFORMED = ""


def forwarded_options(headers: Header, config: Config, connection: ConnInfo | None) -> Options:
    """What trusted proxies say of the client.

    With `TRUSTED_PROXIES`, whoever has sent the message must be one of them. What is believed then, and without it:

    1. `FORWARDED_SECRET`: the element of the Forwarded headers that shows the secret, and nothing else.
    2. `REAL_IP_HEADER` or `PROXIES_COUNT`: the address that they find, and the X-Forwarded headers.
    3. None of the three is set, but `TRUSTED_PROXIES` is: the rightmost address in `FORWARDED_FOR_HEADER` that is not
       one of the trusted, and the X-Forwarded headers. If that header is Forwarded, the element with that address.

    Args:
        headers: The headers of the request.
        config: The configuration of the application.
        connection: What the message came through, `None` when nothing is known of it.

    Returns:
        The normalised pairs, `{}` when nobody is to be believed.
    """
    proxies = config.get("TRUSTED_PROXIES")
    if proxies is None or isinstance(proxies, Default):
        return parse_forwarded(headers, config) or parse_xforwarded(headers, config) or {}
    if not _is_from(connection, proxies):
        return {}
    if config.FORWARDED_SECRET or config.REAL_IP_HEADER or config.PROXIES_COUNT is not None:
        return parse_forwarded(headers, config) or parse_xforwarded(headers, config) or {}
    if config.FORWARDED_FOR_HEADER.lower() == "forwarded":
        return _walk_forwarded(headers, proxies)
    return _walk_xforwarded(headers, config, proxies)


def _is_from(connection: ConnInfo | None, proxies: TrustedProxies) -> bool:
    if connection is None:
        return False
    if connection.client_ip:
        return proxies.trusts_address(connection.client_ip)
    # Without an address it need not be a unix socket: a connection that is closed has none, either.
    return proxies.is_unix_trusted and connection.is_unix


def _walk_forwarded(headers: Header, proxies: TrustedProxies) -> Options:
    from sanic.headers.proxies import without_port

    client: Options = {}
    pairs: list[tuple[str, str]] = []
    for pair in chain(_from_the_right(",".join(headers.getall("forwarded", ()))), (_END,)):
        if isinstance(pair, tuple):
            pairs.append(pair)
            continue
        if pairs:
            address = dict(reversed(pairs)).get("for", "")
            client = fwd_normalize([*reversed(pairs), ("for", without_port(address))])
            pairs.clear()
            if not proxies.trusts_address(address):
                break
        if pair == _MALFORMED:
            # Who has written this one is not known, so that nobody to its left can be believed.
            break
    return client


def _walk_xforwarded(headers: Header, config: Config, proxies: TrustedProxies) -> Options:
    from sanic.headers.proxies import without_port

    client = ""
    for address in reversed(_forwarded_for(headers, config)):
        client = without_port(address)
        if not proxies.trusts_address(address):
            break
    return _with_xforwarded(client, headers) if client else {}


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


def _from_the_right(text: str) -> Iterator[tuple[str, str] | str]:
    """Pairs of the header from right to left, `_END` where an element ends, `_MALFORMED` for what is no pair.

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
                yield _MALFORMED
        elif piece.strip(" \t"):
            yield _MALFORMED
        if start == 0:
            return
        if text[start - 1] == ",":
            yield _END
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
    return _with_xforwarded(address, headers) if address else None


def _with_xforwarded(address: str, headers: Header) -> Options:
    return fwd_normalize(
        (
            ("for", address),
            ("proto", _last(headers, "x-forwarded-proto") or _last(headers, "x-scheme")),
            ("host", _last(headers, "x-forwarded-host")),
            ("port", _last(headers, "x-forwarded-port")),
            ("path", _last(headers, "x-forwarded-path")),
        )
    )


def _last(headers: Header, name: str) -> str | None:
    # A proxy that adds a line of its own adds it behind those of the client.
    values: list[str] = headers.getall(name, [])
    return values[-1] if values else None


def _client_address(headers: Header, config: Config) -> str | None:
    if config.REAL_IP_HEADER:
        address = (_last(headers, config.REAL_IP_HEADER) or "").strip()
        if address:
            return address
    count = config.PROXIES_COUNT
    if not count or count < 0:
        return None
    addresses = _forwarded_for(headers, config)
    return addresses[-count] if count <= len(addresses) else None


def _forwarded_for(headers: Header, config: Config) -> list[str]:
    values = ",".join(headers.getall(config.FORWARDED_FOR_HEADER, ())).split(",")
    return [address for value in values if (address := value.strip())]


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
