"""Streamed downloads and uploads, side by side with another installation of Sanic.

    python benchmarks/streams.py --peer /path/to/other/python

Each round sends the same bodies to a fresh server of either side, in turn, so that what else happens on the machine
hits both alike. The client is a few plain sockets that cost next to nothing; with one alone, server and client spend
much of the time waking each other, which says little of either. Reported are the medians of the rounds: MiB
per second as the client sees it, and the CPU time of the server per MiB.
"""

from __future__ import annotations

import argparse
import json
import os
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager

MEBIBYTE = 2**20
PIECE = bytes(65536)


def serve() -> None:
    """The server; runs under the interpreter of either side, so it uses nothing but what both have."""
    from sanic import Sanic
    from sanic.response import json as as_json

    app = Sanic("streams")

    @app.get("/download/<size:int>/<piece:int>")
    async def download(request, size, piece):  # type: ignore[no-untyped-def]
        response = await request.respond(content_type="application/octet-stream")
        data = bytes(piece)
        for _ in range(size // piece):
            await response.send(data)
        await response.eof()

    @app.post("/upload", stream=True)
    async def upload(request):  # type: ignore[no-untyped-def]
        size = 0
        while (data := await request.stream.read()) is not None:
            size += len(data)
        return as_json(size)

    sock = socket.create_server(("127.0.0.1", 0), backlog=100)
    print(sock.getsockname()[1], flush=True)
    app.config.REQUEST_MAX_SIZE = 2**40
    app.run(sock=sock, single_process=True, access_log=False, motd=False)


@contextmanager
def server(python: str) -> Iterator[tuple[int, int]]:
    """A running server: its port and process id."""
    command = [python, os.path.abspath(__file__), "--serve"]
    with subprocess.Popen(command, cwd="/", stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        try:
            if process.stdout is None:
                raise RuntimeError("the server has no output")
            port = int(process.stdout.readline())
            wait_until_it_answers(port)
            with apart(process.pid):
                yield port, process.pid
        finally:
            process.terminate()
            process.wait(30)


@contextmanager
def apart(pid: int) -> Iterator[None]:
    """Give the server and this client a processor each.

    A server that is faster than its client sleeps often, and is woken by nearly each packet. The scheduler tends to
    move two that wake each other to one processor, where they take turns: then the rate tells nothing of the server.
    """
    processors = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_setaffinity") else []
    if len(processors) < 2:
        yield
        return
    os.sched_setaffinity(pid, processors[:1])
    os.sched_setaffinity(0, processors[1:])
    try:
        yield
    finally:
        os.sched_setaffinity(0, processors)


def wait_until_it_answers(port: int) -> None:
    with socket.create_connection(("127.0.0.1", port)) as sock:
        sock.settimeout(30)
        sock.sendall(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        while sock.recv(65536):
            pass


def cpu_seconds(pid: int) -> float:
    with open(f"/proc/{pid}/stat") as file:
        fields = file.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def download(sock: socket.socket, size: int, piece: int) -> None:
    sock.sendall(f"GET /download/{size}/{piece} HTTP/1.1\r\nHost: a\r\n\r\n".encode())
    buffer = bytearray(MEBIBYTE)
    end = b""
    while end != b"\r\n0\r\n\r\n":
        count = sock.recv_into(buffer)
        if not count:
            raise ConnectionError("the server has closed the connection")
        end = (end + buffer[max(0, count - 7) : count])[-7:]


def upload(sock: socket.socket, size: int, piece: int, chunked: bool) -> None:
    framing = "Transfer-Encoding: chunked" if chunked else f"Content-Length: {size}"
    sock.sendall(f"POST /upload HTTP/1.1\r\nHost: a\r\n{framing}\r\n\r\n".encode())
    data = b"%x\r\n%b\r\n" % (piece, bytes(piece)) if chunked else bytes(piece)
    # Small ones together, or the client would be what is measured.
    at_once = max(1, len(PIECE) // piece)
    data *= at_once
    for _ in range(size // piece // at_once):
        sock.sendall(data)
    if chunked:
        sock.sendall(b"0\r\n\r\n")
    answer = b""
    while not answer.endswith(str(size).encode()):
        received = sock.recv(65536)
        if not received:
            raise ConnectionError(f"the server has closed the connection: {answer!r}")
        answer += received


CASES = {
    "download, pieces of 64 KiB": lambda sock, size: download(sock, size, 65536),
    "download, pieces of 1 KiB": lambda sock, size: download(sock, size // 4, 1024),
    "upload of known length": lambda sock, size: upload(sock, size, 65536, chunked=False),
    "upload in chunks of 64 KiB": lambda sock, size: upload(sock, size, 65536, chunked=True),
    "upload in chunks of 1 KiB": lambda sock, size: upload(sock, size // 4, 1024, chunked=True),
}


def measure(python: str, case: str, size: int, connections: int) -> tuple[float, float]:
    """MiB per second, and milliseconds of CPU time per MiB."""
    sent = size // 4 if "1 KiB" in case else size
    with server(python) as (port, pid), ExitStack() as stack, ThreadPoolExecutor(connections) as threads:
        sockets = [stack.enter_context(socket.create_connection(("127.0.0.1", port))) for _ in range(connections)]
        for sock in sockets:
            sock.settimeout(120)
            CASES[case](sock, size // 8 // connections)
        cpu, begin = cpu_seconds(pid), time.perf_counter()
        list(threads.map(lambda sock: CASES[case](sock, size // connections), sockets))
        seconds = time.perf_counter() - begin
        return sent / MEBIBYTE / seconds, (cpu_seconds(pid) - cpu) * 1000 / (sent / MEBIBYTE)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--peer", help="Python interpreter that has the other Sanic installed")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--mebibytes", type=int, default=512, help="size of all bodies of a round together")
    parser.add_argument("--connections", type=int, default=4, help="how many bodies are on their way at once")
    parser.add_argument("--json", action="store_true", help="print the medians as JSON")
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        serve()
        return
    sides = {"ours": sys.executable}
    if options.peer:
        sides["peer"] = options.peer
    results: dict[str, dict[str, list[float]]] = {}
    for case in CASES:
        samples: dict[str, list[tuple[float, float]]] = {side: [] for side in sides}
        for _ in range(options.rounds):
            for side, python in sides.items():
                samples[side].append(measure(python, case, options.mebibytes * MEBIBYTE, options.connections))
        results[case] = {
            side: [statistics.median(values) for values in zip(*pairs, strict=True)] for side, pairs in samples.items()
        }
        if not options.json:
            line = f"{case:28}"
            for side, (rate, cpu) in results[case].items():
                line += f" | {side} {rate:7.0f} MiB/s {cpu:6.2f} ms CPU/MiB"
            if options.peer:
                line += f" | {results[case]['ours'][0] / results[case]['peer'][0]:.2f} times"
            print(line, flush=True)
    if options.json:
        print(json.dumps(results, indent=2))


if __name__ == "__main__":
    main()
