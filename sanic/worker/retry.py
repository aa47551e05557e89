"""A program that cannot be imported at its start: its files are watched until there is a change, and it is tried anew.

Whether that is wanted decides who tried.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from typing import NoReturn

from sanic.log import error_logger, logger
from sanic.worker.sources import error_files, forget_compiled, module_files
from sanic.worker.traces import describe_failure
from sanic.worker.watching import WatchedFiles, Watcher, best_way, look_at


def start_again_after_change(error: BaseException, directories: Iterable[str | os.PathLike[str]] = ()) -> NoReturn:
    """Tell why the program cannot be imported, wait until one of its files changes, and start this process anew.

    The process keeps its id; nothing that it has opened is handed on.

    Args:
        error: What was raised.
        directories: Those that are watched with all that is below them.

    Raises:
        SystemExit: Somebody pressed Ctrl-C; the status is 130, as of other programs.
    """
    from sanic.logging.setup import apply_log_config, setup_logging

    apply_log_config()
    setup_logging(debug=True)
    files = WatchedFiles()
    files.add_files({path: look_at(path) for path in module_files() | error_files(error)})
    for directory in directories:
        files.add_directory(os.fspath(directory))
    watcher = Watcher(files, best_way())
    try:
        error_logger.error("The program could not be started: %s", describe_failure(error))
        logger.info("Waiting for a change of the files.")
        while not (changed := watcher.turn()):
            continue
    except KeyboardInterrupt:
        raise SystemExit(130) from None
    forget_compiled(changed)
    sys.stdout.flush()
    sys.stderr.flush()
    os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])
