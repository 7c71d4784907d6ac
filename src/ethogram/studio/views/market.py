"""Auctions and markets: prices over time, and a board of who holds and does what."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from markupsafe import Markup
from nicegui import ui

from ethogram.studio.reading import Record
from ethogram.studio.safety import html
from ethogram.studio.views import View
from ethogram.studio.views._chart import Chart
from ethogram.studio.words import deed

MOST = 40
"""Traders on the board."""

Numbers = dict[str, float | None]


class Market(View):
    """What a trader sees of the market as curves; below it every trader's standing and last action."""

    title: ClassVar[str] = "Market"
    rank: ClassVar[int] = 5

    @classmethod
    def suits(cls, record: Record) -> bool:
        """Of the worlds that `SEEN` can read."""
        return record.world in SEEN

    def build(self) -> None:
        """Chart and board."""
        self._chart = Chart(self._curves, len(self.record), "price", stepped=True)
        self._lot = ui.html("")
        self._board = ui.html("").classes("scroll")

    def _curves(self) -> dict[str, list[tuple[int, float | None]]]:
        curves: dict[str, list[tuple[int, float | None]]] = {}
        for row in self.record.spread():
            for name, value in SEEN[self.record.world][0](row.seen or {}).items():
                curves.setdefault(name, []).append((row.frame, value))
        return curves

    def show(self, frame: int) -> None:
        """The moment's line, and the board as it was."""
        self._chart.show(frame)
        latest = self.record.latest(self.record.agents[:MOST], frame)
        if not latest:
            return
        newest = max(latest.values(), key=lambda row: row.frame)
        item = (newest.seen or {}).get("item")
        leader = (newest.seen or {}).get("leader")
        up = (
            html("<p><b>{}</b>, estimated at {}; the highest bid is {} by {}.</p>", *_lot(item, newest.seen)) if item else ""
        )
        self._lot.content = up
        standing = {name: SEEN[self.record.world][1](row.seen or {}) for name, row in latest.items()}
        names = list(dict.fromkeys(key for values in standing.values() for key in values))
        head = Markup().join(html("<th scope=col>{}</th>", name) for name in ("trader", *names, "did"))
        rows = []
        for name in [agent for agent in self.record.agents[:MOST] if agent in latest]:
            row = latest[name]
            cells = Markup().join(html("<td>{}</td>", standing[name].get(key, "")) for key in names)
            did = deed(row.done, 90) if row.done is not None else ""
            when = "" if row.frame == frame else "faint"
            mark = "now" if name == leader else ""
            rows.append(
                html("<tr class={}><td class=agent>{}</td>{}<td class={}>{}</td></tr>", mark, name, cells, when, did)
            )
        self._board.content = html("<table><tr>{}</tr>{}</table>", head, Markup().join(rows))

    async def grown(self) -> None:
        """Longer curves."""
        await self._chart.grown(len(self.record))


def _lot(item: Mapping[str, Any], seen: Mapping[str, Any]) -> tuple[Any, ...]:
    return item.get("name"), f"{item.get('estimate', 0):,}", f"{seen.get('highest', 0):,}", seen.get("leader") or "nobody"


def _auction(seen: Mapping[str, Any]) -> Numbers:
    return {"highest bid": seen.get("highest"), "least next bid": seen.get("least")}


def _pit(seen: Mapping[str, Any]) -> Numbers:
    return {"last trade": seen.get("last"), "best bid": seen.get("bid"), "best ask": seen.get("ask")}


def _stocks(seen: Mapping[str, Any]) -> Numbers:
    return {f"stock {s['name']}": s["price"] / 100 for s in seen.get("market", {}).get("stocks", [])}


def _bidder(seen: Mapping[str, Any]) -> dict[str, str]:
    won = [lot.get("name") for lot in seen.get("sold", []) if lot.get("winner") == seen.get("you")]
    return {"budget": f"{seen.get('budget', 0):,}", "won": ", ".join(map(str, won))}


def _dealer(seen: Mapping[str, Any]) -> dict[str, str]:
    return {"side": str(seen.get("side", "")), "limit": f"{seen.get('limit', '')}", "left": f"{seen.get('left', '')}"}


def _holder(seen: Mapping[str, Any]) -> dict[str, str]:
    account = seen.get("account", {})
    shares = {f"shares of {name}": f"{n:,}" for name, n in account.get("shares", {}).items()}
    return {"cash": f"{account.get('cash', 0) / 100:,.2f}", **shares}


SEEN: dict[str, tuple[Callable[[Mapping[str, Any]], Numbers], Callable[[Mapping[str, Any]], dict[str, str]]]] = {
    "auction": (_auction, _bidder),
    "double_auction": (_pit, _dealer),
    "stock_market": (_stocks, _holder),
}
"""Of each world, how an observation is read: the curves, and the standing of who sees it."""
