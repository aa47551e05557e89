"""Has headless Chromium use the examples: python compliance/browser.py [--chromium PATH].

Screenshots are left in `.compliance/screenshots/`, to be looked at.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from chromium import Browser, Page

_ROOT = Path(__file__).resolve().parent.parent
_SCREENSHOTS = _ROOT / ".compliance" / "screenshots"


@contextmanager
def example(name: str) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    """Serve an example while the block runs; gives its process and its address."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port = sock.getsockname()[1]
    environment = {**os.environ, "HOST": "127.0.0.1", "PORT": str(port)}
    process = subprocess.Popen([sys.executable, str(_ROOT / "examples" / f"{name}.py")], env=environment)
    try:
        yield process, f"127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(30)


async def until_served(address: str) -> None:
    """Wait until an address accepts connections."""
    host, _, port = address.partition(":")
    for _ in range(100):
        with socket.socket() as sock:
            if sock.connect_ex((host, int(port))) == 0:
                return
        await asyncio.sleep(0.1)
    raise AssertionError(f"{address} is not served")


async def keep(name: str, page: Page) -> None:
    """Leave a screenshot for those who want to look at it."""
    picture = await page.screenshot()
    await asyncio.to_thread((_SCREENSHOTS / f"{name}.png").write_bytes, picture)


async def chat(browser: Browser) -> None:
    """Two windows talk to each other; one leaves; the server stops."""
    with example("websocket_chat") as (process, address):
        await until_served(address)
        url = f"http://{address}/?room=tea"
        async with browser.page(f"{url}&name=Ada", dark=True) as ada:
            await ada.wait_for("document.body.innerText.includes('You are Ada, in the room tea.')")
            async with browser.page(f"{url}&name=Brian") as brian:
                await ada.wait_for("document.body.innerText.includes('Brianhas come')")
                for page, says in ((ada, "Grüße, <b>Brian</b> 👋"), (brian, "Hello Ada")):
                    await page.run(f"text.value = {says!r}; document.querySelector('button').click()")
                    for reader in (ada, brian):
                        await reader.wait_for(f"messages.innerText.includes({says!r})")
                await keep("chat_light", brian)
                await keep("chat_dark", ada)
            await ada.wait_for("document.body.innerText.includes('Brianhas left')")
            process.terminate()
            await ada.wait_for("state.innerText.includes('The connection was closed (1001)')")


async def events(browser: Browser) -> None:
    """A page shows what the server pushes, as it comes."""
    with example("server_sent_events") as (_, address):
        await until_served(address)
        async with browser.page(f"http://{address}/") as page:
            await page.wait_for("document.querySelectorAll('#events li').length >= 2")
            await page.wait_for("document.getElementById('state').textContent === 'connected'")
            await keep("server_sent_events", page)


async def upload(browser: Browser) -> None:
    """A form with two files, one of them larger than any buffer, arrives whole."""
    with example("upload") as (_, address):
        await until_served(address)
        async with browser.page(f"http://{address}/") as page:
            await page.wait_for("document.forms.length === 1")
            await page.run("""
                const files = new DataTransfer();
                files.items.add(new File(["héllo"], "naïve <name>.txt", {type: "text/plain"}));
                files.items.add(new File([new Uint8Array(20_000_000)], "large.bin"));
                document.querySelector("input[type=file]").files = files.files;
                document.querySelector("input[name=title]").value = "Grüße & more";
            """)
            await keep("upload_form", page)
            await page.run("document.querySelector('button').click()")
            await page.wait_for("document.body.innerText.includes('large.bin: 20,000,000 bytes')", 30)
            for expected in ("Grüße & more", "naïve <name>.txt: 6 bytes of text/plain"):
                await page.wait_for(f"document.body.innerText.includes({expected!r})")
            await keep("upload_done", page)


async def listing(browser: Browser) -> None:
    """The list of a directory, in light and dark, leads to its files."""
    with example("static_files") as (_, address):
        await until_served(address)
        for name, dark in (("listing_light", False), ("listing_dark", True)):
            async with browser.page(f"http://{address}/", dark=dark) as page:
                await page.wait_for("document.body.innerText.includes('static_files.py')")
                await keep(name, page)
                await page.run("[...document.links].find(link => link.textContent.includes('static_files.py')).click()")
                await page.wait_for("document.body.innerText.includes('Serve files, lists of directories')")


async def main() -> None:
    """Run everything."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--chromium", help="the browser's program")
    options = parser.parse_args()
    await asyncio.to_thread(os.makedirs, _SCREENSHOTS, exist_ok=True)
    async with Browser(options.chromium) as browser:
        for check in (chat, events, upload, listing):
            await check(browser)
            print(f"{check.__name__}: ok")


if __name__ == "__main__":
    asyncio.run(main())
