"""What is known of a connection, over real sockets."""

from __future__ import annotations

import asyncio
import socket
import ssl
import subprocess
import sys

import pytest

from sanic.models.server_types import ConnInfo, Signal


class Server(asyncio.Protocol):
    """Keeps the transport of the connection it gets."""

    def __init__(self):
        self.connected = asyncio.get_running_loop().create_future()
        self.lost = asyncio.get_running_loop().create_future()

    def connection_made(self, transport):
        self.connected.set_result(transport)

    def connection_lost(self, exc):
        self.lost.set_result(None)


@pytest.mark.parametrize(("family", "host"), [(socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")])
async def test_tcp_connections_know_both_ends(family, host):
    loop = asyncio.get_running_loop()
    protocol = Server()
    try:
        server = await loop.create_server(lambda: protocol, host, 0, family=family)
    except OSError:
        pytest.skip(f"{host} cannot be used on this machine")
    port = server.sockets[0].getsockname()[1]
    client, _ = await loop.create_connection(asyncio.Protocol, host, port)
    info = ConnInfo(await protocol.connected)
    shown = f"[{host}]" if ":" in host else host
    assert info.client_ip == host
    assert info.client == shown
    assert info.client_port == client.get_extra_info("sockname")[1]
    assert info.peername == client.get_extra_info("sockname")
    assert info.sockname == client.get_extra_info("peername")
    assert info.server == f"{shown}:{port}"
    assert info.server_port == port
    assert info.server_name == ""
    assert info.ssl is False
    assert info.cert == {}
    assert info.network_paths is None
    client.close()
    await protocol.lost
    server.close()


async def test_unix_connections_know_the_path(tmp_path):
    loop = asyncio.get_running_loop()
    protocol = Server()
    path = str(tmp_path / "s")
    server = await loop.create_unix_server(lambda: protocol, path)
    client, _ = await loop.create_unix_connection(asyncio.Protocol, path)
    transport = await protocol.connected
    assert ConnInfo(transport).server == path
    info = ConnInfo(transport, unix="/configured")
    assert info.server == "/configured"
    assert info.sockname == path
    assert (info.client, info.client_ip, info.client_port, info.server_port) == ("", "", 0, 0)
    assert info.peername is None
    client.close()
    await protocol.lost
    server.close()


async def test_an_unnamed_socket_pair_and_its_end_are_no_errors():
    loop = asyncio.get_running_loop()
    ours, theirs = socket.socketpair()
    transport, protocol = await loop.create_connection(Server, sock=ours)
    info = ConnInfo(transport)
    transport.close()
    await protocol.lost
    theirs.close()
    assert (info.client, info.server, info.peername, info.sockname) == ("", "", None, None)
    assert (info.client_port, info.server_port, info.server_name, info.cert, info.ssl) == (0, 0, "", {}, False)


UVLOOP_CLOSED = """
import asyncio, uvloop
from sanic.models.server_types import ConnInfo
class Server(asyncio.Protocol):
    def connection_made(self, transport):
        done.info = ConnInfo(transport)
        transport.abort()
    def connection_lost(self, exc):
        done.set_result(None)
class Future(asyncio.Future):
    info = None
async def main():
    global done
    done = Future()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Server, "127.0.0.1", 0)
    await loop.create_connection(asyncio.Protocol, *server.sockets[0].getsockname())
    await done
    info = done.info
    repr(info), info.client, info.server, info.cert, info.network_paths, info.server_name
uvloop.run(main())
"""


def test_a_closed_transport_of_uvloop_is_no_error():
    pytest.importorskip("uvloop")
    subprocess.run([sys.executable, "-c", UVLOOP_CLOSED], check=True, timeout=30)


class Transport(asyncio.BaseTransport):
    """A transport without socket, such as ASGI has."""


def test_a_transport_without_socket_knows_nothing():
    info = ConnInfo(Transport())
    assert (info.client, info.client_ip, info.client_port, info.peername) == ("", "", 0, None)
    assert (info.server, info.server_port, info.sockname, info.ssl) == ("", 0, None, False)


@pytest.mark.parametrize(
    ("port", "is_tls", "server"),
    [(80, False, "9.9.9.9"), (443, False, "9.9.9.9:443"), (443, True, "9.9.9.9"), (80, True, "9.9.9.9:80")],
)
def test_the_usual_port_is_left_out(port, is_tls, server):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls = context.wrap_bio(ssl.MemoryBIO(), ssl.MemoryBIO(), server_side=True) if is_tls else None
    info = ConnInfo(Transport({"sockname": ("9.9.9.9", port), "ssl_object": tls}))
    assert info.ssl is is_tls
    assert info.server == server


class Context(ssl.SSLContext):
    """A context that remembers where its certificate came from."""

    sanic: dict


def test_tls_connections_know_name_and_certificate_but_not_the_password():
    context = Context(ssl.PROTOCOL_TLS_SERVER)
    context.sanic = {"cert": "c.pem", "key": "k.pem", "password": "secret", "names": ["a.b"], "extra": 1}
    tls = context.wrap_bio(ssl.MemoryBIO(), ssl.MemoryBIO(), server_side=True)
    tls.sanic_server_name = "a.b"
    info = ConnInfo(Transport({"ssl_object": tls}))
    assert info.server_name == "a.b"
    assert info.cert == {"cert": "c.pem", "key": "k.pem", "names": ["a.b"], "extra": 1}
    assert "secret" not in repr(info)


def test_network_paths_come_from_the_transport():
    assert ConnInfo(Transport({"network_paths": ["path"]})).network_paths == ["path"]


def test_requests_of_a_connection_share_its_namespace():
    info = ConnInfo(Transport())
    info.ctx.user = "ada"
    assert info.ctx.user == "ada"
    assert ConnInfo(Transport()).ctx is not info.ctx


def test_a_connection_can_be_marked_lost():
    info = ConnInfo(Transport())
    assert info.lost is False
    info.lost = True
    assert info.lost is True


def test_a_server_can_signal_that_it_stops():
    signal = Signal()
    assert signal.stopped is False
    signal.stopped = True
    assert Signal().stopped is False
