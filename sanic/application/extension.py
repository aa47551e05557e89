"""Loading the extension package."""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sanic.app import Sanic


def load_extension(app: Sanic[Any, Any], **options: Any) -> Any:
    """Load sanic-ext for an application and keep it as `app._ext`.

    Args:
        app: The application.
        **options: Handed to `sanic_ext.Extend`.

    Raises:
        RuntimeError: It is not installed.
    """
    try:
        from sanic_ext import Extend
    except ImportError as error:
        raise RuntimeError(
            "Sanic Extensions is not installed. You can add it to your environment using: pip install sanic[ext]"
        ) from error
    app._ext = Extend(app, **options)
    return app._ext


def auto_extend(app: Sanic[Any, Any]) -> None:
    """Load sanic-ext if it is installed, `AUTO_EXTEND` is on, and it is not loaded yet."""
    if app._ext is None and app.config.AUTO_EXTEND and find_spec("sanic_ext") is not None:
        load_extension(app)
