"""What a report says, gathered from a study's folder or a run's record as plain values for the page."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ethogram.studies.report.pictures import scale_of, shorten, whisker

if TYPE_CHECKING:
    from ethogram.measures import Estimate
    from ethogram.records import Run
    from ethogram.studies.execution import StudyFolder
    from ethogram.studies.findings import Measured

__all__ = ["calls", "claims", "measures", "numbered", "outcome", "ran", "reproduce", "runs", "spoken"]

LONGEST = 3000
"""Most characters of a prompt or reply that are shown."""


def numbered(n: int, one: str, many: str = "") -> str:
    """A count with its noun: `1 run`, `12 runs`."""
    return f"{n:,} {one if n == 1 else many or one + 's'}"


def spoken(seconds: float) -> str:
    """A duration for a reader."""
    if seconds < 90:
        return f"{seconds:.1f} seconds" if seconds < 10 else f"{seconds:.0f} seconds"
    if seconds < 90 * 60:
        return f"{seconds / 60:.0f} minutes"
    return f"{seconds / 3600:.1f} hours"


def number(value: float, unit: str = "") -> str:
    """A number with its unit for a reader, to three significant digits."""
    if value != value:
        return "–"
    if unit == "%":
        value *= 100
    text = f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"
    return f"{text.replace('-', '−')} {unit}".rstrip()


def between(low: float, high: float, unit: str = "") -> str:
    """An interval for a reader, its unit once: `38 to 82 %`."""
    first = number(low, unit)
    return f"{first.removesuffix(unit).rstrip()} to {number(high, unit)}"


def outcome(verdicts: Sequence[str]) -> list[dict[str, Any]]:
    """How many claims hold, do not, and were not tested, for the strip on top."""
    kinds = (("holds", "hold", "holds"), ("does not hold", "do not hold", "fails"), ("not tested", "not tested", "untested"))
    found = [(verdicts.count(name), name, many, mark) for name, many, mark in kinds]
    return [{"n": n, "word": name if n == 1 else many, "mark": mark} for n, name, many, mark in found if n]


def ran(found: Mapping[str, Run], model: str = "", surrogates: Sequence[str] = ()) -> list[str]:
    """What ran, in a few sentences."""
    if not found:
        return ["Nothing ran."]
    manifests = [run.manifest for run in found.values()]
    first = manifests[0]
    worlds = sorted({m.world for m in manifests})
    who = sorted({len(m.agents) for m in manifests})
    agents = numbered(who[0], "agent") if len(who) == 1 else f"{who[0]:,} to {who[-1]:,} agents"
    place = f"the world “{worlds[0]}”" if len(worlds) == 1 else f"{len(worlds)} worlds ({', '.join(worlds)})"
    total = sum(m.steps_done for m in manifests)
    sentence = f"{agents[0].upper()}{agents[1:]} lived in {place} for {numbered(total, 'step')}"
    sentence += f" in all, over {numbered(len(manifests), 'run')}." if len(manifests) > 1 else "."
    sentences = [sentence]
    names = first.agents[:8]
    if len(first.agents) > 1:
        more = f" and {len(first.agents) - len(names)} more" if len(first.agents) > len(names) else ""
        sentences.append(f"They are called {', '.join(names[:-1])}{',' if more else ' and'} {names[-1]}{more}.")
    models = sorted({name for m in manifests for name in m.models})
    prompted = [name for name, run in found.items() if run.manifest.models]
    if models:
        where = "" if len(prompted) == len(found) else f" in {numbered(len(prompted), 'run')} of {len(found)}"
        others = "; in the others by coded policies" if where else ""
        sentences.append(f"What they do and say was decided{where} by the language model {' and '.join(models)}{others}.")
    elif model in surrogates and model:
        sentences.append(f"What they do was decided by a coded stand-in (“{model}”), not by a language model.")
    else:
        sentences.append("No language model took part.")
    cut = [
        f"“{name}” {run.manifest.status} ({run.manifest.reason})"
        for name, run in found.items()
        if run.manifest.status != "complete"
    ]
    if cut:
        sentences.append(f"Not all of it is complete: {'; '.join(cut[:5])}.")
    return sentences


def measures(measured: Sequence[Measured]) -> list[dict[str, Any]]:
    """The measures, each with a row an arm and the paper's and people's figures below, on one scale."""
    groups: dict[str, list[Measured]] = {}
    for m in measured:
        groups.setdefault(m.name, []).append(m)
    return [_measure(group) for group in groups.values()]


def _measure(group: Sequence[Measured]) -> dict[str, Any]:
    scale, unit = scale_of(group), group[0].unit
    methods = {(m.estimate.method, m.estimate.level, m.estimate.n) for m in group}
    rows = []
    for m in group:
        e = m.estimate
        bounded = e.bounded and e.low != e.high
        rows.append(
            {
                "kind": "ours",
                "arm": m.arm or "this run",
                "value": number(e.value, unit),
                "interval": between(e.low, e.high, unit) if bounded else "",
                "note": "" if len(methods) == 1 else method(m.estimate),
                "plot": whisker(e.value, e.low, e.high, scale, "ours"),
            }
        )
    seen: set[tuple[str, str]] = set()
    for kind, label in (("paper", "the paper"), ("human", "people")):
        for m in group:
            reported = m.paper if kind == "paper" else m.human
            if reported is None or (kind, reported.text) in seen:
                continue
            seen.add((kind, reported.text))
            value = float("nan") if reported.value is None else reported.value
            plot = whisker(value, value, value, scale, kind)
            arm = (
                f"{label}, {m.arm}" if len({g.paper if kind == "paper" else g.human for g in group} - {None}) > 1 else label
            )
            rows.append(
                {"kind": kind, "arm": arm, "value": reported.text, "interval": "", "note": reported.source, "plot": plot}
            )
    measure = {"label": group[0].label, "note": method(group[0].estimate) if len(methods) == 1 else "", "rows": rows}
    if len(rows) == 1 and not rows[0]["interval"]:  # a lone count: nothing to compare it with on a scale
        return {**measure, "rows": [{**rows[0], "plot": ""}], "ends": ["", ""]}
    return {**measure, "ends": [number(scale[0], unit), number(scale[1], unit)]}


def method(estimate: Estimate) -> str:
    """How an estimate was had, for a reader."""
    level = f" at {100 * estimate.level:g} %" if estimate.bounded and estimate.low != estimate.high else ""
    return f"{estimate.method}{level}, n = {estimate.n:,}"


def claims(folder: StudyFolder) -> list[dict[str, Any]]:
    """Each claim with the paper's figure and the verdict."""
    known = {claim.name: claim for claim in folder.study.claims}
    marks = {"holds": "holds", "does not hold": "fails", "not tested": "untested"}
    found = []
    for name, verdict in folder.verdicts.items():
        claim = known.get(name)
        found.append(
            {
                "statement": claim.statement if claim else name,
                "paper": claim.paper if claim else None,
                "outcome": verdict.outcome,
                "mark": marks[verdict.outcome],
                "reason": verdict.reason,
            }
        )
    return found


def runs(found: Mapping[str, Run]) -> list[dict[str, Any]]:
    """A row a run."""
    return [
        {
            "name": name,
            "seed": run.manifest.seed,
            "steps": run.manifest.steps_done,
            "agents": len(run.manifest.agents),
            "status": run.manifest.status,
            "interventions": [said(i) for i in run.manifest.interventions],
        }
        for name, run in found.items()
    ]


def said(intervention: Mapping[str, Any]) -> str:
    """An intervention in a phrase."""
    arguments = ", ".join(f"{k} = {v}" for k, v in intervention["arguments"].items())
    where = f" on {intervention['agent']}" if intervention["agent"] else ""
    return f"before step {intervention['at']}: {intervention['name']}({arguments}){where}"


def calls(found: Mapping[str, Run]) -> dict[str, Any] | None:
    """Model calls by purpose with one example each, and what they cost; None where there were none."""
    import polars as pl

    usage = {
        key: sum(getattr(run.manifest.usage, key) for run in found.values())
        for key in ("calls", "cached", "failed", "faults", "cost")
    }
    if not usage["calls"]:
        return None
    columns = ["purpose", "cached", "error", "tokens_in", "tokens_out", "seconds", "cost", "faults"]
    parts = [run.calls.select(*columns) for run in found.values() if run.manifest.usage.calls]
    table = (
        pl.concat(parts)
        .group_by("purpose")
        .agg(
            pl.len().alias("calls"),
            pl.col("cached").sum(),
            pl.col("error").is_not_null().sum().alias("failed"),
            pl.col("faults").list.len().sum().alias("faults"),
            pl.col("tokens_in").sum(),
            pl.col("tokens_out").sum(),
            pl.col("seconds").filter(~pl.col("cached")).mean(),
            pl.col("cost").sum(),
        )
        .sort("calls", "purpose", descending=[True, False])
        .collect()
    )
    tokens = sum(row["tokens_in"] + row["tokens_out"] for row in table.iter_rows(named=True))
    return {**usage, "tokens": tokens, "rows": table.to_dicts(), "examples": examples(found)}


def examples(found: Mapping[str, Run]) -> list[dict[str, Any]]:
    """One answered call of each purpose: what was asked, word for word, and what came back."""
    import polars as pl

    seen: dict[str, dict[str, Any]] = {}
    for run in found.values():
        if not run.manifest.usage.calls:
            continue
        answered = run.calls.filter(pl.col("error").is_null() & ~pl.col("purpose").is_in(list(seen)))
        first = answered.group_by("purpose", maintain_order=True).first().collect()
        for row in first.iter_rows(named=True):
            scored = row["kind"] == "score"
            reply = _scores(row["options"], row["scores"]) if scored else row["reply"]
            seen[row["purpose"]] = {
                "purpose": row["purpose"],
                "agent": row["agent"],
                "step": row["step"],
                "model": row["model"],
                "messages": [{"role": m["role"], "content": shorten(m["content"], LONGEST)} for m in row["messages"]],
                "answer": "log-likelihood of each option, by" if scored else "answer of",
                "reply": shorten(reply or "", LONGEST),
            }
    return list(seen.values())


def _scores(options: Sequence[str] | None, scores: Sequence[float] | None) -> str:
    pairs = sorted(zip(options or [], scores or [], strict=True), key=lambda pair: -pair[1])
    return "\n".join(f"{score:8.2f}  {option}" for option, score in pairs)


def reproduce(folder: StudyFolder) -> dict[str, Any]:
    """The command that repeats the study, the versions it ran with, and its settings."""
    record = folder.record
    words = ["ethogram", "run", record.study, "--preset", record.preset]
    words += ["--model", record.model] if record.model else []
    words += ["--seed", str(record.seed)]
    for key, value in record.changes.items():
        words += ["--set", f"{key}={value if isinstance(value, str) else json.dumps(value)}"]
    return {
        "command": shlex.join(words),
        "versions": record.versions,
        "config": json.dumps(record.config, indent=1, ensure_ascii=False),
        "seed": record.seed,
    }
