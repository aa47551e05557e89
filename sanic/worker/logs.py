"""How a process that is no worker logs: as the application does, which it need not have."""

from __future__ import annotations

import pickle
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sanic.app import Sanic


@dataclass(frozen=True)
class Logging:
    """How lines are logged.

    Args:
        is_configured: Whether it is set up at all.
        is_debug: Whether more is told.
        no_color: `NO_COLOR`.
        log_extra: `LOG_EXTRA`.
        config: For `logging.config.dictConfig`; default ours.
    """

    is_configured: bool
    is_debug: bool
    no_color: Any
    log_extra: Any
    config: dict[str, Any] | None

    @classmethod
    def of(cls, app: Sanic[Any, Any]) -> Logging:
        """As an application does."""
        config = app._log_config
        try:
            pickle.dumps(config)
        except Exception:
            # It holds objects that live in their own process only.
            config = None
        known = app.config
        return cls(app.configure_logging, app.state.is_debug, known.NO_COLOR, known.get("LOG_EXTRA"), config)

    def set_up(self) -> None:
        """Begin to log that way."""
        from sanic.logging.setup import apply_log_config, setup_logging

        if self.is_configured:
            apply_log_config(self.config)
            setup_logging(self.is_debug, self.no_color, self.log_extra)
