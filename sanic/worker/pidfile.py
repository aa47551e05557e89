"""The file that says which process is a daemon, the lock that says whether it still runs, and that process.

How it has become one, and what it serves, is known elsewhere. POSIX systems only.
"""

from __future__ import annotations

import os
import signal
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from select import select

#: Seconds by which clocks may differ that tell when a process was started.
_CLOCK_SLACK = 2.0
_POLL_SECONDS = 0.05
#: The first line of a pid file.
_HEAD = "sanic"


class DaemonError(Exception):
    """The process cannot become a daemon, or cannot be found; the message says why."""


# -- Which process it is ----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class PidRecord:
    """What a pid file says.

    Args:
        pid: Id of the main process.
        started: When it was started, in seconds since the epoch; 0 if that is not known.
        name: Name of the application.
    """

    pid: int
    started: float = 0.0
    name: str = ""

    @classmethod
    def parse(cls, text: str) -> PidRecord:
        """Read the text of a file.

        Raises:
            ValueError: It is not one of ours.
        """
        head, *lines = text.splitlines() or [""]
        values = dict(line.partition("=")[::2] for line in lines)
        if head.strip() != _HEAD:
            raise ValueError(f"it does not begin with the line {_HEAD!r}")
        pid = int(values.get("pid", ""))
        if pid <= 0:
            raise ValueError(f"{pid} is no process id")
        return cls(pid, float(values.get("started") or 0), values.get("name", ""))

    def __str__(self) -> str:
        return f"{_HEAD}\npid={self.pid}\nstarted={self.started:.3f}\nname={self.name}\n"


class PidFile:
    """The file that keeps the process id of a daemon, and beside it a lock that the daemon holds as long as it lives.

    Args:
        path: Where the file is.
    """

    def __init__(self, path: Path) -> None:
        self.path = Path(os.path.abspath(path))
        name = self.path.name
        self.lock_path = self.path.with_name(f"{name.removesuffix('.pid') or name}.lock")
        self._lock: int | None = None

    def acquire(self) -> None:
        """Take the lock, before the process goes into the background.

        Raises:
            DaemonError: A daemon holds it, or the file cannot be written, or belongs to something else.
        """
        try:
            self._refuse_strangers()
            self._lock = _lock(self.lock_path)
            if self._lock is None:
                raise DaemonError(self._describe_running())
        except OSError as error:
            raise DaemonError(f"{self.path} cannot be written: {error.strerror}.") from error

    def _refuse_strangers(self) -> None:
        # They would be overwritten now, and removed in the end.
        for path, is_own in ((self.path, _may_be_pid_file), (self.lock_path, _is_empty)):
            if path.exists() and not (path.is_file() and is_own(path)):
                raise DaemonError(f"{path} exists and is not of a Sanic daemon. Remove it, or choose another path.")

    def _describe_running(self) -> str:
        try:
            return f"Daemon already running with PID {self.read().pid}"
        except DaemonError:
            return f"Daemon already running: it holds {self.lock_path}"

    def write(self, name: str) -> None:
        """Write down this process.

        Args:
            name: Name of the application.
        """
        temporary = self.path.with_name(f".{self.path.name}.{os.getpid()}")
        temporary.write_text(str(PidRecord(os.getpid(), time.time(), name)))
        os.replace(temporary, self.path)

    def give_to(self, user: int, group: int) -> None:
        """Make it belong to another user, who can remove it then, if the directory allows it."""
        for path in (self.path, self.lock_path):
            with suppress(OSError):
                os.chown(path, user, group)

    def read(self) -> PidRecord:
        """What it says.

        Raises:
            DaemonError: It is not there, or is no pid file.
        """
        try:
            return PidRecord.parse(self.path.read_text())
        except OSError as error:
            raise DaemonError(f"No pid file can be read at {self.path}: {error.strerror}.") from error
        except ValueError as error:
            raise DaemonError(f"{self.path} is no pid file of a Sanic daemon: {error}.") from error

    def is_held(self) -> bool | None:
        """Whether a process holds the lock, None if that cannot be told."""
        if self._lock is not None:
            return True
        import fcntl

        try:
            lock = os.open(self.lock_path, os.O_RDONLY | os.O_CLOEXEC)
        except OSError:
            return None
        try:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except OSError:
            return True
        finally:
            os.close(lock)
        return False

    def remove_after(self, pid: int) -> None:
        """Remove what a process has left, unless another one has taken its place meanwhile.

        Args:
            pid: Id of the process.
        """
        lock = None
        with suppress(OSError):
            lock = _lock(self.lock_path)
        with suppress(DaemonError):
            # The lock may still be held: by workers that were forked, and notice only now that they are alone.
            if lock is not None or self.read().pid == pid:
                self.remove()
        if lock is not None:
            os.close(lock)

    def remove(self) -> None:
        """Remove the file and the lock, as far as this user may."""
        for path in (self.path, self.lock_path):
            with suppress(OSError):
                path.unlink()

    def release(self) -> None:
        """Let go of the lock without removing anything: the process that was forked off holds it."""
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None


def _may_be_pid_file(path: Path) -> bool:
    with open(path, errors="replace") as file:
        return file.readline(len(_HEAD) + 2).strip() in ("", _HEAD)


def _is_empty(path: Path) -> bool:
    return path.stat().st_size == 0


def _lock(path: Path) -> int | None:
    import fcntl

    while True:
        lock = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(lock)
            return None
        # Who ended meanwhile may have removed the file; then another one could be locked beside it.
        with suppress(FileNotFoundError):
            if os.path.samestat(os.fstat(lock), os.stat(path)):
                return lock
        os.close(lock)


def usual_directory() -> Path:
    """The directory where pid files are kept."""
    runtime = os.environ.get("XDG_RUNTIME_DIR")
    candidates = [Path(runtime) / "sanic"] if runtime else []
    # Without a home directory there is none of these.
    with suppress(RuntimeError):
        home = Path.home()
        candidates += [home / ".local" / "state" / "sanic", home / ".cache" / "sanic"]
    for directory in candidates:
        with suppress(OSError):
            directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            if os.access(directory, os.W_OK | os.X_OK):
                return directory
    return Path.cwd()


# -- A process by its id ----------------------------------------------------------------------------------------------


class RunningProcess:
    """A process of somebody else, by its id.

    Args:
        pid: Its id.
    """

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self._descriptor: int | None = None
        if hasattr(os, "pidfd_open"):
            with suppress(OSError, OverflowError):
                # Stays with this very process, even if its id is given to another one.
                self._descriptor = os.pidfd_open(pid)

    @classmethod
    def of(cls, file: PidFile) -> RunningProcess | None:
        """The process that a pid file stands for, None if it has ended: its id may belong to another one by now.

        Raises:
            DaemonError: The file cannot be read.
        """
        record = file.read()
        process = cls(record.pid)
        if process.is_running() and file.is_held() is not False and not process.is_younger_than(record.started):
            return process
        process.close()
        return None

    def is_running(self) -> bool:
        """Whether it has not ended."""
        if self._descriptor is not None:
            return not select([self._descriptor], [], [], 0)[0]
        try:
            os.kill(self.pid, 0)
        except PermissionError:
            return True
        except (ProcessLookupError, OverflowError):
            return False
        fields = _fields_of(self.pid)
        # One that has ended, but that nobody has asked for its status.
        return not fields or fields[0] not in ("Z", "X")

    def is_younger_than(self, moment: float) -> bool:
        """Whether it is known to have been started after a moment, in seconds since the epoch."""
        fields = _fields_of(self.pid)
        if not moment or not fields:
            return False
        since_boot = int(fields[19]) / os.sysconf("SC_CLK_TCK")
        age = time.clock_gettime(time.CLOCK_BOOTTIME) - since_boot
        return time.time() - age > moment + _CLOCK_SLACK

    def send(self, number: int) -> None:
        """Send it a signal.

        Raises:
            DaemonError: That is not allowed, or it has ended.
        """
        try:
            if self._descriptor is not None:
                signal.pidfd_send_signal(self._descriptor, number)
            else:
                os.kill(self.pid, number)
        except PermissionError as error:
            raise DaemonError(f"Process {self.pid} belongs to another user.") from error
        except ProcessLookupError as error:
            raise DaemonError(f"Process {self.pid} is NOT running") from error

    def wait(self, seconds: float) -> bool:
        """Wait for its end; returns whether it has come."""
        end = time.monotonic() + seconds
        while self.is_running():
            remaining = end - time.monotonic()
            if remaining <= 0:
                return False
            if self._descriptor is None:
                time.sleep(_POLL_SECONDS)
            else:
                select([self._descriptor], [], [], remaining)
        return True

    def close(self) -> None:
        """Let go of it."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


def _fields_of(pid: int) -> list[str]:
    # Of proc_pid_stat(5), from the state on, which is the third; the second one may hold blanks and parentheses.
    try:
        return Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(")")[2].split()
    except OSError:
        return []
