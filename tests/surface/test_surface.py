"""No public name and no parameter that users have today may vanish.

api.json lists the public names module by module: their kind, members, parameters and values. A name is kept when it
can be imported from its module; a member, when its class has it; a signature, when every call that was valid is still
valid: each parameter under the same name, at the same position, and nothing new that must be given.

Names which are still to be built stand in pending.txt; the last test refuses those that exist already.
"""

from __future__ import annotations

import enum
import importlib
import inspect
import json
import re
from pathlib import Path
from typing import Any, NamedTuple

import pytest

HERE = Path(__file__).parent
API: dict[str, dict[str, dict[str, Any]]] = json.loads((HERE / "api.json").read_text())
MISSING = object()
VARIADIC = {"VAR_POSITIONAL", "VAR_KEYWORD"}


class Parameter(NamedTuple):
    """One parameter of a signature; a default of "" means that it has none, so it must be given."""

    name: str
    kind: str
    default: str


def pending_names() -> set[str]:
    lines = (line.partition("#")[0].strip() for line in (HERE / "pending.txt").read_text().splitlines())
    return {line for line in lines if line}


PENDING = pending_names()


def public_names() -> list[str]:
    """Each name as `module:Name`, each member as `module:Name.member`."""
    paths = []
    for module, names in API.items():
        for name, description in names.items():
            paths.append(f"{module}:{name}")
            paths.extend(f"{module}:{name}.{member}" for member in description.get("members", {}))
    return paths


def dotted(path: str) -> str:
    return path.replace(":", ".")


def is_pending(path: str) -> bool:
    module, _, qualified_name = path.partition(":")
    owner = qualified_name.partition(".")[0]
    return dotted(path) in PENDING or f"{module}.{owner}" in PENDING


def parameters_of(function: Any) -> list[Parameter] | None:
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):
        return None
    return [
        Parameter(parameter.name, parameter.kind.name, "" if parameter.default is parameter.empty else "given")
        for parameter in signature.parameters.values()
    ]


def signature_problems(wanted: list[list[str]] | None, function: Any) -> list[str]:
    """Why calls that fit the wanted signature do not fit the function."""
    have = parameters_of(function)
    if wanted is None or have is None:
        return []
    by_name = {parameter.name: parameter for parameter in have}
    kinds = {parameter.kind for parameter in have}
    takes_any_keyword = "VAR_KEYWORD" in kinds
    problems = []
    for parameter in (Parameter(*entry) for entry in wanted):
        if parameter.kind in VARIADIC:
            # Names instead of **kwargs are fine: what they must be called is in no signature.
            continue
        if parameter.name not in by_name:
            if not takes_any_keyword:
                problems.append(f"lacks parameter {parameter.name!r}")
        elif parameter.default and not by_name[parameter.name].default:
            problems.append(f"parameter {parameter.name!r} was optional and is not")
    if "VAR_POSITIONAL" not in kinds:
        order = [entry[0] for entry in wanted if entry[1] == "POSITIONAL_OR_KEYWORD" and entry[0] in by_name]
        positional = [parameter.name for parameter in have if parameter.kind == "POSITIONAL_OR_KEYWORD"]
        if positional[: len(order)] != order:
            problems.append(f"positional order {positional} does not begin with {order}")
    known = {entry[0] for entry in wanted}
    problems.extend(
        f"new parameter {parameter.name!r} has no default"
        for parameter in have
        if parameter.name not in known and not parameter.default and parameter.kind not in VARIADIC
    )
    return problems


def value_problems(wanted: str, value: Any) -> list[str]:
    """A constant is described by its repr (the first 200 characters), anything else by the name of its type."""
    if isinstance(value, str | int | float | bool | tuple):
        return [] if repr(value)[:200] == wanted else [f"is {value!r}, was {wanted}"]
    return [] if type(value).__name__ == wanted else [f"is a {type(value).__name__}, was a {wanted}"]


def class_problems(description: dict[str, Any], cls: Any) -> list[str]:
    problems = signature_problems(description["init"], cls)
    wanted_status = description.get("status_code")
    if wanted_status is not None and getattr(cls, "status_code", None) != wanted_status:
        problems.append(f"status_code is {getattr(cls, 'status_code', None)}, was {wanted_status}")
    return problems


def enum_problems(description: dict[str, Any], cls: type[enum.Enum]) -> list[str]:
    have = {name: str(member.value) for name, member in cls.__members__.items()}
    return [
        f"member {name} is {have.get(name)!r}, was {value!r}"
        for name, value in description["values"].items()
        if have.get(name) != value
    ]


def member_problems(description: dict[str, Any], cls: type, name: str) -> list[str]:
    raw = inspect.getattr_static(cls, name, MISSING)
    if raw is MISSING:
        return ["is missing"]
    if isinstance(raw, classmethod | staticmethod):
        raw = raw.__func__
    if description["kind"] != "attribute" and not callable(raw):
        return ["was a function and is not callable"]
    return signature_problems(description.get("params"), raw)


def problems_of(path: str) -> list[str]:
    """What users of this name would miss; nothing when it is all there."""
    module_name, _, qualified_name = path.partition(":")
    name, _, member = qualified_name.partition(".")
    description = API[module_name][name]
    try:
        value = getattr(importlib.import_module(module_name), name, MISSING)
    except ModuleNotFoundError as error:
        return [f"cannot be imported: {error}"]
    if value is MISSING:
        return ["is missing"]
    if member:
        return member_problems(description["members"][member], value, member)
    kind = description["kind"]
    if kind == "class":
        return class_problems(description, value)
    if kind == "enum":
        return enum_problems(description, value)
    if kind == "value":
        return value_problems(description["value"], value)
    if kind == "class again":
        return [] if inspect.isclass(value) else ["was a class and is not"]
    return signature_problems(description["params"], value)


@pytest.mark.parametrize("path", [path for path in public_names() if not is_pending(path)], ids=dotted)
def test_the_name_is_there_and_takes_what_it_took(path: str) -> None:
    assert problems_of(path) == []


def test_the_version_is_plain_numbers_that_packages_can_compare() -> None:
    from sanic import __version__

    assert re.fullmatch(r"\d+\.\d+\.\d+", __version__)
    assert [int(number) for number in __version__.split(".")] >= [25, 12, 0]


def test_pending_names_are_public_names() -> None:
    assert sorted(PENDING - {dotted(path) for path in public_names()}) == []


def test_a_name_that_exists_is_no_longer_pending() -> None:
    existing = [dotted(path) for path in public_names() if dotted(path) in PENDING and not problems_of(path)]
    assert existing == [], "take these off tests/surface/pending.txt"
