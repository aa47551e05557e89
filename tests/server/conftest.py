"""Transports differ in when they write, pause and tell of an end: what depends on them is tested on both loops."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping

import pytest

ON_BOTH_LOOPS = frozenset({"test_connections", "test_reporting"})


# Older versions of pytest-asyncio do not know this hook: there the tests run on the loop of the standard library alone.
@pytest.hookimpl(optionalhook=True)
def pytest_asyncio_loop_factories(
    config: pytest.Config, item: pytest.Item
) -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    """Run the tests of some modules once on each loop."""
    factories: dict[str, Callable[[], asyncio.AbstractEventLoop]] = {"asyncio": asyncio.new_event_loop}
    if item.path.stem not in ON_BOTH_LOOPS:
        return factories
    try:
        import uvloop
    except ImportError:
        return factories
    return factories | {"uvloop": uvloop.new_event_loop}
