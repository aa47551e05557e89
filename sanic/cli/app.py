"""The command line: `sanic TARGET [options]`."""

from __future__ import annotations

import os
import sys
from argparse import ArgumentParser
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from sanic.__version__ import __version__

if TYPE_CHECKING:
    from sanic.app import Sanic

_FAILURE = 1


class SanicCLI:
    """Reads the arguments, loads the application, serves it in this process."""

    def __init__(self) -> None:
        parser = ArgumentParser(prog="sanic", description="Serve a Sanic application.")
        parser.add_argument("target", help="where the application is: module:name, or module for module:app")
        parser.add_argument("--version", action="version", version=f"Sanic {__version__}")
        parser.add_argument("-H", "--host", default=None, help="address to listen on (default 127.0.0.1)")
        parser.add_argument("-p", "--port", default=None, type=int, help="port to listen on (default 8000)")
        parser.add_argument("-u", "--unix", default=None, help="path of a unix socket to listen on")
        parser.add_argument("--debug", action="store_true", help="debug mode")
        parser.add_argument("--access-logs", action="store_true", default=None, help="log each response")
        self.parser = parser

    def run(self, arguments: Sequence[str] | None = None) -> None:
        """Serve what the arguments name.

        Raises:
            SystemExit: There is no such application, or it could not be started.
        """
        args = self.parser.parse_args(arguments)
        app = self._load(args.target)
        app.run(
            host=args.host,
            port=args.port,
            unix=args.unix,
            debug=args.debug,
            access_log=args.access_logs,
            single_process=True,
        )

    def _load(self, target: str) -> Sanic[Any, Any]:
        from importlib import import_module

        from sanic.app import Sanic

        sys.path.append(os.getcwd())
        module_name, _, name = target.partition(":")
        try:
            module = import_module(module_name)
        except ModuleNotFoundError as error:
            sys.stderr.write(f"No module named {error.name} found. Give the target as module:name, as in app:app.\n")
            raise SystemExit(_FAILURE) from error
        app = getattr(module, name or "app", None)
        if not isinstance(app, Sanic):
            sys.stderr.write(
                f"{target} is not a Sanic app, it is a {type(app).__name__}. Give the target as module:name.\n"
            )
            raise SystemExit(_FAILURE)
        return app
