"""What `sanic.log` hands on."""

from __future__ import annotations

import subprocess
import sys
import warnings

import pytest

from sanic import log


def test_colors_are_text_that_is_empty_without_a_terminal() -> None:
    code = (
        "from sanic.log import Colors; "
        "assert not any(c.value for c in Colors.__members__.values()); "
        "assert Colors.RED + 'x' == 'x' == f'{Colors.BOLD}x{Colors.END}'; "
        "assert str(Colors.SANIC) == ''"
    )
    subprocess.run([sys.executable, "-c", code], check=True, stdout=subprocess.PIPE)


def test_all_colors_have_a_name() -> None:
    names = ("END", "BOLD", "BLUE", "GREEN", "PURPLE", "CYAN", "RED", "YELLOW", "GREY", "SANIC")
    assert set(log.Colors.__members__) == set(names)


def test_deprecation_warns_with_the_version() -> None:
    def outdated() -> None:
        log.deprecation("gone soon", 99.9)

    with warnings.catch_warnings():
        warnings.simplefilter("always")
        with pytest.warns(DeprecationWarning, match=r"^\[DEPRECATION v99\.9\] gone soon$"):
            outdated()
