"""Whether a program is being loaded by somebody who is going to serve it, so that it must not serve itself."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Final

from sanic.exceptions import ServerError

_TARGET: Final[ContextVar[str]] = ContextVar("target", default="")


@contextmanager
def loading(target: str) -> Iterator[None]:
    """While the block lasts, no server may be started in its context.

    Args:
        target: What is loaded.
    """
    token = _TARGET.set(target)
    try:
        yield
    finally:
        _TARGET.reset(token)


def check_not_loading() -> None:
    """Refuse to serve in the middle of loading.

    Raises:
        ServerError: Somebody else is loading the program.
    """
    if target := _TARGET.get():
        raise ServerError(
            f"{target} is being loaded in order to be served, and must not start a server itself: "
            'put the call of app.run() under `if __name__ == "__main__":`.'
        )
