"""The directory below which files are served, and the one place that decides what lies below it.

A name from a URL is decoded once and taken apart; what is then opened is asked where it really lies, so that no link
and no change between two looks leads outside. Whatever must not be served looks as if it did not exist.
"""

from __future__ import annotations

import errno
import os
from typing import Final
from urllib.parse import unquote_to_bytes

from sanic.compat import OS_IS_WINDOWS
from sanic.response.open_file import OpenFile

#: What the system says of names that are no files here. Everything else, as too many open files, is our own trouble.
NOT_FOUND: Final = frozenset(
    getattr(errno, name)
    for name in (
        "EACCES", "EINVAL", "EILSEQ", "EISDIR", "ELOOP", "ENAMETOOLONG", "ENODEV", "ENOENT", "ENOTDIR", "ENXIO", "EPERM"
    )
    if hasattr(errno, name)
)  # fmt: skip


class FileRoot:
    """A directory whose files may be opened, and nothing else.

    Links that lead outside of it count as missing, unless they are allowed; links within it are followed.

    Args:
        directory: Its absolute path; it need not exist yet.
        follow_external_files: Whether links to files outside are followed.
        follow_external_directories: Whether links to directories outside are followed.
    """

    __slots__ = ("_follows_directories", "_follows_files", "_prefix", "_real_prefix", "directory")

    def __init__(
        self, directory: str, follow_external_files: bool = False, follow_external_directories: bool = False
    ) -> None:
        self.directory = directory
        self._follows_files = follow_external_files
        self._follows_directories = follow_external_directories
        self._prefix = _with_separator(directory)
        self._real_prefix = _with_separator(os.path.realpath(directory))

    def locate(self, relative_url: str) -> str | None:
        """The path that a URL below the root means, whether there is something or not.

        Args:
            relative_url: The part of the URL's path after that of the root, percent-encoded.

        Returns:
            An absolute path, None if it could lie outside of the root or cannot be the name of a file.
        """
        name = os.fsdecode(unquote_to_bytes(relative_url)) if "%" in relative_url else relative_url
        if "\\" in name or "\0" in name:
            return None
        parts = [part for part in name.split("/") if part and part != "."]
        if ".." in parts or (OS_IS_WINDOWS and any(map(_is_special_on_windows, parts))):
            return None
        return self._prefix + "/".join(parts) if parts else self.directory

    def open(self, path: str) -> OpenFile:
        """Open a file or a directory below the root.

        Args:
            path: What `locate` returned.

        Raises:
            OSError: It does not exist, lies outside, or is neither file nor directory.
        """
        opened = OpenFile(path)
        if not (opened.is_regular or opened.is_directory) or not self._contains(opened):
            opened.close()
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), path)
        return opened

    def shows(self, path: str) -> bool:
        """Whether a file or directory below the root may be seen, at its path."""
        try:
            self.open(path).close()
        except OSError:
            return False
        return True

    def _contains(self, opened: OpenFile) -> bool:
        # Linux tells where an open file lies. Where it cannot tell, or says that it lies outside, we look closely.
        try:
            real = os.readlink(f"/proc/self/fd/{opened.descriptor}")
        except OSError:
            real = ""
        if real.startswith(self._real_prefix):
            return True
        # The root may be a link itself, and lead somewhere else than before.
        self._real_prefix = _with_separator(os.path.realpath(self.directory))
        real = os.path.realpath(opened.path)
        try:
            if not os.path.samestat(os.stat(real), opened.status):
                return False  # it has been changed under our hands
        except OSError:
            return False
        return self._is_inside(real) or self._is_allowed_outside(opened)

    def _is_inside(self, real: str) -> bool:
        return _with_separator(real).startswith(self._real_prefix)

    def _is_allowed_outside(self, opened: OpenFile) -> bool:
        parent = os.path.realpath(os.path.dirname(opened.path))
        if not self._follows_directories and (opened.is_directory or not self._is_inside(parent)):
            return False
        return self._follows_files or opened.is_directory or not os.path.islink(opened.path)


def _with_separator(path: str) -> str:
    return path if path.endswith(os.sep) else path + os.sep


def _is_special_on_windows(part: str) -> bool:
    # Drives, streams, devices, and names that the system would shorten.
    from pathlib import PureWindowsPath

    return ":" in part or part[-1] in ". " or PureWindowsPath(part).is_reserved()
