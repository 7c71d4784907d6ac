"""From the `steps` table of a run to its trajectories."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pyarrow as pa
from gymnasium import Space

from ethogram.records.columns import from_arrow
from ethogram.records.store import Store
from ethogram.records.trajectories import Trajectories

__all__ = ["trajectories_of"]


def trajectories_of(
    table: pa.Table,
    agents: Sequence[str],
    observation_space: Space,
    action_space: Space,
    outcomes: Mapping[int, Mapping[str, float]],
) -> Trajectories:
    """The trajectories of `agents`, in the order of episodes, then of `agents`.

    A row with an action is a step. A row without one that ends "last" holds the final observation; any other adds its reward
    to that of the agent's step before.
    """
    coded = table["agent"].combine_chunks().dictionary_encode()
    place = {agent: i for i, agent in enumerate(agents)}
    who = np.array([place.get(name, -1) for name in coded.dictionary.to_pylist()], np.int64)[coded.indices.to_numpy()]
    episode = table["episode"].to_numpy().astype(np.int64)
    order = np.lexsort((who, episode))  # stable: rows are in the order of steps
    order = order[who[order] >= 0]
    group = episode[order] * len(agents) + who[order]
    starts = np.flatnonzero(np.diff(group, prepend=-1))
    acted = table["action"].combine_chunks().is_valid().to_numpy(zero_copy_only=False)[order]
    last = (table["ended"].to_numpy() == "last")[order]
    recorded = table["observation"].combine_chunks().is_valid().to_numpy(zero_copy_only=False)[order]
    own = np.repeat(np.arange(len(starts)), np.diff(starts, append=len(order)))
    steps = np.cumsum(acted)
    lengths = np.bincount(own[acted], minlength=len(starts))
    has_more = steps < (np.cumsum(lengths))[own]  # a "last" observation before further steps is not the final one
    seen = recorded & (acted | (last & ~has_more))
    reward = table["reward"].fill_null(0.0).to_numpy()[order]
    rewards = reward[acted]
    late = ~acted & ~last & (steps > (np.cumsum(lengths) - lengths)[own])
    np.add.at(rewards, steps[late] - 1, reward[late])
    terminated = np.zeros(len(starts), bool)
    terminated[own[(table["ended"].to_numpy() == "terminated")[order]]] = True
    episodes = episode[order][starts]
    names = sorted({name for found in outcomes.values() for name in found})
    store = Store(
        observations=from_arrow(observation_space, table["observation"].combine_chunks().take(pa.array(order[seen]))),
        actions=from_arrow(action_space, table["action"].combine_chunks().take(pa.array(order[acted]))),
        rewards=rewards,
        times=table["time"].to_numpy()[order][acted],
        agents=[str(agents[i]) for i in who[order][starts].tolist()],
        episodes=episodes,
        lengths=lengths,
        seen=np.bincount(own[seen], minlength=len(starts)),
        terminated=terminated,
        outcomes={n: np.array([outcomes.get(e, {}).get(n, np.nan) for e in episodes.tolist()], np.float64) for n in names},
    )
    return Trajectories(store, observation_space, action_space)
