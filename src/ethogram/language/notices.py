"""Telling the user something, in a run or outside one."""

from __future__ import annotations

import logging

from ethogram.session import current

__all__ = ["tell"]


def tell(text: str) -> None:
    """Say it through the run's display, or log it where there is no run."""
    session = current()
    if session is not None:
        session.say(text)
    else:
        logging.getLogger("ethogram.language").warning("%s", text)
