"""The commands and their options. What they do is imported when they are called, so that `--help` is quick."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

__all__ = ["app"]

app = typer.Typer(
    help="Simulate the behaviour of people, populations and bodies, and measure it against what papers found.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

Json = Annotated[bool, typer.Option("--json", help="Print JSON and nothing else.")]
RunPath = Annotated[Path, typer.Argument(metavar="RUN", help="Folder of a study or of a single run.")]
RunName = Annotated[str, typer.Option("--run", metavar="NAME", help="Which run, where the study has several.")]
Model = Annotated[
    str | None,
    typer.Option(help="Language model: smollm2, openai:NAME, http://HOST/v1#NAME; or a surrogate such as coded."),
]
Seed = Annotated[int, typer.Option(min=0, help="Everything random derives from it.")]
To = Annotated[Path | None, typer.Option(help="Folder to write to.")]


def version(show: bool) -> None:
    """Print the version and stop."""
    if show:
        from ethogram import __version__

        print(f"ethogram {__version__}")
        raise typer.Exit


@app.callback()
def common(
    show_version: Annotated[bool, typer.Option("--version", callback=version, is_eager=True, help="Print it.")] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of an error, after any command.")] = False,
) -> None:
    """Taken care of before the commands."""


@app.command()
def run(
    slug: Annotated[str, typer.Argument(help="A study's name (see `ethogram atlas`), or the path of your own study.py.")],
    preset: Annotated[
        str, typer.Option(help="smoke (seconds), laptop (minutes), paper (as published), or the study's own.")
    ] = "laptop",
    model: Model = None,
    seed: Seed = 0,
    changes: Annotated[
        list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="Change a setting; may be repeated.")
    ] = None,
    to: To = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with what is in the folder.")] = False,
    json: Json = False,
    budget_calls: Annotated[int | None, typer.Option(min=1, help="Stop before more model calls than this.")] = None,
    budget_tokens: Annotated[int | None, typer.Option(min=1, help="Stop before more tokens than this.")] = None,
    budget_money: Annotated[
        float | None, typer.Option(min=0, help="Stop before more money is spent, in the price list's currency.")
    ] = None,
    budget_seconds: Annotated[float | None, typer.Option(min=0, help="Stop once so many seconds have gone by.")] = None,
) -> None:
    """Run a study: simulate, measure, judge the paper's claims, write a report."""
    from ethogram.cli.study import run_study

    budget = {"calls": budget_calls, "tokens": budget_tokens, "money": budget_money, "seconds": budget_seconds}
    run_study(slug, preset, model, seed, changes or [], to, resume, json, {k: v for k, v in budget.items() if v is not None})


@app.command()
def atlas(
    slug: Annotated[str | None, typer.Argument(help="One system: its claims, with the numbers that decided them.")] = None,
    family: Annotated[str | None, typer.Option(help="society, people, imitation or dreams.")] = None,
    json: Json = False,
) -> None:
    """List all systems: paper, cell, and what was tested and held; of one system, each claim and what decided it."""
    from ethogram.cli.atlas import show_atlas, show_system

    if slug is None:
        show_atlas(family, json)
    else:
        show_system(slug, json)


@app.command()
def claims(
    slugs: Annotated[list[str] | None, typer.Argument(help="Studies; all that are written by default.")] = None,
    preset: Annotated[str, typer.Option(help="The preset to test at.")] = "laptop",
    model: Model = None,
    seed: Seed = 0,
    runs: Annotated[Path, typer.Option(help="Where the studies' folders go; finished ones are used again.")] = Path(
        "runs/claims"
    ),
    to: Annotated[
        Path | None, typer.Option(help="Where the result files go; by default where the atlas reads them.")
    ] = None,
) -> None:
    """Run studies and write the result files that the atlas is made from."""
    from ethogram.cli.study import run_claims

    run_claims(slugs or [], preset, model, seed, runs, to)


@app.command()
def report(
    run: RunPath,
    to: Annotated[Path | None, typer.Option(help="The HTML file; report.html in the folder by default.")] = None,
) -> None:
    """Write one self-contained HTML page about a study or a run."""
    from ethogram.cli.record import write_report

    write_report(run, to)


@app.command()
def replay(run: RunPath, name: RunName = "", json: Json = False) -> None:
    """Execute a run again from its record, without model calls, and say where it differs (exit status 1 if it does)."""
    from ethogram.cli.record import replay_runs

    raise typer.Exit(replay_runs(run, name, json))


@app.command()
def play(
    world: Annotated[str, typer.Argument(metavar="WORLD", help="A world's name, or a scene as `module:function`.")],
    seat: Annotated[
        list[str] | None, typer.Option("--as", metavar="AGENT", help="Your seat (the first by default); may be repeated.")
    ] = None,
    others: Annotated[
        str | None,
        typer.Option(metavar="POLICY", help="Who has the other seats: random, or a name such as traders.Chartist."),
    ] = None,
    changes: Annotated[
        list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="An option of the world; may be repeated.")
    ] = None,
    steps: Annotated[int | None, typer.Option(min=1, help="At most so many steps.")] = None,
    seed: Seed = 0,
    to: To = None,
) -> None:
    """Take a seat in a world and decide from the terminal; the record is kept like any other."""
    from ethogram.cli.play import play_world

    play_world(world, seat or [], others, changes or [], steps, seed, to)


@app.command()
def survey(
    file: Annotated[str, typer.Argument(metavar="FILE", help="A questionnaire (TOML), or the name of an instrument.")],
    model: Annotated[
        str, typer.Option(help="Language model: smollm2, openai:NAME, http://HOST/v1#NAME; random answers at random.")
    ],
    population: Annotated[
        Path | None,
        typer.Option(help="Who answers: people in a .csv, .json, .toml or .parquet file, or a saved population."),
    ] = None,
    respondents: Annotated[int, typer.Option(min=1, help="How many answer, where there is no population.")] = 20,
    how: Annotated[
        list[str] | None,
        typer.Option(help="score (by default), constrain or read; repeated, the ways are compared."),
    ] = None,
    average: Annotated[bool, typer.Option(help="Whether scores are averaged over all orders of the options.")] = True,
    calibrate: Annotated[
        bool, typer.Option("--calibrate", help="Take off the scores that options have under a question without content.")
    ] = False,
    temperature: Annotated[float, typer.Option(min=0, help="Of the answers.")] = 1.0,
    memory: Annotated[int, typer.Option(min=0, help="How many of its last answers a respondent is shown.")] = 0,
    depth: Annotated[
        list[str] | None,
        typer.Option(
            help="How deep each is described: name, line, list (by default), biography, answers, s, p, c, sp, sc, pc, spc "
            "(columns social, personal, context), backstory; may be repeated."
        ),
    ] = None,
    control: Annotated[
        list[str] | None,
        typer.Option(help="Ask again with descriptions of somebody else (shuffled) or without what they say (masked)."),
    ] = None,
    mask: Annotated[
        list[str] | None, typer.Option(help="A column that --control masked hides; all by default; may be repeated.")
    ] = None,
    people: Annotated[
        Path | None, typer.Option(help="People's answers (.csv or .parquet), coded as ours: the fidelity card.")
    ] = None,
    key: Annotated[str | None, typer.Option(help="The column that says which person a respondent stands for.")] = None,
    group: Annotated[
        list[str] | None, typer.Option(help="A column whose effects are compared with people's; may be repeated.")
    ] = None,
    seed: Seed = 0,
    to: To = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with what is in the folder.")] = False,
    budget_calls: Annotated[int | None, typer.Option(min=1, help="Stop before more model calls than this.")] = None,
    budget_tokens: Annotated[int | None, typer.Option(min=1, help="Stop before more tokens than this.")] = None,
    json: Json = False,
) -> None:
    """Put a questionnaire to a population played by a model, and hold the answers beside those of people."""
    from ethogram.cli.survey import survey as put

    options = {"average": average, "calibrate": calibrate, "temperature": temperature, "memory": memory}
    budget = {name: most for name, most in (("calls", budget_calls), ("tokens", budget_tokens)) if most is not None}
    told = (depth or [], control or [], mask or [])
    put(
        *(file, population, respondents, model, how or [], options, *told),
        *(people, key, group or [], seed, to, resume, budget, json),
    )


@app.command()
def distil(
    run: RunPath,
    to: Annotated[Path, typer.Option(help="Folder of the policy, which must be empty or absent.")],
    name: RunName = "",
    steps: Annotated[int, typer.Option(min=1, help="Steps of training.")] = 1500,
    seed: Seed = 0,
    json: Json = False,
) -> None:
    """Fit a small learned policy to what was decided in a run (or all runs of a study), and save it."""
    from ethogram.cli.distil import distil_runs

    distil_runs(run, name, to, steps, seed, json)


@app.command()
def branch(
    run: RunPath,
    at: Annotated[int, typer.Option("--at", min=0, metavar="STEP", help="Fork before this step.")],
    intervene: Annotated[
        list[str] | None,
        typer.Option("--intervene", metavar="'NAME KEY=VALUE …'", help="What is done then; may be repeated."),
    ] = None,
    agent: Annotated[str | None, typer.Option(help="Do it to this agent's policy instead of the world.")] = None,
    episode: Annotated[int, typer.Option(min=0, help="In which episode.")] = 0,
    steps: Annotated[int | None, typer.Option(min=1, help="Another length of the episodes.")] = None,
    name: RunName = "",
    to: To = None,
    json: Json = False,
) -> None:
    """Fork a run at a step and let it go on differently; only what changes is computed and paid again."""
    from ethogram.cli.record import branch_run

    branch_run(run, name, at, intervene or [], agent, episode, steps, to, json)


@app.command()
def interview(
    run: RunPath,
    questions: Annotated[list[str], typer.Argument(metavar="QUESTION…", help="What to ask; each is asked on its own.")],
    agent: Annotated[str, typer.Option("--agent", metavar="NAME", help="Whom to ask.")],
    step: Annotated[
        int | None, typer.Option(min=0, help="As the agent was before this step; at the end by default.")
    ] = None,
    episode: Annotated[int | None, typer.Option(min=0, help="In which episode; the last by default.")] = None,
    name: RunName = "",
    json: Json = False,
) -> None:
    """Ask an agent of a run; it answers from its memory, and the run stays as it is."""
    from ethogram.cli.record import interview_agent

    interview_agent(run, name, agent, questions, step, episode, json)


@app.command()
def studio(
    runs: Annotated[
        list[Path] | None,
        typer.Argument(metavar="[RUN]…", help="Folders of runs or studies; all below the root by default."),
    ] = None,
    root: Annotated[Path | None, typer.Option(help="No folder outside of this one is opened; runs by default.")] = None,
    host: Annotated[
        str, typer.Option(help="Address to bind to; other than loopback, visitors need the token.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535, help="Its port.")] = 8080,
    token: Annotated[str, typer.Option(help="What visitors must know; made up where it is needed and not given.")] = "",
    views: Annotated[
        list[Path] | None, typer.Option(help="A Python file with a view of your own world; may be repeated.")
    ] = None,
    show: Annotated[bool, typer.Option("--open/--no-open", help="Open a browser.")] = True,
) -> None:
    """Watch runs on a web page, live or finished: scrub, read prompts, interview, branch, play along."""
    from ethogram.studio.app import serve
    from ethogram.studio.views import add_views

    for file in views or []:
        add_views(file)
    serve(runs or [], root, host, port, token, show)


@app.command()
def models(
    probe: Annotated[bool, typer.Option(help="Also ask each one something.")] = True,
    json: Json = False,
) -> None:
    """List the language models that can be used here, and probe them."""
    from ethogram.cli.models import list_models

    list_models(probe, json)


@app.command()
def doctor(json: Json = False) -> None:
    """Check this machine and installation, and say what to do about each trouble (exit status 1 if there is any)."""
    from ethogram.cli.machine import examine

    raise typer.Exit(examine(json))
