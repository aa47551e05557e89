"""The frames of HTTP/3: bytes in, parts of messages out, in whatever pieces they come."""

from __future__ import annotations

import random
from typing import Any

import pytest
from pylsqpack import Encoder

from sanic.http.http3.errors import PeerError
from sanic.http.http3.frames import FieldCoder, PeerStreams, RequestReader, frame, read_varint, varint

SECTION = Encoder().encode(0, [(b":method", b"GET"), (b"x-long", b"y" * 300)])[1]
REQUEST = (
    frame(0x21, b"unknown")
    + frame(0x1, SECTION)
    + frame(0x0, b"some body")
    + frame(0x0, b"")
    + frame(0x4040, b"unknown" * 20)
    + frame(0x0, b"z" * 5000)
    + frame(0x1, Encoder().encode(0, [(b"x-trailer", b"1")])[1])
    + frame(0x21, b"")
)
CONTROL = (
    b"\0" + frame(0x4, b"\x06\x40\xff\x21\x01") + frame(0x21, b"x" * 500) + frame(0x7, b"\x04") + frame(0xD, b"\1")
)


class Received:
    """Keeps what has been read."""

    def __init__(self) -> None:
        self.parts: list[Any] = []
        self.body = b""

    def on_head(self, fields: list[tuple[bytes, bytes]]) -> None:
        self.parts.append(fields)

    def on_oversize(self) -> None:
        self.parts.append("oversize")

    def on_body(self, data: bytes) -> None:
        self.body += data

    def on_end(self) -> None:
        self.parts.append("end")


def read(pieces: list[bytes], max_section: int = 1000) -> Received:
    received = Received()
    reader = RequestReader(0, FieldCoder(), received, max_section)
    for piece in pieces:
        reader.feed(piece, False)
    reader.feed(b"", True)
    return received


@pytest.mark.parametrize("value", [0, 63, 64, 16383, 16384, 2**30 - 1, 2**30, 2**62 - 1])
def test_numbers_of_variable_length(value: int) -> None:
    # RFC 9000 section 16.
    data = varint(value)
    assert read_varint(b"x" + data + b"y", 1) == (value, 1 + len(data))
    assert read_varint(data[:-1], 0) is None


def test_a_request_in_any_pieces_is_the_same() -> None:
    expected = [[(b":method", b"GET"), (b"x-long", b"y" * 300)], "end"]
    generator = random.Random(1)
    for size in (1, 2, 3, 7, 100, 10_000, 0, 0, 0, 0):
        pieces = []
        position = 0
        while position < len(REQUEST):
            length = size or generator.randint(1, 1500)
            pieces.append(REQUEST[position : position + length])
            position += length
        received = read(pieces)
        assert received.parts == expected
        assert received.body == b"some body" + b"z" * 5000


def test_a_head_that_is_too_long_is_not_waited_for() -> None:
    assert read([frame(0x1, SECTION)], len(SECTION)).parts[1:] == ["end"]
    received = Received()
    reader = RequestReader(0, FieldCoder(), received, len(SECTION) - 1)
    reader.feed(frame(0x1, SECTION)[:3], False)
    reader.feed(b"whatever", True)
    assert received.parts == ["oversize"]


def test_the_streams_of_a_client_in_any_pieces() -> None:
    for size in (1, 2, 5, 1000):
        streams = PeerStreams(FieldCoder())
        for position in range(0, len(CONTROL), size):
            streams.feed(2, CONTROL[position : position + size], False)
        streams.feed(6, b"\x02", False)
        streams.feed(10, b"\x03\x40", False)
        streams.feed(14, b"\x40\x54unknown", True)


def refusal(feed: Any, pieces: tuple[bytes, bytes]) -> str:
    """Why bytes are refused, "" if they are not."""
    try:
        feed(pieces[0], False)
        feed(pieces[1], True)
    except PeerError as error:
        return error.reason
    return ""


def test_broken_bytes_are_refused_and_nothing_else_happens() -> None:
    generator = random.Random(2)
    reasons = []
    for _ in range(3000):
        data = bytearray(generator.choice((REQUEST, CONTROL)))
        for _ in range(generator.randint(1, 8)):
            data[generator.randrange(len(data))] = generator.randrange(256)
        cut = generator.randrange(len(data))
        pieces = bytes(data[:cut]), bytes(data[cut:])
        streams = PeerStreams(FieldCoder())
        reasons.append(refusal(RequestReader(0, FieldCoder(), Received(), 1000).feed, pieces))
        reasons.append(refusal(lambda data, is_end, streams=streams: streams.feed(2, data, is_end), pieces))
    assert sum(map(bool, reasons)) > 1000
