"""What is said when file descriptors run out, and how often."""

from __future__ import annotations

import asyncio
import os
import resource
from collections.abc import AsyncIterator

import pytest

from sanic.server.descriptors import DescriptorWatch


@pytest.fixture
async def watch() -> AsyncIterator[DescriptorWatch]:
    watch = DescriptorWatch(asyncio.get_running_loop())
    yield watch
    watch.stop()


async def test_the_lack_of_descriptors_is_told_once_and_so_is_its_end(
    watch: DescriptorWatch, caplog: pytest.LogCaptureFixture
) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    probe = os.open(os.devnull, os.O_RDONLY)
    os.close(probe)
    resource.setrlimit(resource.RLIMIT_NOFILE, (probe, hard))
    try:
        watch.start()
        await asyncio.sleep(1.1)
        assert caplog.text.count(f"No file descriptors are left (the limit is {probe})") == 1
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    await asyncio.sleep(1.1)
    assert caplog.text.count("There are file descriptors again.") == 1


async def test_what_the_loop_says_of_it_is_left_out_and_everything_else_is_logged(
    watch: DescriptorWatch, caplog: pytest.LogCaptureFixture
) -> None:
    loop = asyncio.get_running_loop()
    watch.start()
    for _ in range(100):
        loop.call_exception_handler({"message": "socket.accept() out of system resource"})
    assert caplog.text == ""
    loop.call_exception_handler({"message": "something else"})
    assert "something else" in caplog.text
