"""The report: one HTML page about a study or a run that stands by itself and can be read by anybody.

Nothing in it is loaded from elsewhere and nothing in it runs. What agents wrote is always text.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from ethogram.errors import RunError
from ethogram.studies.report import facts, story
from ethogram.studies.report.pictures import embed

if TYPE_CHECKING:
    from ethogram.records import Run
    from ethogram.studies.execution import StudyFolder
    from ethogram.studies.findings import Findings

__all__ = ["render", "write"]

TEMPLATES = Path(__file__).parent / "templates"
LARGEST = 400_000
"""A figure of more bytes is named, not shown."""
MOST_ROWS = 30


def write(about: StudyFolder | Run, to: Path | None = None) -> Path:
    """Write the report of a study's folder or of a run.

    Args:
        about: which.
        to: the file; `report.html` in its folder by default.

    Returns:
        The file.
    """
    path = to or about.path / "report.html"
    page = render(about)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(page, encoding="utf-8")
    except OSError as error:
        raise RunError(f"the report {path} cannot be written ({error.strerror}): give another file with --to") from error
    return path


def render(about: StudyFolder | Run) -> str:
    """The page as HTML."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    from ethogram.studies.execution import StudyFolder

    environment = Environment(
        loader=FileSystemLoader(TEMPLATES), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.globals.update(numbered=facts.numbered, spoken=facts.spoken, number=facts.number)
    content = of_study(about) if isinstance(about, StudyFolder) else of_run(about)
    return environment.get_template("page.html.jinja").render(content, style=(TEMPLATES / "page.css").read_text("utf-8"))


def of_study(folder: StudyFolder) -> dict[str, Any]:
    """What the page of a study says."""
    study, record, findings, found = folder.study, folder.record, folder.findings, folder.runs
    figures = drawn(findings)
    moments = findings.timeline
    for name, run in shown(found).items():
        who = " and ".join(run.manifest.models) or "coded policies"
        figures += story.pictures(run, f" in the run “{name}”, played by {who}" if len(found) > 1 else "")
        moments = moments or story.recorded(run)
    judged = facts.claims(folder)
    return {
        "kind": "study",
        "title": study.paper.title,
        "about": study.about,
        "paper": study.paper,
        "cell": study.cell,
        "summary": findings.summary,
        "head": head(record.preset, played(folder), record.seed, record.started[:10], record.seconds),
        "status": record.status,
        "reason": record.reason,
        "outcome": facts.outcome([claim["outcome"] for claim in judged]),
        "ran": facts.ran(found, record.model, study.surrogates),
        "figures": figures,
        "timeline": story.timeline(moments),
        "measures": facts.measures(findings.measured),
        "claims": judged,
        "notes": findings.notes,
        "tables": tables(findings),
        "calls": facts.calls(found),
        "runs": facts.runs(found),
        "reproduce": facts.reproduce(folder),
    }


def of_run(run: Run) -> dict[str, Any]:
    """What the page of a single run says."""
    m = run.manifest
    return {
        "kind": "run",
        "title": f"A run in the world “{m.world}”",
        "about": "",
        "paper": None,
        "cell": "",
        "summary": "",
        "head": head("", " and ".join(m.models), m.seed, m.started[:10], m.seconds),
        "status": m.status,
        "reason": m.reason,
        "outcome": [],
        "ran": facts.ran({run.path.name: run}),
        "figures": story.pictures(run, ""),
        "timeline": story.timeline(story.recorded(run)),
        "measures": [],
        "claims": [],
        "notes": run.check(),
        "tables": [],
        "calls": facts.calls({run.path.name: run}),
        "runs": facts.runs({run.path.name: run}),
        "reproduce": {"command": f"ethogram replay {run.path}", "versions": m.versions, "config": "", "seed": m.seed},
    }


def head(preset: str, model: str, seed: int, date: str, seconds: float) -> list[tuple[str, str]]:
    """The facts under the title."""
    pairs = (
        ("preset", preset),
        ("model", model),
        ("seed", str(seed)),
        ("date", date),
        ("computed in", facts.spoken(seconds)),
    )
    return [(label, value) for label, value in pairs if value]


def shown(found: dict[str, Run]) -> dict[str, Run]:
    """The runs that are shown in pictures: the first, and the first in which a language model played."""
    prompted = [name for name, run in found.items() if run.manifest.models]
    return {name: found[name] for name in dict.fromkeys([*list(found)[:1], *prompted[:1]])}


def played(folder: StudyFolder) -> str:
    """The language model or surrogate that played, if any did."""
    model = folder.record.model
    if model in folder.study.surrogates or any(run.manifest.models for run in folder.runs.values()):
        return model
    return f"{model}, did not play" if model else ""


def drawn(findings: Findings) -> list[dict[str, Any]]:
    """The study's own figures, fit for the page."""
    figures = []
    for name, picture in findings.figures.items():
        if len(picture.svg) > LARGEST:
            svg = ""
            caption = f"{picture.caption} (Too large for this page: see figures/{name}.svg.)"
        else:
            svg, caption = embed(picture.svg, name), picture.caption
        figures.append({"svg": svg, "caption": caption, "alt": picture.alt, "legend": ""})
    return figures


def tables(findings: Findings) -> list[dict[str, Any]]:
    """The study's tables, their first rows."""
    found = []
    for name, table in findings.tables.items():
        rows = [
            ["–" if v is None else facts.number(v) if isinstance(v, float) else str(v) for v in row]
            for row in table.frame.head(MOST_ROWS).rows()
        ]
        numeric = [dtype.is_numeric() for dtype in table.frame.dtypes]
        found.append(
            {
                "name": name,
                "caption": table.caption,
                "columns": [c.replace("_", " ") for c in table.frame.columns],
                "numeric": numeric,
                "rows": rows,
                "total": table.frame.height,
            }
        )
    return found
