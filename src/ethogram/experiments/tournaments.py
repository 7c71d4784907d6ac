"""Tournaments: all against all on any scene with seats, with matched seeds and in every order, kept and gone on with.

found = tournament(["tit for tat", "grim trigger", "random"], matrix_match, measure=cooperation, replicates=10)
print(found.standings())
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ethogram.errors import ConfigError, DataError, RunError
from ethogram.experiments.cells import Result, collect, numbers
from ethogram.experiments.executors import Executor
from ethogram.experiments.keeping import digest, identity
from ethogram.experiments.matches import points
from ethogram.measures.estimate import Estimate, check_level
from ethogram.measures.means import mean
from ethogram.measures.ratings import Rating, bradley_terry, skill, wins_of
from ethogram.scene import Scene
from ethogram.seeds import derive

if TYPE_CHECKING:
    import polars as pl

    from ethogram.records.trajectories import Trajectory
    from ethogram.world import World

__all__ = ["MatchMeasure", "Meeting", "Tournament", "lineups", "tournament"]

MatchMeasure = Callable[["Sequence[Trajectory]", "World"], Mapping[str, "float | Sequence[float]"]]
"""From the trajectories of a match (of those agents who acted) and its world, after it, to numbers by name: one for the
match, or a series of one for each seat. It is called where the match was played: define it at the top of a module."""


@dataclass(frozen=True)
class Meeting:
    """Matches of one line-up: a scene with entrants in its seats, a seed for each match, and what is measured."""

    name: str
    scene: Callable[..., Scene]
    arguments: Mapping[str, Any]
    """Of the scene; `seats` has the entrants."""
    measure: MatchMeasure
    seeds: tuple[int, ...]
    steps: int | None = None
    runs: str | None = None
    """The folder in which runs are kept; None: matches are played in memory."""

    @property
    def functions(self) -> tuple[Callable[..., Any], ...]:
        """What another process must be able to find."""
        return self.scene, self.measure

    @property
    def recipe(self) -> dict[str, Any]:
        """All that the result depends on: everything but the name and the folder."""
        return {
            "scene": identity(self.scene),
            "arguments": dict(self.arguments),
            "measure": identity(self.measure),
            "seeds": list(self.seeds),
            "steps": self.steps,
        }

    def compute(self) -> dict[str, list[Result]]:
        """Play the matches and measure them; one that was cut short in its folder is gone on with.

        Raises:
            ConfigError: the scene has fewer agents than seats.
            RunError: a budget ended the run.
            DataError: the measure gives something else than finite numbers, or series of other lengths than seats.
        """
        return {"matches": [self._measured(seed) for seed in self.seeds]}

    def _measured(self, seed: int) -> Result:
        scene, seats = self.scene(**self.arguments), len(self.arguments["seats"])
        if len(scene.world.possible_agents) < seats:
            raise ConfigError(f"the scene has {len(scene.world.possible_agents)} agents, too few for {seats} seats")
        what = getattr(self.measure, "__name__", "the measure")
        result = numbers(self.measure(self._played(scene, seed), scene.world), what)
        for name, value in result.items():
            if isinstance(value, list) and len(value) != seats:
                raise DataError(f"{what} must give one number for each of {seats} seats, or one; {name!r} has {len(value)}")
        return result

    def _played(self, scene: Scene, seed: int) -> Sequence[Trajectory]:
        from ethogram.simulation import rollouts, simulate
        from ethogram.simulation.rollouts import one_thread

        if self.runs is None:
            return rollouts(scene, episodes=1, steps=self.steps, seed=seed, progress=False)
        folder = Path(self.runs, digest([identity(self.scene), dict(self.arguments), self.steps, seed]))
        with one_thread():
            run = simulate(scene, steps=self.steps, seed=seed, to=folder, resume=True, progress=False)
        if run.manifest.status != "complete":
            raise RunError(f"the run was stopped: {run.manifest.reason}")
        end = run.checkpoint()
        if end is not None and not scene.world.agents and end[1]["begun"]:  # the run was complete before: nothing was played
            scene.world.load_state_dict(end[1]["world"])
        return run.trajectories()


@dataclass(frozen=True)
class Tournament:
    """What came of a tournament.

    Intervals take replicates for independent. Where neither world nor entrants draw random numbers they are copies of each
    other, and say no more than one would.
    """

    entrants: list[str]
    matches: pl.DataFrame
    """One row for each match and seat: `match`, `replicate`, `seed`, `seat`, `entrant`, `others` (a list, in the order of
    seats), and a column a measure."""
    score: str
    """The measure by which a match is won."""
    level: float = 0.95

    @cached_property
    def contests(self) -> list[dict[str, float]]:
        """The score of each entrant in each match, without those of an entrant against itself."""
        found: dict[int, dict[str, float]] = {}
        for match, entrant, value in self.matches.select("match", "entrant", self.score).iter_rows():
            found.setdefault(match, {})[entrant] = value
        return [contest for contest in found.values() if len(contest) > 1]

    def pair(self, entrant: str, other: str, measure: str | None = None) -> Estimate:
        """The mean of a measure of `entrant` in matches with `other`, over replicates; None: of the score."""
        if (entrant, other) not in self._meetings:
            raise ConfigError(f"{entrant!r} and {other!r} have not met; there are {', '.join(self.entrants)}")
        return self._mean(self._meetings[entrant, other], measure or self.score)

    def pairs(self) -> pl.DataFrame:
        """One row for each entrant and other that it met: `n` matches, and of each measure its mean, low and high."""
        import polars as pl

        rows = []
        for (entrant, other), sides in self._meetings.items():
            row: dict[str, Any] = {"entrant": entrant, "other": other, "n": sides["match"].n_unique()}
            for name in self.measures:
                value, low, high, *_ = self._mean(sides, name)
                row |= {name: value, f"{name} low": low, f"{name} high": high}
            rows.append(row)
        return pl.DataFrame(rows)

    @cached_property
    def _meetings(self) -> dict[tuple[str, str], pl.DataFrame]:
        """The rows of each entrant with each other that it met, in the order of entrants."""
        sides = self.matches.explode("others").partition_by("entrant", "others", as_dict=True)
        order = {name: i for i, name in enumerate(self.entrants)}
        return {(a, b): sides[a, b] for a, b in sorted(sides, key=lambda pair: (order[pair[0]], order[pair[1]]))}

    @property
    def measures(self) -> list[str]:
        """The names of all measures."""
        return self.matches.columns[6:]

    def means(self, measure: str | None = None) -> dict[str, Estimate]:
        """The mean of a measure of each entrant over its matches, none against itself; None: of the score.

        Every replicate is a whole round of the tournament, and its mean one observation: the interval says what other luck
        would have given against these very entrants, and nothing about others.
        """
        import polars as pl

        away = self.matches.filter(~pl.col("others").list.contains(pl.col("entrant")))
        each = away.partition_by("entrant", as_dict=True)
        return {name: self._mean(each[(name,)], measure or self.score) for name in self.entrants}

    def skills(self) -> dict[str, Rating]:
        """TrueSkill-like ratings from the matches in their order, replicate by replicate; the extra `games` is needed."""
        return skill(self.contests)

    def strengths(self, prior: float = 0.0) -> dict[str, Estimate]:
        """Bradley-Terry strengths from who beat whom; see `ethogram.measures.ratings.bradley_terry`."""
        return bradley_terry(wins_of(self.contests), prior=prior, level=self.level)

    def standings(self) -> pl.DataFrame:
        """One row an entrant, the one with the highest mean score first.

        Columns: `entrant`; the mean of each measure with low and high; `won`, `drawn`, `lost` (against each other in a
        match); `strength` with low and high: Bradley-Terry with half a win of each over each added (unbeaten ones have a
        rating too); `skill` and `skill sd`.
        """
        import polars as pl

        wins, means, skills = wins_of(self.contests), {m: self.means(m) for m in self.measures}, self.skills()
        strengths = bradley_terry(wins, prior=0.5, level=self.level)
        rows = []
        for name in self.entrants:
            row: dict[str, Any] = {"entrant": name}
            for measure, found in means.items():
                value, low, high, *_ = found[name]
                row |= {measure: value, f"{measure} low": low, f"{measure} high": high}
            row |= dict(zip(("won", "drawn", "lost"), self._record(name), strict=True))
            value, low, high, *_ = strengths[name]
            row |= {"strength": value, "strength low": low, "strength high": high}
            rows.append(row | {"skill": skills[name].mean, "skill sd": skills[name].sd})
        return pl.DataFrame(rows).sort(self.score, descending=True, maintain_order=True)

    def _record(self, name: str) -> tuple[int, int, int]:
        gaps = [
            contest[name] - value
            for contest in self.contests
            if name in contest
            for other, value in contest.items()
            if other != name
        ]
        return sum(g > 0 for g in gaps), sum(g == 0 for g in gaps), sum(g < 0 for g in gaps)

    def _mean(self, sides: pl.DataFrame, measure: str) -> Estimate:
        """The mean over replicates, each the mean over its matches."""
        import polars as pl

        if measure not in self.measures:
            raise ConfigError(f"nothing called {measure!r} was measured: {', '.join(self.measures)}")
        return mean(sides.group_by("replicate", maintain_order=True).agg(pl.col(measure).mean())[measure], level=self.level)


def lineups(entrants: Sequence[str], seats: int = 2, with_self: bool = False) -> list[tuple[str, ...]]:
    """Who sits where: each group of entrants in all its rotations, so that everybody is in each seat as often as the others.

    For two seats these are both orders. `with_self` adds each entrant in all seats, once.

    Raises:
        ConfigError: there are too few entrants, or too few seats.
    """
    if not 1 < seats <= len(entrants):
        raise ConfigError(f"a tournament needs two seats or more, and as many entrants: not {seats} and {len(entrants)}")
    groups = itertools.combinations(entrants, seats)
    found = [(*group[i:], *group[:i]) for group in groups for i in range(seats)]
    return found + [(name,) * seats for name in entrants] * with_self


def tournament(
    entrants: Sequence[str] | Mapping[str, Any],
    scene: Callable[..., Scene],
    *,
    measure: MatchMeasure = points,
    score: str = "points",
    seats: int = 2,
    with_self: bool = False,
    replicates: int = 1,
    steps: int | None = None,
    seed: int = 0,
    arguments: Mapping[str, Any] | None = None,
    batch: int = 1,
    level: float = 0.95,
    workers: int | Executor = 1,
    to: str | Path | None = None,
    runs: bool = False,
    progress: bool | None = None,
) -> Tournament:
    """Let all play against all.

    Replicate r has the same seed in every match (common random numbers): what the world draws by chance is drawn alike for
    all who meet in it. What an entrant draws follows from the seed and its seat.

    Args:
        entrants: their names; or, by name, what the scene is to be given for each (any JSON value).
        scene: a function marked `@scene` whose argument `seats` is a list of entrants; the first is to play the first agent
            of the world, and so on.
        measure: of a match; must give the score. Default: `points`, what each seat was rewarded with in sum.
        score: the name of the measure by which a match is won: a series of one number for each seat, the higher the better.
        seats: how many play in a match.
        with_self: whether each entrant meets itself too; ratings and means leave these matches out.
        replicates: how often each line-up plays. One is enough where neither world nor entrants draw random numbers.
        steps: of each match at most; None: until the world ends it.
        seed: everything random derives from it.
        arguments: further ones of the scene.
        batch: so many replicates of a line-up are handed out and kept at a time; more than 1 saves time where a match takes
            but milliseconds.
        level: coverage of all intervals.
        workers: how many processes, or `Ray(…)`.
        to: a folder that keeps the result of every match. A tournament that was cut short there goes on where it was.
        runs: keep the run of every match too, in `to/runs`: all steps and model calls. One cut short is gone on with.
        progress: show a progress line; None: where the terminal can.

    Raises:
        ConfigError: wrong arguments.
        DataError: the measure gives no score.
        CellsFailed: matches failed; it says which and why, and the others are kept.
    """
    given = dict(entrants) if isinstance(entrants, Mapping) else {name: name for name in entrants}
    if len(given) < len(entrants) or not all(isinstance(name, str) and name for name in given):
        raise ConfigError("the names of entrants must be different texts")
    for name, value in (("replicates", replicates), ("batch", batch)):
        if value < 1:
            raise ConfigError(f"{name} is {value}, and must be at least 1")
    if runs and to is None:
        raise ConfigError("runs are kept in a folder: give to=")
    check_level(level)
    folder = None if to is None else Path(to).resolve()
    seeds = [derive(seed, "replicate", r) for r in range(replicates)]
    kept = str(folder / "runs") if folder and runs else None
    meetings, places = [], []
    for names in lineups([*given], seats, with_self):
        called = {**(arguments or {}), "seats": [given[name] for name in names]}
        for first in range(0, replicates, batch):
            own = tuple(seeds[first : first + batch])
            which = f"replicate {first}" if len(own) == 1 else f"replicates {first} to {first + len(own) - 1}"
            meetings.append(Meeting(f"{' v. '.join(names)}, {which}", scene, called, measure, own, steps, kept))
            places += [(first + i, seed, names) for i, seed in enumerate(own)]
    _check(meetings[0])
    found: Any = collect(meetings, [m.name for m in meetings], workers, folder, "matches", progress)
    results = [result for meeting in found for result in meeting["matches"]]
    return Tournament([*given], _table(places, results, score), score, level)


def _check(meeting: Meeting) -> None:
    """ConfigError where the scene is none, or cannot be called so."""
    import inspect

    name = getattr(meeting.scene, "__name__", meeting.scene)
    if not getattr(meeting.scene, "__scene__", False):
        raise ConfigError(f"{name} must be a function marked @scene")
    try:
        inspect.signature(meeting.scene).bind(**meeting.arguments)
        json.dumps(meeting.recipe)
    except TypeError as error:
        raise ConfigError(f"the scene {name} cannot be called with {', '.join(meeting.arguments)}: {error}") from error


def _table(places: Sequence[tuple[int, int, tuple[str, ...]]], results: Sequence[Result], score: str) -> pl.DataFrame:
    """One row for each match and seat."""
    import polars as pl

    columns = ("match", "replicate", "seed", "seat", "entrant", "others")
    rows = []
    played = sorted(zip(places, results, strict=True), key=lambda one: one[0][0])  # replicate by replicate
    for match, ((r, seed, names), result) in enumerate(played):
        if not isinstance(result.get(score), list):
            raise DataError(f"the measure gives no series {score!r}, by which matches are to be won: {', '.join(result)}")
        if taken := [name for name in result if name in columns]:
            raise DataError(f"a measure is called {taken[0]!r}, as another column is: give it another name")
        for seat, name in enumerate(names):
            found = {key: value[seat] if isinstance(value, list) else value for key, value in result.items()}
            others = [*names[:seat], *names[seat + 1 :]]
            rows.append(dict(zip(columns, (match, r, seed, seat, name, others), strict=True)) | found)
    return pl.DataFrame(rows, infer_schema_length=None, schema_overrides={"seed": pl.Int64})
