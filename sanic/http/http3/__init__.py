"""HTTP/3 without sockets (RFC 9114): frames, field sections and the exchange. Imported only where HTTP/3 is served."""
