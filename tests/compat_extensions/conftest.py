"""`fetch` gives a client of the test's app, served on a loopback port, as a user would write it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from typing import Any

import httpx
import pytest

from tests.harness import serving


@pytest.fixture
async def serve() -> AsyncIterator[Callable[[Any], Any]]:
    async with AsyncExitStack() as stack:

        async def start(app: Any) -> httpx.AsyncClient:
            server = await stack.enter_async_context(serving(app))
            return await stack.enter_async_context(httpx.AsyncClient(base_url=server.url, trust_env=False))

        yield start
