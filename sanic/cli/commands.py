"""The commands of an application: functions whose parameters are options on the command line.

A command is run without a server. What it does, and what its parameters mean, it knows alone.
"""

from __future__ import annotations

import asyncio
import inspect
import sys
import types
import typing
from argparse import ArgumentParser, ArgumentTypeError, Namespace
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Union

from sanic.cli.arguments import Parser
from sanic.cli.failure import CommandError
from sanic.utils import str_to_bool

if TYPE_CHECKING:
    from sanic.app import Sanic

_USAGE_ERROR = 2
#: What text becomes where a parameter is annotated with one of these; anything else gets it as it is.
_PLAIN: dict[Any, Callable[[str], Any]] = {int: int, float: float, Path: Path}
_BY_NAME: dict[str, Any] = {"int": int, "float": float, "bool": bool, "Path": Path}


def run_command(app: Sanic[Any, Any], args: Namespace) -> int:
    """Run a command of an application, or show which there are.

    Args:
        app: The application.
        args: The options of the command line; its `command` begins with the name.

    Returns:
        The exit status.

    Raises:
        SystemExit: There is no such command, or its arguments are wrong, with status 2; or help was asked for.
        CommandError: It failed; the message is its traceback.
    """
    # Extension packages put a set of their own in this place.
    commands = {command.name: command.func for command in app._future_commands}
    if not args.command or args.command[0] in ("-h", "--help"):
        print(_overview(app, args.target, commands))
        return 0
    name, *arguments = args.command
    if name not in commands:
        print(f"There is no command {name!r}.\n\n{_overview(app, args.target, commands)}", file=sys.stderr)
        return _USAGE_ERROR
    function = commands[name]
    parameters = _parameters(function)
    parser = _new_parser(f"sanic {args.target} exec {name}", function, parameters)
    values = vars(parser.parse_args(arguments))
    _apply_mode(app, args)
    _call(function, parameters, values)
    return 0


def _overview(app: Sanic[Any, Any], target: str, commands: Mapping[str, Callable[..., Any]]) -> str:
    if not commands:
        return f"{app.name} has no commands. A function with the decorator @app.command becomes one."
    width = max(map(len, commands))
    lines = [f"  {name:<{width}}  {_summary(commands[name])}".rstrip() for name in sorted(commands)]
    return "\n".join([f"usage: sanic {target} exec COMMAND [options]", "", f"commands of {app.name}:", *lines])


def _summary(function: Callable[..., Any]) -> str:
    return (inspect.getdoc(function) or "").strip().partition("\n")[0]


def _apply_mode(app: Sanic[Any, Any], args: Namespace) -> None:
    # The app is not started, but what it logs is to be seen as if it were.
    from sanic.application.settings import apply_mode

    apply_mode(app, args.debug or args.dev, args.verbosity)


# -- Parameters and options -------------------------------------------------------------------------------------------


def _parameters(function: Callable[..., Any]) -> list[inspect.Parameter]:
    try:
        signature = inspect.signature(function, eval_str=True)
    except Exception:
        # An annotation that means something to type checkers alone.
        signature = inspect.signature(function)
    variadic = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    return [parameter for parameter in signature.parameters.values() if parameter.kind not in variadic]


def _new_parser(prog: str, function: Callable[..., Any], parameters: list[inspect.Parameter]) -> ArgumentParser:
    # A parameter may be called `help` or `h`.
    parser = Parser(prog=prog, description=_summary(function), conflict_handler="resolve")
    for parameter in parameters:
        _add_option(parser, parameter)
    return parser


def _add_option(parser: ArgumentParser, parameter: inspect.Parameter) -> None:
    name = parameter.name
    names = [f"--{name.replace('_', '-')}"]
    if "_" in name:
        names.append(f"--{name}")
    kind = _unwrapped(parameter.annotation)
    default = None if parameter.default is parameter.empty else parameter.default
    options: dict[str, Any] = {"dest": name, "default": default, "metavar": "VALUE", "help": _explained(parameter)}
    if kind is bool:
        options |= {"type": _read_bool, "nargs": "?", "const": True, "metavar": "yes|no"}
    elif kind in _PLAIN:
        options["type"] = _PLAIN[kind]
    elif typing.get_origin(kind) is Literal and all(isinstance(choice, str) for choice in typing.get_args(kind)):
        options |= {"choices": typing.get_args(kind), "metavar": "|".join(typing.get_args(kind))}
    parser.add_argument(*names, **options)
    if kind is bool:
        off = f"--no-{name.replace('_', '-')}"
        parser.add_argument(off, dest=name, action="store_false", default=default, help=f"the same as {names[0]}=no")


def _unwrapped(annotation: Any) -> Any:
    if isinstance(annotation, str):
        return _BY_NAME.get(annotation.partition("|")[0].strip())
    if typing.get_origin(annotation) in (Union, types.UnionType):
        kinds = [kind for kind in typing.get_args(annotation) if kind is not type(None)]
        annotation = kinds[0] if len(kinds) == 1 else None
    try:
        hash(annotation)
    except TypeError:
        return None
    return annotation


def _explained(parameter: inspect.Parameter) -> str:
    told = []
    if parameter.annotation is not parameter.empty:
        told.append(inspect.formatannotation(parameter.annotation).strip("'"))
    if parameter.default not in (parameter.empty, None):
        told.append(f"default {parameter.default!r}")
    # argparse formats the text with %.
    return ", ".join(told).replace("%", "%%")


def _read_bool(text: str) -> bool:
    try:
        return str_to_bool(text)
    except ValueError:
        raise ArgumentTypeError(f"{text!r} is neither yes nor no") from None


# -- The call ---------------------------------------------------------------------------------------------------------


def _call(function: Callable[..., Any], parameters: list[inspect.Parameter], values: dict[str, Any]) -> None:
    from sanic.worker.traces import describe_failure

    positional = [values.pop(item.name) for item in parameters if item.kind is item.POSITIONAL_ONLY]
    try:
        result = function(*positional, **values)
        if inspect.isawaitable(result):
            asyncio.run(_await(result))
    except Exception as error:
        raise CommandError(describe_failure(error)) from error


async def _await(result: Awaitable[Any]) -> Any:
    return await result
