"""`sanic TARGET -D`, and the commands that ask after a daemon or end it."""

from __future__ import annotations

import os
import pwd
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.processes import PATIENCE, command, get

Call = Callable[..., Any]

HAS_PROC = Path("/proc/self/stat").exists()


@pytest.fixture(autouse=True)
def _usual_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / "runtime"))
    (tmp_path / "runtime").mkdir()


@pytest.fixture
def sleeper() -> Iterator[subprocess.Popen[bytes]]:
    """A process that is no daemon."""
    process = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    yield process
    process.kill()
    process.wait()


class Daemon:
    """A daemon that a test has started; ended with it."""

    def __init__(self, directory: Path, *arguments: str) -> None:
        self.directory = directory
        self.log = directory / "daemon.log"
        self.ended = self.call("server", "-D", "--logfile", "daemon.log", *arguments)
        match = re.search(r"PID: +(\d+)\n +PID file: (.+)\n", self.ended.stdout)
        self.pid = int(match[1]) if match else 0
        self.pid_file = Path(match[2]) if match else Path()

    def call(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "sanic", *arguments],
            cwd=self.directory,
            timeout=PATIENCE,
            text=True,
            capture_output=True,
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
        )

    def wait_for(self, text: str) -> str:
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            if self.log.exists() and (match := re.search(text, self.log.read_text())):
                return match[0]
            time.sleep(0.02)
        raise AssertionError(f"{text!r} is not in the log:\n{self.log.read_text()}")

    def url(self) -> str:
        self.wait_for("Worker ready")
        return self.wait_for(r"http://\S+:\d+")

    def is_over(self) -> bool:
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            if not processes_of(self.pid):
                return True
            time.sleep(0.02)
        return False


def processes_of(session: int) -> list[int]:
    """The processes of a daemon: it is no leader of its session, but the others have it for their parent."""
    found = []
    for entry in Path("/proc").iterdir() if HAS_PROC else ():
        if entry.name.isdecimal():
            try:
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            if session in (int(entry.name), int(fields[1])) and fields[0] != "Z":
                found.append(int(entry.name))
    return found


@pytest.fixture
def start(directory: Path) -> Iterator[Callable[..., Daemon]]:
    started: list[Daemon] = []

    def new(*arguments: str) -> Daemon:
        daemon = Daemon(directory, *arguments)
        started.append(daemon)
        return daemon

    yield new
    for daemon in started:
        for pid in processes_of(daemon.pid) if daemon.pid else ():
            os.kill(pid, signal.SIGKILL)


async def test_a_daemon_serves_is_found_and_stopped(start: Callable[..., Daemon], directory: Path) -> None:
    path = directory / "server.py"
    path.write_text(path.read_text() + "\napp.static('/files', './site', name='files')\n")
    daemon = start("-p", "0", "-w", "2")
    assert daemon.ended.returncode == 0
    assert daemon.ended.stdout.startswith("Starting Sanic in daemon mode...\n")
    assert daemon.pid_file == directory / "runtime" / "sanic" / "server.pid"
    text = daemon.pid_file.read_text()
    assert re.fullmatch(rf"sanic\npid={daemon.pid}\nstarted=[\d.]+\nname=server\n", text)
    assert daemon.pid_file.with_suffix(".lock").exists()

    url = daemon.url()
    assert (await get(url)).text == "server"
    # Relative paths of the program mean the directory that it was started in; the daemon works in another one.
    assert (await get(url, "/files/index.html")).text == "<p>hello"
    if HAS_PROC:
        assert os.readlink(f"/proc/{daemon.pid}/cwd") == "/"

    status = daemon.call("server", "status")
    assert (status.returncode, status.stdout) == (0, f"Process {daemon.pid} is running\n")
    again = daemon.call("server", "-D")
    assert (again.returncode, again.stderr) == (1, f"Daemon error: Daemon already running with PID {daemon.pid}\n")
    assert (await get(url)).text == "server"

    assert daemon.call("server", "stop").returncode == 0
    assert daemon.is_over()
    assert list(daemon.pid_file.parent.iterdir()) == []
    assert "Server Stopped" in daemon.log.read_text()
    assert daemon.call("server", "status").returncode == 1


async def test_a_daemon_of_a_single_process_keeps_its_files_where_it_is_told(
    start: Callable[..., Daemon], directory: Path
) -> None:
    daemon = start("--single-process", "--unix", "app.sock", "--pidfile", "here.pid")
    assert daemon.pid_file == directory / "here.pid"
    daemon.wait_for("Worker ready")
    assert (await get("http://localhost", unix=str(directory / "app.sock"))).text == "server"
    os.kill(daemon.pid, signal.SIGTERM)
    assert daemon.is_over()
    assert not daemon.pid_file.exists()
    assert not (directory / "here.lock").exists()
    assert not (directory / "app.sock").exists()


async def test_a_daemon_that_is_killed_leaves_no_worker_behind(start: Callable[..., Daemon]) -> None:
    daemon = start("-p", "0", "-w", "2")
    url = daemon.url()
    assert daemon.call("kill", "--pidfile", str(daemon.pid_file)).returncode == 0
    assert not daemon.pid_file.exists()
    assert await is_gone(url)


async def is_gone(url: str) -> bool:
    end = time.monotonic() + PATIENCE
    with suppress(httpx.TransportError):
        while time.monotonic() < end:
            await get(url)
        return False
    return True


async def test_a_daemon_that_cannot_start_says_so_in_its_log_and_leaves_no_files(
    start: Callable[..., Daemon], directory: Path
) -> None:
    async with command(sys.executable, "-m", "sanic", "./site", "-p", "0", directory=directory) as program:
        port = (await program.url()).rpartition(":")[2]
        daemon = start("-p", port)
        assert daemon.ended.returncode == 0
        daemon.wait_for("Startup failed: Address already in use")
        assert daemon.is_over()
        assert not daemon.pid_file.exists()
        assert await program.stop() == 0


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may run as somebody else")
@pytest.mark.parametrize("arguments", [["--single-process"], ["--workers", "2"]])
async def test_privileges_are_dropped_once_the_address_is_bound(
    start: Callable[..., Daemon], directory: Path, arguments: list[str]
) -> None:
    nobody = pwd.getpwnam("nobody")
    if arguments != ["--single-process"] and not can_start_processes(nobody.pw_uid):
        pytest.skip("this interpreter is not for all users")
    make_readable(directory)
    path = directory / "server.py"
    path.write_text(f"{path.read_text()}\n\n@app.get('/user')\ndef user(_):\n    return text(str(os.getuid()))\n")
    path.write_text(f"import os\n{path.read_text()}")
    daemon = start("-p", "0", "--user", "nobody", *arguments)
    url = daemon.url()
    assert (await get(url, "/user")).text == str(nobody.pw_uid)
    assert not HAS_PROC or owner(daemon.pid) == nobody.pw_uid
    assert daemon.call("server", "stop").returncode == 0
    assert daemon.is_over()


def can_start_processes(user: int) -> bool:
    # A worker imports everything anew.
    program = [sys.executable, "-c", "import multiprocessing.spawn, sanic.app"]
    try:
        return not subprocess.run(program, user=user, cwd="/", capture_output=True).returncode
    except OSError:
        return False


def owner(pid: int) -> int:
    return Path(f"/proc/{pid}").stat().st_uid


def make_readable(directory: Path) -> None:
    while directory != directory.parent and directory.stat().st_uid == os.getuid():
        directory.chmod(directory.stat().st_mode | 0o055)
        directory = directory.parent


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--user", "nobody-knows"], "Daemon error: There is no user 'nobody-knows'."),
        (["--group", "nobody-knows"], "Daemon error: There is no group 'nobody-knows'."),
        (["--logfile", "missing/x.log"], "Daemon error: The log file "),
        (["--pidfile", "missing/x.pid"], "Daemon error: "),
    ],
)
def test_what_a_daemon_cannot_do_is_told_before_it_leaves(sanic: Call, arguments: list[str], said: str) -> None:
    ended = sanic("server", "-D", *arguments)
    assert ended.status == 1
    assert said in ended.err


@pytest.mark.parametrize("name", ["x.pid", "x.lock"])
def test_a_file_of_something_else_is_neither_overwritten_nor_removed(sanic: Call, tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("precious\n")
    ended = sanic("server", "-D", "--pidfile", str(tmp_path / "x.pid"))
    assert ended.status == 1
    assert f"{name} exists and is not of a Sanic daemon. Remove it, or choose another path." in ended.err
    assert (tmp_path / name).read_text() == "precious\n"


# -- By number, and by file -------------------------------------------------------------------------------------------


def write(path: Path, pid: int, started: float) -> Path:
    path.write_text(f"sanic\npid={pid}\nstarted={started}\nname=server\n")
    return path


def test_a_process_is_asked_after_by_its_number(sanic: Call, sleeper: subprocess.Popen[bytes]) -> None:
    ended = sanic("status", "--pid", str(sleeper.pid))
    assert (ended.status, ended.out) == (0, f"Process {sleeper.pid} is running\n")
    assert sanic("kill", "--pid", str(sleeper.pid)).status == 0
    assert sleeper.wait(PATIENCE) == -signal.SIGKILL
    ended = sanic("status", "--pid", str(sleeper.pid))
    assert (ended.status, ended.out) == (1, f"Process {sleeper.pid} is NOT running\n")
    assert sanic("kill", "--pid", str(sleeper.pid)).status == 1


@pytest.mark.parametrize(("arguments", "number"), [([], signal.SIGTERM), (["--force"], signal.SIGKILL)])
def test_stop_asks_and_with_force_it_kills(
    sanic: Call, sleeper: subprocess.Popen[bytes], tmp_path: Path, arguments: list[str], number: int
) -> None:
    path = write(tmp_path / "x.pid", sleeper.pid, time.time())
    assert sanic("server", "stop", "--pidfile", str(path), *arguments).status == 0
    assert sleeper.wait(PATIENCE) == -number
    assert not path.exists()
    assert not path.with_suffix(".lock").exists()


@pytest.mark.parametrize("action", [["status"], ["kill"], ["stop"]])
def test_a_number_that_another_process_has_by_now_is_left_alone(
    sanic: Call, sleeper: subprocess.Popen[bytes], tmp_path: Path, action: list[str]
) -> None:
    path = write(tmp_path / "x.pid", sleeper.pid, time.time() - 3600)
    ended = sanic(*action, "--pidfile", str(path))
    assert ended.status == 1
    assert f"Process {sleeper.pid} is NOT running" in ended.out + ended.err
    assert sleeper.poll() is None
    assert not path.exists()


def test_a_lock_that_nobody_holds_tells_that_the_daemon_has_ended(
    sanic: Call, sleeper: subprocess.Popen[bytes], tmp_path: Path
) -> None:
    path = write(tmp_path / "x.pid", sleeper.pid, time.time())
    path.with_suffix(".lock").touch()
    assert sanic("kill", "--pidfile", str(path)).status == 1
    assert sleeper.poll() is None
    assert not path.exists()
    assert not path.with_suffix(".lock").exists()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (None, "No pid file can be read at "),
        ("", "is no pid file of a Sanic daemon: it does not begin with the line 'sanic'"),
        ("1234\n", "is no pid file of a Sanic daemon"),
        ("sanic\npid=x\n", "is no pid file of a Sanic daemon"),
        ("sanic\npid=-1\n", "is no pid file of a Sanic daemon: -1 is no process id"),
        ("sanic\n", "is no pid file of a Sanic daemon"),
    ],
)
@pytest.mark.parametrize("action", ["status", "kill", "stop"])
def test_a_file_that_is_none_ends_with_status_1(
    sanic: Call, tmp_path: Path, action: str, text: str | None, said: str
) -> None:
    path = tmp_path / "x.pid"
    if text is not None:
        path.write_text(text)
    ended = sanic(action, "--pidfile", str(path))
    assert ended.status == 1
    assert said in ended.err
    assert path.exists() is (text is not None)


@pytest.mark.parametrize("arguments", [["restart", "--pid", "1"], ["server", "restart"]])
def test_restart_is_not_yet_there(sanic: Call, arguments: list[str]) -> None:
    ended = sanic(*arguments)
    assert ended.status == 0
    assert "not yet implemented" in ended.out
