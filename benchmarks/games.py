"""Games: iterated games beside axelrod, our order book beside a kept one, and a tournament of a million rounds.

The matches are the same in axelrod (each strategy has a twin there; `tests/policies/test_strategies.py` holds them together
move by move), and the points of every match are compared. Ours are played by the loop of `simulate`, with typed observations
and checked actions, as any world and policy are, and axelrod's by a loop made for two-player games.

The other book is pyorderbook: of the pure Python ones it is the one that is kept, has price-time priority right, cancels,
and is built for speed (a heap of prices and queues, as ours). `order-matching` is kept too, but goes through the whole book
for every order; `lightmatchingengine` and `OrderBook` have not changed since 2019 and 2013. All trades are compared.
"""

from __future__ import annotations

import hashlib
import json
import random
import resource
import subprocess
import sys
import tempfile
from itertools import combinations
from pathlib import Path
from typing import Any

from benchmarks.measuring import ROOT, Row, best, spent
from benchmarks.peers import Peer, installed

SCRIPTS = ROOT / "benchmarks" / "peer"
BOOK = Peer("pyorderbook", ("pyorderbook==0.4.9",), ())
TWINS = {
    "always first": "Cooperator",
    "always second": "Defector",
    "alternator": "Alternator",
    "tit for tat": "TitForTat",
    "suspicious tit for tat": "SuspiciousTitForTat",
    "tit for two tats": "TitFor2Tats",
    "win-stay lose-shift": "WinStayLoseShift",
    "grim trigger": "Grudger",
    "soft majority": "GoByMajority",
    "prober": "Prober",
}
ENTRANTS = (*TWINS, "random", "generous tit for tat", "zero-determinant extortion", "hard majority")
PAYOFFS = [[[3, 3], [0, 5]], [[5, 0], [1, 1]]]
ROUNDS, MILLION, EVENTS = 200, 1_000_000, 200_000


def played(command: list[str]) -> dict[str, Any]:
    """What a script of a peer prints last."""
    done = subprocess.run(command, capture_output=True, text=True, timeout=900, check=False)
    if done.returncode:
        raise RuntimeError(f"{Path(command[1]).stem} failed:\n{done.stderr[-2000:]}")
    return json.loads(done.stdout.strip().splitlines()[-1])


def matches() -> list[Row]:
    """Ten strategies, each against each other one: matches of 200 rounds a second."""
    from ethogram.policies.coded.strategies import strategy
    from ethogram.scene import Scene
    from ethogram.simulation import rollouts
    from ethogram.worlds.coded.matrix_game import MatrixGame

    pairs = list(combinations(TWINS, 2))
    points: list[list[float]] = []

    def ours() -> None:
        points.clear()
        for names in pairs:
            world = MatrixGame(PAYOFFS, rounds=ROUNDS, tell=False)
            policies = {agent: strategy(name) for agent, name in zip(world.possible_agents, names, strict=True)}
            rollouts(Scene(world, policies), episodes=1, progress=False)
            points.append(list(world.points))

    took = best(spent(ours) for _ in range(3))
    theirs = played([sys.executable, str(SCRIPTS / "run_axelrod.py"), str(ROUNDS), *TWINS.values()])
    if points != theirs["points"]:
        raise RuntimeError("a match came out otherwise in axelrod")
    case = f"{len(pairs)} matches of {ROUNDS} rounds, CPU of one process"
    mine, other = len(pairs) / took.cpu, len(pairs) / theirs["cpu"]
    return [
        Row("games", case, "ethogram, matches a second", mine, "/s"),
        Row("games", case, "axelrod, matches a second", other, "/s"),
        Row("games", case, "ethogram / axelrod", mine / other, "×"),
        Row("games", case, "ethogram, a round", 1e6 * took.cpu / len(pairs) / ROUNDS, "µs"),
    ]


def events(count: int) -> list[list[Any]]:
    """Orders around a price that wanders, three in ten of them taking one back."""
    rng = random.Random(1)
    found: list[list[Any]] = []
    placed: list[int] = []
    middle = 10_000.0
    for i in range(count):
        middle = max(1000.0, middle + rng.gauss(0, 2))
        if placed and rng.random() < 0.3:
            found.append(["cancel", placed[-rng.randint(1, min(len(placed), 500))]])
            continue
        side = rng.choice(("buy", "sell"))
        away = rng.gauss(20, 25) * (-1 if side == "buy" else 1)
        found.append([side, max(1, round(middle + away)), rng.randint(1, 100)])
        placed.append(i)
    return found


def orders() -> list[Row]:
    """Orders and cancellations a second."""
    from ethogram.worlds.coded.stock_market.order_book import OrderBook

    stream = events(EVENTS)
    trades: list[tuple[int, int, int, int]] = []

    def ours() -> None:
        book = OrderBook()
        numbers: list[int] = []
        by_number: dict[int, int] = {}
        every = []
        for i, event in enumerate(stream):
            if event[0] == "cancel":
                book.cancel(numbers[event[1]])
                numbers.append(0)
                continue
            number, made = book.submit("a", event[0], event[2], event[1])
            numbers.append(number)
            by_number[number] = i
            every += made
        trades[:] = [(t.price, t.amount, by_number[t.resting], by_number[t.arriving]) for t in every]

    took = best(spent(ours) for _ in range(3))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "events.json")
        path.write_text(json.dumps(stream))
        theirs = played([str(installed(BOOK)), str(SCRIPTS / "run_pyorderbook.py"), str(path)])
    if hashlib.blake2b(json.dumps(trades).encode()).hexdigest() != theirs["digest"]:
        raise RuntimeError(f"{theirs['trades']} trades of pyorderbook are others than our {len(trades)}")
    case = f"{len(stream):,} orders and cancellations, {len(trades):,} trades"
    mine = len(stream) / took.cpu
    return [
        Row("games", case, "ethogram, orders a second of CPU", mine, "/s"),
        Row("games", case, "pyorderbook, orders a second of CPU", len(stream) / theirs["cpu"], "/s"),
        Row("games", case, "pyorderbook, orders made before", len(stream) / theirs["made before"], "/s"),
        Row("games", case, "ethogram / pyorderbook", mine * theirs["cpu"] / len(stream), "×", least=1),
    ]


def million() -> list[Row]:
    """A tournament of a million rounds on two processes, its ratings and tables included."""
    from ethogram.experiments.matches import cooperation, matrix_match
    from ethogram.experiments.tournaments import lineups, tournament

    each = len(lineups(ENTRANTS)) * ROUNDS
    replicates = -(-MILLION // each)

    def ours() -> None:
        options = {"game": PAYOFFS, "rounds": ROUNDS, "noise": 0.01}
        with tempfile.TemporaryDirectory() as folder:
            found = tournament(
                ENTRANTS,
                matrix_match,
                measure=cooperation,
                replicates=replicates,
                arguments=options,
                batch=8,
                workers=2,
                to=folder,
                progress=False,
            )
            found.standings()
            found.pairs()

    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    took = spent(ours)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    children = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    case = (
        f"tournament of {len(ENTRANTS)} strategies, {replicates * each:,} rounds in {replicates * each // ROUNDS:,} matches"
    )
    return [
        Row("games", case, "two processes, wall clock", took.wall, "s", most=60),
        Row("games", case, "CPU of all processes", took.cpu + children, "s"),
    ]


def measure() -> list[Row]:
    """All three."""
    return [*matches(), *orders(), *million()]
