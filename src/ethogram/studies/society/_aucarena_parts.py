"""The parts of `aucarena` that are computed apart: draws, contests, rooms of one kind, ablations and planted errors."""

from __future__ import annotations

import copy
from itertools import combinations, pairwise
from typing import Any

import numpy as np

from ethogram.bidding import Bid, Sale
from ethogram.policies.coded.bidders import PlanBidder, TruthfulBidder
from ethogram.policies.prompted.beliefs import audit, leaves
from ethogram.policies.prompted.planner import Planner, facts_of
from ethogram.records import Trajectories
from ethogram.scene import Scene
from ethogram.seeds import derive, generator
from ethogram.simulation import rollouts
from ethogram.studies import Lab
from ethogram.studies.society._aucarena_scene import BIDDERS, arena
from ethogram.worlds.coded.auction import Auction

__all__ = ["alike", "conduct", "contests", "cursed", "injected", "outbid", "seated", "shown"]

RAISE, LOWEST = 10, 100


def outbid(item: dict[str, Any], lab: Lab) -> list[list[int]]:
    """One item of private values among truthful bidders, many times: price, highest and second-highest value, the winner's.

    The values of the draws before `apart` differ by a raise or more, so that the auction can tell them apart.
    """
    found = []
    for i in range(item["draws"]):
        rng = generator(item["seed"], "values", i)
        n = int(rng.integers(2, 6))
        raises = rng.choice(30, n, replace=False) * RAISE + int(rng.integers(RAISE))
        values = LOWEST + (raises if item["apart"] else rng.choice(300, n, replace=False))
        world = Auction([("vase", LOWEST, tuple(values.tolist()))], n, budget=1000, overestimate=0.0)
        rollouts(Scene(world, TruthfulBidder()), episodes=1, seed=derive(item["seed"], "play", i), progress=False)
        ((_, _, price, value),) = world.sales
        second, first = np.sort(values)[-2:].tolist()
        found.append([price, first, second, value])
    return found


def contests(item: dict[str, Any], lab: Lab) -> list[dict[str, dict[str, float]]]:
    """One order of items, sold to each three of the coded bidders, who sit at random: profit and items by bidder."""
    found = []
    for k, three in enumerate(combinations(BIDDERS, 3)):
        seats = generator(item["seed"], "seats", k).permutation(three).tolist()
        world = _played({kind: kind for kind in seats}, item)[0]
        outcome = world.outcome()
        found.append({kind: {what: outcome[f"{what} of {kind}"] for what in ("profit", "items")} for kind in seats})
    return found


def alike(item: dict[str, Any], lab: Lab) -> list[float]:
    """A room of three of one kind: each one's profit."""
    seats = {f"{item['kind']} {i + 1}": item["kind"] for i in range(3)}
    outcome = _played(seats, item)[0].outcome()
    return [outcome[f"profit of {name}"] for name in seats]


def cursed(item: dict[str, Any], lab: Lab) -> float:
    """The mean profit of a sale as a share of the value, among truthful bidders whose money is no limit."""
    seats = {f"bidder {i + 1}": "truthful" for i in range(item["bidders"])}
    world = _played(seats, item | {"budget": 10**9})[0]
    return float(np.mean([(value - price) / value for _, winner, price, value in world.sales if winner]))


def seated(item: dict[str, Any], lab: Lab) -> dict[str, Any]:
    """What one bidder does at the first seat, against the same two others whoever it is."""
    seats = {"Ana": item["kind"], "Ben": "rule", "Cleo": "adaptive"}
    world, policies, data = _played(seats, item)
    return conduct(data, "Ana", world.outcome(), _diary(policies["Ana"], "Ana"))


def shown(item: dict[str, Any], lab: Lab) -> dict[str, Any]:
    """One auction for the picture: the highest bids by item, who made them, and everybody's money and profit."""
    world, _, data = _played({kind: kind for kind in item["kinds"]}, item)
    bids = {(len(lot.sold), lot.highest, lot.leader) for one in data for lot in one.observations if lot.leader}
    bids |= {(i, price, winner) for i, (_, winner, price, _) in enumerate(world.sales) if winner}
    return {
        "bids": sorted([list(bid) for bid in bids], key=lambda bid: (bid[0], bid[1])),
        "sales": [list(sale) for sale in world.sales],
        "prices": [thing.price for thing in world.items],
    }


def injected(item: dict[str, Any], lab: Lab) -> list[int]:
    """True statuses of an auction, and each with one error planted: errors, those found, statuses, and false alarms.

    An error is a number that is off, a point that is missing, or one that should not be there.
    """
    _, _, data = _played({"Ana": "rule", "Ben": "static", "Cleo": "adaptive"}, item)
    errors = caught = alarms = 0
    truths = [facts_of(lot) for lot in data[0].observations]
    for i, truth in enumerate(truths):
        alarms += bool(audit(copy.deepcopy(truth), truth))
        for k in range(item["each"]):
            rng = generator(item["seed"], "error", i, k)
            believed, where = copy.deepcopy(truth), list(leaves(truth))
            at = where[int(rng.integers(len(where)))]
            place = believed
            for key in at[:-1]:
                place = place[key]
            kind = int(rng.integers(3))
            if kind == 0:
                place[at[-1]] += int(rng.choice([-1, 1])) * int(rng.integers(1, 5000))
            elif kind == 1:
                del place[at[-1]]
            else:
                at = (*at[:-1], "item 99")
                place["item 99"] = int(rng.integers(5000))
            errors += 1
            caught += [slip.where for slip in audit(believed, truth)] == [at]
    return [errors, caught, len(truths), alarms]


def conduct(data: Trajectories, name: str, outcome: Any, diary: dict[str, Any] | None) -> dict[str, Any]:
    """What a bidder did and believed in one auction.

    Returns:
        profit, items, and refused (of all bids tried, the share); for planners also `effort` (the rank correlation of an
        item's priority with the number of bids tried for it) and `paid` (with the price paid over the one called out, 0
        where it did not win), null where either does not vary; `changed` (the share of priorities that a new plan
        changed); `wrong` and `left` (the shares of the points of its statuses that were wrong in the first and the last
        draft, about itself and others).
    """
    bids, refused = outcome[f"bids of {name}"], outcome[f"refused of {name}"]
    found: dict[str, Any] = {what: outcome[f"{what} of {name}"] for what in ("profit", "items")}
    found["refused"] = refused / max(bids + refused, 1)
    if diary is None:
        return found
    own = next(one for one in data if one.agent == name)
    made: dict[int, int] = {}
    called: dict[int, int] = {}
    for lot, action in zip(own.observations, own.actions, strict=False):
        place = len(lot.sold)
        called.setdefault(place, lot.item.price)
        made[place] = made.get(place, 0) + isinstance(action, Bid)
    sold = own.observations[-1].sold
    priority = {place: _priority(diary["plans"], place) for place in made}
    planned = [place for place in made if priority[place] is not None]
    found["effort"] = _rank([priority[p] for p in planned], [made[p] for p in planned])
    found["paid"] = _rank([priority[p] for p in planned], [_paid(sold[p], name) / called[p] for p in planned])
    found["changed"] = _changed(diary["plans"])
    if diary.get("audits"):
        for measure, key in (("wrong", "first"), ("left", "left")):
            for side in ("self", "others"):
                wrong, points = np.sum([one[key][side] for one in diary["audits"]], axis=0).tolist()
                found[f"{measure}_{side}"] = wrong / points if points else None
    return found


def _played(seats: dict[str, Any], item: dict[str, Any]) -> tuple[Auction, Any, Trajectories]:
    known = {key: item[key] for key in ("items", "budget", "overestimate", "noise", "slip") if key in item}
    made = arena(seats=seats, order=item["seed"], **known)
    data = rollouts(made, episodes=1, seed=item["seed"], progress=False)
    assert isinstance(made.world, Auction)
    return made.world, made.policies, data


def _diary(policy: Any, name: str) -> dict[str, Any] | None:
    if isinstance(policy, Planner):
        return policy.diaries[name]
    if isinstance(policy, PlanBidder):
        return {"plans": [[plan.place, plan.priorities] for plan in policy.plans[name]]}
    return None


def _paid(sale: Sale, name: str) -> int:
    return sale.price if sale.winner == name else 0


def _priority(plans: list[Any], place: int) -> int | None:
    """The priority of an item by the plan in force when it is sold."""
    since, plan = max((plan for plan in plans if plan[0] <= place), default=(0, None), key=lambda plan: plan[0])
    return None if plan is None else plan[place - since]


def _changed(plans: list[Any]) -> float | None:
    """The share of priorities that differ from those of the plan before, over all new plans."""
    pairs = [(a, b) for (since, old), (now, new) in pairwise(plans) for a, b in zip(old[now - since :], new, strict=True)]
    return sum(a != b for a, b in pairs) / len(pairs) if pairs else None


def _rank(x: list[Any], y: list[Any]) -> float | None:
    """Spearman's correlation; None where there is none."""
    if len(x) < 3 or len(set(x)) < 2 or len(set(y)) < 2:
        return None
    from scipy.stats import spearmanr

    return float(spearmanr(x, y).statistic)  # type: ignore[attr-defined]
