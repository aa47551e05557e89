"""Daemons on the command line: starting one, and asking after it or ending it by its pid file.

What a daemon is, `sanic.worker.daemon` and `sanic.worker.pidfile` know.
"""

from __future__ import annotations

import signal
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sanic.cli.arguments import Parser
from sanic.cli.failure import CommandError

if TYPE_CHECKING:
    from sanic.app import Sanic
    from sanic.worker.daemon import Identity
    from sanic.worker.pidfile import PidFile, RunningProcess

_FAILURE = 1
#: Seconds that a daemon may take to finish what it does, before `stop` ends without having seen its end.
_STOP_SECONDS = 60.0
_KILL_SECONDS = 10.0


# -- Starting one -----------------------------------------------------------------------------------------------------


@contextmanager
def daemonize(app: Sanic[Any, Any], args: Namespace) -> Iterator[bool]:
    """Go on in the background, while the block lasts.

    Args:
        app: The application.
        args: The options.

    Yields:
        Whether this is the process in the background; the one in the foreground has nothing left to do.

    Raises:
        CommandError: It is not possible.
    """
    _check_platform()
    from sanic.application.settings import apply_mode
    from sanic.worker.daemon import Identity, detach, open_log
    from sanic.worker.pidfile import DaemonError, PidFile, usual_directory

    try:
        identity = Identity.find(args.user, args.group)
        file = PidFile(Path(args.pidfile) if args.pidfile else usual_directory() / f"{app.name}.pid")
        log_path = Path(args.logfile).absolute() if args.logfile else None
        log = open_log(log_path)
        file.acquire()
        print("Starting Sanic in daemon mode...")
        try:
            pid = detach(log, lambda: file.write(app.name))
        except DaemonError:
            file.remove()
            raise
    except DaemonError as error:
        raise CommandError(f"Daemon error: {error}") from error
    if pid:
        file.release()
        print(f"  PID:      {pid}\n  PID file: {file.path}\n  Log file: {log_path or 'none'}")
        yield False
        return
    # The log is no terminal, whatever standard output was before.
    apply_mode(app, app.debug, 0)
    if identity is not None:
        _take_when_bound(app, identity, file)
    try:
        yield True
    finally:
        file.remove()


def _check_platform() -> None:
    if sys.platform == "win32":
        raise CommandError("Daemon error: there are no daemons on Windows. Run Sanic as a service.")


def _take_when_bound(app: Sanic[Any, Any], identity: Identity, file: PidFile) -> None:
    def drop_privileges(app: Sanic[Any, Any]) -> None:
        file.give_to(identity.user, identity.group)
        identity.take()

    # The main process cannot put a unix socket in its place any more after that.
    drop_privileges.ends_privileges = True  # type: ignore[attr-defined]
    # With workers, sockets are bound before the one; in a single process, before the other.
    app.listeners["main_process_ready"].insert(0, drop_privileges)
    app.before_server_start(drop_privileges, priority=sys.maxsize)


# -- Asking after one -------------------------------------------------------------------------------------------------


def run_action(args: Namespace, load_name: Callable[[], str]) -> int:
    """Ask after the daemon of an application, or end it.

    Args:
        args: The options.
        load_name: Loads the application, and returns its name.

    Returns:
        The exit status.
    """
    _check_platform()
    from sanic.worker.pidfile import PidFile, usual_directory

    if args.action == "restart":
        return _restart()
    path = Path(args.pidfile) if args.pidfile else usual_directory() / f"{load_name()}.pid"
    if args.action == "status":
        return _status(PidFile(path), None)
    return _end(PidFile(path), None, signal.SIGKILL if args.force else signal.SIGTERM)


def run_daemon_command(arguments: list[str]) -> int:
    """Ask after a process, or end it, by its id or its pid file.

    Args:
        arguments: The command, and what follows it.

    Returns:
        The exit status.

    Raises:
        SystemExit: The arguments are wrong, or help was asked for.
    """
    command, *rest = arguments
    parser = _new_parser(command)
    args = parser.parse_args(rest)
    _check_platform()
    from sanic.worker.pidfile import PidFile

    if command == "restart":
        return _restart()
    file = PidFile(Path(args.pidfile)) if args.pidfile else None
    if command == "status":
        return _status(file, args.pid)
    is_forced = command == "kill" or getattr(args, "force", False)
    return _end(file, args.pid, signal.SIGKILL if is_forced else signal.SIGTERM)


def _new_parser(command: str) -> ArgumentParser:
    about = {
        "status": "Tell whether a daemon runs: status 0 if it does, else 1.",
        "stop": "End a daemon, once it has finished what it does.",
        "kill": "End a daemon at once.",
        "restart": "Not yet implemented.",
    }
    parser = Parser(prog=f"sanic {command}", description=about[command])
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument("--pid", metavar="N", type=int, help="process id of the daemon")
    which.add_argument("--pidfile", metavar="FILE", help="its pid file")
    if command == "stop":
        parser.add_argument("-f", "--force", action="store_true", help="end it at once")
    return parser


def _restart() -> int:
    print("Restarting a daemon is not yet implemented: stop and start it, or send it SIGHUP to replace its workers.")
    return 0


def _find(file: PidFile | None, pid: int | None) -> tuple[RunningProcess | None, int]:
    from sanic.worker.pidfile import DaemonError, RunningProcess

    if file is None:
        process = RunningProcess(pid or 0)
        return (process if process.pid > 0 and process.is_running() else None), process.pid
    try:
        return RunningProcess.of(file), file.read().pid
    except DaemonError as error:
        raise CommandError(str(error)) from error


def _status(file: PidFile | None, pid: int | None) -> int:
    process, number = _find(file, pid)
    if process is not None:
        print(f"Process {number} is running")
        return 0
    print(f"Process {number} is NOT running")
    if file is not None:
        file.remove_after(number)
    return _FAILURE


def _end(file: PidFile | None, pid: int | None, number: int) -> int:
    from sanic.worker.pidfile import DaemonError

    process, found = _find(file, pid)
    if process is None:
        print(f"Process {found} is NOT running", file=sys.stderr)
        if file is not None:
            file.remove_after(found)
        return _FAILURE
    try:
        process.send(number)
    except DaemonError as error:
        raise CommandError(str(error)) from error
    if not process.wait(_KILL_SECONDS if number == signal.SIGKILL else _STOP_SECONDS):
        raise CommandError(f"Process {found} still runs: it has not finished what it does. 'kill' ends it at once.")
    if file is not None:
        file.remove_after(found)
    print(f"Process {found} has ended")
    return 0
