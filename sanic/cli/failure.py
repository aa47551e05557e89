"""Why the command line gives up, as one line for who has typed it."""

from __future__ import annotations


class CommandError(Exception):
    """The command cannot be carried out; the message says why, and what would be right. The status is 1."""
