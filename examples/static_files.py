"""Serve files, lists of directories, parts of files and downloads.

Run it with `python examples/static_files.py` and open http://127.0.0.1:8000/.
"""

from __future__ import annotations

import os
from pathlib import Path

from sanic import HTTPResponse, Request, Sanic, file, redirect

HERE = Path(__file__).parent

app = Sanic("static_files")
app.static("/files", HERE, directory_view=True, use_content_range=True)


@app.get("/")
async def index(request: Request) -> HTTPResponse:
    return redirect(app.url_for("static"))


@app.get("/download")
async def download(request: Request) -> HTTPResponse:
    return await file(__file__, request_headers=request.headers, filename="An example for Müller.py", max_age=60)


if __name__ == "__main__":
    app.run(host=os.environ.get("HOST", "127.0.0.1"), port=int(os.environ.get("PORT", "8000")), single_process=True)
