"""Networks of the study procedure-cloning, what they are fitted to, and how they act in a maze."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from typing import Literal, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from ethogram.nn.training import Training, seeded, train
from ethogram.policies.coded.maze import MOVES, UNKNOWN, MazeExpert, search, trace
from ethogram.scene import Scene
from ethogram.seeds import derive, generator
from ethogram.simulation import rollouts
from ethogram.worlds.coded.maze import Maze

Method = Literal["procedure", "bc", "augmented", "auxiliary", "local"]
METHODS: tuple[Method, ...] = ("procedure", "bc", "augmented", "auxiliary", "local")
ACTIONS = 4


class Demonstrations(NamedTuple):
    """What the expert saw, did and computed, by step (N)."""

    seen: np.ndarray
    """Walls, goal and agent, uint8 (N, size, size, 3)."""
    actions: np.ndarray
    """int64 (N,)."""
    layers: np.ndarray
    """The layer of the search in which each cell is reached, int16 (N, size, size); -1: never."""
    best: np.ndarray
    """The action the search gives each cell, int8 (N, size, size)."""
    distances: np.ndarray
    """Layers until the agent's cell is reached, int64 (N,)."""


def demonstrate(mazes: Sequence[int], size: int, episodes: int, seed: int) -> Demonstrations:
    """Let the expert walk, and repeat its search at every step."""
    parts = []
    for number in mazes:
        walks = rollouts(Scene(Maze(size, number), MazeExpert()), episodes=episodes, seed=derive(seed, "walks", number))
        steps = walks.steps()
        seen = np.asarray(steps.observations, np.uint8)
        layer, best = search(seen[0, ..., 0], seen[0, ..., 1])
        count = len(seen)
        far = layer[np.nonzero(seen[..., 2])[1:]]
        layers, actions = (np.broadcast_to(array, (count, size, size)) for array in (layer, best))
        parts.append(Demonstrations(seen, np.asarray(steps.actions), layers, actions, far.astype(np.int64)))
    return Demonstrations(*(np.concatenate(columns) for columns in zip(*parts, strict=True)))


class Procedure(nn.Module):
    """One step of the search: from walls, goal, agent and the map so far (8 channels) to the next map, logits of 5 classes.

    Five 3 x 3 convolutions of widths w, w, 2 w, 2 w, 5 (the paper's w is 128), applied alike everywhere.
    """

    def __init__(self, width: int, channels: int = 8, classes: int = ACTIONS + 1) -> None:
        super().__init__()
        widths = (channels, width, width, 2 * width, 2 * width, classes)
        self.convolutions = nn.ModuleList(nn.Conv2d(a, b, 3, padding=1) for a, b in itertools.pairwise(widths))
        self.to(memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue]

    def forward(self, x: Tensor) -> Tensor:
        """(B, channels, size, size) to (B, classes, size, size)."""
        x = x.contiguous(memory_format=torch.channels_last)
        for i, convolution in enumerate(self.convolutions):
            x = convolution(functional.relu(x) if i else x)
        return x


class Clone(nn.Module):
    """The authors' network for behavioural cloning: five convolutions, two poolings, a dense layer, and a perceptron.

    It ends in logits of the action; with `auxiliary` also in logits of the action of every cell.
    """

    def __init__(self, width: int, size: int, auxiliary: bool) -> None:
        super().__init__()
        widths, pools = (3, width, width, 2 * width, 2 * width, 2 * width), (True, False, True, False, False)
        layers: list[nn.Module] = []
        for (a, b), pool in zip(itertools.pairwise(widths), pools, strict=True):
            layers += [nn.Conv2d(a, b, 3, padding=1), nn.ReLU(), *([nn.MaxPool2d(2, ceil_mode=True)] if pool else [])]
        left = (size + 3) // 4
        self.encoder = nn.Sequential(*layers, nn.Flatten(), nn.Linear(2 * width * left**2, 2 * width), nn.ReLU())
        self.act = _perceptron(2 * width, ACTIONS)
        self.map = _perceptron(2 * width, ACTIONS * size**2) if auxiliary else None

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor | None]:
        """(B, 3, size, size) to (B, 4), and (B, 4, size * size) where there is an auxiliary task."""
        code = self.encoder(x)
        return self.act(code), None if self.map is None else self.map(code).reshape(len(x), ACTIONS, -1)


def _perceptron(width: int, out: int) -> nn.Module:
    return nn.Sequential(nn.Linear(width, width), nn.ReLU(), nn.Linear(width, width), nn.ReLU(), nn.Linear(width, out))


def planes(seen: np.ndarray) -> Tensor:
    """Observations (B, size, size, 3) as float channels (B, 3, size, size)."""
    return torch.from_numpy(np.ascontiguousarray(seen.transpose(0, 3, 1, 2), np.float32))


def with_map(states: Tensor, maps: Tensor) -> Tensor:
    """Channels of the state beside a one-hot code of the map (B, size, size): (B, 8, size, size)."""
    return torch.cat([states, functional.one_hot(maps, ACTIONS + 1).permute(0, 3, 1, 2).float()], dim=1)


# --- fitting ---


def fit(method: Method, shown: Demonstrations, width: int, training: Training) -> nn.Module:
    """Fit a network to demonstrations."""
    size = shown.seen.shape[1]
    with seeded(derive(training.seed, "weights")):
        if method == "procedure":
            net: nn.Module = Procedure(width)
        elif method == "local":
            net = Procedure(width, channels=3, classes=ACTIONS)
        else:
            net = Clone(width, size, method == "auxiliary")
    if method == "procedure":
        train(net, lambda batch, _: _map_loss(net, batch), _maps(shown, training.batch), training, progress=False)
    else:
        draw = _states(shown, training.batch, augmented=method == "augmented")
        train(net, lambda batch, _: _action_loss(net, batch), draw, training, progress=False)
    return net


def _maps(shown: Demonstrations, batch: int) -> Callable[[np.random.Generator], dict[str, np.ndarray]]:
    """Draws pairs of maps that follow each other in a search, all pairs of all steps alike."""
    last = np.cumsum(shown.distances)

    def draw(rng: np.random.Generator) -> dict[str, np.ndarray]:
        pair = rng.integers(last[-1], size=batch)
        step = np.searchsorted(last, pair, side="right")
        layer = (pair - last[step] + shown.distances[step])[:, None, None]
        reached, best = shown.layers[step], shown.best[step]
        before, after = (np.where((reached >= 1) & (reached <= n), best, UNKNOWN) for n in (layer, layer + 1))
        return {"seen": shown.seen[step], "before": before.astype(np.int64), "after": after.astype(np.int64)}

    return draw


def _map_loss(net: nn.Module, batch: dict[str, Tensor]) -> Tensor:
    states = batch["seen"].permute(0, 3, 1, 2).float()
    return functional.cross_entropy(net(with_map(states, batch["before"])), batch["after"])


def _states(shown: Demonstrations, batch: int, augmented: bool) -> Callable[[np.random.Generator], dict[str, np.ndarray]]:
    def draw(rng: np.random.Generator) -> dict[str, np.ndarray]:
        step = rng.integers(len(shown.actions), size=batch)
        seen, actions = shown.seen[step], shown.actions[step]
        if augmented:
            seen, actions = augment(seen, actions, rng)
        return {"seen": seen, "actions": actions, "best": shown.best[step].astype(np.int64)}

    return draw


def augment(seen: np.ndarray, actions: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Turn and mirror each maze at random, its action with it, and shift it by up to two cells (what is left is wall)."""
    size = seen.shape[1]
    moved, turned = np.empty_like(seen), actions.copy()
    for i, picture in enumerate(seen):
        quarter, mirror = int(rng.integers(4)), bool(rng.integers(2))
        shift = rng.integers(-2, 3, size=2)
        picture, turned[i] = turn(picture, int(actions[i]), quarter, mirror)
        framed = np.zeros((size + 4, size + 4, 3), np.uint8)
        framed[..., 0] = 1
        framed[2:-2, 2:-2] = picture
        shifted = framed[2 + shift[0] : 2 + shift[0] + size, 2 + shift[1] : 2 + shift[1] + size]
        whole = shifted[..., 1].any() and shifted[..., 2].any()  # goal and agent must stay within
        moved[i] = shifted if whole else picture
    return moved, turned


def turn(picture: np.ndarray, action: int, quarter: int, mirror: bool) -> tuple[np.ndarray, int]:
    """A maze turned to the left by quarters, then mirrored left to right if asked, and the action with it."""
    picture, action = np.rot90(picture, quarter), (action - quarter) % ACTIONS
    return (picture[:, ::-1], (0, 3, 2, 1)[action]) if mirror else (picture, action)


def _action_loss(net: nn.Module, batch: dict[str, Tensor]) -> Tensor:
    states = batch["seen"].permute(0, 3, 1, 2).float()
    logits, maps = _action_logits(net, states)
    loss = functional.cross_entropy(logits, batch["actions"])
    if maps is not None:
        best = batch["best"].flatten(1)
        loss = loss + functional.cross_entropy(maps, torch.where(best == UNKNOWN, -100, best))
    return loss


def _action_logits(net: nn.Module, states: Tensor) -> tuple[Tensor, Tensor | None]:
    """Logits of the action (B, 4), read at the agent's cell where the network has them everywhere; and of the map."""
    if isinstance(net, Procedure):
        return (net(states) * states[:, 2:3]).sum((2, 3)), None
    return net(states)


# --- acting ---


@torch.inference_mode()
def think(net: nn.Module, seen: np.ndarray, limit: int) -> tuple[np.ndarray, np.ndarray]:
    """Run the learned procedure on its own maps until the agent's cell has an action.

    Args:
        net: a `Procedure`.
        seen: observations (B, size, size, 3).
        limit: applications, at most.

    Returns:
        The action of each agent's cell (`UNKNOWN` where it has none at the limit) and the number of applications, (B,) each.
    """
    states = planes(seen)
    count, size = len(seen), seen.shape[1]
    maps = torch.full((count, size, size), UNKNOWN)
    at = states[:, 2].flatten(1).argmax(1)
    found, used = np.full(count, UNKNOWN), np.full(count, limit)
    open_ = torch.arange(count)
    for step in range(1, limit + 1):
        maps = net(with_map(states[open_], maps)).argmax(1)
        label = maps.flatten(1)[torch.arange(len(open_)), at[open_]]
        done = label != UNKNOWN
        found[open_[done].numpy()], used[open_[done].numpy()] = label[done].numpy(), step
        open_, maps = open_[~done], maps[~done]
        if not len(open_):
            break
    return found, used


@torch.inference_mode()
def chances(net: nn.Module, seen: np.ndarray) -> np.ndarray:
    """Probabilities of the actions by a network for behavioural cloning, (B, 4)."""
    return _action_logits(net, planes(seen))[0].softmax(1).numpy()


class Walk(NamedTuple):
    """What came of one episode."""

    success: float
    thought: float
    """Applications of the network per step, on average; 1 for behavioural cloning."""
    shortest: float


Decide = Callable[[np.ndarray, list[tuple[int, int, int]], np.random.Generator], tuple[np.ndarray, np.ndarray]]
"""From observations and (maze, row, column) of each to actions and the applications they took."""


def thinker(net: nn.Module, limit: int) -> Decide:
    """A policy that runs a learned procedure; what it has found for a cell of a maze it looks up.

    The procedure has nothing random, so looking up changes no action. A cell without an action gets a random one each time.
    """
    known: dict[tuple[int, int, int], tuple[int, int]] = {}

    def decide(
        seen: np.ndarray, keys: list[tuple[int, int, int]], rng: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray]:
        fresh = list({key: i for i, key in enumerate(keys) if key not in known}.items())
        if fresh:
            found, used = think(net, seen[[i for _, i in fresh]], limit)
            known.update({key: (int(a), int(n)) for (key, _), a, n in zip(fresh, found, used, strict=True)})
        actions, used = np.array([known[key] for key in keys]).T
        lost = actions == UNKNOWN
        actions[lost] = rng.integers(ACTIONS, size=lost.sum())
        return actions, used

    return decide


def cloner(net: nn.Module) -> Decide:
    """A policy that draws its action as a network for behavioural cloning has it."""

    def decide(
        seen: np.ndarray, keys: list[tuple[int, int, int]], rng: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray]:
        bounds = chances(net, seen).cumsum(1)
        drawn = (rng.random((len(seen), 1)) * bounds[:, -1:] >= bounds).sum(1)
        return np.minimum(drawn, ACTIONS - 1), np.ones(len(seen))

    return decide


def wanderer() -> Decide:
    """A policy that walks at random."""
    return lambda seen, keys, rng: (rng.integers(ACTIONS, size=len(seen)), np.zeros(len(seen)))


def walk(decide: Decide, mazes: Sequence[int], starts: int, size: int, steps: int, seed: int) -> list[Walk]:
    """Episodes side by side: `starts` in each of the mazes, from the same places for every policy."""
    worlds = [Maze(size, number, steps) for number in mazes for _ in range(starts)]
    shown = [world.reset(derive(seed, "start", i))[0]["agent"] for i, world in enumerate(worlds)]
    rng, thought = generator(seed, "acting"), np.zeros((len(worlds), 2))
    while live := [i for i, world in enumerate(worlds) if world.agents]:
        keys = [(worlds[i].number, int(worlds[i].place[0]), int(worlds[i].place[1])) for i in live]
        actions, used = decide(np.stack([shown[i] for i in live]), keys, rng)
        thought[live] += np.stack([used, np.ones(len(live))], 1)
        for i, action in zip(live, actions, strict=True):
            shown[i] = worlds[i].step({"agent": np.int64(action)})[0]["agent"]
    outcomes = [world.outcome() for world in worlds]
    return [Walk(o["success"], t / n, o["shortest"]) for o, (t, n) in zip(outcomes, thought, strict=True)]


@torch.inference_mode()
def faithful(net: nn.Module, mazes: Sequence[int], size: int, seed: int) -> dict[str, float]:
    """How faithfully a procedure is learned, on one start in each maze.

    Returns:
        `steps`: share of single steps of the expert's search that come out right in every cell, given the expert's map
        before them; `answers`: share of starts for which the procedure on its own maps ends in an action that leads nearer.
    """
    right, total, answers = 0, 0, 0
    for i, number in enumerate(mazes):
        seen = Maze(size, number).reset(derive(seed, "faithful", i))[0]["agent"]
        maps = torch.from_numpy(trace(seen).astype(np.int64))
        before, after = maps[:-1], maps[1:]
        guessed = net(with_map(planes(seen[None]).expand(len(before), -1, -1, -1), before)).argmax(1)
        right += int((guessed == after).flatten(1).all(1).sum())
        total += len(before)
        answers += _nearer(seen, int(think(net, seen[None], 2 * size**2)[0][0]))
    return {"steps": right / total, "answers": answers / len(mazes)}


def _nearer(seen: np.ndarray, action: int) -> bool:
    """Whether an action leads a step nearer to the goal."""
    if action == UNKNOWN:
        return False
    layer, _ = search(seen[..., 0], seen[..., 1])
    row, column = np.argwhere(seen[..., 2])[0]
    return layer[row + MOVES[action][0], column + MOVES[action][1]] == layer[row, column] - 1
