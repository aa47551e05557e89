"""What `import sanic` loads, and what it leaves until somebody needs it."""

from __future__ import annotations

import subprocess
import sys

import pytest

HEAVY = [
    "aiofiles",
    "argparse",
    "email",
    "html5tagger",
    "http.client",
    "http.cookies",
    "httptools",
    "json",
    "logging.config",
    "mimetypes",
    "multipart",
    "multiprocessing",
    "sanic.asgi",
    "sanic.cli",
    "sanic.server",
    "sanic_ext",
    "tracerite",
    "urllib.request",
    "uvloop",
    "websockets",
]


@pytest.fixture(scope="module")
def loaded() -> set[str]:
    """The modules that a program has which does nothing but import the package."""
    program = "import sys; import sanic; print('\\n'.join(sys.modules))"
    return set(
        subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True).stdout.split()
    )


@pytest.mark.parametrize("module", HEAVY)
def test_importing_the_package_does_not_import(loaded: set[str], module: str) -> None:
    # What asyncio or an installed package's .pth file imports anyway is not ours to leave out.
    program = "import sys; import asyncio; print('\\n'.join(sys.modules))"
    bare = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True).stdout.split()
    if module not in bare:
        assert module not in loaded


def test_importing_the_package_says_nothing() -> None:
    done = subprocess.run([sys.executable, "-W", "error", "-c", "import sanic"], check=True, capture_output=True)
    assert done.stdout == done.stderr == b""
