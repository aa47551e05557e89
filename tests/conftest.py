"""Fixtures that all tests share. The package is imported when one is used: a broken module fails its own tests only."""

from __future__ import annotations

import re
import signal
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from sanic import Sanic


def pytest_configure() -> None:
    """Programs that tests start would inherit signals that are ignored, as in the background or under nohup."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, signal.default_int_handler if number is signal.SIGINT else signal.SIG_DFL)


@pytest.fixture(autouse=True)
def registry() -> Iterator[None]:
    """Apps that a test makes are forgotten after it, so that the next one may use their names."""
    known = set(registered_apps())
    yield
    for name, app in registered_apps().items():
        if name not in known:
            app.unregister_app(app)


def registered_apps() -> dict[str, Sanic[Any, Any]]:
    module = sys.modules.get("sanic.app")
    return dict(module.Sanic._app_registry) if module else {}


@pytest.fixture
def app_name(request: pytest.FixtureRequest) -> str:
    """A valid name for an app, made from the name of the test."""
    return "test_" + re.sub(r"[^A-Za-z0-9_-]+", "_", request.node.name).strip("_")


@pytest.fixture
def app(app_name: str) -> Sanic[Any, Any]:
    """A fresh app."""
    from sanic import Sanic

    return Sanic(app_name)
