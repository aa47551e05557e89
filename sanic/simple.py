"""An application that serves a directory, for the command line."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sanic.app import Sanic


def create_simple_server(directory: Path) -> Sanic[Any, Any]:
    """Make an application that serves a directory: `index.html` where there is one, else a list of what is there.

    Args:
        directory: What is served.

    Raises:
        ValueError: It is no directory.
    """
    if not directory.is_dir():
        raise ValueError(f"Cannot setup Sanic Simple Server without a path to a directory: {str(directory)!r} is none.")
    from sanic.app import Sanic

    app: Sanic[Any, Any] = Sanic("SimpleServer")
    app.static("/", directory, name="main", directory_view=True, index="index.html", use_content_range=True)
    return app
