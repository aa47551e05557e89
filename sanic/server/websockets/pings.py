"""Pings that wait for their pongs (RFC 6455 sections 5.5.2 and 5.5.3)."""

from __future__ import annotations

import asyncio
import os
from collections import deque
from collections.abc import Mapping

from sanic.exceptions import WebsocketClosed
from sanic.server.deadlines import NEVER


class Pings:
    """The pings on their way, in the order in which they were sent."""

    __slots__ = ("_waiters",)

    def __init__(self) -> None:
        self._waiters: dict[bytes, asyncio.Future[None]] = {}

    @property
    def waiting(self) -> Mapping[bytes, asyncio.Future[None]]:
        """What resolves when the pong to a payload comes."""
        return self._waiters

    def new_payload(self) -> bytes:
        """A payload that no ping on its way has."""
        while (payload := os.urandom(4)) in self._waiters:
            pass
        return payload

    def add(self, payload: bytes) -> asyncio.Future[None]:
        """Wait for the pong to a payload.

        Raises:
            ValueError: A ping with the same payload is on its way.
        """
        if payload in self._waiters:
            raise ValueError(f"A ping with the payload {payload!r} is on its way already: choose another.")
        waiter = self._waiters[payload] = asyncio.get_running_loop().create_future()
        return waiter

    def answered(self, payload: bytes) -> None:
        """The pong to a payload has come; it also answers the pings before that one."""
        if payload not in self._waiters:
            return
        for sent in list(self._waiters):
            waiter = self._waiters.pop(sent)
            if not waiter.done():
                waiter.set_result(None)
            if sent == payload:
                break

    def abort(self) -> None:
        """No pong will come any more."""
        for waiter in self._waiters.values():
            if not waiter.done():
                waiter.set_exception(WebsocketClosed())
                waiter.exception()  # nobody needs to wait for a ping
        self._waiters.clear()


class Keepalive:
    """The pings that find out whether the client is still there.

    Args:
        pings: Where their payloads wait for pongs.
        interval: Seconds between two of them, None for none.
        timeout: Seconds that the pong may take, None for ever.
        now: The time, in seconds, on the clock that the other times are given on.
    """

    __slots__ = ("_interval", "_next", "_pings", "_timeout", "_unanswered")

    def __init__(self, pings: Pings, interval: float | None, timeout: float | None, now: float) -> None:
        self._pings = pings
        self._interval = interval or NEVER
        self._timeout = timeout or NEVER
        self._next = now + self._interval
        self._unanswered: deque[tuple[bytes, float]] = deque()

    @property
    def deadline(self) -> float:
        """When there is something to do next."""
        return min(self._next, self._unanswered[0][1] if self._unanswered else NEVER)

    def is_client_gone(self, now: float, is_blind: bool) -> bool:
        """Whether a pong has not come in time.

        Args:
            now: The time.
            is_blind: Whether something that has come is not looked at yet: a pong may be among it.
        """
        unanswered, waiting = self._unanswered, self._pings.waiting
        while unanswered and (is_blind or unanswered[0][0] not in waiting):
            unanswered.popleft()
        return bool(unanswered) and now >= unanswered[0][1]

    def due(self, now: float, horizon: float) -> bytes | None:
        """The payload of a ping that is to be sent now, if one is.

        Args:
            now: The time.
            horizon: The time that what follows is counted from.
        """
        if now < self._next:
            return None
        self._next = horizon + self._interval
        payload = self._pings.new_payload()
        if self._timeout != NEVER:
            self._pings.add(payload)
            self._unanswered.append((payload, horizon + self._timeout))
        return payload
