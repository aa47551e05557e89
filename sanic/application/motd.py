"""The start banner: a box with the logo on a terminal, ordinary log lines elsewhere.

Gets ready-made rows of text; what they say is decided by who starts the server.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from sanic.__version__ import __version__
from sanic.application.logo import get_logo
from sanic.logging.color import Ansi, is_color_allowed, is_terminal
from sanic.logging.loggers import logger

__all__ = ("MOTD",)

_MARGIN: Final = 2
_NARROWEST_VALUES: Final = 20


class MOTD:
    """The start banner of an application.

    :param serve_location: where it is served, ``""`` when nowhere.
    :param data: rows about the run, such as ``{"mode": "debug, single worker"}``.
    :param extra: further rows, shown apart.
    :param coffee: take the logo with the cup.
    """

    def __init__(
        self, serve_location: str, data: Mapping[str, Any], extra: Mapping[str, Any], *, coffee: bool = False
    ) -> None:
        self.title: Final = [f"Sanic v{__version__}"]
        if serve_location:
            self.title.append(f"Goin' Fast @ {serve_location}")
        self.data: Final = {key: str(value) for key, value in data.items()}
        self.extra: Final = {key: str(value) for key, value in extra.items()}
        self.coffee: Final = coffee

    @classmethod
    def output(
        cls,
        serve_location: str,
        data: Mapping[str, Any],
        extra: Mapping[str, Any],
        *,
        coffee: bool = False,
        no_color: bool = False,
    ) -> None:
        """Write the banner to the general logger.

        :param no_color: write the box without colours.
        """
        import sys
        from shutil import get_terminal_size

        banner = cls(serve_location, data, extra, coffee=coffee)
        if is_terminal(sys.stdout):
            color = not no_color and is_color_allowed()
            box = banner.box(get_terminal_size().columns, color=color)
            logger.info("\n%s\n", "\n".join(" " * _MARGIN + line for line in box))
        else:
            for line in banner.lines():
                logger.info("%s", line)

    def lines(self) -> list[str]:
        """Return the banner as one line per row."""
        return [*self.title, *(f"{key}: {value}" for key, value in {**self.data, **self.extra}.items())]

    def box(self, columns: int = 80, *, color: bool = False) -> list[str]:
        """Return the banner as the lines of a box.

        :param columns: width of the terminal, in characters.
        :param color: draw the logo in colour.
        """
        logo = get_logo(coffee=self.coffee).split("\n")
        logo_width = max(map(len, logo))
        key_width = max(map(len, (*self.data, *self.extra)), default=0)
        # What the frame and the blanks inside it take from each line.
        frame = 7
        wanted = max(map(len, (*self.data.values(), *self.extra.values())), default=0)
        available = columns - 2 * _MARGIN - frame - logo_width - key_width - 2
        value_width = max(_NARROWEST_VALUES, min(wanted, available))
        row_width = key_width + 2 + value_width
        inner = logo_width + row_width + 3

        data = _rows(self.data, key_width, value_width)
        extra = _rows(self.extra, key_width, value_width)
        separator = [None] if data and extra else []
        right: list[str | None] = [*data, *separator, *extra]
        height = max(len(logo), len(right))
        left = logo + [""] * (height - len(logo))
        right += [""] * (height - len(right))

        start, end = (Ansi.SANIC, Ansi.END) if color else ("", "")
        top, middle = logo_width + 2, row_width + 2
        lines = [f"┌{'─' * (inner + 2)}┐"]
        lines += [f"│ {title:^{inner}} │" for title in self.title]
        lines.append(f"├{'─' * top}┬{'─' * middle}┤")
        for drawing, row in zip(left, right, strict=True):
            picture = f"│ {start}{drawing:<{logo_width}}{end} "
            lines.append(picture + (f"├{'─' * middle}┤" if row is None else f"│ {row:<{row_width}} │"))
        lines.append(f"└{'─' * top}┴{'─' * middle}┘")
        return lines


def _rows(values: Mapping[str, str], key_width: int, value_width: int) -> list[str]:
    rows = []
    for key, value in values.items():
        first, *rest = _pieces(value, value_width)
        rows.append(f"{key:>{key_width}}: {first}")
        rows += [" " * (key_width + 2) + piece for piece in rest]
    return rows


def _pieces(text: str, width: int) -> Iterable[str]:
    from textwrap import wrap

    return wrap(text, width) or [""]
