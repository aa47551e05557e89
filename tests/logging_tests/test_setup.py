"""Configuring logging, and fitting it to the mode of the run."""

from __future__ import annotations

import copy
import io
import logging
import logging.config
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from sanic.helpers import _default
from sanic.log import (
    LOGGING_CONFIG_DEFAULTS,
    VerbosityFilter,
    access_logger,
    error_logger,
    logger,
    server_logger,
    websockets_logger,
)
from sanic.logging.formatter import (
    AutoFormatter,
    DebugAccessFormatter,
    DebugFormatter,
    JSONFormatter,
    LegacyFormatter,
    ProdAccessFormatter,
    ProdFormatter,
)
from sanic.logging.setup import apply_log_config, setup_logging

LOGGERS = (logger, error_logger, access_logger, server_logger, websockets_logger)


@pytest.fixture(autouse=True)
def _restored_loggers() -> Iterator[None]:
    before = [(one, one.level, list(one.handlers)) for one in LOGGERS]
    yield
    for one, level, handlers in before:
        one.setLevel(level)
        one.handlers[:] = handlers


@pytest.fixture(autouse=True)
def _colors_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.delenv("SANIC_NO_COLOR", raising=False)


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def only_handler(of: logging.Logger, formatter: logging.Formatter, stream: Any = None) -> logging.StreamHandler[Any]:
    handler = logging.StreamHandler(stream or io.StringIO())
    handler.setFormatter(formatter)
    of.handlers[:] = [handler]
    of.setLevel(logging.INFO)
    return handler


def test_importing_the_package_configures_nothing() -> None:
    code = (
        "import logging, sys; import sanic.log, sanic.config, sanic.logging.setup; "
        "assert not logging.root.handlers; assert not sanic.log.logger.handlers; "
        "assert sanic.log.logger.level == 0; assert 'logging.config' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_our_package_does_not_hide_the_one_of_the_standard_library() -> None:
    import sanic.logging

    assert logging is not sanic.logging
    assert logging.getLogger("sanic.root") is logger


@pytest.mark.parametrize(
    ("one", "name", "stream"),
    [
        (logger, "sanic.root", "stdout"),
        (error_logger, "sanic.error", "stderr"),
        (access_logger, "sanic.access", "stdout"),
        (server_logger, "sanic.server", "stdout"),
        (websockets_logger, "sanic.websockets", "stdout"),
    ],
)
def test_each_logger_writes_to_its_stream(one: logging.Logger, name: str, stream: str) -> None:
    apply_log_config()
    assert one.name == name
    (handler,) = one.handlers
    assert isinstance(handler, logging.StreamHandler)
    assert handler.stream is getattr(sys, stream)
    assert isinstance(handler.formatter, AutoFormatter)
    assert one.level == logging.INFO


def test_the_default_configuration_can_be_copied_and_changed() -> None:
    changed = copy.deepcopy(LOGGING_CONFIG_DEFAULTS)
    changed["loggers"]["sanic.root"]["level"] = "ERROR"
    changed["formatters"]["generic"] = {"class": "sanic.logging.formatter.JSONFormatter"}
    changed["formatters"]["access"] = {"()": "sanic.logging.formatter.LegacyAccessFormatter"}
    apply_log_config(changed)
    assert logger.level == logging.ERROR
    assert isinstance(logger.handlers[0].formatter, JSONFormatter)


def test_the_default_configuration_names_all_loggers() -> None:
    assert LOGGING_CONFIG_DEFAULTS["version"] == 1
    assert LOGGING_CONFIG_DEFAULTS["disable_existing_loggers"] is False
    assert set(LOGGING_CONFIG_DEFAULTS["loggers"]) == {one.name for one in LOGGERS}
    assert set(LOGGING_CONFIG_DEFAULTS["handlers"]) == {"console", "error_console", "access_console"}
    assert set(LOGGING_CONFIG_DEFAULTS["formatters"]) == {"generic", "access"}
    for name, settings in LOGGING_CONFIG_DEFAULTS["loggers"].items():
        assert ("propagate" in settings) == ("qualname" in settings) == (name != "sanic.root")


@pytest.mark.parametrize(
    ("debug", "generic", "access"),
    [(True, DebugFormatter, DebugAccessFormatter), (False, ProdFormatter, ProdAccessFormatter)],
)
def test_placeholders_follow_the_mode(debug: bool, generic: type, access: type) -> None:
    apply_log_config()
    setup_logging(not debug)
    setup_logging(debug)
    assert type(logger.handlers[0].formatter) is generic
    assert type(access_logger.handlers[0].formatter) is access


@pytest.mark.parametrize(
    "formatter", [ProdFormatter(), DebugFormatter(), LegacyFormatter(), JSONFormatter(), logging.Formatter()]
)
def test_chosen_formatters_are_left_alone(formatter: logging.Formatter) -> None:
    handler = only_handler(logger, formatter)
    setup_logging(True)
    setup_logging(False)
    assert handler.formatter is formatter


def test_a_placeholder_with_a_format_keeps_it() -> None:
    handler = only_handler(logger, AutoFormatter("%(levelname)s-%(message)s"))
    setup_logging(False)
    logger.info("hello")
    assert handler.stream.getvalue() == "INFO-hello\n"


@pytest.mark.parametrize(
    ("debug", "log_extra", "is_shown"),
    [
        (True, _default, True),
        (False, _default, False),
        (True, None, True),
        (False, None, False),
        (False, True, True),
        (True, False, False),
    ],
)
def test_extra_fields_are_shown_when_wanted(debug: bool, log_extra: Any, is_shown: bool) -> None:
    handler = only_handler(logger, AutoFormatter())
    setup_logging(debug, log_extra=log_extra)
    logger.info("hello", extra={"color": "red"})
    assert ("\ncolor=red" in handler.stream.getvalue()) is is_shown


def test_colours_are_for_terminals_only() -> None:
    terminal = only_handler(logger, AutoFormatter(), Terminal())
    pipe = only_handler(error_logger, AutoFormatter())
    setup_logging(False)
    logger.error("hello")
    error_logger.error("hello")
    assert "\033[" in terminal.stream.getvalue()
    assert "\033[" not in pipe.stream.getvalue()


@pytest.mark.parametrize(
    ("no_color", "variable", "value"),
    [(True, "UNRELATED", "1"), (False, "SANIC_NO_COLOR", "true"), (False, "NO_COLOR", "1")],
)
def test_colours_can_be_refused(monkeypatch: pytest.MonkeyPatch, no_color: bool, variable: str, value: str) -> None:
    monkeypatch.setenv(variable, value)
    handler = only_handler(logger, AutoFormatter(), Terminal())
    setup_logging(False, no_color=no_color)
    logger.error("hello")
    assert "\033[" not in handler.stream.getvalue()


@pytest.mark.parametrize(("verbosity", "shown"), [(0, "0"), (1, "01"), (2, "012")])
@pytest.mark.parametrize("one", LOGGERS)
def test_talkative_lines_are_hidden(
    monkeypatch: pytest.MonkeyPatch, one: logging.Logger, verbosity: int, shown: str
) -> None:
    monkeypatch.setattr(VerbosityFilter, "verbosity", verbosity)
    handler = only_handler(one, logging.Formatter("%(message)s"))
    for level in range(3):
        one.info("%s", level, extra={"verbosity": level})
    assert handler.stream.getvalue().replace("\n", "") == shown
