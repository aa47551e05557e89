"""The certificate of an inspector, renewed on disk while connections are made."""

from __future__ import annotations

import asyncio
import logging
import os
import shutil
import ssl
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
import trustme

from sanic.worker.inspector.certificate import Certificate
from tests.processes import PATIENCE

INTERVAL = 0.01


@pytest.fixture
def authority() -> trustme.CA:
    return trustme.CA()


def issue(authority: trustme.CA, directory: Path, name: str) -> tuple[Path, Path]:
    certificate = authority.issue_cert(name)
    key, chain = directory / f"{name}.key", directory / f"{name}.pem"
    certificate.private_key_pem.write_to_path(str(key))
    chain.write_bytes(b"".join(blob.bytes() for blob in certificate.cert_chain_pems))
    return key, chain


@pytest_asyncio.fixture
async def port(authority: trustme.CA, tmp_path: Path) -> AsyncIterator[int]:
    """A TLS server whose certificate stands in `key` and `cert`."""
    for source, name in zip(issue(authority, tmp_path, "first.test"), ("key", "cert"), strict=True):
        shutil.copy(source, tmp_path / name)
    certificate = Certificate(tmp_path / "key", str(tmp_path / "cert"))
    server = await asyncio.start_server(lambda reader, writer: writer.close(), "127.0.0.1", 0, ssl=certificate.context)
    renewal = asyncio.create_task(certificate.renew(INTERVAL))
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        renewal.cancel()
        server.close()
        await server.wait_closed()


async def names(authority: trustme.CA, port: int) -> str:
    """The host that the server proves to be."""
    context = ssl.create_default_context()
    authority.configure_trust(context)
    context.check_hostname = False
    _, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context)
    (name,) = [value for _, value in writer.get_extra_info("peercert")["subjectAltName"]]
    writer.close()
    return str(name)


async def until_named(authority: trustme.CA, port: int, name: str) -> None:
    async def wait() -> None:
        while True:
            if await names(authority, port) == name:
                return

    await asyncio.wait_for(wait(), PATIENCE)


async def until_logged(caplog: pytest.LogCaptureFixture, text: str) -> None:
    async def wait() -> None:
        while True:
            if text in caplog.text:
                return
            await asyncio.sleep(INTERVAL)

    await asyncio.wait_for(wait(), PATIENCE)


async def test_new_connections_see_a_new_certificate(authority: trustme.CA, tmp_path: Path, port: int) -> None:
    assert await names(authority, port) == "first.test"

    key, chain = issue(authority, tmp_path, "second.test")
    os.replace(key, tmp_path / "key")
    os.replace(chain, tmp_path / "cert")

    await until_named(authority, port, "second.test")


async def test_a_certificate_that_does_not_fit_is_not_taken(
    authority: trustme.CA, tmp_path: Path, port: int, caplog: pytest.LogCaptureFixture
) -> None:
    key, chain = issue(authority, tmp_path, "second.test")
    with caplog.at_level(logging.WARNING):
        os.replace(chain, tmp_path / "cert")
        await until_logged(caplog, "The inspector keeps its certificate: ")
        assert await names(authority, port) == "first.test"
        await asyncio.sleep(INTERVAL * 5)
    assert caplog.text.count("The inspector keeps its certificate: ") == 1

    os.replace(key, tmp_path / "key")

    await until_named(authority, port, "second.test")


def test_a_key_with_a_password_is_refused(authority: trustme.CA, tmp_path: Path) -> None:
    from cryptography.hazmat.primitives import serialization

    key, chain = issue(authority, tmp_path, "first.test")
    private = serialization.load_pem_private_key(key.read_bytes(), None)
    key.write_bytes(
        private.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.BestAvailableEncryption(b"secret"),
        )
    )

    with pytest.raises(ValueError, match="is protected by a password: give a key that is not"):
        Certificate(key, chain)
