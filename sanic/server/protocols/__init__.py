"""The protocols of connections."""
