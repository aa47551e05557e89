"""Cookies that a client sends."""

from __future__ import annotations

import pickle
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sanic.cookies import CookieRequestParameters, parse_cookie, parse_cookies


@pytest.mark.parametrize(
    ("header", "cookies"),
    [
        ("a=b", {"a": ["b"]}),
        ("a=b; c=d;e=f", {"a": ["b"], "c": ["d"], "e": ["f"]}),
        ("a=1; a=2", {"a": ["1", "2"]}),
        ("a = b ", {"a": ["b"]}),
        ("a=", {"a": [""]}),
        ("a", {"": ["a"]}),
        ("=a", {"": ["a"]}),
        ("e=f=g", {"e": ["f=g"]}),
        ('a="b c"', {"a": ["b c"]}),
        ('a="\\073"', {"a": [";"]}),
        ('a="\\x\\"\\999\\"', {"a": ['x"999\\']}),
        ('a="b', {"a": ['"b']}),
        ('a="', {"a": ['"']}),
        ('a=""', {"a": [""]}),
        ("a=\\073", {"a": ["\\073"]}),
        ("a=b,c=d", {"a": ["b,c=d"]}),
        ('a={"x":1}', {"a": ['{"x":1}']}),
        ("a=%20é", {"a": ["%20é"]}),
        ("", {}),
        ("; ;=;", {}),
    ],
)
def test_pairs_are_read(header, cookies):
    assert parse_cookie(header) == cookies


@pytest.mark.parametrize(
    "name", ["a b", "a\x01", "a\x7f", "a[]", "a:b", "a(b)", "a/b", "a@b", "é", "a,b", '"a"', "\udcff", "a\tb"]
)
def test_malformed_names_are_skipped_and_the_rest_is_kept(name):
    assert parse_cookie(f"a=1; {name}=2; b=3") == {"a": ["1"], "b": ["3"]}


def test_all_cookie_headers_are_read():
    assert parse_cookies(["a=1; b=2", "a=3"]) == {"a": ["1", "3"], "b": ["2"]}


@given(st.text())
def test_nothing_raises(header):
    CookieRequestParameters(parse_cookie(header))


@pytest.mark.parametrize("piece", ['"', "\\", '\\"', "=", "; ", ";", "a", '="\\', "a=;"], ids=repr)
def test_parsing_takes_linear_time(piece):
    begin = time.process_time()
    parse_cookie('a="' + piece * 500_000 + '"')
    assert time.process_time() - begin < 3


def test_protected_cookies_are_preferred_by_every_accessor():
    cookies = CookieRequestParameters(parse_cookie("k=1; __Secure-k=2; z=3; __Secure-z=4; __Host-z=5; y=6"))
    assert cookies["k"] == cookies.getlist("k") == ["2"]
    assert cookies["z"] == cookies.getlist("z") == ["5"]
    assert (cookies.get("k"), cookies.k) == ("2", "2")
    assert (cookies.get("z"), cookies.z) == ("5", "5")
    assert (cookies["y"], cookies.get("y"), cookies.y) == (["6"], "6", "6")
    assert cookies["__Secure-z"] == ["4"]


def test_attributes_stand_for_names_with_dashes():
    cookies = CookieRequestParameters(parse_cookie("foo-bar=x; foo-bar=y"))
    assert cookies.foo_bar == "x"
    assert cookies.absent == ""


def test_absent_cookies_have_defaults():
    cookies = CookieRequestParameters({})
    assert cookies.get("a") is None
    assert cookies.get("a", "d") == "d"
    assert cookies.getlist("a") == []
    assert cookies.getlist("a", ["d"]) == ["d"]
    with pytest.raises(KeyError):
        cookies["a"]


def test_cookies_can_be_pickled():
    cookies = CookieRequestParameters({"a": ["1"]})
    assert pickle.loads(pickle.dumps(cookies)) == cookies
