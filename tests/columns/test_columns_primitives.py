"""Every primitive against its twin in plain Python loops, with the same random numbers."""

import heapq
import math

import numpy as np
import pytest

from ethogram.columns import (
    Columns,
    column,
    count,
    each,
    grid,
    mixing,
    network,
    pairs,
    relocate,
    scatter,
    tally,
    total,
    transfer,
    turn,
    whole,
)
from ethogram.columns.luck import below, bits, permutation, stream, uniform
from ethogram.populations import Network, erdos_renyi

N = 90
FULL = 1


def key(world, name):
    return int(world.luck.key(name, world.step_number))


def met(world, name, row, k):
    others = below_of(int(bits(key(world, name), [row])[0]), range(k), world.n - 1)
    return [int(o) + (o >= row) for o in others]


def below_of(base, draws, n):
    u = (bits(base, list(draws)) >> np.uint64(11)).astype(float) * 2.0**-53
    return (u * n).astype(int)


class Links(Columns):
    """All kinds of sums over all kinds of neighbours."""

    limit: float = 0.4
    k: int = 3
    kind = column("int8")
    value = column("float32")
    ties = network()
    follows = network()
    meet = mixing("k")
    likes = count("ties", of=lambda their_kind: their_kind == FULL, where=lambda kind: kind == 0)
    likes_followed = count("follows", of=lambda their_kind: their_kind == FULL)
    likes_met = count("meet", of=lambda their_kind, k: their_kind < k - 1, where=lambda row: row % 2 == 0)
    near = count("ties", of=lambda value, their_value, limit: abs(value - their_value) < limit)
    load = total("ties", of=lambda weight, their_value: weight * their_value, where=lambda value, limit: value > limit)
    later = total("follows", of=lambda row, their_row: their_row - row)
    heard = total("meet", of=lambda their_value: their_value)

    def start(self, rng):
        self.kind = rng.integers(0, 3, self.n)
        self.value = rng.random(self.n)


@pytest.fixture(scope="module")
def links():
    plain = erdos_renyi(N, 0.1, rng=1)
    weights = np.random.default_rng(2).normal(size=plain.n_edges)
    world = Links(
        N, ties=Network.from_edges(*plain.edges(), N, weights=weights), follows=erdos_renyi(N, 0.08, directed=True, rng=3)
    )
    world.reset(seed=5)
    return world


def over(world, name):
    """(row, their row, weight) of every pair of neighbours."""
    found = world.networks[name]
    weights = np.ones(len(found.indices)) if found.weights is None else found.weights
    return [
        (row, int(found.indices[e]), weights[e])
        for row in range(world.n)
        for e in range(found.indptr[row], found.indptr[row + 1])
    ]


def test_sums_over_neighbours(links):
    w, kind, value = links, links.kind, links.value.astype(float)
    twins = {name: [0.0] * N for name in w.model.aggregates}
    for i, j, weight in over(w, "ties"):
        twins["likes"][i] += kind[i] == 0 and kind[j] == 1
        twins["near"][i] += abs(value[i] - value[j]) < w.limit
        twins["load"][i] += weight * value[j] if value[i] > w.limit else 0
    for i, j, _ in over(w, "follows"):
        twins["likes_followed"][i] += kind[j] == 1
        twins["later"][i] += j - i
    for i in range(N):
        for j in met(w, "meet", i, w.k):
            twins["likes_met"][i] += i % 2 == 0 and kind[j] < w.k - 1
            twins["heard"][i] += value[j]
            assert j != i
    for name, twin in twins.items():
        assert np.allclose(w.aggregate(name), twin, rtol=1e-12), name
        assert any(twin) and w.aggregate(name).dtype == (np.int64 if w.model.aggregates[name].counts else np.float64)


@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize("share", [0.0, 0.02, 0.5, 1.0])
def test_pushed_counts_are_those_pulled(links, share, threads, monkeypatch):
    monkeypatch.setattr(links.threads, "count", threads)
    monkeypatch.setattr(links.threads, "small", 0)
    rng = np.random.default_rng(4)
    kind = links.kind.copy()
    found = {}
    for direction in ("pull", "push", None):
        links.kind = np.where(rng.random(N) < share, 1, kind) if direction == "pull" else links.kind
        links.direction = direction
        found[direction] = links.likes
        assert np.array_equal(links.likes, found[direction])  # what was pushed is forgotten afterwards
    links.direction = None
    links.kind = kind
    assert np.array_equal(found["pull"], found["push"]) and np.array_equal(found["pull"], found[None])


class Cells(Columns):
    """A grid of odd shape, of which one kind of neighbourhood is looked at."""

    kind = column("int8")
    around = grid()
    alike = count("around", of=lambda kind, their_kind: kind == their_kind, where=lambda kind: kind > 0)
    taken = total("around", of=lambda their_kind: their_kind)

    def start(self, rng):
        self.kind = rng.integers(0, 3, self.n)


class Plane(Cells):
    around = grid(torus=False)


class Cross(Cells):
    around = grid(moore=False)


class CrossPlane(Cells):
    around = grid(moore=False, torus=False)


@pytest.mark.parametrize("model", [Cells, Plane, Cross, CrossPlane])
def test_cells_around(model):
    height, width = 5, 7
    w = model((height, width))
    w.reset(seed=1)
    ring = model.model.grids["around"]
    board, alike, taken = w.kind.reshape(height, width), [], []
    for y in range(height):
        for x in range(width):
            cells = []
            for dy in (-1, 0, 1):
                for dx in (-1, 0, 1):
                    there = ring.torus or (0 <= y + dy < height and 0 <= x + dx < width)
                    if (dy or dx) and there and (ring.moore or not (dy and dx)):
                        cells.append(board[(y + dy) % height, (x + dx) % width])
            alike.append(sum(c == board[y, x] for c in cells) if board[y, x] > 0 else 0)
            taken.append(sum(int(c) for c in cells))
    assert w.alike.tolist() == alike
    assert w.taken.tolist() == taken


class Economy(Columns):
    """Everything that reaches other rows at once."""

    rate: float = 0.3
    coins = column("int32", 5)
    gold = column("float64", 1.0)
    got = column("int16")
    opinion = column("float32")
    ties = network()
    meet = mixing(2)
    rich = total("ties", of=lambda their_gold: their_gold)
    counted = tally("got", ("none", "one", "two"))

    def start(self, rng):
        self.opinion = rng.random(self.n)

    @transfer("coins")
    def spend(coins, u):
        return 1 if coins > 0 and u < 0.7 else 0

    @transfer("gold", to="ties")
    def share(gold, rich, rate, u2):
        return gold * rate * u2 / (1 + rich)

    @transfer("gold", to="meet")
    def lend(gold, rate):
        return gold * rate

    @scatter("got")
    def point(row, n, u):
        return (row * 7 + 3) % n if u < 0.5 else -1, 2

    @pairs("opinion", "gold")
    def talk(opinion, their_opinion, gold, their_gold, row, their_row, u):
        return (opinion + u * (their_opinion - opinion), gold + row, their_opinion, their_gold - their_row)

    @each("opinion", "got")
    def forget(opinion, got, rich, step, u3):
        return opinion * (0.5 + 0.5 * u3), got if rich > step else got - 1

    @whole
    def burn(self, rng):
        self.gold[rng.integers(self.n)] += 100.0


@pytest.mark.parametrize("threads", [1, 3])
def test_exchanges(threads):
    ties = erdos_renyi(N, 0.03, rng=1)  # some have none
    w = Economy(N, ties=ties, threads=threads)
    w.threads.small = 10
    w.reset(seed=9)
    w.step_number = 4
    coins, gold, got, opinion = w.coins.copy(), w.gold.copy(), w.got.copy(), w.opinion.copy()
    rows = range(N)

    def rich(gold):
        return [sum(float(gold[j]) for j in ties.neighbours(i)) for i in rows]

    gives = [
        (i, int(j))
        for i, j, u in zip(rows, below(key(w, "spend"), rows, N, 3), uniform(key(w, "spend"), rows), strict=True)
        if u < 0.7
    ]
    for i, j in gives:
        coins[i] -= 1
        coins[j] += 1
    u2, sums, before = uniform(key(w, "share"), rows, 1), rich(gold), gold.copy()
    u_to = uniform(key(w, "share"), rows, 3)
    amounts = [before[i] * w.rate * u2[i] / (1 + sums[i]) for i in rows]
    for i in rows:
        gold[i] -= amounts[i] if len(ties.neighbours(i)) else 0
    for i in rows:
        if len(near := ties.neighbours(i)):
            gold[near[int(u_to[i] * len(near))]] += amounts[i]
    amounts = gold * w.rate
    gold -= amounts
    for i in rows:
        gold[met(w, "meet", i, 1)[0]] += amounts[i]
    for i, u in zip(rows, uniform(key(w, "point"), rows), strict=True):
        if u < 0.5:
            got[(i * 7 + 3) % N] += 2
    order, u = permutation(key(w, "talk:order"), N), uniform(key(w, "talk"), rows)
    for i, j in order[: N // 2 * 2].reshape(-1, 2):
        opinion[i], gold[i] = opinion[i] + u[i] * (opinion[j] - opinion[i]), gold[i] + i
        gold[j] -= j
    u3, sums = uniform(key(w, "forget"), rows, 2), rich(gold)
    opinion = np.float32(opinion * (0.5 + 0.5 * u3))
    got = [g if s > 4 else g - 1 for g, s in zip(got, sums, strict=True)]
    w.step({})
    assert w.coins.tolist() == coins.tolist() and w.coins.sum() == 5 * N
    assert np.sort(w.gold - gold)[:-1] == pytest.approx(0, abs=1e-12)
    assert np.max(w.gold - gold) == pytest.approx(100)
    assert w.got.tolist() == got
    assert w.opinion == pytest.approx(opinion, abs=1e-6)
    assert w.counted == {"none": got.count(0), "one": got.count(1), "two": got.count(2)}


class Town(Columns):
    """Cells that people move between."""

    kind = column("int8")
    age = column("int16")
    around = grid()
    alike = count("around", of=lambda kind, their_kind: kind == their_kind)

    def start(self, rng):
        self.kind = rng.permutation(self.n) % 4
        self.age = np.where(self.kind > 0, np.arange(self.n), 0)

    @relocate("kind", "age", empty=lambda kind: kind == 0)
    def leaves(alike, u):
        return alike < 2 and u < 0.9


def test_movers_and_empty_cells_change_places():
    w = Town((9, 8))
    w.reset(seed=2)
    kind, age, alike = w.kind.copy(), w.age.copy(), w.alike
    u, order = uniform(key(w, "leaves"), range(w.n)), key(w, "leaves:order")
    movers = [i for i in range(w.n) if kind[i] and alike[i] < 2 and u[i] < 0.9]
    empty = [i for i in range(w.n) if not kind[i]]
    chosen = min(len(movers), len(empty))
    assert chosen == len(empty) < len(movers)
    for draw, cells in enumerate((movers, empty)):
        inner = stream(order, draw)
        for place in range(chosen):
            other = place + int(below_of(inner, [place], len(cells) - place)[0])
            cells[place], cells[other] = cells[other], cells[place]
    for here, there in zip(movers[:chosen], empty[:chosen], strict=True):
        for array in (kind, age):
            array[here], array[there] = array[there], array[here]
    w.step({})
    assert w.kind.tolist() == kind.tolist() and w.age.tolist() == age.tolist()


class Grazing(Cells):
    """Amounts that depend on the cells around."""

    grass = column("float64", 1.0)

    @transfer("grass")
    def blow(grass, taken):
        return 0.1 * taken * grass

    @scatter("grass")
    def grow(row, alike):
        return row, alike * 0.5


@pytest.mark.parametrize("threads", [1, 2])
def test_exchanges_on_a_grid(threads):
    w = Grazing((5, 7), threads=threads)
    w.threads.small = 0
    w.reset(seed=1)
    grass = w.grass - 0.1 * w.taken
    for i, to in enumerate(below(key(w, "blow"), range(w.n), w.n, 3)):
        grass[to] += 0.1 * w.taken[i]
    w.step({})
    assert w.grass == pytest.approx(grass + 0.5 * w.alike, abs=1e-12)


class Turns(Columns):
    """Rows that act one after the other."""

    coins = column("int32", 1)
    seen = column("int32")
    due = column("float64", math.inf)
    times = column("int32")
    ties = network()
    richer = count("ties", of=lambda coins, their_coins: their_coins > coins)

    def start(self, rng):
        self.due[::3] = rng.random(len(self.due[::3])) * 2

    @turn(order="random")
    def give(row, coins, richer, seen, n, u):
        seen[row] = richer
        if coins[row] > 0:
            coins[row] -= 1
            coins[int(u * n)] += 1

    @turn(order="fixed")
    def pass_on(row, coins, ties):
        if len(ties) > 0 and coins[row] > 1:
            coins[row] -= 1
            coins[ties[len(ties) - 1]] += 1

    @turn(order="events", time="due")
    def ring(row, due, times, ties, now, u):
        times[row] += 1
        if u < 0.6:
            due[row] = now + u
        if len(ties) > 0 and due[ties[0]] > now + 0.5:
            due[ties[0]] = now + 0.5
            return ties[0]
        return -1


def test_turns():
    ties = erdos_renyi(N, 0.05, rng=4)
    w = Turns(N, ties=ties)
    w.reset(seed=3)
    coins, seen, due, times = w.coins.copy(), w.seen.copy(), w.due.copy(), w.times.copy()
    for _ in range(3):
        u = uniform(key(w, "give"), range(N))
        for i in permutation(key(w, "give:order"), N):
            seen[i] = sum(coins[j] > coins[i] for j in ties.neighbours(i))
            if coins[i] > 0:
                coins[i] -= 1
                coins[int(u[i] * N)] += 1
        for i in range(N):
            near = ties.neighbours(i)
            if len(near) and coins[i] > 1:
                coins[i] -= 1
                coins[near[-1]] += 1
        turns, until = 0, w.step_number + 1
        heap = [(due[i], i) for i in range(N) if due[i] < until]
        heapq.heapify(heap)
        while heap:
            now, i = heapq.heappop(heap)
            if due[i] != now:
                continue
            due[i], near, luck = math.inf, ties.neighbours(i), uniform(key(w, "ring"), [turns])[0]
            times[i] += 1
            turns += 1
            changed = [i]
            if luck < 0.6:
                due[i] = now + luck
            if len(near) and due[near[0]] > now + 0.5:
                due[near[0]] = now + 0.5
                changed.append(near[0])
            for j in changed:
                if due[j] < until:
                    heapq.heappush(heap, (due[j], j))
        w.step({})
        assert w.coins.tolist() == coins.tolist() and w.seen.tolist() == seen.tolist()
        assert w.times.tolist() == times.tolist() and w.due.tolist() == due.tolist()
    assert times.max() > 2
