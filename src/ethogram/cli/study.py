"""What `run` and `claims` do."""

from __future__ import annotations

import hashlib
import json
import shlex
import sys
from collections.abc import Sequence
from itertools import compress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ethogram.cli import Interrupted
from ethogram.cli.show import assignments, console, interval, plain, print_json

if TYPE_CHECKING:
    from rich.table import Table

    from ethogram.studies.execution import StudyFolder
    from ethogram.studies.findings import Measured

__all__ = ["MARKS", "measured_table", "run_claims", "run_study"]

MARKS = {"holds": ("green", "holds"), "does not hold": ("red", "does not hold"), "not tested": ("yellow", "not tested")}


def run_study(
    slug: str,
    preset: str,
    model: str | None,
    seed: int,
    changes: list[str],
    to: Path | None,
    resume: bool,
    as_json: bool,
    budget: dict[str, Any],
) -> None:
    """`ethogram run`."""
    from ethogram.studies.execution import check_model, execute
    from ethogram.studies.registry import load
    from ethogram.studies.report import write

    study = load(slug)
    made = assignments(changes, "--set")
    config = study.configure(preset, made)
    chosen = check_model(study, model)
    path = to or default_folder(study.slug, preset, chosen, seed, made)
    with spending(budget):
        try:
            folder = execute(
                study,
                config,
                path,
                preset=preset,
                changes=made,
                seed=seed,
                model=chosen,
                resume=resume,
                progress=False if as_json else None,
            )
        except KeyboardInterrupt:
            raise Interrupted(f"interrupted; go on with: {again()}") from None
    page = write(folder)
    if as_json:
        print_json(summary(folder, page))
    else:
        show(folder, page)


def default_folder(slug: str, preset: str, model: str, seed: int, changes: dict[str, Any]) -> Path:
    """`runs/SLUG/PRESET-MODEL-SEED`, with a mark of their own for changed settings."""
    from ethogram.studies.results import file_name

    parts = [preset, file_name(model), str(seed)]
    if changes:
        parts.append(hashlib.blake2b(json.dumps(changes, sort_keys=True).encode(), digest_size=3).hexdigest())
    return Path("runs") / slug / "-".join(part for part in parts if part)


def again() -> str:
    """The command line as it was given, with `--resume`."""
    words = [word for word in sys.argv[1:] if word != "--resume"]
    return shlex.join(["ethogram", *words, "--resume"])


def spending(budget: dict[str, Any]) -> Any:
    """The limits on what model calls may take, in force within a `with` block."""
    from contextlib import nullcontext

    if not budget:
        return nullcontext()
    from ethogram.language import spending as limited

    return limited(**budget)


def summary(folder: StudyFolder, page: Path) -> dict[str, Any]:
    """All that a study came to, as JSON values."""
    from ethogram.studies.results import usage_of

    return {
        "folder": str(folder.path),
        "report": str(page),
        "record": folder.record.model_dump(),
        "findings": folder.findings.dump(),
        "verdicts": {name: verdict._asdict() for name, verdict in folder.verdicts.items()},
        "usage": usage_of(folder),
    }


def show(folder: StudyFolder, page: Path) -> None:
    """Print what a study came to."""
    from rich.markup import escape

    out, record, findings = console(), folder.record, folder.findings
    out.print()
    model = f", {record.model}" if record.model else ""
    out.print(f"[bold]{escape(folder.study.paper.title)}[/bold]")
    out.print(f"preset {record.preset}{model}, seed {record.seed}, {record.seconds:.1f} s", style="dim")
    if findings.summary:
        out.print("\n" + escape(plain(findings.summary)))
    if findings.measured:
        out.print()
        out.print(measured_table(findings.measured))
    show_claims(folder)
    out.print()
    out.print(cost(folder))
    if record.status != "complete":
        out.print(f"[yellow]{record.status}[/yellow]: {escape(record.reason)}")
    out.print(f"report     {page}", soft_wrap=True)
    if runs := folder.runs:
        name, run = next(((n, r) for n, r in runs.items() if r.manifest.models), next(iter(runs.items())))
        which = f"{shlex.quote(str(folder.path))}{f' --run {shlex.quote(name)}' if len(runs) > 1 else ''}"
        agent, question = shlex.quote(run.manifest.agents[0]), '"What did you do today?"'
        out.print(f"replay     ethogram replay {which}", soft_wrap=True)
        if record.model:
            out.print(f"interview  ethogram interview {which} --agent {agent} {question}", soft_wrap=True)


def measured_table(measured: Sequence[Measured], every_arm: bool = False) -> Table:
    """A row a measure, in its first arm or in every one."""
    from rich.markup import escape
    from rich.table import Table

    from ethogram.studies.report.facts import number

    groups: dict[str, list[Measured]] = {}
    for m in measured:
        groups.setdefault(f"{m.name}/{m.arm}" if every_arm else m.name, []).append(m)
    rows = []
    for m, *others in groups.values():
        e, arm = m.estimate, m.arm + (f" and {len(others)} more" if others else "")
        reported = (m.paper.text if m.paper else "", m.human.text if m.human else "")
        rows.append((m.label, arm, number(e.value, m.unit), interval(e, m.unit), str(e.n), *reported))
    columns = ("measured", "arm", "value", "interval", "n", "paper", "people")
    used = [any(row[i] for row in rows) for i in range(len(columns))]
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    for column in compress(columns, used):
        table.add_column(column, justify="right" if column in ("value", "n") else "left", no_wrap=column == "interval")
    for row in rows:
        table.add_row(*map(escape, compress(row, used)))
    if len(groups) < len(measured):
        table.caption = "The first arm of each measure; all are in the report."
        table.caption_justify = "left"
    return table


def show_claims(folder: StudyFolder) -> None:
    """Print each claim with its verdict and the reason."""
    from rich.markup import escape

    out = console()
    statements = {claim.name: claim for claim in folder.study.claims}
    for name, verdict in folder.verdicts.items():
        colour, word = MARKS[verdict.outcome]
        claim = statements.get(name)
        out.print(f"\n[bold {colour}]{word}[/]  {escape(claim.statement if claim else name)}")
        if claim and claim.paper:
            out.print(f"    paper: {escape(claim.paper.text)} ({escape(claim.paper.source)})", style="dim")
        out.print(f"    {escape(plain(verdict.reason))}", style="dim")


def cost(folder: StudyFolder) -> str:
    """What the model calls took, in a line."""
    from ethogram.studies.results import usage_of

    usage = usage_of(folder)
    if not usage["calls"]:
        return "cost       no model calls"
    tokens = usage["tokens_in"] + usage["tokens_out"]
    line = f"cost       {usage['calls']:,} model calls ({usage['cached']:,} from the cache), {tokens:,} tokens"
    line += f", {usage['cost']:.4f} paid" if usage["cost"] else ", nothing paid"
    return line + (f", {usage['failed']:,} failed" if usage["failed"] else "")


def run_claims(slugs: list[str], preset: str, model: str | None, seed: int, runs: Path, to: Path | None) -> None:
    """`ethogram claims`."""
    from ethogram.errors import RunError
    from ethogram.studies.execution import check_model, execute
    from ethogram.studies.registry import load, names
    from ethogram.studies.results import write_result

    studies = [load(slug) for slug in slugs or names()]
    work = [(study, study.configure(preset), check_model(study, model if slugs else None)) for study in studies]
    for study, config, chosen in work:
        path = runs / default_folder(study.slug, preset, chosen, seed, {}).relative_to("runs")
        try:
            folder = execute(study, config, path, preset=preset, seed=seed, model=chosen, resume=path.exists())
        except KeyboardInterrupt:
            raise Interrupted("interrupted; the same command goes on where it stopped") from None
        if folder.record.status != "complete":
            raise RunError(f"{path} is not complete ({folder.record.reason}): no result is written from it")
        result = write_result(folder, to)
        console().print(f"[bold]{study.slug}[/bold] {preset} {chosen}: {result}", soft_wrap=True)
        show_claims(folder)
