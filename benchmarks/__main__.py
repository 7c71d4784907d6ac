"""`python -m benchmarks [PART …]`: measure parts, or all of them, print a table, and keep what each part found last."""

from __future__ import annotations

import argparse
import importlib
import json
import sys
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime
from multiprocessing import get_context
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks.measuring import ROOT, Row, machine

RESULTS = ROOT / "benchmarks" / "results"
PARTS = ("start", "loop", "games", "bodies", "learned", "columns", "records", "memory", "prompted", "studio", "peers")


def measured(part: str) -> list[Row]:
    """What one part finds, in a process of its own: none warms up another."""
    module = importlib.import_module(f"benchmarks.{part}")
    with ProcessPoolExecutor(1, get_context("spawn")) as pool:
        return pool.submit(module.measure).result()


def show(rows: list[Row]) -> None:
    """Print the rows as one table."""
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    for column in ("part", "case", "figure"):
        table.add_column(column)
    for column in ("value", "goal", ""):
        table.add_column(column, justify="right")
    for row in rows:
        mark = {True: "[green]met[/]", False: "[red]missed[/]", None: ""}[row.met]
        table.add_row(row.part, row.case, row.figure, f"{row.value:,.4g} {row.unit}", row.goal, mark)
    Console(width=180 if not sys.stdout.isatty() else None).print(table)


def keep(part: str, rows: list[Row], where: dict[str, Any], began: datetime) -> None:
    """Keep what one part found, and write the page of all parts anew."""
    content = {"began": began.isoformat(timespec="seconds"), "machine": where, "rows": [row._asdict() for row in rows]}
    (RESULTS / f"{part}.json").write_text(json.dumps(content, indent=1) + "\n", "utf-8")
    (RESULTS / "latest.md").write_text("\n".join(markdown(p) for p in PARTS if (RESULTS / f"{p}.json").exists()), "utf-8")


def markdown(part: str) -> str:
    """What one part found last, as a section with a table, and with where and when it was measured."""
    content = json.loads((RESULTS / f"{part}.json").read_text("utf-8"))
    where, began = content["machine"], datetime.fromisoformat(content["began"])
    packages = ", ".join(f"{name} {version}" for name, version in where["packages"].items())
    lines = [
        f"## {part}",
        "",
        f"Measured on {began:%Y-%m-%d} on {where['processor']}, {where['cores']} cores, Python {where['python']}, commit "
        f"{where['commit']}; load average {where['load'][0]} before and {where['load after'][0]} after. {packages}.",
        "",
        "| case | figure | value | goal | |",
        "|---|---|---:|---:|---|",
    ]
    for row in (Row(**row) for row in content["rows"]):
        met = {True: "met", False: "**missed**", None: ""}[row.met]
        lines.append(f"| {row.case} | {row.figure} | {row.value:,.3g} {row.unit} | {row.goal} | {met} |")
    return "\n".join(lines) + "\n"


def main() -> None:
    """Run the parts asked for, or all."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"of {', '.join(PARTS)}; all by default")
    chosen = parser.parse_args().parts or PARTS
    if unknown := set(chosen) - set(PARTS):
        parser.error(f"there is no part {', '.join(sorted(unknown))}; there are {', '.join(PARTS)}")
    every = []
    for part in chosen:
        print(f"{part} …", file=sys.stderr, flush=True)
        began, where = datetime.now(UTC), machine()
        rows = measured(part)
        keep(part, rows, {**where, "load after": machine()["load"]}, began)
        every += rows
    show(every)
    print(f"kept in {RESULTS.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
