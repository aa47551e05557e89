"""The package's loggers, their default configuration, and the formatters of its lines.

Users import from `sanic.log`. Importing configures nothing; `sanic.logging.setup` does, when asked.
"""
