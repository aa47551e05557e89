"""What an application's state shows, and what setting the mode does."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from sanic.application.constants import Mode, Server, ServerStage
from sanic.application.state import ApplicationServerInfo, ApplicationState
from sanic.log import VerbosityFilter, logger


@pytest.fixture(autouse=True)
def _restored_logging() -> Iterator[None]:
    level, verbosity = logger.level, VerbosityFilter.verbosity
    yield
    logger.setLevel(level)
    VerbosityFilter.verbosity = verbosity


def owner(*, configure_logging: bool = True, debug: bool = False) -> Any:
    return SimpleNamespace(configure_logging=configure_logging, error_handler=SimpleNamespace(debug=debug))


def test_a_new_state_is_stopped_and_in_production() -> None:
    state = ApplicationState(app=owner(debug=True))
    assert state.mode is Mode.PRODUCTION
    assert state.server is Server.SANIC
    assert state.stage is ServerStage.STOPPED
    assert not state.is_debug
    assert state.primary
    assert not any((state.asgi, state.coffee, state.fast, state.auto_reload))
    assert not any((state.is_running, state.is_started, state.is_stopping))
    assert (state.host, state.port, state.workers, state.verbosity) == ("", 0, 0, 0)
    assert (state.ssl, state.sock, state.unix) == (None, None, None)
    assert (state.reload_dirs, state.server_info) == (set(), [])
    assert state.app.error_handler.debug


@pytest.mark.parametrize("value", [Mode.DEBUG, "debug", "DEBUG"])
def test_debug_mode_reaches_error_pages_and_logging(value: Any) -> None:
    state = ApplicationState(app=owner())
    logger.setLevel(logging.INFO)
    state.mode = value
    assert state.mode is Mode.DEBUG
    assert state.is_debug
    assert state.app.error_handler.debug
    assert logger.level == logging.DEBUG
    state.mode = Mode.PRODUCTION
    assert not state.app.error_handler.debug
    assert logger.level == logging.INFO


def test_debug_mode_leaves_logging_alone_when_it_is_the_users() -> None:
    logger.setLevel(logging.WARNING)
    state = ApplicationState(app=owner(configure_logging=False))
    state.mode = Mode.DEBUG
    assert state.app.error_handler.debug
    assert logger.level == logging.WARNING


def test_verbosity_reaches_logging() -> None:
    state = ApplicationState(app=owner())
    state.verbosity = 2
    assert VerbosityFilter.verbosity == 2
    state.verbosity = 0
    assert VerbosityFilter.verbosity == 0


@pytest.mark.parametrize(
    ("stages", "stage"),
    [
        ([], ServerStage.STOPPED),
        ([ServerStage.STOPPED], ServerStage.STOPPED),
        ([ServerStage.SERVING], ServerStage.SERVING),
        ([ServerStage.SERVING, ServerStage.SERVING], ServerStage.SERVING),
        ([ServerStage.STOPPED, ServerStage.SERVING], ServerStage.PARTIAL),
    ],
)
def test_the_stage_is_that_of_all_addresses(stages: list[ServerStage], stage: ServerStage) -> None:
    state = ApplicationState(app=owner())
    state.server_info.extend(ApplicationServerInfo(settings={}, stage=one) for one in stages)
    assert state.stage is stage


def test_an_address_is_stopped_at_first() -> None:
    info = ApplicationServerInfo(settings={"port": 0})
    assert (info.settings, info.stage, info.server) == ({"port": 0}, ServerStage.STOPPED, None)


def test_progress_can_be_assigned() -> None:
    state = ApplicationState(app=owner())
    state.is_running = state.is_started = state.is_stopping = True
    assert (state.is_running, state.is_started, state.is_stopping) == (True, True, True)
