"""Error pages: the format that suits the request, and what each format tells to whom."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from html import unescape
from types import SimpleNamespace
from typing import Any

import pytest
from bs4 import BeautifulSoup

from sanic import Request, Sanic
from sanic.compat import Header
from sanic.errorpages import (
    BaseRenderer,
    HTMLRenderer,
    JSONRenderer,
    TextRenderer,
    check_error_format,
    exception_response,
    guess_mime,
)
from sanic.exceptions import NotFound, SanicException, ServiceUnavailable, Unauthorized
from sanic.response import HTTPResponse, text

TEXT, JSON, HTML = "text/plain", "application/json", "text/html"
BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8"


def make_request(
    app: Any,
    accept: str | None = None,
    content_type: str | None = None,
    body: bytes = b"",
    error_format: str | None = None,
    url: bytes = b"/page?a=1&a=2",
) -> Any:
    headers = Header({"cookie": "session=hidden"})
    if accept is not None:
        headers["accept"] = accept
    if content_type is not None:
        headers["content-type"] = content_type
    request = Request(url, headers, "1.1", "GET", None, app)
    request.body = body
    if error_format is not None:
        request.route = SimpleNamespace(name="route", extra=SimpleNamespace(error_format=error_format))
    return request


def raised(error: BaseException) -> BaseException:
    try:
        raise error
    except BaseException as caught:
        return caught


def chained() -> BaseException:
    try:
        1 / 0  # noqa: B018
    except ZeroDivisionError as cause:
        error = RuntimeError("secret <b>detail</b>")
        error.__cause__ = cause
        return raised(error)
    raise AssertionError("division by zero went well")


def page(
    request: Any, error: BaseException, renderer: type[BaseRenderer] | None = None, debug: bool = False
) -> HTTPResponse:
    return exception_response(request, error, debug, "auto", TextRenderer, renderer)


def body_of(response: HTTPResponse) -> str:
    return (response.body or b"").decode()


def facts_on(body: str) -> dict[str, str]:
    """The rows of the tables of a page; HTML allows th, td and tr to be left open."""
    return {name: unescape(value) for name, value in re.findall(r"<th[^>]*>([^<]*)(?:</th>)?<td>([^<]*)", body)}


@pytest.mark.parametrize(
    ("accept", "content_type", "expected"),
    [
        (None, None, TEXT),
        ("*/*", None, TEXT),
        ("text/*", None, TEXT),
        ("text/plain", None, TEXT),
        ("text/html", None, HTML),
        ("text/html;charset=utf-8", None, HTML),
        (BROWSER, None, HTML),
        ("text/plain;q=0.5, text/html", None, HTML),
        ("application/json", None, JSON),
        ("application/json;version=1", None, JSON),
        ("application/*", None, JSON),
        ("text/html;q=0.5, application/json", None, JSON),
        ("text/plain, application/json", None, JSON),
        ("application/json, */*", None, JSON),
        (None, "application/json", JSON),
        ("*/*", "application/json", JSON),
        ("*/*", "Application/JSON; charset=utf-8", JSON),
        ("text/*", "application/json", TEXT),
        (BROWSER, "application/json", HTML),
        ("image/png", None, ""),
        ("image/png", "application/json", ""),
        ("", None, ""),
    ],
)
def test_auto_follows_what_the_client_accepts_and_sends(
    app: Sanic[Any, Any], accept: str | None, content_type: str | None, expected: str
) -> None:
    assert guess_mime(make_request(app, accept, content_type), "auto") == expected


@pytest.mark.parametrize(
    ("accept", "fallback", "expected"),
    [
        (None, "html", HTML),
        ("*/*", "html", HTML),
        (BROWSER, "html", HTML),
        ("application/json", "html", ""),
        (None, "json", JSON),
        ("text/*", "json", ""),
        ("text/html;q=0.5, application/json", "html", HTML),
        (None, "text", TEXT),
        (BROWSER, "text", TEXT),
    ],
)
def test_a_fixed_format_is_used_where_the_client_accepts_it(
    app: Sanic[Any, Any], accept: str | None, fallback: str, expected: str
) -> None:
    assert guess_mime(make_request(app, accept), fallback) == expected


@pytest.mark.parametrize(
    ("accept", "error_format", "fallback", "expected"),
    [
        (None, "json", "auto", JSON),
        ("*/*", "json", "auto", JSON),
        ("text/html", "json", "auto", HTML),
        ("text/*", "json", "auto", TEXT),
        ("application/json", "html", "auto", JSON),
        (None, "json", "html", JSON),
        ("text/html", "json", "html", ""),
        (None, "auto", "html", HTML),
        (None, "", "html", HTML),
    ],
)
def test_the_format_of_the_route_comes_first(
    app: Sanic[Any, Any], accept: str | None, error_format: str, fallback: str, expected: str
) -> None:
    assert guess_mime(make_request(app, accept, error_format=error_format), fallback) == expected


@pytest.mark.parametrize(
    ("body", "expected"), [(b'{"a": 1}', JSON), (b"[1]", JSON), (b"{}", TEXT), (b"a=1", TEXT), (b"", TEXT)]
)
def test_a_json_body_counts_as_speaking_json(app: Sanic[Any, Any], body: bytes, expected: str) -> None:
    assert guess_mime(make_request(app, "*/*", body=body), "auto") == expected


@pytest.mark.parametrize("accept", ["bad", "/", "*/*;q=x", "text/html;q="])
def test_a_malformed_accept_is_treated_as_absent(app: Sanic[Any, Any], accept: str) -> None:
    assert guess_mime(make_request(app, accept), "auto") == TEXT
    assert guess_mime(make_request(app, accept), "html") == HTML
    assert guess_mime(make_request(app, accept, error_format="json"), "auto") == JSON


@pytest.mark.parametrize("fallback", ["auto", "html"])
def test_quality_zero_means_not_acceptable(app: Sanic[Any, Any], fallback: str) -> None:
    assert guess_mime(make_request(app, "text/html;q=0"), fallback) == ""


def test_the_base_renderer_serves_clients_that_accept_nothing_on_offer(app: Sanic[Any, Any]) -> None:
    request = make_request(app, "image/png")
    assert exception_response(request, NotFound(), False, "auto", JSONRenderer).content_type == JSON


@pytest.mark.parametrize("name", ["auto", "html", "json", "text"])
def test_known_formats_pass(name: str) -> None:
    check_error_format(name)


@pytest.mark.parametrize("name", ["xml", "", "JSON"])
def test_an_unknown_format_is_refused(name: str) -> None:
    with pytest.raises(SanicException, match=f"Unknown format: {name}"):
        check_error_format(name)


def test_text_shows_headline_message_and_context(app: Sanic[Any, Any]) -> None:
    error = SanicException("No <such> tea", 503, context={"pot": 1, "name": "é", "lid": None}, extra={"leaf": 2})
    assert body_of(page(make_request(app), error)) == (
        "⚠️ 503 — Service Unavailable\n"
        "============================\n"
        "No <such> tea\n"
        "\n"
        "Context\n"
        "    pot: 1\n"
        '    name: "\\u00e9"\n'
        "    lid: null"
    )


def test_text_in_debug_tells_where_it_happened(app: Sanic[Any, Any]) -> None:
    body = body_of(page(make_request(app), chained(), debug=True))
    lines = body.split("\n")
    assert lines[:3] == ["⚠️ 500 — Internal Server Error", "=" * 30, "secret <b>detail</b>"]
    assert "RuntimeError: secret <b>detail</b> while handling path /page" in lines
    assert f"Traceback of {app.name} (most recent call last):" in lines
    assert lines.index("  ZeroDivisionError: division by zero") < lines.index("  RuntimeError: secret <b>detail</b>")
    assert "1 / 0" in body
    assert "test_errorpages.py" in body


def test_text_in_debug_shows_context_and_extra(app: Sanic[Any, Any]) -> None:
    error = raised(SanicException("m", context={"a": 1}, extra={"b": [2]}))
    assert body_of(page(make_request(app), error, debug=True)).endswith("\n\nContext\n    a: 1\n\nExtra\n    b: [2]")


def test_json_shows_description_status_message_and_context(app: Sanic[Any, Any]) -> None:
    error = SanicException("No tea", 503, context={"pot": "<1>"}, extra={"leaf": 2})
    response = page(make_request(app, JSON), error)
    assert (response.status, response.content_type) == (503, JSON)
    assert json.loads(body_of(response)) == {
        "description": "Service Unavailable",
        "status": 503,
        "message": "No tea",
        "context": {"pot": "<1>"},
    }


def test_json_in_debug_lists_the_causes_in_order(app: Sanic[Any, Any]) -> None:
    output = json.loads(body_of(page(make_request(app, JSON), chained(), debug=True)))
    assert (output["path"], output["args"]) == ("/page", {"a": ["1", "2"]})
    assert [entry["type"] for entry in output["exceptions"]] == ["ZeroDivisionError", "RuntimeError"]
    assert [entry["exception"] for entry in output["exceptions"]] == ["division by zero", "secret <b>detail</b>"]
    frame = output["exceptions"][0]["frames"][-1]
    assert frame["file"].endswith("test_errorpages.py")
    assert frame["name"] == "chained"
    assert frame["src"].startswith("1 / 0")
    assert isinstance(frame["line"], int)


def test_a_suppressed_context_is_not_a_cause(app: Sanic[Any, Any]) -> None:
    try:
        try:
            1 / 0  # noqa: B018
        except ZeroDivisionError:
            raise SanicException("clean") from None
    except SanicException as error:
        output = json.loads(body_of(page(make_request(app, JSON), error, debug=True)))
    assert [entry["type"] for entry in output["exceptions"]] == ["SanicException"]


def test_exceptions_that_cause_each_other_end(app: Sanic[Any, Any]) -> None:
    first, second = ValueError("a"), ValueError("b")
    first.__cause__, second.__cause__ = second, first
    output = json.loads(body_of(page(make_request(app, JSON), first, debug=True)))
    assert [entry["exception"] for entry in output["exceptions"]] == ["b", "a"]


@pytest.mark.parametrize("link", ["__cause__", "__context__"])
def test_a_page_of_exceptions_that_cause_each_other_ends(app: Sanic[Any, Any], link: str) -> None:
    first, second = ValueError("the first"), ValueError("the second")
    setattr(first, link, second)
    setattr(second, link, first)
    body = body_of(page(make_request(app, HTML), raised(first), debug=True))
    assert "the first" in body
    assert "the second" in body


@pytest.mark.parametrize("accept", [TEXT, JSON])
def test_quiet_exceptions_show_no_details_in_debug(app: Sanic[Any, Any], accept: str) -> None:
    error = raised(NotFound("Gone", context={"shown": 1}, extra={"leaf": 2}))
    in_debug = body_of(page(make_request(app, accept), error, debug=True))
    assert in_debug == body_of(page(make_request(app, accept), error))
    assert "shown" in in_debug
    assert "leaf" not in in_debug


def test_html_says_sorry_and_leads_to_the_front_page(app: Sanic[Any, Any]) -> None:
    response = page(make_request(app, BROWSER), NotFound("Nothing here", context={"pot": 1}))
    assert (response.status, response.content_type) == (404, "text/html; charset=utf-8")
    assert body_of(response).startswith("<!DOCTYPE html>")
    soup = BeautifulSoup(body_of(response), "html.parser")
    assert soup.title
    assert soup.title.string == f"Application {app.name} cannot handle your request"
    assert soup.h1
    assert soup.h1.string == "⚠️ 404 — Not Found"
    assert soup.main
    assert "Nothing here" in soup.main.text
    assert facts_on(body_of(response)) == {"pot": "1"}
    assert [link["href"] for link in soup.select("main a")] == ["/"]


def test_html_in_debug_has_traceback_headers_and_extra(app: Sanic[Any, Any]) -> None:
    error = raised(NotFound("Gone", extra={"leaf": 2}))
    body = body_of(page(make_request(app, BROWSER), error, debug=True))
    facts = facts_on(body)
    assert facts["leaf"] == "2"
    assert facts["cookie"] == "session=hidden"
    assert "raised" in body
    assert "test_errorpages.py" in body


@pytest.mark.parametrize("debug", [False, True])
def test_html_escapes_every_value(app: Sanic[Any, Any], debug: bool) -> None:
    attack = "</style><script>alert(1)</script>"
    error = raised(SanicException(attack, context={attack: attack}, extra={attack: {attack: attack}}))
    request = make_request(app, BROWSER, url=b"/%3Cscript%3Ealert(1)%3C/script%3E")
    request.headers["x-attack"] = attack
    body = body_of(page(request, error, debug=debug))
    assert "<script>alert" not in body
    assert "&lt;script" in body


@pytest.mark.parametrize("accept", [TEXT, JSON, BROWSER])
@pytest.mark.parametrize("error", [chained(), raised(SanicException("told", extra={"leaf": "hidden"}))])
def test_production_pages_keep_details_to_themselves(app: Sanic[Any, Any], accept: str, error: BaseException) -> None:
    body = body_of(page(make_request(app, accept), error))
    for secret in ("secret", "hidden", "leaf", "Traceback", "test_errorpages", "/page", "cookie", "<script"):
        assert secret not in body


@pytest.mark.parametrize("accept", [TEXT, JSON, BROWSER])
def test_the_text_of_foreign_exceptions_is_for_debug_only(app: Sanic[Any, Any], accept: str) -> None:
    error = raised(ValueError("for developers"))
    general = "The application encountered an unexpected error and could not continue."
    assert general in body_of(page(make_request(app, accept), error))
    in_debug = body_of(page(make_request(app, accept), error, debug=True))
    assert general not in in_debug
    assert "for developers" in in_debug


@pytest.mark.parametrize("accept", [TEXT, JSON, BROWSER])
def test_headers_of_the_exception_go_into_the_response(app: Sanic[Any, Any], accept: str) -> None:
    response = page(make_request(app, accept), Unauthorized("no", "Basic", realm="r", headers={"retry-after": "5"}))
    assert response.status == 401
    assert response.headers["www-authenticate"] == 'Basic realm="r"'
    assert response.headers["retry-after"] == "5"


@pytest.mark.parametrize("accept", [TEXT, JSON, BROWSER])
def test_an_unknown_status_has_a_general_reason(app: Sanic[Any, Any], accept: str) -> None:
    response = page(make_request(app, accept), SanicException("odd", 444))
    assert response.status == 444
    assert "Error Occurred" in body_of(response)


@pytest.mark.parametrize("status", [0, 99, 101, 1000, "404"])
def test_a_status_that_cannot_end_an_exchange_becomes_500(app: Sanic[Any, Any], status: Any) -> None:
    assert page(make_request(app), SanicException("odd", status)).status == 500


class Unprintable(Exception):
    def __str__(self) -> str:
        raise ValueError("no text")

    __repr__ = __str__


LOOP: dict[str, Any] = {}
LOOP["self"] = LOOP


@pytest.mark.parametrize("accept", [TEXT, JSON, BROWSER])
@pytest.mark.parametrize("debug", [False, True])
@pytest.mark.parametrize(
    "context",
    [{"it": object()}, {"it": {1, 2}}, {("a", 1): b"\xff"}, {"it": LOOP}, {"it": "\ud800"}, {"it": Unprintable()}],
    ids=["object", "set", "keys", "loop", "surrogate", "unprintable"],
)
def test_what_json_does_not_know_is_shown_anyway(
    app: Sanic[Any, Any], accept: str, debug: bool, context: dict[Any, Any]
) -> None:
    error = raised(ServiceUnavailable("still readable", context=context, extra=context, quiet=False))
    response = page(make_request(app, accept), error, debug=debug)
    assert response.status == 503
    assert response.content_type is not None
    assert response.content_type.startswith(accept.partition(",")[0])
    assert "still readable" in body_of(response)
    if accept == JSON:
        assert json.loads(body_of(response))["context"]


@pytest.mark.parametrize("accept", [TEXT, JSON, BROWSER])
def test_an_exception_without_usable_text_has_a_page(app: Sanic[Any, Any], accept: str) -> None:
    response = page(make_request(app, accept), raised(Unprintable()), debug=True)
    assert response.status == 500
    assert "unprintable Unprintable" in body_of(response).replace("&lt;", "<")


def test_a_renderer_that_fails_leaves_a_plain_page_and_a_log_line(
    app: Sanic[Any, Any], caplog: pytest.LogCaptureFixture
) -> None:
    class Broken(BaseRenderer):
        def minimal(self) -> HTTPResponse:
            raise KeyError("broken renderer")

    response = page(make_request(app), NotFound("Gone"), renderer=Broken)
    assert response.status == 404
    assert body_of(response) == "⚠️ 404 — Not Found\n==================\nGone\n"
    assert "NotFound cannot be rendered" in caplog.text
    assert "broken renderer" in caplog.text


def test_a_renderer_of_ones_own_decides_what_is_shown(app: Sanic[Any, Any]) -> None:
    class Mine(BaseRenderer):
        def minimal(self) -> HTTPResponse:
            return text(f"{self.status} | {self.title} | {self.text}")

        def full(self) -> HTTPResponse:
            return text("everything")

    error = SanicException("m", 418, headers={"x-pot": "tea"})
    response = page(make_request(app), error, renderer=Mine)
    assert body_of(response) == "418 | ⚠️ 418 — I'm a teapot | m"
    assert (response.status, response.headers["x-pot"]) == (418, "tea")
    assert body_of(page(make_request(app), error, renderer=Mine, debug=True)) == "everything"


@pytest.mark.parametrize("renderer", [TextRenderer, JSONRenderer, HTMLRenderer])
def test_a_renderer_can_be_asked_for(app: Sanic[Any, Any], renderer: type[BaseRenderer]) -> None:
    response = page(make_request(app, "image/png"), NotFound("Gone"), renderer=renderer)
    assert "Gone" in body_of(response)


def test_page_libraries_are_imported_only_for_html() -> None:
    code = (
        "import sys, sanic.errorpages, sanic.handlers;"
        "print(sorted({'html5tagger', 'tracerite', 'sanic.pages.error'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
