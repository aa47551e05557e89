"""`python -m sanic`, and the command `sanic`."""

from __future__ import annotations


def main() -> None:
    """Run the command line."""
    from sanic.cli.app import SanicCLI

    SanicCLI().run()


if __name__ == "__main__":
    main()
