"""The Accept header and what it prefers (RFC 9110 section 12.5.1).

Parses and compares media ranges; which of them an endpoint can produce is the caller's business.
Every pattern here is matched in linear time, since the text comes from the network.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from sanic.exceptions import InvalidHeader

#: One element of a comma-separated list; commas inside quoted strings do not count, and an unclosed quote runs to the
#: end. The alternatives begin with different characters and cannot fail, so nothing is ever tried twice.
_ELEMENT = re.compile(r'(?:[^",]+|"(?:[^"\\]+|\\.?)*"?)+', re.DOTALL)
_PARAMETER = re.compile(r'[^";]+(?:"(?:[^"\\]+|\\.?)*"?[^";]*)*', re.DOTALL)
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_NEEDS_QUOTES = re.compile(r'[\s",;\\=]')
#: RFC 9110 section 12.4.2, without its limit of three decimals.
_WEIGHT = re.compile(r"0(?:\.[0-9]*)?|1(?:\.0*)?|\.[0-9]+")


class MediaType:
    """A media type or media range with its parameters, such as `text/html;level=1;q=0.5`.

    Type, subtype and names of parameters are kept in lower case, because they compare so (RFC 9110 section 8.3.1).

    Args:
        type_: the part before the slash, or `*`.
        subtype: the part after it, or `*`.
        **params: parameters; `q` is the weight, 1 when absent.

    Raises:
        ValueError: `q` is no number from 0 to 1.
    """

    __slots__ = ("mime", "params", "q", "subtype", "type")

    def __init__(self, type_: str, subtype: str, **params: str) -> None:
        self.type = type_.lower()
        self.subtype = subtype.lower()
        self.mime = f"{self.type}/{self.subtype}"
        self.params: dict[str, str] = {}
        self.q = 1.0
        if params:
            self._set_params(params)

    @classmethod
    def parse(cls, text: str) -> MediaType | None:
        """Read one media range; `None` when it has no slash.

        Raises:
            ValueError: an empty type or subtype, a parameter without value, or a bad weight.
        """
        mime, _, rest = text.partition(";")
        type_, slash, subtype = mime.partition("/")
        if not slash:
            return None
        type_, subtype = type_.strip(), subtype.strip()
        if not type_ or not subtype:
            raise ValueError(f"the media type {text.strip()!r} lacks its type or its subtype")
        media = cls(type_, subtype)
        if rest:
            # Not as keyword arguments: a client may call its parameter "self".
            media._set_params(dict(_parameters(rest)))
        return media

    def _set_params(self, params: Mapping[str, str]) -> None:
        self.params = {name.lower(): value for name, value in params.items()}
        weight = str(self.params.get("q", "1"))
        if not _WEIGHT.fullmatch(weight):
            raise ValueError(f"the weight q={weight!r} of {self.mime} is no number from 0 to 1")
        self.q = float(weight)

    @property
    def has_wildcard(self) -> bool:
        """Whether type or subtype is `*`."""
        return self.type == "*" or self.subtype == "*"

    def match(self, mime_with_params: str | MediaType) -> MediaType | None:
        """Whether a media type falls into this range, or this one into that range.

        Args:
            mime_with_params: what to compare with. `*` on either side matches anything. Parameters of the argument
                must be found here with the same value; parameters of this range alone do not matter. Weights are
                ignored.

        Returns:
            this object, or `None`.
        """
        other: MediaType | None
        if isinstance(mime_with_params, MediaType):
            other = mime_with_params
        else:
            try:
                other = MediaType.parse(mime_with_params)
            except ValueError:
                other = None
        if other is None or not (self.type == other.type or "*" in (self.type, other.type)):
            return None
        if not (self.subtype == other.subtype or "*" in (self.subtype, other.subtype)):
            return None
        if any(self.params.get(name) != value for name, value in other.params.items() if name != "q"):
            return None
        return self

    def __eq__(self, other: object) -> bool:
        if isinstance(other, MediaType):
            return self.mime == other.mime
        if isinstance(other, str):
            if ";" in other:
                raise ValueError(f"Use match() to compare {self.mime} with parameters: {other!r}")
            return self.mime == other.lower()
        return NotImplemented

    def __hash__(self) -> int:
        return hash(self.mime)

    def __str__(self) -> str:
        return self.mime + "".join(f";{name}={_quote(value)}" for name, value in self.params.items())

    def __repr__(self) -> str:
        return str(self)


class Matched:
    """What `AcceptList.match` found: the wanted type and the range of the header that allows it.

    True when something matched, equal to the text of the type. `str()` gives the type, `""` for none.

    Args:
        mime: one of the arguments of `match`, or `""`.
        header: the element of the header that matched it, or `None`.
    """

    __slots__ = ("header", "mime")

    def __init__(self, mime: str, header: MediaType | None) -> None:
        self.mime = mime
        self.header = header

    @classmethod
    def parse(cls, raw: str) -> Matched:
        """Make a match of a media type with itself."""
        try:
            return cls(raw, MediaType.parse(raw))
        except ValueError:
            return cls(raw, None)

    def match(self, other: str | Matched) -> Matched | None:
        """Return the other one (parsed, if text) when the two types match, wildcards allowed; else `None`."""
        if isinstance(other, str):
            other = Matched.parse(other)
        if self.header is None or other.header is None:
            return None
        mine = Matched.parse(self.mime).header or self.header
        theirs = Matched.parse(other.mime).header or other.header
        return other if mine.match(theirs) else None

    def __bool__(self) -> bool:
        return self.mime != ""

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Matched):
            return self.mime == other.mime
        if isinstance(other, str):
            return self.mime == other
        return NotImplemented

    def __hash__(self) -> int:
        return hash(self.mime)

    def __str__(self) -> str:
        return self.mime

    def __repr__(self) -> str:
        return f"<{self.mime} matched {self.header}>" if self else "<no match>"


class AcceptList(list[MediaType]):
    """The media ranges of an Accept header, the most wanted first. `str()` gives the header back, in this order."""

    def match(self, *mimes: str, accept_wildcards: bool = True) -> Matched:
        """Choose the type that the client prefers.

        The weight of a type is that of the most specific range that covers it, and a weight of 0 refuses it (RFC 9110
        sections 12.4.2 and 12.5.1). The highest weight wins, and among equals the first argument.

        Args:
            *mimes: what could be sent, the best first.
            accept_wildcards: whether ranges such as `*/*` count.

        Returns:
            the choice; false when there is none.
        """
        chosen = Matched("", None)
        weight = 0.0
        for mime in mimes:
            element = self._covering(str(mime), accept_wildcards)
            if element is not None and element.q > weight:
                chosen, weight = Matched(str(mime), element), element.q
        return chosen

    def _covering(self, mime: str, accept_wildcards: bool) -> MediaType | None:
        """The most specific range for a type; among equally specific ones, the most wanted."""
        found: MediaType | None = None
        specificity = -1
        for element in self:
            if element.has_wildcard and not accept_wildcards:
                continue
            candidate = _specificity(element)
            if candidate > specificity and element.match(mime):
                found, specificity = element, candidate
        return found

    def __str__(self) -> str:
        return ", ".join(map(str, self))


def parse_accept(accept: str | None) -> AcceptList:
    """Parse an Accept header and sort it: by weight, then number of parameters, then how specific a range is.

    Args:
        accept: the value of the header; `None` when there is none, which means `*/*`.

    Returns:
        the ranges, none for an empty header. Elements without a slash are skipped.

    Raises:
        InvalidHeader: nothing valid in it, an empty type, or a weight that is no number from 0 to 1.
    """
    if accept is None:
        return AcceptList([MediaType("*", "*")])
    if not accept.strip():
        return AcceptList()
    try:
        ranges = [media for element in _ELEMENT.findall(accept) if (media := MediaType.parse(element)) is not None]
    except ValueError as error:
        raise InvalidHeader(f"Invalid header value in Accept: {accept} ({error})") from None
    if not ranges:
        raise InvalidHeader(f"Invalid header value in Accept: {accept} (expected media types such as text/html)")
    ranges.sort(key=lambda media: (-media.q, -len(media.params), -_specificity(media)))
    return AcceptList(ranges)


def _specificity(media: MediaType) -> int:
    return (media.type != "*") + (media.subtype != "*")


def _parameters(text: str) -> Iterator[tuple[str, str]]:
    # Empty parameters, as in "a/b;;q=1", are allowed by RFC 9110 section 5.6.6.
    for parameter in _PARAMETER.findall(text):
        if not (parameter := parameter.strip()):
            continue
        name, equals, value = parameter.partition("=")
        name, value = name.strip().lower(), value.strip()
        if not equals or not name:
            raise ValueError(f"the parameter {parameter!r} is not of the form name=value")
        if value.startswith('"'):
            value = _ESCAPED.sub(r"\1", value[1:].removesuffix('"'))
        yield name, value


def _quote(value: str) -> str:
    if not value or _NEEDS_QUOTES.search(value):
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
    return value
