"""What a process understands of objects whose classes it does not have."""

from __future__ import annotations

import pickle
import sys
from types import ModuleType
from typing import Any

import pytest

from sanic.worker.messages import States
from sanic.worker.stranger import Stranger, understand

SOURCE = """
from collections import namedtuple
from dataclasses import dataclass
from enum import Enum

@dataclass
class Plan:
    name: str

class Colour(Enum):
    RED = 1

Point = namedtuple("Point", "x y")

class Plain:
    def __init__(self, value):
        self.value = value
"""


@pytest.mark.parametrize("expression", ["Plan('gold')", "Colour.RED", "Point(1, 2)", "Plain(5)", "Plain"])
def test_an_object_of_an_unknown_class_does_not_hide_the_rest(monkeypatch: pytest.MonkeyPatch, expression: str) -> None:
    module = ModuleType("of_the_application")
    with monkeypatch.context() as patched:
        patched.setitem(sys.modules, module.__name__, module)
        exec(SOURCE, vars(module))
        value: Any = eval(expression, vars(module))
        data = pickle.dumps(States({"Sanic-Server-0-0": {"pid": 17, "own": value}}))
    message = understand(data)
    assert message.states["Sanic-Server-0-0"]["pid"] == 17
    stranger = message.states["Sanic-Server-0-0"]["own"]
    assert isinstance(stranger, Stranger) or issubclass(stranger, Stranger)
