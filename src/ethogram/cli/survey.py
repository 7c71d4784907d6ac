"""What `survey` does: a questionnaire put to a population, answered, and held beside people."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ethogram.cli import Interrupted
from ethogram.cli.show import console, plain, print_json
from ethogram.errors import ConfigError
from ethogram.scene import Scene, scene

if TYPE_CHECKING:
    import polars as pl

    from ethogram.measures.fidelity import Card
    from ethogram.populations import Population
    from ethogram.questionnaires import Questionnaire
    from ethogram.records import Run

__all__ = ["answering", "survey"]

WAYS = ("score", "constrain", "read")
LETTERS, FRAME = 4, 70
"""Characters to a token, and tokens of a prompt around question and persona, roughly: only to say what a run may cost."""


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
    human = None if people is None else human_table(people)
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
    report(asked, who, runs, human, key, groups, seed, path, as_json)


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
    from ethogram.language.budget import prices_of

    out = console()
    out.print(f"[bold]{plain(asked.title)}[/bold]: {len(asked.items)} questions, {len(who)} respondents")
    if model == "random":
        return
    for how_told, texts in told.items():
        shown = list(texts.values()) if texts else [persona.render() for persona in who.personas()]
        persona = sum(map(len, shown)) // len(who)
        for way in ways:
            calls, tokens = expected(asked, way, bool(options.get("average", True)), bool(options.get("calibrate")), persona)
            prices = prices_of(model)
            price = f", {len(who) * prices.of(tokens, 30 * calls):.2f} in money" if prices else ""
            name = f"{how_told}, by {way}" if how_told else f"by {way}"
            said = f"{name}: about {len(who) * calls:,} calls and {len(who) * tokens:,} tokens of prompts{price}"
            out.print(f"{said}, if every question is asked and no answer refused", style="dim")


def expected(asked: Questionnaire, how: str, average: bool, calibrate: bool, persona: int = 0) -> tuple[int, int]:
    """How many calls and tokens of prompts one respondent takes, if it is asked everything and no answer is refused.

    Args:
        asked: the questionnaire.
        how: `score`, `constrain` or `read`.
        average: whether scores are averaged over orders.
        calibrate: whether a question without content is asked as well.
        persona: characters of a persona.
    """
    calls = tokens = 0
    for item in asked.items.values():
        options = list(getattr(item, "options", ())) or item.points()
        each = 1
        if how == "score" and options and item.type != "allocation":
            orders = (2 if item.type == "multiple" else len(options)) if average else 1
            each = orders * (len(options) if item.type == "multiple" else 1) * (2 if calibrate else 1)
        calls += each
        tokens += each * (FRAME + (persona + len(item.text) + sum(map(len, options)) + 3 * len(options)) // LETTERS)
    return calls, tokens


def report(
    asked: Questionnaire,
    who: Population,
    runs: Mapping[str, Run],
    human: pl.DataFrame | None,
    key: str | None,
    groups: Sequence[str],
    seed: int,
    path: Path,
    as_json: bool,
) -> None:
    """Write the tables, hold them beside people, and say what came of it."""
    from ethogram.measures.fidelity import fidelity_card
    from ethogram.questionnaires import answers

    tables, cards = {}, {}
    for way, run in runs.items():
        table = answers(run, asked).join(who.table.rename({"name": "respondent"}), on="respondent", how="left")
        table.write_csv(path / f"answers-{way}.csv")
        tables[way] = table
        if human is not None:
            simulated = table.rename({"respondent": key}) if key and key not in table.columns else table
            own = {name for item in asked.items.values() for name in item.column(None)}
            items = [c for c in asked.columns() if c in own & set(human.columns) and simulated.schema[c].is_numeric()]
            if not items:
                raise ConfigError(f"the table of people has none of the columns {', '.join(asked.columns()[:8])}")
            cards[way] = fidelity_card(human, simulated, items=items, key=key, groups=groups, seed=seed)
            cards[way].items_table().write_csv(path / f"card-items-{way}.csv")
            cards[way].table().write_csv(path / f"card-{way}.csv")
    if as_json:
        print_json(summary(asked, runs, tables, cards, path))
    else:
        show(asked, runs, tables, cards, path)


def ways_apart(asked: Questionnaire, tables: Mapping[str, pl.DataFrame]) -> dict[str, float]:
    """The mean distance of items between two ways of answering, as a share of the range, for each pair of ways."""
    from ethogram.errors import DataError
    from ethogram.measures.fidelity import fidelity_card

    found = {}
    for one, other in combinations(tables, 2):
        items = [c for c in asked.columns() if tables[one].schema[c].is_numeric()]
        try:
            card = fidelity_card(tables[one], tables[other], items=items, detect=False, resamples=20)
        except DataError:
            continue
        found[f"{one} and {other}"] = sum(i["distance"].value.value for i in card.items.values()) / len(card.items)
    return found


def cost(run: Run) -> dict[str, float]:
    """Calls and tokens of a run."""
    import polars as pl

    total = run.calls.select(pl.len().alias("calls"), pl.col("tokens_in").sum(), pl.col("tokens_out").sum()).collect()
    return {name: float(total[name][0] or 0) for name in total.columns}


def counted(asked: Questionnaire, run: Run) -> dict[str, float]:
    """The share of what was asked that was answered, and what it took."""
    from ethogram.questionnaires import asked as questions

    put = questions(run, asked)
    return {"asked": float(put.height), "answered": float(put["answer"].count()), **cost(run)}


def summary(
    asked: Questionnaire,
    runs: Mapping[str, Run],
    tables: Mapping[str, pl.DataFrame],
    cards: Mapping[str, Card],
    path: Path,
) -> dict[str, Any]:
    """All of it as JSON values."""
    return {
        "folder": str(path),
        "title": asked.title,
        "ways": {way: counted(asked, run) for way, run in runs.items()},
        "apart": ways_apart(asked, tables),
        "cards": {way: {"sentences": card.sentences(), "figures": _figures(card)} for way, card in cards.items()},
    }


def _figures(card: Card) -> dict[str, Any]:
    known = {name: beside.value.dump() for name, beside in card.overall.items()}
    return known | {name: estimate.dump() for name, estimate in card.estimates.items()}


def show(
    asked: Questionnaire,
    runs: Mapping[str, Run],
    tables: Mapping[str, pl.DataFrame],
    cards: Mapping[str, Card],
    path: Path,
) -> None:
    """Print it."""
    from rich.markup import escape
    from rich.table import Table

    out = console()
    found = {way: counted(asked, run) for way, run in runs.items()}
    rows = {name: [f"{found[way][name]:,.0f}" for way in runs] for name in next(iter(found.values()))}
    for score in asked.scores:
        values = [tables[way][score.name] for way in runs]
        rows[score.name] = ["–" if v.mean() is None else f"{v.mean():.2f} (sd {v.std() or 0:.2f})" for v in values]
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    table.add_column("answered by")
    for way in runs:
        table.add_column(way, justify="right")
    for name, values in rows.items():
        table.add_row(escape(name), *values)
    out.print(table)
    for pair, distance in ways_apart(asked, tables).items():
        out.print(f"Between {pair} items differ by {distance:.3f} of their range on average.")
    for way, card in cards.items():
        out.print(f"\n[bold]Beside {card.people} people[/bold] ({way}, {card.simulated} simulated)")
        for sentence in card.sentences():
            out.print(f"- {escape(sentence)}")
    out.print(f"\nAnswers{' and cards' if cards else ''} are in {path} (answers-{next(iter(runs))}.csv …).")
