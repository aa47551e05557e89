"""Tokens by which a client proves that it is where it says (RFC 9000 section 8.1.2), before anything is kept for it."""

from __future__ import annotations

import hmac
import os
import struct
from typing import Any

_LIFETIME = 30.0
_HEADER = struct.Struct("!dBB")
_DIGEST_SIZE = 32


class RetryTokens:
    """Makes and checks tokens, with a key of its own."""

    def __init__(self) -> None:
        self._key = os.urandom(32)

    def make(self, address: Any, original_id: bytes, retry_id: bytes, now: float) -> bytes:
        """Make a token.

        Args:
            address: The address of the client.
            original_id: The connection id that the client has asked for first.
            retry_id: The one that it is to come back with.
            now: The time, in seconds.
        """
        content = _HEADER.pack(now, len(original_id), len(retry_id)) + original_id + retry_id
        return content + self._digest(address, content)

    def check(self, address: Any, connection_id: bytes, token: bytes, now: float) -> bytes | None:
        """Check a token.

        Args:
            address: The address that it came from.
            connection_id: The connection id that it came with.
            token: The token.
            now: The time, in seconds.

        Returns:
            The connection id that the client has asked for first, None if the token is not good.
        """
        content, digest = token[:-_DIGEST_SIZE], token[-_DIGEST_SIZE:]
        if len(content) < _HEADER.size or not hmac.compare_digest(digest, self._digest(address, content)):
            return None
        made, size, retry_size = _HEADER.unpack_from(content)
        ids = content[_HEADER.size :]
        if not 0 <= now - made <= _LIFETIME or ids[size : size + retry_size] != connection_id:
            return None
        return ids[:size]

    def _digest(self, address: Any, content: bytes) -> bytes:
        return hmac.digest(self._key, f"{address[0]} {address[1]} ".encode() + content, "sha256")
