"""What RFC 9112 demands of a request's head beyond what the parser checks.

Whatever could be read in two ways is refused before the application sees it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from sanic.exceptions import BadRequest, ExpectationFailed, NotImplementedCoding, SanicException
from sanic.request.target import HOST

if TYPE_CHECKING:
    from sanic.http.exchange import Exchange


def check_head(
    exchange: Exchange, host: bytes | None, decisive: Iterable[tuple[bytes, bytes]]
) -> SanicException | None:
    """Check the header fields of a request and note in the exchange how its body is to be read.

    Args:
        exchange: The exchange that the head begins.
        host: Value of the `Host` header, None without one, something that is no host when it was repeated.
        decisive: The headers that decide how the message is read, names in lower case.

    Returns:
        Why the message is refused, or None.
    """
    version = exchange.request.version
    if version not in ("1.1", "1.0"):
        return BadRequest(f"Bad Request: HTTP/{version} is not spoken here, HTTP/1.1 is")
    # RFC 9112 section 3.2: exactly one Host, and a valid one.
    if host is None:
        if version == "1.1":
            return BadRequest("Bad Request: the Host header is missing")
    elif not HOST.fullmatch(host.rstrip(b" \t")):
        return BadRequest("Bad Request: the Host header is malformed or repeated")
    expectation = b""
    for name, value in decisive:
        value = value.strip(b" \t").lower()
        if name == b"content-length":
            # The parser has made sure that it is a number and stands alone.
            exchange.content_length = int(value)
            exchange.has_body = exchange.content_length > 0
        elif name == b"transfer-encoding":
            # RFC 9112 section 6.1.
            if version == "1.0":
                return BadRequest("Bad Request: HTTP/1.0 has no Transfer-Encoding")
            if value != b"chunked":
                return NotImplementedCoding(
                    f"Transfer coding {value.decode('latin-1')!r} is not implemented, only 'chunked' is."
                )
            exchange.has_body = True
        elif name == b"expect":
            expectation = value
    if expectation and exchange.has_body and version == "1.1":
        if expectation != b"100-continue":
            return ExpectationFailed(f"Expectation {expectation.decode('latin-1')!r} cannot be met, only 100-continue.")
        exchange.expects_continue = True
    return None
