"""Cookies that a response sets."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sanic.compat import Header
from sanic.cookies import Cookie, CookieJar, parse_cookie
from sanic.exceptions import ServerError
from sanic.headers import format_http1_response


@pytest.fixture
def headers():
    return Header()


@pytest.fixture
def jar(headers):
    return CookieJar(headers)


def sent(headers):
    """What the client gets to see."""
    head = format_http1_response(200, headers.items()).decode()
    return [line.partition(": ")[2] for line in head.split("\r\n") if line.lower().startswith("set-cookie")]


def test_attributes_are_written_in_their_order():
    cookie = Cookie(
        "key",
        "value",
        path="/p",
        comment="c",
        domain="example.com",
        max_age=5,
        expires=datetime(2030, 1, 2, 3, 4, 5),
        samesite="strict",
        httponly=True,
    )
    assert str(cookie) == (
        "key=value; Path=/p; Comment=c; Domain=example.com; Max-Age=5; expires=Wed, 02 Jan 2030 03:04:05 GMT; "
        "SameSite=Strict; Secure; HttpOnly"
    )


def test_attributes_that_are_not_set_are_left_out():
    assert str(Cookie("a", "b")) == "a=b; Path=/; SameSite=Lax; Secure"
    assert str(Cookie("a", "b", path=None, samesite=None, secure=False)) == "a=b"


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ("", '""'),
        ("plain:!#$%&'*+-.^_`|~", "plain:!#$%&'*+-.^_`|~"),
        ("a b", '"a b"'),
        ("a,b", '"a,b"'),
        ("é", '"é"'),
        ('x;y"z\\\x7f', '"x\\073y\\042z\\134\\177"'),
        ("\t\r\n\0", '"\\011\\015\\012\\000"'),
    ],
)
def test_values_that_are_no_token_are_quoted(value, written):
    assert str(Cookie("a", value)).startswith(f"a={written}; ")


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_any_text_comes_back_from_the_browser(value):
    header = format_http1_response(200, [("set-cookie", Cookie("a", value))])
    pair = header.split(b"set-cookie: ")[1].split(b";")[0]
    assert parse_cookie(pair.decode()) == {"a": [value]}


def test_expiry_is_converted_to_utc():
    moment = datetime(2030, 1, 1, 1, 30, tzinfo=timezone(timedelta(hours=2)))
    assert "expires=Mon, 31 Dec 2029 23:30:00 GMT" in str(Cookie("a", "b", expires=moment))


@pytest.mark.parametrize(
    ("options", "key"),
    [
        ({"host_prefix": True}, "__Host-k"),
        ({"secure_prefix": True}, "__Secure-k"),
        ({"secure_prefix": True, "path": "/x", "domain": "d"}, "__Secure-k"),
        ({"host_prefix": True, "partitioned": True}, "__Host-k"),
    ],
)
def test_prefixes_go_before_the_name(options, key):
    cookie = Cookie("k", "v", **options)
    assert cookie.key == key
    assert str(cookie).startswith(f"{key}=v;")
    assert str(cookie).endswith("; Partitioned") is bool(options.get("partitioned"))


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"host_prefix": True, "secure": False}, ServerError),
        ({"host_prefix": True, "path": "/x"}, ServerError),
        ({"host_prefix": True, "path": None}, ServerError),
        ({"host_prefix": True, "domain": "example.com"}, ServerError),
        ({"secure_prefix": True, "secure": False}, ServerError),
        ({"host_prefix": True, "secure_prefix": True}, ServerError),
        ({"partitioned": True}, ServerError),
        ({"key": "path"}, KeyError),
        ({"key": "max-age"}, KeyError),
        ({"key": ""}, KeyError),
        ({"key": "a b"}, KeyError),
        ({"key": "a;b"}, KeyError),
        ({"key": "a\r\nb"}, KeyError),
        ({"key": "é"}, KeyError),
        ({"value": 3}, TypeError),
        ({"value": None}, TypeError),
        ({"samesite": "x"}, TypeError),
        ({"samesite": ""}, TypeError),
        ({"samesite": True}, TypeError),
        ({"max_age": -1}, ValueError),
        ({"max_age": "x"}, ValueError),
        ({"max_age": 1.5}, ValueError),
        ({"max_age": True}, ValueError),
        ({"max_age": "²"}, ValueError),
        ({"expires": "x"}, TypeError),
        ({"expires": 0}, TypeError),
        ({"path": "/; Domain=evil"}, ValueError),
        ({"domain": "a\r\nb"}, ValueError),
        ({"comment": "a;b"}, ValueError),
    ],
)
def test_what_a_browser_would_refuse_is_an_error(jar, headers, options, error):
    arguments = {"key": "k", "value": "v", **options}
    with pytest.raises(error):
        jar.add_cookie(arguments.pop("key"), arguments.pop("value"), **arguments)
    assert sent(headers) == []


@pytest.mark.parametrize(
    ("attribute", "value", "written"),
    [
        ("value", "x y", 'k="x y"; Path=/; SameSite=Lax; Secure'),
        ("path", "/x", "k=v; Path=/x; SameSite=Lax; Secure"),
        ("domain", "d", "k=v; Path=/; Domain=d; SameSite=Lax; Secure"),
        ("secure", False, "k=v; Path=/; SameSite=Lax"),
        ("max_age", "5", "k=v; Path=/; Max-Age=5; SameSite=Lax; Secure"),
        ("max_age", 0, "k=v; Path=/; Max-Age=0; SameSite=Lax; Secure"),
        (
            "expires",
            datetime(2030, 1, 2, tzinfo=timezone.utc),
            "k=v; Path=/; expires=Wed, 02 Jan 2030 00:00:00 GMT; SameSite=Lax; Secure",
        ),
        ("httponly", True, "k=v; Path=/; SameSite=Lax; Secure; HttpOnly"),
        ("samesite", None, "k=v; Path=/; Secure"),
        ("samesite", "NONE", "k=v; Path=/; SameSite=None; Secure"),
        ("comment", "c", "k=v; Path=/; Comment=c; SameSite=Lax; Secure"),
        ("key", "z", "z=v; Path=/; SameSite=Lax; Secure"),
    ],
)
def test_a_cookie_can_be_changed_after_it_was_added(jar, headers, attribute, value, written):
    cookie = jar.add_cookie("k", "v")
    setattr(cookie, attribute, value)
    assert sent(headers) == [written]


@pytest.mark.parametrize(
    ("attribute", "value", "error"),
    [
        ("path", "/x", ServerError),
        ("secure", False, ServerError),
        ("domain", "d", ServerError),
        ("value", 3, TypeError),
        ("max_age", "x", ValueError),
        ("expires", "x", TypeError),
        ("samesite", "x", TypeError),
        ("comment", "\n", ValueError),
        ("key", "a b", KeyError),
    ],
)
def test_changes_are_checked_like_arguments(attribute, value, error):
    cookie = Cookie("k", "v", host_prefix=True)
    with pytest.raises(error):
        setattr(cookie, attribute, value)
    assert str(cookie) == "__Host-k=v; Path=/; SameSite=Lax; Secure"


def test_only_a_host_cookie_can_become_partitioned():
    with pytest.raises(ServerError):
        Cookie("k", "v").partitioned = True
    cookie = Cookie("k", "v", host_prefix=True)
    cookie.partitioned = True
    assert cookie.partitioned
    assert str(cookie).endswith("; Partitioned")


def test_attributes_can_be_read():
    cookie = Cookie("k", "v", max_age="5", samesite="lax", httponly=True)
    assert (cookie.key, cookie.value, cookie.path, cookie.domain) == ("k", "v", "/", None)
    assert (cookie.max_age, cookie.expires, cookie.comment) == (5, None, None)
    assert (cookie.secure, cookie.httponly, cookie.samesite, cookie.partitioned) == (True, True, "Lax", False)


def test_each_cookie_is_one_header_in_order(jar, headers):
    jar.add_cookie("a", "1")
    jar.add_cookie("b", "2")
    jar.add_cookie("a", "3", path="/x")
    assert [line.partition(";")[0] for line in sent(headers)] == ["a=1", "b=2", "a=3"]
    assert len(jar) == len(jar.cookies) == 3


def test_cookies_are_found_by_name_path_domain_and_prefix(jar):
    cookie = jar.add_cookie("a", "1")
    host = jar.add_cookie("a", "2", host_prefix=True)
    other = jar.add_cookie("a", "3", path="/x", domain="d")
    assert jar.get_cookie("a") is cookie
    assert jar.get_cookie("a", host_prefix=True) is host
    assert jar.get_cookie("a", "/x", "d") is other
    assert jar.get_cookie("a", "/x") is None
    assert jar.has_cookie("a")
    assert not jar.has_cookie("b")


def test_items_cannot_be_assigned(jar):
    with pytest.raises(TypeError):
        jar["a"] = "b"


@pytest.mark.parametrize(
    ("options", "written"),
    [
        ({}, 'k=""; Path=/; Max-Age=0; Secure'),
        ({"path": "/q", "domain": "d", "secure": False}, 'k=""; Path=/q; Domain=d; Max-Age=0'),
        ({"host_prefix": True}, '__Host-k=""; Path=/; Max-Age=0; Secure'),
        ({"secure_prefix": True}, '__Secure-k=""; Path=/; Max-Age=0; Secure'),
    ],
)
def test_deletion_is_an_empty_cookie_of_no_age(jar, headers, options, written):
    jar.delete_cookie("k", **options)
    assert sent(headers) == [written]


def test_deletion_takes_back_what_was_set_and_keeps_its_attributes(jar, headers):
    headers.add("Set-Cookie", "by-hand=1")
    jar.add_cookie("a", "1")
    jar.add_cookie("a", "2", max_age=5, httponly=True, samesite="Strict", expires=datetime(2030, 1, 1))
    jar.add_cookie("a", "3", path="/x")
    jar.delete_cookie("a")
    assert sent(headers) == [
        "by-hand=1",
        "a=3; Path=/x; SameSite=Lax; Secure",
        'a=""; Path=/; Max-Age=0; SameSite=Strict; Secure; HttpOnly',
    ]


def test_deletion_of_a_partitioned_cookie_stays_partitioned(jar, headers):
    jar.add_cookie("p", "1", host_prefix=True, partitioned=True)
    jar.delete_cookie("p", host_prefix=True)
    assert sent(headers) == ['__Host-p=""; Path=/; Max-Age=0; SameSite=Lax; Secure; Partitioned']


@pytest.mark.parametrize(
    "options",
    [
        {"host_prefix": True, "path": "/x"},
        {"host_prefix": True, "secure": False},
        {"secure_prefix": True, "secure": False},
        {"host_prefix": True, "secure_prefix": True},
    ],
)
def test_a_deletion_that_browsers_would_ignore_is_an_error(jar, options):
    with pytest.raises(ServerError):
        jar.delete_cookie("k", **options)
