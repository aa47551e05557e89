"""What processes ask the manager for; how it is done the manager knows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sanic.log import error_logger
from sanic.worker.constants import RestartOrder
from sanic.worker.messages import Manage, Reload, Restart, Scale, Terminate
from sanic.worker.settings import Parcel

if TYPE_CHECKING:
    from sanic.worker.manager import WorkerManager


def grant(manager: WorkerManager, wish: Any) -> None:
    """Do what somebody asks for; what is not possible is logged.

    Args:
        manager: The manager.
        wish: A message, or as text the names of processes to replace, with commas between them.
    """
    if manager.is_stopping and not isinstance(wish, Terminate):
        return
    if isinstance(wish, str):
        wish = Restart(tuple(name for name in wish.split(",") if name))
    try:
        if isinstance(wish, Restart):
            order = RestartOrder.STARTUP_FIRST if wish.zero_downtime else RestartOrder.SHUTDOWN_FIRST
            manager.restart(list(wish.names), order)
        elif isinstance(wish, Reload):
            manager.development.reload(wish.changed)
        elif isinstance(wish, Scale):
            manager.scale(wish.workers)
        elif isinstance(wish, Terminate):
            manager.kill() if wish.early else manager.shutdown()
        elif isinstance(wish, Manage):
            manager.manage_parcel(
                wish.name,
                Parcel(wish.parcel),
                wish.transient,
                wish.restartable,
                wish.tracked,
                wish.auto_start,
                wish.workers,
            )
        else:
            error_logger.error("The manager was told %r, which means nothing to it.", wish)
    except ValueError as error:
        error_logger.error("%s", error)
