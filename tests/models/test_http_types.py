"""Credentials."""

from __future__ import annotations

from base64 import b64encode

import pytest

from sanic.models.http_types import Credentials


@pytest.mark.parametrize(
    ("plain", "username", "password"),
    [("user:pass", "user", "pass"), ("u:p:q", "u", "p:q"), (":", "", ""), ("ü:ß", "ü", "ß")],
)
def test_basic_credentials_are_decoded(plain, username, password):
    credentials = Credentials("Basic", b64encode(plain.encode()).decode())
    assert (credentials.username, credentials.password) == (username, password)


@pytest.mark.parametrize("token", ["!!!", "x", "é", b64encode(b"no colon").decode(), b64encode(b"\xff:\xfe").decode()])
def test_undecodable_basic_credentials_are_a_value_error(token):
    try:
        Credentials("Basic", token)
    except ValueError:
        return
    pytest.fail("The token was taken for credentials")


@pytest.mark.parametrize("attribute", ["username", "password"])
@pytest.mark.parametrize("scheme", ["Bearer", "Token", None])
def test_other_schemes_have_no_username(scheme, attribute):
    credentials = Credentials(scheme, "abc")
    assert (credentials.auth_type, credentials.token) == (scheme, "abc")
    with pytest.raises(AttributeError, match="Basic Auth only"):
        getattr(credentials, attribute)


def test_secrets_are_not_shown():
    assert "cDpx" not in repr(Credentials("Basic", "cDpx"))
    assert "secret" not in repr(Credentials("Bearer", "secret"))
