"""The crew: which policy is in charge of which agents, and asking all of them at once."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from gymnasium import Space

from ethogram.errors import CallFailed, ConfigError
from ethogram.policy import Fault, Policy
from ethogram.scene import Policies
from ethogram.world import Agent, World

__all__ = ["Crew", "Spaces"]


class Spaces(Mapping[Agent, Space[Any]]):
    """The spaces open to agents now, asked of the world only where somebody looks."""

    def __init__(self, world: World, agents: Sequence[Agent]) -> None:
        self._world = world
        self._agents = agents
        self._known: dict[Agent, Space[Any]] = {}

    def __getitem__(self, agent: Agent) -> Space[Any]:
        space = self._known.get(agent)
        if space is None:
            space = self._known[agent] = self._world.available(agent)
        return space

    def __iter__(self) -> Iterator[Agent]:
        return iter(self._agents)

    def __len__(self) -> int:
        return len(self._agents)


class Crew:
    """The policies of a run.

    Args:
        policies: one policy, a mapping from agent to policy, or a function from agent to policy.
        agents: all agents that may ever act.

    Raises:
        ConfigError: where an agent has no policy, or something else stands in its place.
    """

    def __init__(self, policies: Policies, agents: Sequence[Agent]) -> None:
        self.of: dict[Agent, Policy] = {agent: self._find(policies, agent) for agent in agents}
        self.all: list[Policy] = list({id(p): p for p in self.of.values()}.values())
        self._charges = {id(p): [a for a in agents if self.of[a] is p] for p in self.all}

    @staticmethod
    def _find(policies: Policies, agent: Agent) -> Policy:
        if isinstance(policies, Policy):
            return policies
        if isinstance(policies, Mapping):
            if agent not in policies:
                raise ConfigError(f"agent {agent!r} has no policy: add it to the mapping of policies")
            found: Any = policies[agent]
        elif callable(policies):
            found = policies(agent)
        else:
            raise ConfigError(f"policies must be a Policy, a mapping or a function, not {type(policies).__name__}")
        if not isinstance(found, Policy):
            raise ConfigError(
                f"the policy of agent {agent!r} is a {type(found).__name__}, not a Policy: wrap a function with @coded"
            )
        return found

    def reset(self, seed: int) -> None:
        """Begin an episode for every policy."""
        for policy in self.all:
            policy.reset(seed, self._charges[id(policy)])

    async def act(
        self, observations: Mapping[Agent, Any], spaces: Mapping[Agent, Space[Any]], repeating: bool = False
    ) -> dict[Agent, Any]:
        """What each agent in `observations` does, or a Fault. Policies that await are asked concurrently.

        Where a record is repeated, policies that cannot repeat themselves are not asked.
        """
        if repeating:
            observations = {a: seen for a, seen in observations.items() if self.of[a].repeatable}
        asked = self._groups(observations)
        answers: list[Any] = []
        awaited: list[int] = []
        try:
            for policy, seen in asked:
                answers.append(self._ask(policy, seen, spaces))
                if type(answers[-1]) is not dict and inspect.isawaitable(answers[-1]):
                    awaited.append(len(answers) - 1)
        except BaseException:
            for at in awaited:
                if inspect.iscoroutine(answers[at]):
                    answers[at].close()
            raise
        if awaited:
            await self._finish(answers, awaited, [seen for _, seen in asked])
        return {agent: action for answer in answers for agent, action in answer.items()}

    def _groups(self, observations: Mapping[Agent, Any]) -> list[tuple[Policy, Mapping[Agent, Any]]]:
        """What each policy is to be asked about, without those that have nothing to decide."""
        if len(self.all) == 1:
            return [(self.all[0], observations)] if observations else []
        groups: dict[int, dict[Agent, Any]] = {}
        for agent, seen in observations.items():
            groups.setdefault(id(self.of[agent]), {})[agent] = seen
        return [(policy, groups[id(policy)]) for policy in self.all if id(policy) in groups]

    @staticmethod
    def _ask(policy: Policy, seen: Mapping[Agent, Any], spaces: Mapping[Agent, Space[Any]]) -> Any:
        """The policy's answer, or an awaitable of it."""
        try:
            return policy.act(seen, spaces)
        except CallFailed as error:
            return dict.fromkeys(seen, Fault(str(error)))

    @staticmethod
    async def _finish(answers: list[Any], awaited: list[int], seen: Sequence[Mapping[Agent, Any]]) -> None:
        """Put the answers in the place of their awaitables; all are awaited at once."""

        async def one(at: int) -> Any:
            try:
                return await answers[at]
            except CallFailed as error:
                return dict.fromkeys(seen[at], Fault(str(error)))

        if len(awaited) == 1:
            answers[awaited[0]] = await one(awaited[0])
            return
        tasks = [asyncio.ensure_future(one(at)) for at in awaited]
        try:
            found = await asyncio.gather(*tasks)
        except BaseException:
            for task in tasks:
                task.cancel()
            raise
        for at, answer in zip(awaited, found, strict=True):
            answers[at] = answer

    def state_dict(self) -> dict[str, Any]:
        """The state of each policy, in the order of their first agents."""
        return {"policies": [policy.state_dict() for policy in self.all]}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Put the policies' states back."""
        for policy, kept in zip(self.all, state["policies"], strict=True):
            policy.load_state_dict(kept)
