"""The command line: which of the things that it can do is asked for. What these are they know themselves."""

from __future__ import annotations

import sys
from argparse import Namespace
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from sanic.cli.arguments import SHORT_HELP, new_parser, parse, versions
from sanic.cli.failure import CommandError

if TYPE_CHECKING:
    from sanic.app import Sanic
    from sanic.worker.loader import AppLoader

_FAILURE = 1
_SHORT_HELP: tuple[list[str], ...] = (["-h"], ["--help"], ["help"], [])
#: What is asked of a process, not of an application.
_DAEMON_COMMANDS = ("status", "stop", "kill", "restart")


class SanicCLI:
    """One call of the command line."""

    def __init__(self) -> None:
        self.parser = new_parser()

    def run(self, arguments: Sequence[str] | None = None) -> None:
        """Do what the arguments say.

        Args:
            arguments: Those of the command line; default those of the process.

        Raises:
            SystemExit: With status 2 the arguments are wrong; with 1 it could not be done, or the server failed.
        """
        given = list(sys.argv[1:] if arguments is None else arguments)
        try:
            status = self._run(given)
        except CommandError as error:
            print(error, file=sys.stderr)
            raise SystemExit(_FAILURE) from error
        if status:
            raise SystemExit(status)

    def _run(self, given: list[str]) -> int:
        if given in _SHORT_HELP:
            print(SHORT_HELP, end="")
        elif given in (["help", "--full"], ["help", "-f"]):
            self.parser.print_help()
        elif given == ["-v"]:
            print(versions())
        elif given[0] == "inspect":
            from sanic.cli.inspect import run_inspect

            return run_inspect(given[1:])
        elif given[0] in _DAEMON_COMMANDS:
            from sanic.cli.daemon import run_daemon_command

            return run_daemon_command(given)
        else:
            return self._act(parse(self.parser, given))
        return 0

    def _act(self, args: Namespace) -> int:
        from sanic.cli.serve import check_options, serve

        if args.action in ("status", "stop", "restart"):
            from sanic.cli.daemon import run_action

            return run_action(args, lambda: self._load(args)[0].name)
        if args.action == "serve" and not args.routes:
            check_options(args)
        app, loader = self._load(args)
        if args.action == "exec":
            from sanic.cli.commands import run_command

            return run_command(app, args)
        if args.routes:
            from sanic.cli.routes import route_table

            print(route_table(app), flush=True)
            return 0
        return serve(app, loader, args)

    def _load(self, args: Namespace) -> tuple[Sanic[Any, Any], AppLoader]:
        import os

        from sanic.worker.loader import AppLoader, TargetError
        from sanic.worker.traces import describe_failure

        loader = AppLoader(args.target, args.factory, args.simple, args)
        try:
            loader.directory = os.getcwd()
        except FileNotFoundError:
            raise CommandError("The working directory does not exist any more: change to one that does.") from None
        try:
            return loader.load(), loader
        except TargetError as error:
            raise CommandError(str(error)) from error
        except Exception as error:
            if args.action == "serve" and not args.routes and (args.dev or args.auto_reload or args.reload_dir):
                from sanic.worker.retry import start_again_after_change

                start_again_after_change(error, args.reload_dir or ())
            # What the program itself has raised, from its own code on.
            raise CommandError(describe_failure(error)) from error
