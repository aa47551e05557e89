"""The page that lists a directory. It is given what may be shown; it reads nothing."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timezone
from urllib.parse import quote, unquote

from html5tagger import Builder, E

from sanic.pages.base import BasePage
from sanic.pages.styles import DIRECTORY_STYLE


@dataclass(frozen=True)
class DirectoryEntry:
    """A file or directory in a listing.

    Attributes:
        name: Its name, as the file system has it.
        is_directory: Whether it is a directory.
        size: Bytes.
        modified: When it was last modified, in seconds since 1970.
    """

    name: str
    is_directory: bool
    size: int
    modified: float


class DirectoryPage(BasePage):
    """A list of what is in a directory.

    Args:
        path: The path of its URL, percent-encoded, with a slash at the end.
        relative_url: The part of it that lies below the directory that is served.
        entries: What is in it, in order.
    """

    STYLE = DIRECTORY_STYLE

    def __init__(self, path: str, relative_url: str, entries: Iterable[DirectoryEntry]) -> None:
        self.path = path
        self.names = [name for name in relative_url.split("/") if name and name != "."]
        self.entries = list(entries)

    @property
    def title(self) -> str:
        return f"Index of {unquote(self.path)}"

    def fill(self, document: Builder) -> None:
        document.h1("Index of ", self._breadcrumb())
        if not self.entries and not self.names:
            document.p("This directory is empty.", class_="empty")
            return
        with document.table(class_="listing"):
            document.thead(E.tr(E.th("Name", scope="col").th("Size", scope="col").th("Modified (UTC)", scope="col")))
            document(E.tbody)  # its end tag, as those of rows and cells, is implied
            if self.names:
                document.tr(E.td(E.a("../", href="../"), class_="directory").td("").td(""))
            for entry in self.entries:
                document.tr(self._row(entry))

    def _breadcrumb(self) -> Builder:
        # Links are relative, so that they hold behind a proxy that changes the beginning of the path.
        crumbs = E.span(class_="breadcrumb")
        depth = len(self.names)
        with crumbs:
            first = unquote(self.path).rstrip("/").split("/")
            mount = "/".join(first[: len(first) - depth]) + "/" if depth else "/".join(first) + "/"
            crumbs.a(mount, href="./" + "../" * depth)
            for level, name in enumerate(self.names, 1):
                crumbs.a(unquote(name) + "/", href="./" + "../" * (depth - level))
        return crumbs

    def _row(self, entry: DirectoryEntry) -> Builder:
        slash = "/" if entry.is_directory else ""
        # A name need not be text: bytes that are none are shown as question marks, and linked as they are.
        raw = os.fsencode(entry.name)
        link = E.a(raw.decode("utf-8", "replace") + slash, href=quote(raw, safe="") + slash)
        row = E.td(link, class_="directory" if entry.is_directory else "file")
        row.td("" if entry.is_directory else _readable_size(entry.size), title=f"{entry.size:,} bytes")
        return row.td(_time(entry.modified))


def _readable_size(size: float) -> str:
    if size < 1024:
        return f"{size} B"
    for unit in ("KiB", "MiB", "GiB"):
        size /= 1024
        if size < 1024:
            return f"{size:.1f} {unit}"
    return f"{size / 1024:.1f} TiB"


def _time(timestamp: float) -> Builder:
    try:
        moment = datetime.fromtimestamp(timestamp, timezone.utc)
    except (ValueError, OverflowError, OSError):
        return E("")
    return E.time(f"{moment:%Y-%m-%d %H:%M}", datetime=f"{moment:%Y-%m-%dT%H:%M:%SZ}")
