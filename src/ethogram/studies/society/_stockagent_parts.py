"""The parts of `stockagent` that are computed apart: days of the market, and double auctions."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ethogram.measures.markets import agreement
from ethogram.policies.coded.traders import Haggler
from ethogram.scene import Scene
from ethogram.seeds import derive
from ethogram.simulation import rollouts, simulate
from ethogram.studies import Lab
from ethogram.studies.society._stockagent_audit import notes_of
from ethogram.studies.society._stockagent_scene import CREWS, market
from ethogram.worlds.coded.double_auction import DoubleAuction
from ethogram.worlds.coded.stock_market.setup import MULTIPLE

__all__ = ["AUCTIONS", "auctioned", "consistency", "traded"]

AUCTIONS: dict[str, tuple[list[list[int]], list[list[int]]]] = {
    "symmetric": (
        [[190 - 10 * i, 130 - 10 * i, 70 - 10 * i] for i in range(6)],
        [[10 + 10 * i, 70 + 10 * i, 130 + 10 * i] for i in range(6)],
    ),
    "few bargains": (
        [[180 - 10 * i, 100, 95] for i in range(6)],
        [[70 + 10 * i, 110, 115] for i in range(6)],
    ),
    "flat supply": (
        [[190 - 10 * i, 130 - 10 * i, 70 - 10 * i] for i in range(6)],
        [[80, 85, 90] for _ in range(6)],
    ),
}
"""Values of six buyers and costs of six sellers, three units each; prices may be 1 to 200. (Gode and Sunder had five such
markets; their schedules are in figures only, so these are our own.)"""
CALLS = 1000


def auctioned(item: dict[str, Any], lab: Lab) -> dict[str, list[float]]:
    """Double auctions of one kind with and without the budget constraint, on the same seeds: what came of each."""
    found: dict[str, list[Any]] = defaultdict(list)
    world = DoubleAuction(*AUCTIONS[item["auction"]], calls=CALLS)
    for name, constrained in (("constrained", True), ("unconstrained", False)):
        for seed in item["seeds"]:
            rollouts(Scene(world, Haggler(constrained)), episodes=1, seed=seed, progress=False)
            outcome = world.outcome()
            found[name].append(outcome["efficiency"])
            found[f"{name} trades"].append(outcome["trades"])
    return dict(found)


def traded(item: dict[str, Any], lab: Lab) -> dict[str, Any]:
    """One run of the coded traders, day by day.

    Args:
        item: `traders`, `days`, `sessions`, `crew`, `borrowing`, `without` and `seed`; with `tape`, also its orders and the
            traders' net worth from day to day.
        lab: the study's.
    """
    arguments = {key: item[key] for key in ("traders", "days", "sessions", "crew", "borrowing", "without")}
    made = market(**arguments)
    world: Any = made.world
    before = market(**arguments).world
    before.reset(derive(item["seed"], "world", 0))
    run = simulate(made, seed=item["seed"], record="none", progress=False)
    notes = notes_of(run)
    opening = {agent: before.ledger[agent].worth(before.stocks) for agent in before.possible_agents}  # type: ignore[attr-defined]
    kinds = [CREWS[item["crew"]][i % len(CREWS[item["crew"]])] for i in range(item["traders"])]
    found = {
        "prices": {stock: [world.stocks[stock], *world.closes[stock]] for stock in world.stocks},
        "values": {stock: _values(world, stock) for stock in world.stocks},
        "volumes": world.volumes,
        "lent": world.lent,
        "kinds": kinds,
        "temperaments": [world.temperaments[agent] for agent in world.possible_agents],
        "opening": list(opening.values()),
        "closing": [world.ledger[agent].worth(world.prices) for agent in world.possible_agents],
        "counts": world.counts,
        "orders": _flow(notes, world.day),
        "conserved": world.ledger.totals() == before.ledger.totals(),  # type: ignore[attr-defined]
        "consistency": consistency(notes, dict(zip(world.possible_agents, kinds, strict=True)), list(world.stocks)),
    }
    return found | (_tape(notes, world, opening) if item.get("tape") else {})


def _values(world: Any, stock: str) -> list[int]:
    """What a share is worth on each day, in cents, whether a report says so or not."""
    path = world.earnings[stock]
    return [MULTIPLE * path[sum(day >= out for out in world.report_days)] for day in range(1, world.day + 1)]


def _flow(notes: Sequence[Any], days: int) -> dict[str, list[int]]:
    """Orders to buy and to sell that came in on each day."""
    counts = {"buy": [0] * days, "sell": [0] * days}
    day = 1
    for _, kind, note in notes:
        if kind == "order":
            counts[note["side"]][day - 1] += 1
        elif kind == "close":
            day = note["day"] + 1
    return counts


def consistency(notes: Sequence[Any], kinds: Mapping[str, str], stocks: Sequence[str]) -> dict[str, float]:
    """By kind of trader: Cohen's kappa of what was forecast in an evening and what was done on the day after.

    There are five answers a trader and day: to buy and to sell each stock, and to borrow. A trader buys on a day on which it
    gives an order to buy. The days of all traders of a kind are pooled.
    """
    said: dict[str, list[bool]] = defaultdict(list)
    done: dict[str, list[bool]] = defaultdict(list)
    forecasts: dict[str, Any] = {}
    coming: dict[str, Any] = {}
    deeds: set[tuple[str, str, str]] = set()
    for agent, kind, note in notes:
        if kind == "forecast":
            coming[agent] = note
        elif kind == "order":
            deeds.add((agent, note["side"], note["stock"]))
        elif kind == "loan":
            deeds.add((agent, "borrow", ""))
        elif kind == "close":
            for name, forecast in forecasts.items():
                answers = [(side, stock, stock in forecast[side]) for side in ("buy", "sell") for stock in stocks]
                for side, stock, answer in [*answers, ("borrow", "", forecast["borrow"])]:
                    said[kinds[name]].append(answer)
                    done[kinds[name]].append((name, side, stock) in deeds)
            forecasts, coming, deeds = coming, {}, set()
    return {kind: agreement(said[kind], done[kind]) for kind in said}


def _tape(notes: Sequence[Any], world: Any, opening: Mapping[str, int]) -> dict[str, Any]:
    """Orders (day with its fraction, stock, side, price) and net worth of each trader from day to day."""
    day, orders, worths = 1, [], [list(opening.values())]
    today: list[Any] = []
    for _, kind, note in notes:
        if kind == "order":
            today.append([note["stock"], note["side"], note["price"]])
        elif kind == "close":
            orders += [[day + i / len(today), *order] for i, order in enumerate(today)]
            worths.append([note["worths"].get(agent, 0) for agent in world.possible_agents])
            day, today = note["day"] + 1, []
    return {"tape": orders, "worths": np.array(worths).T.tolist()}
