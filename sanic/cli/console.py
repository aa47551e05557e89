"""The console beside a running server: a process of its own, in which the application is loaded and started, but does
not listen.

Input is read, and what is awaited runs, in turns: nothing else happens in it while it waits for input.
"""

from __future__ import annotations

import ast
import asyncio
import code
import inspect
import os
import signal
import sys
import threading
import time
import types
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from sanic.cli.requester import Requester, new_client
from sanic.log import error_logger
from sanic.worker.child import Link, Linked, Requests
from sanic.worker.constants import ProcessState

if TYPE_CHECKING:
    from sanic.app import Sanic
    from sanic.worker.loader import AppLoader
    from sanic.worker.settings import Parcel

_NAME = "Console"
_POLL_SECONDS = 0.05
_CLOSED = "The console is closed, the server goes on."


def attach_console(app: Sanic[Any, Any], loader: AppLoader, *, opens_at_once: bool, is_reloaded: bool) -> None:
    """Have a console started beside the workers.

    Args:
        app: The application.
        loader: Loads it in the process of the console.
        opens_at_once: Whether it opens without being asked to.
        is_reloaded: Whether it begins anew, with the new code, when the workers do.
    """

    def start(app: Sanic[Any, Any]) -> None:
        from sanic.worker.settings import AppSettings, Parcel, WorkerSettings

        where = app.serve_location
        # Without addresses: a socket that another process holds open takes connections that nobody answers.
        known = replace(AppSettings.of(app), addresses=())
        arguments = {
            "settings": Parcel(WorkerSettings((known,), loader)),
            "where": where,
            "opens_at_once": opens_at_once,
        }
        app.manager.manage(_NAME, Linked(run_console), arguments, transient=is_reloaded, tracked=False, ident="REPL")

    app.main_process_ready(start)


def run_console(link: Link, requests: Requests, settings: Parcel, where: str, opens_at_once: bool) -> None:
    """Read and run what is typed, until the end of the input or of the server.

    Args:
        link: The link to the manager.
        requests: Tells that the process is to end.
        settings: How the application is found.
        where: The URL of the server.
        opens_at_once: Whether ENTER need not be pressed first.
    """
    requests.on_signal = _interrupt
    _repeat_unnoticed(requests)
    # Which multiprocessing has replaced by one that is always at its end.
    sys.stdin = open(0, encoding=sys.stdin.encoding, closefd=False)  # noqa: SIM115
    try:
        if requests.count:
            return
        _wait_for_workers(link)
        if not opens_at_once:
            print("Press ENTER for a console.")
            if not sys.stdin.readline():
                return
        _open(link, settings, where)
    except _Ended:
        # The prompt still stands there.
        print()
    except OSError as error:
        # The terminal is gone, or another job has it by now.
        error_logger.error("The console is closed: %s.", error.strerror)


def _repeat_unnoticed(requests: Requests) -> None:
    # A signal that comes just before readline, or a loop, begins to wait would be noticed after that only.
    if not hasattr(signal, "pthread_kill"):
        return
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
    main = threading.get_ident()

    def repeat() -> None:
        while os.read(reader, 1)[0] not in (signal.SIGINT, signal.SIGTERM):
            continue
        time.sleep(_POLL_SECONDS)
        while not requests.count:
            signal.pthread_kill(main, signal.SIGINT)
            time.sleep(_POLL_SECONDS)

    threading.Thread(target=repeat, name="signals", daemon=True).start()


def _wait_for_workers(link: Link) -> None:
    # So that what is told of their start does not get between what is typed.
    while True:
        states = [state.get("state") for state in link.states.values() if state.get("server")]
        if states and all(state == ProcessState.ACKED.name for state in states):
            return
        time.sleep(_POLL_SECONDS)


class _Ended(SystemExit):
    """The server ends. No KeyboardInterrupt: that would only end the line which is being typed."""


def _interrupt() -> None:
    raise _Ended


def _open(link: Link, settings: Parcel, where: str) -> None:
    from sanic.worker.multiplexer import WorkerMultiplexer
    from sanic.worker.serve import apply_settings, find_apps
    from sanic.worker.traces import describe_failure

    try:
        opened = settings.open()
        app = find_apps(opened)[0]
        apply_settings(app, opened.apps[0], is_primary=True)
    except Exception as error:
        print(f"There is no console: the app cannot be loaded.\n{describe_failure(error)}", file=sys.stderr)
        return
    app._multiplexer = WorkerMultiplexer(link, link.states)
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    console = Console(app, where, loop)
    try:
        loop.run_until_complete(_start(app))
        # No exitmsg: since Python 3.13 it is shown when the server ends, too.
        console.interact(console.greeting(), exitmsg="")
    except _Ended:
        raise
    except SystemExit:
        print(_CLOSED)
    else:
        print(_CLOSED)
    finally:
        loop.run_until_complete(_stop(app, console))
        loop.close()


async def _start(app: Sanic[Any, Any]) -> None:
    from sanic.application.extension import auto_extend
    from sanic.worker.traces import describe_failure

    try:
        auto_extend(app)
        await app._startup()
        await app._server_event("init", "before")
        await app._server_event("init", "after")
    except Exception as error:
        print(f"The app could not be started in the console.\n{describe_failure(error)}", file=sys.stderr)


async def _stop(app: Sanic[Any, Any], console: Console) -> None:
    try:
        if console.client is not None:
            await console.client.aclose()
        await app._server_event("shutdown", "before")
        await app._server_event("shutdown", "after")
    except Exception:
        error_logger.exception("A listener failed at the end of the console.")


class Console(code.InteractiveConsole):
    """Runs what is typed; `await` may stand anywhere.

    Args:
        app: The application, which has been started.
        where: The URL of the server, as `Sanic.serve_location` tells it.
        loop: The loop that the application was started in.
    """

    def __init__(self, app: Sanic[Any, Any], where: str, loop: asyncio.AbstractEventLoop) -> None:
        import sanic

        self._app = app
        self._loop = loop
        self.client = new_client(where)
        names: dict[str, Any] = {"app": app, "sanic": sanic, "do": Requester(app)}
        if self.client is not None:
            names["client"] = self.client
        names |= {item.name: item.obj for item in app.repl_ctx}
        super().__init__(names)
        self.compile.compiler.flags |= ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
        try:
            import readline  # noqa: F401  input() edits lines with it
        except ImportError:
            return

    def greeting(self) -> str:
        """What is shown first."""
        rows = [("app", f"the app {self._app.name}, started here as in a worker"), ("sanic", "the package")]
        rows.append(("do", 'await do("/path", headers=None, method="GET", body=None) handles a request here'))
        told = "asks the server: await client.get('/path')" if self.client is not None else "needs httpx: install it"
        rows.append(("client", told))
        rows += [(item.name, item.desc) for item in self._app.repl_ctx]
        width = max(len(name) for name, _ in rows)
        lines = [f"  {name:<{width}}  {told}".rstrip() for name, told in rows]
        return "\n".join(["", "Sanic console: await may stand anywhere. CTRL-D closes it.", *lines])

    def runcode(self, code: types.CodeType) -> None:
        """Run what has been compiled, and wait for what it waits for."""
        try:
            result = types.FunctionType(code, self.locals)()
            if inspect.iscoroutine(result):
                self._loop.run_until_complete(result)
        except SystemExit:
            # It closes the console.
            raise
        except BaseException:
            self.showtraceback()
