"""Programs that serve HTTPS with worker processes: by every form, in every way to start them, over every mistake."""

from __future__ import annotations

import asyncio
import re
import signal
import ssl
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.certificates import AUTHORITY, PASSWORD, client_context, write_certificate
from tests.processes import PATIENCE, running

#: Makes each form of a certificate.
FORMS = """
import ssl
from sanic import json


def context():
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.load_cert_chain("a/fullchain.pem", "a/privkey.pem")
    return made


@app.get("/about")
async def about(request):
    info = request.conn_info
    return json([request.scheme, info.cert.get("cert"), info.server_name, "password" in info.cert])


def run(**options):
    if __name__ == "__main__":
        app.run(port=0, **options)

"""


def program(call: str) -> str:
    return f"{FORMS}\n{call}"


async def fetch(url: str, path: str = "/about", name: str = "a.test") -> httpx.Response:
    async with httpx.AsyncClient(verify=client_context(), trust_env=False, timeout=PATIENCE) as client:
        return await client.get(url + path, extensions={"sni_hostname": name})


async def organization(url: str) -> str:
    """That in the certificate which a new connection is shown."""
    target = httpx.URL(url)
    _, writer = await asyncio.open_connection(target.host, target.port, ssl=client_context(), server_hostname="a.test")
    certificate: Any = writer.get_extra_info("ssl_object").getpeercert()
    writer.transport.abort()
    return next(value for part in certificate["subject"] for name, value in part if name == "organizationName")


@pytest.fixture
def certificates(tmp_path: Path) -> Path:
    write_certificate(tmp_path / "a", "a.test", organization_name="First")
    write_certificate(tmp_path / "b", "b.test", password=PASSWORD)
    return tmp_path


FILES = "{'cert': 'a/fullchain.pem', 'key': 'a/privkey.pem'}"
LIST = f"[{FILES}, {{'cert': 'b/fullchain.pem', 'key': 'b/privkey.pem', 'password': {PASSWORD!r}}}]"


@pytest.mark.parametrize(
    ("form", "options"),
    [
        pytest.param(FILES, "workers=2", marks=pytest.mark.e2e),
        pytest.param("'a'", "workers=1", marks=pytest.mark.e2e),
        (LIST, "workers=2"),
        (LIST, "single_process=True"),
        ("context()", "single_process=True"),
    ],
)
async def test_each_form_is_served_by_worker_processes(certificates: Path, form: str, options: str) -> None:
    async with running(program(f"run(ssl={form}, {options})"), directory=certificates) as server:
        url = await server.url()
        assert url.startswith("https://127.0.0.1:")
        answer = (await fetch(url)).json()
        if "context" in form:
            assert answer == ["https", None, "", False]
        else:
            assert answer == ["https", f"{certificates}/a/fullchain.pem", "a.test", False]
        if form == LIST:
            answer = (await fetch(url, name="b.test")).json()
            assert answer == ["https", f"{certificates}/b/fullchain.pem", "b.test", False]
        assert await server.stop() == 0
        assert server.output.count("Certificate vhosts: a.test, b.test") == (1 if form == LIST else 0)
        assert PASSWORD not in server.output


@pytest.mark.parametrize("form", ["context()", f"[context(), {LIST[1:]}"])
async def test_a_context_is_handed_on_by_fork(certificates: Path, form: str) -> None:
    source = program(f"Sanic.start_method = 'fork'\nrun(ssl={form})")
    async with running(source, directory=certificates) as server:
        url = await server.url()
        assert (await fetch(url)).json()[0] == "https"
        assert await server.stop() == 0


#: What cannot be served, and what is said of it.
REFUSED = [
    ("context()", r"An ssl.SSLContext cannot be sent to worker processes. Give the files: .*start_method = 'fork'"),
    ("['a', context()]", "An ssl.SSLContext in a list cannot be sent to worker processes"),
    (f"{{**{FILES}, 'mine': lambda: 3}}", r"ssl= holds what cannot be sent to worker processes \(mine\)"),
    ("{'cert': 'a/fullchain.pem', 'key': 'missing.pem'}", "missing.pem cannot be read: No such file or directory"),
]


async def only_error(source: str, directory: Path) -> str:
    async with running(source, directory=directory) as server:
        assert await server.end() == 1
        assert "Starting worker" not in server.output
        assert "Goin' Fast" not in server.output
        assert "Traceback" not in server.output
        (error,) = [line for line in server.lines if " INFO: " not in line]
        return error


async def test_what_cannot_be_served_is_told_in_one_line_before_a_worker_starts(certificates: Path) -> None:
    for form, message in REFUSED:
        error = await only_error(program(f"run(ssl={form})"), certificates)
        assert re.search(f"ERROR: Startup failed: .*{message}", error), error


async def test_a_single_process_says_the_same(certificates: Path) -> None:
    error = await only_error(program("run(ssl='missing', single_process=True)"), certificates)
    assert f"ERROR: Startup failed: {certificates}/missing does not exist. Give the directory" in error


@pytest.mark.e2e
async def test_another_app_whose_certificate_cannot_be_used_is_left_out(certificates: Path) -> None:
    source = """
        other = Sanic("other")
        other.add_route(lambda request: text("other"), "/")
        if __name__ == "__main__":
            app.prepare(port=0, ssl="a")
            other.prepare(port=0, ssl="missing")
            Sanic.serve(primary=app)
        """
    async with running(source, directory=certificates) as server:
        url = await server.url()
        assert (await fetch(url, "/")).text == "hello"
        assert await server.stop() == 0
        assert "WARNING: other is not served: " in server.output


@pytest.mark.e2e
async def test_a_certificate_is_read_again_when_workers_are_replaced(certificates: Path) -> None:
    async with running(program("run(ssl='a')"), directory=certificates) as server:
        url = await server.url()
        assert await organization(url) == "First"
        write_certificate(certificates / "a", "a.test", organization_name="Second")
        server.send(signal.SIGHUP)
        for _ in range(2):
            await server.line("Worker (ready|complete)")
        assert await organization(url) == "Second"
        assert await server.stop() == 0


@pytest.mark.e2e
async def test_a_broken_certificate_does_not_end_workers_that_are_to_be_replaced(certificates: Path) -> None:
    async with running(program("run(ssl='a')"), directory=certificates) as server:
        url = await server.url()
        (certificates / "a/privkey.pem").write_text("nonsense")
        server.send(signal.SIGHUP)
        await server.line("privkey.pem holds no private key in PEM format")
        assert await organization(url) == "First"
        assert (await fetch(url)).status_code == 200
        assert await server.stop() == 0


@pytest.mark.e2e
async def test_curl_and_openssl_are_served(certificates: Path) -> None:
    AUTHORITY.cert_pem.write_to_path(str(certificates / "ca.pem"))
    async with running(program("run(ssl=" + LIST + ", single_process=True)"), directory=certificates) as server:
        port = httpx.URL(await server.url()).port
        output = await _run(
            *("curl", "--silent", "--show-error", "--cacert", str(certificates / "ca.pem"), "--noproxy", "*"),
            *("--resolve", f"b.test:{port}:127.0.0.1", f"https://b.test:{port}/about"),
        )
        assert output == f'["https","{certificates}/b/fullchain.pem","b.test",false]'
        output = await _run(
            *("openssl", "s_client", "-connect", f"127.0.0.1:{port}", "-servername", "b.test", "-alpn", "h2,http/1.1"),
            *("-CAfile", str(certificates / "ca.pem"), "-verify_return_error"),
        )
        assert "Verify return code: 0 (ok)" in output
        assert "ALPN protocol: http/1.1" in output
        assert await server.stop() == 0
        assert "ERROR" not in server.output


async def _run(*command: str) -> str:
    process = await asyncio.create_subprocess_exec(
        *command,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await asyncio.wait_for(process.communicate(), PATIENCE)
    assert process.returncode == 0, output
    return output.decode()


async def test_a_program_whose_client_shows_no_certificate_goes_on(certificates: Path) -> None:
    AUTHORITY.cert_pem.write_to_path(str(certificates / "ca.pem"))
    source = program(f"run(ssl={{**{FILES}, 'client_ca': 'ca.pem'}}, single_process=True)")
    async with running(source, directory=certificates) as server:
        url = await server.url()
        with pytest.raises((ssl.SSLError, httpx.TransportError)):
            await fetch(url)
        assert await server.stop() == 0
        assert "Traceback" not in server.output
        assert "ERROR" not in server.output
