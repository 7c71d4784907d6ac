"""Whether what is written must survive a failure of the machine."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from contextvars import ContextVar

__all__ = ["lasting", "sync"]

_lasting = ContextVar("lasting", default=True)


@contextlib.contextmanager
def lasting(does: bool) -> Iterator[None]:
    """Say whether what is written meanwhile is to last; nothing waits for the disk where it goes with the process anyway."""
    token = _lasting.set(does)
    try:
        yield
    finally:
        _lasting.reset(token)


def sync(descriptor: int) -> None:
    """Wait until an open file's content is on the disk, where it is to last."""
    if _lasting.get():
        os.fsync(descriptor)
