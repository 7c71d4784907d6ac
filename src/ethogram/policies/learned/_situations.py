"""What a distilled policy sees of a situation, and what it can do in it: the featuriser and the templates of actions.

An observation of any space is read as JSON and becomes

- *tokens*, hashed into a fixed number of buckets (CRC-32): of each text its words (lower case; a clock time is a word, and
  so is its hour) with the path of its field, of short texts also the whole, of lists and mappings how many there are and
  what they hold (of lists of records only the last `RECORDS`), of numbers the quantile of the data it lies in; the agent's
  name; and of the top-level texts each token again together with the agent's name, so that who does what when need not be
  learned as a product;
- *numbers*, standardised: each number that is always there.

An action is a *template*: its JSON, in which what refers to the situation is replaced by where in the observation it stands:
the partner of a conversation by `{talking_to}`, the nearest person by `{people.0}`, the present activity by `{activity}`. So
"greet the nearest" is one template whoever that is, and can be taken only where the reference exists.
"""

from __future__ import annotations

import json
import re
import zlib
from collections.abc import Mapping
from typing import Any

import gymnasium.spaces as gs
import numpy as np
from gymnasium import Space
from pydantic import BaseModel

from ethogram.errors import ConfigError

__all__ = ["Reader", "abstract", "ground", "plain", "references", "slots"]

RECORDS = 6
"""How many of a list of records (such as events) are read, the last ones."""
SHORT = 60
"""The most characters of a text that counts as a name: read as a whole, and referred to by actions."""
_WORD = re.compile(r"\w+(?::\w+)*")
_TIME = re.compile(r"\d\d?:\d\d")
_SLOT = re.compile(r"\{([\w.]+)\}")


def plain(space: Space[Any], member: Any) -> Any:
    """A member of a space as JSON values."""
    if isinstance(member, BaseModel):
        return space.dump(member) if hasattr(space, "dump") else member.model_dump(mode="json")  # pyright: ignore
    if isinstance(space, gs.Dict):
        return {key: plain(part, member[key]) for key, part in space.spaces.items()}
    if isinstance(space, gs.Tuple):
        return [plain(part, value) for part, value in zip(space.spaces, member, strict=True)]
    return member.tolist() if isinstance(member, np.ndarray | np.generic) else member


class Reader:
    """The featuriser; see the module.

    Args:
        buckets: into which tokens are hashed.
        edges: of each number's path, the quantiles of the data between which it may lie, with its mean and deviation.
        agents: whether the agent's name is seen.
    """

    def __init__(self, buckets: int, edges: Mapping[str, list[float]], agents: bool) -> None:
        self.buckets, self.agents = buckets, agents
        self.paths = list(edges)
        self._edges = {path: np.array(values[2:]) for path, values in edges.items()}
        self._scale = {path: (values[0], values[1] or 1.0) for path, values in edges.items()}
        self._known: dict[str, int] = {}

    def read(self, agent: str, situation: Any) -> tuple[list[int], list[float]]:
        """The buckets of the tokens, and the standardised numbers (0 where one is missing)."""
        words: list[str] = []
        numbers: dict[str, float] = {}
        _walk(situation, "", words, numbers)
        top = [w for w in words if "." not in w.partition("=")[0] and "*" not in w]
        for path, value in numbers.items():
            if path in self._edges:
                words.append(f"{path}~{int(np.searchsorted(self._edges[path], value))}")
        if self.agents:
            words += [f"agent={agent}", *(f"{agent}|{w}" for w in top)]
        found = []
        for path in self.paths:
            mean, deviation = self._scale[path]
            found.append((numbers.get(path, mean) - mean) / deviation)
        return [self._bucket(w) for w in words], found

    def _bucket(self, word: str) -> int:
        found = self._known.get(word)
        if found is None:
            found = zlib.crc32(word.encode()) % self.buckets
            if len(self._known) < 200_000:
                self._known[word] = found
        return found


def edges_of(numbers: Mapping[str, list[float]], bins: int) -> dict[str, list[float]]:
    """For `Reader`: mean, deviation and inner quantiles of each path's values."""
    found = {}
    for path, values in numbers.items():
        inner = np.unique(np.quantile(values, np.linspace(0, 1, bins + 1)[1:-1])).tolist()
        found[path] = [float(np.mean(values)), float(np.std(values)), *inner]
    return found


def numbers_in(situation: Any) -> dict[str, float]:
    """The numbers of a situation by path."""
    numbers: dict[str, float] = {}
    _walk(situation, "", [], numbers)
    return numbers


def _walk(value: Any, path: str, words: list[str], numbers: dict[str, float]) -> None:
    if isinstance(value, bool) or value is None:
        words.append(f"{path}={value}")
    elif isinstance(value, int | float):
        numbers[path] = float(value)
    elif isinstance(value, str):
        if len(value) <= SHORT:
            words.append(f"{path}={value}")
        for word in _WORD.findall(value.lower()):
            words.append(f"{path}:{word}")
            if _TIME.fullmatch(word):
                words.append(f"{path}:{word[:-2]}")
    elif isinstance(value, dict):
        if path:
            words.append(f"{path}*={len(value)}")
        for key, part in value.items():
            _walk(part, f"{path}.{key}" if path else key, words, numbers)
    elif value and isinstance(value[0], int | float) and not isinstance(value[0], bool):
        for i, part in enumerate(value):
            numbers[f"{path}.{i}"] = float(part)
    else:
        words.append(f"{path}*={min(len(value), 20)}")
        for part in value[-RECORDS:] if value and isinstance(value[0], dict) else value:
            _walk(part, f"{path}.*", words, numbers if not isinstance(part, dict) else {})


def references(agent: str, situation: Any) -> dict[str, str]:
    """What actions may refer to, by where it stands: short texts, then names in lists, then the agent itself."""
    found: dict[str, str] = {}
    if isinstance(situation, dict):
        found |= {key: value for key, value in situation.items() if _is_name(value)}
        for key, value in situation.items():
            if isinstance(value, list):
                found |= {f"{key}.{i}": part for i, part in enumerate(value) if _is_name(part)}
    found["self"] = agent
    return found


def _is_name(value: Any) -> bool:
    return isinstance(value, str) and 0 < len(value) <= SHORT


def abstract(action: Any, refers: Mapping[str, str]) -> str:
    """The template of an action (JSON values) in a situation with these references: JSON text."""
    if isinstance(action, dict):
        action = {key: _abstracted(value, refers) if key != "verb" else value for key, value in action.items()}
    return json.dumps(action, ensure_ascii=False, sort_keys=True)


def _abstracted(value: Any, refers: Mapping[str, str]) -> Any:
    if not isinstance(value, str) or not value:
        return value
    for slot, name in refers.items():
        if value == name:
            return f"{{{slot}}}"
    for slot, name in refers.items():
        if len(name) > 2 and name in value:
            value = re.sub(rf"(?<!\w){re.escape(name)}(?!\w)", f"{{{slot}}}", value)
    return value


def slots(template: str) -> frozenset[str]:
    """The references that a template needs."""
    return frozenset(_SLOT.findall(template))


def ground(template: str, refers: Mapping[str, str]) -> str:
    """The action (JSON text) that a template is in a situation; KeyError where a reference is missing."""
    return _SLOT.sub(lambda match: json.dumps(refers[match[1]], ensure_ascii=False)[1:-1], template)


def actions_of(space: Space[Any], text: str) -> Any:
    """The action of a space that a grounded template is; VerbError or ValueError where it is none."""
    value = json.loads(text)
    if hasattr(space, "load"):
        return space.load(value)  # pyright: ignore[reportAttributeAccessIssue]
    if isinstance(space, gs.Discrete):
        action: Any = space.dtype.type(value)
    elif isinstance(space, gs.MultiDiscrete | gs.MultiBinary):
        action = np.array(value, space.dtype)
    else:
        action = value
    if not space.contains(action):
        raise ValueError(f"{text} is not open now")
    return action


def check_choices(space: Space[Any]) -> None:
    """Raise ConfigError where actions are not a choice among things that recur."""
    if isinstance(space, gs.Box | gs.Dict | gs.Tuple):
        raise ConfigError(
            f"a distilled policy chooses among actions that it has seen, which {space} is not made for: use bc"
        )
