"""A whole app: two routes, one of them with a parameter.

Run it with `make run`, or `python examples/hello_world.py`, then open http://127.0.0.1:8000/hello/ada.
The environment variables HOST and PORT choose another address.
"""

from __future__ import annotations

import os

from sanic import HTTPResponse, Request, Sanic, json, text

app = Sanic("hello_world")


@app.get("/")
async def index(request: Request) -> HTTPResponse:
    return text("Hello, World!")


@app.get("/hello/<name>")
async def hello(request: Request, name: str) -> HTTPResponse:
    return json({"message": f"Hello {name}"})


if __name__ == "__main__":
    app.run(host=os.environ.get("HOST", "127.0.0.1"), port=int(os.environ.get("PORT", "8000")), single_process=True)
