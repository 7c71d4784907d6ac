"""What takes long is done in a process of its own, which keeps its models and worlds: interviews, branches and video.

Each function here takes and gives plain values, and answers what a user can mend with a sentence in place of a result.
"""

from __future__ import annotations

import asyncio
import inspect
import multiprocessing
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import Any, NamedTuple

from ethogram.aio import settled
from ethogram.errors import EthogramError

__all__ = ["Answer", "Office", "ask", "branch_off", "options_of"]


class Answer(NamedTuple):
    """What became of a job."""

    value: Any = None
    problem: str = ""
    """A sentence, where it could not be done."""


class Office:
    """Processes, made when first needed, each for a kind of work: answers questions, runs branches on, draws pictures."""

    def __init__(self) -> None:
        self._desks: dict[str, ProcessPoolExecutor] = {}

    async def do(self, desk: str, function: Callable[..., Any], *arguments: Any) -> Answer:
        """Have a function of a module called with plain values; what a user can mend comes back as a sentence."""
        if desk not in self._desks:
            self._desks[desk] = ProcessPoolExecutor(1, multiprocessing.get_context("spawn"))
        try:
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(self._desks[desk], _guarded, function, arguments)
        except BrokenProcessPool:
            self._desks.pop(desk, None)
            return Answer(problem="the process that was to do this has died, perhaps for want of memory: try again")

    def renew(self, desk: str) -> None:
        """Have a new process do what comes next; the old one ends when it has done what it was given."""
        if (old := self._desks.pop(desk, None)) is not None:
            old.shutdown(wait=False)

    def close(self) -> None:
        """End the processes."""
        for desk in self._desks.values():
            for process in list((desk._processes or {}).values()):
                process.terminate()
            desk.shutdown(wait=False, cancel_futures=True)
        self._desks.clear()


def _guarded(function: Callable[..., Any], arguments: tuple[Any, ...]) -> Answer:
    try:
        return Answer(function(*arguments))
    except EthogramError as error:
        return Answer(problem=str(error))
    except KeyboardInterrupt:
        return Answer(problem="it was interrupted")
    except Exception as error:  # a world, policy or scene of the user's may raise anything
        return Answer(problem=f"{type(error).__name__}: {error}"[:400])


def ask(path: str, agent: str, question: str, episode: int, step: int) -> dict[str, Any]:
    """An agent's answer to a question at a moment of its run; the run stays as it is.

    Returns:
        `answer`, and `recalled`: the memories that it stands on with their scores, of policies that have `recall`.
    """
    from ethogram.policy import Policy
    from ethogram.simulation import restore

    policies = restore(path, step, episode=episode).policies
    policy = policies if isinstance(policies, Policy) else policies(agent) if callable(policies) else policies[agent]
    recall = getattr(policy, "recall", None)
    return {"answer": settled(policy.ask(agent, question)), "recalled": recall(agent, question) if callable(recall) else []}


def options_of(path: str) -> dict[str, dict[str, dict[str, Any]]]:
    """The interventions that world and policies of a run offer: by `world` or `agent`, name, and argument.

    An argument is {`kind`: as it is annotated, or `mapping` for any others by name; `needed`: whether it has no default;
    `default`}.
    """
    from ethogram.policy import Policy
    from ethogram.records import Run
    from ethogram.simulation import scene_of
    from ethogram.studio.newcomers import ADD, arguments_of

    run = Run(path)
    scene = scene_of(run)
    policies = scene.policies
    first = scene.world.possible_agents[0]
    policy = policies if isinstance(policies, Policy) else policies(first) if callable(policies) else policies[first]
    world = _offered(scene.world, 1)
    if joining := arguments_of(run, scene):
        world[ADD] = {"says": "Bring somebody new, who is there from this moment on.", "arguments": joining}
    return {"world": world, "agent": _offered(policy, 2)}


def _offered(owner: Any, own: int) -> dict[str, dict[str, Any]]:
    """The methods of an object that are marked as interventions, with the arguments after the first `own`."""
    found: dict[str, dict[str, Any]] = {}
    for name in dir(type(owner)):
        method: Any = getattr(type(owner), name, None)
        if not getattr(method, "__intervention__", False):
            continue
        arguments = {}
        for argument in list(inspect.signature(method).parameters.values())[own:]:
            if argument.kind is inspect.Parameter.VAR_KEYWORD:
                arguments[argument.name] = {"kind": "mapping", "needed": True, "default": None}
                continue
            kind = str(argument.annotation).removeprefix("<class '").removesuffix("'>")
            needed = argument.default is inspect.Parameter.empty
            default = None if needed else argument.default
            arguments[argument.name] = {"kind": kind, "needed": needed, "default": default}
        found[name] = {"says": (inspect.getdoc(method) or "").partition("\n")[0], "arguments": arguments}
    return found


def branch_off(path: str, episode: int, step: int, interventions: list[dict[str, Any]], to: str) -> str:
    """Fork a run before a step, intervene and run on; the folder of the branch."""
    from ethogram.records import Run
    from ethogram.simulation import Intervention, branch
    from ethogram.studio.newcomers import ADD, with_newcomers

    wanted, joining = [], []
    for one in interventions:
        name, arguments = one["name"], one["arguments"]
        if name == ADD:
            joining.append({key: value for key, value in arguments.items() if key != "place"})
            name, arguments = "arrive", {"agent": arguments["name"], "place": arguments.get("place", "")}
        wanted.append(Intervention(step, name, arguments, one["agent"], episode))
    scene = with_newcomers(Run(path), joining) if joining else None
    return str(branch(path, step, wanted, to=to, episode=episode, scene=scene, progress=False).path)
