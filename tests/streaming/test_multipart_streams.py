"""Forms: read whole by `request.form` and `request.files`, or part by part while they arrive."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from sanic import json, text
from sanic.exceptions import SanicException
from tests.harness import serving, turns

DISPOSITION = b"Content-Disposition: form-data; "
MULTIPART = "multipart/form-data; boundary=X"


def part(disposition: bytes, content: bytes = b"", *headers: bytes) -> bytes:
    return b"\r\n".join([DISPOSITION + disposition, *headers, b"", content])


def form(*parts: bytes, end: bytes = b"--X--\r\n") -> bytes:
    return b"".join(b"--X\r\n" + item + b"\r\n" for item in parts) + end


def head(length: int, content_type: str = MULTIPART, path: str = "/") -> bytes:
    return (
        f"POST {path} HTTP/1.1\r\nHost: a\r\nContent-Type: {content_type}\r\nContent-Length: {length}\r\n\r\n".encode()
    )


EVERYTHING = form(
    part(b'name="title"', "naïve".encode()),
    part(b'name="old"', b"\xe9", b"Content-Type: text/plain; charset=iso-8859-1"),
    part(
        b'name="file"; filename="a.bin"', bytes(range(256)) * 600, b"Content-Type: Application/X-Thing; a=b", b"X-A: 1"
    ),
    part(b"name=\"file\"; filename*=utf-8''b%C3%A9.txt", b"\r\n--Y\r\n"),
    part(b"x=y", b"a part without name"),
    part(b'name="empty"; filename=""'),
)


def add_routes(app: Any) -> None:
    @app.post("/whole")
    async def whole(request: Any) -> Any:
        files = {name: [[f.type, len(f.body), f.name] for f in found] for name, found in request.files.items()}
        return json({"form": request.form, "files": files})

    @app.post("/parts", stream=True)
    async def parts(request: Any) -> Any:
        fields: dict[str, list[str]] = {}
        files: dict[str, list[list[Any]]] = {}
        async for item in request.multipart():
            if item.filename is None:
                fields.setdefault(item.name, []).append(await item.text())
            else:
                size = sum([len(piece) async for piece in item])
                files.setdefault(item.name, []).append([item.type, size, item.filename])
        return json({"form": fields, "files": files})


@pytest.mark.parametrize("path", ["/whole", "/parts"])
@pytest.mark.parametrize("pieces", [None, 4096, 1001])
async def test_fields_and_files_are_the_same_whichever_way_they_are_read(app: Any, path: str, pieces: Any) -> None:
    add_routes(app)
    async with serving(app) as server, server.connect() as client:
        await client.send(head(len(EVERYTHING), path=path) + EVERYTHING, pieces=pieces)
        response = await client.response()
    assert response.status == 200, response.text
    import json as reader

    assert reader.loads(response.body) == {
        "form": {"title": ["naïve"], "old": ["é"]},
        "files": {
            "file": [["application/x-thing", 153600, "a.bin"], ["text/plain", 7, "bé.txt"]],
            "empty": [["text/plain", 0, ""]],
        },
    }


async def test_parts_are_there_before_the_form_is_complete(app: Any) -> None:
    seen: asyncio.Queue[Any] = asyncio.Queue()

    @app.post("/", stream=True)
    async def handler(request: Any) -> Any:
        async for item in request.multipart():
            seen.put_nowait((item.name, item.filename, item.type, item.headers["x-a"]))
            async for piece in item:
                seen.put_nowait(piece)
        return text("end")

    begin = b"--X\r\n" + part(b'name="f"; filename="n"', b"", b"X-A: 1")
    end = b"\r\n--X--\r\n"
    async with serving(app) as server, server.connect() as client:
        await client.send(head(len(begin) + 6 + len(end)) + begin)
        assert await asyncio.wait_for(seen.get(), 5) == ("f", "n", "text/plain", "1")
        for piece in (b"one", b"two"):
            await client.send(piece)
            assert await asyncio.wait_for(seen.get(), 5) == piece
        await client.send(end)
        assert (await client.response()).text == "end"


async def test_an_unread_part_is_skipped(app: Any) -> None:
    @app.post("/", stream=True)
    async def handler(request: Any) -> Any:
        found = []
        async for item in request.multipart():
            if item.name == "wanted":
                found.append((await item.read()).decode())
            elif item.name == "half":
                async for _ in item:
                    break
        return json(found)

    body = form(
        part(b'name="big"; filename="f"', bytes(300_000)),
        part(b'name="wanted"', b"1"),
        part(b'name="half"; filename="f"', bytes(300_000)),
        part(b'name="wanted"; filename="g"', b"2"),
        part(b'name="big"; filename="f"', bytes(300_000)),
    )
    async with serving(app) as server:
        assert (await server.post(content=body, headers={"content-type": MULTIPART})).json() == ["1", "2"]


async def test_a_part_that_was_left_behind_cannot_be_read(app: Any) -> None:
    @app.post("/", stream=True)
    async def handler(request: Any) -> Any:
        items = [item async for item in request.multipart()]
        assert await items[0].read() == b""  # skipped to its end
        reader = request.multipart()
        with pytest.raises(StopAsyncIteration):
            await reader.__anext__()
        return json([repr(item) for item in items])

    body = form(part(b'name="a"', b"1"), part(b'name="b"; filename="f"', b"2"))
    async with serving(app) as server:
        response = await server.post(content=body, headers={"content-type": MULTIPART})
    assert response.json() == ["<Part: 'a'>", "<Part: 'b' filename='f'>"]


async def test_two_tasks_cannot_read_two_parts_at_once(app: Any) -> None:
    @app.post("/", stream=True)
    async def handler(request: Any) -> Any:
        reader = request.multipart()
        first = await reader.__anext__()
        following = asyncio.ensure_future(reader.__anext__())
        await turns()
        with pytest.raises(SanicException, match="Another task is reading"):
            await first.read()
        return text((await following).name)

    begin, rest = (
        b"--X\r\n" + part(b'name="a"; filename="f"', b""),
        b"x\r\n--X\r\n" + part(b'name="b"', b"\r\n--X--\r\n"),
    )
    async with serving(app) as server, server.connect() as client:
        await client.send(head(len(begin + rest)) + begin)
        await turns(30)
        await client.send(rest)
        assert (await client.response()).text == "b"


async def test_an_ordinary_route_can_read_parts_too(app: Any) -> None:
    @app.post("/")
    async def handler(request: Any) -> Any:
        return json([[item.name, await item.text()] async for item in request.multipart()])

    body = form(part(b'name="a"', b"1"), part(b'name="b"', b"2"))
    async with serving(app) as server:
        response = await server.post(content=body, headers={"content-type": MULTIPART})
        assert response.json() == [["a", "1"], ["b", "2"]]
        assert (await server.post(content=b"", headers={"content-type": MULTIPART})).json() == []


# Bad input


@pytest.mark.parametrize("path", ["/whole", "/parts"])
@pytest.mark.parametrize(
    ("content_type", "body", "status", "reason"),
    [
        ("multipart/form-data", form(part(b'name="a"', b"1")), 400, "boundary"),
        ("multipart/form-data; boundary=", form(part(b'name="a"', b"1")), 400, "boundary"),
        ("multipart/form-data; boundary=Y", form(part(b'name="a"', b"1")), 400, "Unexpected end"),
        (MULTIPART, form(part(b'name="a"', b"1"), end=b""), 400, "Unexpected end"),
        (MULTIPART, b"garbage", 400, "Unexpected end"),
        (MULTIPART, b"--X\r\nno colon\r\n\r\nx\r\n--X--\r\n", 400, "Malformed segment header"),
        (MULTIPART, b"--X\r\n" + b"\xff: a\r\n\r\nx\r\n--X--\r\n", 400, "header"),
        (MULTIPART, b"--X--x\r\n" * 2, 200, ""),
        (MULTIPART, form(part(b'name="a"', b"\xe9")), 400, "not valid utf-8"),
        (MULTIPART, form(part(b'name="a"', b"x", b"Content-Type: text/plain; charset=zlib")), 400, "unknown charset"),
        (MULTIPART, form(*[part(b'name="a"', b"1")] * 5), 200, ""),
        (MULTIPART, form(*[part(b'name="a"', b"1")] * 6), 413, "more parts"),
        (MULTIPART, form(*[part(b"x=y", b"1")] * 6), 413, "more parts"),
        (MULTIPART, form(part(b'name="a"', b"x" * 100)), 200, ""),
        (MULTIPART, form(part(b'name="a"', b"x" * 101)), 413, "larger than"),
        (MULTIPART, form(part(b'name="a"', b"x", *[b"a: b"] * 2)), 200, ""),
        (MULTIPART, form(part(b'name="a"', b"x", *[b"a: b"] * 3)), 413, "header"),
        (MULTIPART, form(part(b'name="a"', b"x", b"a: " + b"b" * 300)), 413, "header"),
        (MULTIPART, b"--X\r\na: " + b"b" * 100_000, 413, "header"),
    ],
)
async def test_bad_forms_are_refused_with_the_reason(
    app: Any, path: str, content_type: str, body: bytes, status: int, reason: str
) -> None:
    app.config.update(
        REQUEST_MAX_FORM_PARTS=5,
        REQUEST_MAX_FORM_FIELD_SIZE=100,
        REQUEST_MAX_PART_HEADERS=3,
        REQUEST_MAX_PART_HEADER_SIZE=300,
    )
    add_routes(app)
    async with serving(app) as server:
        response = await server.post(path, content=body, headers={"content-type": content_type})
        assert (response.status_code, reason in response.text) == (status, True), response.text
        after = await server.post(path, content=form(part(b'name="a"', b"1")), headers={"content-type": MULTIPART})
        assert after.json() == {"form": {"a": ["1"]}, "files": {}}


@pytest.mark.parametrize(
    "content_type", ["text/plain", "application/x-www-form-urlencoded", "multipart/mixed; boundary=X"]
)
async def test_only_multipart_forms_are_read_part_by_part(app: Any, content_type: str) -> None:
    add_routes(app)
    async with serving(app) as server:
        response = await server.post("/parts", content=b"a=1", headers={"content-type": content_type})
    assert response.status_code == 400
    assert content_type.partition(";")[0] in response.text


async def test_the_number_of_urlencoded_fields_is_configured(app: Any) -> None:
    app.config.REQUEST_MAX_FORM_FIELDS = 3
    add_routes(app)
    async with serving(app) as server:
        for number, status in ((2, 200), (3, 200), (4, 413)):
            content = "&".join(["a=1"] * number)
            headers = {"content-type": "application/x-www-form-urlencoded"}
            assert (await server.post("/whole", content=content, headers=headers)).status_code == status


async def test_what_is_gathered_in_memory_is_limited(app: Any) -> None:
    app.config.REQUEST_MAX_SIZE = 10_000

    @app.post("/", stream=True)
    async def handler(request: Any) -> Any:
        async for item in request.multipart():
            await item.read()
        return text("ok")

    async with serving(app) as server:
        for size, status in ((9_999, 200), (10_000, 200), (10_001, 413)):
            body = form(part(b'name="a"; filename="f"', bytes(size)))
            response = await server.post(content=body, headers={"content-type": MULTIPART})
            assert response.status_code == status, size
