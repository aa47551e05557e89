"""Signals: events by name, those who handle them and those who wait for them."""

from sanic.signals.event import RESERVED_NAMESPACES, Event
from sanic.signals.router import SignalRouter
from sanic.signals.signal import Signal, SignalGroup
from sanic.signals.waiter import SignalWaiter

__all__ = ("RESERVED_NAMESPACES", "Event", "Signal", "SignalGroup", "SignalRouter", "SignalWaiter")
