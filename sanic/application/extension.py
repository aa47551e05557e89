"""Loading the packages that extend an application: sanic-ext, and sanic-testing."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from sanic.exceptions import ServerError

if TYPE_CHECKING:
    from sanic.runnable import Runnable

_TESTING_CLIENTS = {"test_client": "SanicTestClient", "asgi_client": "SanicASGITestClient"}


def load_extension(app: Runnable, **options: Any) -> Any:
    """Load sanic-ext for an application and keep it as `app._ext`.

    Args:
        app: The application.
        **options: Handed to `sanic_ext.Extend`.

    Raises:
        RuntimeError: It is not installed.
    """
    try:
        from sanic_ext import Extend
    except ModuleNotFoundError as error:
        if error.name != "sanic_ext":
            raise  # it is installed, and something that it needs is not
        raise RuntimeError(
            "Sanic Extensions is not installed. You can add it to your environment using: pip install sanic[ext]"
        ) from error
    app._ext = Extend(app, **options)
    return app._ext


def auto_extend(app: Runnable) -> None:
    """Load sanic-ext if it is installed, `AUTO_EXTEND` is on, and it is not loaded yet.

    Raises:
        ServerError: It is installed, but something that it needs is not.
    """
    from importlib.util import find_spec

    if app._ext is None and app.config.AUTO_EXTEND and find_spec("sanic_ext") is not None:
        try:
            load_extension(app)
        except ImportError as error:
            raise ServerError(
                f"Sanic Extensions is installed, but cannot be loaded: {error}. Install what it needs with "
                "pip install 'sanic[ext]', or leave it out with the configuration AUTO_EXTEND = False."
            ) from error


def testing_client(app: Runnable, name: str) -> Any:
    """A client of sanic-testing, made once: `test_client` or `asgi_client`; those of a test manager come first.

    Raises:
        ImportError: It is not installed.
    """
    if app._test_manager is not None:
        return getattr(app._test_manager, name)
    client = getattr(app, f"_{name}")
    if client is None:
        client = getattr(import_module("sanic_testing.testing"), _TESTING_CLIENTS[name])(app)
        setattr(app, f"_{name}", client)
    return client
