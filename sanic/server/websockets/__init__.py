"""Websocket connections of this project's own server (RFC 6455), on the sans-I/O protocol of `websockets`."""
