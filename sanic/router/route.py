"""Route: one handler at one path, for some methods and at most one host.

It reads its own declaration (parts, parameters, types) and says who declared it. It does not match paths, does not
know its neighbours, and never sees a request. `sanic.signals` reads event names with the same class.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from types import SimpleNamespace
from typing import Any, Final, Protocol
from urllib.parse import quote
from urllib.parse import unquote as percent_decode

from sanic_routing.exceptions import ParameterNameConflicts
from sanic_routing.patterns import ExtParamInfo, ParamInfo

from sanic.router.parameters import (
    ANNOTATED_LABELS,
    TEXT_LABELS,
    Cast,
    RegexTypes,
    ValueMatcher,
    is_parameter,
    parse_parameter,
    priority_of,
    split_path,
)

# What may stand in a path segment as it is: RFC 3986 section 3.3 (pchar).
PCHAR_SAFE: Final = "!$&'()*+,;=:@-._~%"

STRAY_PERCENT: Final = re.compile(r"%(?![0-9A-Fa-f]{2})")
_UNNAMED_GROUP: Final = re.compile(r"\\.|\[\^?\]?(?:[^\]\\]|\\.)*\]|\((?!\?)")
_ANNOTATION_NAMES: Final = {"str": "str", "int": "int", "float": "float", "UUID": "uuid", "uuid.UUID": "uuid"}


class RouteOwner(Protocol):
    """What a route needs from the router it is made for."""

    delimiter: str
    regex_types: RegexTypes


class Route:
    """One declared route.

    Args:
        router: gives the delimiter and the table of parameter types.
        raw_path: the path as declared; a leading delimiter is dropped, and a trailing one unless `strict`.
        name: the full name, `app.handler`.
        handler: what is called.
        methods: upper-case method names.
        requirements: `{"host": …}`, or for signals the conditions.
        strict: whether the trailing slash matters.
        unquote: whether text values are percent-decoded before they reach the handler.
        static: ignored, it follows from the path and the requirements.
        regex: ignored, it follows from the path.
        overloaded: kept for signal routers.
        priority: the larger, the earlier among routes of one group.

    Raises:
        InvalidUsage: the path cannot be read.
        ParameterNameConflicts: two parameters share a name.
    """

    __slots__ = (
        "__dict__",
        "converts",
        "ctx",
        "defined_params",
        "extra",
        "handler",
        "labels",
        "matchers",
        "methods",
        "name",
        "overloaded",
        "parameter_names",
        "parts",
        "path",
        "pipeline",
        "priority",
        "raw_path",
        "reads_body",
        "regex",
        "requirements",
        "response_pipeline",
        "router",
        "segments",
        "sends_directly",
        "static",
        "strict",
        "unquote",
        "uri",
    )

    def __init__(
        self,
        router: RouteOwner,
        raw_path: str,
        name: str,
        handler: Callable[..., Any],
        methods: Iterable[str],
        requirements: dict[str, Any] | None = None,
        strict: bool = False,
        unquote: bool = False,
        static: bool = False,
        regex: bool = False,
        overloaded: bool = False,
        *,
        priority: int = 0,
    ) -> None:
        self.router = router
        self.name = name
        self.handler = handler
        self.methods = frozenset(methods)
        self.requirements: dict[str, Any] = requirements or {}
        self.strict = strict
        self.unquote = unquote
        self.overloaded = overloaded
        self.priority = priority
        self.ctx = SimpleNamespace()
        self.extra = SimpleNamespace()
        # The coroutine function that runs this route, composed by the application when it starts.
        self.pipeline: Any = None
        # The coroutine function that its response goes through, None without response middleware.
        self.response_pipeline: Any = None
        # Whether a request's body is read before the handler runs.
        self.reads_body = True
        # Whether nothing stands between what its handler returns and the connection.
        self.sends_directly = False

        self.defined_params: dict[int, ParamInfo] = {}
        # One for each parameter, in the order of the path.
        self.matchers: list[ValueMatcher] = []
        delimiter = router.delimiter
        path = raw_path[len(delimiter) :] if raw_path.startswith(delimiter) else raw_path
        raw_parts = split_path(path, delimiter)
        if not strict:
            while len(raw_parts) > 1 and raw_parts[-1] == "":
                raw_parts = raw_parts[:-1]
        raw_parts = tuple(part if is_parameter(part) else _encode_literal(part) for part in raw_parts)
        self.raw_path = delimiter.join(raw_parts)
        self.parts: tuple[str, ...]
        self.segments: tuple[str, ...]
        self._read_parts(raw_parts)

        self.path = delimiter.join(self.parts)
        self.uri = delimiter + self.path
        self.labels = [info.name for info in self.defined_params.values()]
        self.static = not self.defined_params and not self.requirements
        self.regex = any(info.regex or info.label in ("ext", "path") for info in self.defined_params.values())
        self.converts = unquote or any(
            info.label == "ext" or type(info).process is not ParamInfo.process for info in self.defined_params.values()
        )
        self.parameter_names = tuple(self.labels)

    def __str__(self) -> str:
        return f"<{type(self).__name__}: name={self.name} path={self.path or self.router.delimiter}>"

    __repr__ = __str__

    @property
    def params(self) -> dict[int, ParamInfo]:
        """The parameters by the index of their part."""
        return self.defined_params

    @property
    def pattern(self) -> str | None:
        """The whole path as one regular expression when the route holds `ext`, `path` or regex parameters."""
        if not self.regex:
            return None
        texts = [
            _named_pattern(self.defined_params[index]) if index in self.defined_params else re.escape(part)
            for index, part in enumerate(self.parts)
        ]
        return self.router.delimiter + self.router.delimiter.join(texts)

    @property
    def host(self) -> str | None:
        """The host this route is bound to, as declared."""
        host: str | None = self.requirements.get("host")
        return host

    def parse_parameter_string(
        self, parameter_string: str
    ) -> tuple[str, str, Cast, str | re.Pattern[str], type[ParamInfo]]:
        """Read one parameter definition such as `<name:int>`.

        Returns:
            (name, label, cast, pattern, info class).

        Raises:
            InvalidUsage: the text is not a parameter definition.
        """
        return parse_parameter(parameter_string, self.router.regex_types)

    def add_parameter(
        self,
        idx: int,
        name: str,
        raw_path: str,
        label: str,
        cast: Cast,
        pattern: str | re.Pattern[str] | None = None,
        param_info_class: type[ParamInfo] = ParamInfo,
    ) -> None:
        """Note that the part at index `idx` is a parameter.

        Raises:
            ParameterNameConflicts: the route has a parameter of this name already.
        """
        taken = {info.name for info in self.defined_params.values()}
        if any(info.label == "ext" for info in self.defined_params.values()):
            taken.add("ext")
        if name in taken or (label == "ext" and "ext" in taken):
            raise ParameterNameConflicts(
                f"Duplicate parameter names in {self.raw_path}: '{name if name in taken else 'ext'}' would be given "
                f"twice to {describe_handler(self.handler)}. Rename one of them."
            )
        types = self.router.regex_types
        compiled = re.compile(f"^{pattern or label}$") if not isinstance(pattern, re.Pattern) else pattern
        self.defined_params[idx] = param_info_class(
            name=name,
            raw_path=raw_path,
            label=label,
            cast=cast,
            pattern=compiled,
            regex=label not in types,
            priority=priority_of(label, types),
        )

    def arguments(self, values: Sequence[Any]) -> dict[str, Any]:
        """A fresh dictionary of handler keywords from the values matched, in path order."""
        if not self.converts:
            return dict(zip(self.parameter_names, values, strict=True))
        params: dict[str, Any] = {}
        for info, value in zip(self.defined_params.values(), values, strict=True):
            if self.unquote and (info.regex or info.label in TEXT_LABELS):
                value = tuple(map(_decoded, value)) if info.label == "ext" else _decoded(value)
            if info.label == "ext":
                params[info.name], params["ext"] = value
            else:
                info.process(params, value)
        return params

    def finalize(self) -> None:
        """Nothing is left to be done: a route is complete when it is made."""

    def reset(self) -> None:
        """Forget what the application composed for this route, so that it is composed anew."""
        self.pipeline = None

    def _read_parts(self, raw_parts: Sequence[str]) -> None:
        types = self.router.regex_types
        parts: list[str] = []
        segments: list[str] = []
        for index, part in enumerate(raw_parts):
            if not is_parameter(part):
                parts.append(part)
                segments.append(part)
                continue
            name, label, cast, pattern, info_class = self.parse_parameter_string(part)
            if ":" not in part:
                label = annotated_label(self.handler, name)
                cast, pattern, info_class = types[label]
            matcher = ValueMatcher(part, label, types)
            # An extension definition describes itself from its own text, the others carry the whole path.
            raw_path = part if issubclass(info_class, ExtParamInfo) else self.raw_path
            self.add_parameter(index, name, raw_path, label, cast, pattern, info_class)
            self.matchers.append(matcher)
            parts.append(part if label == "ext" else f"<{name}:{label}>")
            segments.append(f"<__dynamic__:{matcher.key}>")
        self.parts = tuple(parts)
        self.segments = tuple(segments)


def annotated_label(handler: Callable[..., Any], name: str) -> str:
    """The parameter type that the handler's annotation of `name` asks for; `str` when it says nothing usable."""
    candidates: list[Any] = [handler]
    if isinstance(handler, partial):
        candidates += [handler.func, *filter(callable, handler.args)]
    for candidate in candidates:
        annotation = getattr(candidate, "__annotations__", {}).get(name)
        if isinstance(annotation, str):
            annotation = _resolve(annotation.strip("'\""), candidate)
        try:
            label = ANNOTATED_LABELS.get(annotation)
        except TypeError:
            continue
        if label is not None:
            return label
    return "str"


def describe_handler(handler: Any) -> str:
    """Name a handler with its file and line, for messages."""
    while isinstance(handler, partial):
        handler = next(filter(callable, handler.args), handler.func)
    handler = getattr(handler, "view_class", handler)
    name = getattr(handler, "__qualname__", None) or repr(handler)
    function = handler
    while hasattr(function, "__wrapped__"):
        function = function.__wrapped__
    code = getattr(function, "__code__", None)
    if code is not None:
        return f"{name} ({code.co_filename}:{code.co_firstlineno})"
    module = getattr(handler, "__module__", None)
    return f"{module}.{name}" if module else str(name)


def _resolve(annotation: str, handler: Any) -> object:
    """The class behind an annotation that `from __future__ import annotations` left as text."""
    while hasattr(handler, "__wrapped__"):
        handler = handler.__wrapped__
    first, *rest = annotation.split(".")
    namespace: dict[str, Any] = getattr(handler, "__globals__", {})
    found: Any = namespace.get(first)
    for attribute in rest:
        found = getattr(found, attribute, None)
    if found is None and annotation in _ANNOTATION_NAMES:
        builtin = _ANNOTATION_NAMES[annotation]
        found = next(kind for kind, label in ANNOTATED_LABELS.items() if label == builtin)
    return found


def _decoded(value: Any) -> Any:
    return percent_decode(value) if isinstance(value, str) else value


def _encode_literal(part: str) -> str:
    """Paths are matched as received, so a literal is kept in the form that a client sends."""
    return quote(STRAY_PERCENT.sub("%25", part), safe=PCHAR_SAFE)


def _named_pattern(info: ParamInfo) -> str:
    text: str = info.pattern.pattern.removeprefix("^").removesuffix("$")
    if not info.regex or not info.pattern.groups:
        return f"(?P<{info.name}>{text})"
    if info.pattern.groupindex:
        return text
    named = False

    def name_it(match: re.Match[str]) -> str:
        nonlocal named
        if match[0] != "(" or named:
            return match[0]
        named = True
        return f"(?P<{info.name}>"

    return _UNNAMED_GROUP.sub(name_it, text)
