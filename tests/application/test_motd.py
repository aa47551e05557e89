"""The start banner."""

from __future__ import annotations

import io
import logging
import re
import sys

import pytest

from sanic.__version__ import __version__
from sanic.application.logo import COFFEE_LOGO, LOGO, get_logo
from sanic.application.motd import MOTD
from sanic.log import logger

DATA = {"app": "test", "mode": "debug, single worker", "packages": "one==1, two==2, " * 8}
EXTRA = {"row": "more", "count": 3}


@pytest.fixture
def written() -> io.StringIO:
    handler = logging.StreamHandler(io.StringIO())
    level, before = logger.level, logger.handlers[:]
    logger.handlers[:] = [handler]
    logger.setLevel(logging.INFO)
    yield handler.stream  # type: ignore[misc]
    logger.handlers[:] = before
    logger.setLevel(level)


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_without_a_terminal_each_row_is_a_line(written: io.StringIO, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", io.StringIO())
    MOTD.output("http://127.0.0.1:8000", {"app": "test", "mode": "debug"}, EXTRA)
    assert written.getvalue().splitlines() == [
        f"Sanic v{__version__}",
        "Goin' Fast @ http://127.0.0.1:8000",
        "app: test",
        "mode: debug",
        "row: more",
        "count: 3",
    ]


def test_on_a_terminal_there_is_a_box(written: io.StringIO, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", Terminal())
    monkeypatch.setenv("COLUMNS", "100")
    MOTD.output("http://127.0.0.1:8000", DATA, EXTRA, no_color=True)
    text = written.getvalue()
    assert "\033[" not in text
    assert "│ " in text
    assert "Goin' Fast @ http://127.0.0.1:8000" in text


@pytest.mark.parametrize("columns", [20, 80, 100, 200])
@pytest.mark.parametrize("coffee", [False, True])
@pytest.mark.parametrize("extra", [{}, EXTRA])
@pytest.mark.parametrize("data", [{}, {"app": "test"}, DATA])
@pytest.mark.parametrize("color", [False, True])
def test_the_box_is_straight(columns: int, coffee: bool, extra: dict, data: dict, color: bool) -> None:
    lines = MOTD("http://[::1]:8000", data, extra, coffee=coffee).box(columns, color=color)
    widths = {len(re.sub(r"\033\[[\d;]*m", "", line)) for line in lines}
    assert len(widths) == 1
    if columns >= 80:
        assert widths.pop() <= columns
    text = " ".join(lines)
    for key in (*data, *extra):
        assert f"{key}: " in text


@pytest.mark.parametrize("coffee", [False, True])
def test_the_box_shows_the_logo(coffee: bool) -> None:
    box = "\n".join(MOTD("", {}, {}, coffee=coffee).box())
    for line in get_logo(coffee=coffee).splitlines():
        assert line in box
    assert "Goin' Fast" not in box


def test_coffee_is_another_drawing() -> None:
    assert get_logo() == LOGO
    assert get_logo(coffee=True) == COFFEE_LOGO != LOGO
