"""The inspector of a running server, over HTTP; one server serves most tests, since each of them takes a while."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import ssl
from collections.abc import AsyncIterator, Callable
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
import pytest_asyncio
import trustme

from tests.certificates import PASSWORD, client_context, write_certificate
from tests.processes import PATIENCE, Program, running
from tests.worker.load import steady_load

pytestmark = pytest.mark.asyncio(loop_scope="module")

CUSTOM = """
from multiprocessing import Value

from sanic.exceptions import ServiceUnavailable
from sanic.worker.inspector import Inspector


class Mine(Inspector):
    limit = 5

    def __init__(self, *args):
        super().__init__(*args)
        self.called_back = self.add

    @property
    def trap(self):
        raise RuntimeError("this must not run")

    def counted(self):
        return self.hits.value

    def add(self, a, b=2, *rest, **more):
        return {"a": a, "b": b, "rest": rest, "more": more}

    async def later(self, seconds):
        await asyncio.sleep(float(seconds))
        return Sanic.get_app().name

    @classmethod
    def cls_name(cls):
        return cls.__name__

    @staticmethod
    def loose():
        return "never"

    def boom(self):
        raise ValueError("the command is broken")

    def busy(self):
        raise ServiceUnavailable("not now")

    def odd(self):
        return object()

    def _private(self):
        return "never"


app.inspector_class = Mine
app.config.INSPECTOR = True
app.config.INSPECTOR_HOST = "127.0.0.1"
app.config.INSPECTOR_PORT = int(os.environ.get("TEST_INSPECTOR_PORT", "0"))


@app.before_server_start
async def note(app):
    app.m.state["flavour"] = "vanilla"


@app.main_process_start
async def share(app):
    app.shared_ctx.hits = Value("i", 0)


@app.get("/hit")
async def hit(request):
    with app.shared_ctx.hits.get_lock():
        app.shared_ctx.hits.value += 1
    return text("")


@app.main_process_ready
async def ready(app):
    app.inspector.hits = app.shared_ctx.hits
    print("port", app.inspector.port, type(app.inspector).__name__, sorted(app.inspector.worker_state))
"""

RUN = """
if __name__ == "__main__":
    app.run(port=0, workers=2, access_log=False, motd_display={"team": "blue"})
"""


class Inspected:
    """A server with an inspector, and a client of that."""

    def __init__(self, program: Program, url: str, **options: Any) -> None:
        self.program = program
        self.url = url
        #: Where the app is served.
        self.served = ""
        self.client = httpx.AsyncClient(base_url=url, trust_env=False, timeout=PATIENCE, **options)

    async def post(self, action: str, /, content: bytes | None = None, **arguments: Any) -> httpx.Response:
        content = json.dumps(arguments).encode() if content is None else content
        return await self.client.post(f"/{action}", content=content)

    async def workers(self) -> dict[str, Any]:
        workers: dict[str, Any] = (await self.client.get("/")).json()["result"]["workers"]
        return workers

    async def until(self, is_so: Callable[[dict[str, Any]], object]) -> dict[str, Any]:
        """Wait until the workers, those that serve, are as they should be."""

        async def wait() -> dict[str, Any]:
            while True:
                found = {name: state for name, state in (await self.workers()).items() if "Server" in name}
                if is_so(found):
                    return found
                await asyncio.sleep(0.05)

        return await asyncio.wait_for(wait(), PATIENCE)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def inspected(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Inspected]:
    async with running(CUSTOM + RUN, directory=tmp_path_factory.mktemp("inspected")) as program:
        served = await program.line(r"Goin' Fast @ (\S+)")
        await program.line("port ")
        inspected = Inspected(program, await program.line(r"Inspector ready at (\S+)"))
        async with inspected.client:
            await inspected.until(all_served(2))
            inspected.served = served
            yield inspected
        assert await program.stop() == 0, program.output


def all_served(count: int) -> Callable[[dict[str, Any]], bool]:
    return lambda workers: (
        len(workers) == count and all(state["state"] == "ACKED" and state["serving"] for state in workers.values())
    )


async def test_the_state_of_everything_is_told(inspected: Inspected) -> None:
    response = await inspected.client.get("/")

    content = response.json()
    assert content["meta"] == {"action": "info"}
    info = content["result"]["info"]
    assert set(info) == {"app", "mode", "server", "python", "platform", "packages", "extra"}
    assert (info["app"], info["extra"]) == ("program", {"team": "blue"})
    assert any(package.startswith("sanic-routing==") for package in info["packages"])
    workers = content["result"]["workers"]
    assert workers["Sanic-Main"]["pid"] == inspected.program.process.pid
    assert workers["Sanic-Inspector-0"]["server"] is False
    worker = workers["Sanic-Server-0-0"]
    assert (worker["state"], worker["serving"], worker["starts"], worker["restarts"]) == ("ACKED", True, 1, 0)
    assert worker["flavour"] == "vanilla"
    assert datetime.fromisoformat(worker["start_at"]).tzinfo is not None
    assert 0 <= worker["uptime"] < 3600


async def test_the_main_process_has_the_inspector(inspected: Inspected) -> None:
    port = inspected.url.rpartition(":")[2]
    assert f"port {port} Mine ['Sanic-Main']" in inspected.program.output


async def test_what_is_put_on_it_in_the_main_process_goes_along(inspected: Inspected) -> None:
    for count in range(3):
        assert (await inspected.post("counted")).json()["result"] == count
        assert (await inspected.client.get(f"{inspected.served}/hit")).status_code == 200


@pytest.mark.parametrize(
    ("action", "body", "status", "told"),
    [
        ("add", {"args": [1]}, 200, {"a": 1, "b": 2, "rest": [], "more": {}}),
        ("add", {"args": ["x", "y", "z"], "k": 2}, 200, {"a": "x", "b": "y", "rest": ["z"], "more": {"k": 2}}),
        ("add", {"b": None, "a": 1}, 200, {"a": 1, "b": None, "rest": [], "more": {}}),
        ("later", {"seconds": 0}, 200, "program"),
        ("cls_name", {}, 200, "Mine"),
        ("add", {}, 400, "add: missing a required argument: 'a'. It takes (a, b=2, *rest, **more)."),
        ("add", {"args": [1], "a": 2}, 400, "add: multiple values for argument 'a'. It takes (a, b=2, *rest, **more)."),
        ("boom", {"x": 1}, 400, "boom: got an unexpected keyword argument 'x'. It takes ()."),
        ("add", {"args": "abc"}, 400, "args must be a list of positional arguments, not 'abc'."),
        ("add", [1], 400, "The body must be a JSON object of arguments, not list."),
        ("scale", {}, 400, "scale: missing a required argument: 'replicas'. It takes (replicas)."),
        ("scale", {"replicas": 0}, 400, "replicas must be a whole number from 1 to 9999, not 0."),
        ("scale", {"replicas": -1}, 400, "replicas must be a whole number from 1 to 9999, not -1."),
        ("scale", {"replicas": "two"}, 400, "replicas must be a whole number from 1 to 9999, not 'two'."),
        ("scale", {"replicas": 1.5}, 400, "replicas must be a whole number from 1 to 9999, not 1.5."),
        ("scale", {"replicas": "10000"}, 400, "replicas must be a whole number from 1 to 9999, not '10000'."),
        (
            "scale",
            {"replicas": "9" * 5000},
            400,
            f"replicas must be a whole number from 1 to 9999, not '{'9' * 5000}'.",
        ),
        ("scale", {"replicas": True}, 400, "replicas must be a whole number from 1 to 9999, not True."),
        ("reload", {"zero_downtime": "yes"}, 400, "zero_downtime must be true or false, not 'yes'."),
        ("shutdown", {"now": True}, 400, "shutdown: got an unexpected keyword argument 'now'. It takes ()."),
        ("nothing", {}, 404, "Unknown action: nothing"),
        ("_private", {}, 404, "Unknown action: _private"),
        ("__class__", {}, 404, "Unknown action: __class__"),
        ("limit", {}, 404, "Unknown action: limit"),
        ("host", {}, 404, "Unknown action: host"),
        ("called_back", {}, 404, "Unknown action: called_back"),
        ("trap", {}, 404, "Unknown action: trap"),
        ("loose", {}, 404, "Unknown action: loose"),
        ("mro", {}, 404, "Unknown action: mro"),
        ("add/it", {}, 404, "Unknown action: add/it"),
        ("busy", {}, 503, "not now"),
    ],
)
async def test_a_command_is_a_public_method(
    inspected: Inspected, action: str, body: Any, status: int, told: Any
) -> None:
    response = await inspected.post(action, json.dumps(body).encode())

    content = response.json()
    if status == 200:
        assert (response.status_code, content) == (200, {"meta": {"action": action}, "result": told})
    else:
        assert (response.status_code, content["message"]) == (status, told)


@pytest.mark.parametrize("body", [b"{", b"\xff", b"[" * 100_000, b"yes"])
async def test_what_is_no_json_is_refused(inspected: Inspected, body: bytes) -> None:
    response = await inspected.post("add", body)

    assert response.status_code == 400
    assert response.json()["message"].startswith("The body is no JSON: ")


async def test_no_body_is_no_argument(inspected: Inspected) -> None:
    assert (await inspected.post("cls_name", b"")).json()["result"] == "Mine"


async def test_large_bodies_are_refused(inspected: Inspected) -> None:
    assert (await inspected.post("add", b" " * ((1 << 20) + 1))).status_code == 413


@pytest.mark.parametrize(
    ("method", "path", "status", "allowed"),
    [
        ("GET", "/reload", 405, "POST"),
        ("PUT", "/reload", 405, "POST"),
        ("POST", "/", 405, "GET, HEAD"),
        ("POST", "/metrics", 404, None),
        ("GET", "/nothing", 404, None),
        ("HEAD", "/", 200, None),
    ],
)
async def test_each_path_has_its_methods(
    inspected: Inspected, method: str, path: str, status: int, allowed: str | None
) -> None:
    response = await inspected.client.request(method, path)

    assert (response.status_code, response.headers.get("allow")) == (status, allowed)


async def test_a_command_that_fails_is_logged_and_the_inspector_goes_on(inspected: Inspected) -> None:
    response = await inspected.post("boom")

    assert response.status_code == 500
    assert "the command is broken" not in response.text
    await inspected.program.line("ValueError: the command is broken")
    assert (await inspected.post("cls_name")).status_code == 200


async def test_a_result_that_json_cannot_hold_is_named(inspected: Inspected) -> None:
    response = await inspected.post("odd")

    assert response.status_code == 500
    assert response.json()["message"].startswith("What odd returned cannot be written as JSON: ")


async def test_commands_run_beside_each_other(inspected: Inspected) -> None:
    slow = asyncio.create_task(inspected.post("later", seconds=30))
    await inspected.program.line("Command later from 127.0.0.1")

    assert (await inspected.post("cls_name")).status_code == 200
    slow.cancel()


async def test_web_pages_of_others_cannot_give_commands(inspected: Inspected) -> None:
    headers = {"origin": "http://page.test"}

    assert (await inspected.client.post("/shutdown", headers=headers)).status_code == 403
    assert (await inspected.client.get("/", headers=headers)).status_code == 200


async def test_the_number_of_workers_is_changed(inspected: Inspected) -> None:
    assert (await inspected.post("scale", replicas=3)).json()["result"] == "Scaling to 3"
    await inspected.until(all_served(3))

    assert (await inspected.post("scale", replicas="2")).json()["result"] == "Scaling to 2"
    await inspected.until(all_served(2))


@pytest.mark.parametrize("arguments", [{}, {"zero_downtime": True}])
async def test_all_workers_are_replaced_and_the_inspector_is_not(
    inspected: Inspected, arguments: dict[str, Any]
) -> None:
    before = await inspected.workers()

    response = await inspected.post("reload", **arguments)

    assert response.json() == {"meta": {"action": "reload"}, "result": None}
    after = await inspected.until(
        lambda workers: (
            all_served(2)(workers)
            and all(state["pid"] not in (None, before.get(name, {}).get("pid")) for name, state in workers.items())
        )
    )
    assert all(state["restarts"] == state["starts"] - 1 > 0 for state in after.values())
    assert (await inspected.workers())["Sanic-Inspector-0"]["pid"] == before["Sanic-Inspector-0"]["pid"]


async def test_requests_are_counted(inspected: Inspected) -> None:
    def count(workers: dict[str, Any]) -> int:
        return sum(state["requests"] for state in workers.values())

    before = count(await inspected.until(all_served(2)))
    for _ in range(5):
        assert (await inspected.client.get(inspected.served)).status_code == 200

    after = await inspected.until(lambda workers: count(workers) >= before + 5)
    assert count(after) == before + 5
    assert all(state["rss"] > 1_000_000 and state["connections"] >= 0 for state in after.values())


async def test_metrics_are_told(inspected: Inspected) -> None:
    response = await inspected.client.get("/metrics")

    assert response.headers["content-type"] == "application/openmetrics-text; version=1.0.0; charset=utf-8"
    lines = response.text.splitlines()
    assert lines[-1] == "# EOF"
    assert "sanic_workers 2" in lines
    for family in ("restarts_total", "uptime_seconds", "serving", "requests_total", "connections"):
        assert sum(line.startswith(f"sanic_worker_{family}{{") for line in lines) == 2, family


async def test_an_inspector_that_dies_is_replaced_on_its_port(inspected: Inspected) -> None:
    before = (await inspected.workers())["Sanic-Inspector-0"]["pid"]
    os.kill(before, signal.SIGKILL)

    assert await inspected.program.line(r"Inspector ready at (\S+)") == inspected.url
    assert (await inspected.workers())["Sanic-Inspector-0"]["pid"] != before


# -- Servers of their own ---------------------------------------------------------------------------------------------


async def test_shutdown_is_answered_and_everything_ends(tmp_path: Path) -> None:
    async with running(CUSTOM + RUN, directory=tmp_path) as program:
        inspected = Inspected(program, await program.line(r"Inspector ready at (\S+)"))
        async with inspected.client:
            await inspected.until(all_served(2))
            assert (await inspected.post("shutdown")).json() == {"meta": {"action": "shutdown"}, "result": None}

        assert await program.end() == 0
        assert "Server Stopped" in program.lines[-1]
        assert "Traceback" not in program.output
        port = int(inspected.url.rpartition(":")[2])
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection("127.0.0.1", port)


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = write_certificate(tmp_path_factory.mktemp("certificates"), "localhost", "127.0.0.1", password=PASSWORD)
    trustme.CA().issue_cert("other.test").private_key_pem.write_to_path(str(directory / "other.pem"))
    return directory


async def is_trusted(port: int, context: ssl.SSLContext) -> bool:
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context)
    except ssl.SSLCertVerificationError:
        return False
    writer.close()
    return True


async def until_renewed(files: Path, port: int) -> None:
    """Replace the certificate of a server, and wait until new connections see the other one."""
    authority = trustme.CA()
    write_certificate(files, "127.0.0.1", authority=authority)
    context = client_context(authority=authority)

    deadline = asyncio.get_running_loop().time() + PATIENCE
    while not await is_trusted(port, context):
        # Nothing tells of it: the files are looked at when somebody asks.
        await asyncio.sleep(0.05)
        assert asyncio.get_running_loop().time() < deadline


async def test_a_key_is_wanted_for_everything_over_tls(tmp_path: Path, files: Path) -> None:
    environment = {
        "SANIC_INSPECTOR_API_KEY": "sésame",
        "SANIC_INSPECTOR_TLS_KEY": str(files / "privkey.pem"),
        "SANIC_INSPECTOR_TLS_CERT": str(files / "fullchain.pem"),
        "SANIC_TLS_CERT_PASSWORD": PASSWORD,
    }
    async with running(CUSTOM + RUN, directory=tmp_path, **environment) as program:
        url = await program.line(r"Inspector ready at (\S+)")
        assert url.startswith("https://")
        inspected = Inspected(program, url, verify=client_context())
        async with inspected.client as client:
            right = {"authorization": "Bearer sésame".encode()}
            wrong = [b"", b"Bearer", b"Bearer wrong", "Bearer sésam".encode(), b"Basic eDp5", b"Bearer \xff"]
            for value in wrong:
                for method, path in [("GET", "/"), ("GET", "/metrics"), ("POST", "/reload"), ("POST", "/nothing")]:
                    response = await client.request(method, path, headers={"authorization": value} if value else {})
                    assert (response.status_code, response.json()["message"]) == (401, "Bad API key"), (value, path)
                    assert response.headers["www-authenticate"] == "Bearer"
            assert (await client.get("/", headers=right)).status_code == 200
            # Who knows the key is no page of somebody else.
            headers = {**right, "origin": "http://page.test"}
            assert (await client.post("/cls_name", headers=headers)).json()["result"] == "Mine"
        await until_renewed(files, int(url.rpartition(":")[2]))
        plain = socket.create_connection(("127.0.0.1", int(url.rpartition(":")[2])), timeout=PATIENCE)
        with plain:
            plain.sendall(b"GET / HTTP/1.1\r\nhost: localhost\r\n\r\n")
            assert b"200" not in plain.recv(4096)
        assert await program.stop() == 0


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"TLS_KEY": "privkey.pem"}, "INSPECTOR_TLS_KEY is set and INSPECTOR_TLS_CERT is not"),
        ({"TLS_CERT": "fullchain.pem"}, "INSPECTOR_TLS_CERT is set and INSPECTOR_TLS_KEY is not"),
        ({"TLS_KEY": "gone.pem", "TLS_CERT": "fullchain.pem"}, "gone.pem cannot be read"),
        ({"TLS_KEY": "other.pem", "TLS_CERT": "fullchain.pem"}, "other.pem does not belong to the certificate"),
    ],
)
async def test_tls_that_cannot_work_is_refused_at_the_start(
    tmp_path: Path, files: Path, settings: dict[str, str], reason: str
) -> None:
    environment = {f"SANIC_INSPECTOR_{name}": str(files / file) for name, file in settings.items()}
    async with running(CUSTOM + RUN, directory=tmp_path, **environment) as program:
        assert await program.end() == 1

    (line,) = [line for line in program.lines if "ERROR" in line]
    assert "Startup failed: " in line
    assert reason in line
    assert "Traceback" not in program.output


async def test_a_port_that_is_taken_is_one_clear_line(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        async with running(CUSTOM + RUN, directory=tmp_path, TEST_INSPECTOR_PORT=str(port)) as program:
            assert await program.end() == 1

    (line,) = [line for line in program.lines if "ERROR" in line]
    assert "Startup failed: The inspector cannot be reached at INSPECTOR_HOST and INSPECTOR_PORT" in line
    assert f"Address already in use: 127.0.0.1:{port}." in line
    assert "Traceback" not in program.output


async def test_a_single_process_has_no_inspector_and_says_so(tmp_path: Path) -> None:
    source = "app.config.INSPECTOR = True\napp.run(port=0, single_process=True)"
    async with running(source, directory=tmp_path) as program:
        await program.line("There is no inspector: it needs the manager")
        await program.line("Worker ready")
        assert await program.stop() == 0


async def test_an_inspector_can_be_served_by_hand(tmp_path: Path) -> None:
    source = """
import logging

from sanic.worker.inspector import Inspector

logging.basicConfig(level="INFO", format="%(message)s", stream=sys.stdout)
sent = []
publisher = type("Publisher", (), {"send": sent.append})
Inspector(publisher, {"app": "none"}, {"Sanic-Server-0-0": {"server": True}}, "127.0.0.1", 0, "", None, None)(run=True)
print("sent", sent)
"""
    async with running(source, directory=tmp_path, PYTHONWARNINGS="error") as program:
        url = await program.line(r"Inspector ready at (\S+)")
        async with httpx.AsyncClient(base_url=url, trust_env=False, timeout=PATIENCE) as client:
            assert (await client.get("/")).json()["result"]["info"] == {"app": "none"}
            await client.post("/scale", json={"replicas": 4})
        assert await program.stop() == 0

    assert "sent [Scale(workers=4)]" in program.output


@pytest.mark.e2e
@pytest.mark.parametrize("method", ["fork", "forkserver"])
async def test_it_works_however_processes_are_started(tmp_path: Path, method: str) -> None:
    source = CUSTOM + f'Sanic.start_method = "{method}"\n' + RUN
    async with running(source, directory=tmp_path) as program:
        inspected = Inspected(program, await program.line(r"Inspector ready at (\S+)"))
        async with inspected.client:
            before = await inspected.until(all_served(2))
            await inspected.post("reload", zero_downtime=True)
            await inspected.until(
                lambda workers: (
                    all_served(2)(workers)
                    and all(state["pid"] != before[name]["pid"] for name, state in workers.items())
                )
            )
        assert await program.stop() == 0, program.output


async def test_an_inspector_for_all_without_a_key_is_warned_of_and_without_commands_does_not_import_the_program(
    tmp_path: Path,
) -> None:
    source = "print(f\"imported by {os.environ.get('SANIC_WORKER_NAME')}\")\napp.config.INSPECTOR_PORT = 0\n"
    source += 'app.config.INSPECTOR = True\napp.config.INSPECTOR_HOST = "0.0.0.0"\n' + RUN
    async with running(source, directory=tmp_path) as program:
        await program.line("takes commands from anybody who can reach it: set INSPECTOR_API_KEY")
        inspected = Inspected(program, await program.line(r"Inspector ready at (\S+)"))
        async with inspected.client:
            await inspected.until(all_served(2))
        assert await program.stop() == 0

    assert "imported by Sanic-Server-0-0" in program.output
    assert "imported by Sanic-Inspector-0" not in program.output


@pytest.mark.e2e
async def test_commands_lose_no_request(inspected: Inspected) -> None:
    port = urlsplit(inspected.served).port
    assert port is not None

    async with steady_load("127.0.0.1", port) as load:
        await load.until(100)
        before = await inspected.until(all_served(2))
        for arguments in ({"zero_downtime": True}, {}):
            await inspected.post("reload", **arguments)
            before = await inspected.until(
                lambda workers, old=before: (
                    all_served(2)(workers) and all(state["pid"] != old[name]["pid"] for name, state in workers.items())
                )
            )
            await load.until(100)
        for replicas in (4, 2):
            await inspected.post("scale", replicas=replicas)
            await inspected.until(all_served(replicas))
            await load.until(100)

    assert load.lost == []
