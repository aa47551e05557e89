"""The error page: what went wrong, for whoever opened the URL; with the traceback when developers are watching."""

from __future__ import annotations

import traceback
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from html5tagger import HTML, Builder, E

from sanic.pages.base import BasePage
from sanic.pages.styles import ERROR_STYLE

if TYPE_CHECKING:
    from sanic.request import Request


class ErrorPage(BasePage):
    """The page for one exception.

    Args:
        application: Name of the application.
        title: Headline, with status and reason.
        text: The message.
        context: Details for everybody.
        extra: Details for developers.
        request: The request that failed; None where developers are not watching.
        exception: What went wrong; None where developers are not watching.
    """

    STYLE = ERROR_STYLE

    def __init__(
        self,
        *,
        application: str,
        title: str,
        text: str,
        context: Mapping[str, str],
        extra: Mapping[str, str],
        request: Request[Any, Any] | None,
        exception: BaseException | None,
    ) -> None:
        self.application = application
        self.headline = title
        self.text = text
        self.context = context
        self.extra = extra
        self.request = request
        self.exception = exception

    @property
    def title(self) -> str:
        return f"Application {self.application} cannot handle your request"

    def fill(self, document: Builder) -> None:
        document.h1(self.headline)
        document.p(self.text, class_="message")
        _facts(document, "Context", self.context.items())
        if self.request is None or self.exception is None:
            document.p(
                "We are sorry that this did not work. You may try again later, or go to the ",
                E.a("front page", href="/"),
                ".",
                class_="apology",
            )
            return
        self._fill_details(document, self.request, self.exception)

    def _fill_details(self, document: Builder, request: Request[Any, Any], exception: BaseException) -> None:
        document.p(
            E.code(type(exception).__name__),
            " while handling ",
            E.code(f"{request.method} {request.path}"),
            class_="request",
        )
        _facts(document, "Extra", self.extra.items())
        document.h2(f"Traceback of {self.application}")
        document(_trace(exception))
        _facts(document, "Request headers", request.headers.items())


def _facts(document: Builder, title: str, facts: Iterable[tuple[str, str]]) -> None:
    facts = list(facts)
    if not facts:
        return
    document.h2(title)
    with document.table(class_="facts"):
        for name, value in facts:
            document.tr(E.th(str(name), scope="row").td(str(value)))


def _trace(exception: BaseException) -> Any:
    """Return the traceback as HTML, with source and variables where they can be had."""
    try:
        # tracerite follows causes that lead back to where it began until no memory is left.
        if not _is_circular(exception, set(), set()):
            from tracerite import html_traceback

            return HTML(str(html_traceback(exc=exception, msg=None)))
    except Exception:
        # Objects under inspection may misbehave in any way.
        pass
    # The plain traceback does not look at them.
    lines = traceback.format_exception(type(exception), exception, exception.__traceback__)
    return E.pre("".join(lines), class_="trace")


def _is_circular(exception: BaseException, above: set[int], seen: set[int]) -> bool:
    """Whether causes, contexts or members of groups lead back to an exception.

    Args:
        exception: Where to look.
        above: Ids of the exceptions that have led here.
        seen: Ids of those that lead back to none.
    """
    if id(exception) in above:
        return True
    if id(exception) in seen:
        return False
    above.add(id(exception))
    context = None if exception.__suppress_context__ else exception.__context__
    others = (exception.__cause__ or context, *getattr(exception, "exceptions", ()))
    found = any(_is_circular(other, above, seen) for other in others if isinstance(other, BaseException))
    above.remove(id(exception))
    seen.add(id(exception))
    return found
