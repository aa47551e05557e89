"""Loading sanic-ext, by a package of its name."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import Any

import pytest

from sanic import Sanic, text
from sanic.exceptions import ServerError


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "sanic_ext", raising=False)
    return tmp_path / "sanic_ext.py"


def test_the_extension_is_loaded_when_first_asked_for(app: Sanic[Any, Any], package: Path) -> None:
    package.write_text("class Extend:\n    def __init__(self, app, **options):\n        self.app = app\n")

    assert app.ext.app is app
    assert app.ext is app.ext
    with pytest.raises(RuntimeError, match="Cannot extend"):
        app.extend()


def test_a_server_that_cannot_load_the_extension_says_what_to_do(app: Sanic[Any, Any], package: Path) -> None:
    app.add_route(lambda request: text("open"), "/")
    package.write_text("import no_such_package_of_its_own\n")

    with pytest.raises(ServerError, match=r"no_such_package_of_its_own.*AUTO_EXTEND"):
        asyncio.run(app.create_server(port=0))


def test_an_extension_that_misses_a_package_of_its_own_says_which(app: Sanic[Any, Any], package: Path) -> None:
    package.write_text("import no_such_package_of_its_own\n")

    with pytest.raises(ModuleNotFoundError, match="no_such_package_of_its_own"):
        _ = app.ext
