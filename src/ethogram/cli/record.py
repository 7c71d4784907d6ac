"""What `report`, `replay`, `branch` and `interview` do with a study or a run."""

from __future__ import annotations

import shlex
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ethogram.aio import settled
from ethogram.cli import Interrupted
from ethogram.cli.show import assignments, console, plain, print_json
from ethogram.errors import ConfigError, EthogramError, RunError

if TYPE_CHECKING:
    from ethogram.records import Run
    from ethogram.simulation import Intervention, Replay

__all__ = ["branch_run", "interview_agent", "replay_runs", "write_report"]


def runs_in(path: Path, name: str = "") -> dict[str, Run]:
    """The runs that a path stands for, by name: all of a study (or the one of that name), or the run itself.

    A study's module is loaded, so that scenes of a user's study file can be built again.
    """
    from ethogram.records import Run
    from ethogram.studies.execution import StudyFolder
    from ethogram.studies.registry import nearest

    if (path / "study.json").exists():
        folder = StudyFolder(path)
        _ = folder.study
        runs = folder.runs
        if not runs:
            raise RunError(f"{path} is a study without runs: run it first")
        if name and name not in runs:
            raise ConfigError(f"{path} has no run {name!r}{nearest(name, runs)}; it has: {listed(runs)}")
        return {name: runs[name]} if name else runs
    if name:
        raise ConfigError(f"{path} is not a study, so leave out --run {name}")
    if not path.exists():
        raise RunError(f"there is no folder {path}: give the folder of a study or run")
    run = Run(path)
    for parent in path.resolve().parents:
        if (parent / "study.json").exists():
            _ = StudyFolder(parent).study
            break
    return {path.name: run}


def listed(names: Iterable[str], most: int = 30) -> str:
    """Names for a sentence, not more than a reader can take in."""
    known = list(names)
    return ", ".join(known[:most]) + (f" and {len(known) - most} more" if len(known) > most else "")


def one_run(path: Path, name: str) -> tuple[str, Run]:
    """The one run that a path and a name stand for; ConfigError where there are several."""
    runs = runs_in(path, name)
    if len(runs) > 1:
        raise ConfigError(f"{path} has several runs, choose one with --run: {listed(runs)}")
    return next(iter(runs.items()))


def write_report(path: Path, to: Path | None) -> None:
    """`ethogram report`."""
    from ethogram.studies.execution import StudyFolder
    from ethogram.studies.report import write

    folder = StudyFolder(path) if (path / "study.json").exists() else None
    print(write(folder or one_run(path, "")[1], to))


def replay_runs(path: Path, name: str, as_json: bool) -> int:
    """`ethogram replay`; returns the exit status, 1 where anything differs."""
    from ethogram.simulation import replay

    found: dict[str, Replay] = {}
    for label, run in runs_in(path, name).items():
        found[label] = result = replay(run)
        if not as_json:
            _show_replay(label, result)
    if as_json:
        print_json({label: _replay_json(result) for label, result in found.items()})
    return int(any(result.divergences for result in found.values()))


def _show_replay(label: str, result: Replay) -> None:
    out = console()
    rate = f"{result.agent_steps / max(result.seconds, 1e-9):,.0f} agent-steps a second"
    counts = f"{result.steps:,} steps, {result.calls:,} model calls answered from the record, {rate}"
    if not result.divergences:
        out.print(f"[green]the same[/green]  {label}: {counts}", soft_wrap=True)
        return
    out.print(f"[red]differs[/red]   {label}: {counts}; the first difference of each agent:", soft_wrap=True)
    for d in result.divergences:
        out.print(
            f"    episode {d.episode}, step {d.step}, {d.agent}: {d.event}: {plain(d.detail)}", markup=False, soft_wrap=True
        )


def _replay_json(result: Replay) -> dict[str, Any]:
    return {
        "same": not result.divergences,
        "steps": result.steps,
        "agent_steps": result.agent_steps,
        "calls": result.calls,
        "seconds": result.seconds,
        "divergences": [d._asdict() for d in result.divergences],
    }


def branch_run(
    path: Path,
    name: str,
    at: int,
    intervene: list[str],
    agent: str | None,
    episode: int,
    steps: int | None,
    to: Path | None,
    as_json: bool,
) -> None:
    """`ethogram branch`."""
    from ethogram.records import Run
    from ethogram.simulation import branch

    _, run = one_run(path, name)
    if agent is not None:
        known_agent(run, agent)
    interventions = [intervention_of(text, at, episode, agent) for text in intervene]
    target = to or free_name(run.path, at)
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise RunError(f"{target} is there already: choose another folder for the branch")
    existed = target.exists()
    try:
        forked = branch(run, at, interventions, to=target, steps=steps, episode=episode, progress=False if as_json else None)
    except KeyboardInterrupt:
        raise Interrupted(f"interrupted; {target} holds the branch so far, give another --to to begin it again") from None
    except EthogramError:
        if not existed and target.exists() and Run(target).manifest.steps_done <= at:
            shutil.rmtree(target)  # what the world refuses leaves nothing that is worth keeping
        raise
    facts = compare(run, forked)
    if as_json:
        print_json({"branch": str(forked.path), **facts})
        return
    out = console()
    out.print(f"branch     {forked.path}", soft_wrap=True)
    out.print(f"steps      {facts['steps']:,} ({at:,} as in the run)")
    answered = f"{facts['answered']:,} answered from the run's record"
    out.print(f"calls      {facts['calls']:,}, of which {answered}; {facts['cost']:.4f} paid")
    first = facts["first_difference"]
    if first is None:
        out.print("nothing that any agent saw or did differs from the run")
    else:
        out.print(f"differs    first at step {first['step']}: {', '.join(map(plain, first['agents']))}", markup=False)


def intervention_of(text: str, at: int, episode: int, agent: str | None) -> Intervention:
    """An intervention as given on the command line: its name, then its arguments as KEY=VALUE."""
    from ethogram.simulation import Intervention

    try:
        words = shlex.split(text)
    except ValueError as error:
        raise ConfigError(f"--intervene {text!r} cannot be read: {error}") from error
    if not words or "=" in words[0]:
        raise ConfigError(f"--intervene takes 'NAME KEY=VALUE …', not {text!r}")
    return Intervention(at, words[0], assignments(words[1:], "--intervene"), agent, episode)


def free_name(run: Path, at: int) -> Path:
    """A folder beside the run's that is not there yet."""
    base = run.with_name(f"{run.name}-branch-{at}")
    k = 2
    path = base
    while path.exists():
        path, k = base.with_name(f"{base.name}-{k}"), k + 1
    return path


def compare(run: Run, forked: Run) -> dict[str, Any]:
    """What a branch took, and where it first differs from its run."""
    import polars as pl

    keys = ["episode", "step", "agent"]
    values = ["observation", "action"]
    ours = forked.steps.select(*keys, *values).collect()
    theirs = run.steps.select(*keys, *(pl.col(v).alias(f"{v}_") for v in values)).collect()
    same = pl.all_horizontal(*(pl.col(v).eq_missing(pl.col(f"{v}_")) for v in values))
    both = ours.join(theirs, on=keys, how="inner").filter(~same).sort("episode", "step")
    first = None
    if both.height:
        row = both.row(0, named=True)
        at = both.filter((pl.col("episode") == row["episode"]) & (pl.col("step") == row["step"]))
        first = {"episode": row["episode"], "step": row["step"], "agents": at["agent"].to_list()}
    usage = forked.manifest.usage
    return {
        "steps": forked.manifest.steps_done,
        "calls": usage.calls,
        "answered": usage.cached,
        "cost": usage.cost,
        "status": forked.manifest.status,
        "first_difference": first,
    }


def known_agent(run: Run, agent: str) -> None:
    """ConfigError where the run has no agent of that name."""
    from ethogram.studies.registry import nearest

    agents = run.manifest.agents
    if agent not in agents:
        raise ConfigError(f"{run.path} has no agent {agent!r}{nearest(agent, agents)}; it has: {listed(agents)}")


def interview_agent(
    path: Path, name: str, agent: str, questions: list[str], step: int | None, episode: int | None, as_json: bool
) -> None:
    """`ethogram interview`."""
    from ethogram.simulation import restore

    _, run = one_run(path, name)
    known_agent(run, agent)
    scene = restore(run, step, episode=episode)
    policies = scene.policies
    policy: Any = policies[agent] if isinstance(policies, dict) else policies(agent) if callable(policies) else policies
    answers = [settled(policy.ask(agent, question)) for question in questions]
    if as_json:
        pairs = zip(questions, answers, strict=True)
        print_json({"agent": agent, "step": step, "answers": [{"question": q, "answer": a} for q, a in pairs]})
        return
    for question, answer in zip(questions, answers, strict=True):
        console().print(f"> {question}\n{agent}: {plain(answer)}", markup=False)
