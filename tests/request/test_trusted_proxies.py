"""Whose word about the client is believed: `TRUSTED_PROXIES`, over sockets, under ASGI, and against forgery."""

from __future__ import annotations

import logging
import pickle
import re
import subprocess
import sys
from ipaddress import ip_address, ip_network
from json import loads
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from sanic import Request, Sanic, json
from sanic.config import Config
from sanic.helpers import _default
from sanic.models.protocol_types import TransportProtocol
from sanic.models.server_types import ConnInfo
from tests.asgi.driver import ask, body, http_scope
from tests.harness import serving
from tests.request.tools import make_request

PROXY = "10.0.0.1"
UNIX = "unix"


def request_from(app: Sanic[Any, Any], peer: str, headers: Any = ()) -> Request[Any, Any]:
    """A request that a peer has sent: an address, `unix`, or `""` for one that is gone."""
    extra = {UNIX: {"sockname": "/run/app.sock"}, "": {}}.get(
        peer, {"peername": (peer, 1), "sockname": ("10.0.0.9", 2)}
    )
    request = make_request(app, headers=headers)
    request.conn_info = ConnInfo(TransportProtocol(extra))
    return request


# Who is trusted


@pytest.mark.parametrize(
    ("trusted", "peer", "is_trusted"),
    [
        ("10.0.0.1", "10.0.0.1", True),
        ("10.0.0.1", "10.0.0.2", False),
        ("10.0.0.1", "unix", False),
        ("10.0.0.0/8", "10.255.255.255", True),
        ("10.0.0.0/8", "11.0.0.0", False),
        ("10.0.0.0/8", "9.255.255.255", False),
        ("10.0.0.1/32", "10.0.0.1", True),
        ("0.0.0.0/0", "203.0.113.7", True),
        ("0.0.0.0/0", "2001:db8::1", False),
        ("::/0", "203.0.113.7", False),
        ("::/0", "2001:db8::1", True),
        ("2001:db8::/32", "2001:db8:ffff::1", True),
        ("2001:db8::/32", "2001:db9::1", False),
        ("2001:DB8:0:0::1", "2001:db8::1", True),
        # What listens on both kinds of addresses sees IPv4 as IPv6 (RFC 4291 section 2.5.5.2).
        ("10.0.0.0/8", "::ffff:10.0.0.1", True),
        ("10.0.0.1", "::ffff:10.0.0.1", True),
        ("10.0.0.1", "::FFFF:0A00:0001", True),
        ("::ffff:10.0.0.0/104", "10.0.0.1", True),
        ("::ffff:10.0.0.1", "10.0.0.1", True),
        ("::ffff:10.0.0.1", "::ffff:10.0.0.2", False),
        ("::/0", "::ffff:10.0.0.1", False),
        # A link-local address has a zone (RFC 4007 section 11).
        ("fe80::/10", "fe80::1%eth0", True),
        ("fe80::1", "fe80::1%2", True),
        ("fe80::1", "fe80::2%2", False),
        ("unix", "unix", True),
        ("unix", "127.0.0.1", False),
        # A connection that has been cut has no address: that makes it no unix socket.
        ("unix", "", False),
        ("unix,0.0.0.0/0,::/0", "", False),
        (" 10.0.0.1 , UNIX,", "unix", True),
        (" 10.0.0.1 , UNIX,", "10.0.0.1", True),
        ("", "10.0.0.1", False),
        ("", "unix", False),
        ([], "10.0.0.1", False),
        (["10.0.0.1", "192.0.2.0/24"], "192.0.2.9", True),
        (("10.0.0.1",), "10.0.0.1", True),
        ({ip_address("10.0.0.1")}, "10.0.0.1", True),
        (ip_address("10.0.0.1"), "10.0.0.1", True),
        (ip_network("10.0.0.0/30"), "10.0.0.3", True),
        (ip_network("10.0.0.0/30"), "10.0.0.4", False),
        (["10.0.0.0/9", "10.128.0.0/9"], "10.200.0.1", True),
    ],
)
def test_forwarded_headers_are_believed_of_trusted_peers_only(
    app: Any, trusted: Any, peer: str, is_trusted: bool
) -> None:
    app.config.TRUSTED_PROXIES = trusted
    app.config.REAL_IP_HEADER = "X-Real-IP"
    request = request_from(app, peer, {"Host": "real", "X-Real-IP": "5.6.7.8", "X-Forwarded-Host": "told"})

    assert (request.remote_addr, request.host) == (("5.6.7.8", "told") if is_trusted else ("", "real"))


@pytest.mark.parametrize("unset", [None, _default])
def test_everyone_is_trusted_with_what_is_configured_when_nobody_is_named(app: Any, unset: Any) -> None:
    app.config.TRUSTED_PROXIES = unset
    app.config.REAL_IP_HEADER = "X-Real-IP"

    for peer in ("203.0.113.7", UNIX, ""):
        assert request_from(app, peer, {"X-Real-IP": "5.6.7.8"}).remote_addr == "5.6.7.8"


def test_without_trust_nothing_is_looked_at(app: Any) -> None:
    app.config.TRUSTED_PROXIES = None

    assert request_from(app, PROXY, {"X-Forwarded-For": "5.6.7.8"}).forwarded == {}


# The rules of the other keys, for trusted peers

EVERYTHING = {
    "Host": "real",
    "Forwarded": "for=6.6.6.6;host=secret;secret=s",
    "X-Real-IP": "5.5.5.5",
    "X-Forwarded-For": "3.3.3.3, 4.4.4.4, 10.0.0.2",
    "X-Forwarded-Host": "told",
}


@pytest.mark.parametrize(
    ("keys", "address", "host"),
    [
        ({"FORWARDED_SECRET": "s"}, "6.6.6.6", "secret"),
        ({"FORWARDED_SECRET": "other"}, "", "real"),
        ({"FORWARDED_SECRET": "other", "REAL_IP_HEADER": "X-Real-IP"}, "5.5.5.5", "told"),
        ({"REAL_IP_HEADER": "X-Real-IP", "PROXIES_COUNT": 1}, "5.5.5.5", "told"),
        ({"REAL_IP_HEADER": "X-Other"}, "", "real"),
        ({"PROXIES_COUNT": 1}, "10.0.0.2", "told"),
        ({"PROXIES_COUNT": 3}, "3.3.3.3", "told"),
        ({"PROXIES_COUNT": 4}, "", "real"),
        ({"PROXIES_COUNT": 0}, "", "real"),
        ({}, "4.4.4.4", "told"),
        ({"FORWARDED_FOR_HEADER": "X-Real-IP"}, "5.5.5.5", "told"),
        ({"FORWARDED_FOR_HEADER": "X-Other"}, "", "real"),
        ({"FORWARDED_FOR_HEADER": "Forwarded"}, "6.6.6.6", "secret"),
    ],
)
def test_what_a_trusted_peer_says_is_read_by_the_rules_of_the_configuration(
    app: Any, keys: dict[str, Any], address: str, host: str
) -> None:
    app.config.update(keys, TRUSTED_PROXIES="10.0.0.0/8")

    trusted, stranger = (request_from(app, peer, EVERYTHING) for peer in (PROXY, "203.0.113.7"))
    assert (trusted.remote_addr, trusted.host, trusted.client_ip) == (address, host, address or PROXY)
    assert (stranger.forwarded, stranger.host, stranger.client_ip) == ({}, "real", "203.0.113.7")


# The client is the first from the right that is no proxy of ours


@pytest.mark.parametrize(
    ("values", "address"),
    [
        (["203.0.113.7"], "203.0.113.7"),
        # Whatever a client writes stands left of its own address.
        (["10.0.0.1, 203.0.113.7"], "203.0.113.7"),
        (["127.0.0.1, unix:, ::1, 203.0.113.7, 10.0.0.2"], "203.0.113.7"),
        (["6.6.6.6", "203.0.113.7, 10.0.0.2", "10.0.0.3"], "203.0.113.7"),
        # A client of the trusted network itself.
        (["10.0.0.3, 10.0.0.2"], "10.0.0.3"),
        (["10.0.0.3"], "10.0.0.3"),
        # Ports, brackets, mapped addresses.
        (["203.0.113.7:4711, 10.0.0.2:80"], "203.0.113.7"),
        (["6.6.6.6, 2001:db8::7, [2001:db9::1]:443, 2001:db9::2"], "[2001:db8::7]"),
        (["6.6.6.6, [2001:DB8::7]:4711, [2001:db9::1]"], "[2001:db8::7]"),
        (["203.0.113.7, ::ffff:10.0.0.2, [::ffff:10.0.0.3]:99"], "203.0.113.7"),
        (["6.6.6.6, ::ffff:203.0.113.7"], "[::ffff:203.0.113.7]"),
        # Nobody vouches for what stands left of a name that is no address.
        (["6.6.6.6, _hidden, 10.0.0.2"], "_hidden"),
        (["6.6.6.6, _hidden:_port"], "_hidden:_port"),
        (["6.6.6.6, unknown, 10.0.0.2"], ""),
        (["6.6.6.6, 10.0.0.2.example"], "10.0.0.2.example"),
        (["6.6.6.6, 10.0.0.1:99999999"], "10.0.0.1:99999999"),
        (["6.6.6.6, 10.0.0.1%eth0:80"], "10.0.0.1%eth0:80"),
        (["6.6.6.6, 010.0.0.1"], "010.0.0.1"),
        (["6.6.6.6, 167772161"], "167772161"),
        (["6.6.6.6, unix:"], "unix:"),
        ([" , ", ",,203.0.113.7,, "], "203.0.113.7"),
        ([""], ""),
        ([], ""),
    ],
)
def test_the_rightmost_stranger_in_x_forwarded_for_is_the_client(app: Any, values: list[str], address: str) -> None:
    app.config.TRUSTED_PROXIES = ["10.0.0.0/8", "2001:db9::/32"]
    request = request_from(app, PROXY, [("X-Forwarded-For", value) for value in values])

    assert request.remote_addr == address


def test_a_proxy_before_a_unix_socket_is_passed_by(app: Any) -> None:
    app.config.TRUSTED_PROXIES = "unix"

    assert request_from(app, UNIX, {"X-Forwarded-For": "6.6.6.6, 203.0.113.7, unix:"}).remote_addr == "203.0.113.7"


def test_the_other_x_forwarded_headers_are_believed_with_the_address(app: Any) -> None:
    app.config.TRUSTED_PROXIES = PROXY
    more = {
        "Host": "inner",
        "X-Forwarded-Proto": "https",
        "X-Forwarded-Host": "shop.example",
        "X-Forwarded-Port": "8443",
        "X-Forwarded-Path": "/shop",
    }

    request = request_from(app, PROXY, {"X-Forwarded-For": "203.0.113.7", **more})
    assert (request.scheme, request.host, request.server_port) == ("https", "shop.example", 8443)
    assert request.server_path == "/shop"
    assert request_from(app, PROXY, more).forwarded == {}
    assert request_from(app, "10.0.0.2", {"X-Forwarded-For": "203.0.113.7", **more}).url == "http://inner/path"


def test_of_a_header_that_comes_twice_the_line_of_the_proxy_counts(app: Any) -> None:
    app.config.TRUSTED_PROXIES = PROXY
    names = ("X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Host", "X-Forwarded-Port", "X-Forwarded-Path")
    forged = [*zip(names, ("6.6.6.6", "ftp", "evil", "1", "/evil"), strict=True), ("X-Real-IP", "6.6.6.6")]
    added = [*zip(names, ("203.0.113.7", "https", "shop", "444", "/shop"), strict=True), ("X-Real-IP", "203.0.113.7")]
    told = {"for": "203.0.113.7", "proto": "https", "host": "shop", "port": 444, "path": "/shop"}

    assert request_from(app, PROXY, forged + added).forwarded == told
    app.config.REAL_IP_HEADER = "X-Real-IP"
    assert request_from(app, PROXY, forged + added).forwarded == told


PAGE = Path(__file__).parents[2] / "docs" / "proxies.md"
ROW = re.compile(r"^\| `([0-9.]+)` \| (?:`([^`]*)` )?\| `([0-9.]+)` \|$", re.MULTILINE)


@pytest.mark.parametrize(("peer", "value", "address"), ROW.findall(PAGE.read_text()))
def test_the_table_of_the_documentation_is_true(app: Any, peer: str, value: str, address: str) -> None:
    app.config.TRUSTED_PROXIES = ["10.0.0.0/8", "2001:db8::1", "unix"]

    assert request_from(app, peer, {"X-Forwarded-For": value} if value else {}).client_ip == address


# The same with Forwarded (RFC 7239)


@pytest.mark.parametrize(
    ("header", "forwarded"),
    [
        ("for=203.0.113.7;proto=https;host=shop", {"for": "203.0.113.7", "proto": "https", "host": "shop"}),
        ('for=6.6.6.6;host=evil, for="203.0.113.7:4711";host=shop', {"for": "203.0.113.7", "host": "shop"}),
        (
            'for=6.6.6.6, for="[2001:db8::7]:_p";proto=https, for=10.0.0.2;proto=http',
            {"for": "[2001:db8::7]", "proto": "https"},
        ),
        ("for=203.0.113.7;host=a, for=10.0.0.3;host=b, for=10.0.0.2;host=c", {"for": "203.0.113.7", "host": "a"}),
        ("for=10.0.0.3;host=b, for=10.0.0.2;host=c", {"for": "10.0.0.3", "host": "b"}),
        ("for=6.6.6.6, for=_hidden;proto=https, for=10.0.0.2", {"for": "_hidden", "proto": "https"}),
        ("for=6.6.6.6, for=unknown;proto=https, for=10.0.0.2", {"proto": "https"}),
        ("for=6.6.6.6, proto=https", {"proto": "https"}),
        # A client cannot swallow what the proxy adds, nor add to it.
        ('for=6.6.6.6;host=", for=203.0.113.7;host=shop', {"for": "203.0.113.7", "host": "shop"}),
        ("for=10.0.0.2;host=evil, for=203.0.113.7", {"for": "203.0.113.7"}),
        ("for=203.0.113.7;host=evil;for=203.0.113.8;host=shop", {"for": "203.0.113.8", "host": "shop"}),
        # Nobody vouches for what stands left of something malformed, such as IPv6 without quotation marks.
        ("for=6.6.6.6, for=::1", {}),
        ("for=6.6.6.6, for=2001:db8::7;proto=https", {"proto": "https"}),
        ("for=6.6.6.6;b0rked;for=10.0.0.2;proto=https", {"for": "10.0.0.2", "proto": "https"}),
        ("for=6.6.6.6, b0rked, for=10.0.0.2", {"for": "10.0.0.2"}),
        ("for=6.6.6.6, , for=10.0.0.2,", {"for": "6.6.6.6"}),
        ("", {}),
    ],
)
def test_the_rightmost_stranger_in_forwarded_is_the_client(app: Any, header: str, forwarded: dict[str, str]) -> None:
    app.config.TRUSTED_PROXIES = "10.0.0.0/8"
    app.config.FORWARDED_FOR_HEADER = "forwarded"

    # What else the client has sent is of no account.
    more = {"X-Forwarded-For": "6.6.6.6", "X-Forwarded-Host": "evil", "X-Scheme": "ftp"}
    assert request_from(app, PROXY, {"Forwarded": header, **more}).forwarded == forwarded


def test_forwarded_is_not_looked_at_unless_it_is_named(app: Any) -> None:
    app.config.TRUSTED_PROXIES = PROXY

    # A proxy that writes X-Forwarded-For hands the client's own Forwarded on.
    assert request_from(app, PROXY, {"Forwarded": "for=6.6.6.6"}).forwarded == {}


ANYTHING = st.text(
    st.sampled_from('for=by;,"\\ \t:[]_1.0/aé%') | st.characters(min_codepoint=32, max_codepoint=126), max_size=40
)


@settings(deadline=None)
@given(ANYTHING, st.booleans())
@example('for=6.6.6.6;x="', False)
@example('for="', True)
@example("10.0.0.1,", False)
def test_whatever_a_client_writes_before_the_proxy_is_of_no_account(written: str, is_own_line: bool) -> None:
    app: Any = SimpleNamespace(config=Config({"TRUSTED_PROXIES": "10.0.0.0/8"}, env_prefix=None))
    for name, added, told in (
        ("X-Forwarded-For", "203.0.113.7", {"for": "203.0.113.7"}),
        ("Forwarded", "for=203.0.113.7;proto=https", {"for": "203.0.113.7", "proto": "https"}),
        ("Forwarded", 'proto=https;for="[2001:db8::7]:47"', {"for": "[2001:db8::7]", "proto": "https"}),
    ):
        app.config.FORWARDED_FOR_HEADER = name
        # A proxy appends to the line of the client, or adds one.
        lines = [written, added] if is_own_line else [f"{written}, {added}"]
        request = request_from(app, PROXY, [(name, line) for line in lines])
        assert request.forwarded == told


# The configuration


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (
            "localhost",
            "TRUSTED_PROXIES cannot contain 'localhost'; each item is an IP address without a port, a network",
        ),
        ("*", "cannot contain '\\*'"),
        ("10.0.0.1:80", "cannot contain '10.0.0.1:80'"),
        ("[::1]", "cannot contain '\\[::1\\]'"),
        ("10.0.0.1 10.0.0.2", "cannot contain '10.0.0.1 10.0.0.2'"),
        ("10.0.0.0/33", "cannot contain '10.0.0.0/33'"),
        (
            "127.0.0.1, 10.0.0.5/8",
            "'10.0.0.5/8'; write '10.0.0.0/8' for the network, or '10.0.0.5' for the one address",
        ),
        (["10.0.0.1", 1], "cannot contain 1;"),
        ([None], "cannot contain None;"),
        (1, "TRUSTED_PROXIES cannot be 1; it is a list"),
        (True, "cannot be True"),
        (b"10.0.0.1", "cannot be b'10.0.0.1'"),
        ({"10.0.0.1": 1}, "cannot be {'10.0.0.1': 1}"),
    ],
)
def test_what_names_no_proxy_is_refused_where_it_is_written(value: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Config(env_prefix=None).TRUSTED_PROXIES = value


def test_the_environment_may_name_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SANIC_TRUSTED_PROXIES", "10.0.0.0/8, 127.0.0.1,unix")
    config = Config()
    assert config.TRUSTED_PROXIES.entries == ("10.0.0.0/8", "127.0.0.1", "unix")
    assert pickle.loads(pickle.dumps(config.TRUSTED_PROXIES)) == config.TRUSTED_PROXIES
    assert repr(config.TRUSTED_PROXIES) == "TrustedProxies(['10.0.0.0/8', '127.0.0.1', 'unix'])"
    other = Config({"TRUSTED_PROXIES": config.TRUSTED_PROXIES}, env_prefix=None)
    assert {other.TRUSTED_PROXIES} == {config.TRUSTED_PROXIES}

    # Not the number 127, and no truth word.
    for text in ("127", "yes"):
        monkeypatch.setenv("SANIC_TRUSTED_PROXIES", text)
        with pytest.raises(ValueError, match=f"cannot contain '{text}'"):
            Config()


def test_nothing_is_loaded_for_an_app_without_proxies() -> None:
    script = (
        "import sys, sanic; app = sanic.Sanic('a'); print('sanic.headers.proxies' in sys.modules);"
        "app.config.TRUSTED_PROXIES = 'unix'; print('sanic.headers.proxies' in sys.modules)"
    )
    result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=30)
    assert result.stdout.split() == ["False", "True"]


# Over real connections


def tell(app: Any) -> Any:
    @app.get("/")
    async def handler(request: Request[Any, Any]) -> Any:
        return json([request.remote_addr, request.client_ip, request.url_for("handler")])

    return app


FORGED = {"Host": "real.example", "X-Forwarded-For": "5.6.7.8", "X-Forwarded-Proto": "https", "X-Forwarded-Host": "a.b"}
BELIEVED = ["5.6.7.8", "5.6.7.8", "https://a.b/"]


@pytest.mark.parametrize(
    ("trusted", "over_tcp", "over_unix"),
    [
        ("127.0.0.1", True, False),
        ("unix", False, True),
        ("unix,127.0.0.0/8", True, True),
        ("10.0.0.0/8", False, False),
    ],
)
async def test_the_socket_tells_who_the_peer_is(
    app: Any, tmp_path: Path, trusted: str, over_tcp: bool, over_unix: bool
) -> None:
    tell(app).config.TRUSTED_PROXIES = trusted
    async with serving(app) as server:
        answer = (await server.get(headers=FORGED)).json()
    assert answer == (BELIEVED if over_tcp else ["", "127.0.0.1", "http://real.example/"])

    async with serving(app, unix=str(tmp_path / "s")) as server:
        answer = (await server.get(headers=FORGED)).json()
    assert answer == (BELIEVED if over_unix else ["", "", "http://real.example/"])


@pytest.mark.parametrize(("trusted", "host"), [("unix", r"5\.6\.7\.8"), ("127.0.0.1", r"[0-9a-f]{8}unx")])
async def test_the_access_log_names_the_client_behind_a_unix_socket(
    app: Any, tmp_path: Path, caplog: pytest.LogCaptureFixture, trusted: str, host: str
) -> None:
    tell(app).config.TRUSTED_PROXIES = trusted
    with caplog.at_level(logging.INFO, "sanic.access"):
        async with serving(app, unix=str(tmp_path / "s"), access_log=True) as server:
            await server.get(headers=FORGED)

    [record] = [record for record in caplog.records if record.name == "sanic.access"]
    assert re.fullmatch(host, record.__dict__["host"])


@pytest.mark.parametrize(
    ("client", "server", "trusted"),
    [
        (("10.0.0.1", 5), ("10.0.0.9", 80), "10.0.0.1"),
        (["10.0.0.1", 5], ["10.0.0.9", 80], "10.0.0.1"),
        (("::ffff:10.0.0.1", 5), ("::", 80), "10.0.0.1"),
        # What servers say of unix sockets: uvicorn; granian; hypercorn and daphne.
        (None, ("/run/app.sock", None), "unix"),
        (("", "0"), ("/run/app.sock", "0"), "unix"),
        (None, None, "unix"),
        # A client whose address could not be told any more.
        (None, ("10.0.0.9", 80), ""),
    ],
)
@pytest.mark.parametrize("configured", ["10.0.0.0/8", "unix"])
async def test_the_scope_tells_who_the_peer_is(
    app: Any, client: Any, server: Any, trusted: str, configured: str
) -> None:
    tell(app).config.TRUSTED_PROXIES = configured
    headers = [(name.lower().encode(), value.encode()) for name, value in FORGED.items()]
    conversation = await ask(app, {**http_scope(headers=headers), "client": client, "server": server}, body())

    is_trusted = trusted == "unix" if configured == "unix" else trusted == "10.0.0.1"
    answer = loads(conversation.body)
    assert (answer[0], answer[2]) == (("5.6.7.8", "https://a.b/") if is_trusted else ("", "http://real.example/"))
