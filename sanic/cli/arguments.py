"""The arguments of the command line, as they are written and explained."""

from __future__ import annotations

from argparse import ArgumentParser, BooleanOptionalAction

from sanic.__version__ import __version__

_TARGET = """where the app is: module:name, module.name, module for module:app, module:factory() for a function that
makes it, or a directory to serve as it is"""


def new_parser() -> ArgumentParser:
    """Make the parser."""
    parser = ArgumentParser(
        prog="sanic",
        description="Serve a Sanic app.",
        epilog="The app is served by this single process. Example: sanic server:app --port 9000",
        allow_abbrev=False,
    )
    parser.add_argument("target", help=_TARGET)
    parser.add_argument("--version", action="version", version=versions())

    group = parser.add_argument_group("app")
    kind = group.add_mutually_exclusive_group()
    kind.add_argument("--factory", action="store_true", help="the target is a function that makes the app")
    kind.add_argument("-s", "--simple", action="store_true", help="the target is a directory to serve as it is")

    group = parser.add_argument_group("address")
    group.add_argument("-H", "--host", help="address to listen on (default 127.0.0.1)")
    group.add_argument("-p", "--port", type=int, help="port to listen on, 0 for any (default 8000)")
    group.add_argument("-u", "--unix", help="path of a unix socket to listen on")

    group = parser.add_argument_group("process")
    group.add_argument("--single-process", action="store_true", help="serve in this process, as is done anyway so far")

    group = parser.add_argument_group("development")
    group.add_argument("--debug", action="store_true", help="details on error pages, more logs")

    group = parser.add_argument_group("output")
    group.add_argument("--access-logs", action=BooleanOptionalAction, help="log each response")
    group.add_argument("--motd", action=BooleanOptionalAction, default=True, help="show the start banner")
    group.add_argument("--noisy-exceptions", action=BooleanOptionalAction, help="log quiet exceptions, too")
    group.add_argument("-v", "--verbosity", action="count", default=0, help="tell more; twice for even more")
    group.add_argument("--coffee", action="store_true", help="show another banner")
    return parser


def versions() -> str:
    """The versions that a report of a bug should name."""
    from importlib.metadata import PackageNotFoundError, version

    try:
        routing = version("sanic-routing")
    except PackageNotFoundError:
        routing = "unknown"
    return f"Sanic {__version__}; Routing {routing}"
