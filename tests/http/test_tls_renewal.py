"""Certificates whose files change while they are served."""

from __future__ import annotations

import asyncio
import logging
import os
import ssl
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from sanic import Sanic, text
from tests.certificates import client_context, files_of, write_certificate

#: Files are looked at once a second; a test waits for that by asking again.
PATIENCE = 20.0
FIRST, SECOND = {"organization_name": "First"}, {"organization_name": "Second"}


@pytest.fixture
def app() -> Sanic[Any, Any]:
    return new_app("tls_renewal")


def new_app(name: str) -> Sanic[Any, Any]:
    app: Sanic[Any, Any] = Sanic(name)
    app.add_route(lambda request: text(request.conn_info.cert["organizationName"]), "/")
    return app


async def shown(server: Any, name: str = "a.test") -> str:
    """The organization in the certificate that the server shows."""
    _, writer = await asyncio.open_connection("127.0.0.1", server.port, ssl=client_context(), server_hostname=name)
    certificate: Any = writer.get_extra_info("ssl_object").getpeercert()
    writer.close()
    with suppress(OSError):
        await writer.wait_closed()
    return next(value for part in certificate["subject"] for name, value in part if name == "organizationName")


async def until_shown(server: Any, organization: str, name: str = "a.test") -> None:
    deadline = asyncio.get_running_loop().time() + PATIENCE
    while await shown(server, name) != organization:
        # Nothing tells of it: the files are looked at when somebody asks.
        await asyncio.sleep(0.05)
        assert asyncio.get_running_loop().time() < deadline


async def pass_looks(server: Any) -> None:
    """Let the server look at its files at least twice more."""
    for _ in range(2):
        await asyncio.sleep(1.1)
        await shown(server)


async def test_a_new_certificate_is_shown_to_new_connections_and_open_ones_go_on(tmp_path: Path) -> None:
    # At the same time, since each of them waits for the next look at the files.
    await asyncio.gather(*(renew(form, tmp_path) for form in ("dict", "directory", "list")))


async def renew(form: str, tmp_path: Path) -> None:
    """Serve a certificate in a form, and replace it."""
    app = new_app(form)
    a = write_certificate(tmp_path / f"{form}-a", "a.test", **FIRST)
    b = write_certificate(tmp_path / f"{form}-b", "b.test", organization_name="Other")
    given: Any = {"dict": files_of(a), "directory": a, "list": [b, a]}[form]
    async with app.serving(port=0, ssl=given) as server:
        context = client_context()
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port, ssl=context, server_hostname="a.test")
        assert await shown(server) == "First"
        write_certificate(a, "a.test", **SECOND)
        await until_shown(server, "Second")
        writer.write(b"GET / HTTP/1.1\r\nhost: a.test\r\nconnection: close\r\n\r\n")
        assert (await asyncio.wait_for(reader.read(), PATIENCE)).endswith(b"\r\n\r\nFirst")
        writer.close()
        if form == "list":
            assert await shown(server, "b.test") == "Other"


async def test_new_names_in_a_list_are_known_at_once(app: Sanic[Any, Any], tmp_path: Path) -> None:
    a = write_certificate(tmp_path / "a", "a.test", **FIRST)
    b = write_certificate(tmp_path / "b", "b.test", organization_name="Other")
    async with app.serving(port=0, ssl=[None, a, b]) as server:
        with pytest.raises(ssl.SSLError):
            await shown(server, "new.test")
        write_certificate(b, "b.test", "new.test", organization_name="Renewed")
        await until_shown(server, "Renewed", "b.test")
        assert await shown(server, "new.test") == "Renewed"


def _spoil(directory: Path, fault: str) -> None:
    if fault == "nonsense":
        (directory / "fullchain.pem").write_text("nonsense")
    elif fault == "missing":
        (directory / "privkey.pem").unlink()
    else:
        other = write_certificate(directory / "other", "a.test", **SECOND)
        (other / "privkey.pem").replace(directory / "privkey.pem")
    for path in directory.glob("*.pem"):
        # Not of this moment: then the change might not be over yet.
        os.utime(path, (1, 1))


@pytest.mark.e2e
async def test_files_that_cannot_be_used_change_nothing_and_are_told_of_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def serve(fault: str) -> None:
        app = new_app(fault)
        directory = write_certificate(tmp_path / fault, "a.test", **FIRST)
        async with app.serving(port=0, ssl=directory) as server:
            _spoil(directory, fault)
            await pass_looks(server)
            assert await shown(server) == "First"
            # What is right again is taken.
            write_certificate(directory, "a.test", **SECOND)
            await until_shown(server, "Second")

    faults = ("nonsense", "missing", "mismatch")
    await asyncio.gather(*map(serve, faults))
    errors = [record.message for record in caplog.records if record.levelno >= logging.ERROR]
    assert len(errors) == len(faults)
    for fault in faults:
        (error,) = [error for error in errors if f"/{fault}/" in error]
        assert error.startswith("The certificate in use is kept, since the new one cannot be used: ")


@pytest.mark.e2e
async def test_a_change_that_is_half_done_is_waited_for_in_silence(
    app: Sanic[Any, Any], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    a = write_certificate(tmp_path / "a", "a.test", **FIRST)
    new = write_certificate(tmp_path / "new", "a.test", **SECOND)
    async with app.serving(port=0, ssl=a) as server:
        (new / "fullchain.pem").replace(a / "fullchain.pem")
        (a / "fullchain.pem").touch()
        await asyncio.sleep(1.1)
        assert await shown(server) == "First"
        (new / "privkey.pem").replace(a / "privkey.pem")
        await until_shown(server, "Second")
    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []
