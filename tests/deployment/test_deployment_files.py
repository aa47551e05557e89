"""The files that docs/deployment/ shows: they are valid, fit each other, and run."""

from __future__ import annotations

import asyncio
import re
import shlex
import shutil
import signal
import subprocess
import sys
from configparser import RawConfigParser
from json import loads
from pathlib import Path
from runpy import run_path
from typing import Any

import pytest

from sanic.config import Config
from tests.harness import serving
from tests.processes import command, get

ROOT = Path(__file__).parents[2]
DOCUMENTED = ROOT / "docs" / "deployment"
UNIT = (DOCUMENTED / "systemd" / "shop.service").read_text()
DOCKERFILES = [ROOT / "Dockerfile", DOCUMENTED / "docker" / "Dockerfile"]


def unit() -> RawConfigParser:
    parser = RawConfigParser(strict=False, delimiters=["="])
    parser.optionxform = str  # type: ignore[assignment, method-assign]
    parser.read_string(UNIT)
    return parser


def manifests() -> list[dict[str, Any]]:
    yaml = pytest.importorskip("yaml")
    return list(yaml.safe_load_all((DOCUMENTED / "kubernetes" / "shop.yaml").read_text()))


def pod() -> dict[str, Any]:
    return manifests()[0]["spec"]["template"]["spec"]  # type: ignore[no-any-return]


def longest_stop(arguments: list[str]) -> float:
    """Seconds that a server started with these arguments may take to end, by default."""
    drain = arguments[arguments.index("--drain-seconds") + 1] if "--drain-seconds" in arguments else 0
    return float(drain) + float(Config(env_prefix=None).GRACEFUL_SHUTDOWN_TIMEOUT)


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed")
def test_the_unit_is_valid(tmp_path: Path) -> None:
    program = "/srv/shop/.venv/bin/sanic"
    assert program in UNIT
    path = tmp_path / "shop.service"
    path.write_text(UNIT.replace(program, sys.executable))
    result = subprocess.run(["systemd-analyze", "verify", str(path)], capture_output=True, text=True, timeout=30)

    assert [line for line in result.stderr.splitlines() if "shop.service" in line] == []


def test_the_time_to_stop_is_enough_everywhere() -> None:
    assert float(unit()["Service"]["TimeoutStopSec"]) > longest_stop(shlex.split(unit()["Service"]["ExecStart"]))
    [container] = pod()["containers"]
    assert pod()["terminationGracePeriodSeconds"] > longest_stop(container["args"]) + 5


@pytest.mark.parametrize("probe", ["startupProbe", "readinessProbe", "livenessProbe"])
async def test_the_probes_ask_for_what_the_app_has(probe: str) -> None:
    asked = pod()["containers"][0][probe]["httpGet"]
    async with serving(run_path(str(DOCUMENTED / "shop.py"))["app"]) as server:
        assert (await server.get(asked["path"])).status_code == 200


def test_the_probes_ask_where_the_image_serves() -> None:
    [container] = pod()["containers"]
    [port] = container["ports"]
    image = DOCKERFILES[1].read_text()

    assert {container[probe]["httpGet"]["port"] for probe in container if probe.endswith("Probe")} == {port["name"]}
    assert f"EXPOSE {port['containerPort']}\n" in image
    assert f'"--port", "{port["containerPort"]}"]' in image
    # What is served is drained before it is taken out of the endpoints for good.
    probe, arguments = container["readinessProbe"], container["args"]
    drain = float(arguments[arguments.index("--drain-seconds") + 1])
    assert probe["periodSeconds"] * probe["failureThreshold"] < drain


def test_the_environment_of_the_files_is_configuration(monkeypatch: pytest.MonkeyPatch) -> None:
    given = dict(re.findall(r"^Environment=(\w+)=(.*)$", UNIT, re.MULTILINE))
    given.update({item["name"]: item["value"] for item in pod()["containers"][0]["env"]})
    for name, value in given.items():
        monkeypatch.setenv(name, value)

    keys = {name.removeprefix("SANIC_") for name in given if name.startswith("SANIC_")}
    assert keys <= {*Config(env_prefix=None)}
    assert Config().TRUSTED_PROXIES.entries == ("10.244.0.0/16",)


@pytest.mark.parametrize("path", DOCKERFILES, ids=["repository", "documentation"])
def test_an_image_is_small_and_runs_without_rights_and_without_a_shell(path: Path) -> None:
    text = path.read_text().replace("\\\n", " ")
    instructions = [line.split(maxsplit=1) for line in text.splitlines() if line and not line.startswith("#")]
    words: dict[str, list[str]] = {}
    for name, rest in instructions:
        words.setdefault(name, []).append(rest)

    assert len(words["FROM"]) == 2
    assert all("-slim" in image for image in words["FROM"])
    assert words["USER"][-1].isdecimal()
    assert f"--uid {words['USER'][-1]} " in text
    assert words["STOPSIGNAL"] == ["SIGTERM"]
    for name in ("CMD", "ENTRYPOINT"):
        assert all(rest.startswith("[") for rest in words.get(name, []))


async def test_the_health_check_of_the_image_tells_a_server_that_answers_from_none() -> None:
    image = DOCKERFILES[1].read_text().replace("\\\n", " ")
    [check] = re.findall(r"^HEALTHCHECK .* CMD (\[.*\])$", image, re.MULTILINE)
    python, *arguments = loads(check)
    assert python == "python"
    async with serving(run_path(str(DOCUMENTED / "shop.py"))["app"]) as server:
        url = server.url
        arguments = [word.replace("http://127.0.0.1:8000", url) for word in arguments]
        async with command(sys.executable, *arguments, directory=ROOT) as program:
            assert await program.end() == 0
    async with command(sys.executable, *arguments, directory=ROOT) as program:
        assert await program.end() == 1


def started_by_the_image(arguments: list[str] | None = None) -> list[str]:
    """The command of a container, with other arguments than those of the image if Kubernetes has some."""
    words = {
        name: loads(rest) for name, rest in re.findall(r"^(ENTRYPOINT|CMD) (\[.*\])$", DOCKERFILES[1].read_text(), re.M)
    }
    command = [*words["ENTRYPOINT"], *(arguments or words["CMD"])]
    assert command[0] == "sanic"
    for option, value in {"--host": "127.0.0.1", "--port": "0", "--drain-seconds": "0.5"}.items():
        if option in command:
            command[command.index(option) + 1] = value
    return [sys.executable, "-m", *command]


@pytest.mark.e2e
@pytest.mark.parametrize("is_kubernetes", [False, True], ids=["docker", "kubernetes"])
async def test_the_command_of_the_image_serves_and_ends(is_kubernetes: bool) -> None:
    arguments = pod()["containers"][0]["args"] if is_kubernetes else None
    words = started_by_the_image(arguments)
    async with command(*words, directory=DOCUMENTED, PYTHONDONTWRITEBYTECODE="1") as program:
        url = await program.line(r"Goin' Fast @ (\S+)")
        for _ in range(int(words[words.index("--workers") + 1])):
            await program.line("Worker ready")
        assert (await get(url, "/health/ready")).text == "ready"
        assert await program.stop() == 0


@pytest.mark.e2e
async def test_the_command_of_the_unit_serves_reloads_and_ends(tmp_path: Path) -> None:
    path = tmp_path / "app.sock"
    words = shlex.split(unit()["Service"]["ExecStart"].replace("/run/shop/app.sock", str(path)))
    environment = dict(re.findall(r"^Environment=(SANIC_\w+)=(.*)$", UNIT, re.MULTILINE))
    arguments = [sys.executable, "-m", "sanic", *words[1:]]
    workers = int(words[words.index("--workers") + 1])
    async with command(*arguments, directory=DOCUMENTED, PYTHONDONTWRITEBYTECODE="1", **environment) as program:
        for _ in range(workers):
            await program.line("Worker ready")
        reader, writer = await asyncio.open_unix_connection(str(path))
        writer.write(b"GET / HTTP/1.1\r\nhost: a.b\r\nx-forwarded-for: 203.0.113.7\r\nconnection: close\r\n\r\n")
        answer = await asyncio.wait_for(reader.read(), 20)
        writer.close()
        assert b'"client":"203.0.113.7"' in answer
        await program.line(r"203\.0\.113\.7 GET http://a\.b/ 200")

        assert unit()["Service"]["ExecReload"] == "/bin/kill -HUP $MAINPID"
        program.send(signal.SIGHUP)
        for _ in range(workers):
            await program.line("Worker ready")
        while program.output.count("Worker complete") < workers:
            await program.line("Worker complete")
        assert (await get("http://shop.example", "/health/ready", unix=str(path))).text == "ready"
        assert await program.stop() == 0
    assert not path.exists()
