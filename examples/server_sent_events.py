"""A clock that the server pushes to the browser, as server-sent events over a streamed response.

Run it with `python examples/server_sent_events.py` and open http://127.0.0.1:8000/.
"""

from __future__ import annotations

import asyncio
import os
from datetime import datetime

from sanic import Request, Sanic, html
from sanic.log import logger
from sanic.response import HTTPResponse

app = Sanic("ServerSentEvents")

PAGE = """<!DOCTYPE html>
<html lang="en">
<meta charset="utf-8">
<title>Server-sent events</title>
<style>
  :root { color-scheme: light dark; font-family: system-ui, sans-serif; }
  body { max-width: 36rem; margin: 3rem auto; padding: 0 1rem; }
  #time { font-size: 3rem; font-variant-numeric: tabular-nums; }
  li { font-family: ui-monospace, monospace; }
</style>
<h1>Server-sent events</h1>
<p id="time">--:--:--</p>
<p id="state">connecting …</p>
<ol id="events"></ol>
<script>
  const show = (id, text) => { document.getElementById(id).textContent = text };
  const source = new EventSource("/events");
  source.onopen = () => show("state", "connected");
  // The browser connects again by itself, and tells the server the id of the last event it has seen.
  source.onerror = () => show("state", "connection lost, trying again …");
  source.addEventListener("tick", (event) => {
    const tick = JSON.parse(event.data);
    show("time", tick.time);
    const line = document.createElement("li");
    line.value = tick.number;
    line.textContent = `${tick.time} (event ${event.lastEventId})`;
    document.getElementById("events").prepend(line);
  });
</script>
</html>
"""


@app.get("/")
async def index(request: Request) -> HTTPResponse:
    return html(PAGE)


@app.get("/events")
async def events(request: Request) -> None:
    last = request.headers.get("last-event-id", "")
    number = int(last) if last.isdecimal() else 0
    response = await request.respond(content_type="text/event-stream", headers={"cache-control": "no-store"})
    try:
        while True:
            number += 1
            time = f"{datetime.now():%H:%M:%S}"
            await response.send(f'event: tick\nid: {number}\ndata: {{"number": {number}, "time": "{time}"}}\n\n')
            await asyncio.sleep(1)
    except asyncio.CancelledError:
        # The browser has left, or the server stops: this is the place to clean up.
        logger.info("The stream ends after event %d.", number)
        raise


if __name__ == "__main__":
    app.run(host=os.environ.get("HOST", "127.0.0.1"), port=int(os.environ.get("PORT", "8000")), single_process=True)
