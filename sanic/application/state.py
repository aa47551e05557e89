"""What an application is doing in this process: mode, addresses, progress of start and stop.

A record that others write to. Only two writes have an effect beyond it: ``mode`` and ``verbosity`` reach logging.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sanic.application.constants import Mode, Server, ServerStage
from sanic.logging.filter import VerbosityFilter
from sanic.logging.loggers import logger

if TYPE_CHECKING:
    from asyncio import AbstractServer
    from pathlib import Path
    from socket import socket

    from sanic.app import Sanic

__all__ = ("ApplicationServerInfo", "ApplicationState")


@dataclass
class ApplicationServerInfo:
    """One address that an application is prepared to serve.

    :param settings: arguments of the server for this address.
    :param stage: how far it has come.
    :param server: the listening server, once there is one.
    """

    settings: dict[str, Any]
    stage: ServerStage = ServerStage.STOPPED
    server: AbstractServer | None = None


@dataclass(eq=False)
class ApplicationState:
    """State of an application, kept as ``app.state``.

    Setting ``mode`` to another mode switches `app.error_handler.debug` and, if the application configures logging,
    the level of the general logger. Setting ``verbosity`` decides which talkative log lines are shown.
    """

    app: Sanic[Any, Any] = field(repr=False)
    asgi: bool = False
    coffee: bool = False
    fast: bool = False
    host: str = ""
    port: int = 0
    ssl: Any = None
    sock: socket | None = None
    unix: str | None = None
    mode: Mode = Mode.PRODUCTION
    reload_dirs: set[Path] = field(default_factory=set)
    auto_reload: bool = False
    server: Server = Server.SANIC
    is_running: bool = False
    is_started: bool = False
    is_stopping: bool = False
    verbosity: int = 0
    workers: int = 0
    primary: bool = True
    server_info: list[ApplicationServerInfo] = field(default_factory=list)
    _serving: set[Any] = field(default_factory=set, init=False, repr=False)
    _mode_before: Mode | None = field(default=None, init=False, repr=False)

    def __setattr__(self, name: str, value: Any) -> None:
        previous = vars(self).get(name)
        if name == "mode":
            value = Mode(value)
        super().__setattr__(name, value)
        # The first value is the dataclass' own default, which changes nothing.
        if previous is None or previous == value:
            return
        if name == "mode":
            self._apply_mode()
        elif name == "verbosity":
            VerbosityFilter.verbosity = value

    @property
    def is_debug(self) -> bool:
        """Whether the mode is debug."""
        return self.mode is Mode.DEBUG

    @property
    def stage(self) -> ServerStage:
        """How far serving has come, over all addresses."""
        serving = [info.stage is ServerStage.SERVING for info in self.server_info]
        if not any(serving):
            return ServerStage.STOPPED
        return ServerStage.SERVING if all(serving) else ServerStage.PARTIAL

    @property
    def is_ready(self) -> bool:
        """Whether requests should be sent here: true once it is served, false as soon as it was told to stop.

        That is what a load balancer wants to know: it stays false while what has been sent before is still answered.
        """
        return bool(self._serving)

    def begin_serving(self, server: Any) -> None:
        """A server accepts connections."""
        self._serving.add(server)

    def end_serving(self, server: Any) -> None:
        """A server has been told to stop, or has stopped."""
        self._serving.discard(server)

    def begin_debug(self) -> None:
        """Be in debug mode until the end of the run."""
        if not self.is_debug:
            self._mode_before = self.mode
            self.mode = Mode.DEBUG

    def end_run(self) -> None:
        """Forget the addresses, and the debug mode that was for this run alone."""
        self.server_info.clear()
        if self._mode_before is not None:
            self.mode, self._mode_before = self._mode_before, None

    def _apply_mode(self) -> None:
        self.app.error_handler.debug = self.is_debug
        if self.app.configure_logging:
            logger.setLevel(logging.DEBUG if self.is_debug else logging.INFO)
