"""The inspector's HTTP side: who may ask, which command a request means, and how its result is told.

What a command does stands in the inspector.
"""

from __future__ import annotations

import hmac
import inspect
import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from sanic.config import Config
from sanic.exceptions import BadRequest, Forbidden, MethodNotAllowed, NotFound, ServerError, Unauthorized
from sanic.log import logger
from sanic.response import HTTPResponse, raw
from sanic.worker.inspector.metrics import CONTENT_TYPE, openmetrics
from sanic.worker.inspector.plain import as_json

if TYPE_CHECKING:
    from sanic.app import Sanic
    from sanic.request import Request
    from sanic.worker.inspector.inspector import Inspector

#: Bytes of a body: commands are short.
_MAX_BODY = 1 << 20
#: Seconds that a command may take.
_COMMAND_SECONDS = 600.0
#: What is there to be read, by path.
_READABLE = {"": "info", "metrics": "metrics"}


def make_app(inspector: Inspector) -> Sanic[Any, Any]:
    """Make the application that serves the commands of an inspector."""
    from sanic.app import Sanic
    from sanic.constants import HTTP_METHODS

    # The environment speaks of the application that is inspected, not of this one.
    config = Config(env_prefix=None)
    config.update(
        ACCESS_LOG=False,
        AUTO_EXTEND=False,
        FALLBACK_ERROR_FORMAT="json",
        REQUEST_MAX_SIZE=_MAX_BODY,
        RESPONSE_TIMEOUT=_COMMAND_SECONDS,
        WORKER_HANG_TIMEOUT=0,
    )
    app: Sanic[Any, Any] = Sanic("Sanic-Inspector", config=config, configure_logging=False)
    # `Sanic.get_app()` in a command means the application that is inspected.
    Sanic.unregister_app(app)

    async def handle(request: Request[Any, Any], action: str = "") -> HTTPResponse:
        _check_caller(inspector, request)
        return await _act(inspector, request, action)

    # One route for all, so that nothing at all is told to who has no key.
    for path in ("/", "/<action:path>"):
        app.add_route(handle, path, methods=[*HTTP_METHODS], name="root" if path == "/" else "action")
    return app


def _check_caller(inspector: Inspector, request: Request[Any, Any]) -> None:
    key = str(inspector.api_key or "")
    if key:
        given = (request.token or "").encode(errors="surrogateescape")
        if not hmac.compare_digest(given, key.encode(errors="surrogateescape")):
            raise Unauthorized("Bad API key", scheme="Bearer")
    elif "origin" in request.headers and request.method not in ("GET", "HEAD"):
        # Sent by a browser: any page may send requests to this machine, and who has it open knows nothing of them.
        raise Forbidden("Web pages may give commands with an API key only: set INSPECTOR_API_KEY.")


async def _act(inspector: Inspector, request: Request[Any, Any], action: str) -> HTTPResponse:
    if request.method == "POST" and action:
        command = _find(inspector, action)
        given = _arguments(request, command, action)
        logger.info("Command %s from %s.", action, request.ip or "a unix socket")
        return _answer(action, await _call(command, given))
    if action not in _READABLE:
        _find(inspector, action)
        raise MethodNotAllowed(f"{action} is a command: send it with POST.", request.method, ["POST"])
    if request.method not in ("GET", "HEAD"):
        raise MethodNotAllowed("Commands are sent to /<name>.", request.method, ["GET", "HEAD"])
    if action == "metrics":
        text = openmetrics(inspector.app_info, dict(inspector.worker_state))
        return raw(text.encode(), content_type=CONTENT_TYPE)
    return _answer(_READABLE[action], inspector._info())


def _find(inspector: Inspector, action: str) -> Callable[..., Any]:
    # Of the class, and without running anything: neither a property nor what an instance keeps is a command.
    found = next((vars(cls)[action] for cls in type(inspector).__mro__ if action in vars(cls)), None)
    if not action.startswith("_") and (callable(found) or isinstance(found, classmethod)):
        method = getattr(inspector, action)
        if inspect.ismethod(method):
            return method
    raise NotFound(f"Unknown action: {action}")


def _arguments(request: Request[Any, Any], command: Callable[..., Any], action: str) -> inspect.BoundArguments:
    try:
        body = json.loads(request.body) if request.body.strip() else {}
    except (ValueError, RecursionError) as error:
        raise BadRequest(f"The body is no JSON: {error}.") from None
    if not isinstance(body, dict):
        raise BadRequest(f"The body must be a JSON object of arguments, not {type(body).__name__}.")
    positional = body.pop("args", [])
    if not isinstance(positional, list):
        raise BadRequest(f"args must be a list of positional arguments, not {positional!r}.")
    signature = inspect.signature(command)
    try:
        return signature.bind(*positional, **body)
    except TypeError as error:
        parameters = ", ".join(str(item.replace(annotation=item.empty)) for item in signature.parameters.values())
        raise BadRequest(f"{action}: {error}. It takes ({parameters}).") from None


async def _call(command: Callable[..., Any], given: inspect.BoundArguments) -> Any:
    result = command(*given.args, **given.kwargs)
    return await result if inspect.isawaitable(result) else result


def _answer(action: str, result: Any) -> HTTPResponse:
    try:
        text = json.dumps({"meta": {"action": action}, "result": as_json(result)})
    except (TypeError, ValueError, RecursionError) as error:
        raise ServerError(f"What {action} returned cannot be written as JSON: {error}", quiet=False) from error
    return HTTPResponse(text, content_type="application/json")
