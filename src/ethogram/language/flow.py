"""How many requests an endpoint gets at once: as many as it takes.

The limit begins low and doubles with every round of answers, or every 20 ms while calls wait (an endpoint that has had
enough says so at once). At the first sign of overload it is cut, and from then on it rises by a few (and a twentieth) with
each round of answers and is cut again at each further sign: additive increase, multiplicative decrease. Signs of overload
are the statuses 429 and 503, and time-outs; errors of other kinds say nothing about load. Requests that were in flight
together cut it once: to 0.6 of their number, or by the number of those refused, whichever is less.
"""

from __future__ import annotations

import asyncio
from collections import deque

__all__ = ["Gate"]

FIRST = 64
LEAST = 4
RAMP = 0.02
CUT = 0.6
RISE = 4
SHARE = 0.05


class Gate:
    """Lets requests pass, as many at once as `limit` says. Belongs to one event loop.

    Args:
        most: the highest limit.
    """

    def __init__(self, most: int) -> None:
        self.most = most
        self.limit = float(min(FIRST, most))
        self.in_flight = 0
        self.cuts = 0
        """How often the limit was cut."""
        self._round = (self.limit, 0)  # how many were in flight at the last cut, and how many of them were refused
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._ramping = False

    async def enter(self) -> int:
        """Wait until a request may be sent; gives what `leave` wants to have."""
        if self.in_flight < self.limit and not self._waiting:
            self.in_flight += 1
            return self.cuts
        place = asyncio.get_running_loop().create_future()
        self._waiting.append(place)
        self._ramp()
        try:
            await place
        except asyncio.CancelledError:
            if place.done() and not place.cancelled():  # it was let in at the same moment
                self.in_flight -= 1
                self._admit()
            raise
        return self.cuts

    def leave(self, ticket: int, *, served: bool, overload: bool) -> None:
        """A request is over: it was answered properly (`served`), showed overload, or neither."""
        if overload:
            if ticket == self.cuts:
                self._round = (min(self.limit, float(self.in_flight)), 0)
                self.cuts += 1
            if ticket == self.cuts - 1:
                together, refused = self._round
                self._round = (together, refused + 1)
                fitting = max(float(LEAST), min(together * CUT, together - refused - 1))
                self.limit = min(self.limit, fitting)
        elif served and self._waiting:
            self.limit = min(float(self.most), self.limit + (1 if self.cuts == 0 else RISE / self.limit + SHARE))
        self.in_flight -= 1
        self._admit()

    def _admit(self) -> None:
        while self._waiting and self.in_flight < int(self.limit):
            place = self._waiting.popleft()
            if not place.done():
                place.set_result(None)
                self.in_flight += 1

    def _ramp(self) -> None:
        """Double the limit soon if calls still wait and there was no sign of overload yet."""
        if not self._ramping and self.cuts == 0 and self.limit < self.most:
            self._ramping = True
            loop = asyncio.get_running_loop()
            loop.call_later(RAMP, self._double, loop.time() + RAMP)

    def _double(self, due: float) -> None:
        self._ramping = False
        if self.cuts or not self._waiting:
            return
        # A loop that is late has not got round to sending, or to what the endpoint says of it: wait for that.
        if asyncio.get_running_loop().time() - due < RAMP / 2:
            self.limit = min(float(self.most), self.limit * 2)
            self._admit()
        if self._waiting:
            self._ramp()
