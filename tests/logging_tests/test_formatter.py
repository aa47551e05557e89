"""The shapes of log lines."""

from __future__ import annotations

import json
import logging
import os
import re
import sys
from typing import Any

import pytest

from sanic.logging.formatter import (
    AutoAccessFormatter,
    AutoFormatter,
    DebugAccessFormatter,
    DebugFormatter,
    JSONAccessFormatter,
    JSONFormatter,
    LegacyAccessFormatter,
    LegacyFormatter,
    ProdAccessFormatter,
    ProdFormatter,
)

FULL_TIME = r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d [+-]\d{4}"
SHORT_TIME = r"\d\d:\d\d:\d\d"
ACCESS = {
    "host": "127.0.0.1:80",
    "request": "GET http://localhost/",
    "status": 200,
    "byte": 2,
    "duration": " 1.2ms",
}


@pytest.fixture(autouse=True)
def _main_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SANIC_WORKER_IDENTIFIER", raising=False)


def record(message: str = "hello %s", *args: Any, level: int = logging.INFO, **extra: Any) -> logging.LogRecord:
    made = logging.LogRecord("sanic.root", level, "/srv/module.py", 12, message, args or ("world",), None)
    vars(made).update(extra)
    return made


def access(**fields: Any) -> logging.LogRecord:
    made = logging.LogRecord("sanic.access", logging.INFO, "/srv/module.py", 12, "", (), None)
    vars(made).update(ACCESS, **fields)
    return made


def failure() -> logging.LogRecord:
    made = record(level=logging.ERROR)
    try:
        raise ZeroDivisionError("division by zero")
    except ZeroDivisionError:
        made.exc_info = sys.exc_info()
    return made


@pytest.mark.parametrize(
    ("formatter", "line"),
    [
        (AutoFormatter, rf"Main  {FULL_TIME} INFO: hello world"),
        (ProdFormatter, rf"Main  {FULL_TIME} INFO: hello world"),
        (DebugFormatter, rf"Main  {SHORT_TIME} INFO: hello world"),
        (LegacyFormatter, rf"\[{FULL_TIME}\] \[{os.getpid()}\] \[INFO\] hello world"),
    ],
)
def test_a_message_is_one_line(formatter: type[AutoFormatter], line: str) -> None:
    assert re.fullmatch(line, formatter().format(record()))


@pytest.mark.parametrize(
    ("formatter", "line"),
    [
        (AutoAccessFormatter, rf"Main \|{FULL_TIME} INFO: 127.0.0.1:80 GET http://localhost/ 200 2  1.2ms"),
        (ProdAccessFormatter, rf"Main \|{FULL_TIME} INFO: 127.0.0.1:80 GET http://localhost/ 200 2  1.2ms"),
        (DebugAccessFormatter, rf"Main  {SHORT_TIME} INFO: 127.0.0.1:80 GET http://localhost/ 200 2  1.2ms"),
        (
            LegacyAccessFormatter,
            rf"{FULL_TIME} - \(sanic.access\)\[INFO\]\[127.0.0.1:80\]: GET http://localhost/  200 2",
        ),
    ],
)
def test_an_access_record_is_one_line(formatter: type[AutoFormatter], line: str) -> None:
    assert re.fullmatch(line, formatter().format(access()))
    chatty = formatter()
    chatty.log_extra = True
    assert re.fullmatch(line, chatty.format(access(more=1)))


@pytest.mark.parametrize(
    "formatter", [AutoAccessFormatter, ProdAccessFormatter, DebugAccessFormatter, LegacyAccessFormatter]
)
def test_a_message_on_the_access_log_is_written_as_such(formatter: type[AutoFormatter]) -> None:
    assert formatter().format(record()).endswith(": hello world")


@pytest.mark.parametrize(
    ("identifier", "start"),
    [
        ("Srv 0", "Srv 0 2"),
        ("Srv  0", "Srv 0 2"),
        ("Srv 10", "Srv 10 2"),
        ("Inspector", "Inspector 2"),
        ("", "Main  2"),
    ],
)
def test_lines_begin_with_the_name_of_the_process(monkeypatch: pytest.MonkeyPatch, identifier: str, start: str) -> None:
    monkeypatch.setenv("SANIC_WORKER_IDENTIFIER", identifier)
    assert ProdFormatter().format(record()).startswith(start)


def test_extra_fields_follow_in_debug_lines_only() -> None:
    made = record(color="red", n=1, verbosity=0)
    assert DebugFormatter().format(made).endswith(" INFO: hello world\ncolor=red\nn=1")
    assert ProdFormatter().format(made).endswith(" INFO: hello world")
    assert LegacyFormatter().format(made).endswith(" [INFO] hello world")


@pytest.mark.parametrize("formatter", [ProdFormatter, DebugFormatter, LegacyFormatter])
def test_a_traceback_follows_its_message(formatter: type[AutoFormatter]) -> None:
    lines = formatter().format(failure()).splitlines()
    assert lines[0].endswith("hello world")
    assert lines[1] == "Traceback (most recent call last):"
    assert lines[-1] == "ZeroDivisionError: division by zero"


@pytest.mark.parametrize(
    ("formatter", "made"),
    [(DebugFormatter, failure()), (ProdFormatter, record(level=logging.ERROR)), (ProdAccessFormatter, access())],
)
def test_colours_change_nothing_but_colours(formatter: type[AutoFormatter], made: logging.LogRecord) -> None:
    plain, colored = formatter(), formatter()
    plain.color, colored.color = False, True
    text = colored.format(made)
    assert "\033[" in text
    assert re.sub(r"\033\[[\d;]*m", "", text) == plain.format(made)


def test_formatting_leaves_the_record_for_others_as_it_was() -> None:
    made = failure()
    before = dict(vars(made))
    formatter = DebugFormatter()
    formatter.color = True
    formatter.format(made)
    assert vars(made) == before


def test_a_format_of_the_users_own_is_kept() -> None:
    formatter = ProdFormatter("{levelname}|{ident}|{message}", None, "{")
    assert formatter.format(record()) == "INFO|Main |hello world"
    assert ProdAccessFormatter("%(status)s %(asctime)s", "today").format(access()) == "200 today"


def test_json_lines_hold_the_record() -> None:
    made = record(user="me", thing=object(), message_id=7)
    text = JSONFormatter().format(made)
    assert "\n" not in text
    line = json.loads(text)
    assert re.fullmatch(FULL_TIME, line.pop("timestamp"))
    assert line.pop("thing").startswith("<object object")
    assert line == {
        "level": "INFO",
        "message": "hello world",
        "name": "sanic.root",
        "levelno": 20,
        "pathname": "/srv/module.py",
        "module": "module",
        "filename": "module.py",
        "lineno": 12,
        "user": "me",
        "message_id": 7,
    }


def test_a_traceback_in_json_is_a_field() -> None:
    line = json.loads(JSONFormatter().format(failure()))
    assert line["exc_info"].endswith("ZeroDivisionError: division by zero")


def test_json_access_lines_hold_the_access_fields() -> None:
    line = json.loads(JSONAccessFormatter().format(access(more=1)))
    assert re.fullmatch(FULL_TIME, line.pop("timestamp"))
    assert line == {"level": "INFO", "message": "", **ACCESS}
    assert list(line) == ["level", "message", "host", "request", "status", "byte", "duration"]
