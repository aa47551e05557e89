"""`python -m sanic`, and the command `sanic`."""

from __future__ import annotations

import os

#: What shells make of SIGINT and SIGPIPE: 128 and its number.
_INTERRUPTED = 130
_NOT_READ = 141


def main() -> None:
    """Run the command line."""
    try:
        from sanic.cli.app import SanicCLI

        SanicCLI().run()
    except KeyboardInterrupt:
        # Before there is a server: while the application is imported, say.
        raise SystemExit(_INTERRUPTED) from None
    except BrokenPipeError:
        # Whoever reads what is shown, such as `head`, has had enough; what is left is not to fail again at the end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        raise SystemExit(_NOT_READ) from None


if __name__ == "__main__":
    main()
