"""Back ends: what answers requests. One module each, found by its name.

A back end knows nothing of runs, caches, budgets or retries; it answers a request, or raises `Fault` where another try may
help, or `ModelError` where none can. What it answers must depend on the request alone, as far as that is in its power.
"""

from __future__ import annotations

from abc import ABC, abstractmethod

from ethogram.language.request import Answer, Method, Request

__all__ = ["Backend", "Fault"]


class Fault(Exception):
    """One attempt failed. `label` is what the record says of it: `timeout`, `reset`, `http 429`, `not JSON: ...`."""

    def __init__(self, label: str, *, final: bool = False, busy: bool = False, after: float | None = None) -> None:
        super().__init__(label)
        self.label = label
        self.final = final
        """Whether the same request can never be answered (a prompt that is too long)."""
        self.busy = busy
        """Whether the endpoint only asks to be asked later: such faults are limited by time, not by number."""
        self.after = after
        """Seconds to wait, where the endpoint says so."""


class Backend(ABC):
    """What answers requests."""

    name: str
    """Canonical spelling of the model."""
    capability: Method | None = None
    """How options are scored; None where that is not known before the first call."""
    paid: bool = False
    """Whether calls may cost money."""

    @property
    def fingerprint(self) -> str:
        """What answers depend on beside the request: version of engine and weights, address. Part of a cache's keys."""
        return ""

    def check(self) -> None:
        """Raise ModelError where it is plain without a call that the model cannot be used."""

    @abstractmethod
    async def complete(self, request: Request) -> Answer:
        """A text."""

    @abstractmethod
    async def score(self, request: Request) -> Answer:
        """The log-likelihood of each option."""

    async def aclose(self) -> None:
        """Let go of connections. The next call makes new ones."""
