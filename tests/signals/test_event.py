"""Names of events: what may be declared, and in which forms."""

from __future__ import annotations

import pytest

from sanic.exceptions import InvalidSignal
from sanic.signals import RESERVED_NAMESPACES, Event, SignalRouter


def handler(**_: object) -> None: ...


@pytest.mark.parametrize(
    "event",
    [
        "foo.bar.baz",
        "foo.bar.<x>",
        "foo.bar.<x:int>",
        "foo.bar.<x:[a-z.]+>",
        "foo.bar.<name:ext>",
        "Foo.b-c.d_e",
        "word",
        "http.lifecycle.begin",
        "http.lifecycle.<x>",
        "server.anything.<x>",
        Event.HTTP_HANDLER_BEFORE,
        "https.is.fine",
    ],
)
def test_well_formed_events_can_be_declared(event: str | Event) -> None:
    router = SignalRouter()
    signal = router.add(handler, event)
    assert signal in router.routes


@pytest.mark.parametrize(
    "event",
    [
        "",
        "foo.bar",
        "foo.bar.baz.more",
        "foo..baz",
        ".bar.baz",
        "foo.bar.",
        "<x>.bar.baz",
        "foo.<x>.baz",
        "foo.bar.<x>tail",
        "foo.bar.head<x>",
        "foo.bar.<1x>",
        "foo.bar.<x:(>",
        "foo.bar.*",
        "foo.*.baz",
        "*.bar.baz",
    ],
)
def test_malformed_events_are_refused(event: str) -> None:
    with pytest.raises(InvalidSignal, match="Invalid signal event"):
        SignalRouter().add(handler, event)


@pytest.mark.parametrize("event", ["http.foo.bar", "http.lifecycle.foo", "server.init.during", "websocket.a.b"])
def test_unknown_events_of_reserved_namespaces_are_refused(event: str) -> None:
    with pytest.raises(InvalidSignal, match="Cannot declare reserved signal event"):
        SignalRouter().add(handler, event)


def test_member_names_follow_from_values() -> None:
    for event in Event:
        assert event.name == event.value.upper().replace(".", "_")


def test_every_builtin_event_is_in_a_reserved_namespace() -> None:
    assert set(RESERVED_NAMESPACES) == {"server", "http", "websocket"}
    assert {name for names in RESERVED_NAMESPACES.values() for name in names} == {event.value for event in Event}


def test_format_event_gives_the_full_name() -> None:
    assert SignalRouter.format_event("foo.bar.baz") == "foo.bar.baz"
    assert SignalRouter.format_event(Event.HTTP_LIFECYCLE_SEND) == "http.lifecycle.send"
    assert SignalRouter.format_event("word") == "__generic__.__signal__.word"
