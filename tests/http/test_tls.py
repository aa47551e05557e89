"""HTTPS by every form of `ssl=`, as clients see it."""

from __future__ import annotations

import asyncio
import logging
import socket
import ssl
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
import pytest
import trustme

from sanic import Sanic, json, raw, text
from sanic.worker.loader import CertLoader
from tests.certificates import PASSWORD, client_context, files_of, write_certificate

PATIENCE = 10.0


@pytest.fixture
def app() -> Sanic[Any, Any]:
    app: Sanic[Any, Any] = Sanic("tls")

    @app.get("/")
    async def describe(request: Any) -> Any:
        info = request.conn_info
        subject = {name: value for part in info.client_cert.get("subject", ()) for name, value in part}
        return json(
            {
                "cert": {name: str(value) for name, value in info.cert.items()},
                "client": subject.get("organizationName"),
                "scheme": request.scheme,
                "server_name": info.server_name,
                "ssl": info.ssl,
            }
        )

    return app


async def ask(server: Any, name: str | None = "a.test", context: ssl.SSLContext | None = None) -> dict[str, Any]:
    """Ask for `/` with a server name, or without one."""
    context = context or client_context()
    context.check_hostname = name is not None
    url = f"https://127.0.0.1:{server.port}/"
    async with httpx.AsyncClient(verify=context, trust_env=False, timeout=PATIENCE) as client:
        response = await client.get(url, extensions={"sni_hostname": name} if name else {})
    answer: dict[str, Any] = response.json()
    return answer


async def shaken(server: Any, name: str | None, context: ssl.SSLContext) -> ssl.SSLObject:
    """What a handshake has led to."""
    context.check_hostname = name is not None
    _, writer = await asyncio.open_connection("127.0.0.1", server.port, ssl=context, server_hostname=name or "")
    found: ssl.SSLObject = writer.get_extra_info("ssl_object")
    writer.transport.abort()
    return found


# -- The forms --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["dict", "aliases", "directory", "path", "context", "one in a list"])
async def test_each_form_of_a_certificate_serves_https(app: Sanic[Any, Any], tmp_path: Path, form: str) -> None:
    directory = write_certificate(tmp_path / "a", "a.test")
    files = files_of(directory)
    forms: dict[str, Any] = {
        "dict": files,
        "aliases": {"certificate": str(files["cert"]), "keyfile": str(files["key"])},
        "directory": f"{directory}/",
        "path": directory,
        "one in a list": [directory],
        "context": ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER),
    }
    forms["context"].load_cert_chain(files["cert"], files["key"])
    async with app.serving(port=0, ssl=forms[form]) as server:
        assert server.url.startswith("https://127.0.0.1:")
        answer = await ask(server)
        assert answer["scheme"] == "https"
        assert answer["ssl"] is True
        assert answer["server_name"] == ("" if form == "context" else "a.test")
        assert (answer["cert"] == {}) is (form == "context")


async def test_conn_info_tells_all_of_the_certificate_but_the_password(app: Sanic[Any, Any], tmp_path: Path) -> None:
    directory = write_certificate(
        tmp_path / "a", "a.test", password=PASSWORD, organization_name="Acme", organization_unit_name="Web"
    )
    certificate = files_of(directory) | {"password": PASSWORD, "owner": "ops"}
    async with app.serving(port=0, ssl=certificate) as server:
        assert (await ask(server))["cert"] == {
            "organizationName": "Acme",
            "organizationalUnitName": "Web",
            "names": "['a.test']",
            "cert": f"{directory}/fullchain.pem",
            "key": f"{directory}/privkey.pem",
            "owner": "ops",
        }


async def test_a_password_may_stand_in_the_configuration(app: Sanic[Any, Any], tmp_path: Path) -> None:
    app.config.TLS_CERT_PASSWORD = PASSWORD
    directory = write_certificate(tmp_path / "a", "a.test", password=PASSWORD)
    async with app.serving(port=0, ssl=directory) as server:
        assert (await ask(server))["ssl"] is True


async def test_a_class_of_the_application_may_make_the_context(tmp_path: Path) -> None:
    class Vault(CertLoader):
        def load(self, app: Sanic[Any, Any]) -> ssl.SSLContext:
            assert self.ssl_data == "secret/shop"
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(tmp_path / "a/fullchain.pem", tmp_path / "a/privkey.pem")
            return context

    write_certificate(tmp_path / "a", "a.test")
    app: Sanic[Any, Any] = Sanic("vault", certloader_class=Vault)
    app.add_route(lambda request: text("from the vault"), "/")
    async with app.serving(port=0, ssl="secret/shop") as server:
        assert (await shaken(server, "a.test", client_context())).version() == "TLSv1.3"


# -- The right certificate --------------------------------------------------------------------------------------------


@pytest.fixture
def several(tmp_path: Path) -> list[Any]:
    return [
        write_certificate(tmp_path / "a", "a.test", "*.a.test"),
        files_of(write_certificate(tmp_path / "b", "b.test")) | {"names": ["b.test", "*.b.test", "münchen.test"]},
        write_certificate(tmp_path / "c", "deep.a.test"),
    ]


@pytest.mark.parametrize(
    ("name", "chosen"),
    [
        ("a.test", "a"),
        ("A.TEST", "a"),
        ("x.a.test", "a"),
        ("deep.a.test", "c"),
        ("x.y.a.test", "a"),  # an asterisk is for one label: the first certificate serves whom none is for
        ("b.test", "b"),
        ("x.b.test", "b"),
        ("x.y.b.test", "a"),
        ("xn--mnchen-3ya.test", "b"),
        ("other.test", "a"),
        (None, "a"),
    ],
)
@pytest.mark.parametrize("kind", [list, tuple])
async def test_the_name_that_a_client_asks_for_decides_on_the_certificate(
    app: Sanic[Any, Any], several: list[Any], name: str | None, chosen: str, kind: Any
) -> None:
    async with app.serving(port=0, ssl=kind(several)) as server:
        context = client_context()
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        url = f"https://127.0.0.1:{server.port}/"
        async with httpx.AsyncClient(verify=context, trust_env=False, timeout=PATIENCE) as client:
            answer = (await client.get(url, extensions={"sni_hostname": name} if name else {})).json()
        assert answer["server_name"] == (name or "")
        assert Path(answer["cert"]["cert"]).parent.name == chosen


async def test_a_list_that_begins_with_none_refuses_who_asks_for_no_known_name(
    app: Sanic[Any, Any], several: list[Any], caplog: pytest.LogCaptureFixture
) -> None:
    async with app.serving(port=0, ssl=[None, *several]) as server:
        assert (await ask(server, "b.test"))["server_name"] == "b.test"
        for name in ("other.test", None):
            with pytest.raises(ssl.SSLError, match=r"(?i)unrecognized.name"):
                await shaken(server, name, client_context())
    warnings = [record.message for record in caplog.records if record.levelno == logging.WARNING]
    assert warnings == [
        "A client that asks for 'other.test' is refused: there is no certificate for it.",
        "A client that asks for no host name is refused: there is no certificate for it.",
    ]


async def test_the_names_of_a_list_are_told_at_the_start(
    app: Sanic[Any, Any], several: list[Any], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    async with app.serving(port=0, ssl=several):
        expected = "Certificate vhosts: a.test, *.a.test, b.test, *.b.test, xn--mnchen-3ya.test, deep.a.test"
        assert [line for line in caplog.messages if "vhosts" in line] == [expected]


@pytest.mark.parametrize("name", ["a..test", "x" * 70, "-"])
async def test_what_is_no_host_name_gets_the_first_certificate(
    app: Sanic[Any, Any], several: list[Any], name: str, capfd: pytest.CaptureFixture[str]
) -> None:
    class Careless(ssl.SSLContext):
        def _encode_hostname(self, name: Any) -> Any:
            return name

    context = Careless(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    async with app.serving(port=0, ssl=several) as server:
        _, writer = await asyncio.open_connection("127.0.0.1", server.port, ssl=context, server_hostname=name)
        assert writer.get_extra_info("ssl_object").version() == "TLSv1.3"
        writer.transport.abort()
    assert "Traceback" not in capfd.readouterr().err


# -- What is spoken ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
async def test_tls_1_2_and_1_3_are_spoken_with_ciphers_that_are_forward_secret_and_authenticated(
    app: Sanic[Any, Any], tmp_path: Path, version: ssl.TLSVersion
) -> None:
    async with app.serving(port=0, ssl=write_certificate(tmp_path / "a", "a.test")) as server:
        found = await shaken(server, "a.test", client_context(version=version, protocols=["h2", "http/1.1"]))
        assert found.version() == version.name.replace("_", ".")
        assert found.selected_alpn_protocol() == "http/1.1"
        cipher = found.cipher()
        assert cipher is not None
        assert any(word in cipher[0] for word in ("GCM", "POLY1305"))


async def test_ciphers_without_forward_secrecy_or_authentication_are_refused(
    app: Sanic[Any, Any], tmp_path: Path
) -> None:
    async with app.serving(port=0, ssl=write_certificate(tmp_path / "a", "a.test")) as server:
        context = client_context(version=ssl.TLSVersion.TLSv1_2)
        context.set_ciphers("AES128-GCM-SHA256:ECDHE+AES128+SHA256:!AESGCM:@SECLEVEL=0")
        with pytest.raises((ssl.SSLError, ConnectionError)):
            await shaken(server, "a.test", context)


async def test_tls_1_1_is_refused(app: Sanic[Any, Any], tmp_path: Path) -> None:
    async with app.serving(port=0, ssl=write_certificate(tmp_path / "a", "a.test")) as server:
        process = await asyncio.create_subprocess_exec(
            *("openssl", "s_client", "-tls1_1", "-cipher", "ALL:@SECLEVEL=0", "-connect", f"127.0.0.1:{server.port}"),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        output, _ = await asyncio.wait_for(process.communicate(), PATIENCE)
        assert process.returncode != 0
        assert b"alert protocol version" in output


@pytest.mark.parametrize(
    "sent", [b"GET / HTTP/1.1\r\nhost: a.test\r\n\r\n", b"\x00" * 100, b"\x16\x03\x01\x00\x05xxxxx"]
)
async def test_what_is_no_tls_is_cut_without_a_word_in_the_log(
    app: Sanic[Any, Any], tmp_path: Path, sent: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    app.config.REQUEST_TIMEOUT = 0.5
    async with app.serving(port=0, ssl=write_certificate(tmp_path / "a", "a.test")) as server:
        caplog.clear()
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        writer.write(sent)
        try:
            received = await asyncio.wait_for(reader.read(), PATIENCE)
        except ConnectionResetError:
            received = b""
        # At most an alert, and nothing of HTTP.
        assert len(received) <= 7
        writer.close()
    assert caplog.messages == []


async def test_a_handshake_has_no_more_time_than_the_head_of_a_request(app: Sanic[Any, Any], tmp_path: Path) -> None:
    app.config.REQUEST_TIMEOUT = 0.3
    async with app.serving(port=0, ssl=write_certificate(tmp_path / "a", "a.test")) as server:
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        writer.write(b"\x16\x03\x01")
        with suppress(ConnectionResetError):
            assert await asyncio.wait_for(reader.read(), PATIENCE) == b""
        writer.close()


async def test_a_refusal_is_read_by_a_client_that_is_still_sending(app: Sanic[Any, Any], tmp_path: Path) -> None:
    app.config.REQUEST_MAX_SIZE = 1000
    app.add_route(lambda request: text("all"), "/", methods=["POST"], name="upload")
    async with app.serving(port=0, ssl=write_certificate(tmp_path / "a", "127.0.0.1")) as server:
        url = f"https://127.0.0.1:{server.port}/"
        async with httpx.AsyncClient(verify=client_context(), trust_env=False, timeout=PATIENCE) as client:
            assert (await client.post(url, content=b"x" * 5_000_000)).status_code == 413


async def test_a_slow_client_gets_all_of_the_last_response(app: Sanic[Any, Any], tmp_path: Path) -> None:
    size = 2_000_000
    app.add_route(lambda request: raw(bytes(size)), "/large")

    def read_slowly(port: int) -> int:
        with socket.socket() as plain:
            plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
            plain.settimeout(PATIENCE)
            plain.connect(("127.0.0.1", port))
            with client_context().wrap_socket(plain, server_hostname="a.test") as client:
                client.sendall(b"GET /large HTTP/1.1\r\nhost: a.test\r\nconnection: close\r\n\r\n")
                received = bytearray()
                while data := client.recv(65536):
                    received += data
                    time.sleep(0.01)
                return len(received.partition(b"\r\n\r\n")[2])

    async with app.serving(port=0, ssl=write_certificate(tmp_path / "a", "a.test")) as server:
        assert await asyncio.to_thread(read_slowly, server.port) == size


async def test_an_idle_client_does_not_keep_a_server_from_closing(app: Sanic[Any, Any], tmp_path: Path) -> None:
    app.config.GRACEFUL_TCP_CLOSE_TIMEOUT = 2 * PATIENCE
    async with app.serving(port=0, ssl=write_certificate(tmp_path / "a", "127.0.0.1")) as server:
        url = f"https://127.0.0.1:{server.port}/"
        async with httpx.AsyncClient(verify=client_context(), trust_env=False, timeout=PATIENCE) as client:
            await client.get(url)
            # The client sleeps: it reads nothing, and answers nothing.
            await asyncio.wait_for(asyncio.shield(server.close()), PATIENCE)


# -- Certificates of clients ------------------------------------------------------------------------------------------


@pytest.fixture
def members(tmp_path: Path) -> trustme.CA:
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(tmp_path / "members.pem"))
    return authority


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
@pytest.mark.parametrize("verify", ["required", "optional", None])
async def test_a_client_shows_its_certificate(
    app: Sanic[Any, Any], tmp_path: Path, members: trustme.CA, verify: str | None, version: ssl.TLSVersion
) -> None:
    certificate = files_of(write_certificate(tmp_path / "a", "a.test")) | {"client_ca": tmp_path / "members.pem"}
    certificate |= {"verify": verify} if verify else {}
    async with app.serving(port=0, ssl=certificate) as server:
        member = members.issue_cert("me@a.test", organization_name="Members")
        answer = await ask(server, context=client_context(certificate=member, version=version))
        assert answer["client"] == "Members"
        assert answer["cert"]["verify"] == verify or "required"
        if verify == "optional":
            assert (await ask(server, context=client_context(version=version)))["client"] is None
        else:
            with pytest.raises((httpx.TransportError, ssl.SSLError)):
                await ask(server, context=client_context(version=version))
        stranger = trustme.CA().issue_cert("me@a.test")
        with pytest.raises((httpx.TransportError, ssl.SSLError)):
            await ask(server, context=client_context(certificate=stranger, version=version))


async def test_clients_are_asked_whatever_name_they_ask_for(
    app: Sanic[Any, Any], tmp_path: Path, members: trustme.CA
) -> None:
    asks = {"client_ca": tmp_path / "members.pem"}
    certificates = [files_of(write_certificate(tmp_path / name, f"{name}.test")) | asks for name in "ab"]
    async with app.serving(port=0, ssl=certificates) as server:
        member = members.issue_cert("me@a.test", organization_name="Members")
        for name in ("a.test", "b.test"):
            assert (await ask(server, name, client_context(certificate=member)))["client"] == "Members"
            with pytest.raises((httpx.TransportError, ssl.SSLError)):
                await ask(server, name)


# -- Mistakes ---------------------------------------------------------------------------------------------------------


def _mistakes(path: Path) -> dict[str, tuple[Any, str]]:
    good, other = path / "good", path / "other"
    files = files_of(good)
    closed = write_certificate(path / "closed", "a.test", password=PASSWORD)
    write_certificate(path / "nameless", "a.test")
    asking = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    asking.verify_mode = ssl.CERT_REQUIRED
    nameless = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    (path / "text").write_text("no certificate")
    return {
        "no key": ({"cert": files["cert"]}, "A certificate has no 'key': give the path of the private key"),
        "no cert": ({"key": files["key"]}, "A certificate has no 'cert'"),
        "no dict": (3, "ssl=3 is no certificate. Give a dict"),
        "no path": (files | {"key": 3}, "3 is no path of the private key"),
        "no path but text": (
            files | {"key": (good / "privkey.pem").read_text()},
            "The private key is given as text. Write it to a file, and give its path",
        ),
        "missing file": (files | {"key": path / "missing"}, "missing cannot be read: No such file or directory"),
        "missing directory": (path / "missing", "missing does not exist. Give the directory that holds fullchain.pem"),
        "a file": (files["cert"], "fullchain.pem is a file. Give the directory"),
        "empty directory": (path, "fullchain.pem cannot be read"),
        "no certificate": (files | {"cert": path / "text"}, "text holds no certificate in PEM format"),
        "no private key": (files | {"key": path / "text"}, "text holds no private key in PEM format"),
        "other key": (files | {"key": other / "privkey.pem"}, "other/privkey.pem does not belong to the certificate"),
        "no password": (closed, "privkey.pem is protected by a password: give it as 'password'"),
        "wrong password": (files_of(closed) | {"password": "wrong"}, "The password of .*privkey.pem is wrong"),
        "password": (files | {"password": 3}, "must be text or bytes"),
        "names": (files | {"names": ["a.test", ""]}, "'' in 'names' is no host name"),
        "verify": (files | {"verify": "always"}, "'verify' must be 'required' or 'optional', not 'always'"),
        "verify alone": (files | {"verify": "optional"}, "'verify' is 'optional' without 'client_ca'"),
        "client_ca": (files | {"client_ca": path / "text"}, r"text \('client_ca'\) holds no certificate"),
        "empty list": ([], "is a list without a certificate"),
        "only none": ([None], "is a list without a certificate"),
        "none later": ([good, None], "None in a list of certificates must stand first"),
        "no names": ([nameless, nameless], "The certificates bear no names"),
        "different": ([good, files | {"client_ca": good / "fullchain.pem"}], "in the same way"),
        "context that asks": ([asking], "An ssl.SSLContext in a list cannot ask clients"),
    }


MISTAKES = [
    "no key",
    "no cert",
    "no dict",
    "no path",
    "no path but text",
    "missing file",
    "missing directory",
    "a file",
    "empty directory",
    "no certificate",
    "no private key",
    "other key",
    "no password",
    "wrong password",
    "password",
    "names",
    "verify",
    "verify alone",
    "client_ca",
    "empty list",
    "only none",
    "none later",
    "no names",
    "different",
    "context that asks",
]


@pytest.mark.parametrize("mistake", MISTAKES)
async def test_a_mistake_is_told_before_anything_is_bound(app: Sanic[Any, Any], tmp_path: Path, mistake: str) -> None:
    write_certificate(tmp_path / "good", "a.test")
    write_certificate(tmp_path / "other", "a.test")
    given, message = _mistakes(tmp_path)[mistake]
    with pytest.raises(ValueError, match=message) as caught:
        await app.create_server(port=0, ssl=given)
    assert "\n" not in str(caught.value)
    for secret in (PASSWORD, "-----", "KEY"):
        assert secret not in str(caught.value)


async def test_a_certificate_that_has_expired_is_served_with_a_warning(
    app: Sanic[Any, Any], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    from datetime import datetime

    directory = write_certificate(tmp_path / "a", "a.test", not_after=datetime(2020, 1, 2))
    async with app.serving(port=0, ssl=directory):
        assert any("has expired on Jan  2 00:00:00 2020 GMT" in line for line in caplog.messages)
