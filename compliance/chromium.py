"""Drives a headless Chromium through its DevTools protocol, with nothing but the library `websockets`.

It opens pages, runs JavaScript in them, waits for what they show, and takes screenshots.
"""

from __future__ import annotations

import asyncio
import base64
import itertools
import json
import shutil
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from types import TracebackType
from typing import Any

import websockets

_NAMES = ("chromium", "chromium-browser", "google-chrome")
_OPTIONS = ("--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run", "--remote-debugging-port=0")
_LISTENING = "DevTools listening on "


class Browser:
    """A running Chromium, as an async context manager.

    Args:
        path: The program; default the first one that is found.
    """

    def __init__(self, path: str | None = None) -> None:
        found = path or next(filter(None, map(shutil.which, _NAMES)), None)
        if found is None:
            raise SystemExit("Chromium is not installed. On Debian or Ubuntu: sudo apt install chromium")
        self._path = found
        self._directory = tempfile.mkdtemp(prefix="chromium-")
        self._numbers = itertools.count(1)
        self._answers: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self._process: asyncio.subprocess.Process
        self._socket: Any
        self._reading: asyncio.Task[None]

    async def __aenter__(self) -> Browser:
        self._process = await asyncio.create_subprocess_exec(
            self._path,
            *_OPTIONS,
            f"--user-data-dir={self._directory}",
            stderr=asyncio.subprocess.PIPE,
        )
        url = await asyncio.wait_for(self._find_url(), 30)
        self._socket = await websockets.connect(url, max_size=None, ping_interval=None)
        self._reading = asyncio.create_task(self._read())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._reading.cancel()
        await self._socket.close()
        if self._process.returncode is None:
            self._process.terminate()
        await self._process.wait()
        shutil.rmtree(self._directory, ignore_errors=True)

    async def _find_url(self) -> str:
        stderr = self._process.stderr
        while stderr is not None and (line := (await stderr.readline()).decode()):
            if line.startswith(_LISTENING):
                return line[len(_LISTENING) :].strip()
        raise SystemExit("Chromium ended before it could be driven.")

    async def _read(self) -> None:
        async for message in self._socket:
            answer = json.loads(message)
            waiting = self._answers.pop(answer.get("id", 0), None)
            if waiting is not None and not waiting.done():
                waiting.set_result(answer)

    async def call(self, method: str, session: str | None = None, **parameters: Any) -> dict[str, Any]:
        """Call a method of the DevTools protocol and return its result."""
        number = next(self._numbers)
        message = {"id": number, "method": method, "params": parameters}
        if session is not None:
            message["sessionId"] = session
        waiting = self._answers[number] = asyncio.get_running_loop().create_future()
        await self._socket.send(json.dumps(message))
        answer = await asyncio.wait_for(waiting, 30)
        if "error" in answer:
            raise RuntimeError(f"{method} failed: {answer['error']}")
        result: dict[str, Any] = answer["result"]
        return result

    @asynccontextmanager
    async def page(self, url: str, *, dark: bool = False) -> AsyncIterator[Page]:
        """Open a page in a window of its own, and close it at the end."""
        target = (await self.call("Target.createTarget", url="about:blank"))["targetId"]
        session = (await self.call("Target.attachToTarget", targetId=target, flatten=True))["sessionId"]
        page = Page(self, session)
        scheme = [{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}]
        await self.call("Emulation.setEmulatedMedia", session, features=scheme)
        await self.call("Page.navigate", session, url=url)
        try:
            yield page
        finally:
            await self.call("Target.closeTarget", targetId=target)


class Page:
    """A page in a browser; `session` is its name in the DevTools protocol."""

    def __init__(self, browser: Browser, session: str) -> None:
        self.browser = browser
        self.session = session

    async def run(self, script: str) -> Any:
        """Evaluate JavaScript and return its value; a promise is awaited."""
        answer = await self.browser.call(
            "Runtime.evaluate", self.session, expression=script, returnByValue=True, awaitPromise=True
        )
        if "exceptionDetails" in answer:
            raise RuntimeError(f"{script} raised {answer['exceptionDetails']}")
        return answer["result"].get("value")

    async def wait_for(self, condition: str, timeout: float = 10) -> None:
        """Wait until a JavaScript expression is true."""
        deadline = asyncio.get_running_loop().time() + timeout
        while not await self.run(f"document.body !== null && ({condition})"):
            if asyncio.get_running_loop().time() > deadline:
                raise AssertionError(f"{condition} did not come true. The page says: {await self.text()}")
            await asyncio.sleep(0.05)

    async def text(self) -> str:
        """What the page shows."""
        shown: str = await self.run("document.body ? document.body.innerText : ''")
        return shown

    async def screenshot(self) -> bytes:
        """What the page looks like, as a PNG."""
        answer = await self.browser.call("Page.captureScreenshot", self.session, format="png")
        return base64.b64decode(answer["data"])
