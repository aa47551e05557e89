"""A certificate for all tests of HTTP/3."""

from __future__ import annotations

import pytest

from tests.http3.client import Certificate


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    return Certificate.make(tmp_path_factory.mktemp("certificate"))
