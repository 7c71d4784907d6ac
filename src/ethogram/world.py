"""World: where a simulation happens.

A world is a `pettingzoo.ParallelEnv` with five additions: `acting` (whose action the next step awaits), `now` (simulated
time), `available` (what an agent may do right now), interventions, and a complete state that can be saved and put back.
"""

from __future__ import annotations

import copy
import inspect
import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar, TypeVar

import gymnasium
import numpy as np
import pettingzoo

from ethogram.aio import run_coroutine
from ethogram.errors import ConfigError
from ethogram.seeds import derive, fresh_seed, generator, generator_from, generator_state

__all__ = ["Agent", "AsyncWorld", "GymWorld", "Step", "World", "intervention"]

Agent = str
"""An agent is known by its name."""

Step = tuple[dict[Agent, Any], dict[Agent, float], dict[Agent, bool], dict[Agent, bool], dict[Agent, dict[str, Any]]]
"""What `step` returns: observations, rewards, terminations, truncations and infos, each by agent."""

_SCALARS = {type(None), bool, int, float, str}
F = TypeVar("F", bound=Callable[..., Any])


def intervention(method: F) -> F:
    """Mark a method of a world or policy as one that an experimenter may call by name at a step of a run.

    Its arguments must be JSON values: an intervention is recorded with them, and repeated from the record.
    """
    method.__intervention__ = True  # type: ignore[attr-defined]
    return method


class World(pettingzoo.ParallelEnv[Agent, Any, Any]):
    """A place where agents act, in parallel or some at a time.

    A subclass sets, in `__init__`, `possible_agents` (all names, in order), `observation_spaces` and `action_spaces`
    (a gymnasium space each), and writes `reset` and `step` as PettingZoo has them. `reset` starts with
    `super().reset(seed)`, which seeds `self.rng`, the only randomness a world may use, and brings all agents back.
    Actions of agents that are not in `acting` are ignored; a wrong but well-formed action has no effect.
    """

    metadata: dict[str, Any] = {"name": "world", "render_modes": []}
    time_unit: ClassVar[str] = "step"
    """The unit of `now`."""
    state_fields: ClassVar[tuple[str, ...]] = ()
    """Attributes which, with `agents` and `rng`, make up the state: JSON values (keys are strings) and numpy arrays."""

    expected_steps: int | None = None
    """How many steps an episode takes, at a guess, where the world knows; only used to say what a run may cost."""

    possible_agents: list[Agent]
    agents: list[Agent]
    observation_spaces: dict[Agent, gymnasium.Space[Any]]
    action_spaces: dict[Agent, gymnasium.Space[Any]]
    rng: np.random.Generator | None = None

    def observation_space(self, agent: Agent) -> gymnasium.Space[Any]:
        """The space that all of the agent's observations are in."""
        return self.observation_spaces[agent]

    def action_space(self, agent: Agent) -> gymnasium.Space[Any]:
        """The space that all of the agent's actions are in, at any time."""
        return self.action_spaces[agent]

    def reset(
        self, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[dict[Agent, Any], dict[Agent, Any]]:
        """Begin an episode: seeds `rng` (afresh where `seed` is None), brings back all agents, observes nothing yet."""
        self.rng = generator(fresh_seed() if seed is None else seed, "world")
        self.agents = list(self.possible_agents)
        return {}, {}

    @property
    def acting(self) -> Sequence[Agent]:
        """The agents whose action the next step awaits, in a fixed order; the others may be left out. Default: all."""
        return self.agents

    @property
    def now(self) -> float | None:
        """Simulated time in `time_unit`; None where time is the number of steps."""
        return None

    def available(self, agent: Agent) -> gymnasium.Space[Any]:
        """The part of the action space that is open to the agent right now. Default: all of it."""
        return self.action_space(agent)

    def idle(self, agent: Agent) -> Any:
        """The action that stands in for one that failed: the verb `wait`, or the zero of a numeric space."""
        space = self.action_space(agent)
        for verb in getattr(space, "verbs", ()):
            if verb.__name__ == "Wait":
                return verb()
        if isinstance(space, gymnasium.spaces.Discrete):
            return space.dtype.type(0) if space.contains(0) else space.start
        if isinstance(space, gymnasium.spaces.Box):
            return np.clip(np.zeros(space.shape, space.dtype), space.low, space.high)
        raise ConfigError(
            f"world {type(self).__name__} has no idle action: give its actions a verb Wait, or override idle()"
        )

    def observe(self) -> Mapping[Agent, Any]:
        """What agents observe now, where an intervention has just changed it; default: it shows with the next step."""
        return {}

    def outcome(self) -> Mapping[str, float]:
        """What came of the episode so far, in numbers (`success`, `score`, `mode`); recorded when an episode ends.

        It is part of the state: after `load_state_dict` it is what it was.
        """
        return {}

    def intervene(self, name: str, arguments: Mapping[str, Any]) -> None:
        """Carry out an intervention by name; ConfigError where there is none of that name."""
        method = getattr(self, name, None)
        if not getattr(method, "__intervention__", False):
            raise ConfigError(
                f"world {type(self).__name__} has no intervention {name!r}; "
                f"it has: {', '.join(self.interventions()) or 'none'}"
            )
        try:
            method(**arguments)  # type: ignore[misc]
        except TypeError as error:
            raise ConfigError(f"intervention {name!r} does not take {dict(arguments)}: {error}") from error

    @classmethod
    def interventions(cls) -> list[str]:
        """The names of the interventions this world offers."""
        return sorted(n for n in dir(cls) if getattr(getattr(cls, n, None), "__intervention__", False))

    def state_dict(self) -> dict[str, Any]:
        """The complete state between two steps, random state included: JSON values and numpy arrays only."""
        fields = {name: _copied(getattr(self, name)) for name in self.state_fields}
        rng = None if self.rng is None else generator_state(self.rng)
        return {"agents": list(self.agents), "rng": rng, "fields": fields}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Put back a state that `state_dict` gave, on a world built alike."""
        self.agents = list(state["agents"])
        self.rng = None if state["rng"] is None else generator_from(state["rng"])
        for name, value in state["fields"].items():
            setattr(self, name, _copied(value))


def _kind(value: Any) -> str:
    """A value in few words: of an array its type, shape and range."""
    if not isinstance(value, np.ndarray) or not value.size or value.dtype.kind not in "biuf":
        return repr(value)
    return f"{value.dtype} of shape {value.shape} from {value.min():.4g} to {value.max():.4g}"


def _copied(value: Any) -> Any:
    """A deep copy; several times faster than the general one for what most states are made of."""
    if type(value) is list:
        return value.copy() if _SCALARS.issuperset(map(type, value)) else [_copied(v) for v in value]
    if type(value) is dict:
        return value.copy() if _SCALARS.issuperset(map(type, value.values())) else {k: _copied(v) for k, v in value.items()}
    return copy.deepcopy(value)


class AsyncWorld(World):
    """A world whose step awaits something, such as a language model: write `step_async` in place of `step`."""

    async def step_async(self, actions: Mapping[Agent, Any]) -> Step:
        """One step; awaited by `simulate`."""
        raise NotImplementedError

    def step(self, actions: Mapping[Agent, Any]) -> Step:
        """One step, for callers that cannot await."""
        return run_coroutine(self.step_async(actions))


class GymWorld(World):
    """Any gymnasium env as a world of one agent.

    Args:
        env: an env, or the id of a registered one.
        agent: the name of its agent.
        **options: handed to `gymnasium.make` where `env` is an id.

    An env cannot be asked for its state, so the state kept is the seed and the actions since `reset`; loading it repeats
    them. That is complete where the env is deterministic given its seed (which `gymnasium.utils.env_checker` checks), and
    costs one env step for each step of the episode so far.
    """

    def __init__(self, env: gymnasium.Env[Any, Any] | str, agent: Agent = "agent", **options: Any) -> None:
        if isinstance(env, str):
            try:
                env = gymnasium.make(env, **options)
            except gymnasium.error.Error as error:
                raise ConfigError(f"gymnasium cannot make {env!r}: {error}") from error
        spaces = [getattr(env, name, None) for name in ("observation_space", "action_space")]
        if isinstance(env, type) or not all(isinstance(space, gymnasium.Space) for space in spaces):
            raise ConfigError(
                f"GymWorld wants a gymnasium env, made and with its observation_space and action_space set, not {env!r}"
            )
        self.env = env
        self.metadata = {**env.metadata, "name": env.spec.id if env.spec else type(env.unwrapped).__name__}
        taken = inspect.signature(env.unwrapped.reset).parameters
        if not ({"seed", "options"} <= set(taken) or any(p.kind is p.VAR_KEYWORD for p in taken.values())):
            raise ConfigError(
                f"reset of {self.metadata['name']} takes ({', '.join(taken)}); gymnasium wants "
                "reset(self, *, seed=None, options=None)"
            )
        self.possible_agents = [agent]
        self.agents = []
        self.observation_spaces = {agent: env.observation_space}
        self.action_spaces = {agent: env.action_space}
        self._start: tuple[int | None, dict[str, Any] | None] = (None, None)
        self._actions: list[Any] = []
        self._info: dict[str, Any] = {}
        self._succeeded: bool | None = None
        self._warned = False

    def reset(
        self, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[dict[Agent, Any], dict[Agent, Any]]:
        """Reset the env; without a seed one is drawn, so that the episode can be repeated."""
        if seed is None:
            seed = fresh_seed()
        self.agents = list(self.possible_agents)
        self._start, self._actions = (seed, options), []
        self._info, self._succeeded = {}, None
        found = self.env.reset(seed=derive(seed, "env") % 2**31, options=options)
        if not (isinstance(found, tuple) and len(found) == 2):
            raise ConfigError(
                f"reset of {self.metadata['name']} gives no (observation, info), as gymnasium wants, but {found!r}"
            )
        observation, info = found
        if not self.env.observation_space.contains(observation) and not self._warned:
            self._warned = True
            warnings.warn(
                f"reset of {self.metadata['name']} gives {_kind(observation)}, which is no member of its observation_space "
                f"{self.env.observation_space}: gymnasium.utils.env_checker.check_env says more",
                RuntimeWarning,
                stacklevel=2,
            )
        return {self.agents[0]: observation}, {self.agents[0]: info}

    def step(self, actions: Mapping[Agent, Any]) -> Step:
        """One step of the env."""
        agent = self.possible_agents[0]
        observation, reward, terminated, truncated = self.advance(actions[agent])
        return {agent: observation}, {agent: reward}, {agent: terminated}, {agent: truncated}, {agent: self._info}

    def advance(self, action: Any) -> tuple[Any, float, bool, bool]:
        """One step, without mappings: observation, reward, terminated, truncated."""
        self._actions.append(action)
        found = self.env.step(action)
        try:
            observation, reward, terminated, truncated, info = found
        except (TypeError, ValueError):
            given = f"{len(found)} values" if isinstance(found, tuple) else repr(found)
            raise ConfigError(
                f"step of {self.metadata['name']} gives {given}; gymnasium wants (observation, reward, terminated, "
                "truncated, info)"
            ) from None
        self._info = info
        if info and not self._succeeded:
            if (succeeded := info.get("success")) is None:
                succeeded = info.get("is_success")
            if succeeded is not None:
                self._succeeded = succeeded if type(succeeded) is bool else self._truth(succeeded)
        if terminated or truncated:
            self.agents = []
        try:
            return observation, float(reward), terminated, truncated
        except (TypeError, ValueError) as error:
            raise ConfigError(f"step of {self.metadata['name']} gives the reward {reward!r}, which is no number") from error

    def _truth(self, succeeded: Any) -> bool:
        """A success that is no plain bool, as one."""
        if np.size(succeeded) != 1 or np.ravel(succeeded)[0] not in (0, 1):
            raise ConfigError(
                f"the success in the info of {self.metadata['name']} is {succeeded!r}, and must be True or False"
            )
        return bool(succeeded)

    def outcome(self) -> Mapping[str, float]:
        """The numbers in the env's last info.

        `success` (or `is_success`, under the name `success`) is 1 where any step of the episode had it.
        """
        numbers = {k: float(v) for k, v in self._info.items() if isinstance(v, int | float | np.number | np.bool_)}
        if self._succeeded is not None:
            numbers.pop("is_success", None)
            numbers["success"] = float(self._succeeded)
        return numbers

    def render(self) -> Any:
        """What the env renders."""
        return self.env.render()

    def close(self) -> None:
        """Close the env."""
        self.env.close()

    def state_dict(self) -> dict[str, Any]:
        """The seed, the options and the actions since `reset`."""
        space = self.action_spaces[self.possible_agents[0]]
        box = isinstance(space, gymnasium.spaces.Box)  # whose members may also come as lists
        return {
            "agents": list(self.agents),
            "seed": self._start[0],
            "options": self._start[1],
            "actions": space.to_jsonable([np.asarray(a) for a in self._actions] if box else self._actions),
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Repeat the episode up to the state kept."""
        agent = self.possible_agents[0]
        self.reset(state["seed"], state["options"])
        for action in self.action_spaces[agent].from_jsonable(list(state["actions"])):
            self.step({agent: action})
        self.agents = list(state["agents"])
