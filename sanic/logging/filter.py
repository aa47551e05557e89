"""Hiding of the more talkative log lines."""

from __future__ import annotations

import logging

__all__ = ("VerbosityFilter",)


class VerbosityFilter(logging.Filter):
    """Drops records whose ``extra={"verbosity": n}`` exceeds the verbosity of the run.

    Logging belongs to the process, so the run's verbosity (0 to 2) is kept on the class.
    """

    verbosity: int = 0

    def filter(self, record: logging.LogRecord) -> bool:
        """Tell whether a record is to be logged."""
        wanted: int = getattr(record, "verbosity", 0)
        return wanted <= self.verbosity
