"""What may stand in a path: the table of parameter types and the reading of `<name:type>`.

Knows texts and patterns only. It has never heard of routes, trees, requests or handlers.
The vocabulary (labels, casts, `ParamInfo`) is that of `sanic_routing.patterns`, which extension packages import;
how a value is matched is decided here: the pattern first, and then the cast.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

from sanic_routing.exceptions import InvalidUsage
from sanic_routing.patterns import (
    REGEX_ALLOWED_EXTENSION,
    REGEX_PARAM_EXT_PATH,
    REGEX_PARAM_NAME,
    REGEX_PARAM_NAME_EXT,
    REGEX_TYPES,
    ParamInfo,
    alpha,
    nonemptystr,
    parse_date,
    slug,
)

Cast = Callable[[str], Any]
RegexTypes = dict[str, tuple[Cast, "re.Pattern[str]", type[ParamInfo]]]

# Matching order at one position of a path, first is tried first. Registered types come before all of these,
# single-segment regular expressions between `str` and `strorempty`.
BUILTIN_ORDER: Final = ("uuid", "ymd", "int", "float", "alpha", "slug", "ext", "str", "", "strorempty", "path")

# The labels whose value is text, which `unquote=True` decodes.
TEXT_LABELS: Final = frozenset({"str", "strorempty", "alpha", "slug", "path", "ext"})

# What a matcher answers when a text is no value of its type; None may be a value.
NO_MATCH: Final = object()

# An untyped parameter takes its type from an annotation that is exactly one of these.
ANNOTATED_LABELS: Final[Mapping[object, str]] = {str: "str", int: "int", float: "float", UUID: "uuid"}

# Once the pattern has matched, these casts have nothing left to say.
_TEXT_CASTS: Final = frozenset({str, nonemptystr, alpha, slug})

_LOOKS_LIKE_PARAMETER: Final = re.compile(r"<[a-zA-Z_][a-zA-Z0-9_]*[:=>]")
_NAMED_GROUP_SYNTAX: Final = re.compile(r"\(\?(?:P<\w+>|P=\w+|<[=!])|\\.")
_SECOND_PARAMETER: Final = re.compile(r">[^<]*<[a-zA-Z_]")
_NEGATED_CLASS: Final = re.compile(r"\[\^(?:[^\]\\]|\\.)*\]")


def default_types() -> RegexTypes:
    """A fresh copy of the built-in table: label -> (cast, pattern, info class)."""
    return dict(REGEX_TYPES)


def split_path(path: str, delimiter: str = "/") -> tuple[str, ...]:
    """Split a declared path into its parts, leaving delimiters inside `<…>` alone.

    A parameter ends at the first `>` before a delimiter or the end where its type is a valid regular expression.

    Raises:
        InvalidUsage: a part holds `<…>` but is not one parameter.
    """
    parts: list[str] = []
    start = 0
    while True:
        if path.startswith("<", start):
            end = _end_of_parameter(path, start, delimiter)
        else:
            end = path.find(delimiter, start)
            if end < 0:
                end = len(path)
            literal = path[start:end]
            if _LOOKS_LIKE_PARAMETER.search(literal):
                raise InvalidUsage(_not_a_parameter(literal, path))
        parts.append(path[start:end])
        if end >= len(path):
            return tuple(parts)
        start = end + 1


def is_parameter(part: str) -> bool:
    """Whether a part that `split_path` returned is a parameter."""
    return part.startswith("<")


def parse_parameter(text: str, types: RegexTypes) -> tuple[str, str, Cast, str | re.Pattern[str], type[ParamInfo]]:
    """Read `<name>`, `<name:label>`, `<name:regex>` or `<name=type:ext=…>`.

    Returns:
        (name, label, cast, pattern, info class); for a regular expression the label and the pattern are its text.

    Raises:
        InvalidUsage: not a parameter, or its type cannot be used.
    """
    if REGEX_PARAM_NAME_EXT.match(text):
        cast, pattern, info_class = types["ext"]
        name = text[1:].partition(":")[0].partition("=")[0]
        return name, "ext", cast, pattern, info_class
    match = REGEX_PARAM_NAME.match(text)
    if match is None:
        raise InvalidUsage(_not_a_parameter(text, text))
    name, label = match.group(1), match.group(2) or "str"
    if label.startswith("ext="):
        raise InvalidUsage(f"Invalid extension in {text}: use lower case letters and digits, with dots between.")
    if label in types:
        cast, pattern, info_class = types[label]
        return name, label, cast, pattern, info_class
    _check_regex(name, label)
    return name, label, str, label, ParamInfo


def priority_of(label: str, types: RegexTypes) -> int:
    """How early a type is tried at its position: the larger, the earlier; 0 is a regular expression.

    It depends on the type alone, so that no route changes the rank of another.
    """
    if label not in types:
        return 0
    if label in BUILTIN_ORDER:
        regex = BUILTIN_ORDER.index("")
        return regex - BUILTIN_ORDER.index(label)
    return len(BUILTIN_ORDER) + list(types).index(label)


def spans_segments(label: str, types: RegexTypes) -> bool:
    """Whether a value of the type may hold a `/`."""
    if label == "path":
        return True
    if label in REGEX_TYPES:
        return False
    text = types[label][1].pattern if label in types else label
    return "/" in _NEGATED_CLASS.sub("", text)


class ValueMatcher:
    """Decides whether a piece of a path is a value of one parameter type, and what the value is.

    The fields are read directly where requests are matched: when `fullmatch` is None anything but the empty text
    is a value; when `cast` is None the value is group `group` of the match, else what `cast` makes of that group.
    A cast that raises ValueError means no match.
    """

    __slots__ = ("cast", "fullmatch", "group", "key", "label", "pattern", "spans", "to_text")

    def __init__(self, raw: str, label: str, types: RegexTypes) -> None:
        self.label = label
        self.key = label
        self.spans = spans_segments(label, types)
        self.group = 0
        self.cast: Cast | None = None
        self.to_text: Callable[[Any], str] = str
        if label == "ext":
            extension = ExtensionCast(raw, types)
            self.key = extension.key
            self.cast = extension
            self.pattern = re.compile(r"[^/]+")
        elif label in types:
            cast, pattern, _ = types[label]
            if label in REGEX_TYPES:
                # Digits are ASCII digits; and a path may hold any character, once it is decoded even a line break.
                pattern = re.compile(pattern.pattern, re.ASCII | (re.DOTALL if label == "path" else 0))
            self.pattern = pattern
            self.cast = None if cast in _TEXT_CASTS else date.fromisoformat if cast is parse_date else cast
            if cast is float:
                self.to_text = _plain_float
        else:
            self.pattern = re.compile(label)
            self.group = self.pattern.groups
        self.fullmatch = None if label == "str" else self.pattern.fullmatch

    def value_of(self, text: str) -> Any:
        """The value that the text stands for, or NO_MATCH."""
        if self.fullmatch is None:
            return text if text and "/" not in text else NO_MATCH
        match = self.fullmatch(text)
        if match is None:
            return NO_MATCH
        if self.cast is None:
            return match[self.group]
        try:
            return self.cast(match[self.group])
        except ValueError:
            return NO_MATCH

    @property
    def description(self) -> str:
        """What a value must look like, for messages."""
        return self.cast.key if isinstance(self.cast, ExtensionCast) else self.pattern.pattern


class ExtensionCast:
    """Turns `name.ext` into `(name, ext)` for one `<name=type:ext=a|b>` definition.

    The text is cut by hand: a pattern for it would try every dot of a hostile path.
    """

    __slots__ = ("allowed", "dots", "key", "name_matcher")

    def __init__(self, raw: str, types: RegexTypes) -> None:
        match = REGEX_PARAM_EXT_PATH.search(raw)
        if match is None:
            raise InvalidUsage(f"Invalid extension parameter definition: {raw}")
        _, name_type, allowed = match.groups()
        if name_type == "path":
            raise InvalidUsage(
                f"{raw} cannot be matched: the name before an extension cannot be of type 'path'. "
                "Use <name:path>, or a regular expression."
            )
        if name_type and (name_type not in types or name_type == "ext"):
            raise InvalidUsage(
                f"{raw} names the unknown type '{name_type}'. The name before an extension takes one of: "
                + ", ".join(label for label in types if label not in ("path", "ext"))
            )
        self.allowed: tuple[str, ...] = tuple(allowed.split("|")) if allowed else ()
        for extension in self.allowed:
            if not REGEX_ALLOWED_EXTENSION.match(extension):
                raise InvalidUsage(
                    f"Invalid extension '{extension}' in {raw}: use lower case letters and digits, with dots between."
                )
        depths = {extension.count(".") for extension in self.allowed} or {0}
        if len(depths) > 1:
            raise InvalidUsage(
                f"The extensions in {raw} have different numbers of dots, so it is unclear where the name ends. "
                "Declare one route for each number: <name:ext=js|css> and <name:ext=min.js|min.css>."
            )
        self.dots = depths.pop() + 1
        self.name_matcher = ValueMatcher("", name_type, types) if name_type and name_type != "str" else None
        self.key = f"{name_type}:ext" if name_type else "ext"
        if self.allowed:
            self.key += "=" + "|".join(self.allowed)

    def __call__(self, text: str) -> tuple[Any, str]:
        pieces = text.rsplit(".", self.dots)
        name: Any = pieces[0]
        extension = ".".join(pieces[1:])
        if len(pieces) <= self.dots or "" in pieces or (self.allowed and extension not in self.allowed):
            raise ValueError("no such extension")
        if ".." in name or name[0] == "." or name[-1] == ".":
            raise ValueError("empty part in the name")
        matcher = self.name_matcher
        if matcher is not None:
            match = matcher.pattern.fullmatch(name)
            if match is None:
                raise ValueError("name of another type")
            if matcher.cast is not None:
                name = matcher.cast(name)
        return name, extension


def _end_of_parameter(path: str, start: int, delimiter: str) -> int:
    end = path.find(">", start)
    while end >= 0:
        end += 1
        if (end == len(path) or path.startswith(delimiter, end)) and _is_complete(path[start:end]):
            return end
        end = path.find(">", end)
    stop = path.find(delimiter, start)
    part = path[start : stop if stop >= 0 else len(path)]
    match = REGEX_PARAM_NAME.match(path[start : path.rfind(">") + 1])
    if match is not None and match.group(2) and not _SECOND_PARAMETER.search(match.group(0)):
        _check_regex(match.group(1), match.group(2))
    raise InvalidUsage(_not_a_parameter(part, path))


def _is_complete(text: str) -> bool:
    match = REGEX_PARAM_NAME.match(text)
    if match is None:
        return REGEX_PARAM_NAME_EXT.match(text) is not None
    if match.group(2) is None:
        return True
    if _SECOND_PARAMETER.search(_NAMED_GROUP_SYNTAX.sub("", match.group(2))):
        return False
    try:
        re.compile(match.group(2))
    except re.error:
        return False
    return True


def _check_regex(name: str, text: str) -> None:
    try:
        pattern = re.compile(text)
    except re.error as error:
        raise InvalidUsage(
            f"The type of parameter <{name}:{text}> is not a valid regular expression: {error}"
        ) from error
    if pattern.groups > 1:
        raise InvalidUsage(
            f"The regular expression of parameter <{name}:{text}> has {pattern.groups} groups, but one parameter has "
            "one value. Make the others non-capturing: (?:…)."
        )
    for group in pattern.groupindex:
        if group != name:
            raise InvalidUsage(
                f"The group of parameter <{name}:{text}> is named '{group}'. Name it '{name}', or leave it unnamed."
            )


def _not_a_parameter(part: str, path: str) -> str:
    return (
        f"Invalid declaration: {part} in the path '{path}'. A parameter <name:type> is a whole segment. To match a "
        r"part of a segment, give the whole segment as a regular expression, for example <name:pre-(\d+)>."
    )


def _plain_float(value: Any) -> str:
    """A float in digits, never with an exponent: what the float pattern can match again."""
    text = str(value)
    return format(Decimal(text), "f") if isinstance(value, float) and "e" in text else text
