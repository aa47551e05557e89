"""Exceptions: status, quietness, message and the headers they bring."""

from __future__ import annotations

import asyncio
import pickle
from types import SimpleNamespace
from typing import Any

import pytest

from sanic import exceptions
from sanic.exceptions import (
    BadRequest,
    FileNotFound,
    HTTPException,
    InvalidRangeType,
    MethodNotAllowed,
    NotFound,
    PayloadTooLarge,
    PyFileError,
    RangeNotSatisfiable,
    RequestCancelled,
    RequestHeaderFieldsTooLarge,
    SanicException,
    ServerKilled,
    Unauthorized,
    WebsocketClosed,
)

STATUSES = [
    ("SanicException", 500, False),
    ("HTTPException", 500, False),
    ("BadRequest", 400, True),
    ("HeaderNotFound", 400, True),
    ("InvalidHeader", 400, True),
    ("Unauthorized", 401, True),
    ("Forbidden", 403, True),
    ("NotFound", 404, True),
    ("FileNotFound", 404, True),
    ("MethodNotAllowed", 405, True),
    ("RequestTimeout", 408, True),
    ("PayloadTooLarge", 413, True),
    ("URITooLong", 414, True),
    ("RangeNotSatisfiable", 416, True),
    ("InvalidRangeType", 416, True),
    ("ExpectationFailed", 417, True),
    ("RequestHeaderFieldsTooLarge", 431, True),
    ("ServerError", 500, False),
    ("URLBuildError", 500, False),
    ("NotImplementedCoding", 501, True),
    ("ServiceUnavailable", 503, True),
    ("LoadFileException", 500, False),
    ("InvalidSignal", 500, False),
    ("WebsocketClosed", 500, True),
]


@pytest.mark.parametrize(("name", "status", "quiet"), STATUSES)
def test_each_exception_has_its_status_and_quietness(name: str, status: int, quiet: bool) -> None:
    error = getattr(exceptions, name)("Told you")
    assert (error.status_code, error.quiet) == (status, quiet)
    assert str(error) == error.message == "Told you"
    assert isinstance(error, SanicException)


@pytest.mark.parametrize(
    ("alias", "name"),
    [
        ("InvalidUsage", "BadRequest"),
        ("BadURL", "BadRequest"),
        ("MethodNotSupported", "MethodNotAllowed"),
        ("ContentRangeError", "RangeNotSatisfiable"),
        ("HeaderExpectationFailed", "ExpectationFailed"),
        ("InternalServerError", "ServerError"),
    ],
)
def test_older_names_are_the_same_classes(alias: str, name: str) -> None:
    assert getattr(exceptions, alias) is getattr(exceptions, name)


@pytest.mark.parametrize(
    ("child", "parent"),
    [
        ("HeaderNotFound", "BadRequest"),
        ("InvalidHeader", "BadRequest"),
        ("FileNotFound", "NotFound"),
        ("RequestHeaderFieldsTooLarge", "PayloadTooLarge"),
        ("InvalidRangeType", "RangeNotSatisfiable"),
        ("URLBuildError", "ServerError"),
        ("NotFound", "HTTPException"),
        ("HTTPException", "SanicException"),
    ],
)
def test_a_handler_for_the_general_class_catches_the_special_one(child: str, parent: str) -> None:
    assert issubclass(getattr(exceptions, child), getattr(exceptions, parent))


def test_the_message_defaults_to_the_reason_phrase() -> None:
    assert str(NotFound()) == "Not Found"
    assert str(SanicException(status_code=418)) == "I'm a teapot"
    assert str(SanicException(status_code=799)) == "Error Occurred"


def test_an_empty_message_stays_empty() -> None:
    assert str(SanicException("")) == ""


def test_bytes_messages_are_decoded() -> None:
    assert str(SanicException("grün".encode())) == "grün"
    assert str(SanicException(b"\xff!")) == "\ufffd!"


def test_arguments_win_over_class_attributes() -> None:
    class Teapot(SanicException):
        status_code = 418
        quiet = True
        message = "short and stout"
        headers = {"x-pot": "tea"}  # noqa: RUF012 - users write it like this

    assert (str(Teapot()), Teapot().status_code, Teapot().quiet) == ("short and stout", 418, True)
    assert Teapot().headers == {"x-pot": "tea"}

    error = Teapot("tall", 500, quiet=False, headers={"x-pot": "coffee"}, context={"a": 1}, extra={"b": 2})
    assert (str(error), error.message, error.status_code, error.quiet) == ("tall", "tall", 500, False)
    assert error.headers == {"x-pot": "coffee"}
    assert (error.context, error.extra) == ({"a": 1}, {"b": 2})


def test_headers_of_one_exception_do_not_leak_into_the_next() -> None:
    shared = {"a": "1"}
    NotFound(headers=shared).headers["b"] = "2"
    NotFound().headers["c"] = "3"
    assert shared == {"a": "1"}
    assert NotFound().headers == {}


def test_a_message_property_can_use_extra() -> None:
    class OutOfStock(SanicException):
        status_code = 409

        @property
        def message(self) -> str:  # type: ignore[override]
            return f"{self.extra['item']} is out of stock" if self.extra else "out of stock"

    assert str(OutOfStock(extra={"item": "milk"})) == "milk is out of stock"
    assert str(OutOfStock("sold", extra={"item": "milk"})) == "sold"


@pytest.mark.parametrize(
    ("arguments", "challenges", "header"),
    [
        (("no",), {}, None),
        (("no", "Basic"), {}, "Basic"),
        (("no", "Basic"), {"realm": "Restricted Area"}, 'Basic realm="Restricted Area"'),
        (
            ("no", "Digest"),
            {"realm": "R", "qop": "auth, auth-int", "algorithm": "MD5", "opaque": None},
            'Digest realm="R", qop="auth, auth-int", algorithm="MD5"',
        ),
        (("no", "Basic"), {"realm": 'say "friend" \\'}, r'Basic realm="say \"friend\" \\"'),
    ],
)
def test_unauthorized_carries_its_challenge(
    arguments: tuple[str, ...], challenges: dict[str, Any], header: str | None
) -> None:
    assert Unauthorized(*arguments, **challenges).headers.get("WWW-Authenticate") == header


def test_a_challenge_is_added_to_given_headers() -> None:
    error = Unauthorized("no", scheme="Bearer", headers={"x-hint": "log in"})
    assert error.headers == {"x-hint": "log in", "WWW-Authenticate": "Bearer"}


def test_method_not_allowed_names_what_is_allowed() -> None:
    error = MethodNotAllowed("no", method="PUT", allowed_methods=["GET", "HEAD"])
    assert error.headers == {"Allow": "GET, HEAD"}
    assert (error.method, error.allowed_methods) == ("PUT", ["GET", "HEAD"])
    assert MethodNotAllowed().headers == {}


@pytest.mark.parametrize("kind", [RangeNotSatisfiable, InvalidRangeType])
def test_an_unsatisfiable_range_tells_the_length(kind: type[RangeNotSatisfiable]) -> None:
    content_range = SimpleNamespace(start=None, end=None, size=None, total=10)
    assert kind("no", content_range).headers == {"Content-Range": "bytes */10"}
    assert kind("no").headers == {}


def test_a_missing_file_is_known_by_path_and_url() -> None:
    error = FileNotFound("File not found", path="/srv/a.txt", relative_url="a.txt")
    assert (error.path, error.relative_url, str(error)) == ("/srv/a.txt", "a.txt", "File not found")


def test_a_broken_configuration_file_is_named() -> None:
    assert "config.py" in str(PyFileError("config.py"))


def test_a_closed_websocket_says_so() -> None:
    assert str(WebsocketClosed()) == "Client has closed the websocket connection"


def test_a_cancelled_request_is_a_cancellation() -> None:
    assert issubclass(RequestCancelled, asyncio.CancelledError)
    assert RequestCancelled().quiet
    assert ServerKilled().quiet
    assert not issubclass(ServerKilled, SanicException)


def test_too_large_headers_are_too_large_a_payload_to_handlers() -> None:
    with pytest.raises(PayloadTooLarge) as caught:
        raise RequestHeaderFieldsTooLarge
    assert caught.value.status_code == 431


@pytest.mark.parametrize(
    "error",
    [NotFound("gone", context={"a": 1}), Unauthorized("no", "Basic", realm="r"), BadRequest(), HTTPException("x")],
    ids=lambda error: type(error).__name__,
)
def test_exceptions_survive_the_way_to_another_process(error: SanicException) -> None:
    copy = pickle.loads(pickle.dumps(error))
    assert type(copy) is type(error)
    assert (str(copy), vars(copy)) == (str(error), vars(error))
