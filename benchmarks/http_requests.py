"""CPU time of one request, side by side with a floor and with another installation of Sanic.

    python benchmarks/http_requests.py [--peer /path/to/other/python] [--rounds 5] [--seconds 2]

Three servers, each one process: this checkout, the floor (a bare httptools protocol on uvloop that answers with fixed
bytes), and the peer. In each round each of them is loaded in turn, over 64 connections, so that what else happens on
the machine hits all alike. Reported are the medians: requests per second, and microseconds of CPU time that the
serving process spent on each (from /proc, so it does not matter whether the client kept up).

The load comes from `wrk` where it is installed, else from a client in here that can do less.
"""

from __future__ import annotations

import argparse
import os
import re
import selectors
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

CONNECTIONS = 64
BODY = b'{"name": "ada", "numbers": [1, 2, 3]}'
HEADERS = b"Host: 127.0.0.1\r\n"
CASES = {
    "GET / text": b"GET / HTTP/1.1\r\n" + HEADERS + b"\r\n",
    "GET /hello/ada json": b"GET /hello/ada HTTP/1.1\r\n" + HEADERS + b"\r\n",
    "POST /echo json": b"POST /echo HTTP/1.1\r\n"
    + HEADERS
    + b"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(BODY)
    + BODY,
}
TICKS = os.sysconf("SC_CLK_TCK")


def serve_app() -> None:
    """The application, in the words that both installations understand."""
    from sanic import Sanic
    from sanic.response import json, text

    app = Sanic("http")

    @app.get("/")
    async def index(request):  # type: ignore[no-untyped-def]
        return text("Hello, World!")

    @app.get("/hello/<name>")
    async def hello(request, name):  # type: ignore[no-untyped-def]
        return json({"message": f"Hello {name}"})

    @app.post("/echo")
    async def echo(request):  # type: ignore[no-untyped-def]
        return json(request.json)

    sock = socket.create_server(("127.0.0.1", 0), backlog=1000)
    print(sock.getsockname()[1], flush=True)
    app.run(sock=sock, single_process=True, access_log=False, motd=False)


def serve_floor() -> None:
    """What no framework on this parser and this loop can be faster than."""
    import asyncio

    import httptools
    import uvloop

    head = b"HTTP/1.1 200 OK\r\ncontent-length: 13\r\nconnection: keep-alive\r\ncontent-type: text/plain\r\n\r\n"
    answer = head + b"Hello, World!"

    class Floor(asyncio.Protocol):
        def connection_made(self, transport):  # type: ignore[no-untyped-def]
            self.write = transport.write
            self.parser = httptools.HttpRequestParser(self)

        def data_received(self, data):  # type: ignore[no-untyped-def]
            self.parser.feed_data(data)

        def on_message_complete(self):  # type: ignore[no-untyped-def]
            self.write(answer)

    async def main() -> None:
        sock = socket.create_server(("127.0.0.1", 0), backlog=1000)
        print(sock.getsockname()[1], flush=True)
        server = await asyncio.get_running_loop().create_server(Floor, sock=sock)
        await server.serve_forever()

    uvloop.install()
    asyncio.run(main())


@contextmanager
def server(python: str, kind: str) -> Iterator[tuple[int, int]]:
    """A running server, on the first core: its port and process id."""
    command = [python, os.path.abspath(__file__), "--serve", kind]
    # Not in the checkout: the peer must not import it.
    with subprocess.Popen(command, cwd="/", stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        try:
            os.sched_setaffinity(process.pid, {min(os.sched_getaffinity(0))})
            assert process.stdout is not None  # noqa: S101
            port = int(process.stdout.readline())
            deadline = time.monotonic() + 20
            while True:
                try:
                    exchange(port, CASES["GET / text"])
                    break
                except OSError:
                    if time.monotonic() > deadline:
                        raise
                    time.sleep(0.05)
            yield port, process.pid
        finally:
            process.kill()


def exchange(port: int, request: bytes) -> bytes:
    """One request on a connection of its own."""
    with socket.create_connection(("127.0.0.1", port), timeout=5) as sock:
        sock.sendall(request)
        answer = sock.recv(65536)
        if not answer.startswith(b"HTTP/1.1 200"):
            raise OSError(f"not an answer: {answer!r}")
        return answer


def cpu_seconds(pid: int) -> float:
    """What a process has used of the processors."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def load(port: int, request: bytes, seconds: int) -> int:
    """Keep 64 connections busy for a while, from another core than the server's; the number of requests answered."""
    cores = sorted(os.sched_getaffinity(0))
    if shutil.which("wrk"):
        return load_with_wrk(port, request, seconds, cores[-1])
    os.sched_setaffinity(0, {cores[-1]})
    try:
        return load_from_here(port, request, seconds)
    finally:
        os.sched_setaffinity(0, cores)


def load_with_wrk(port: int, request: bytes, seconds: float, core: int) -> int:
    """The same with wrk."""
    head, _, body = request.decode().partition("\r\n\r\n")
    line, *fields = head.split("\r\n")
    method, path, _ = line.split(" ")
    headers = [item for field in fields if not field.startswith("Content-Length") for item in ("-H", field)]
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as script:
        script.write(f"wrk.method = '{method}'\n")
        if body:
            script.write(f"wrk.body = '{body}'\n")
        script.flush()
        command = ["taskset", "-c", str(core), "wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", "-s", script.name]
        output = subprocess.run(
            [*command, *headers, f"http://127.0.0.1:{port}{path}"], check=True, capture_output=True, text=True
        ).stdout
    if "Non-2xx" in output or "Socket errors" in output:
        raise SystemExit(output)
    found = re.search(r"(\d+) requests in", output)
    if found is None:
        raise SystemExit(output)
    return int(found[1])


def load_from_here(port: int, request: bytes, seconds: int) -> int:
    """The same without wrk; every answer is taken for one read, which holds for answers as small as these."""
    selector = selectors.DefaultSelector()
    for _ in range(CONNECTIONS):
        sock = socket.create_connection(("127.0.0.1", port))
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        selector.register(sock, selectors.EVENT_READ)
        sock.sendall(request)
    count = 0
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        for key, _ in selector.select(1):
            sock = key.fileobj  # type: ignore[assignment]
            if not sock.recv(65536).startswith(b"HTTP/1.1 200"):
                raise SystemExit("a request failed")
            sock.send(request)
            count += 1
    for key in list(selector.get_map().values()):
        key.fileobj.close()  # type: ignore[union-attr]
    return count


def main() -> None:
    """Measure and report."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--peer", help="interpreter of the other installation")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=2)
    parser.add_argument("--case", choices=CASES, action="append", help="default all of them")
    parser.add_argument("--serve", choices=("app", "floor"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        (serve_app if options.serve == "app" else serve_floor)()
        return
    sides = {"this": (sys.executable, "app"), "floor": (sys.executable, "floor")}
    if options.peer:
        sides["peer"] = (options.peer, "app")
    print(f"{'':22}{'':8}{'requests/s':>12}{'CPU us':>9}")
    for name, request in CASES.items():
        if options.case and name not in options.case:
            continue
        rates: dict[str, list[float]] = {side: [] for side in sides}
        costs: dict[str, list[float]] = {side: [] for side in sides}
        for _ in range(options.rounds):
            for side, (python, kind) in sides.items():
                with server(python, kind) as (port, pid):
                    load(port, request, 1)
                    before, begin = cpu_seconds(pid), time.monotonic()
                    count = load(port, request, options.seconds)
                    costs[side].append((cpu_seconds(pid) - before) / count * 1e6)
                    rates[side].append(count / (time.monotonic() - begin))
        for side in sides:
            rate, cost = statistics.median(rates[side]), statistics.median(costs[side])
            ratio = "" if side == "this" else f"   this is {statistics.median(rates['this']) / rate:.2f} x"
            print(f"{name:22}{side:8}{rate:12,.0f}{cost:9.2f}{ratio}")
            name = ""


if __name__ == "__main__":
    main()
