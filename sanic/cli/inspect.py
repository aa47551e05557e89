"""`sanic inspect`: asks the inspector of a running server, or gives it a command, over HTTP.

It reads the arguments, sends one request and prints the answer. What a command does the inspector alone knows.
"""

from __future__ import annotations

import json
import os
import ssl
import sys
from argparse import ArgumentParser, ArgumentTypeError, Namespace, RawDescriptionHelpFormatter
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import Any
from urllib.parse import quote, urlsplit

from sanic.cli.table import described, listed, visible

_FAILURE = 1
_DEFAULT_HOST = "localhost"
_DEFAULT_PORT = 6457
#: Seconds to reach the inspector, and those that a command may take.
_CONNECT_SECONDS = 10.0
_COMMAND_SECONDS = 610.0
#: Bytes of an answer.
_MAX_ANSWER = 64 << 20

#: What to do about errors, by status.
_HINTS = {
    401: " Give the right one with -k, or as SANIC_INSPECTOR_API_KEY.",
    500: " The log of the server tells more.",
}

_COMMANDS = """commands:
  (none)                     show the application and its workers
  reload [--zero-downtime]   replace all workers; --zero-downtime starts each new one before the old one stops
  scale N                    have N workers
  shutdown                   end the server
  NAME [VALUE ...] [--key=value] [--flag] [--no-flag]
                             a command of the application's own: values are text, flags are true or false. After
                             NAME, what stands behind -- is for the command even if it looks like an option above.

The API key is taken from the variable SANIC_INSPECTOR_API_KEY where -k is not given, which other users of this machine
cannot see. Certificates are checked against those of the system, or the file that SSL_CERT_FILE names.
"""


class InspectError(Exception):
    """The inspector could not be asked, or refused; the message says why."""


def run_inspect(arguments: list[str]) -> int:
    """Ask the inspector, and print what it says.

    Args:
        arguments: Those that follow `sanic inspect`.

    Returns:
        The exit status: 1 if the inspector cannot be reached, or refuses.

    Raises:
        SystemExit: The arguments are wrong, or help was asked for.
    """
    parser = new_parser()
    options, body = _parse(parser, arguments)
    try:
        result = _ask(options, body)
    except InspectError as error:
        print(visible(error), file=sys.stderr)
        return _FAILURE
    print(json.dumps(result) if options.raw else _rendered(options.command, result), flush=True)
    return 0


# -- Arguments --------------------------------------------------------------------------------------------------------


def new_parser() -> ArgumentParser:
    """Make the parser."""
    parser = ArgumentParser(
        prog="sanic inspect",
        usage="sanic inspect [-H HOST] [-p PORT] [-s] [-k KEY] [--raw] [COMMAND ...]",
        description="Ask the inspector of a running server, or give it a command.",
        epilog=_COMMANDS,
        formatter_class=RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("-H", "--host", default=_DEFAULT_HOST, help="where it is, also as a URL (default localhost)")
    parser.add_argument("-p", "--port", type=_port, help=f"its port (default {_DEFAULT_PORT})")
    parser.add_argument("-s", "--secure", action="store_true", help="it speaks TLS")
    parser.add_argument("-k", "--api-key", help="its API key")
    parser.add_argument("--raw", action="store_true", help="print the result as JSON")
    return parser


def _port(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and 0 < int(text) < 1 << 16):
        raise ArgumentTypeError(f"{text!r} is no port: give a number from 1 to 65535")
    return int(text)


def _parse(parser: ArgumentParser, arguments: list[str]) -> tuple[Namespace, dict[str, Any] | None]:
    # Options may stand anywhere before --; all others belong to the command, in their order.
    end = arguments.index("--") if "--" in arguments else len(arguments)
    options, rest = parser.parse_known_args(arguments[:end])
    rest += arguments[end + 1 :]
    if not rest:
        options.command = ""
        return options, None
    options.command, *rest = rest
    if options.command.startswith("-"):
        parser.error(f"unknown option {options.command}: the name of a command comes first")
    return options, _body(parser, options.command, rest)


def _body(parser: ArgumentParser, command: str, rest: list[str]) -> dict[str, Any]:
    positional = [word for word in rest if not _is_option(word)]
    named: dict[str, Any] = {}
    for word in rest:
        if _is_option(word):
            name, has_value, value = word[2:].partition("=")
            is_off = not has_value and name.startswith("no-")
            key = (name[3:] if is_off else name).replace("-", "_")
            if key in named:
                parser.error(f"{word}: {key} is given twice")
            named[key] = value if has_value else not is_off
    if command == "scale":
        if len(positional) != 1 or named:
            parser.error("scale takes one number of workers, for example: sanic inspect scale 4")
        return {"replicas": positional[0]}
    if command == "reload" and (positional or named.keys() - {"zero_downtime"}):
        parser.error("reload takes nothing but --zero-downtime")
    if command == "shutdown" and rest:
        parser.error("shutdown takes no arguments")
    if "args" in named:
        parser.error("--args: the values of a command are given without a name")
    return {**named, **({"args": positional} if positional else {})}


def _is_option(word: str) -> bool:
    return len(word) > 2 and word.startswith("--")


# -- One request ------------------------------------------------------------------------------------------------------


def _ask(options: Namespace, body: dict[str, Any] | None) -> Any:
    host, port, is_secure, prefix = _locate(options)
    where = f"http{'s' if is_secure else ''}://{f'[{host}]' if ':' in host else host}:{port}{prefix}"
    key = options.api_key or os.environ.get("SANIC_INSPECTOR_API_KEY", "")
    if any(ord(character) < 32 or ord(character) == 127 for character in key):
        raise InspectError("The API key holds control characters, which cannot be sent. Is there a line break in it?")
    headers: dict[str, str | bytes] = {"Accept": "application/json"}
    if key:
        headers["Authorization"] = f"Bearer {key}".encode(errors="surrogateescape")
    connection: HTTPConnection
    try:
        if is_secure:
            connection = HTTPSConnection(host, port, timeout=_CONNECT_SECONDS, context=ssl.create_default_context())
        else:
            connection = HTTPConnection(host, port, timeout=_CONNECT_SECONDS)
    except HTTPException as error:
        raise InspectError(f"{host!r} is no host: {error}.") from None
    try:
        connection.connect()
        connection.sock.settimeout(_COMMAND_SECONDS)
        if body is None:
            connection.request("GET", f"{prefix}/", headers=headers)
        else:
            content = json.dumps(body).encode()
            headers["Content-Type"] = "application/json"
            connection.request("POST", f"{prefix}/{quote(options.command, safe='')}", content, headers)
        response = connection.getresponse()
        answer = response.read(_MAX_ANSWER)
        if response.length:
            raise HTTPException(f"its answer breaks off, or is longer than {_MAX_ANSWER} bytes")
    except ssl.SSLCertVerificationError as error:
        raise InspectError(
            f"The certificate of {where} is not trusted: {error.verify_message}. Name the file of its authority in "
            "SSL_CERT_FILE."
        ) from error
    except (OSError, HTTPException, UnicodeError) as error:
        raise InspectError(_unreachable(where, error, is_secure)) from error
    finally:
        connection.close()
    return _result(where, response.status, response.reason, answer)


def _locate(options: Namespace) -> tuple[str, int, bool, str]:
    given: str = options.host
    is_url = "://" in given
    try:
        parts = urlsplit(
            given if is_url else f"//[{given}]" if given.count(":") > 1 and "[" not in given else f"//{given}"
        )
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise InspectError(f"{given!r} is no host: {error}.") from None
    if not host or (is_url and parts.scheme not in ("http", "https")):
        raise InspectError(f"{given!r} is no host: give a name, an address, or a URL that begins with http(s)://.")
    return (
        host,
        options.port or port or _DEFAULT_PORT,
        options.secure or parts.scheme == "https",
        parts.path.rstrip("/"),
    )


def _unreachable(where: str, error: Exception, is_secure: bool) -> str:
    reason = (error.strerror if isinstance(error, OSError) else None) or str(error) or type(error).__name__
    if isinstance(error, ssl.SSLError):
        return (
            f"{where} does not speak TLS as it should: {error.reason or reason}. Without --secure it is asked in plain."
        )
    hint = "Is the server running, with inspector=True, and are host and port right?"
    if isinstance(error, (ConnectionResetError, HTTPException)) and not is_secure:
        hint = "Is it an inspector? If it speaks TLS, add --secure."
    return f"Could not ask the inspector at {where}: {reason}. {hint}"


def _result(where: str, status: int, reason: str, answer: bytes) -> Any:
    try:
        content = json.loads(answer)
    except (ValueError, RecursionError):
        content = None
    if status >= 400:
        message = content.get("message") if isinstance(content, dict) else None
        raise InspectError(
            f"{status} {reason}: {str(message or 'no explanation').rstrip('.')}.{_HINTS.get(status, '')}"
        )
    if not (isinstance(content, dict) and "meta" in content and "result" in content):
        raise InspectError(f"{where} answers, but is no inspector: check host and port.")
    return content["result"]


# -- What is printed --------------------------------------------------------------------------------------------------


def _rendered(command: str, result: Any) -> str:
    if not command and isinstance(result, dict) and isinstance(result.get("workers"), dict):
        return f"{described(result.get('info'))}\n\n{listed(result['workers'])}"
    if result is None:
        return f"{command}: done"
    if isinstance(result, str):
        return result
    return json.dumps(result, indent=2, ensure_ascii=False)
