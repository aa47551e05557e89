"""The state of the workers as OpenMetrics text, which Prometheus and its kin read. Where it is sent it does not know.

The format is that of OpenMetrics 1.0: families of samples with a type each, and `# EOF` at the end.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any

from sanic.__version__ import __version__
from sanic.worker.constants import ProcessState

CONTENT_TYPE = "application/openmetrics-text; version=1.0.0; charset=utf-8"

#: What is told of an application beside its name.
_INFO = ("mode", "server", "python", "platform")


def uptime(state: Mapping[str, Any], now: datetime) -> float | None:
    """Seconds since a process was started; None if it does not run."""
    started = state.get("restart_at") or state.get("start_at")
    if state.get("pid") is None or not isinstance(started, datetime):
        return None
    return max(0.0, (now - started).total_seconds())


def restarts(state: Mapping[str, Any]) -> Any:
    """How often a process has been started again."""
    starts = state.get("starts")
    return state.get("restarts", starts - 1 if isinstance(starts, int) and starts else None)


def _serving(state: Mapping[str, Any]) -> Any:
    serving = state.get("serving")
    return int(serving) if isinstance(serving, bool) else None


@dataclass(frozen=True)
class _Family:
    name: str
    type: str
    help: str
    value: Callable[[Mapping[str, Any]], Any]
    unit: str = ""

    @property
    def sample(self) -> str:
        return f"{self.name}_total" if self.type == "counter" else self.name


def _families(now: datetime) -> tuple[_Family, ...]:
    return (
        _Family("sanic_worker_requests", "counter", "Requests since the worker was started.", _key("requests")),
        _Family("sanic_worker_connections", "gauge", "Connections that are open.", _key("connections")),
        _Family("sanic_worker_restarts", "counter", "How often the worker was started again.", restarts),
        _Family("sanic_worker_resident_memory_bytes", "gauge", "Memory that it holds.", _key("rss"), "bytes"),
        _Family(
            "sanic_worker_uptime_seconds",
            "gauge",
            "Time since it was started last.",
            lambda state: uptime(state, now),
            "seconds",
        ),
        _Family("sanic_worker_serving", "gauge", "Whether it accepts connections.", _serving),
    )


def _key(name: str) -> Callable[[Mapping[str, Any]], Any]:
    return lambda state: state.get(name)


def openmetrics(info: Mapping[str, Any], states: Mapping[str, Mapping[str, Any]], now: datetime | None = None) -> str:
    """The metrics of the workers.

    Args:
        info: What is known of the application.
        states: The states of all processes, by name; those that are no workers are left out.
        now: The time; default that of the clock.
    """
    now = now or datetime.now(timezone.utc)
    workers = {name: state for name, state in sorted(states.items()) if state.get("server") is True}
    lines = [*_describe_app(info), *_count(workers)]
    for family in _families(now):
        lines += _write(family, workers)
    lines += [*_states(workers), "# EOF", ""]
    return "\n".join(lines)


def _describe_app(info: Mapping[str, Any]) -> Iterator[str]:
    labels = {"app": info.get("app", ""), "version": __version__, **{key: info.get(key, "") for key in _INFO}}
    yield from _head("sanic", "info", "The application, and what serves it.")
    yield f"sanic_info{_labels(labels)} 1"


def _count(workers: Mapping[str, Any]) -> Iterator[str]:
    yield from _head("sanic_workers", "gauge", "Number of workers.")
    yield f"sanic_workers {len(workers)}"


def _write(family: _Family, workers: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    yield from _head(family.name, family.type, family.help, family.unit)
    for name, state in workers.items():
        value = family.value(state)
        # The application may have written something of its own under that key.
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            yield f"{family.sample}{_labels({'worker': name})} {value}"


def _states(workers: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    yield from _head("sanic_worker_state", "stateset", "What the manager says of it.")
    for name, state in workers.items():
        for known in ProcessState:
            labels = _labels({"worker": name, "sanic_worker_state": known.name})
            yield f"sanic_worker_state{labels} {int(state.get('state') == known.name)}"


def _head(name: str, kind: str, explanation: str, unit: str = "") -> Iterator[str]:
    yield f"# TYPE {name} {kind}"
    if unit:
        yield f"# UNIT {name} {unit}"
    yield f"# HELP {name} {explanation}"


def _labels(labels: Mapping[str, Any]) -> str:
    return "{" + ",".join(f'{name}="{_escape(str(value))}"' for name, value in labels.items()) + "}"


def _escape(text: str) -> str:
    return text.replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"')
