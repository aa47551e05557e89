"""How much memory a process says it occupies."""

from __future__ import annotations

import os

from sanic.worker.memory import Memory, largest_resident

MIB = 1 << 20


def test_what_a_process_takes_and_gives_back_is_seen() -> None:
    memory = Memory()
    before = memory.resident()
    assert 5 * MIB < before < 4096 * MIB
    block = bytearray(os.urandom(1)) * (64 * MIB)
    assert memory.resident() > before + 50 * MIB
    del block
    assert memory.resident() < before + 50 * MIB
    memory.close()


def test_where_the_present_cannot_be_seen_the_largest_so_far_is_told() -> None:
    memory = Memory()
    memory.close()
    assert memory.resident() == largest_resident() > 5 * MIB
