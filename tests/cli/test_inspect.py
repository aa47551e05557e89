"""`sanic inspect` against the inspector of a running server, and against what is none."""

from __future__ import annotations

import asyncio
import json
import socket
import sys
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
import trustme

from sanic.cli.inspect import run_inspect
from tests.processes import PATIENCE, command, running

pytestmark = pytest.mark.asyncio(loop_scope="module")

SERVER = """
from sanic.worker.inspector import Inspector


class Mine(Inspector):
    def echo(self, *args, **rest):
        return [*args, rest]

    def say(self):
        return "all is well"

    def boom(self):
        raise ValueError("broken")


app.inspector_class = Mine
app.config.INSPECTOR = True
app.config.INSPECTOR_HOST = "127.0.0.1"
app.config.INSPECTOR_PORT = 0
app.config.INSPECTOR_API_KEY = "sesame"


@app.before_server_start
async def note(app):
    app.m.state["flavour"] = "vanilla\\x1b[31m"


if __name__ == "__main__":
    app.run(port=0, workers=2, access_log=False)
"""


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("certificates")
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(directory / "authority.pem"))
    certificate = authority.issue_cert("localhost", "127.0.0.1")
    certificate.private_key_and_cert_chain_pem.write_to_path(str(directory / "both.pem"))
    return directory


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def port(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[int]:
    async with running(SERVER, directory=tmp_path_factory.mktemp("inspected")) as program:
        url = await program.line(r"Inspector ready at (\S+)")
        for _ in range(2 - program.output.count("Worker ready")):
            await program.line("Worker ready")
        yield int(url.rpartition(":")[2])
        assert await program.stop() == 0


@pytest.fixture(autouse=True)
def _no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SANIC_INSPECTOR_API_KEY", raising=False)


def at(port: int, *arguments: str) -> list[str]:
    return ["-H", "127.0.0.1", "-p", str(port), "-k", "sesame", *arguments]


async def test_the_workers_are_shown_as_a_table(port: int, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_inspect(at(port)) == 0

    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["app", "program"]
    assert any(line.startswith("packages  sanic-routing==") for line in lines)
    head = next(line for line in lines if line.startswith("process "))
    assert head.split()[:5] == ["process", "state", "pid", "uptime", "restarts"]
    assert head.split()[-1] == "flavour"
    worker = next(line.split() for line in lines if line.startswith("Sanic-Server-0-0"))
    assert worker[1] in ("STARTED", "ACKED")
    assert worker[3].startswith("0:0")
    # What an app says does not steer the terminal.
    assert worker[-1] == "vanilla?[31m"
    assert any(line.startswith("Sanic-Inspector-0") for line in lines)


async def test_the_result_is_printed_as_json_if_asked_for(port: int, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_inspect(at(port, "--raw")) == 0

    result = json.loads(capsys.readouterr().out)
    assert result["info"]["app"] == "program"
    assert result["workers"]["Sanic-Server-1-0"]["server"] is True


@pytest.mark.parametrize(
    ("arguments", "result"),
    [
        (["echo"], [{}]),
        (["echo", "1", "two"], ["1", "two", {}]),
        (["echo", "--key=v", "x", "--dry-run", "--no-fast-lane", "-5"], ["x", "-5", None]),
        (["echo", "--empty=", "--a=b=c"], [None]),
        (["echo", "--", "--raw", "--port=1", "-k"], ["-k", None]),
    ],
)
async def test_what_follows_a_name_is_for_the_command(
    port: int, capsys: pytest.CaptureFixture[str], arguments: list[str], result: list[Any]
) -> None:
    named: dict[str, Any] = {
        "--key=v": {"key": "v", "dry_run": True, "fast_lane": False},
        "--empty=": {"empty": "", "a": "b=c"},
        "--": {"raw": True, "port": "1"},
    }.get(arguments[1] if len(arguments) > 1 else "", {})

    assert run_inspect(at(port, "--raw", *arguments)) == 0

    expected = [*result[:-1], named]
    assert json.loads(capsys.readouterr().out) == expected


@pytest.mark.parametrize(
    ("arguments", "output"),
    [
        (["say"], "all is well\n"),
        (["say", "--raw"], '"all is well"\n'),
        (["echo", "1"], '[\n  "1",\n  {}\n]\n'),
        (["scale", "2"], "Scaling to 2\n"),
        (["reload", "--no-zero-downtime"], "reload: done\n"),
        (["reload", "--zero-downtime", "--raw"], "null\n"),
    ],
)
async def test_a_result_is_printed(
    port: int, capsys: pytest.CaptureFixture[str], arguments: list[str], output: str
) -> None:
    assert run_inspect(at(port, *arguments)) == 0

    assert capsys.readouterr().out == output


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nothing"], "404 Not Found: Unknown action: nothing.\n"),
        (["say", "x"], "400 Bad Request: say: too many positional arguments. It takes ().\n"),
        (["scale", "0"], "400 Bad Request: replicas must be a whole number from 1 to 9999, not '0'.\n"),
        (["boom"], "500 Internal Server Error: "),
        (
            ["-k", "wrong"],
            "401 Unauthorized: Bad API key. Give the right one with -k, or as SANIC_INSPECTOR_API_KEY.\n",
        ),
        (["-k", "né"], "401 Unauthorized: Bad API key."),
        (["-k", "sesame\n"], "The API key holds control characters, which cannot be sent."),
        (["-p", "1"], "Could not ask the inspector at http://127.0.0.1:1: Connection refused. Is the server running"),
        (["-H", "http://127.0.0.1:1"], "Could not ask the inspector at http://127.0.0.1:"),
        (["-H", "ftp://x"], "'ftp://x' is no host"),
        (["-H", "[::1"], "'[::1' is no host"),
        (["-H", "http://"], "'http://' is no host"),
        (["-H", "a b"], "'a b' is no host"),
        (["-s"], "does not speak TLS as it should: "),
    ],
)
async def test_an_error_is_said_on_stderr(
    port: int, capsys: pytest.CaptureFixture[str], arguments: list[str], message: str
) -> None:
    options = at(port)
    if arguments[0] == "-H" and "127" in arguments[1]:
        options = ["-k", "sesame"]

    assert run_inspect([*options, *arguments]) == 1

    output = capsys.readouterr()
    assert output.out == ""
    assert message in output.err
    assert output.err.count("\n") == 1


@pytest.mark.parametrize(
    "arguments",
    [
        ["scale"],
        ["scale", "1", "2"],
        ["reload", "now"],
        ["reload", "--zero"],
        ["shutdown", "--zero-downtime=1"],
        ["echo", "--a", "--no-a"],
        ["echo", "--args=1"],
        ["--unknown"],
        ["-p", "0"],
        ["-p", "http"],
    ],
)
async def test_wrong_arguments_are_a_usage_error(capsys: pytest.CaptureFixture[str], arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as raised:
        run_inspect(arguments)

    assert raised.value.code == 2
    assert capsys.readouterr().err.startswith("usage: sanic inspect ")


async def test_help_names_the_commands(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as raised:
        run_inspect(["--help"])

    assert raised.value.code == 0
    output = capsys.readouterr().out
    assert all(word in output for word in ("reload", "scale N", "shutdown", "--api-key", "SANIC_INSPECTOR_API_KEY"))


@pytest.mark.parametrize("host", ["http://127.0.0.1:{port}", "http://localhost:{port}/", "127.0.0.1:{port}"])
async def test_the_host_may_be_a_url_and_the_key_stand_in_the_environment(
    port: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], host: str
) -> None:
    monkeypatch.setenv("SANIC_INSPECTOR_API_KEY", "sesame")

    assert run_inspect(["-H", host.format(port=port), "say"]) == 0
    assert capsys.readouterr().out == "all is well\n"


async def test_the_program_knows_the_command(port: int, tmp_path: Path) -> None:
    arguments = ["-m", "sanic", "inspect", *at(port, "say")]
    async with command(sys.executable, *arguments, directory=tmp_path) as program:
        assert await program.end() == 0
    assert program.output == "all is well"


async def test_tls_is_spoken_and_certificates_are_checked(
    tmp_path: Path, certificates: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    both = str(certificates / "both.pem")
    environment = {"SANIC_INSPECTOR_TLS_KEY": both, "SANIC_INSPECTOR_TLS_CERT": both}
    async with running(SERVER, directory=tmp_path, **environment) as program:
        url = await program.line(r"Inspector ready at (https\S+)")
        asked = at(int(url.rpartition(":")[2]))
        assert run_inspect([*asked, "--secure", "say"]) == 1
        assert f"The certificate of {url} is not trusted" in capsys.readouterr().err

        monkeypatch.setenv("SSL_CERT_FILE", str(certificates / "authority.pem"))
        assert run_inspect([*asked, "--secure", "say"]) == 0
        assert run_inspect(["-k", "sesame", "-H", url, "say"]) == 0
        assert capsys.readouterr().out == "all is well\n" * 2
        assert run_inspect([*asked, "say"]) == 1
        assert "If it speaks TLS, add --secure." in capsys.readouterr().err
        assert await program.stop() == 0


@contextmanager
def answering(answer: bytes) -> Iterator[int]:
    """A server that gives one answer, whatever it is asked."""

    def serve() -> None:
        connection, _ = listener.accept()
        with connection:
            connection.settimeout(PATIENCE)
            connection.recv(65536)
            connection.sendall(answer)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve)
        thread.start()
        yield listener.getsockname()[1]
        thread.join(PATIENCE)


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi", "answers, but is no inspector"),
        (b'HTTP/1.1 200 OK\r\ncontent-length: 8\r\n\r\n{"a": 1}', "answers, but is no inspector"),
        (b"HTTP/1.1 502 Bad Gateway\r\ncontent-length: 0\r\n\r\n", "502 Bad Gateway: no explanation."),
        (b"HTTP/1.1 502 \x1b[31mRed\r\ncontent-length: 0\r\n\r\n", "502 ?[31mRed: no explanation."),
        (b"", "Is it an inspector?"),
        (b"SSH-2.0-x\r\n", "Is it an inspector?"),
        (b"HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\nhi", "Is it an inspector?"),
    ],
)
async def test_what_is_no_inspector_is_named(capsys: pytest.CaptureFixture[str], answer: bytes, message: str) -> None:
    with answering(answer) as port:
        assert await asyncio.to_thread(run_inspect, ["-H", "127.0.0.1", "-p", str(port)]) == 1

    output = capsys.readouterr()
    assert message in output.err
    assert output.out == ""


async def test_units_are_readable_and_numbers_stand_right(capsys: pytest.CaptureFixture[str]) -> None:
    state = {"server": True, "state": "ACKED", "pid": 7, "uptime": 90061.5, "rss": 52_428_800, "requests": 3}
    body = json.dumps(
        {
            "meta": {"action": "info"},
            "result": {"info": {"app": "a"}, "workers": {"w": state, "Sanic-Main": {"pid": 1}}},
        }
    ).encode()
    head = f"HTTP/1.1 200 OK\r\ncontent-length: {len(body)}\r\n\r\n".encode()
    with answering(head + body) as port:
        assert await asyncio.to_thread(run_inspect, ["-H", "127.0.0.1", "-p", str(port)]) == 0

    assert capsys.readouterr().out.splitlines() == [
        "app  a",
        "",
        "process     state  pid      uptime  requests       rss",
        "----------  -----  ---  ----------  --------  --------",
        "w           ACKED    7  1d 1:01:01         3  50.0 MiB",
        "Sanic-Main  -        1           -         -         -",
    ]
