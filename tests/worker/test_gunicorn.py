"""The worker class for Gunicorn, as users start it: real Gunicorn, real sockets, real signals."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import ssl
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from textwrap import dedent
from urllib.parse import urlsplit

import httpx
import pytest
import trustme
import websockets
from gunicorn.config import Config as GunicornConfig

from tests.harness import read_response
from tests.processes import PATIENCE, Program, command, get
from tests.worker.load import steady_load

APP = """
import asyncio
import os
import time

from sanic import Sanic, text

app = Sanic("shop")


@app.get("/")
async def index(request):
    return text(str(os.getpid()))

"""

SETTINGS = GunicornConfig().settings
QUIET = ["--no-control-socket"] if "control_socket" in SETTINGS else []


@asynccontextmanager
async def gunicorn(
    directory: Path, source: str, *arguments: str, target: str = "server:app", bind: str = "127.0.0.1:0"
) -> AsyncIterator[Program]:
    (directory / "server.py").write_text(APP + dedent(source))
    async with command(
        sys.executable, "-m", "gunicorn", target, "-k", "sanic.worker.GunicornWorker", "-b", bind, *QUIET, *arguments,
        directory=directory,
    ) as program:  # fmt: skip
        try:
            yield program
        finally:
            # In order, so that no worker is left alone.
            with suppress(ProcessLookupError):
                program.send(signal.SIGTERM)
                await asyncio.wait_for(program.process.wait(), PATIENCE)


async def url_of(program: Program, workers: int = 1) -> str:
    urls = await program.line(r"Listening at: (\S+)")
    for _ in range(workers):
        await program.line("Worker ready")
    return urls.split(",")[0]


def address_of(url: str) -> tuple[str, int]:
    parts = urlsplit(url)
    return parts.hostname or "", parts.port or 0


async def ask(url: str, path: str, count: int = 1) -> list[bytes]:
    """The bodies of answers on one connection."""
    parts = urlsplit(url)
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
    bodies = []
    try:
        for _ in range(count):
            writer.write(f"GET {path} HTTP/1.1\r\nhost: {parts.netloc}\r\n\r\n".encode())
            bodies.append((await asyncio.wait_for(read_response(reader), PATIENCE)).body)
    finally:
        writer.close()
    return bodies


LISTENERS = """
for event in ("before_server_start", "after_server_start", "before_server_stop", "after_server_stop",
              "main_process_start", "reload_process_start"):
    def listen(app, event=event):
        print("listener", event, flush=True)
    app.register_listener(listen, event)


@app.get("/where")
async def where(request):
    return text(f"{request.conn_info.is_unix} {app.serve_location.split(':')[0]} {hasattr(app, 'm')}")
"""


async def test_every_bind_is_served_and_the_listeners_run_in_the_worker(tmp_path: Path) -> None:
    path = str(tmp_path / "s")
    async with gunicorn(tmp_path, LISTENERS, "-b", "127.0.0.1:0", "-b", f"unix:{path}") as program:
        urls = (await program.line(r"Listening at: (\S+)")).split(",")[:2]
        await program.line("Worker ready")
        assert urls[0] != urls[1]
        for url in urls:
            assert (await get(url, "/where")).text == "False http False"
        assert (await get("http://unix", "/where", unix=path)).text == "True http False"
        assert await program.stop() == 0
    assert re.findall("listener (\\w+)", program.output) == [
        "before_server_start",
        "after_server_start",
        "before_server_stop",
        "after_server_stop",
    ]
    assert "Listener main_process_start is ignored" in program.output
    assert "Listener reload_process_start is ignored" in program.output
    assert not [entry.name for entry in os.scandir(tmp_path) if entry.name == "s"]


FAULTS = {
    "a WSGI function": ("server:wsgi", 4, "server:wsgi is not a Sanic app: it is a function."),
    "a factory without parentheses": ("server:create", 4, "If it makes one, write 'server:create()'."),
    "a factory that makes no app": ("server:wsgi(1, 2)", 4, "server:wsgi(1, 2) is not a Sanic app: it is a list."),
    "a module that fails": ("broken:app", 3, "ZeroDivisionError"),
    "a listener that fails": ("failing:app", 3, "RuntimeError: no database"),
    "an app without routes": ("empty:app", 3, "Startup failed: empty cannot be served"),
}


@pytest.mark.parametrize(("target", "code", "message"), FAULTS.values(), ids=FAULTS)
async def test_an_app_that_cannot_be_served_ends_gunicorn_with_its_status_and_a_reason(
    tmp_path: Path, target: str, code: int, message: str
) -> None:
    (tmp_path / "broken.py").write_text("1 / 0\n")
    (tmp_path / "empty.py").write_text("from sanic import Sanic\napp = Sanic('empty')\n")
    (tmp_path / "failing.py").write_text(
        APP + "@app.before_server_start\nasync def fail(app):\n    raise RuntimeError('no database')\n"
    )
    source = """
    def create():
        return app

    class Callable(list):
        def __call__(self): ...

    def wsgi(environ, start_response):
        return Callable()
    """
    message = message.replace("a list", "a Callable")
    async with gunicorn(tmp_path, source, target=target) as program:
        assert await program.end() == code
    assert message in program.output
    assert ("Traceback" in program.output) == (target.split(":")[0] in ("broken", "failing"))
    if target == "failing:app":
        places = [line.strip() for line in program.output.splitlines() if line.lstrip().startswith('File "')]
        assert [place.partition('", ')[0] for place in places] == [f'File "{tmp_path / "failing.py"}']


async def test_a_factory_is_called_in_a_preloaded_program_and_settings_become_those_of_the_app(tmp_path: Path) -> None:
    source = """
    def create(name):
        @app.get("/settings")
        async def settings(request):
            config = app.config
            return text(f"{name} {config.KEEP_ALIVE} {config.GRACEFUL_SHUTDOWN_TIMEOUT} {config.ACCESS_LOG}")
        return app
    """
    arguments = ("--preload", "--keep-alive", "0", "--graceful-timeout", "7", "-w", "2", "--threads", "4")
    async with gunicorn(tmp_path, source, *arguments, target="server:create('made')") as program:
        host, port = address_of(await url_of(program, 2))
        reader, writer = await asyncio.open_connection(host, port)
        # Who takes a while to ask is waited for.
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(reader.read(1), 0.5)
        writer.write(b"GET /settings HTTP/1.1\r\nhost: a\r\n\r\n")
        response = await asyncio.wait_for(read_response(reader), PATIENCE)
        assert response.text == "made False 4.5 False"
        assert response.get("connection") == "close"
        writer.close()
        assert await program.stop() == 0
    assert "Without effect with sanic.worker.GunicornWorker: threads." in program.output


@pytest.mark.skipif("proxy_protocol" not in SETTINGS, reason="not in this Gunicorn")
async def test_what_our_server_does_not_speak_is_refused(tmp_path: Path) -> None:
    async with gunicorn(tmp_path, "", "--proxy-protocol") as program:
        assert await program.end() != 0
    assert "--proxy-protocol is not supported by sanic.worker.GunicornWorker" in program.output


SLOW = """
@app.get("/slow")
async def slow(request):
    print("slow begins", flush=True)
    await asyncio.sleep(0.5)
    return text("slow ends")


@app.get("/endless")
async def endless(request):
    print("slow begins", flush=True)
    await asyncio.sleep(60)


@app.websocket("/ws")
async def socket(request, ws):
    async for message in ws:
        await ws.send(message)


@app.after_server_stop
async def stopped(app):
    print("listeners ran", flush=True)
"""


async def test_term_lets_requests_finish_and_says_goodbye_to_websockets(tmp_path: Path) -> None:
    async with gunicorn(tmp_path, SLOW) as program:
        url = await url_of(program)
        worker = int((await get(url)).text)
        # Sent to the whole group, they are meant for the arbiter.
        for number in (signal.SIGHUP, signal.SIGUSR2, signal.SIGWINCH, signal.SIGTTIN, signal.SIGTTOU):
            os.kill(worker, number)
        async with websockets.connect(url.replace("http", "ws") + "/ws") as ws:
            await ws.send("hello")
            assert await ws.recv() == "hello"
            answer = asyncio.create_task(ask(url, "/slow"))
            await program.line("slow begins")
            program.send(signal.SIGTERM)
            with pytest.raises(websockets.ConnectionClosed) as closed:
                await ws.recv()
            assert closed.value.rcvd is not None
            assert closed.value.rcvd.code == 1001
        assert await answer == [b"slow ends"]
        assert await program.end() == 0
    assert "listeners ran" in program.output


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGQUIT])
async def test_int_and_quit_wait_for_no_request_but_run_the_listeners(tmp_path: Path, number: int) -> None:
    async with gunicorn(tmp_path, SLOW) as program:
        url = await url_of(program)
        answer = asyncio.create_task(ask(url, "/endless"))
        await program.line("slow begins")
        assert await program.stop(number, timeout=10) == 0
        with pytest.raises((asyncio.IncompleteReadError, ConnectionError)):
            await answer
    assert "listeners ran" in program.output


async def test_usr1_opens_log_files_again(tmp_path: Path) -> None:
    log = tmp_path / "access.log"
    async with gunicorn(tmp_path, "", "--access-logfile", str(log)) as program:
        url = await url_of(program)
        await get(url, "/?first")
        log.rename(tmp_path / "access.log.1")
        program.send(signal.SIGUSR1)
        await program.line("Handling signal: usr1")
        while not log.exists() or "/?later" not in log.read_text():
            await get(url, "/?later")
        assert await program.stop() == 0
    assert re.search(r"GET http://\S+/\?first 200", (tmp_path / "access.log.1").read_text())


async def test_workers_are_replaced_after_max_requests_without_a_lost_one(tmp_path: Path) -> None:
    arguments = ("--max-requests", "50", "--max-requests-jitter", "20", "-w", "2")
    async with gunicorn(tmp_path, "", *arguments) as program:
        host, port = address_of(await url_of(program, 2))
        async with steady_load(host, port) as load:
            while len(load.answers) < 4:
                await load.until(50)
        assert load.lost == []
        assert await program.stop() == 0
    assert "requests served (--max-requests)" in program.output


async def test_tls_is_that_of_gunicorns_settings_with_client_certificates_and_the_hook(tmp_path: Path) -> None:
    authority = trustme.CA()
    certificate = authority.issue_cert("localhost", "127.0.0.1")
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    certificate.private_key_pem.write_to_path(str(tmp_path / "key.pem"))
    for number, blob in enumerate(certificate.cert_chain_pems):
        blob.write_to_path(str(tmp_path / "cert.pem"), append=number > 0)
    (tmp_path / "settings.py").write_text(
        "import ssl\n\ndef ssl_context(conf, default):\n    context = default()\n"
        "    context.minimum_version = ssl.TLSVersion.TLSv1_3\n    return context\n"
    )
    arguments = ("--certfile", "cert.pem", "--keyfile", "key.pem", "--ca-certs", "ca.pem", "--cert-reqs", "2")
    async with gunicorn(tmp_path, "", *arguments, "-c", "settings.py") as program:
        url = await url_of(program)
        assert url.startswith("https://")
        context = ssl.create_default_context(cafile=str(tmp_path / "ca.pem"))
        async with httpx.AsyncClient(verify=context, trust_env=False) as stranger:
            with pytest.raises(httpx.TransportError):
                await stranger.get(url)
        authority.issue_cert("client.test").configure_cert(context)
        async with httpx.AsyncClient(verify=context, trust_env=False) as client:
            assert (await client.get(url)).status_code == 200
        context.maximum_version = ssl.TLSVersion.TLSv1_2
        async with httpx.AsyncClient(verify=context, trust_env=False) as old:
            with pytest.raises(httpx.TransportError):
                await old.get(url)
        assert await program.stop() == 0


async def test_without_gunicorn_the_package_is_there_and_the_worker_class_says_what_is_missing(tmp_path: Path) -> None:
    program = """
    import sys
    import sanic.worker
    assert "gunicorn" not in sys.modules and "sanic.worker.gunicorn" not in sys.modules
    sys.modules["gunicorn"] = None
    try:
        sanic.worker.GunicornWorker
    except ImportError as error:
        print(error)
    """
    async with command(sys.executable, "-c", dedent(program), directory=tmp_path) as process:
        assert await process.end() == 0
    assert "Install it: pip install 'sanic[gunicorn]'" in process.output


# -- Under load, and with patience -------------------------------------------------------------------------------------


@pytest.mark.e2e
async def test_a_hung_loop_is_shown_and_its_worker_replaced(tmp_path: Path) -> None:
    source = """
    @app.get("/hang")
    async def hang(request):
        time.sleep(100)
    """
    async with gunicorn(tmp_path, source, "--timeout", "2") as program:
        url = await url_of(program)
        before = (await get(url)).text
        with pytest.raises((asyncio.IncompleteReadError, ConnectionError)):
            await ask(url, "/hang")
        await program.line("WORKER TIMEOUT")
        await program.line("The event loop of worker .* stands")
        await program.line("in hang")
        await program.line("Worker ready")
        assert (await get(url)).text != before
        # A loop that turns is left alone, however long nothing is asked of it.
        await asyncio.sleep(5)
        assert await program.stop() == 0
    assert program.output.count("WORKER TIMEOUT") == 1


@pytest.mark.e2e
async def test_nothing_is_lost_when_the_fleet_is_reloaded_and_scaled_under_load(tmp_path: Path) -> None:
    async with gunicorn(tmp_path, "", "-w", "2") as program:
        host, port = address_of(await url_of(program, 2))
        async with steady_load(host, port, clients=8) as load:
            await load.until(200)
            for number in (signal.SIGHUP, signal.SIGTTIN, signal.SIGHUP, signal.SIGTTOU):
                known = set(load.answers)
                program.send(number)
                if number == signal.SIGTTOU:
                    await program.line("Worker exiting")
                else:
                    await program.line("Worker ready")
                    while set(load.answers) == known:
                        await load.until(50)
                await load.until(500)
        assert load.lost == []
        assert len(load.answers) >= 6
        assert await program.stop() == 0


@pytest.mark.e2e
async def test_nothing_is_lost_when_the_program_is_replaced(tmp_path: Path) -> None:
    async with gunicorn(tmp_path, "", "-w", "2") as program:
        host, port = address_of(await url_of(program, 2))
        successor = 0
        try:
            async with steady_load(host, port, clients=8) as load:
                await load.until(200)
                program.send(signal.SIGUSR2)
                successor = int(await program.line(r"\[(\d+)\] \[INFO\] Starting gunicorn"))
                for _ in range(2):
                    await program.line("Worker ready")
                program.send(signal.SIGTERM)
                await program.line("Shutting down: Master")
                await load.until(500)
            assert load.lost == []
        finally:
            if successor:
                os.kill(successor, signal.SIGTERM)
        # Its output ends with that of its successor.
        assert await program.end() == 0
        assert program.output.count("Shutting down: Master") == 2


@pytest.mark.e2e
async def test_the_graceful_timeout_bounds_the_end(tmp_path: Path) -> None:
    async with gunicorn(tmp_path, SLOW, "--graceful-timeout", "4") as program:
        url = await url_of(program)
        answer = asyncio.create_task(ask(url, "/endless"))
        await program.line("slow begins")
        assert await program.stop() == 0
        with pytest.raises((asyncio.IncompleteReadError, ConnectionError)):
            await answer
    assert "listeners ran" in program.output
    assert "SIGKILL" not in program.output
