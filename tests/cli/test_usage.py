"""Help, and what is said of arguments that make no sense."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sanic import __version__
from sanic.cli.app import SanicCLI

Call = Callable[..., Any]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["server", "--unknown"], "unrecognized arguments: --unknown"),
        (["server", "--work", "2"], "unrecognized arguments: --work."),
        (["server", "dance"], "invalid choice: 'dance'"),
        (["server", "stop", "--pid", "3"], "unrecognized arguments: --pid"),
        (["--debug"], "the following arguments are required: TARGET"),
        (["server", "--port", "many"], "'many' is no port"),
        (["server", "--port", "65536"], "'65536' is no port"),
        (["server", "--port", "-1"], "argument -p/--port: expected one argument"),
        (["server", "--workers", "0"], "'0' is no number from 1 on"),
        (["server", "--workers", "two"], "'two' is no number from 1 on"),
        (["server", "--max-requests", "x"], "'x' is no number from 0 on"),
        (["server", "--drain-seconds", "nan"], "'nan' is no number of seconds"),
        (["server", "--drain-seconds=-1"], "'-1' is no number of seconds"),
        (["server", "--http", "2"], "invalid choice: 2"),
        (["server", "--fast", "--workers", "2"], "not allowed with argument"),
        (["server", "--fast", "--single-process"], "not allowed with argument"),
        (["server", "--workers", "2", "--single-process"], "not allowed with argument"),
        (["server", "--factory", "--simple"], "not allowed with argument"),
        (["server", "--single-process", "--dev"], "not allowed with --dev"),
        (["server", "--single-process", "-R", "."], "which need the manager"),
        (["server", "--single-process", "--max-rss", "100"], "argument --max-rss: not allowed with --single-process"),
        (["server", "--force"], "argument -f/--force: it is for 'sanic TARGET stop'"),
        (["status"], "one of the arguments --pid --pidfile is required"),
        (["kill", "--pid", "x"], "invalid int value"),
        (["status", "--pid", "1", "--pidfile", "x"], "not allowed with argument"),
    ],
)
def test_wrong_arguments_end_with_status_2(sanic: Call, arguments: list[str], said: str) -> None:
    ended = sanic(*arguments)
    assert ended.status == 2
    assert said in ended.err
    assert ended.err.startswith("usage: sanic ")
    assert " --help' explains the options.\n" in ended.err
    assert not ended.out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--cert", "x"], "--cert needs --key"),
        (["--key", "x"], "--key needs --cert"),
        (["--cert", "x", "--key", "x", "--tls", "x"], "--tls and --cert exclude each other"),
        (["--tls-strict-host"], "--tls-strict-host needs --tls"),
        (["--auto-tls", "--tls", "x"], "--auto-tls makes a certificate"),
        (["--pidfile", "x"], "--pidfile is for a daemon: add -D"),
        (["--logfile", "x"], "--logfile is for a daemon: add -D"),
        (["--user", "x"], "--user is for a daemon: add -D"),
        (["-D", "--dev"], "--daemon and --dev exclude each other"),
        (["-D", "--reload"], "--daemon and --reload exclude each other"),
        (["-D", "-R", "."], "--daemon and --reload-dir exclude each other"),
        (["-D", "--repl"], "--daemon and --repl exclude each other"),
    ],
)
def test_options_that_miss_or_exclude_another_end_with_status_1(sanic: Call, arguments: list[str], said: str) -> None:
    ended = sanic("server", *arguments)
    assert ended.status == 1
    assert said in ended.err
    assert ended.err.count("\n") == 1


@pytest.mark.parametrize("arguments", [[], ["-h"], ["--help"], ["help"]])
def test_short_help_fits_on_a_screen(sanic: Call, arguments: list[str]) -> None:
    ended = sanic(*arguments)
    assert ended.status == 0
    assert "--unix" in ended.out
    assert "help --full" in ended.out
    assert len(ended.out.splitlines()) <= 24


@pytest.mark.parametrize("arguments", [["help", "--full"], ["server", "--help"]])
def test_full_help_explains_each_option(sanic: Call, arguments: list[str]) -> None:
    ended = sanic(*arguments)
    assert ended.status == 0
    for option in options():
        assert option in ended.out
    for group in ("application", "HTTP", "socket", "TLS", "workers", "development", "daemon", "output"):
        assert f"\n{group}:\n" in ended.out


@pytest.mark.parametrize("arguments", [["--version"], ["-v"]])
def test_the_versions_are_told(sanic: Call, arguments: list[str]) -> None:
    ended = sanic(*arguments)
    assert ended.status == 0
    assert re.fullmatch(rf"Sanic {re.escape(__version__)}; Routing \S+\n", ended.out)


def options() -> set[str]:
    return set(re.findall(r"(?<![\w-])--?[a-z0-9DHR][a-z-]*", SanicCLI().parser.format_help()))


@pytest.mark.parametrize("option", sorted(options()))
def test_the_page_about_the_command_line_tells_of_each_option(option: str) -> None:
    page = (Path(__file__).parents[2] / "docs" / "command-line.md").read_text()
    assert re.search(rf"`{option}[` ]|[,/] ?{option}\b", page)


async def test_an_action_may_stand_behind_options(sanic: Call, tmp_path: Path) -> None:
    ended = sanic("--pidfile", str(tmp_path / "none.pid"), "server", "--motd", "status")
    assert ended.status == 1
    assert "No pid file can be read at" in ended.err


def test_the_inspector_has_its_own_options(sanic: Call) -> None:
    ended = sanic("inspect", "--help")
    assert ended.status == 0
    assert "sanic inspect [-H HOST]" in ended.out
