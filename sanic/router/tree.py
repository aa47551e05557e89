"""PathTree: from a path to the group of routes that is declared for it, and to the values of its parameters.

Compiled when the router is finalized. Cost follows the depth of the path, not the number of routes:

- `SegmentNode`s hold the routes whose parts are one segment each. At a node a literal is tried before parameters, and
  these by type; what was passed over is tried again only when the way taken ends nowhere.
- `TailPath`s hold the routes in which one part may span segments (`path`, a regular expression with a `/`). They are
  tried after the nodes, found by their literal beginning.

It knows nothing of methods, hosts or trailing slashes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any
from urllib.parse import unquote as percent_decode

from sanic.router.group import RouteGroup
from sanic.router.parameters import NO_MATCH, Cast, ExtensionCast, ValueMatcher

Match = tuple[RouteGroup, list[Any]]


class SegmentNode:
    """A place in the tree: what may follow, and the group that ends here."""

    __slots__ = ("decoded", "edges", "group", "literals")

    def __init__(self) -> None:
        self.literals: dict[str, SegmentNode] = {}
        # Literals of `unquote` routes by their decoded text, for clients that encode them in another way.
        self.decoded: dict[str, SegmentNode] = {}
        self.edges: list[ParameterEdge] = []
        self.group: RouteGroup | None = None


class ParameterEdge:
    """A parameter of one type at one position, and the node it leads to."""

    __slots__ = ("cast", "fullmatch", "group", "is_plain", "matcher", "node", "rank")

    def __init__(self, matcher: ValueMatcher, rank: tuple[Any, ...]) -> None:
        self.matcher = matcher
        self.rank = rank
        self.node = SegmentNode()
        # The matcher's fields, one attribute away from the loop that reads them.
        self.fullmatch: Callable[[str], Any] | None = matcher.fullmatch
        self.cast: Cast | None = matcher.cast
        self.group: int = matcher.group
        # Any text but none at all, taken as it is.
        self.is_plain = matcher.fullmatch is None


class PathTree:
    """All paths of a router, except those that are looked up whole.

    Args:
        groups: finalized groups with distinct segments.
    """

    def __init__(self, groups: Iterable[RouteGroup]) -> None:
        self.root = SegmentNode()
        # The number of parts of the deepest path in the tree; no longer one needs to be looked at.
        self.depth = 0
        tails: list[TailPath] = []
        for group in groups:
            if group.dynamic_path:
                tails.append(TailPath(group))
            else:
                self._plant(group)
        self._order(self.root)
        self.tails: TailIndex | None = TailIndex(tails) if tails else None

    def match(self, path: str) -> Match | None:
        """Find the group for a path.

        Args:
            path: percent-encoded as received, with its leading slash.

        Returns:
            the group and the parameter values in path order, or None.
        """
        segments = path.split("/", self.depth + 1)
        if segments[0]:
            # Not a path: `*`, or the authority of a CONNECT (RFC 9112 section 3.2).
            return None
        count = len(segments)
        if count <= self.depth + 1:
            # Where to take up again when the way taken ends nowhere: node, index, next edge, values to keep.
            pending: list[tuple[SegmentNode, int, int, int]] = []
            values: list[Any] = []
            node = self.root
            index = 1
            position = -1
            while True:
                if index == count:
                    if node.group is not None:
                        return node.group, values
                else:
                    segment = segments[index]
                    edges = node.edges
                    if position < 0:
                        child = node.literals.get(segment)
                        if child is None and node.decoded:
                            child = node.decoded.get(percent_decode(segment))
                        if child is not None:
                            if edges:
                                pending.append((node, index, 0, len(values)))
                            node = child
                            index += 1
                            continue
                        position = 0
                    while position < len(edges):
                        edge = edges[position]
                        position += 1
                        value: Any = segment
                        if edge.fullmatch is None:
                            if not segment:
                                continue
                        else:
                            found = edge.fullmatch(segment)
                            if found is None:
                                continue
                            value = found[edge.group]
                            if edge.cast is not None:
                                try:
                                    value = edge.cast(value)
                                except ValueError:
                                    continue
                        if position < len(edges):
                            pending.append((node, index, position, len(values)))
                        values.append(value)
                        node = edge.node
                        index += 1
                        position = -1
                        break
                    if position < 0:
                        continue
                if not pending:
                    break
                node, index, position, kept = pending.pop()
                del values[kept:]
        return None if self.tails is None else self.tails.match(path)

    def _plant(self, group: RouteGroup) -> None:
        route = group[0]
        matchers = iter(route.matchers)
        node = self.root
        for index, part in enumerate(route.parts):
            if index not in route.params:
                child = node.literals.setdefault(part, SegmentNode())
                if needs_decoding(part, group):
                    node.decoded[percent_decode(part)] = child
                node = child
                continue
            matcher = next(matchers)
            for edge in node.edges:
                if edge.matcher.key == matcher.key:
                    break
            else:
                edge = ParameterEdge(matcher, rank_of(matcher, route.params[index].priority))
                node.edges.append(edge)
            node = edge.node
        node.group = group
        self.depth = max(self.depth, len(route.parts))

    def _order(self, root: SegmentNode) -> None:
        nodes = [root]
        while nodes:
            node = nodes.pop()
            node.edges.sort(key=lambda edge: edge.rank)
            nodes += node.literals.values()
            nodes += (edge.node for edge in node.edges)


class TailPath:
    """A path in which at least one part may span segments."""

    __slots__ = ("group", "items", "only_wildcards", "prefix", "rank", "skip")

    def __init__(self, group: RouteGroup) -> None:
        self.group = group
        route = group[0]
        matchers = iter(route.matchers)
        items: list[PathItem] = []
        ranks: list[tuple[Any, ...]] = []
        for index, part in enumerate(route.parts):
            if index in route.params:
                matcher = next(matchers)
                items.append(matcher)
                ranks.append((1, rank_of(matcher, route.params[index].priority)))
            else:
                items.append(DecodedLiteral(part) if needs_decoding(part, group) else part)
                ranks.append((0, part))
        # Longer definitions first, then what is more precise, position by position.
        self.rank = (-len(items), ranks)
        fixed = next(index for index, item in enumerate(items) if not isinstance(item, str))
        # The literal parts that the path begins with, and how many characters they take with their slashes.
        self.prefix: tuple[str, ...] = tuple(route.parts[:fixed])
        self.skip = sum(len(part) + 1 for part in self.prefix) + 1
        self.items: tuple[PathItem, ...] = tuple(items[fixed:])
        self.only_wildcards = all(
            item.label == "path" for item in self.items if isinstance(item, ValueMatcher) and item.spans
        )

    def match(self, path: str) -> list[Any] | None:
        """The values in a path that begins with `prefix`, or None."""
        rest = path[self.skip :]
        items = self.items
        if len(items) == 1 and self.only_wildcards:
            return [rest]
        segments = rest.split("/")
        if len(segments) < len(items):
            return None
        if self.only_wildcards:
            return self._match_wildcards(segments)
        values: list[Any] = []
        return values if self._assign(0, segments, 0, values, set()) else None

    def _match_wildcards(self, segments: list[str]) -> list[Any] | None:
        """Place what stands between two wildcards as early as it fits, and what follows the last one at the end.

        If any placement fits, this one does, because the next wildcard takes up what is left: so no step is ever
        taken back, and the time is linear in the path.
        """
        values: list[Any] = []
        chunks: list[list[PathItem]] = [[]]
        for item in self.items:
            if _spans(item):
                chunks.append([])
            else:
                chunks[-1].append(item)
        if not _take(chunks[0], segments, 0, values):
            return None
        start = len(chunks[0])
        for number, chunk in enumerate(chunks[1:], 2):
            last = len(segments) - len(chunk)
            first = start + 1 if number < len(chunks) else max(last, start + 1)
            for end in range(first, last + 1):
                taken: list[Any] = []
                if _take(chunk, segments, end, taken):
                    values.append("/".join(segments[start:end]))
                    values += taken
                    start = end + len(chunk)
                    break
            else:
                return None
        return values

    def _assign(
        self, number: int, segments: list[str], start: int, values: list[Any], failed: set[tuple[int, int]]
    ) -> bool:
        """Find values for the items from `number` on in the segments from `start` on, the shortest first."""
        items = self.items
        if number == len(items):
            return start == len(segments)
        if (number, start) in failed:
            return False
        item = items[number]
        last = len(segments) - (len(items) - number - 1)
        if not _spans(item):
            ends: Sequence[int] = (start + 1,) if start < len(segments) else ()
        elif any(_spans(later) for later in items[number + 1 :]):
            ends = range(start + 1, last + 1)
        else:
            ends = (last,) if last > start else ()
        kept = len(values)
        for end in ends:
            if _take((item,), ["/".join(segments[start:end])], 0, values) and self._assign(
                number + 1, segments, end, values, failed
            ):
                return True
            del values[kept:]
        failed.add((number, start))
        return False


class DecodedLiteral:
    """A literal part of an `unquote` route that clients may encode in more than one way."""

    __slots__ = ("text",)

    def __init__(self, part: str) -> None:
        self.text = percent_decode(part)


class TailIndex:
    """The tail paths by their literal beginning."""

    def __init__(self, tails: Iterable[TailPath]) -> None:
        self._by_prefix: dict[tuple[str, ...], list[TailPath]] = {}
        for tail in sorted(tails, key=lambda tail: tail.rank):
            self._by_prefix.setdefault(tail.prefix, []).append(tail)
        self._lengths = sorted({len(prefix) for prefix in self._by_prefix}, reverse=True)

    def match(self, path: str) -> Match | None:
        """Find the group for a path among these, longer definitions first."""
        segments = path.split("/", self._lengths[0] + 1)[1:]
        candidates: list[TailPath] = []
        buckets = 0
        for length in self._lengths:
            # One segment at least is left for the part that follows the literal beginning.
            if length < len(segments):
                bucket = self._by_prefix.get(tuple(segments[:length]))
                if bucket is not None:
                    candidates = candidates + bucket if buckets else bucket
                    buckets += 1
        if buckets > 1:
            candidates = sorted(candidates, key=lambda tail: tail.rank)
        for tail in candidates:
            values = tail.match(path)
            if values is not None:
                return tail.group, values
        return None


PathItem = str | DecodedLiteral | ValueMatcher


def rank_of(matcher: ValueMatcher, priority: int) -> tuple[Any, ...]:
    """Where a parameter stands among others at its position: the smallest is tried first.

    Types by their priority; among extensions the one that asks for more, among regular expressions the longer text.
    """
    openness = (0, 0)
    if isinstance(matcher.cast, ExtensionCast):
        openness = (not matcher.cast.allowed, matcher.cast.name_matcher is None)
    return (-priority, openness, -len(matcher.key), matcher.key)


def needs_decoding(part: str, group: RouteGroup) -> bool:
    """Whether a literal part has to be compared by its decoded text."""
    return "%" in part and any(route.unquote for route in group)


def _spans(item: PathItem) -> bool:
    return isinstance(item, ValueMatcher) and item.spans


def _take(items: Sequence[PathItem], segments: list[str], start: int, values: list[Any]) -> bool:
    """Match each item with the segment at its place, adding what parameters hold to `values`."""
    for index, item in enumerate(items, start):
        segment = segments[index]
        if isinstance(item, str):
            if item != segment:
                return False
        elif isinstance(item, DecodedLiteral):
            if item.text != percent_decode(segment):
                return False
        else:
            value = item.value_of(segment)
            if value is NO_MATCH:
                return False
            values.append(value)
    return True
