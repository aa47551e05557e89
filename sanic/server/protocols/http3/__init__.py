"""Connections of HTTP/3: QUIC over UDP, with aioquic. Imported only where HTTP/3 is served."""
