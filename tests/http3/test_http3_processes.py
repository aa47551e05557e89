"""HTTP/3 as it is run: beside HTTP/1.1, with worker processes, and when something is missing."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import ssl
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest

from sanic import Request, Sanic, text
from sanic.http import HTTP
from sanic.server.protocols.http3.retry import RetryTokens
from tests.http3.client import PATIENCE, Certificate, connected, serving
from tests.processes import Program, command, running

#: An address for each version, on one port number.
BOTH = """
import socket
from pathlib import Path

directory = Path({directory!r})
certificate = {{"cert": str(directory / "fullchain.pem"), "key": str(directory / "privkey.pem")}}

@app.get("/pid")
async def pid(request):
    return text(str(os.getpid()))

@app.get("/slow")
async def slow(request):
    await asyncio.sleep(float(request.args.get("seconds", "1")))
    return text(str(os.getpid()))

if __name__ == "__main__":
    app.prepare(port={port}, version=3, ssl=certificate, {options})
    app.prepare(port={port}, {options})
    {start}
"""


def free_port() -> int:
    import socket

    while True:
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as tcp, socket.socket(type=socket.SOCK_DGRAM) as udp:
            tcp.bind(("127.0.0.1", 0))
            port: int = tcp.getsockname()[1]
            try:
                udp.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port


def program(certificate: Certificate, port: int, options: str = "", start: str = "Sanic.serve()") -> str:
    return BOTH.format(directory=str(certificate.chain.parent), port=port, options=options, start=start)


async def ask(port: int, certificate: Certificate, path: str = "/pid") -> int:
    """Ask on a new connection."""
    async with connected(port, certificate) as client:
        answer = await client.get(path)
        assert answer.status == 200
        return int(answer.text)


async def test_http_1_tells_of_http_3(app: Sanic[Any, Any], certificate: Certificate) -> None:
    # RFC 7838.
    @app.get("/")
    async def index(request: Request) -> Any:
        return text("fine", headers=dict(request.args.items()) and {"x-own": "1"})

    @app.get("/own")
    async def own(request: Request) -> Any:
        return text("fine", headers={"Alt-Svc": "clear"})

    @app.get("/stream")
    async def stream(request: Request) -> Any:
        response = await request.respond()
        await response.send("fine")
        await response.eof()

    app.prepare(port=0, version=HTTP.VERSION_3, ssl=certificate.option)
    app.state.server_info[0].settings["port"] = 4433
    server = await app.create_server(port=0)
    async with server, httpx.AsyncClient(base_url=server.url, trust_env=False) as client:
        for path in ("/", "/", "/?a=1", "/stream", "/missing"):
            assert (await client.get(path)).headers["alt-svc"] == 'h3=":4433"', path
        assert (await client.get("/own")).headers.get_list("alt-svc") == ["clear"]


async def test_http_1_alone_does_not_tell_of_it(app: Sanic[Any, Any]) -> None:
    @app.get("/")
    async def index(request: Request) -> Any:
        return text("fine")

    async with app.serving(port=0) as server, httpx.AsyncClient(base_url=server.url, trust_env=False) as client:
        assert "alt-svc" not in (await client.get("/")).headers


async def test_both_versions_on_one_port_in_one_process(tmp_path: Path, certificate: Certificate) -> None:
    port = free_port()
    source = program(certificate, port, "single_process=True", "Sanic.serve_single()")
    async with running(source, directory=tmp_path) as server:
        await server.line("Worker ready")
        pid = await ask(port, certificate)
        async with httpx.AsyncClient(trust_env=False) as client:
            response = await client.get(f"http://127.0.0.1:{port}/pid")
        assert (response.text, response.headers["alt-svc"]) == (str(pid), f'h3=":{port}"')
        assert await server.stop() == 0
        assert "ERROR" not in server.output
        assert "server: sanic, HTTP/3, HTTP/1.1" in server.output


@pytest.mark.e2e
async def test_a_worker_that_is_killed_is_followed_by_another(tmp_path: Path, certificate: Certificate) -> None:
    port = free_port()
    async with running(program(certificate, port, "workers=2"), directory=tmp_path) as server:
        await ready(server, 2)
        pid = await ask(port, certificate)
        assert {await ask(port, certificate) for _ in range(5)} == {pid}
        os.kill(pid, signal.SIGKILL)
        other = await asyncio.wait_for(ask(port, certificate), PATIENCE)
        assert other != pid
        assert await server.stop() == 0


async def ready(server: Program, count: int) -> None:
    for _ in range(count):
        await server.line("Worker ready")


@pytest.mark.e2e
async def test_a_restart_loses_no_request(tmp_path: Path, certificate: Certificate) -> None:
    port = free_port()
    is_over = False
    has_successor = asyncio.Event()
    count = 0

    async def keep_asking(first: int) -> None:
        nonlocal count
        while not is_over:
            if await asyncio.wait_for(ask(port, certificate, "/slow?seconds=0.05"), PATIENCE) != first:
                has_successor.set()
            count += 1

    async with running(program(certificate, port, "workers=2"), directory=tmp_path) as server:
        await ready(server, 2)
        first = await ask(port, certificate)
        slow = asyncio.create_task(ask(port, certificate, "/slow?seconds=5"))
        clients = [asyncio.create_task(keep_asking(first)) for _ in range(3)]
        server.send(signal.SIGHUP)
        # The successor accepts connections, although the worker before it has the port still.
        await asyncio.wait_for(has_successor.wait(), PATIENCE)
        assert not slow.done()
        assert await slow == first
        before = count
        await asyncio.sleep(1)
        is_over = True
        await asyncio.gather(*clients)
        assert count > before > 0
        assert await server.stop() == 0


# -- What is missing --------------------------------------------------------------------------------------------------


async def test_without_aioquic_one_is_told_what_to_install(
    app: Sanic[Any, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    from sanic.exceptions import ServerError

    monkeypatch.setitem(sys.modules, "aioquic", None)
    with pytest.raises(ServerError, match=r"pip install 'sanic\[http3\]'"):
        app.prepare(version=3, ssl={"cert": "a", "key": "b"})


async def test_the_command_line_says_in_one_line_what_to_install(tmp_path: Path, certificate: Certificate) -> None:
    (tmp_path / "sitecustomize.py").write_text("import sys\nsys.modules['aioquic'] = None\n")
    (tmp_path / "shop.py").write_text("from sanic import Sanic\napp = Sanic('shop')\n")
    options = ("--http", "3", "--cert", str(certificate.chain), "--key", str(certificate.key))
    path = os.pathsep.join([str(tmp_path), str(Path(__file__).parents[2])])
    arguments = (sys.executable, "-m", "sanic", "shop:app", *options)
    async with command(*arguments, directory=tmp_path, PYTHONPATH=path) as server:
        assert await server.end() == 1
        assert server.lines == ["HTTP/3 needs aioquic, which is not installed: pip install 'sanic[http3]'"]


async def test_a_certificate_that_cannot_be_used_is_named_in_one_line(tmp_path: Path) -> None:
    source = "app.run(port=0, version=3, single_process=True, ssl={'cert': 'missing.pem', 'key': 'missing.pem'})"
    async with running(source, directory=tmp_path) as server:
        assert await server.end() == 1
        (error,) = [line for line in server.lines if "ERROR" in line]
        assert "missing.pem cannot be read: No such file" in error
        assert "Traceback" not in server.output


async def test_what_http_3_could_not_keep_is_refused(app: Sanic[Any, Any], certificate: Certificate) -> None:
    app.add_route(lambda request: text("never"), "/")
    for option, message in (
        (ssl.create_default_context(), "HTTP/3 needs them: pass ssl="),
        ([None, certificate.option], "cannot refuse clients by"),
        ({**certificate.option, "client_ca": str(certificate.authority)}, "cannot ask clients for certificates"),
    ):
        with pytest.raises(ValueError, match=message):
            async with serving(app, certificate, ssl=option):
                pass


async def test_a_certificate_that_is_renewed_is_used(
    app: Sanic[Any, Any], certificate: Certificate, tmp_path: Path
) -> None:
    @app.get("/")
    async def index(request: Request) -> Any:
        return text("fine")

    (tmp_path / "new").mkdir()
    old, new = Certificate.make(tmp_path), Certificate.make(tmp_path / "new")
    async with serving(app, old, ssl=str(tmp_path)) as server, connected(server.port, old) as client:
        new.key.replace(old.key)
        new.chain.replace(old.chain)
        # Looked at once a second at most.
        await asyncio.sleep(1.1)
        async with connected(server.port, new) as later:
            assert (await later.get()).text == "fine"
        assert (await client.get()).text == "fine"


def test_tokens_are_good_for_one_address_and_some_seconds() -> None:
    tokens = RetryTokens()
    address = ("127.0.0.1", 1)
    token = tokens.make(address, b"original", b"retry", 100.0)
    assert tokens.check(address, b"retry", token, 130.0) == b"original"
    assert tokens.check(address, b"retry", token, 130.1) is None
    assert tokens.check(address, b"retry", token, 99.0) is None
    assert tokens.check(address, b"other", token, 100.0) is None
    assert tokens.check(("127.0.0.1", 2), b"retry", token, 100.0) is None
    assert tokens.check(address, b"retry", token[:-1], 100.0) is None
    assert tokens.check(address, b"retry", b"x", 100.0) is None
    assert RetryTokens().check(address, b"retry", token, 100.0) is None


async def test_http_3_comes_first_and_once(app: Sanic[Any, Any], certificate: Certificate) -> None:
    app.prepare(port=1)
    with pytest.raises(RuntimeError, match="prepare it first"):
        app.prepare(port=2, version=3, ssl=certificate.option)


async def test_a_port_in_use_is_named(app: Sanic[Any, Any], certificate: Certificate) -> None:
    @app.get("/")
    async def index(request: Request) -> Any:
        return text("fine")

    async with serving(app, certificate) as server:
        with pytest.raises(OSError, match=f"Address already in use: 127.0.0.1:{server.port}"):
            async with serving(app, certificate, port=server.port):
                pass


async def test_a_directory_and_a_password(
    app: Sanic[Any, Any], certificate: Certificate, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    from cryptography.hazmat.primitives.serialization import (
        BestAvailableEncryption,
        Encoding,
        PrivateFormat,
        load_pem_private_key,
    )

    @app.get("/")
    async def index(request: Request) -> Any:
        return text("fine")

    directory = str(certificate.chain.parent)
    async with serving(app, certificate, ssl=directory) as server, connected(server.port, certificate) as client:
        assert (await client.get()).text == "fine"
    key = load_pem_private_key(certificate.key.read_bytes(), None)
    secret = tmp_path / "secret.pem"
    secret.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"secret")))
    option = {"certificate": str(certificate.chain), "keyfile": str(secret), "password": "secret"}
    with caplog.at_level(logging.ERROR, "sanic"):
        async with serving(app, certificate, ssl=[option]) as server, connected(server.port, certificate) as client:
            assert (await client.get()).text == "fine"
        with pytest.raises(ValueError, match=r"password of .* is wrong"):
            async with serving(app, certificate, ssl={**option, "password": "wrong"}):
                pass
