"""What `atlas` does."""

from __future__ import annotations

from typing import Any

from ethogram.cli.show import console, print_json
from ethogram.cli.study import MARKS, measured_table

__all__ = ["show_atlas", "show_system"]


def show_atlas(family: str | None, as_json: bool) -> None:
    """`ethogram atlas`."""
    from ethogram.studies.catalog import FAMILIES, atlas
    from ethogram.studies.report.pictures import shorten

    systems = atlas(family)
    if as_json:
        print_json(systems)
        return
    from rich.markup import escape
    from rich.table import Table

    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    table.add_column("study", overflow="fold", min_width=20)
    table.add_column("paper", overflow="fold")
    table.add_column("cell", overflow="fold")
    table.add_column("state", overflow="fold", min_width=19)
    last = ""
    out = console(wide=True)
    room = max(24, out.width - 94)
    for s in systems:
        if s["family"] != last:
            last = s["family"]
            table.add_row(f"[bold]{FAMILIES[last]}[/bold]")
        table.add_row(
            *map(escape, (s["slug"], shorten(s["title"], room), s["cell"], s["state"])), style="" if s["results"] else "dim"
        )
    out.print(table)
    done = sum(bool(s["results"]) for s in systems)
    out.print(f"\n{len(systems)} systems, {done} tested. Cells are worlds × policies.", style="dim")


def show_system(slug: str, as_json: bool) -> None:
    """`ethogram atlas SLUG`."""
    from rich.markup import escape

    from ethogram.studies.catalog import find, results, state
    from ethogram.studies.registry import names

    system, found = find(slug), results(slug)
    if as_json:
        print_json({**system._asdict(), "cell": system.cell, "state": state(slug, names()), "results": found})
        return
    out = console()
    out.print(f"[bold]{escape(system.title)}[/bold]\n{escape(system.about)}. Cell: {system.cell}.")
    if not found:
        out.print(f"\n{state(slug, names())}")
    for result in found:
        show_result(result)


def show_result(result: dict[str, Any]) -> None:
    """One result file: at which scale, what was measured, and each claim with its verdict."""
    from rich.markup import escape

    from ethogram.studies.findings import Measured

    out = console()
    played = f", played by {result['model']}" if result["model"] else ""
    out.rule(f"{result['preset']}{escape(played)}", style="dim")
    version = result["versions"].get("ethogram", "?")
    out.print(
        f"{result['date']}, seed {result['seed']}, {result['seconds'] / 60:.0f} minutes, ethogram {version}", style="dim"
    )
    out.print(measured_table([Measured.read(m) for m in result["measured"]], every_arm=True))
    for name, verdict in result["verdicts"].items():
        colour, word = MARKS[verdict["outcome"]]
        out.print(f"\n[bold {colour}]{word}[/]  {escape(verdict.get('statement', name))}")
        out.print(f"    {escape(verdict['reason'])}", style="dim")
    for note in result["notes"]:
        out.print(f"\n[dim]note:[/dim] {escape(note)}")
