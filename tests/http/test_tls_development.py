"""Certificates for development, made by the tools themselves."""

from __future__ import annotations

import asyncio
import importlib.util
import os
import shutil
import ssl
import stat
import sys
from contextlib import AsyncExitStack
from pathlib import Path
from textwrap import dedent

import httpx
import pytest

from sanic import Sanic
from sanic.constants import LocalCertCreator
from sanic.exceptions import SanicException
from tests.processes import PATIENCE, running

RUN = "app.run(port=0, debug=True, auto_tls=True, single_process=True, access_log=False)"


async def trusted(url: str, authority: Path, name: str = "localhost") -> str:
    context = ssl.create_default_context(cafile=str(authority))
    async with httpx.AsyncClient(verify=context, trust_env=False, timeout=PATIENCE) as client:
        return (await client.get(url, extensions={"sni_hostname": name})).text


def mode_of(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


async def test_trustme_makes_a_certificate_that_is_kept_for_the_next_start(tmp_path: Path) -> None:
    environment = {"XDG_CACHE_HOME": str(tmp_path / "cache"), "SANIC_LOCAL_CERT_CREATOR": "trustme"}
    kept = tmp_path / "cache/sanic/tls/trustme-localhost"
    contents = []
    for turn in range(2):
        async with running(RUN, directory=tmp_path, **environment) as program:
            url = await program.url()
            assert url.startswith("https://127.0.0.1:")
            assert await trusted(url, kept / "cert.pem") == "hello"
            assert await program.stop() == 0
            assert ("trustme has made a certificate for localhost" in program.output) is (turn == 0)
            assert {mode_of(kept / name) for name in ("cert.pem", "key.pem")} == {0o600}
            assert mode_of(kept) == 0o700
            contents.append((kept / "cert.pem").read_bytes())
            assert sorted(os.listdir(kept)) == ["cert.pem", "key.pem"]
    assert contents[0] == contents[1]


async def test_servers_that_start_together_have_one_certificate_made(tmp_path: Path) -> None:
    tools = tmp_path / "tools"
    tools.mkdir()
    (tools / "mkcert").write_text(
        f"""#!/bin/sh
        echo called >> {tools}/calls
        sleep 1
        cd "$(dirname "$2")" && {sys.executable} -m trustme -q -i localhost
        mv server.key "$2" && mv server.pem "$4" && mv client.pem {tools}
        """
    )
    (tools / "mkcert").chmod(0o755)
    environment = {"XDG_CACHE_HOME": str(tmp_path), "PATH": f"{tools}{os.pathsep}{os.environ['PATH']}"}
    async with AsyncExitStack() as stack:
        programs = []
        for number in range(3):
            directory = tmp_path / str(number)
            directory.mkdir()
            programs.append(await stack.enter_async_context(running(RUN, directory=directory, **environment)))
        urls = await asyncio.gather(*(program.url() for program in programs))
        assert [await trusted(url, tools / "client.pem") for url in urls] == ["hello"] * 3
        assert [await program.stop() for program in programs] == [0] * 3
    assert (tools / "calls").read_text().split() == ["called"]


async def test_a_directory_that_cannot_be_locked_holds_a_certificate_all_the_same(tmp_path: Path) -> None:
    # What NFS says of a descriptor that is only for reading.
    source = """
    import fcntl

    def flock(descriptor, operation):
        raise OSError(9, "Bad file descriptor")

    fcntl.flock = flock
    """
    environment = {"XDG_CACHE_HOME": str(tmp_path), "SANIC_LOCAL_CERT_CREATOR": "trustme"}
    async with running(dedent(source) + RUN, directory=tmp_path, **environment) as program:
        assert await trusted(await program.url(), tmp_path / "sanic/tls/trustme-localhost/cert.pem") == "hello"
        assert await program.stop() == 0


@pytest.mark.skipif(shutil.which("mkcert") is None, reason="mkcert is not installed")
async def test_mkcert_is_preferred_and_its_authority_signs(tmp_path: Path) -> None:
    # Else mkcert would look for stores to put its authority into.
    environment = {"XDG_CACHE_HOME": str(tmp_path), "CAROOT": str(tmp_path), "TRUST_STORES": "none"}
    async with running(RUN, directory=tmp_path, **environment) as program:
        url = await program.url()
        assert await trusted(url, tmp_path / "rootCA.pem") == "hello"
        assert await program.stop() == 0
        assert mode_of(tmp_path / "sanic/tls/mkcert-localhost/key.pem") == 0o600


async def test_a_tool_that_fails_is_quoted_in_one_line(tmp_path: Path) -> None:
    tools = tmp_path / "tools"
    tools.mkdir()
    (tools / "mkcert").write_text("#!/bin/sh\necho 'warming up' >&2\necho 'ERROR: no key ring' >&2\nexit 1\n")
    (tools / "mkcert").chmod(0o755)
    path = f"{tools}{os.pathsep}{os.environ['PATH']}"
    async with running(RUN, directory=tmp_path, XDG_CACHE_HOME=str(tmp_path), PATH=path) as program:
        assert await program.end() == 1
        assert "ERROR: Startup failed: mkcert has made no certificate: ERROR: no key ring" in program.output
        assert "Traceback" not in program.output
        assert not (tmp_path / "sanic/tls/mkcert-localhost/key.pem").exists()


async def test_it_is_made_for_the_configured_name_and_kept_at_the_configured_paths(tmp_path: Path) -> None:
    settings = f"""
        app.config.LOCALHOST = "dev.test"
        app.config.LOCAL_CERT_CREATOR = "trustme"
        app.config.LOCAL_TLS_CERT = {str(tmp_path / "mine/c.pem")!r}
        app.config.LOCAL_TLS_KEY = {str(tmp_path / "mine/k.pem")!r}
        if __name__ == "__main__":
            app.run(port=0, debug=True, auto_tls=True, access_log=False)
        """
    async with running(settings, directory=tmp_path) as program:
        url = await program.url()
        for name in ("dev.test", "localhost"):
            assert await trusted(url, tmp_path / "mine/c.pem", name) == "hello"
        assert await program.stop() == 0
        assert mode_of(tmp_path / "mine/k.pem") == 0o600


async def test_one_path_without_the_other_is_a_mistake(tmp_path: Path) -> None:
    async with running(f"app.config.LOCAL_TLS_KEY = '/k.pem'\n{RUN}", directory=tmp_path) as program:
        assert await program.end() == 1
        assert "Startup failed: LOCAL_TLS_KEY is set and LOCAL_TLS_CERT is not: set both" in program.output


@pytest.mark.parametrize("version", [1, 3])
def test_no_certificate_is_made_in_production(version: int) -> None:
    pytest.importorskip("aioquic")
    app = Sanic("production")
    with pytest.raises(SanicException, match="for development only, and this is production mode"):
        app.prepare(version=version, auto_tls=True)


def test_trustme_makes_none_for_http3() -> None:
    pytest.importorskip("aioquic")
    app = Sanic("quick")
    app.config.LOCAL_CERT_CREATOR = LocalCertCreator.TRUSTME
    with pytest.raises(SanicException, match="set LOCAL_CERT_CREATOR to mkcert"):
        app.prepare(version=3, debug=True)


def test_the_usual_port_is_8443() -> None:
    app = Sanic("port")
    app.prepare(debug=True, auto_tls=True)
    assert app.serve_location == "https://127.0.0.1:8443"


async def test_without_a_tool_the_remedy_is_told(tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    source = f"sys.modules['trustme'] = None\nimport importlib.util\n{RUN}"
    # A name in `sys.modules` that is None cannot be found, as if it was not installed.
    assert importlib.util.find_spec("trustme") is not None
    async with running(source, directory=tmp_path, PATH=str(tmp_path / "bin"), XDG_CACHE_HOME=str(tmp_path)) as program:
        assert await program.end() == 1
        assert "There is no tool that makes a certificate for development: install mkcert" in program.output
        assert "pip install trustme" in program.output
        assert "Traceback" not in program.output
