"""Content types by the name of a file.

What the web is made of stands in a table here, so that it does not depend on the machine; for everything else the
standard library's table, and with it the one of the system, is asked.
"""

from __future__ import annotations

import os
from typing import Final

_TEXT: Final = "; charset=utf-8"

_BY_EXTENSION: Final[dict[str, str]] = {
    ".avif": "image/avif",
    ".br": "application/x-brotli",
    ".bz2": "application/x-bzip2",
    ".css": "text/css" + _TEXT,
    ".csv": "text/csv" + _TEXT,
    ".gif": "image/gif",
    ".gz": "application/gzip",
    ".htm": "text/html" + _TEXT,
    ".html": "text/html" + _TEXT,
    ".ico": "image/x-icon",
    ".jpeg": "image/jpeg",
    ".jpg": "image/jpeg",
    ".js": "text/javascript" + _TEXT,  # RFC 9239
    ".json": "application/json",
    ".m4a": "audio/mp4",
    ".map": "application/json",
    ".md": "text/markdown" + _TEXT,
    ".mjs": "text/javascript" + _TEXT,
    ".mp3": "audio/mpeg",
    ".mp4": "video/mp4",
    ".oga": "audio/ogg",
    ".ogg": "audio/ogg",
    ".ogv": "video/ogg",
    ".otf": "font/otf",
    ".pdf": "application/pdf",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".ttf": "font/ttf",
    ".txt": "text/plain" + _TEXT,
    ".wasm": "application/wasm",
    ".wav": "audio/wav",
    ".webm": "video/webm",
    ".webmanifest": "application/manifest+json",
    ".webp": "image/webp",
    ".woff": "font/woff",
    ".woff2": "font/woff2",
    ".xml": "text/xml" + _TEXT,
    ".xz": "application/x-xz",
    ".zip": "application/zip",
    ".zst": "application/zstd",
}


def content_type_of(name: str, default: str = "application/octet-stream") -> str:
    """The content type of a file, with `charset=utf-8` for text.

    Args:
        name: Name or path of the file; nothing is read.
        default: For names that tell nothing.
    """
    extension = os.path.splitext(name)[1]
    known = _BY_EXTENSION.get(extension) or _BY_EXTENSION.get(extension.lower())
    if known is not None:
        return known
    if not extension:
        return default
    from mimetypes import guess_type

    # Of the extension alone: as a URL, which is what it is taken for, a name may mean something else.
    guessed, encoding = guess_type("name" + extension)
    if guessed is None or encoding is not None:
        return default
    return guessed + _TEXT if guessed.startswith("text/") else guessed
