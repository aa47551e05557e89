"""nginx in front of an app, by the files that the documentation shows: what of a request and a response arrives."""

from __future__ import annotations

import asyncio
import hashlib
import json as standard_json
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
import trustme
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from sanic import Request, Sanic, json, text
from tests.deployment.nginx import documented, listen, needs_nginx, nginx

pytestmark = needs_nginx

PATIENCE = 20.0
MEGABYTE = 2**20


class Site:
    """An app, nginx in front of it, and how to reach it."""

    def __init__(self, app: Sanic[Any, Any], port: int, plain_port: int, context: ssl.SSLContext) -> None:
        self.app = app
        self.port = port
        self.plain_port = plain_port
        self.context = context
        self.authority = f"shop.example:{port}"
        self.directory: Path

    def client(self, address: str = "127.0.0.1", http2: bool = False) -> httpx.AsyncClient:
        """A client at an address of its own, which asks nginx for the host of the site."""
        return httpx.AsyncClient(
            transport=httpx.AsyncHTTPTransport(verify=self.context, local_address=address, http2=http2, retries=0),
            base_url=f"https://127.0.0.1:{self.port}",
            headers={"host": self.authority},
            timeout=PATIENCE,
        )

    async def connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        return await asyncio.open_connection(
            "127.0.0.1", self.port, ssl=self.context, server_hostname="shop.example", limit=2**24
        )

    @asynccontextmanager
    async def websocket(self, path: str, **options: Any) -> AsyncIterator[ClientConnection]:
        address: dict[str, Any] = {"host": "127.0.0.1", "port": self.port, "ssl": self.context}
        async with connect(f"wss://{self.authority}{path}", proxy=None, max_size=None, **address, **options) as ws:
            yield ws
        # Python 3.10 takes a TLS connection for open until it is closed on this side, too.
        ws.transport.abort()


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@asynccontextmanager
async def behind_nginx(
    app: Sanic[Any, Any], directory: Path, authority: trustme.CA, *, unix: bool = True, extra: str = ""
) -> AsyncIterator[Site]:
    """Serve an app behind the documented site, over TLS; `extra` goes into its server."""
    path = directory / "app.sock"
    certificate = authority.issue_cert("shop.example")
    (directory / "chain.pem").write_bytes(b"".join(blob.bytes() for blob in certificate.cert_chain_pems))
    certificate.private_key_pem.write_to_path(str(directory / "key.pem"))
    context = ssl.create_default_context()
    authority.configure_trust(context)
    # The name in the certificate is not how the client has found the address.
    context.check_hostname = False
    async with app.serving(unix=str(path)) if unix else app.serving(port=0) as server:
        sock, port = listen()
        plain_sock, plain_port = listen()
        changes = {
            "unix:/run/shop/app.sock": f"unix:{path}" if unix else f"127.0.0.1:{server.port}",
            "listen 443 ssl default_server;": f"listen 127.0.0.1:{port} ssl default_server;",
            "listen 443 ssl http2;": f"listen 127.0.0.1:{port} ssl http2;",
            "listen 80;": f"listen 127.0.0.1:{plain_port};",
            "/etc/ssl/shop/fullchain.pem": str(directory / "chain.pem"),
            "/etc/ssl/shop/privkey.pem": str(directory / "key.pem"),
            "/etc/nginx/snippets/sanic-proxy.conf": "sanic-proxy.conf",
            "    location / {": f"    {extra}\n    location / {{",
        }
        prefix = directory / "nginx"
        prefix.mkdir()
        (prefix / "sanic-proxy.conf").write_text(documented("sanic-proxy.conf", {}))
        async with nginx(documented("shop.conf", changes), prefix, sock, plain_sock):
            site = Site(app, port, plain_port, context)
            site.directory = directory
            yield site


@pytest.fixture
async def site(app: Any, tmp_path: Path, authority: trustme.CA) -> AsyncIterator[Site]:
    """An app without routes of its own yet, behind nginx over a unix socket: routes are added before it is served."""
    add_routes(app)
    app.config.TRUSTED_PROXIES = "unix"
    async with behind_nginx(app, tmp_path, authority) as site:
        yield site


class Journal:
    """What handlers have seen, and what a test tells them."""

    def __init__(self) -> None:
        self.go_on = asyncio.Event()
        self.ended = asyncio.Event()
        self.seen: list[Any] = []


def add_routes(app: Any) -> None:
    app.ctx.journal = Journal()

    @app.get("/who")
    async def who(request: Request[Any, Any]) -> Any:
        names = ("ip", "remote_addr", "client_ip", "scheme", "host", "server_name", "server_port", "server_path", "url")
        return json(
            {
                **{name: getattr(request, name) for name in names},
                "here": request.url_for("who"),
                "told": request.forwarded,
            }
        )

    @app.get("/connection")
    async def connection(request: Request[Any, Any]) -> Any:
        app.ctx.journal.seen.append(request.conn_info)
        return text(str(len({id(info) for info in app.ctx.journal.seen})))

    @app.post("/upload", stream=True)
    async def upload(request: Request[Any, Any]) -> Any:
        digest, size = hashlib.sha256(), 0
        async for piece in request.stream:
            if not size:
                app.ctx.journal.go_on.set()
            digest.update(piece)
            size += len(piece)
        return json([size, digest.hexdigest()])

    @app.post("/whole")
    async def whole(request: Request[Any, Any]) -> Any:
        return text(str(len(request.body)))

    @app.get("/events")
    async def events(request: Request[Any, Any]) -> None:
        response = await request.respond(content_type="text/event-stream", headers={"x-accel-buffering": "no"})
        for number in range(5):
            await response.send(f"data: {number}\n\n")
            await app.ctx.journal.go_on.wait()
            app.ctx.journal.go_on.clear()
        await response.eof()

    @app.get("/for-ever")
    async def for_ever(request: Request[Any, Any]) -> None:
        try:
            response = await request.respond()
            while True:
                await response.send(b"x" * 65536)
        finally:
            app.ctx.journal.ended.set()

    @app.get("/download")
    async def download(request: Request[Any, Any]) -> None:
        response = await request.respond(content_type="application/octet-stream")
        for number in range(64):
            await response.send(bytes([number]) * (MEGABYTE // 2))
        await response.eof()

    @app.get("/broken")
    async def broken(request: Request[Any, Any]) -> None:
        response = await request.respond(headers={"content-length": "100"})
        await response.send(b"x" * 10)
        raise RuntimeError("half-way")

    @app.websocket("/feed", subprotocols=["v2", "v1"])
    async def feed(request: Request[Any, Any], ws: Any) -> None:
        await ws.send(standard_json.dumps([request.scheme, request.host, request.client_ip]))
        async for message in ws:
            if message == "enough":
                await ws.close(4000, "as you wish")
            await ws.send(message)


# Who asks, and for what


@pytest.mark.parametrize("http2", [False, True])
async def test_the_app_sees_what_the_client_has_asked_for(site: Site, http2: bool) -> None:
    async with site.client("127.0.0.2", http2) as client:
        response = await client.get("/who?a=b")

    assert response.http_version == ("HTTP/2" if http2 else "HTTP/1.1")
    assert response.json() == {
        "ip": "",
        "remote_addr": "127.0.0.2",
        "client_ip": "127.0.0.2",
        "scheme": "https",
        "host": site.authority,
        "server_name": "shop.example",
        "server_port": site.port,
        "server_path": "/who",
        "url": f"https://{site.authority}/who?a=b",
        "here": f"https://{site.authority}/who",
        "told": {"for": "127.0.0.2", "proto": "https"},
    }


@pytest.mark.parametrize(
    "forged",
    [
        {"x-forwarded-for": "6.6.6.6"},
        {"x-forwarded-for": "unix:"},
        {"x-forwarded-for": "6.6.6.6, unix:, ::1"},
        {"x-forwarded-proto": "http"},
        {"x-forwarded-host": "evil.example"},
        {"x-forwarded-port": "1"},
        {"x-forwarded-path": "/evil"},
        {"x-scheme": "http", "x-real-ip": "6.6.6.6"},
        {"forwarded": 'for=6.6.6.6;host=evil.example;proto=http;by="'},
        {"connection": "x-forwarded-for, x-forwarded-proto, host"},
    ],
)
async def test_nothing_that_a_client_writes_changes_that(site: Site, forged: dict[str, str]) -> None:
    async with site.client("127.0.0.2") as client:
        told = (await client.get("/who", headers=forged)).json()

    assert told["told"] == {"for": "127.0.0.2", "proto": "https"}
    assert (told["client_ip"], told["here"]) == ("127.0.0.2", f"https://{site.authority}/who")
    assert told["server_path"] == "/who"


async def test_who_is_not_trusted_is_not_believed(app: Any, tmp_path: Path, authority: trustme.CA) -> None:
    add_routes(app)
    app.config.TRUSTED_PROXIES = "127.0.0.9, unix"
    async with behind_nginx(app, tmp_path, authority, unix=False) as site, site.client("127.0.0.2") as client:
        told = (await client.get("/who")).json()

    assert (told["ip"], told["client_ip"], told["scheme"], told["told"]) == ("127.0.0.1", "127.0.0.1", "http", {})


async def test_over_tcp_the_address_of_nginx_is_trusted(app: Any, tmp_path: Path, authority: trustme.CA) -> None:
    add_routes(app)
    app.config.TRUSTED_PROXIES = ["127.0.0.1"]
    async with behind_nginx(app, tmp_path, authority, unix=False) as site, site.client("127.0.0.2") as client:
        told = (await client.get("/who", headers={"x-forwarded-for": "6.6.6.6, 127.0.0.1"})).json()

    assert (told["ip"], told["client_ip"], told["url"]) == ("127.0.0.1", "127.0.0.2", f"https://{site.authority}/who")


FORWARDED = "proxy_set_header Forwarded '$http_forwarded, proto=$scheme;for=\"$remote_addr\";by=_a7f3';"


@pytest.mark.parametrize(
    ("header", "host"),
    [
        ("", "shop.example"),
        ("for=6.6.6.6;by=_a7f3", "shop.example"),
        ('for=6.6.6.6;by=_a7f3;x="', "shop.example"),
        ("for=6.6.6.6;proto=ftp,", "shop.example"),
    ],
)
async def test_an_element_with_the_secret_is_believed_whatever_stands_before_it(
    app: Any, tmp_path: Path, authority: trustme.CA, header: str, host: str
) -> None:
    add_routes(app)
    app.config.FORWARDED_SECRET = "_a7f3"
    location = f"location = /who {{ {FORWARDED} proxy_set_header Host $http_host; proxy_pass http://shop; }}"
    async with behind_nginx(app, tmp_path, authority, extra=location) as site, site.client("127.0.0.2") as client:
        told = (await client.get("/who", headers={"forwarded": header} if header else {})).json()

    assert told["told"] == {"for": "127.0.0.2", "proto": "https", "by": "_a7f3"}
    assert told["server_name"] == host


async def test_a_strange_host_reaches_no_app(site: Site) -> None:
    async with site.client() as client:
        for host in ("evil.example", "127.0.0.1", 'shop.example";for=6.6.6.6;x="'):
            with pytest.raises(httpx.RemoteProtocolError):
                await client.get("/who", headers={"host": host})
        plain = await client.get(f"http://127.0.0.1:{site.plain_port}/who?a=b")

    assert (plain.status_code, plain.headers["location"]) == (308, "https://shop.example/who?a=b")


async def test_an_app_below_a_path_builds_urls_with_it(app: Any, tmp_path: Path, authority: trustme.CA) -> None:
    add_routes(app)
    app.config.TRUSTED_PROXIES = "unix"
    app.config.SERVER_NAME = "https://shop.example/shop"
    changes = {"/etc/nginx/snippets/sanic-proxy.conf": "sanic-proxy.conf"}
    async with behind_nginx(app, tmp_path, authority, extra=documented("below-a-path.conf", changes)) as site:
        async with site.client("127.0.0.2") as client:
            told = (await client.get("/shop/who")).json()
            missing = await client.get("/shop/shop/who")
        async with site.websocket("/shop/feed", subprotocols=["v2"]) as ws:
            assert standard_json.loads(await ws.recv())[2] == "127.0.0.1"

    assert (told["here"], told["client_ip"]) == ("https://shop.example/shop/who", "127.0.0.2")
    assert missing.status_code == 404


# Connections


@pytest.mark.parametrize("unix", [True, False])
async def test_one_connection_to_the_app_serves_many_clients(
    app: Any, tmp_path: Path, authority: trustme.CA, unix: bool
) -> None:
    add_routes(app)
    async with behind_nginx(app, tmp_path, authority, unix=unix) as site:
        for _ in range(5):
            async with site.client() as client:
                assert [(await client.get("/connection")).text for _ in range(2)] == ["1", "1"]
                assert (await client.head("/connection")).status_code == 200
                assert (await client.get("/nowhere")).status_code == 404
                assert (await client.post("/connection", content=b"x" * 1000)).status_code == 405
                assert (await client.post("/whole", content=b"x" * 100_000)).text == "100000"


async def test_without_the_app_nginx_says_so_and_finds_it_again(
    app: Any, app_name: str, tmp_path: Path, authority: trustme.CA
) -> None:
    add_routes(app)
    async with behind_nginx(app, tmp_path, authority) as site, site.client() as client:
        assert (await client.get("/connection")).status_code == 200
        successor: Any = Sanic(app_name + "_successor")
        add_routes(successor)
        # The socket is replaced while nginx keeps connections to its predecessor.
        async with successor.serving(unix=str(tmp_path / "app.sock")):
            fresh = await asyncio.gather(*(client.get("/connection") for _ in range(8)))
            assert {response.status_code for response in fresh} == {200}
        gone = await asyncio.gather(*(client.get("/connection") for _ in range(8)))
        assert {response.status_code for response in gone} <= {200, 502}
        async with successor.serving(unix=str(tmp_path / "app.sock")):
            assert (await client.get("/connection")).status_code == 200


# Bodies


async def test_a_big_upload_arrives_as_it_is_sent(site: Site) -> None:
    journal = site.app.ctx.journal
    piece = bytes(range(256)) * 1024
    digest = hashlib.sha256()

    async def body() -> AsyncIterator[bytes]:
        for number in range(128):
            digest.update(piece)
            yield piece
            if number == 4:
                # The app reads while the client still has more to send.
                await asyncio.wait_for(journal.go_on.wait(), PATIENCE)

    async with site.client() as client:
        response = await client.post("/upload", content=body())

    assert response.json() == [32 * MEGABYTE, digest.hexdigest()]


@pytest.mark.parametrize("size", [2**20 + 1, 2 * 10**8])
async def test_a_body_that_is_too_large_is_answered(app: Any, tmp_path: Path, authority: trustme.CA, size: int) -> None:
    """The one by the app, which takes no more than a megabyte, the other by nginx."""
    add_routes(app)
    app.config.REQUEST_MAX_SIZE = MEGABYTE
    async with behind_nginx(app, tmp_path, authority) as site, site.client() as client:
        reader, writer = await site.connect()
        writer.write(f"POST /whole HTTP/1.1\r\nHost: {site.authority}\r\nContent-Length: {size}\r\n\r\n".encode())
        writer.write(b"x" * MEGABYTE)
        answer = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), PATIENCE)
        writer.transport.abort()
        refused = await client.post("/whole", content=b"x" * 3 * MEGABYTE)

        assert answer.startswith(b"HTTP/1.1 413 ")
        assert refused.status_code == 413
        # nginx may close the client's connection, although it has not said so.
        async with site.client() as another:
            assert (await another.post("/whole", content=b"xyz")).text == "3"


# A location of somebody who has read no documentation: HTTP/1.0 to the app, and everything is collected.
PLAIN = "location = {} {{ proxy_pass http://shop; }}"


@pytest.mark.parametrize("location", ["", PLAIN.format("/events")], ids=["documented", "plain"])
async def test_each_event_arrives_before_the_next_is_sent(
    app: Any, tmp_path: Path, authority: trustme.CA, location: str
) -> None:
    add_routes(app)
    async with (
        behind_nginx(app, tmp_path, authority, extra=location) as site,
        site.client() as client,
        client.stream("GET", "/events") as response,
    ):
        assert response.headers["content-type"].startswith("text/event-stream")
        seen = []
        async for piece in response.aiter_text():
            seen.append(piece)
            app.ctx.journal.go_on.set()

    assert seen == [f"data: {number}\n\n" for number in range(5)]


@pytest.mark.parametrize("location", ["", PLAIN.format("/download")], ids=["documented", "plain"])
async def test_a_big_download_arrives(app: Any, tmp_path: Path, authority: trustme.CA, location: str) -> None:
    add_routes(app)
    sizes: dict[int, int] = {}
    async with (
        behind_nginx(app, tmp_path, authority, extra=location) as site,
        site.client() as client,
        client.stream("GET", "/download") as response,
    ):
        async for piece in response.aiter_bytes(MEGABYTE // 2):
            assert len(set(piece)) == 1
            sizes[piece[0]] = sizes.get(piece[0], 0) + len(piece)

    assert sizes == dict.fromkeys(range(64), MEGABYTE // 2)


async def test_the_handler_ends_when_the_client_leaves(site: Site) -> None:
    reader, writer = await site.connect()
    writer.write(f"GET /for-ever HTTP/1.1\r\nHost: {site.authority}\r\n\r\n".encode())
    await reader.readexactly(MEGABYTE)
    writer.transport.abort()

    await asyncio.wait_for(site.app.ctx.journal.ended.wait(), PATIENCE)


async def test_a_response_that_breaks_looks_broken_to_the_client(site: Site) -> None:
    async with site.client() as client:
        with pytest.raises(httpx.RemoteProtocolError):
            await client.get("/broken")


# Websockets


async def test_websockets_pass(site: Site) -> None:
    async with site.websocket("/feed", subprotocols=["v0", "v1"]) as ws:
        assert ws.subprotocol == "v1"
        assert standard_json.loads(await ws.recv()) == ["wss", site.authority, "127.0.0.1"]
        for message in ("hello", b"\x00\xff", "x" * 70_000, "", b"y" * (MEGABYTE - 1)):
            await ws.send(message)
            assert await ws.recv() == message
        await ws.send("enough")
        with pytest.raises(ConnectionClosed) as closed:
            await ws.recv()
        assert closed.value.rcvd is not None
        assert (closed.value.rcvd.code, closed.value.rcvd.reason) == (4000, "as you wish")


async def test_a_refused_handshake_is_an_ordinary_answer(site: Site) -> None:
    async with site.client() as client:
        assert (await client.get("/feed")).status_code == 426
        upgrade = {"connection": "upgrade", "upgrade": "websocket"}
        assert (await client.get("/who", headers=upgrade)).status_code == 200
        assert (await client.get("/feed", headers=upgrade)).status_code == 400
        assert (await client.get("/who")).status_code == 200
