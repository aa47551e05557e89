"""The pipes between the manager and its processes: nothing that one of them does or fails to do stops the manager."""

from __future__ import annotations

import os
from collections.abc import Iterator
from multiprocessing import Pipe
from typing import Any

import pytest

from sanic.worker.pipes import Inlet, Outlet


@pytest.fixture
def pipe() -> Iterator[tuple[Any, Any]]:
    reader, writer = Pipe(duplex=False)
    yield reader, writer
    reader.close()
    writer.close()


def test_what_a_process_does_not_take_waits_and_arrives_whole_and_in_order(pipe: tuple[Any, Any]) -> None:
    reader, writer = pipe
    outlet = Outlet(writer)
    messages = [f"{number} " + "x" * 10_000 for number in range(50)]
    for message in messages:
        outlet.send(message)
    assert outlet.is_behind
    arrived = []
    while outlet.is_behind or reader.poll():
        arrived.append(reader.recv())
        outlet.flush()
    assert arrived == messages


def test_to_a_process_that_has_ended_nothing_is_told(pipe: tuple[Any, Any]) -> None:
    reader, writer = pipe
    outlet = Outlet(writer)
    reader.close()
    outlet.send("anybody there?")
    assert not outlet.is_behind


def test_half_a_message_is_not_waited_for(pipe: tuple[Any, Any]) -> None:
    reader, writer = pipe
    inlet = Inlet(reader)
    writer.send("first")
    os.write(writer.fileno(), (1000).to_bytes(4, "big") + b"half")
    assert inlet.receive() == (["first"], True)
    assert inlet.receive() == ([], True)


def test_the_end_is_seen_behind_the_last_message(pipe: tuple[Any, Any]) -> None:
    reader, writer = pipe
    inlet = Inlet(reader)
    writer.send({"last": 1})
    writer.close()
    assert inlet.receive() == ([{"last": 1}], False)


def test_what_cannot_be_understood_is_logged_and_the_rest_is_heard(
    pipe: tuple[Any, Any], caplog: pytest.LogCaptureFixture
) -> None:
    reader, writer = pipe
    inlet = Inlet(reader)
    writer.send_bytes(b"no pickle")
    writer.send("after it")
    assert inlet.receive() == (["after it"], True)
    assert "cannot be understood" in caplog.text


def test_a_message_that_is_too_long_for_anybody_ends_the_conversation(
    pipe: tuple[Any, Any], caplog: pytest.LogCaptureFixture
) -> None:
    reader, writer = pipe
    inlet = Inlet(reader)
    os.write(writer.fileno(), (-1).to_bytes(4, "big", signed=True))
    assert inlet.receive() == ([], False)
    assert "more than the manager can take" in caplog.text
