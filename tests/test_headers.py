"""Parsing of structured headers, trust in proxies, and the head of a response."""

from __future__ import annotations

import time
from contextlib import suppress
from types import SimpleNamespace

import pytest

from sanic.compat import Header
from sanic.exceptions import InvalidHeader, ServerError
from sanic.headers import (
    AcceptList,
    Matched,
    MediaType,
    encode_headers,
    format_http1_response,
    fwd_normalize,
    fwd_normalize_address,
    parse_accept,
    parse_content_header,
    parse_credentials,
    parse_forwarded,
    parse_host,
    parse_xforwarded,
)


def config(**settings):
    defaults = {
        "FORWARDED_SECRET": None,
        "REAL_IP_HEADER": None,
        "PROXIES_COUNT": None,
        "FORWARDED_FOR_HEADER": "X-Forwarded-For",
    }
    return SimpleNamespace(**{**defaults, **settings})


# Accept


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (None, "*/*"),
        ("", ""),
        ("text/html", "text/html"),
        ("text/html, foo, */*", "text/html, */*"),
        ("TEXT/HTML;Q=0.3", "text/html;q=0.3"),
        (", ,a/b;;q=0.1", "a/b;q=0.1"),
        ('a/b;x="q,z;\\"";q=0.4, c/d', 'c/d, a/b;x="q,z;\\"";q=0.4'),
        (
            "text/*;q=0.5, text/html;q=0.5, text/html;level=1;q=0.5, */*",
            "*/*, text/html;level=1;q=0.5, text/html;q=0.5, text/*;q=0.5",
        ),
        ("*/*, */*;a=b, x/*, x/*;b=c, x/y", "x/*;b=c, */*;a=b, x/y, x/*, */*"),
    ],
)
def test_accept_is_sorted_by_weight_then_parameters_then_specificity(header, expected):
    accept = parse_accept(header)
    assert isinstance(accept, AcceptList)
    assert str(accept) == expected


@pytest.mark.parametrize(
    "header", ["foo", ",,,", "text/", "/html", "a/b;q=x", "a/b;q=2", "a/b;q=-1", "a/b;q=nan", "a/b;q", "a/b;q="]
)
def test_malformed_accept_is_refused_as_a_bad_request(header):
    with pytest.raises(InvalidHeader, match="Invalid header value in Accept") as caught:
        parse_accept(header)
    assert caught.value.status_code == 400


def test_parameters_of_a_client_may_have_any_name():
    media = parse_accept("text/html;self=1;subtype=2;type_=3")[0]
    assert media.params == {"self": "1", "subtype": "2", "type_": "3"}


def test_media_type_has_parts_and_equals_its_text():
    media = parse_accept("text/html;level=1;q=0.9")[0]
    assert (media.mime, media.type, media.subtype) == ("text/html", "text", "html")
    assert media.params == {"level": "1", "q": "0.9"}
    assert media.q == 0.9
    assert not media.has_wildcard
    assert MediaType("*", "*").has_wildcard
    assert media == "text/html"
    assert media == MediaType("text", "html")
    assert media != "text/plain"
    assert hash(media) == hash("text/html")
    with pytest.raises(ValueError, match="match"):
        assert media == "text/html;level=1"


@pytest.mark.parametrize(
    ("media", "other", "matches"),
    [
        ("text/plain", "text/plain", True),
        ("text/plain", "TEXT/plain", True),
        ("text/plain", "text/*", True),
        ("text/plain", "*/*", True),
        ("text/*", "text/plain", True),
        ("text/*", "image/png", False),
        ("text/plain", "text", False),
        ("text/plain", "text/", False),
        ("text/plain;format=flowed", "text/plain", True),
        ("text/plain;format=flowed", "text/plain; format=flowed", True),
        ("text/plain;format=flowed", "text/plain;format=x", False),
        ("text/plain", "text/plain;format=flowed", False),
    ],
)
def test_media_type_matches_with_wildcards_and_parameters_of_the_argument(media, other, matches):
    media = parse_accept(media)[0]
    assert media.match(other) is (media if matches else None)


@pytest.mark.parametrize(
    ("header", "mimes", "mime", "element"),
    [
        ("text/html;q=0.9, text/plain, */*;q=0.1", ["text/html"], "text/html", "text/html;q=0.9"),
        ("text/html;q=0.9, text/plain, */*;q=0.1", ["text/html", "text/plain"], "text/plain", "text/plain"),
        ("text/html;q=0.9, text/plain, */*;q=0.1", ["image/png"], "image/png", "*/*;q=0.1"),
        ("text/html, text/plain", ["text/plain", "text/html"], "text/plain", "text/plain"),
        ("*/*", ["a/b", "c/d"], "a/b", "*/*"),
        ("text/html;q=0.5, */*", ["text/html", "a/b"], "a/b", "*/*"),
        ("text/html;q=0, */*", ["text/html", "a/b"], "a/b", "*/*"),
        ("text/html;level=1", ["text/html"], "text/html", "text/html;level=1"),
        ("text/html;level=1", ["text/html;level=2", "text/html;level=1"], "text/html;level=1", "text/html;level=1"),
    ],
)
def test_best_match_has_the_highest_weight_then_comes_first(header, mimes, mime, element):
    matched = parse_accept(header).match(*mimes)
    assert matched
    assert matched == mime
    assert str(matched) == matched.mime == mime
    assert str(matched.header) == element


@pytest.mark.parametrize(
    ("header", "mimes", "options"),
    [
        ("text/html", ["image/png"], {}),
        ("text/html", [], {}),
        ("", ["image/png"], {}),
        ("text/html;q=0, */*", ["text/html"], {}),
        ("*/*, text/*", ["text/html"], {"accept_wildcards": False}),
    ],
)
def test_no_match_is_false_and_empty(header, mimes, options):
    matched = parse_accept(header).match(*mimes, **options)
    assert not matched
    assert str(matched) == ""
    assert matched.header is None


def test_matches_compare_with_text_and_with_each_other():
    matched = parse_accept("text/html;q=0.9").match("text/html")
    assert matched == "text/html" == Matched.parse("text/html")
    assert matched.match("text/*") == "text/*"
    assert matched.match(Matched.parse("text/plain")) is None


# Content headers


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ('form-data; name=upload; filename="file.txt"', ("form-data", {"name": "upload", "filename": "file.txt"})),
        ("TEXT/Plain;Charset=UTF-8", ("text/plain", {"charset": "UTF-8"})),
        ("", ("", {})),
        ("a;b", ("a", {})),
        ('a; b="x;y=z"; c=d', ("a", {"b": "x;y=z", "c": "d"})),
        ('a; b="x\\"y"; c=d', ("a", {"b": 'x"y', "c": "d"})),
        ('form-data; name="a%22b%0D%0A"', ("form-data", {"name": 'a"b\r\n'})),
        ('form-data; filename="C:\\dir\\f.txt"', ("form-data", {"filename": "C:\\dir\\f.txt"})),
        ('form-data; filename="C:\\dir\\"; name="x"', ("form-data", {"filename": "C:\\dir\\", "name": "x"})),
        ("form-data; filename*=utf-8''na%C3%AFve", ("form-data", {"filename*": "utf-8''na%C3%AFve"})),
    ],
)
def test_content_header_is_split_into_value_and_parameters(header, expected):
    assert parse_content_header(header) == expected


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (None, (None, None)),
        ("", (None, "")),
        ("Bearer a", ("Bearer", "a")),
        ("bearer  a ", ("Bearer", "a")),
        ("Token x", ("Token", "x")),
        ("BASIC QTpC", ("Basic", "QTpC")),
        ("xBearer y", (None, "xBearer y")),
        ("Bearery", (None, "Bearery")),
        ("Digest a", (None, "Digest a")),
        ("Bearer", ("Bearer", "")),
    ],
)
def test_credentials_are_recognised_by_the_scheme_at_the_beginning(header, expected):
    assert parse_credentials(header) == expected


def test_only_the_given_schemes_are_recognised():
    assert parse_credentials("Basic x", ("Bearer", "Token")) == (None, "Basic x")
    assert parse_credentials("digest x", {"Digest"}) == ("Digest", "x")


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("a", ("a", None)),
        ("A.Com:80", ("a.com", 80)),
        ("a_b:1", ("a_b", 1)),
        ("1.2.3.4:8000", ("1.2.3.4", 8000)),
        ("[::1]:80", ("[::1]", 80)),
        ("[CAFE::1]", ("[cafe::1]", None)),
        ("a:", ("a", None)),
        *(
            (host, (None, None))
            for host in ["", "::1", "a:b", "a b", "a:65536", "u@a", "a/b", "[::1", "münchen.de", "a\n"]
        ),
    ],
)
def test_host_is_split_into_name_and_port(host, expected):
    assert parse_host(host) == expected


# Forwarded


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (
            'for=1.1.1.1, for="[::2]";proto=https;host=me.tld;path="/app/";secret=mySecret,for=b;;secret=x',
            {"for": "[::2]", "proto": "https", "host": "me.tld", "path": "/app/", "secret": "mySecret"},
        ),
        (
            'for=test;quoted="\\,x=x;y=\\";secret=mySecret',
            {"for": "test", "quoted": "\\,x=x;y=\\", "secret": "mySecret"},
        ),
        ("for=test;secret=mySecret;b0rked;proto=wss;", {"for": "test", "secret": "mySecret"}),
        ("for=test;b0rked;secret=mySecret;proto=wss", {"secret": "mySecret", "proto": "wss"}),
        (
            'PROTO=WSS;BY="CAFE::8000";FOR=unknown;PORT=X;HOST="A:2";PATH="/With%20S";SECRET=mySecret',
            {"proto": "wss", "by": "[cafe::8000]", "host": "a:2", "path": "/With S", "secret": "mySecret"},
        ),
        ("for=a;secret=mySecret,for=b;secret=mySecret", {"for": "b", "secret": "mySecret"}),
        ("for=a;secret=mySecret,for=b", {"for": "a", "secret": "mySecret"}),
        ('for=a;secret="mySecret",,', {"for": "a", "secret": "mySecret"}),
        ("b0rked, for=a;;secret=mySecret", {"for": "a", "secret": "mySecret"}),
        ("proto=a;proto=b;secret=mySecret", {"proto": "b", "secret": "mySecret"}),
        ("for=127.0.0.1:80;secret=mySecret", {"secret": "mySecret"}),
        # A client cannot swallow the element of the proxy with an open quotation mark ...
        ('for="x, for=1.2.3.4;secret=mySecret', {"for": "1.2.3.4", "secret": "mySecret"}),
        ('for="x;secret=mySecret', {"secret": "mySecret"}),
        # ... nor hide a secret inside a value.
        ('for=in;z="x,for=1.1.1.1;secret=mySecret;y="', None),
        ("for=x;secret=mySecretx", None),
        ("for=x;xsecret=mySecret", None),
        ("for=x;secret=mysecret", None),
        ("", None),
    ],
)
def test_forwarded_is_believed_only_with_the_secret(header, expected):
    headers = Header([("forwarded", header)])
    assert parse_forwarded(headers, config(FORWARDED_SECRET="mySecret")) == expected


def test_an_obfuscated_identifier_of_the_proxy_serves_as_the_secret():
    headers = Header([("forwarded", "for=1.2.3.4; by=_proxySecret")])
    assert parse_forwarded(headers, config(FORWARDED_SECRET="_proxySecret")) == {"for": "1.2.3.4", "by": "_proxySecret"}


def test_several_forwarded_headers_count_as_one():
    headers = Header([("forwarded", "for=a;secret=s"), ("forwarded", "for=b")])
    assert parse_forwarded(headers, config(FORWARDED_SECRET="s")) == {"for": "a", "secret": "s"}


def test_forwarded_is_not_looked_at_without_configuration():
    assert parse_forwarded(Header([("forwarded", "for=a;secret=")]), config()) is None
    assert parse_forwarded(Header(), config(FORWARDED_SECRET="s")) is None


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({"x-real-ip": "1.1.1.1"}, {"for": "1.1.1.1"}),
        ({"x-real-ip": "unknown"}, {}),
        ({"x-real-ip": " ", "x-forwarded-for": "a, b"}, {"for": "a"}),
        (
            {
                "x-real-ip": "::1",
                "x-forwarded-proto": "HTTPS",
                "x-scheme": "ftp",
                "x-forwarded-host": "A:80",
                "x-forwarded-port": "99",
                "x-forwarded-path": "/%20",
            },
            {"for": "[::1]", "proto": "https", "host": "a:80", "port": 99, "path": "/ "},
        ),
        ({"x-real-ip": "1.1.1.1", "x-scheme": "https"}, {"for": "1.1.1.1", "proto": "https"}),
        ({"x-real-ip": "1.1.1.1", "x-forwarded-port": "0x10"}, {"for": "1.1.1.1"}),
        ({"x-forwarded-for": "a"}, None),
        ({"x-forwarded-for": "a,, b,"}, {"for": "a"}),
        ({"x-forwarded-for": "a, b, c"}, {"for": "b"}),
        ({"x-forwarded-host": "evil", "x-forwarded-proto": "https"}, None),
    ],
)
def test_xforwarded_headers_are_believed_with_an_address(headers, expected):
    assert parse_xforwarded(Header(headers), config(REAL_IP_HEADER="x-real-ip", PROXIES_COUNT=2)) == expected


def test_repeated_xforwarded_for_headers_are_counted_together():
    headers = Header([("x-forwarded-for", "a"), ("x-forwarded-for", "b, c")])
    assert parse_xforwarded(headers, config(PROXIES_COUNT=3)) == {"for": "a"}


@pytest.mark.parametrize("count", [None, 0])
def test_xforwarded_is_not_looked_at_without_configuration(count):
    assert parse_xforwarded(Header({"x-forwarded-for": "a, b", "x-real-ip": "c"}), config(PROXIES_COUNT=count)) is None


def test_forwarded_pairs_are_normalised():
    pairs = [("for", "A"), ("port", "x"), ("port", " 8 "), ("path", "/%20"), ("by", "_X"), ("z", "Q"), ("host", None)]
    assert fwd_normalize(pairs) == {"for": "a", "port": 8, "path": "/ ", "by": "_X", "z": "Q"}


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("1.2.3.4", "1.2.3.4"),
        ("1.2.3.4:80", "1.2.3.4:80"),
        ("::1", "[::1]"),
        ("CAFE::1", "[cafe::1]"),
        ("[::1]:80", "[::1]:80"),
        ("_ABC", "_ABC"),
        ("Host", "host"),
    ],
)
def test_addresses_are_lowercased_and_bracketed(address, expected):
    assert fwd_normalize_address(address) == expected


@pytest.mark.parametrize("address", ["unknown", "UNKNOWN", ""])
def test_unknown_is_no_address(address):
    with pytest.raises(ValueError, match="names nobody"):
        fwd_normalize_address(address)


# The head of a response


def test_response_head_is_status_line_headers_and_an_empty_line():
    headers = [("a", "b"), ("Content-Length", 1), ("bytes", b"\xff"), ("a", "c"), ("utf", "é"), ("raw", "\udcff")]
    assert format_http1_response(200, headers) == (
        b"HTTP/1.1 200 OK\r\na: b\r\nContent-Length: 1\r\nbytes: \xff\r\na: c\r\nutf: \xc3\xa9\r\nraw: \xff\r\n\r\n"
    )
    assert format_http1_response(299, []) == b"HTTP/1.1 299 UNKNOWN\r\n\r\n"


@pytest.mark.parametrize(
    "headers",
    [
        [("a", "x\r\nevil: 1\0")],
        [("a", "x"), ("b", "\r\n\r\n<html>")],
        [("a", "x\ny")],
        [("a", "x\ry")],
        [("a", "x\0y")],
        [("a", b"x\r\ny")],
        [("a\r\nb", "c\r\nd")],
        [(b"a\n", "c")],
    ],
)
def test_line_ends_and_nul_in_names_and_values_are_removed(headers):
    head = format_http1_response(200, headers)
    lines = head.split(b"\r\n")
    assert len(lines) == 1 + len(headers) + 2
    assert not set(b"\r\n\0") & set(b"".join(lines))
    assert head.endswith(b"\r\n\r\n")


@pytest.mark.parametrize("name", ["", "a b", "a:b", "é", "a(b)", "\r\n", b"\xff", "a\tb", " a"])
def test_a_header_name_that_is_no_token_is_an_error_which_names_it(name):
    with pytest.raises(ServerError, match=r"header name .* is not allowed"):
        format_http1_response(200, [("ok", "x"), (name, "x")])
    with pytest.raises(ServerError, match=r"header name .* is not allowed"):
        encode_headers([(name, "x")])


def test_a_value_that_has_no_encoding_is_an_error_which_names_the_header():
    with pytest.raises(ServerError, match="x-broken"):
        format_http1_response(200, [("ok", "x"), ("x-broken", "\ud800")])


def test_headers_for_other_protocols_are_lowercase_bytes():
    assert encode_headers([("X-A", 1), (b"b", b"\xff\r"), ("c", "é")]) == [
        (b"x-a", b"1"),
        (b"b", b"\xff"),
        (b"c", "é".encode()),
    ]


@pytest.mark.parametrize(
    "parse",
    [
        lambda text: parse_content_header("a" + text),
        lambda text: parse_host(text),
        lambda text: parse_forwarded(Header([("forwarded", text + ",secret=s x")]), config(FORWARDED_SECRET="s")),
    ],
    ids=["content", "host", "forwarded"],
)
@pytest.mark.parametrize(
    "piece", ['"', '\\"', ';a="', ';a="\\"', '="', " ", ";", ",", '",', ";a=b", '\\"a="', "a ", '";a="\\'], ids=repr
)
def test_parsing_takes_linear_time(parse, piece):
    # Quadratic time on this length would take minutes.
    text = piece * (400_000 // len(piece))
    begin = time.process_time()
    parse(text)
    assert time.process_time() - begin < 3


@pytest.mark.parametrize(
    "piece", ['"', '\\"', ';a="', '="', " ", ";", ",", '",', '\\"a="', '/;a="\\', 'a/b;x=""'], ids=repr
)
def test_parsing_of_accept_takes_linear_time(piece):
    text = "a/b;x=" + piece * (400_000 // len(piece))
    begin = time.process_time()
    with suppress(InvalidHeader):
        parse_accept(text)
    assert time.process_time() - begin < 3
