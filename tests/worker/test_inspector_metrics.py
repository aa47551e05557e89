"""The state of workers as OpenMetrics text, line by line."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

from sanic.worker.constants import ProcessState
from sanic.worker.inspector.metrics import openmetrics

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=timezone.utc)

WORKER: dict[str, Any] = {
    "server": True,
    "state": "ACKED",
    "pid": 7,
    "start_at": NOW - timedelta(hours=1),
    "restart_at": NOW - timedelta(seconds=2.5),
    "starts": 4,
    "serving": True,
    "requests": 12,
    "connections": 3,
    "restarts": 3,
    "rss": 1024,
}


def samples(states: dict[str, Any], info: dict[str, Any] | None = None) -> list[str]:
    text = openmetrics(info or {}, states, NOW)
    assert text.endswith("\n# EOF\n")
    return [line for line in text.splitlines() if not line.startswith("#")]


def test_each_worker_has_its_counters() -> None:
    found = samples({"Sanic-Main": {"pid": 1}, "Sanic-Server-0-0": WORKER})

    assert [line for line in found if "sanic_info" not in line and "sanic_worker_state" not in line] == [
        "sanic_workers 1",
        'sanic_worker_requests_total{worker="Sanic-Server-0-0"} 12',
        'sanic_worker_connections{worker="Sanic-Server-0-0"} 3',
        'sanic_worker_restarts_total{worker="Sanic-Server-0-0"} 3',
        'sanic_worker_resident_memory_bytes{worker="Sanic-Server-0-0"} 1024',
        'sanic_worker_uptime_seconds{worker="Sanic-Server-0-0"} 2.5',
        'sanic_worker_serving{worker="Sanic-Server-0-0"} 1',
    ]


def test_a_worker_is_in_one_state() -> None:
    found = [line for line in samples({"w": WORKER}) if line.startswith("sanic_worker_state")]

    assert len(found) == len(ProcessState)
    assert [line for line in found if line.endswith(" 1")] == [
        'sanic_worker_state{worker="w",sanic_worker_state="ACKED"} 1'
    ]


def test_what_is_not_known_is_left_out() -> None:
    found = samples({"w": {"server": True, "state": "NONE", "pid": None, "starts": 0, "start_at": None, "rss": "mine"}})

    assert [line for line in found if line.startswith("sanic_worker_") and "_state{" not in line] == []


def test_other_processes_are_no_workers() -> None:
    assert not any("Reloader" in line for line in samples({"Sanic-Reloader-0": {**WORKER, "server": False}}))


def test_labels_are_escaped() -> None:
    found = samples({}, {"app": 'a"b\\c\nd'})

    assert found[0].startswith('sanic_info{app="a\\"b\\\\c\\nd",version="')


def test_each_family_is_described_once_before_its_samples() -> None:
    lines = openmetrics({}, {"a": WORKER, "b": WORKER}, NOW).splitlines()

    types = [line.split()[2] for line in lines if line.startswith("# TYPE")]
    assert len(types) == len(set(types))
    current = ""
    for line in lines:
        if line.startswith("# TYPE"):
            current = line.split()[2]
        elif not line.startswith("#"):
            assert line.split("{")[0].split(" ")[0] in (current, f"{current}_total", f"{current}_info")
    units = [line.split()[2:] for line in lines if line.startswith("# UNIT")]
    assert all(name.endswith(f"_{unit}") for name, unit in units)
