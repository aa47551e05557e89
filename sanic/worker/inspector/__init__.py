"""The inspector: a process beside the workers that tells how they are, and takes commands, over HTTP.

`inspector.py` has what it tells and does, `app.py` its HTTP side, `process.py` its start, `stand.py` its own process.
"""

from sanic.worker.inspector.inspector import Inspector

__all__ = ["Inspector"]
