"""What the code of a group is worth: how well it tells `choc`, what it decodes to, and that order is nothing to it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

from ethogram.nn.sets import SetAutoencoder
from ethogram.seeds import derive
from ethogram.worlds.coded.long_term_satisfaction import SIGNAL_NOISE, LongTermSatisfaction

__all__ = ["gaussian_kl", "judge_codes", "r_squared"]

USERS = 100
"""In a set by which a code is judged."""


def gaussian_kl(mean: np.ndarray, deviation: float, other_mean: np.ndarray, other_deviation: np.ndarray) -> np.ndarray:
    """KL(N(mean, deviation²) ‖ N(other_mean, other_deviation²)) in nats."""
    ratio = deviation / other_deviation
    return 0.5 * (ratio**2 + ((mean - other_mean) / other_deviation) ** 2 - 1) - np.log(ratio)


def r_squared(wanted: np.ndarray, predicted: np.ndarray) -> float:
    """Share of the variance that is explained, 1 - SSE / SST; below 0 where the mean would be better."""
    return float(1 - ((wanted - predicted) ** 2).sum() / ((wanted - wanted.mean()) ** 2).sum())


@torch.no_grad()
def judge_codes(
    found: SetAutoencoder, training: Sequence[float], span: Sequence[float], sets: int, seed: int
) -> dict[str, Any]:
    """Judge codes of sets of 100 users.

    Args:
        found: the autoencoder.
        training: `choc` of the groups it was fitted to; the linear map from codes to `choc` is fitted on new sets of these.
        span: `choc` of further groups, of which those that are not in `training` are judged, too.
        sets: of each group.
        seed: of the users.

    Returns:
        `r2_between` and `r2_beyond`: R² of unseen groups, between the training groups (all whole numbers there) and outside;
        the same of the users' mean signal, `mean_between` and `mean_beyond`, which is all that there is to know of a group;
        `kl`: nats from the true to the decoded distribution of signals, in the groups between; `permuted`, `permutations`:
        the largest change of a code and how many were tried; `choc`, `told`: what the map says of each group's first set.
    """
    low, high = min(training), max(training)
    between = [float(c) for c in range(round(low) + 1, round(high)) if c not in training]
    beyond = [c for c in span if not low <= c <= high]
    drawn = {part: _signals(groups, sets, derive(seed, part)) for part, groups in _parts(training, between, beyond).items()}
    codes = {part: found.encode(signals).mean.double().numpy() for part, (_, signals) in drawn.items()}
    map_ = _linear(codes["training"], drawn["training"][0])
    mean_map = _linear(_mean(drawn["training"][1]), drawn["training"][0])
    result: dict[str, Any] = {"choc": [], "told": []}
    for part, (choc, signals) in drawn.items():
        told = map_(codes[part])
        result["choc"] += choc[::sets].tolist()
        result["told"] += told[::sets].tolist()
        if part != "training":
            result[f"r2_{part}"] = r_squared(choc, told)
            result[f"mean_{part}"] = r_squared(choc, mean_map(_mean(signals)))
    choc, signals = drawn["between"]
    decoded = found.describe(found.encode(signals).mean)
    mean, deviation = (part[:, 0].double().numpy() for part in decoded)
    result["kl"] = float(gaussian_kl(choc, SIGNAL_NOISE, mean, deviation).mean())
    return result | _permuted(found, signals, derive(seed, "order"))


def _parts(training: Sequence[float], between: list[float], beyond: list[float]) -> dict[str, list[float]]:
    parts = {"training": list(training), "between": between, "beyond": beyond}
    return {part: groups for part, groups in parts.items() if groups}


def _signals(groups: Sequence[float], sets: int, seed: int) -> tuple[np.ndarray, torch.Tensor]:
    """`choc` of each set and the signals of its users, (S,) and (S, users, 1)."""
    choc = np.repeat(np.asarray(groups, float), sets)
    world = LongTermSatisfaction(choc.tolist(), USERS)
    seen = world.reset(seed=seed)[0]["recommender"]
    return choc, torch.from_numpy(seen[:, :1]).reshape(len(choc), USERS, 1)


def _mean(signals: torch.Tensor) -> np.ndarray:
    return signals.mean(1).double().numpy()


def _linear(x: np.ndarray, y: np.ndarray) -> Any:
    """The map of least squares, with an intercept."""
    weights = np.linalg.lstsq(np.c_[x, np.ones(len(x))], y)[0]
    return lambda rows: np.c_[rows, np.ones(len(rows))] @ weights


def _permuted(found: SetAutoencoder, signals: torch.Tensor, seed: int) -> dict[str, float]:
    rng, before, worst = np.random.default_rng(seed), found.encode(signals), 0.0
    for _ in range(20):
        after = found.encode(signals[:, torch.from_numpy(rng.permutation(USERS))])
        worst = max(worst, *(float((a - b).abs().max()) for a, b in zip(before, after, strict=True)))
    return {"permuted": worst, "permutations": 20 * len(signals)}
