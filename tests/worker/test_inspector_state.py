"""The state of workers as JSON can hold it; extension packages ask for it by this name."""

from __future__ import annotations

import json
from datetime import datetime, timezone
from pathlib import Path

from sanic.application.constants import ServerStage
from sanic.worker.inspector import Inspector


def test_state_becomes_json() -> None:
    state = {
        "worker": {"pid": 7, "start_at": datetime(2026, 1, 2, tzinfo=timezone.utc), "stage": ServerStage.SERVING},
        1: [Path("/a"), (None, True)],
        # The application may keep what it likes.
        "odd": {"bytes": b"\0", "error": ValueError("no"), "rate": float("nan"), "limit": float("inf")},
    }

    assert json.loads(json.dumps(Inspector._make_safe(state), allow_nan=False)) == {
        "worker": {"pid": 7, "start_at": "2026-01-02T00:00:00+00:00", "stage": "SERVING"},
        "1": ["/a", [None, True]],
        "odd": {"bytes": "b'\\x00'", "error": "ValueError('no')", "rate": None, "limit": None},
    }
