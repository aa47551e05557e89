"""What answers a request for a directory: its index, or a list of what is in it."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable, Iterable
from typing import TYPE_CHECKING, Any

from sanic.exceptions import FileNotFound
from sanic.handlers.file_root import NOT_FOUND, FileRoot
from sanic.response import HTTPResponse, html, redirect
from sanic.response.file import file

if TYPE_CHECKING:
    from pathlib import Path

    from sanic.pages.directory_page import DirectoryEntry
    from sanic.request import Request
    from sanic.response.open_file import OpenFile


class DirectoryHandler:
    """Answers requests for directories; pass one of your own to `static(..., directory_handler=…)`.

    Args:
        uri: The URL path that the directory stands at.
        directory: The directory.
        directory_view: Whether directories without index are listed.
        index: Name of the file that stands for its directory, or names in order of preference.
        root_path: What nothing may lie outside of; default the directory.
        follow_external_symlink_files: Whether links to files outside of that are followed.
        follow_external_symlink_dirs: Whether links to directories outside of that are followed.

    Attributes:
        send_file: Answers with an index file. A static mount puts its own function here, which knows ranges and
            conditions.
    """

    def __init__(
        self,
        uri: str,
        directory: Path | str,
        directory_view: bool = False,
        index: str | Iterable[str] | None = None,
        root_path: Path | str | None = None,
        follow_external_symlink_files: bool = False,
        follow_external_symlink_dirs: bool = False,
    ) -> None:
        self.uri = uri
        self.base = uri.strip("/")
        self.directory = os.path.abspath(directory)
        self.directory_view = directory_view
        self.index = (index,) if isinstance(index, str) else tuple(index or ())
        self.root_path = os.path.abspath(root_path or directory)
        follows = (follow_external_symlink_files, follow_external_symlink_dirs)
        self.send_file: Callable[[Request[Any, Any], OpenFile], Awaitable[HTTPResponse]] = _send_file
        self._names = FileRoot(self.directory, *follows)
        self._root = FileRoot(self.root_path, *follows)

    async def handle(self, request: Request[Any, Any], path: str) -> HTTPResponse:
        """Answer a request for a directory.

        Args:
            request: The request.
            path: The path of its URL, percent-encoded.

        Raises:
            FileNotFound: There is no index, and directories are not listed.
        """
        relative_url = self._relative(request, path)
        directory = self._names.locate(relative_url)
        if directory is not None:
            index = self._open_index(directory)
            if index is not None:
                return await self.send_file(request, index)
            if self.directory_view and self._root.shows(directory):
                return await self._list(request, path, directory, relative_url)
        raise FileNotFound("File not found", path=directory or self.directory, relative_url=relative_url)

    def _relative(self, request: Request[Any, Any], path: str) -> str:
        # The prefix in front of it may hold a version and path parameters: what the router has found tells how much
        # of the path they are.
        found = request.match_info.get("__file_uri__")
        prefix = f"/{self.base}/" if self.base else "/"
        if isinstance(found, str) and request.path.endswith(found):
            prefix = request.path[: len(request.path) - len(found)]
        return path[len(prefix) :] if path.startswith(prefix) else path

    def _open_index(self, directory: str) -> OpenFile | None:
        for name in self.index:
            try:
                opened = self._root.open(os.path.join(directory, name))
            except OSError as error:
                if error.errno not in NOT_FOUND:
                    raise
                continue
            if opened.is_regular:
                return opened
            opened.close()
        return None

    async def _list(self, request: Request[Any, Any], path: str, directory: str, relative_url: str) -> HTTPResponse:
        from sanic.pages.directory_page import DirectoryPage

        if not path.endswith("/"):
            # One slash in front: two would make a host of the first name.
            query = f"?{request.query_string}" if request.query_string else ""
            return redirect(f"/{path.lstrip('/')}/{query}")
        entries = await asyncio.to_thread(self._entries, directory)
        page = DirectoryPage(path, relative_url, entries)
        response = html(page.render())
        response.headers["cache-control"] = "no-cache"
        return response

    def _entries(self, directory: str) -> list[DirectoryEntry]:
        from sanic.pages.directory_page import DirectoryEntry

        entries = []
        with os.scandir(directory) as found:
            for item in found:
                try:
                    if not (item.is_file() or item.is_dir()):
                        continue  # a broken link, a pipe, a device
                    opened = self._root.open(item.path)
                except OSError:
                    continue  # it is not to be shown, or just gone
                with_slash = opened.is_directory
                entries.append(DirectoryEntry(item.name, with_slash, opened.size, opened.modified))
                opened.close()
        entries.sort(key=lambda entry: (not entry.is_directory, entry.name.casefold(), entry.name))
        return entries


async def _send_file(request: Request[Any, Any], opened: OpenFile) -> HTTPResponse:
    opened.close()
    return await file(opened.path, request_headers=request.headers)
