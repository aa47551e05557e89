"""The fixed vocabulary of the package: request methods, default names of certificate files.

Only names and values; nothing here depends on an application or on the platform.
"""

from __future__ import annotations

from sanic.types.text_enum import TextEnum

__all__ = (
    "CACHEABLE_HTTP_METHODS",
    "DEFAULT_HTTP_CONTENT_TYPE",
    "DEFAULT_LOCAL_TLS_CERT",
    "DEFAULT_LOCAL_TLS_KEY",
    "HTTP_METHODS",
    "IDEMPOTENT_HTTP_METHODS",
    "SAFE_HTTP_METHODS",
    "HTTPMethod",
    "LocalCertCreator",
)


class HTTPMethod(TextEnum):
    """Request methods that a route can be declared for (RFC 9110 section 9, RFC 5789 for PATCH)."""

    GET = "GET"
    POST = "POST"
    PUT = "PUT"
    HEAD = "HEAD"
    OPTIONS = "OPTIONS"
    PATCH = "PATCH"
    DELETE = "DELETE"


class LocalCertCreator(TextEnum):
    """Which tool makes the certificate for development; AUTO takes the first one installed."""

    AUTO = "AUTO"
    TRUSTME = "TRUSTME"
    MKCERT = "MKCERT"


HTTP_METHODS = tuple(HTTPMethod)

# RFC 9110 section 9.2.1
SAFE_HTTP_METHODS = (HTTPMethod.GET, HTTPMethod.HEAD, HTTPMethod.OPTIONS)

# RFC 9110 section 9.2.2
IDEMPOTENT_HTTP_METHODS = (
    HTTPMethod.GET,
    HTTPMethod.HEAD,
    HTTPMethod.PUT,
    HTTPMethod.DELETE,
    HTTPMethod.OPTIONS,
)

# RFC 9110 section 9.2.3
CACHEABLE_HTTP_METHODS = (HTTPMethod.GET, HTTPMethod.HEAD)

# What a body is taken for when nothing says otherwise (RFC 9110 section 8.3).
DEFAULT_HTTP_CONTENT_TYPE = "application/octet-stream"

DEFAULT_LOCAL_TLS_KEY = "key.pem"
DEFAULT_LOCAL_TLS_CERT = "cert.pem"
