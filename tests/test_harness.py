"""The harness itself: what the other tests believe of a server depends on it."""

from __future__ import annotations

import asyncio

import pytest

from tests.harness import FramingError, cut, responses_in


async def test_a_response_with_a_length_is_read() -> None:
    (response,) = await responses_in(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-A:  b \r\n\r\nhi")

    assert (response.status, response.reason, response.body) == (200, "OK", b"hi")
    assert response.headers == [("content-length", "2"), ("x-a", "b")]


async def test_chunks_and_trailers_are_read() -> None:
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"

    (response,) = await responses_in(head + b"2\r\nhi\r\n1\r\n!\r\n0\r\nx-sum: 3\r\n\r\n")

    assert response.body == b"hi!"
    assert response.trailers == [("x-sum", "3")]


async def test_several_responses_are_told_apart() -> None:
    responses = await responses_in(
        b"HTTP/1.1 100 Continue\r\n\r\n"
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"
        b"HTTP/1.1 204 No Content\r\n\r\n"
        b"HTTP/1.1 200 OK\r\n\r\nuntil the end",
        "HEAD",
        "DELETE",
    )

    assert [(response.status, response.body) for response in responses] == [
        (100, b""),
        (200, b""),
        (204, b""),
        (200, b"until the end"),
    ]


@pytest.mark.parametrize(
    "data",
    [
        b"HTTP/1.1 200 OK\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length : 0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\ntransfer-encoding: chunked\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\ncontent-length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\nab\r\n0\r\n\r\n",
    ],
)
async def test_a_malformed_response_is_an_error(data: bytes) -> None:
    with pytest.raises(FramingError):
        await responses_in(data)


async def test_a_response_cut_short_is_an_error() -> None:
    with pytest.raises(asyncio.IncompleteReadError):
        await responses_in(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhi")


@pytest.mark.parametrize(
    ("pieces", "expected"),
    [(None, [b"abcde"]), (2, [b"ab", b"cd", b"e"]), ([1, 4], [b"a", b"bcd", b"e"]), ([0, 5], [b"abcde"])],
)
def test_data_is_cut_by_size_or_at_offsets(pieces: int | list[int] | None, expected: list[bytes]) -> None:
    assert list(cut(b"abcde", pieces)) == expected
