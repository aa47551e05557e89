"""`python -m sanic`, and the command `sanic`."""

from __future__ import annotations

#: What shells make of SIGINT: 128 and its number.
_INTERRUPTED = 130


def main() -> None:
    """Run the command line."""
    try:
        from sanic.cli.app import SanicCLI

        SanicCLI().run()
    except KeyboardInterrupt:
        # Before there is a server: while the application is imported, say.
        raise SystemExit(_INTERRUPTED) from None


if __name__ == "__main__":
    main()
