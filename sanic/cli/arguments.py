"""The options of the command line, as they are written and explained; what they lead to is known elsewhere."""

from __future__ import annotations

import os
from argparse import ArgumentParser, ArgumentTypeError, BooleanOptionalAction, Namespace
from collections.abc import Callable, Sequence
from typing import Any, NoReturn

from sanic.__version__ import __version__

#: What can be done with a target.
ACTIONS = ("serve", "exec", "status", "stop", "restart")

_TARGET = """where the app is: module:name, module.name, module for module:app, module:factory() for a function that
makes it, or a directory to serve as it is"""
_ACTION = """serve (the default); exec COMMAND to run a command of the app; status, stop or restart for what runs as a
daemon"""

SHORT_HELP = """usage: sanic TARGET [options]
       sanic TARGET exec [COMMAND ...]
       sanic TARGET status | stop [--force]
       sanic status | stop | kill | restart (--pid N | --pidfile FILE)
       sanic inspect [COMMAND ...]

Serve a Sanic app.

  TARGET                module:name, module, "module:factory()", or a directory
  -H, --host HOST       address to listen on (default 127.0.0.1)
  -p, --port PORT       port to listen on, 0 for any (default 8000)
  -u, --unix PATH       path of a unix socket to listen on
  -w, --workers N       number of worker processes; --fast for one on each processor
  -d, --dev             debug mode, and a restart whenever a file changes
  -D, --daemon          in the background
      --routes          show the routes instead
  -v                    show the versions; with a target: tell more

sanic server:app --dev            while you develop
sanic server:app --fast -p 9000   in production

'sanic help --full' explains all options.
"""


class Parser(ArgumentParser):
    """A parser that does not guess what the beginning of an option stands for, and says where help is."""

    def __init__(self, **options: Any) -> None:
        super().__init__(allow_abbrev=False, **options)

    def error(self, message: str) -> NoReturn:
        """Say what is wrong with the arguments, and end with status 2."""
        usage = " ".join(self.format_usage().split()[1:4])
        self.exit(2, f"usage: {usage} ...\n{self.prog}: error: {message}\n'{self.prog} --help' explains the options.\n")


def new_parser() -> ArgumentParser:
    """Make the parser of what is served."""
    parser = Parser(
        prog="sanic",
        usage="sanic TARGET [ACTION] [options]",
        description="Serve a Sanic app.",
        epilog="Example: sanic server:app --port 9000 --workers 4",
    )
    parser.add_argument("target", metavar="TARGET", help=_TARGET)
    parser.add_argument("action", metavar="ACTION", nargs="?", choices=ACTIONS, default="serve", help=_ACTION)
    parser.add_argument("--version", action="version", version=versions(), help="show the versions and exit")
    for add_group in (
        _add_application,
        _add_http,
        _add_socket,
        _add_tls,
        _add_workers,
        _add_development,
        _add_daemon,
        _add_output,
    ):
        add_group(parser)
    return parser


def versions() -> str:
    """The versions that a report of a bug should name."""
    from importlib.metadata import PackageNotFoundError, version

    try:
        routing = version("sanic-routing")
    except PackageNotFoundError:
        routing = "unknown"
    return f"Sanic {__version__}; Routing {routing}"


# -- Groups -----------------------------------------------------------------------------------------------------------


def _add_application(parser: ArgumentParser) -> None:
    group = parser.add_argument_group("application")
    kind = group.add_mutually_exclusive_group()
    kind.add_argument(
        "--factory",
        action="store_true",
        help="the target is a function that makes the app; options that are not known here are for it",
    )
    kind.add_argument("-s", "--simple", action="store_true", help="the target is a directory to serve as it is")
    group.add_argument("--routes", action="store_true", help="show the routes of the app, and do not serve it")
    group.add_argument(
        "--repl",
        action=BooleanOptionalAction,
        help="open a console beside the server; with --dev on a terminal, ENTER opens it unless --no-repl is given",
    )


def _add_http(parser: ArgumentParser) -> None:
    group = parser.add_argument_group("HTTP")
    group.add_argument(
        "--http", dest="http", type=int, choices=(1, 3), action="append", help="version to serve; may be repeated"
    )
    group.add_argument("-1", dest="http", action="append_const", const=1, help="the same as --http 1")
    group.add_argument("-3", dest="http", action="append_const", const=3, help="the same as --http 3")


def _add_socket(parser: ArgumentParser) -> None:
    group = parser.add_argument_group("socket")
    group.add_argument("-H", "--host", help="address to listen on (default 127.0.0.1)")
    group.add_argument(
        "-p", "--port", type=_port, help="port to listen on, 0 for any (default 8000; with HTTP/3 or --auto-tls 8443)"
    )
    group.add_argument("-u", "--unix", metavar="PATH", help="path of a unix socket to listen on")


def _add_tls(parser: ArgumentParser) -> None:
    group = parser.add_argument_group("TLS")
    group.add_argument("--cert", metavar="FILE", help="certificate with its chain, in PEM format; needs --key")
    group.add_argument("--key", metavar="FILE", help="private key of the certificate")
    group.add_argument(
        "--tls",
        metavar="DIR",
        action="append",
        help="directory with fullchain.pem and privkey.pem; may be repeated, the name that a client asks for decides",
    )
    group.add_argument(
        "--tls-strict-host", action="store_true", help="refuse clients that ask for none of the names; needs --tls"
    )


def _add_workers(parser: ArgumentParser) -> None:
    group = parser.add_argument_group("workers")
    count = group.add_mutually_exclusive_group()
    count.add_argument("-w", "--workers", metavar="N", type=_count(1), help="number of worker processes (default 1)")
    count.add_argument("--fast", action="store_true", help="one worker for each processor")
    count.add_argument("--single-process", action="store_true", help="serve in this process, without a manager")
    group.add_argument(
        "--max-requests", metavar="N", type=_count(0), help="replace a worker after N requests; 0 for never"
    )
    group.add_argument(
        "--max-requests-jitter", metavar="N", type=_count(0), help="up to N more, so that not all are replaced at once"
    )
    group.add_argument(
        "--max-rss", metavar="MIB", type=_count(0), help="replace a worker that holds so many MiB; 0 for never"
    )
    group.add_argument(
        "--drain-seconds", metavar="S", type=_seconds, help="accept connections for S seconds more when told to stop"
    )
    group.add_argument("--access-logs", action=BooleanOptionalAction, help="log each response")


def _add_development(parser: ArgumentParser) -> None:
    group = parser.add_argument_group("development")
    group.add_argument("--debug", action="store_true", help="details on error pages, more logs")
    group.add_argument(
        "-r",
        "--reload",
        "--auto-reload",
        dest="auto_reload",
        action="store_true",
        help="restart the workers when a file of the program changes",
    )
    group.add_argument(
        "-R",
        "--reload-dir",
        metavar="PATH",
        dest="reload_dir",
        action="append",
        help="reload when a file in this directory changes, too; may be repeated",
    )
    group.add_argument("-d", "--dev", action="store_true", help="--debug and --reload")
    group.add_argument("--auto-tls", action="store_true", help="make a certificate for development; needs --debug")


def _add_daemon(parser: ArgumentParser) -> None:
    group = parser.add_argument_group("daemon")
    group.add_argument("-D", "--daemon", action="store_true", help="serve in the background")
    group.add_argument("--pidfile", metavar="FILE", help="where its process id is kept")
    group.add_argument("--logfile", metavar="FILE", help="where its output goes; default nowhere")
    group.add_argument("--user", help="name or number of the user to run as, once the address is bound")
    group.add_argument("--group", help="name or number of the group to run as (default that of --user)")
    group.add_argument("-f", "--force", action="store_true", help="with stop: end it at once")


def _add_output(parser: ArgumentParser) -> None:
    group = parser.add_argument_group("output")
    group.add_argument("--coffee", action=BooleanOptionalAction, default=False, help="show another banner")
    group.add_argument("--motd", action=BooleanOptionalAction, default=True, help="show the start banner")
    group.add_argument("--noisy-exceptions", action=BooleanOptionalAction, help="log quiet exceptions, too")
    group.add_argument("-v", "--verbosity", action="count", default=0, help="tell more; twice for even more")


# -- Values -----------------------------------------------------------------------------------------------------------


def _port(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) < 6 and int(text) < 1 << 16):
        raise ArgumentTypeError(f"{text!r} is no port: give a number from 0 to 65535")
    return int(text)


def _count(least: int) -> Callable[[str], int]:
    def read(text: str) -> int:
        if not (text.isascii() and text.isdecimal() and int(text) >= least):
            raise ArgumentTypeError(f"{text!r} is no number from {least} on")
        return int(text)

    return read


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds < float("inf"):
        raise ArgumentTypeError(f"{text!r} is no number of seconds from 0 on")
    return seconds


# -- Reading them -----------------------------------------------------------------------------------------------------


def parse(parser: ArgumentParser, arguments: Sequence[str]) -> Namespace:
    """Read the arguments.

    Args:
        parser: The parser.
        arguments: Those of the command line.

    Returns:
        The options; `command` holds what follows `exec`.

    Raises:
        SystemExit: They are wrong, with status 2, or help was asked for.
    """
    own, command = _split(parser, list(arguments))
    args, rest = parser.parse_known_args(own)
    args.command = command
    if rest:
        _take_unknown(parser, args, rest)
    _check_conflicts(parser, args)
    return args


def _split(parser: ArgumentParser, arguments: list[str]) -> tuple[list[str], list[str]]:
    # Target and action come first: argparse would not find an action that stands behind options. Everything behind
    # `exec` is for the command, even if it looks like an option of the server.
    known = {name for action in parser._actions for name in action.option_strings}
    with_value = {name for action in parser._actions if action.nargs is None for name in action.option_strings}
    names: list[str] = []
    options: list[str] = []
    rest = iter(arguments)
    for argument in rest:
        if argument.startswith("-") and argument != "-":
            options.append(argument)
            if argument in with_value:
                options += [value for value in (next(rest, None),) if value is not None]
            continue
        names.append(argument)
        if len(names) == 2 and argument == "exec":
            break
    if len(names) > 1 and names[1] not in ACTIONS:
        # Rather a value of an option that nobody knows.
        for option in options:
            if option.startswith("--") and option.partition("=")[0] not in known:
                parser.error(f"unrecognized arguments: {option}. A factory gets its own options as {option}=value")
    return [*names, *options], list(rest)


def _take_unknown(parser: ArgumentParser, args: Namespace, rest: list[str]) -> None:
    is_factory = args.factory or args.target.endswith("()")
    # Options first: what stands behind one may be its value.
    for argument in sorted(rest, key=lambda text: not text.startswith("-")):
        name, has_value, value = argument[2:].partition("=")
        name = name.replace("-", "_")
        if not is_factory or not argument.startswith("--") or not name.isidentifier():
            parser.error(f"unrecognized arguments: {argument}")
        if hasattr(args, name):
            parser.error(f"{argument}: {name!r} has a meaning of its own here, choose another name for your option")
        setattr(args, name, value if has_value else True)


def _check_conflicts(parser: ArgumentParser, args: Namespace) -> None:
    if args.single_process and (args.dev or args.auto_reload or args.reload_dir):
        parser.error("argument --single-process: not allowed with --dev or --reload, which need the manager")
    for option in ("max_requests", "max_requests_jitter", "max_rss"):
        if args.single_process and getattr(args, option):
            parser.error(
                f"argument --{option.replace('_', '-')}: not allowed with --single-process: nobody replaces it"
            )
    if args.force and args.action != "stop":
        parser.error("argument -f/--force: it is for 'sanic TARGET stop'")
    if args.simple and os.sep not in args.target and ":" in args.target:
        parser.error(f"argument -s/--simple: {args.target!r} is no directory")
