"""What is decoded from the bytes of a request."""

from __future__ import annotations

from typing import Any

import pytest

from sanic import Request, text
from sanic.exceptions import BadRequest, BadURL, InvalidHeader
from sanic.request import File
from sanic.request.message import decode_headers
from tests.harness import serving
from tests.request.tools import make_request

# The request target


@pytest.mark.parametrize(
    ("method", "target", "path", "query"),
    [
        ("GET", b"/", "/", ""),
        ("GET", b"/a%20b?x=1&y", "/a%20b", "x=1&y"),
        ("GET", b"/a?x=1?y", "/a", "x=1?y"),
        ("GET", b"/a?", "/a", ""),
        ("GET", b"/a#fragment?x", "/a", ""),
        ("GET", b"/a?x#fragment", "/a", "x"),
        ("GET", b"//a//b", "//a//b", ""),
        ("GET", b"http://example.com/a?x=1", "/a", "x=1"),
        ("GET", b"HTTPS://example.com", "/", ""),
        ("GET", b"http://example.com?x=1", "/", "x=1"),
        ("OPTIONS", b"*", "*", ""),
        ("CONNECT", b"example.com:443", "example.com:443", ""),
    ],
)
def test_the_target_is_split_into_path_and_query(app: Any, method: str, target: bytes, path: str, query: str) -> None:
    request = make_request(app, target, method=method)

    assert (request.path, request.query_string, request.raw_url) == (path, query, target)


@pytest.mark.parametrize(
    "target", [b"", b"a", b"*", b"http:///a", b"ftp://example.com/", b"/\xff", b"/a?\xe4", b"example.com:443"]
)
def test_a_target_in_no_form_is_a_bad_url_which_is_named(app: Any, target: bytes) -> None:
    with pytest.raises(BadURL, match=r"^Bad URL: ") as caught:
        make_request(app, target)

    assert caught.value.status_code == 400


# The query


def test_args_are_lists_decoded_without_blank_values(app: Any) -> None:
    request = make_request(app, b"/?a=1&b=x+y%26&a=%C3%A4&blank=&none&bad=%ff")

    assert request.args == {"a": ["1", "ä"], "b": ["x y&"], "bad": ["\ufffd"]}
    assert request.args.get("a") == "1"
    assert request.args.getlist("a") == ["1", "ä"]
    assert request.args.get("none") is None
    assert request.args is request.args


def test_query_args_are_pairs_in_order(app: Any) -> None:
    request = make_request(app, b"/?a=1&b=2&a=3&blank=")

    assert request.query_args == [("a", "1"), ("b", "2"), ("a", "3")]
    assert request.get_query_args(keep_blank_values=True)[-1] == ("blank", "")


@pytest.mark.parametrize("method", ["get_args", "get_query_args"])
def test_a_query_can_be_parsed_in_other_ways_at_the_same_time(app: Any, method: str) -> None:
    request = make_request(app, b"/?a=%E4&blank=&none")
    parse = getattr(request, method)

    assert dict(parse()) == dict([("a", ["\ufffd"])] if method == "get_args" else [("a", "\ufffd")])
    assert len(parse(keep_blank_values=True)) == 3
    assert "ä" in str(parse(encoding="latin-1"))
    assert "\\udce4" in str(parse(errors="surrogateescape"))
    with pytest.raises(ValueError, match="none"):
        parse(keep_blank_values=True, strict_parsing=True)
    assert len(parse()) == 1


def test_a_request_without_query_has_no_args(app: Any) -> None:
    request = make_request(app, b"/")

    assert (request.args, request.query_args, request.query_string) == ({}, [], "")


# Header fields


async def test_headers_keep_order_and_duplicates_and_have_lower_case_names(app: Any) -> None:
    seen: list[Any] = []

    @app.get("/")
    async def handler(request: Request) -> Any:
        headers = request.headers
        seen.append([item for item in headers.items() if item[0] != "host"])
        seen.append((headers["X-One"], headers.get("x-ONE"), headers.getall("x-one"), headers.x_one))
        seen.append((headers.get("absent"), headers.get_all("absent"), headers.absent))
        return text("")

    async with serving(app) as server:
        await server.send_raw(
            b"GET / HTTP/1.1\r\nX-One: 1\r\nHost: a\r\nx-two:\t2 \t\r\nX-ONE: b \xc3\xa4 \xff\r\nX-Empty:\r\n"
            b"Connection: close\r\n\r\n"
        )

    assert seen == [
        [("x-one", "1"), ("x-two", "2"), ("x-one", "b ä \udcff"), ("x-empty", ""), ("connection", "close")],
        ("1", "1", ["1", "b ä \udcff"], "1,b ä \udcff"),
        (None, [], ""),
    ]


async def test_the_authority_of_an_absolute_target_takes_the_place_of_host(app: Any) -> None:
    @app.get("/a")
    async def handler(request: Request) -> Any:
        return text(f"{request.host} {request.url} {request.headers.getall('host')}")

    async with serving(app) as server:
        answer = await server.send_raw(
            b"GET http://example.com:81/a?x HTTP/1.1\r\nHost: other\r\nConnection: close\r\n\r\n"
        )

    assert answer.endswith(b"\r\n\r\nexample.com:81 http://example.com:81/a?x ['example.com:81']")


@pytest.mark.parametrize(
    ("method", "target"),
    [
        ("GET", "http://a:99x/rc"),
        ("GET", "http://a:80:80/rc"),
        ("GET", "http://:80/rc"),
        ("GET", "http://[::1/rc"),
        ("GET", 'http://a"b/rc'),
        ("GET", "http://user@a/rc"),
        ("GET", "https://user:password@a:81/rc"),
        ("CONNECT", "http://a:99x/rc"),
        ("CONNECT", "a:99x"),
        ("CONNECT", "user@a:443"),
    ],
)
async def test_an_authority_that_is_no_host_is_refused(app: Any, method: str, target: str) -> None:
    app.add_route(lambda request: text(request.host), "/rc")

    async with serving(app) as server, server.connect() as connection:
        # The second request has a host that is known already.
        await connection.send(b"GET /rc HTTP/1.1\r\nHost: a\r\n\r\n")
        assert (await connection.response()).status == 200
        await connection.send(f"{method} {target} HTTP/1.1\r\nHost: a\r\n\r\n".encode())
        response = await connection.response()

    assert response.status == 400
    assert b"Bad URL" in response.body
    assert b"password" not in response.body


@pytest.mark.parametrize("target", ["http://example.com?y://other/", "/?x://other/"])
async def test_an_authority_ends_where_path_or_query_begin(app: Any, target: str) -> None:
    app.add_route(lambda request: text(request.host), "/")

    async with serving(app) as server, server.connect() as connection:
        await connection.send(f"GET {target} HTTP/1.1\r\nHost: example.com\r\n\r\n".encode())
        response = await connection.response()

    assert response.body == b"example.com"


@pytest.mark.parametrize("target", [b"*?x://other/", b"http://example.com#x"])
def test_query_and_fragment_are_no_part_of_an_authority(target: bytes) -> None:
    headers = decode_headers([(b"Host", b"example.com")], target)

    assert headers["host"] == "example.com"


@pytest.mark.parametrize("touch_headers_first", [False, True])
async def test_the_head_is_what_was_received_whatever_becomes_of_the_headers(
    app: Any, touch_headers_first: bool
) -> None:
    seen: list[bytes] = []

    @app.get("/<name>")
    async def handler(request: Request, name: str) -> Any:
        if touch_headers_first:
            request.headers["x-added"] = "1"
            del request.headers["x-a"]
        seen.extend([request.head, request.request_line, request.raw_headers])
        return text("")

    async with serving(app) as server:
        await server.send_raw(b"GET /a%20b?x=1 HTTP/1.1\r\nHost: a\r\nX-A: 1\r\nx-a: \xff\r\nConnection: close\r\n\r\n")

    line, fields = b"GET /a%20b?x=1 HTTP/1.1", b"Host: a\r\nX-A: 1\r\nx-a: \xff\r\nConnection: close"
    assert seen == [line + b"\r\n" + fields, line, fields]


def test_a_request_made_by_hand_has_a_head_too(app: Any) -> None:
    request = make_request(app, b"/a", [("X-A", "1"), ("x-b", "2")])

    assert request.head == b"GET /a HTTP/1.1\r\nX-A: 1\r\nx-b: 2"
    assert Request(b"/", {}, "1.1", "GET", None, app, b"GET / HTTP/1.1").head == b"GET / HTTP/1.1"
    assert make_request(app, b"/").raw_headers == b""


def test_a_plain_dict_serves_as_headers_of_a_request_made_by_hand(app: Any) -> None:
    request = Request(b"/", {"Accept": "a/b"}, "1.1", "GET", None, app)

    assert request.head == b"GET / HTTP/1.1\r\nAccept: a/b"
    assert request.headers.getall("accept") == ["a/b"]
    assert str(request.accept) == "a/b"


def test_a_body_without_content_type_is_a_stream_of_bytes(app: Any) -> None:
    assert make_request(app).content_type == "application/octet-stream"
    assert make_request(app, headers={"Content-Type": "Text/HTML"}).content_type == "Text/HTML"


# Methods


@pytest.mark.parametrize(
    ("methods", "is_safe", "is_idempotent", "is_cacheable"),
    [
        (["GET", "HEAD"], True, True, True),
        (["OPTIONS"], True, True, False),
        (["PUT", "DELETE"], False, True, False),
        (["POST", "PATCH"], False, False, False),
    ],
)
def test_methods_have_the_properties_of_rfc_9110(
    app: Any, methods: list[str], is_safe: bool, is_idempotent: bool, is_cacheable: bool
) -> None:
    for method in methods:
        request = make_request(app, method=method)
        assert (request.is_safe, request.is_idempotent, request.is_cacheable) == (is_safe, is_idempotent, is_cacheable)


# The body


@pytest.mark.parametrize(
    ("body", "value"),
    [(b"", None), (b"null", None), (b'{"a": [1, "\xc3\xa4"]}', {"a": [1, "ä"]}), (b" 1 ", 1), (b'""', "")],
)
def test_json_is_the_parsed_body(app: Any, body: bytes, value: Any) -> None:
    assert make_request(app, body=body).json == value


@pytest.mark.parametrize("body", [b" ", b"{", b"{'a': 1}", b'"\xff"', b"[" * 100_000])
def test_a_body_that_is_no_json_is_a_bad_request(app: Any, body: bytes) -> None:
    with pytest.raises(BadRequest, match=r"^Failed when parsing body as json$"):
        _ = make_request(app, body=body).json


def test_json_is_parsed_once(app: Any) -> None:
    request = make_request(app, body=b"[1]")

    assert request.json is request.json


def test_an_app_and_a_call_may_bring_their_own_json_reader(app_name: str) -> None:
    from sanic import Sanic

    request = make_request(Sanic(app_name, loads=lambda body: ["app", body]), body=b"x")

    assert request.json == ["app", b"x"]
    assert request.load_json(lambda body: ["call", body]) == ["call", b"x"]
    assert request.json == ["call", b"x"]


def test_whatever_a_json_reader_raises_is_a_bad_request(app: Any) -> None:
    def loads(body: bytes) -> Any:
        raise KeyError("not a ValueError")

    with pytest.raises(BadRequest, match="Failed when parsing body as json"):
        make_request(app, body=b"x").load_json(loads)


async def test_bad_json_is_answered_with_400(app: Any) -> None:
    @app.post("/")
    async def handler(request: Request) -> Any:
        return text(request.json)

    async with serving(app) as server:
        response = await server.post("/", content=b"{")

    assert response.status_code == 400
    assert "Failed when parsing body as json" in response.text


async def test_the_body_is_there_before_the_handler_runs(app: Any) -> None:
    @app.post("/")
    async def handler(request: Request) -> Any:
        return text(f"{request.body!r} {request.content_type}")

    async with serving(app) as server:
        whole = await server.post("/", content=b"abc")

        async def pieces() -> Any:
            yield b"a"
            yield b"bc"

        chunked = await server.post("/", content=pieces(), headers={"Content-Type": "x/y"})

    assert whole.text == "b'abc' application/octet-stream"
    assert chunked.text == "b'abc' x/y"


async def test_a_body_that_a_route_ignores_can_be_read_later(app: Any) -> None:
    @app.get("/")
    async def handler(request: Request) -> Any:
        before = request.body
        await request.receive_body()
        return text(f"{before!r} {request.body!r}")

    async with serving(app) as server:
        response = await server.request("GET", "/", content=b"abc")

    assert response.text == "b'' b'abc'"


URLENCODED = {"content-type": "application/x-www-form-urlencoded; charset=utf-8"}


def test_urlencoded_fields_are_in_the_form(app: Any) -> None:
    request = make_request(app, headers=URLENCODED, body=b"a=1&b=&a=%C3%A4")

    assert request.form == {"a": ["1", "ä"]}
    assert request.form is request.form
    assert request.files == {}
    assert request.get_form(keep_blank_values=True) == {"a": ["1", "ä"], "b": [""]}


async def test_multipart_fields_and_files_arrive(app: Any) -> None:
    seen: list[Any] = []

    @app.post("/")
    async def handler(request: Request) -> Any:
        seen.extend([request.files.get("picture"), request.files.getlist("absent"), request.form.get("name")])
        return text("")

    async with serving(app) as server:
        await server.post("/", data={"name": "ä"}, files={"picture": ("p.png", b"\0\r\n\xff", "image/png")})

    assert seen == [File("image/png", b"\0\r\n\xff", "p.png"), [], "ä"]


@pytest.mark.parametrize(
    ("headers", "body"),
    [({}, b"a=1"), ({"content-type": "application/json"}, b"a=1"), ({"content-type": "multipart/form-data"}, b"")],
)
def test_other_bodies_and_empty_ones_are_empty_forms(app: Any, headers: dict[str, str], body: bytes) -> None:
    request = make_request(app, headers=headers, body=body)

    assert (request.files, request.form) == ({}, {})


def test_a_broken_form_is_a_bad_request(app: Any) -> None:
    request = make_request(app, headers={"content-type": "multipart/form-data"}, body=b"a")

    with pytest.raises(BadRequest, match="boundary"):
        _ = request.files


# Header fields with a grammar of their own


def test_cookies_of_all_cookie_headers_are_read(app: Any) -> None:
    request = make_request(app, headers=[("cookie", 'a=1; foo-bar="x y"'), ("cookie", "a=2; __Host-s=h; s=plain")])

    assert request.cookies.getlist("a") == ["1", "2"]
    assert request.cookies.get("s") == "h"
    assert request.cookies.foo_bar == "x y"
    assert request.cookies.get("absent") is None
    assert request.cookies is request.get_cookies()
    assert make_request(app).cookies == {}


@pytest.mark.parametrize(
    ("headers", "accept"),
    [
        ([], "*/*"),
        ([("accept", "")], ""),
        ([("accept", "text/html;q=0.5, a/b")], "a/b, text/html;q=0.5"),
        ([("accept", "text/html;q=0.5"), ("accept", "a/b")], "a/b, text/html;q=0.5"),
    ],
)
def test_accept_is_sorted_over_all_its_headers(app: Any, headers: list[tuple[str, str]], accept: str) -> None:
    request = make_request(app, headers=headers)

    assert str(request.accept) == accept
    assert request.accept is request.accept


async def test_a_malformed_accept_header_is_answered_with_400_where_it_is_asked_for(app: Any) -> None:
    @app.get("/")
    async def handler(request: Request) -> Any:
        with pytest.raises(InvalidHeader):
            _ = request.accept
        return text(str(request.accept))

    async with serving(app) as server:
        response = await server.get("/", headers={"Accept": "text/html;q=high"})

    assert response.status_code == 400


BASIC = "Basic YWRhOnB3OjE="


@pytest.mark.parametrize(
    ("header", "token", "scheme", "credential"),
    [
        ("Bearer abc", "abc", "Bearer", "abc"),
        ("bearer abc", "abc", "Bearer", "abc"),
        ("Token abc", "abc", "Token", "abc"),
        ("TOKEN  abc ", "abc", "Token", "abc"),
        (BASIC, BASIC, "Basic", "YWRhOnB3OjE="),
        ("Digest x=1", "Digest x=1", None, "Digest x=1"),
        ("xBearer abc", "xBearer abc", None, "xBearer abc"),
        ("abc", "abc", None, "abc"),
    ],
)
def test_authorization_is_split_by_its_scheme(
    app: Any, header: str, token: str, scheme: str | None, credential: str
) -> None:
    request = make_request(app, headers={"authorization": header})

    assert request.token == token
    assert request.credentials is not None
    assert (request.credentials.auth_type, request.credentials.token) == (scheme, credential)
    assert request.credentials is request.credentials


def test_basic_credentials_have_name_and_password_and_others_have_not(app: Any) -> None:
    credentials = make_request(app, headers={"authorization": BASIC}).credentials
    bearer = make_request(app, headers={"authorization": "Bearer a"}).credentials

    assert credentials is not None
    assert (credentials.username, credentials.password) == ("ada", "pw:1")
    for name in ("username", "password"):
        with pytest.raises(AttributeError, match="Basic"):
            getattr(bearer, name)


def test_without_authorization_there_is_neither_token_nor_credentials(app: Any) -> None:
    request = make_request(app)

    assert (request.token, request.credentials) == (None, None)


@pytest.mark.parametrize("value", ["Basic ä", "Basic YWRh", "Basic !!!", "Basic", "Bearer"])
def test_undecodable_and_empty_credentials_are_none(app: Any, value: str) -> None:
    request = make_request(app, headers={"authorization": value})

    assert request.credentials is None
    assert request.credentials is None
