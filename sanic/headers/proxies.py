"""The proxies that the configuration trusts: addresses, networks, and whoever comes through a unix socket.

Read once, when `TRUSTED_PROXIES` is set; a request only asks. What the trusted ones say is the affair of
`sanic.headers.forwarded`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    collapse_addresses,
    ip_address,
    ip_network,
)
from typing import Any, Final

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

#: The entry that stands for everyone who can open the server's unix socket.
UNIX: Final = "unix"

# What nginx writes in place of the address of a peer that came through a unix socket.
_UNIX_PEER = "unix:"

# An address with a port (RFC 7239 section 6): `192.0.2.1:80`, `[2001:db8::1]:80`, or brackets alone. A port may be an
# obfuscated one.
_WITH_PORT = re.compile(r"(?:\[([^\[\]]*)\]|([0-9.]+))(?::(?:[0-9]{1,5}|_[A-Za-z0-9._-]+))?")

# The bits in front of an IPv4 address that is written as an IPv6 one (RFC 4291 section 2.5.5.2).
_MAPPED_BITS = 96


class TrustedProxies:
    """Whose forwarded headers are believed.

    Args:
        value: Items, or text with commas between them: addresses, networks such as `10.0.0.0/8`, and `unix`. No item
            at all trusts nobody.
        name: The key of the configuration, for errors.

    Raises:
        ValueError: An item is none of these.
    """

    __slots__ = ("_addresses", "_networks", "entries", "is_unix_trusted")

    def __init__(self, value: Any, name: str = "TRUSTED_PROXIES") -> None:
        networks: list[Network] = []
        entries: list[str] = []
        for item in _items(value, name):
            entry = item.strip().lower() if isinstance(item, str) else item
            if entry == "":
                continue
            entries.append(str(entry))
            if entry != UNIX:
                networks.append(_network(entry, name))
        #: The items as they were given, in lower case.
        self.entries: tuple[str, ...] = tuple(entries)
        #: Whether everyone who comes through a unix socket is trusted.
        self.is_unix_trusted = UNIX in entries
        self._networks: tuple[Network, ...] = (
            *collapse_addresses(network for network in networks if isinstance(network, IPv4Network)),
            *collapse_addresses(network for network in networks if isinstance(network, IPv6Network)),
        )
        # Most proxies are one address, which need not be parsed to be known.
        self._addresses = frozenset(str(network[0]) for network in networks if network.num_addresses == 1)

    def trusts_address(self, text: str) -> bool:
        """Whether an address is that of a trusted proxy.

        Args:
            text: An address as a socket or a header has it: IPv4, IPv6 also in brackets, IPv4 mapped to IPv6, with or
                without port and zone. Anything else (`""`, `unknown`, an obfuscated identifier, a name) is trusted
                by nobody.
        """
        if text in self._addresses:
            return True
        address = read_address(text)
        if address is None:
            return self.is_unix_trusted and text == _UNIX_PEER
        return any(address in network for network in self._networks)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, TrustedProxies) and self.entries == other.entries

    def __hash__(self) -> int:
        return hash(self.entries)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({list(self.entries)!r})"

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.entries,)


def read_address(text: str) -> Address | None:
    """The address in a text as sockets and headers have it, `None` when it is none.

    Port and brackets are left out, and a zone is of no account; IPv4 that is mapped to IPv6 becomes IPv4.
    """
    found = _WITH_PORT.fullmatch(text)
    if found is not None:
        text = found[1] or found[2] or ""
    try:
        address = ip_address(text)
    except ValueError:
        return None
    if isinstance(address, IPv6Address):
        return address.ipv4_mapped or address
    return address


def without_port(text: str) -> str:
    """An address without the port that it may have, and without brackets; what is no address stays as it is."""
    found = _WITH_PORT.fullmatch(text)
    if found is None or read_address(text) is None:
        return text
    return found[1] or found[2] or text


def _items(value: Any, name: str) -> Iterable[Any]:
    if isinstance(value, TrustedProxies):
        return value.entries
    if isinstance(value, str):
        return value.split(",")
    if isinstance(value, (Address, Network)):
        # A network is iterable, too: over its addresses.
        return (value,)
    if isinstance(value, (list, tuple, set, frozenset)):
        return value
    raise ValueError(
        f"{name} cannot be {value!r}; it is a list, or text with commas, of IP addresses, networks such as "
        "'10.0.0.0/8', and 'unix'"
    )


def _network(entry: Any, name: str) -> Network:
    if isinstance(entry, (str, Address, Network)):
        try:
            return _unmapped(ip_network(entry, strict=True))
        except ValueError:
            # The reason that it gives is not one for the reader.
            pass
    raise ValueError(
        f"{name} cannot contain {entry!r}; {_remedy(entry)}"
        "each item is an IP address without a port, a network such as '10.0.0.0/8', or 'unix'"
    )


def _unmapped(network: Network) -> Network:
    mapped = network.network_address.ipv4_mapped if isinstance(network, IPv6Network) else None
    if mapped is None or network.prefixlen < _MAPPED_BITS:
        return network
    return IPv4Network((int(mapped), network.prefixlen - _MAPPED_BITS))


def _remedy(entry: Any) -> str:
    try:
        meant = ip_network(entry, strict=False) if isinstance(entry, str) else None
    except ValueError:
        return ""
    if meant is None:
        return ""
    return f"write '{meant}' for the network, or '{entry.partition('/')[0]}' for the one address: "
