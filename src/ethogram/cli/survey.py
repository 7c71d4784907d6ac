"""What `survey` does: a questionnaire put to a population, answered, and held beside people."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ethogram.cli import Interrupted
from ethogram.cli.show import console, plain, print_json
from ethogram.errors import ConfigError
from ethogram.scene import Scene, scene

if TYPE_CHECKING:
    import polars as pl

    from ethogram.measures.answering import Ways
    from ethogram.populations import Population
    from ethogram.questionnaires import Questionnaire
    from ethogram.records import Run

__all__ = ["answering", "survey"]

WAYS = ("score", "constrain", "read")
SCORED = ("average", "calibrate")
"""Options by which the number of calls is multiplied."""


@scene
def answering(
    questionnaire: dict[str, Any],
    people: list[dict[str, Any]],
    model: str,
    how: str = "score",
    average: bool = True,
    calibrate: bool = False,
    temperature: float = 1.0,
    memory: int = 0,
    described: dict[str, str] | None = None,
) -> tuple[Any, Any]:
    """A survey of these people, each played by a model; `random` answers at random.

    `described`: how each is described, by name; None: by all that is known, as a list.
    """
    from ethogram import language
    from ethogram.policies.coded.respondents import RandomRespondent
    from ethogram.policies.prompted.respondent import Respondent
    from ethogram.populations import Persona
    from ethogram.questionnaires import Questionnaire
    from ethogram.worlds.coded.survey import Survey

    world = Survey(Questionnaire.model_validate(questionnaire), [person["name"] for person in people])
    if model == "random":
        return world, RandomRespondent()
    personas = described or {person["name"]: Persona.model_validate(person) for person in people}
    ways: dict[str, Any] = {"how": how, "average": average, "calibrate": calibrate}
    return world, Respondent(language.model(model), personas, temperature=temperature, memory=memory, **ways)


def survey(
    file: str,
    population: Path | None,
    respondents: int,
    model: str,
    ways: Sequence[str],
    options: Mapping[str, Any],
    depths: Sequence[str],
    controls: Sequence[str],
    mask: Sequence[str],
    people: Path | None,
    key: str | None,
    groups: Sequence[str],
    seed: int,
    to: Path | None,
    resume: bool,
    budget: dict[str, Any],
    as_json: bool,
) -> None:
    """`ethogram survey`."""
    from ethogram.cli.study import again, spending
    from ethogram.language import check

    ways = list(dict.fromkeys(ways)) or ["score"]
    if unknown := [way for way in ways if way not in WAYS]:
        raise ConfigError(f"--how {unknown[0]}: a respondent answers by {', '.join(WAYS)}")
    if model != "random":
        check(model)
    asked = questionnaire_of(file)
    who = people_of(population, respondents)
    told = described(who, depths, controls, mask, seed)
    known = who.table.rename({"name": "respondent"})
    human = beside(people, asked, known, key, groups)
    path = to or Path("runs") / "survey" / f"{Path(file).stem}-{seed}"
    if not resume and path.exists() and (not path.is_dir() or any(path.iterdir())):
        raise ConfigError(f"{path} is there already: choose another folder with --to, or go on with --resume")
    rows = [{"name": persona.name, **persona.attributes()} for persona in who.personas()]
    form = asked.model_dump(by_alias=True)
    scenes = {
        "-".join(filter(None, (way, how_told))): answering(form, rows, model, way, **options, described=texts)
        for how_told, texts in told.items()
        for way in ways
    }
    if not as_json:
        announce(asked, who, told, ways, model, options)
    runs = {}
    with spending(budget):
        for way, laid in scenes.items():
            try:
                runs[way] = _run(laid, path / way, seed, resume, not as_json)
            except KeyboardInterrupt:
                raise Interrupted(f"interrupted; go on with: {again()}") from None
    report(asked, known, runs, human, key, groups, bool(options["average"]), seed, path, as_json)


def described(
    who: Population, depths: Sequence[str], controls: Sequence[str], mask: Sequence[str], seed: int
) -> dict[str, dict[str, str] | None]:
    """How people are described, by depth and control; {"": None} where nothing is asked for: the list of all attributes."""
    from ethogram.populations import descriptions

    if mask and "masked" not in controls:
        raise ConfigError("--mask says what --control masked hides: give both")
    if not depths and not controls:
        return {"": None}
    people = who.personas()
    found: dict[str, dict[str, str] | None] = {}
    for depth in depths or ["list"]:
        for control in ("", *controls):
            found["-".join(filter(None, (depth, control)))] = descriptions(people, depth, control, seed, mask)
    return found


def _run(laid: Scene, path: Path, seed: int, resume: bool, progress: bool) -> Run:
    from ethogram.simulation import simulate

    fresh = not path.exists()
    try:
        return simulate(laid, seed=seed, to=path, resume=resume, progress=None if progress else False)
    except ConfigError:
        if fresh:
            shutil.rmtree(path, ignore_errors=True)
        raise


def questionnaire_of(file: str) -> Questionnaire:
    """The questionnaire in a file, or the instrument of that name."""
    from ethogram.questionnaires import instrument, instruments, load

    if file in instruments():
        return instrument(file)
    if not Path(file).exists() and "." not in Path(file).name:
        raise ConfigError(f"there is no file {file}, nor an instrument of that name; there are {', '.join(instruments())}")
    return load(file)


def people_of(population: Path | None, respondents: int) -> Population:
    """Who answers: the people of a file or folder, or so many without a persona."""
    from ethogram.populations import Population

    if population is None:
        import polars as pl

        return Population(pl.DataFrame({"name": [f"respondent {i + 1}" for i in range(respondents)]}))
    found = Population.load(population) if population.is_dir() else Population.read(population)
    if not len(found):
        raise ConfigError(f"{population} holds nobody who could answer")
    return found


def beside(
    path: Path | None, asked: Questionnaire, known: pl.DataFrame, key: str | None, groups: Sequence[str]
) -> pl.DataFrame | None:
    """The table of people that answers are to be held beside, which is looked at before anything is paid."""
    from ethogram.measures.answering import check_people

    if path is None:
        if key or groups:
            raise ConfigError("--key and --group say how answers are held beside people's: give these with --people")
        return None
    people = human_table(path)
    try:
        check_people(asked, people, known, key, groups)
    except ConfigError as error:
        raise ConfigError(f"{path}: {error}") from None
    return people


def human_table(path: Path) -> pl.DataFrame:
    """A table of people's answers: .csv or .parquet."""
    import polars as pl

    try:
        return pl.read_parquet(path) if path.suffix == ".parquet" else pl.read_csv(path, infer_schema_length=None)
    except (OSError, pl.exceptions.PolarsError) as error:
        raise ConfigError(f"{path} cannot be read as a table of people's answers: {str(error).splitlines()[0]}") from None


def announce(
    asked: Questionnaire,
    who: Population,
    told: Mapping[str, Mapping[str, str] | None],
    ways: Sequence[str],
    model: str,
    options: Mapping[str, Any],
) -> None:
    """Say, before anything is paid, how many calls and tokens a survey takes."""
    from ethogram.measures.answering import expected_costs

    out = console()
    out.print(f"[bold]{plain(asked.title)}[/bold]: {len(asked.items)} questions, {len(who)} respondents")
    if model == "random":
        return
    for how_told, texts in told.items():
        shown = list(texts.values()) if texts else [persona.render() for persona in who.personas()]
        costs = expected_costs(asked, shown, ways, model=model, **{name: bool(options[name]) for name in SCORED})
        for way, cost in costs.items():
            name = f"{how_told}, by {way}" if how_told else f"by {way}"
            out.print(f"{name}: {cost}, if every question is asked and no answer refused", style="dim")


def report(
    asked: Questionnaire,
    known: pl.DataFrame,
    runs: Mapping[str, Run],
    human: pl.DataFrame | None,
    key: str | None,
    groups: Sequence[str],
    averaged: bool,
    seed: int,
    path: Path,
    as_json: bool,
) -> None:
    """Compare the ways with one another and with people, write the tables, and say what came of it."""
    from ethogram.measures.answering import compare_ways
    from ethogram.questionnaires import answers

    for way, run in runs.items():  # first of all, for a card may find too few answers to compare
        answers(run, asked).join(known, on="respondent", how="left").write_csv(path / f"answers-{way}.csv")
    found = compare_ways(asked, runs, attributes=known, people=human, key=key, groups=groups, averaged=averaged, seed=seed)
    for way, card in found.cards.items():
        card.items_table().write_csv(path / f"card-items-{way}.csv")
        card.table().write_csv(path / f"card-{way}.csv")
    found.table().write_csv(path / "ways.csv")
    if as_json:
        print_json({"folder": str(path), **found.dump()})
    else:
        show(found, path)


def show(found: Ways, path: Path) -> None:
    """Print it."""
    from rich.markup import escape
    from rich.table import Table

    out = console()
    if any(found.scores.values()):
        table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
        table.add_column("mean")
        for way in found.answers:
            table.add_column(way, justify="right")
        for name in next(iter(found.scores.values())):
            means = [found.scores[way].get(name) for way in found.answers]
            sds = [found.answers[way][name].std() or 0.0 for way in found.answers]
            shown = ["–" if m is None else f"{m.value:.2f} (sd {sd:.2f})" for m, sd in zip(means, sds, strict=True)]
            table.add_row(escape(name), *shown)
        out.print(table)
    for sentence in found.sentences():
        out.print(escape(sentence))
    for way, card in found.cards.items():
        out.print(f"\n[bold]Beside {card.people} people[/bold] ({way}, {card.simulated} simulated)")
        for sentence in card.sentences():
            out.print(f"- {escape(sentence)}")
    out.print(f"\nAnswers, figures (ways.csv){' and cards' if found.cards else ''} are in {path}.")
