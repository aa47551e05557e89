"""TLS: from what is given as `ssl=` to the context that connections are accepted with. It knows of no sockets."""

from sanic.http.tls.loader import CertLoader, check_sendable, load, settle

__all__ = ("CertLoader", "check_sendable", "load", "settle")
