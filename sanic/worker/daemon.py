"""The way of a process into the background, and to another user.

What it serves it does not know; POSIX systems only.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sanic.worker.pidfile import DaemonError


@dataclass(frozen=True)
class Identity:
    """The user and the group that a process is to run as.

    Args:
        user: Number of the user.
        group: Number of the group.
        name: Name of the user, for the further groups that they are in; "" for none.
        home: Their home directory.
    """

    user: int
    group: int
    name: str = ""
    home: str = ""

    @classmethod
    def find(cls, user: str | None, group: str | None) -> Identity | None:
        """Find them by name or number.

        Raises:
            DaemonError: They do not exist, or may not be taken.
        """
        if user is None and group is None:
            return None
        import grp
        import pwd

        uid, gid, name, home = os.getuid(), os.getgid(), "", ""
        if user is not None:
            try:
                entry = pwd.getpwuid(int(user)) if user.isdecimal() else pwd.getpwnam(user)
            except (KeyError, OverflowError):
                raise DaemonError(f"There is no user {user!r}.") from None
            uid, gid, name, home = entry.pw_uid, entry.pw_gid, entry.pw_name, entry.pw_dir
        if group is not None:
            try:
                gid = (grp.getgrgid(int(group)) if group.isdecimal() else grp.getgrnam(group)).gr_gid
            except (KeyError, OverflowError):
                raise DaemonError(f"There is no group {group!r}.") from None
        if os.geteuid() != 0 and (uid, gid) != (os.getuid(), os.getgid()):
            raise DaemonError("Only root may run as another user or group: leave --user and --group away.")
        return cls(uid, gid, name, home)

    def take(self) -> None:
        """Become them, for good.

        Raises:
            OSError: That is not allowed.
        """
        if os.geteuid() != 0:
            return
        # The groups first: afterwards it is not allowed any more.
        if self.name:
            os.initgroups(self.name, self.group)
        else:
            os.setgroups([self.group])
        os.setgid(self.group)
        os.setuid(self.user)
        if self.home:
            os.environ.update(HOME=self.home, USER=self.name, LOGNAME=self.name)


def open_log(path: Path | None) -> int:
    """Open what takes the place of standard output and error.

    Raises:
        DaemonError: It cannot be opened.
    """
    try:
        if path is None:
            return os.open(os.devnull, os.O_WRONLY | os.O_CLOEXEC)
        return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o644)
    except OSError as error:
        raise DaemonError(f"The log file {path} cannot be written: {error.strerror}.") from error


def detach(log: int, prepare: Callable[[], Any]) -> int:
    """Go on in the background, in a session of its own and in the directory `/`.

    Args:
        log: The descriptor that takes the output.
        prepare: Called in the background, before it is said that it has come so far.

    Returns:
        0 in the background, and in the foreground the id of the process there.

    Raises:
        DaemonError: In the foreground: it has not come so far.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    reader, writer = os.pipe()
    child = os.fork()
    if child:
        os.close(writer)
        with open(reader, "rb") as answer:
            said = answer.read().decode()
        os.waitpid(child, 0)
        if not said.isdecimal():
            raise DaemonError(said or "The process ended before it could go into the background.")
        return int(said)
    os.close(reader)
    try:
        os.setsid()
        if os.fork():
            # The second process is no leader of a session, so it can never get a terminal again.
            os._exit(0)
        os.chdir("/")
        _redirect(log)
        prepare()
        os.write(writer, str(os.getpid()).encode())
    except BaseException as error:
        os.write(writer, f"{type(error).__name__}: {error}".encode())
        os._exit(1)
    os.close(writer)
    return 0


def _redirect(log: int) -> None:
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    os.dup2(log, 1)
    os.dup2(log, 2)
    for descriptor in (null, log):
        if descriptor > 2:
            os.close(descriptor)
