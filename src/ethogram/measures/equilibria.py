"""What theory says of a game in normal form: equilibria, best replies, dominated options, what a player can make sure of.

Payoffs are arrays of shape (options of player 0, …, options of the last, players), as `MatrixGame` takes them. A mix is an
array of probabilities, one for each option of a player.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ethogram.errors import ConfigError, not_installed

__all__ = ["Secured", "best_replies", "dominated", "equilibria", "maximin", "pure_equilibria"]

Array = NDArray[np.float64]
NEAR = 1e-9


class Secured(NamedTuple):
    """The most that a player can make sure of, whatever the others do."""

    value: float
    """Expected points."""
    mix: Array
    """How to."""


def game(payoffs: ArrayLike) -> Array:
    """Payoffs as an array; ConfigError where they are of no game."""
    array = np.asarray(payoffs, float)
    if array.ndim < 2 or array.shape[-1] != array.ndim - 1 or not array.size or not np.isfinite(array).all():
        raise ConfigError(
            f"payoffs of shape {array.shape} are of no game: for n players they have n + 1 axes, the options of each and "
            "then the n payoffs, all finite"
        )
    return array


def pure_equilibria(payoffs: ArrayLike) -> list[tuple[int, ...]]:
    """The equilibria in which nobody mixes: the options of all players, in order. There may be none."""
    array = game(payoffs)
    stable = np.ones(array.shape[:-1], bool)
    for player in range(array.shape[-1]):
        own = array[..., player]
        stable &= own >= own.max(axis=player, keepdims=True) - NEAR
    return [tuple(map(int, cell)) for cell in np.argwhere(stable)]


def equilibria(
    payoffs: ArrayLike, method: Literal["support enumeration", "vertex enumeration", "lemke-howson"] = "support enumeration"
) -> list[tuple[Array, Array]]:
    """The Nash equilibria of a game of two, pure and mixed, through nashpy.

    Enumeration finds all of a game that is not degenerate, in time exponential in the options; of a degenerate one, that has
    infinitely many, some. Lemke and Howson's walk finds one or a few, one walk from each option.

    Returns:
        Pairs of mixes; none twice.

    Raises:
        ConfigError: the game is not one of two; there is no such method; nashpy is not installed.
    """
    array = game(payoffs)
    if array.shape[-1] != 2:
        raise ConfigError(f"equilibria() is for games of two, not of {array.shape[-1]}; pure_equilibria() is for any")
    try:
        import nashpy
    except ModuleNotFoundError as error:
        raise not_installed(error, "equilibria()") from error
    there = nashpy.Game(array[..., 0], array[..., 1])
    found: list[tuple[Array, Array]] = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # nashpy warns of degenerate games, of which the docstring speaks
        if method == "support enumeration":
            pairs: Any = there.support_enumeration(non_degenerate=False, tol=NEAR)
        elif method == "vertex enumeration":
            pairs = there.vertex_enumeration()
        elif method == "lemke-howson":
            pairs = there.lemke_howson_enumeration()
        else:
            raise ConfigError(f"there is no method {method!r}: support enumeration, vertex enumeration or lemke-howson")
        for mixes in pairs:
            pair = tuple(np.asarray(mix, float) for mix in mixes)
            fits = [mix.shape == (n,) and np.isfinite(mix).all() for mix, n in zip(pair, array.shape, strict=False)]
            known = (np.concatenate(other) for other in found)
            if all(fits) and not any(np.allclose(other, np.concatenate(pair), atol=1e-7) for other in known):
                found.append((pair[0], pair[1]))
    return found


def best_replies(payoffs: ArrayLike, player: int, others: Sequence[ArrayLike]) -> list[int]:
    """The options that are best against mixes of the other players, given in order without the player's own.

    Raises:
        ConfigError: there is no such player, or the mixes do not fit the game.
    """
    array = game(payoffs)
    own = _own(array, player)
    mixes = [np.asarray(mix, float) for mix in others]
    shapes = [(n,) for n in own.shape[1:]]
    if [mix.shape for mix in mixes] != shapes or any(mix.min() < 0 or abs(mix.sum() - 1) > 1e-6 for mix in mixes):
        raise ConfigError(f"the others' mixes must be probabilities of shapes {shapes}, one for each other player")
    for mix in reversed(mixes):
        own = own @ mix
    return np.flatnonzero(own >= own.max() - NEAR).tolist()


def dominated(payoffs: ArrayLike, player: int) -> list[int]:
    """The options that a mix of the player's other options beats whatever the others do (strict domination)."""
    from scipy.optimize import linprog

    own = _own(game(payoffs), player)
    table = own.reshape(len(own), -1)
    if len(table) == 1:
        return []  # there is nothing else to mix
    found = []
    for option, row in enumerate(table):
        rest = np.delete(table, option, axis=0)
        # The largest margin by which a mix of the rest is better everywhere.
        columns = np.hstack([-(rest - row).T, np.ones((table.shape[1], 1))])
        total = np.append(np.ones(len(rest)), 0.0)[None, :]
        bounds = [(0, None)] * len(rest) + [(None, None)]
        best = linprog(np.append(np.zeros(len(rest)), -1.0), columns, np.zeros(table.shape[1]), total, [1.0], bounds)
        if -best.fun > NEAR:
            found.append(option)
    return found


def maximin(payoffs: ArrayLike, player: int) -> Secured:
    """The most that a player can make sure of by mixing, whatever the others do (von Neumann 1928)."""
    from scipy.optimize import linprog

    own = _own(game(payoffs), player)
    table = own.reshape(len(own), -1)
    columns = np.hstack([-table.T, np.ones((table.shape[1], 1))])
    total = np.append(np.ones(len(table)), 0.0)[None, :]
    bounds = [(0, None)] * len(table) + [(None, None)]
    best = linprog(np.append(np.zeros(len(table)), -1.0), columns, np.zeros(table.shape[1]), total, [1.0], bounds)
    return Secured(float(-best.fun), best.x[:-1])


def _own(array: Array, player: int) -> Array:
    """The player's payoffs, its own options first."""
    if not 0 <= player < array.shape[-1]:
        raise ConfigError(f"there is no player {player} among {array.shape[-1]}")
    return np.moveaxis(array[..., player], player, 0)
