"""A directory to serve, and what lies beside it and must not be."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A directory with a few files; `tmp_path` around it holds a secret."""
    root = tmp_path / "root"
    (root / "sub" / "deep").mkdir(parents=True)
    (root / "ten.txt").write_bytes(b"0123456789")
    (root / "empty.txt").write_bytes(b"")
    (root / "sub" / "inner.txt").write_bytes(b"inner")
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "secret.txt").write_bytes(b"secret")
    (tmp_path / "secret.txt").write_bytes(b"secret")
    return root
