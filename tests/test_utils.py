"""Truth words, and modules from files."""

from __future__ import annotations

from pathlib import Path

import pytest

from sanic.exceptions import LoadFileException, PyFileError
from sanic.utils import load_module_from_file_location, str_to_bool


@pytest.mark.parametrize(
    "word", ["y", "yes", "yep", "yup", "t", "true", "on", "enable", "enabled", "1", "YES", "True", "oN"]
)
def test_these_words_are_true(word: str) -> None:
    assert str_to_bool(word) is True


@pytest.mark.parametrize(
    "word", ["n", "no", "f", "nope", "false", "off", "disable", "disabled", "0", "NO", "False", "oFF"]
)
def test_these_words_are_false(word: str) -> None:
    assert str_to_bool(word) is False


@pytest.mark.parametrize("word", ["", " yes ", "2", "maybe", "None"])
def test_other_words_are_refused(word: str) -> None:
    with pytest.raises(ValueError, match="Invalid truth value"):
        str_to_bool(word)


@pytest.mark.parametrize("as_type", [str, Path, lambda path: str(path).encode()])
def test_a_python_file_is_loaded_from_text_bytes_and_path(tmp_path: Path, as_type: type) -> None:
    file = tmp_path / "settings.py"
    file.write_text("NAME = __name__\n")
    assert load_module_from_file_location(as_type(file)).NAME == "settings"


def test_bytes_are_decoded_with_the_given_encoding(tmp_path: Path) -> None:
    file = tmp_path / "settings.py"
    file.write_text("A = 1\n")
    assert load_module_from_file_location(str(file).encode("utf-16"), "utf-16").A == 1


def test_a_name_with_more_after_py_is_python_too(tmp_path: Path) -> None:
    file = tmp_path / "settings.py.local"
    file.write_text("A = 1\n")
    assert load_module_from_file_location(file).A == 1


def test_a_file_without_py_in_its_name_is_executed(tmp_path: Path) -> None:
    file = tmp_path / "settings.cfg"
    file.write_text("A = __file__\n")
    module = load_module_from_file_location(str(file))
    assert str(file) == module.A


@pytest.mark.parametrize("text", ["1 / 0", "this is not python"])
def test_a_failure_in_such_a_file_is_a_py_file_error(tmp_path: Path, text: str) -> None:
    file = tmp_path / "settings.cfg"
    file.write_text(text)
    with pytest.raises(PyFileError, match=r"settings\.cfg"):
        load_module_from_file_location(file)


@pytest.mark.parametrize("name", ["none.py", "none.cfg"])
def test_a_missing_file_is_not_found(tmp_path: Path, name: str) -> None:
    with pytest.raises(FileNotFoundError):
        load_module_from_file_location(tmp_path / name)


def test_variables_in_braces_are_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "settings.py").write_text("A = 1\n")
    monkeypatch.setenv("FOLDER", str(tmp_path))
    monkeypatch.setenv("STEM", "settings")
    assert load_module_from_file_location("${FOLDER}/${STEM}.py").A == 1


def test_a_dollar_without_braces_is_an_ordinary_character(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "$STEM.py").write_text("A = 1\n")
    monkeypatch.setenv("STEM", "settings")
    monkeypatch.chdir(tmp_path)
    assert load_module_from_file_location("$STEM.py").A == 1


def test_all_variables_that_are_not_set_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("NOT_SET_A", "NOT_SET_B"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(LoadFileException, match="NOT_SET_A, NOT_SET_B"):
        load_module_from_file_location("/${NOT_SET_A}/${NOT_SET_B}.py")


def test_a_name_without_dot_and_slash_is_an_os_error() -> None:
    with pytest.raises(OSError, match="Unable to load configuration nodots"):
        load_module_from_file_location("nodots")


def test_a_dotted_name_is_imported() -> None:
    import os.path

    assert load_module_from_file_location("os.path") is os.path
