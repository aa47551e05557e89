"""How an exception looks to the client: which format is chosen, and the text, JSON and HTML that go out.

Nothing here fails because of what it is given: a malformed `Accept` counts as absent, a value that JSON does
not know is shown by its `repr`. What helps only developers (traceback, `extra`, arguments, request headers) is
added in debug mode alone. Which exceptions are logged, and by whom they are handled, is not known here.
"""

from __future__ import annotations

import traceback
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from sanic.exceptions import UNKNOWN_REASON, SanicException
from sanic.helpers import STATUS_CODES
from sanic.log import error_logger
from sanic.response import HTTPResponse, JSONResponse
from sanic.response.json import default_json

if TYPE_CHECKING:
    from sanic.request import Request

__all__ = [
    "BaseRenderer",
    "HTMLRenderer",
    "JSONRenderer",
    "TextRenderer",
    "check_error_format",
    "exception_response",
    "guess_mime",
]

UNEXPECTED_ERROR = "The application encountered an unexpected error and could not continue."

# In the order in which "auto" tries them.
MIME_BY_FORMAT: Mapping[str, str] = {"text": "text/plain", "json": "application/json", "html": "text/html"}

# Deeper nesting than this in `context` and `extra` is shown by its `repr`.
MAX_DEPTH = 8


class BaseRenderer:
    """Base of the formats: what to say about an exception, without saying how.

    Subclasses give `minimal`, what every client may see, and `full`, which adds what only developers may see.

    Args:
        request: The request that failed.
        exception: What went wrong.
        debug: Whether developers are watching.
    """

    # Whether a quiet exception, which is an answer rather than a fault, is shown to developers in full as well.
    shows_quiet_in_full = False

    @staticmethod
    def dumps(value: Any, **kwargs: Any) -> Any:
        """Write JSON."""
        return default_json()[0](value, **kwargs)

    def __init__(self, request: Request[Any, Any], exception: BaseException, debug: bool) -> None:
        self.request = request
        self.exception = exception
        self.debug = debug

    @property
    def headers(self) -> dict[str, Any]:
        """Header fields that the exception adds to the response."""
        return dict(self.exception.headers) if isinstance(self.exception, SanicException) else {}

    @property
    def status(self) -> int:
        """HTTP status of the response; 500 when the exception has none that can end an exchange."""
        if isinstance(self.exception, SanicException):
            status = self.exception.status_code
            if isinstance(status, int) and 200 <= status <= 999:
                return int(status)
        return 500

    @property
    def reason(self) -> str:
        """Reason phrase of the status."""
        reason = STATUS_CODES.get(self.status)
        return reason.decode() if reason else UNKNOWN_REASON

    @property
    def text(self) -> str:
        """The message; that of an exception from outside the package is for developers only."""
        if self.debug or isinstance(self.exception, SanicException):
            return _message(self.exception)
        return UNEXPECTED_ERROR

    @property
    def title(self) -> str:
        """Status and reason, as a headline."""
        return f"⚠️ {self.status} — {self.reason}"

    def render(self) -> HTTPResponse:
        """Return the response, in full if developers are watching."""
        quiet = getattr(self.exception, "quiet", False)
        in_full = self.debug and (self.shows_quiet_in_full or not quiet)
        response = self.full() if in_full else self.minimal()
        response.status = self.status
        response.headers.update(self.headers)
        return response

    def minimal(self) -> HTTPResponse:
        """Return what every client may see."""
        raise NotImplementedError(f"{type(self).__name__} must define minimal()")

    def full(self) -> HTTPResponse:
        """Return what developers may see."""
        raise NotImplementedError(f"{type(self).__name__} must define full()")

    def details(self, name: str) -> dict[str, Any]:
        """Return the exception's `context` or `extra`; empty when it has none."""
        details = getattr(self.exception, name, None) if isinstance(self.exception, SanicException) else None
        if not details:
            return {}
        return dict(details) if isinstance(details, Mapping) else {name: details}

    def write_json(self, value: Any) -> str:
        """Return a value as JSON, whatever it is."""
        try:
            written = self.dumps(value)
        except Exception:
            written = self.dumps(_plain(value))
        return written.decode() if isinstance(written, bytes) else str(written)


class TextRenderer(BaseRenderer):
    """Plain text."""

    OUTPUT_TEXT = "{title}\n{bar}\n{text}\n\n{body}"
    SPACER = "  "

    def minimal(self) -> HTTPResponse:
        return self._page([self._block("Context", self.details("context"))])

    def full(self) -> HTTPResponse:
        return self._page(
            [
                "\n".join(self._trace()),
                self._block("Context", self.details("context")),
                self._block("Extra", self.details("extra")),
            ]
        )

    def _page(self, blocks: list[str]) -> HTTPResponse:
        title = self.title
        body = "\n\n".join(block for block in blocks if block)
        page = self.OUTPUT_TEXT.format(title=title, bar="=" * len(title), text=self.text, body=body)
        return HTTPResponse(_encoded(page), content_type="text/plain; charset=utf-8")

    def _block(self, title: str, details: Mapping[str, Any]) -> str:
        if not details:
            return ""
        indent = self.SPACER * 2
        return "\n".join([title, *(f"{indent}{key}: {self.write_json(value)}" for key, value in details.items())])

    def _trace(self) -> Iterator[str]:
        exception, indent = self.exception, self.SPACER
        yield f"{type(exception).__name__}: {_message(exception)} while handling path {self.request.path}"
        yield f"Traceback of {self.request.app.name} (most recent call last):"
        for error in _causes(exception):
            yield ""
            yield f"{indent}{type(error).__name__}: {_message(error)}"
            for frame in traceback.extract_tb(error.__traceback__):
                yield f"{indent * 2}File {frame.filename}, line {frame.lineno}, in {frame.name}"
                yield f"{indent * 3}{frame.line}"


class JSONRenderer(BaseRenderer):
    """One JSON object."""

    def minimal(self) -> HTTPResponse:
        return self._page(self._common())

    def full(self) -> HTTPResponse:
        output = self._common()
        if extra := self.details("extra"):
            output["extra"] = extra
        output["path"] = self.request.path
        output["args"] = {key: list(values) for key, values in self.request.args.items()}
        output["exceptions"] = [
            {
                "type": type(error).__name__,
                "exception": _message(error),
                "frames": [
                    {"file": frame.filename, "line": frame.lineno, "name": frame.name, "src": frame.line}
                    for frame in traceback.extract_tb(error.__traceback__)
                ],
            }
            for error in _causes(self.exception)
        ]
        return self._page(output)

    def _common(self) -> dict[str, Any]:
        output: dict[str, Any] = {"description": self.reason, "status": self.status, "message": self.text}
        if context := self.details("context"):
            output["context"] = context
        return output

    def _page(self, output: dict[str, Any]) -> HTTPResponse:
        # A JSONResponse, so that response middleware can change the object.
        try:
            return JSONResponse(output, dumps=self.dumps)
        except Exception:
            return JSONResponse(_plain(output), dumps=self.dumps)


class HTMLRenderer(BaseRenderer):
    """A page for people."""

    shows_quiet_in_full = True

    def minimal(self) -> HTTPResponse:
        return self._page(in_full=False)

    def full(self) -> HTTPResponse:
        return self._page(in_full=True)

    def _page(self, in_full: bool) -> HTTPResponse:
        # html5tagger and tracerite are slow to import, and most applications never need this page.
        from sanic.pages.error import ErrorPage

        page = ErrorPage(
            application=self.request.app.name,
            title=self.title,
            text=self.text,
            context=self._shown(self.details("context")),
            extra=self._shown(self.details("extra")) if in_full else {},
            request=self.request if in_full else None,
            exception=self.exception if in_full else None,
        )
        return HTTPResponse(_encoded(page.render()), content_type="text/html; charset=utf-8")

    def _shown(self, details: Mapping[str, Any]) -> dict[str, str]:
        return {str(key): value if isinstance(value, str) else self.write_json(value) for key, value in details.items()}


RENDERER_BY_MIME: Mapping[str, type[BaseRenderer]] = {
    "text/plain": TextRenderer,
    "application/json": JSONRenderer,
    "text/html": HTMLRenderer,
}


def check_error_format(format: str) -> None:
    """Refuse the name of an error format that does not exist.

    Raises:
        SanicException: The name is none of "auto", "html", "json" and "text".
    """
    if format != "auto" and format not in MIME_BY_FORMAT:
        raise SanicException(f"Unknown format: {format}")


def exception_response(
    request: Request[Any, Any],
    exception: BaseException,
    debug: bool,
    fallback: str,
    base: type[BaseRenderer],
    renderer: type[BaseRenderer] | None = None,
) -> HTTPResponse:
    """Return the default page for an exception, in the format that suits the request; never raises.

    Args:
        request: The request that failed; it may be one that could hardly be parsed.
        exception: What went wrong.
        debug: Whether the page may show what is meant for developers.
        fallback: Format used where the route has none: "auto", "html", "json" or "text".
        base: Renderer used when the client accepts none of the candidates.
        renderer: Use this one, without asking the request.
    """
    try:
        if renderer is None:
            renderer = RENDERER_BY_MIME.get(guess_mime(request, fallback), base)
        return renderer(request, exception, debug).render()
    except Exception as error:
        error_logger.error(
            "The error page for %s cannot be rendered, a plain one is sent.", type(exception).__name__, exc_info=error
        )
        page = TextRenderer(request, exception, False)
        body = f"{page.title}\n{'=' * len(page.title)}\n{page.text}\n"
        return HTTPResponse(_encoded(body), page.status, content_type="text/plain; charset=utf-8")


def guess_mime(req: Request[Any, Any], fallback: str) -> str:
    """Choose the media type of an error page.

    The candidates are the format of the route, or else `fallback`; "auto" tries text, JSON and HTML, but JSON
    first when the request shows that its sender speaks it. The first of those with the highest quality in
    `Accept` is chosen (RFC 9110 §12.5.1).

    Args:
        req: The request to answer.
        fallback: Format used where the route has none.

    Returns:
        The media type, or "" when the client accepts none of the candidates.
    """
    accept = _accept(req)
    chosen = _route_format(req) or (fallback if fallback in MIME_BY_FORMAT else "")
    if chosen:
        candidates = [MIME_BY_FORMAT[chosen]]
    elif _speaks_json(req, accept):
        candidates = [MIME_BY_FORMAT["json"]]
    else:
        candidates = []
    if fallback not in MIME_BY_FORMAT:
        candidates.extend(mime for mime in MIME_BY_FORMAT.values() if mime not in candidates)
    if accept is None:
        return candidates[0]
    return _best(accept, *candidates)


def _accept(request: Request[Any, Any]) -> Any:
    """Return the parsed `Accept` field, or None when there is none that can be understood."""
    try:
        return request.accept
    except (SanicException, ValueError):
        return None


def _best(accept: Any, *mimes: str) -> str:
    matched = accept.match(*mimes)
    # Quality 0 means "not acceptable" (RFC 9110 §12.4.2).
    return matched.mime if matched and matched.header.q > 0 else ""


def _route_format(request: Request[Any, Any]) -> str:
    extra = getattr(request.route, "extra", None)
    error_format = getattr(extra, "error_format", None)
    return str(error_format) if error_format in MIME_BY_FORMAT else ""


def _speaks_json(request: Request[Any, Any], accept: Any) -> bool:
    json_mime = MIME_BY_FORMAT["json"]
    if accept is not None:
        if not _best(accept, json_mime):
            return False
        if any(entry.mime == json_mime and entry.q > 0 for entry in accept):
            return True
    try:
        content_type = request.headers.get("content-type", "")
        if content_type.partition(";")[0].strip().lower() == json_mime:
            return True
        # Deprecated, kept for clients that send JSON without saying so.
        return bool(request.body and request.json)
    except Exception:
        # Headers or a body that cannot be read say nothing, and may be what the page is about.
        return False


def _causes(exception: BaseException) -> list[BaseException]:
    """Return the exception after those that led to it, the first cause first."""
    chain: list[BaseException] = []
    error: BaseException | None = exception
    while error is not None and not any(error is known for known in chain):
        chain.append(error)
        if error.__cause__ is not None:
            error = error.__cause__
        else:
            error = None if error.__suppress_context__ else error.__context__
    return chain[::-1]


def _message(exception: BaseException) -> str:
    try:
        return str(exception)
    except Exception:
        return f"<unprintable {type(exception).__name__}>"


def _encoded(page: str) -> bytes:
    # Lone surrogates, which file names can hold, have no UTF-8.
    return page.encode("utf-8", "backslashreplace")


def _plain(value: Any, depth: int = 0) -> Any:
    """Return the nearest thing to `value` that JSON knows."""
    if value is None or isinstance(value, (bool, int)) or type(value) is str:
        return value
    if depth < MAX_DEPTH:
        if isinstance(value, Mapping):
            return {str(key): _plain(item, depth + 1) for key, item in value.items()}
        if isinstance(value, (list, tuple, set, frozenset)):
            return [_plain(item, depth + 1) for item in value]
    try:
        return repr(value)
    except Exception:
        return f"<unprintable {type(value).__name__}>"
