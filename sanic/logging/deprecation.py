"""How the package announces that something will go away."""

from __future__ import annotations

from warnings import warn

__all__ = ("deprecation",)


def deprecation(message: str, version: float) -> None:
    """Issue a `DeprecationWarning`, attributed to the caller of the function that calls this.

    What becomes of it (shown once, always, raised …) is set by the configuration key ``DEPRECATION_FILTER``.

    :param message: what is deprecated and what to use in its place.
    :param version: release in which it goes away.
    """
    warn(f"[DEPRECATION v{version}] {message}", DeprecationWarning, stacklevel=3)
