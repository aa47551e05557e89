"""Tables of text for a terminal; of what they tell they know only the units."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

#: Columns of the table of processes, in this order; others follow.
_COLUMNS = ("state", "pid", "uptime", "restarts", "requests", "connections", "rss")
#: What other columns tell already.
_LEFT_OUT = frozenset(("server", "serving", "starts", "start_at", "restart_at"))
_UNITS = ("B", "KiB", "MiB", "GiB", "TiB")


def described(info: Any) -> str:
    """Names and values, one below the other."""
    rows = dict(info) if isinstance(info, Mapping) else {}
    extra = rows.pop("extra", None)
    rows.update(extra if isinstance(extra, Mapping) else {})
    width = max((len(str(name)) for name in rows), default=0)
    return "\n".join(f"{visible(name):<{width}}  {visible(_text(value))}".rstrip() for name, value in rows.items())


def listed(processes: Mapping[str, Any]) -> str:
    """A table with a line for each process."""
    states = {name: state if isinstance(state, Mapping) else {} for name, state in processes.items()}
    found = dict.fromkeys(key for state in states.values() for key in state)
    columns = [key for key in _COLUMNS if key in found]
    columns += [key for key in found if key not in _COLUMNS and key not in _LEFT_OUT]
    rows = [["process", *columns]]
    for name, state in states.items():
        rows.append([name, *(_cell(column, state.get(column)) for column in columns)])
    return aligned([[visible(cell) for cell in row] for row in rows], numeric=range(2, len(columns) + 1))


def aligned(rows: Sequence[Sequence[str]], numeric: range = range(0)) -> str:
    """Rows as lines of columns, the first one above a rule; those that are numeric stand to the right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = [
        "  ".join(
            f"{cell:>{width}}" if number in numeric else f"{cell:<{width}}"
            for number, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]
    lines.insert(1, "  ".join("-" * width for width in widths))
    return "\n".join(lines)


def _cell(column: str, value: Any) -> str:
    if value is None:
        return "-"
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if column == "uptime" and is_number:
        return _duration(int(value))
    if column == "rss" and is_number:
        return _size(value)
    return _text(value)


def _duration(seconds: int) -> str:
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    clock = f"{hours}:{minutes:02}:{seconds:02}"
    return f"{days}d {clock}" if days else clock


def _size(count: float) -> str:
    unit = 0
    while count >= 1024 and unit < len(_UNITS) - 1:
        count /= 1024
        unit += 1
    return f"{count:.1f} {_UNITS[unit]}" if unit else f"{count:g} B"


def _text(value: Any) -> str:
    if isinstance(value, (list, tuple)):
        return ", ".join(map(str, value))
    return str(value)


def visible(text: object) -> str:
    """A text without what would steer the terminal that it is written to."""
    return "".join(character if character.isprintable() else "?" for character in str(text))
