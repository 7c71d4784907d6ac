"""What people perceive of each other: who is near, what is new, which events fit into a view."""

from __future__ import annotations

from typing import Any

import numpy as np

from ethogram.social import Event

__all__ = ["MOST", "event", "gone", "latest", "near_and_far", "nearest_of", "news"]

MOST = 50
"""The most events, people and things of one view: nobody takes in more at a time."""


def event(kind: Any, actor: str, text: str, place: str, to: str = "") -> Event:
    """An event, built without the validation that its parts have already passed."""
    return Event.model_construct(kind=kind, actor=actor, text=text, place=place, to=to)


def near_and_far(
    tile: np.ndarray, region: np.ndarray, awake: np.ndarray, width: int, sight: int
) -> tuple[np.ndarray, np.ndarray]:
    """Who perceives whom, (n, n) bool, and how far apart they are in tiles (the larger of both directions), (n, n).

    Args:
        tile: the tile each stands on, (n,).
        region: the region of that tile, (n,); walls stand between regions.
        awake: who is awake, (n,) bool; sleepers neither perceive nor can be spoken to.
        width: tiles of a row.
        sight: how far one perceives.
    """
    row, column = np.divmod(tile, width)
    far = np.maximum(np.abs(row[:, None] - row), np.abs(column[:, None] - column))
    near = (region[:, None] == region) & (far <= sight) & awake[:, None] & awake
    np.fill_diagonal(near, False)
    return near, far


def news(near: np.ndarray, before: np.ndarray, changed: np.ndarray, far: np.ndarray) -> list[tuple[int, int]]:
    """Pairs (seer, seen) where the seen has come near or changed what it does; by seer, the nearest first."""
    seer, seen = np.nonzero(near & (~before | changed))
    order = np.lexsort((seen, far[seer, seen], seer))
    return list(zip(seer[order].tolist(), seen[order].tolist(), strict=True))


def gone(near: np.ndarray, before: np.ndarray, moved: np.ndarray, awake: np.ndarray) -> list[tuple[int, int]]:
    """Pairs (seer, seen) where the seen has left the region in which the seer, awake, has stayed."""
    seer, seen = np.nonzero(before & ~near & moved & ~moved[:, None] & awake[:, None])
    return list(zip(seer.tolist(), seen.tolist(), strict=True))


def nearest_of(near: np.ndarray, far: np.ndarray) -> list[int]:
    """Who is near one person, in a fixed order: all, or if they are too many the nearest.

    Args:
        near: that person's row, (n,) bool.
        far: that person's distances, (n,).
    """
    found = np.flatnonzero(near)
    if len(found) > MOST:
        found = np.sort(found[np.argsort(far[found], kind="stable")[:MOST]])
    return found.tolist()


def latest(events: list[Event]) -> tuple[Event, ...]:
    """The events that fit into a view: all, or if they are too many the latest, speech before sights."""
    if len(events) <= MOST:
        return tuple(events)
    by_weight = sorted(range(len(events)), key=lambda k: (events[k].kind != "seen", k))
    return tuple(events[k] for k in sorted(by_weight[-MOST:]))
