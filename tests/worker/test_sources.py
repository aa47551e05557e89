"""Which files a program consists of, and which ones an error at its start has to do with."""

from __future__ import annotations

import socket
import sys
from pathlib import Path
from types import ModuleType

import pytest

from sanic import Sanic
from sanic.worker.sources import SourceReporter, error_files, module_files, read_message


def test_files_of_all_modules_are_found_without_loading_those_that_wait_for_their_first_use(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from importlib.util import LazyLoader, find_spec, module_from_spec

    (tmp_path / "lazy_one.py").write_text("raise RuntimeError('loaded')")
    monkeypatch.syspath_prepend(tmp_path)
    spec = find_spec("lazy_one")
    assert spec is not None
    assert spec.loader is not None
    spec.loader = LazyLoader(spec.loader)
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    monkeypatch.setitem(sys.modules, "lazy_one", module)
    monkeypatch.setitem(sys.modules, "strange_one", None)  # type: ignore[arg-type]
    monkeypatch.setitem(sys.modules, "made_up", ModuleType("made_up"))
    files = module_files()
    assert str(tmp_path / "lazy_one.py") in files
    assert __file__ in files
    assert all(Path(path).is_absolute() for path in files)


def failure(source: str, directory: Path) -> BaseException:
    path = directory / "program.py"
    path.write_text(source)
    try:
        exec(compile(source, str(path), "exec"), {})
    except BaseException as error:
        return error
    raise AssertionError("it did not fail")


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("1 / 0", ["program.py"]),
        ("def f(:", ["program.py"]),
        ("open('settings.json')", ["program.py", "settings.json"]),
        ("import not_there", ["program.py", "not_there.py", "not_there/__init__.py"]),
        ("import package.sub", ["package/sub.py", "package/sub/__init__.py"]),
        ("from package import name", ["package/name.py", "package/__init__.py"]),
        ("import broken", ["broken.py"]),
        ("try:\n 1 / 0\nexcept Exception as e:\n raise SystemExit(1) from e", ["program.py"]),
    ],
)
def test_an_error_leads_to_the_files_that_may_be_its_cause(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, source: str, expected: list[str]
) -> None:
    (tmp_path / "package").mkdir()
    (tmp_path / "package" / "__init__.py").write_text("")
    (tmp_path / "broken.py").write_text("def f(:")
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "package", raising=False)
    found = error_files(failure(source, tmp_path))
    assert {str(tmp_path / name) for name in expected} <= found
    assert all(Path(path).is_absolute() for path in found)


def test_what_is_loaded_is_told_in_pieces_that_other_processes_cannot_mix_up(tmp_path: Path, app: Sanic) -> None:
    (tmp_path / "settings.conf").write_text("COLOUR = 'red'")
    app.update_config(tmp_path / "settings.conf")
    app.state.reload_dirs.add(tmp_path)
    inlet, outlet = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    inlet.settimeout(20)
    wanted = {__file__, str(tmp_path / "settings.conf"), f"{tmp_path}/"}
    with inlet, outlet:
        SourceReporter(outlet).start()
        told: set[str] = set()
        while not wanted <= told:
            loaded_after, paths = read_message(inlet.recv(1 << 16))
            assert loaded_after > 0
            told.update(paths)
    assert module_files() <= told | module_files()
