"""Bodies of forms."""

from __future__ import annotations

import logging
import time
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sanic.exceptions import BadRequest, PayloadTooLarge
from sanic.request.form import (
    MAX_URLENCODED_FIELDS,
    File,
    FormLimits,
    parse_form,
    parse_multipart_form,
    parse_urlencoded_form,
)
from sanic.request.multipart import MultipartDecoder, PartHeader

DISPOSITION = b"Content-Disposition: form-data; "


def body(*parts, end=b"--X--\r\n"):
    """A multipart body with boundary X of parts, each its header lines and its content."""
    return b"".join(b"--X\r\n" + part + b"\r\n" for part in parts) + end


def part(disposition, content=b"", *headers):
    return b"\r\n".join([DISPOSITION + disposition, *headers, b"", content])


# urlencoded


@pytest.mark.parametrize(
    ("text", "fields"),
    [
        (b"a=1&b=2&a=3", {"a": ["1", "3"], "b": ["2"]}),
        (b"a=x+y%20z%26", {"a": ["x y z&"]}),
        ("ä=%C3%A4".encode(), {"ä": ["ä"]}),
        (b"a=%ff&b=\xff", {"a": ["\ufffd"], "b": ["\ufffd"]}),
        (b"a=&b", {}),
        (b"", {}),
    ],
)
def test_urlencoded_fields_are_decoded(text, fields):
    assert parse_urlencoded_form(text) == fields


def test_blank_values_are_kept_on_request():
    assert parse_urlencoded_form(b"a=&b", keep_blank_values=True) == {"a": [""], "b": [""]}


def test_the_number_of_urlencoded_fields_is_limited():
    for number in (MAX_URLENCODED_FIELDS - 1, MAX_URLENCODED_FIELDS):
        assert len(parse_urlencoded_form(b"&".join([b"a=1"] * number))["a"]) == number
    with pytest.raises(PayloadTooLarge, match=str(MAX_URLENCODED_FIELDS)):
        parse_urlencoded_form(b"&".join([b"a=1"] * (MAX_URLENCODED_FIELDS + 1)))


# multipart


@pytest.mark.parametrize(
    ("parts", "fields"),
    [
        ([part(b'name="a"', b"hello")], {"a": ["hello"]}),
        ([part(b'name="a"', b"1"), part(b'name="a"', b"2"), part(b"name=b", b"")], {"a": ["1", "2"], "b": [""]}),
        ([part(b'name="a"', b"{}", b"Content-Type: application/json")], {"a": ["{}"]}),
        ([part(b'name="a"', b"\xe9", b"Content-Type: text/plain; charset=ISO-8859-1")], {"a": ["é"]}),
        ([part(b'name="a"', "é".encode())], {"a": ["é"]}),
        ([part('name="e\u0301"'.encode(), b"x")], {"é": ["x"]}),
        ([b'Content-Disposition:form-data;name="a"\r\n\r\nx'], {"a": ["x"]}),
        ([b'CONTENT-DISPOSITION: attachment; Name="a"\r\n\r\nx'], {"a": ["x"]}),
        ([part(b'name="a%22b"', b"x")], {'a"b': ["x"]}),
        ([part(b'name="a\\"b"', b"x")], {'a"b': ["x"]}),
        ([part(b'name="a"', b"aGk=", b"Content-Transfer-Encoding: base64")], {"a": ["aGk="]}),
        ([], {}),
    ],
)
def test_parts_without_file_name_are_fields(parts, fields):
    assert parse_multipart_form(body(*parts), "X") == (fields, {})


@pytest.mark.parametrize(
    ("disposition", "content_type", "file"),
    [
        (b'name="a"; filename="f.txt"', b"", File("text/plain", b"data", "f.txt")),
        (b'name="a"; filename=""', b"", File("text/plain", b"data", "")),
        (b'fileName="f"; name="a"', b"", File("text/plain", b"data", "f")),
        (b'name="a"; filename="f.png"', b"Content-Type: Image/PNG; x=y", File("image/png", b"data", "f.png")),
        (b"name=\"a\"; filename*=utf-8''na%C3%AFve", b"", File("text/plain", b"data", "naïve")),
        (b"name=\"a\"; filename*=ISO-8859-1'en'na%EFve", b"", File("text/plain", b"data", "naïve")),
        (b'name="a"; filename="plain"; filename*=utf-8\'\'b%C3%A9st', b"", File("text/plain", b"data", "bést")),
        (b'name="a"; filename*=bare', b"", File("text/plain", b"data", "bare")),
        (b"name=\"a\"; filename*=bogus''x%ff", b"", File("text/plain", b"data", "x\ufffd")),
        ('name="a"; filename="e\u0301"'.encode(), b"", File("text/plain", b"data", "é")),
        (b'name="a"; filename="C:\\dir\\f.txt"', b"", File("text/plain", b"data", "C:\\dir\\f.txt")),
        (b'name="a"; filename="x;y=z.txt"', b"", File("text/plain", b"data", "x;y=z.txt")),
    ],
)
def test_parts_with_a_file_name_are_files(disposition, content_type, file):
    headers = [content_type] if content_type else []
    assert parse_multipart_form(body(part(disposition, b"data", *headers)), "X") == ({}, {"a": [file]})


@given(
    st.lists(st.binary(max_size=200), max_size=4),
    st.sampled_from(["X", "----WebKitFormBoundaryAbc123", "'()+_,-./:=? b"]),
)
def test_the_bytes_of_files_are_exact(contents, boundary):
    delimiter = b"--" + boundary.encode()
    contents = [content.replace(delimiter, b"") for content in contents]
    text = b"".join(delimiter + b"\r\n" + part(b'name="a"; filename="f"', content) + b"\r\n" for content in contents)
    _, files = parse_multipart_form(text + delimiter + b"--\r\n", boundary)
    assert [file.body for file in files.getlist("a")] == contents


@given(st.lists(st.binary(max_size=60), min_size=1, max_size=3), st.integers(1, 30))
def test_a_body_in_pieces_gives_the_same_parts(contents, size):
    contents = [content.replace(b"--X", b"") for content in contents]
    text = body(*(part(b'name="a"; filename="f"', content) for content in contents))
    decoder = MultipartDecoder("X", FormLimits())
    found = []
    for start in range(0, len(text), size):
        for event in decoder.feed(text[start : start + size]):
            if isinstance(event, PartHeader):
                assert (event.name, event.filename, event.content_type) == ("a", "f", "text/plain")
                found.append(b"")
            elif event is not None:
                found[-1] += event
    decoder.close()
    assert found == contents


def test_parts_without_name_are_dropped_with_a_debug_log(caplog):
    caplog.set_level(logging.DEBUG, "sanic.root")
    parts = [
        part(b'filename="f"', b"x"),
        part(b'name=""', b"x"),
        b"Content-Type: a/b\r\n\r\nx",
        part(b'name="a"', b"y"),
    ]
    assert parse_multipart_form(body(*parts), "X") == ({"a": ["y"]}, {})
    assert len([record for record in caplog.records if "without name" in record.getMessage()]) == 3


@pytest.mark.parametrize(
    ("text", "boundary", "reason"),
    [
        (body(part(b'name="a"', b"x"), end=b""), "X", "Unexpected end"),
        (b"garbage", "X", "Unexpected end"),
        (b"", "X", "Unexpected end"),
        (b"--X\r\nno colon\r\n\r\nx\r\n--X--\r\n", "X", "Malformed segment header"),
        (b'--X\nContent-Disposition: form-data; name="a"\n\nx\n--X--\n', "X", "line break"),
        (body(part(b'name="a"', b"x")), "", "boundary"),
        (body(part(b'name="a"', b"x")), "a\nb", "boundary"),
        (body(part(b'name="a"', b"\xe9")), "X", "'a' is not valid utf-8"),
        (body(part(b'name="a"', b"x", b"Content-Type: text/plain; charset=zzz")), "X", "unknown charset 'zzz'"),
        (body(part(b'name="a"', b"x", b"Content-Type: text/plain; charset=punycode")), "X", "unknown charset"),
        (body(part(b'name="a"', b"x", b"Content-Type: text/plain; charset=zlib")), "X", "unknown charset"),
    ],
)
def test_a_broken_body_is_a_bad_request_with_its_reason(text, boundary, reason):
    with pytest.raises(BadRequest, match=reason) as caught:
        parse_multipart_form(text, boundary)
    assert caught.value.status_code == 400


def test_the_boundary_may_be_bytes():
    assert parse_multipart_form(body(part(b'name="a"', b"x")), b"X") == ({"a": ["x"]}, {})


# Limits, each at the limit and beyond


def test_the_number_of_parts_is_limited():
    limits = FormLimits(max_parts=2)
    for number in (1, 2):
        fields, _ = parse_multipart_form(body(*[part(b'name="a"', b"x")] * number), "X", limits)
        assert len(fields["a"]) == number
    with pytest.raises(PayloadTooLarge, match="max_parts=2"):
        parse_multipart_form(body(*[part(b'name="a"', b"x")] * 3), "X", limits)


def test_parts_without_name_count_too():
    with pytest.raises(PayloadTooLarge, match="max_parts=2"):
        parse_multipart_form(body(*[part(b"x=y", b"x")] * 3), "X", FormLimits(max_parts=2))


def test_the_number_of_headers_of_a_part_is_limited():
    limits = FormLimits(max_part_headers=3)
    for number in (1, 2):
        parse_multipart_form(body(part(b'name="a"', b"x", *[b"a: b"] * number)), "X", limits)
    with pytest.raises(PayloadTooLarge, match="max_part_headers=3"):
        parse_multipart_form(body(part(b'name="a"', b"x", *[b"a: b"] * 3)), "X", limits)


@pytest.mark.parametrize("lines", [1, 2])
def test_the_size_of_the_headers_of_a_part_is_limited(lines):
    fixed = len(DISPOSITION + b'name="a"\r\n') + lines * len(b"x: \r\n")
    limits = FormLimits(max_part_header_size=200)
    for size in (199, 200, 201):
        filler = size - fixed
        headers = [b"x: " + b"y" * (filler - 10 * (lines - 1)), *[b"x: " + b"y" * 10] * (lines - 1)]
        text = body(part(b'name="a"', b"v", *headers))
        if size <= 200:
            assert parse_multipart_form(text, "X", limits)[0] == {"a": ["v"]}
        else:
            with pytest.raises(PayloadTooLarge, match="max_part_header_size=200"):
                parse_multipart_form(text, "X", limits)


def test_the_size_of_fields_is_limited_but_not_that_of_files():
    limits = FormLimits(max_field_size=10)
    for size in (9, 10):
        assert parse_multipart_form(body(part(b'name="a"', b"x" * size)), "X", limits)[0] == {"a": ["x" * size]}
    with pytest.raises(PayloadTooLarge, match="max_field_size=10"):
        parse_multipart_form(body(part(b'name="a"', b"x" * 11)), "X", limits)
    _, files = parse_multipart_form(body(part(b'name="a"; filename="f"', b"x" * 11)), "X", limits)
    assert len(files.get("a").body) == 11


def test_an_endless_header_is_refused_before_it_is_kept():
    decoder = MultipartDecoder("X", FormLimits())
    list(decoder.feed(b"--X\r\nx: " + b"y" * 8000))
    with pytest.raises(PayloadTooLarge, match="max_part_header_size=8192"):
        list(decoder.feed(b"y" * 1000))


@pytest.mark.parametrize("piece", [b"\r\n--", b"--X", b"\r", b"\r\n--X", b'"', b"a: b\r\n"], ids=repr)
@pytest.mark.parametrize(
    "start", [b"", b"--X\r\n", b'--X\r\nContent-Disposition: form-data; name="a"; filename="f"\r\n\r\n']
)
def test_hostile_bodies_take_linear_time(start, piece):
    begin = time.process_time()
    with suppress(BadRequest, PayloadTooLarge):
        parse_multipart_form(start + piece * (2_000_000 // len(piece)), "X")
    assert time.process_time() - begin < 3


# Either, by content type


def test_the_content_type_decides():
    text = body(part(b'name="a"', b"1"), part(b'name="f"; filename="n"', b"2"))
    fields, files = parse_form(text, 'Multipart/Form-Data; Charset=x; boundary="X"')
    assert (fields, files) == ({"a": ["1"]}, {"f": [File("text/plain", b"2", "n")]})
    assert parse_form(b"a=1", "application/x-www-form-urlencoded; charset=UTF-8") == ({"a": ["1"]}, {})
    assert parse_form(b"a=1", "text/plain") == ({}, {})
    with pytest.raises(BadRequest, match="boundary"):
        parse_form(text, "multipart/form-data")
