"""The drawings of the start banner."""

from __future__ import annotations

from typing import Final

__all__ = ("COFFEE_LOGO", "LOGO", "get_logo")

LOGO: Final = r"""

  ___   __   _  _  _   __
 / __| /  \ | \| || | / _|
 \__ \/ /\ \|    || || (_
 |___/_/  \_\_|\_||_| \__|

   Build fast. Run fast.

""".strip("\n")

COFFEE_LOGO: Final = r"""
      ) ) (
     ( ( ) )
   ._________.__
   |         |  \
   |  Sanic  |  |
   |         |__/
    \_______/
 ~~~~~~~~~~~~~~~~~
""".strip("\n")


def get_logo(*, coffee: bool = False) -> str:
    """Return a drawing of several lines, without colours.

    :param coffee: the one with the cup.
    """
    return COFFEE_LOGO if coffee else LOGO
