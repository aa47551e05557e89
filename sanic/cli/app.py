"""The command line: `sanic TARGET [options]`. Reads the arguments, loads the application, serves it in this process."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from sanic.cli.arguments import new_parser, versions
from sanic.worker.loader import AppLoader, TargetError

_FAILURE = 1


class SanicCLI:
    """One call of the command line."""

    def __init__(self) -> None:
        self.parser = new_parser()

    def run(self, arguments: Sequence[str] | None = None) -> None:
        """Serve what the arguments name.

        Args:
            arguments: Those of the command line; default those of the process.

        Raises:
            SystemExit: The arguments are wrong, there is no such application, or it could not be started.
            Exception: What its module raised.
        """
        arguments = sys.argv[1:] if arguments is None else arguments
        if not arguments:
            self.parser.print_help()
            return
        if list(arguments) == ["-v"]:
            print(versions())
            return
        args = self.parser.parse_args(arguments)
        try:
            app = AppLoader(args.target, args.factory, args.simple, args).load()
        except TargetError as error:
            print(error, file=sys.stderr)
            raise SystemExit(_FAILURE) from error
        app.prepare(
            host=args.host,
            port=args.port,
            unix=args.unix,
            debug=args.debug,
            access_log=args.access_logs,
            motd=args.motd,
            noisy_exceptions=args.noisy_exceptions,
            verbosity=args.verbosity,
            coffee=args.coffee,
            single_process=True,
        )
        type(app).serve_single(primary=app)
