"""Runs the fuzzing client of the Autobahn test suite against an echo handler, and writes docs/compliance.md.

    python compliance/autobahn.py [--python2 python2.7] [--cases '1.*' '6.*']

The suite needs Python 2.7 with pip; it is installed below `.compliance/`, once. The exit status is 0 when every case
is OK or informational, and every connection was closed as it should be.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

_ROOT = Path(__file__).resolve().parent.parent
_WORK = _ROOT / ".compliance"
_PAGE = _ROOT / "docs" / "compliance.md"
_SUITE = "autobahntestsuite==25.10.1"
_BEGIN, _END = "<!-- autobahn: begin -->", "<!-- autobahn: end -->"

_GOOD = {"OK", "INFORMATIONAL"}
_COMPRESSION_CASES = ["12.*", "13.*"]
_CHAPTERS = {
    "1": "framing",
    "2": "pings and pongs",
    "3": "reserved bits",
    "4": "opcodes",
    "5": "fragmentation",
    "6": "UTF-8",
    "7": "closing",
    "9": "limits and performance",
    "10": "autofragmentation",
    "12": "compression, different payloads",
    "13": "compression, different parameters",
}


def _find_python2(given: str | None) -> str:
    installed = map(str, Path.home().glob(".pyenv/versions/2.7.*/bin/python"))
    for candidate in [given] if given else ["python2.7", *installed]:
        path = shutil.which(candidate)
        # A shim of pyenv may be there without a Python behind it.
        if path and subprocess.run([path, "-c", ""], capture_output=True, check=False).returncode == 0:
            return path
    raise SystemExit("The Autobahn test suite needs Python 2.7: name one with --python2.")


def _suite(python2: str) -> tuple[list[str], dict[str, str]]:
    # Installed as if by a user whose home is below the working directory, so that nothing else is touched.
    environment = {**os.environ, "PYTHONUSERBASE": str(_WORK / "python2")}
    wstest = _WORK / "python2" / "bin" / "wstest"
    if not wstest.exists():
        command = [python2, "-m", "pip", "install", "--quiet", "--no-warn-script-location", "--user", _SUITE]
        subprocess.run(command, env=environment, check=True)
    return [python2, str(wstest)], environment


def _start(*arguments: str) -> tuple[subprocess.Popen[bytes], int]:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port: int = sock.getsockname()[1]
    process = subprocess.Popen([sys.executable, str(_ROOT / "compliance" / "echo_server.py"), str(port), *arguments])
    for _ in range(100):
        with socket.socket() as sock:
            if sock.connect_ex(("127.0.0.1", port)) == 0:
                return process, port
        time.sleep(0.1)
    process.terminate()
    raise SystemExit("The echo server did not start.")


def _run(cases: list[str], python2: str, compressed: bool) -> dict[str, dict[str, Any]]:
    command, environment = _suite(python2)
    name = "compressed" if compressed else "plain"
    reports = _WORK / "reports" / name
    shutil.rmtree(reports, ignore_errors=True)
    reports.mkdir(parents=True)
    process, port = _start(*(["compressed"] if compressed else []))
    try:
        settings = {
            "outdir": str(reports),
            "servers": [{"agent": name, "url": f"ws://127.0.0.1:{port}"}],
            "cases": cases,
            "exclude-cases": [] if compressed else _COMPRESSION_CASES,
        }
        path = _WORK / f"{name}.json"
        path.write_text(json.dumps(settings))
        subprocess.run([*command, "-m", "fuzzingclient", "-s", str(path)], env=environment, check=True, cwd=_WORK)
    finally:
        process.terminate()
        process.wait(30)
    results: dict[str, dict[str, Any]] = json.loads((reports / "index.json").read_text())[name]
    return results


def _is_good(result: dict[str, Any]) -> bool:
    return result["behavior"] in _GOOD and result["behaviorClose"] in _GOOD


def _table(plain: dict[str, dict[str, Any]], compressed: dict[str, dict[str, Any]]) -> str:
    lines = [
        "| chapter | cases, compression off | cases, compression on | OK | informational | other |",
        "|---|---|---|---|---|---|",
    ]
    totals: Counter[str] = Counter()
    for number, title in _CHAPTERS.items():
        off = [result for case, result in plain.items() if case.partition(".")[0] == number]
        on = [result for case, result in compressed.items() if case.partition(".")[0] == number]
        count = Counter("other" if not _is_good(result) else result["behavior"] for result in [*off, *on])
        totals.update(count, off=len(off), on=len(on))
        lines.append(_row(f"{number} {title}", Counter({**count, "off": len(off), "on": len(on)})))
    lines.append(_row("all", totals))
    return "\n".join(lines)


def _row(title: str, count: Counter[str]) -> str:
    cells = [title, *(str(count[name]) for name in ("off", "on", "OK", "INFORMATIONAL", "other"))]
    return f"| {' | '.join(cells)} |"


def _write_page(table: str) -> None:
    page = _PAGE.read_text()
    before, begin, rest = page.partition(_BEGIN)
    _, end, after = rest.partition(_END)
    if not begin or not end:
        raise SystemExit(f"{_PAGE} lacks the marks {_BEGIN} and {_END}.")
    _PAGE.write_text(f"{before}{_BEGIN}\n{table}\n{_END}{after}")


def main() -> None:
    """Run the suite with and without compression."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--python2", help="a Python 2.7 with pip")
    parser.add_argument("--cases", nargs="*", default=["*"], help="cases to run; only all of them write the page")
    options = parser.parse_args()
    _WORK.mkdir(exist_ok=True)
    python2 = _find_python2(options.python2)
    plain = _run(options.cases, python2, compressed=False)
    compressed = _run(options.cases, python2, compressed=True)
    table = _table(plain, compressed)
    print(table)
    bad = [
        (name, case, result["behavior"], result["behaviorClose"])
        for name, results in (("plain", plain), ("compressed", compressed))
        for case, result in results.items()
        if not _is_good(result)
    ]
    for name, case, behavior, at_close in bad:
        print(f"{name} {case}: {behavior}, at close {at_close}: .compliance/reports/{name}")
    if options.cases == ["*"]:
        _write_page(table)
    sys.exit(1 if bad else 0)


if __name__ == "__main__":
    main()
