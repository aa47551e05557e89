"""Uploads of any size, written to disk while they arrive; memory use stays the same.

Run it with `python examples/upload.py` and open http://127.0.0.1:8000/, or send a large file:

    curl -F title=backup -F file=@large.iso http://127.0.0.1:8000/upload
"""

from __future__ import annotations

import os
import tempfile
from html import escape
from pathlib import Path
from uuid import uuid4

import aiofiles

from sanic import Request, Sanic, html
from sanic.response import HTTPResponse

app = Sanic("Upload")

PAGE = """<!DOCTYPE html>
<html lang="en">
<meta charset="utf-8">
<title>Upload</title>
<style>
  :root { color-scheme: light dark; font-family: system-ui, sans-serif; }
  body { max-width: 36rem; margin: 3rem auto; padding: 0 1rem; }
  label { display: block; margin: 1rem 0; }
</style>
<h1>Upload</h1>
<form action="/upload" method="post" enctype="multipart/form-data">
  <label>Title <input name="title"></label>
  <label>Files <input type="file" name="file" multiple required></label>
  <button>Upload</button>
</form>
</html>
"""


@app.before_server_start
async def make_folder(app: Sanic) -> None:
    app.ctx.folder = tempfile.TemporaryDirectory(prefix="uploads-")


@app.after_server_stop
async def remove_folder(app: Sanic) -> None:
    app.ctx.folder.cleanup()


@app.get("/")
async def form(request: Request) -> HTTPResponse:
    return html(PAGE)


@app.post("/upload", stream=True)
async def upload(request: Request) -> HTTPResponse:
    title = "untitled"
    lines = []
    async for part in request.multipart():
        if part.name == "title":
            title = await part.text() or title
        elif part.filename:
            # The client's name of the file is for people to read. On the disk it gets one of our own.
            path = Path(app.ctx.folder.name) / uuid4().hex
            async with aiofiles.open(path, "wb") as file:
                async for piece in part:
                    await file.write(piece)
            lines.append(f"<li>{escape(part.filename)}: {path.stat().st_size:,} bytes of {escape(part.type)}</li>")
    return html(
        f"<!DOCTYPE html><meta charset=utf-8><title>Uploaded</title><h1>{escape(title)}</h1><ul>{''.join(lines)}</ul>"
    )


if __name__ == "__main__":
    app.run(host=os.environ.get("HOST", "127.0.0.1"), port=int(os.environ.get("PORT", "8000")), single_process=True)
