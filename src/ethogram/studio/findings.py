"""What a study found: claims with their verdicts, figures and tables, and all of it to take away."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path
from urllib.parse import urlencode

from markupsafe import Markup
from nicegui import ui

from ethogram.errors import ConfigError, DataError, EthogramError
from ethogram.measures.estimate import Estimate
from ethogram.studies.execution import StudyFolder
from ethogram.studies.findings import Findings, check_name
from ethogram.studio.safety import Root, html
from ethogram.studio.words import brief

__all__ = ["build_study", "figure_of", "report_of", "statements"]

ROWS = 30
"""Rows of a table that are shown."""


def build_study(path: Path, name: str, root: Root) -> None:
    """The page of a study's folder."""
    folder = StudyFolder(path)
    record, findings = folder.record, found_in(path)
    with ui.element("header").classes("studio"):
        ui.html(html('<a href="/">All runs</a>'))
        ui.html(html("<h1>{}</h1>", name))
        facts = [record.slug, record.preset, record.model, f"seed {record.seed}", record.started[:10]]
        badge = html('<span class="status {}">{}</span> {}', record.status, record.status, " · ".join(f for f in facts if f))
        ui.html(badge).classes("facts")
        if packaged(folder):
            ui.html(html('<a href="/report?{}" download>Report as one file</a>', urlencode({"path": name})))
    with ui.element("main").classes("studio").style("display: grid; gap: 1rem"):
        if findings.summary:
            ui.html(html("<div class=panel><h2>What happened</h2><p>{}</p></div>", findings.summary))
        if folder.verdicts:
            ui.html(html("<div class='panel scroll'><h2>Claims</h2>{}</div>", claims_table(folder)))
        for figure, picture in findings.figures.items():
            _figure(name, figure, picture.caption, picture.alt)
        if findings.measured:
            ui.html(html("<div class='panel scroll'><h2>Measured</h2>{}</div>", measured_table(findings)))
        for title, table in findings.tables.items():
            rows = table.frame.head(ROWS)
            head = Markup().join(html("<th scope=col>{}</th>", column) for column in rows.columns)
            body = Markup().join(
                html("<tr>{}</tr>", Markup().join(html("<td>{}</td>", brief(v, 90)) for v in row)) for row in rows.rows()
            )
            more = f" (the first {ROWS} of {table.frame.height:,} rows)" if table.frame.height > ROWS else ""
            says = html("<h2>{}</h2><p class=soft>{}{}</p>", title, table.caption, more)
            ui.html(html("<div class='panel scroll'>{}<table><tr>{}</tr>{}</table></div>", says, head, body))
        if findings.notes:
            notes = Markup().join(html("<li>{}</li>", note) for note in findings.notes)
            ui.html(html("<div class=panel><h2>To judge it by</h2><ul>{}</ul></div>", notes))
        if cards := card_links(path, root):
            ui.html(html("<div class=panel><h2>Fidelity cards</h2><ul>{}</ul></div>", cards))
        ui.html(html("<div class=panel><h2>Runs</h2><ul>{}</ul></div>", run_links(path, root)))


def _figure(study: str, name: str, caption: str, alt: str) -> None:
    address = "/figure?" + urlencode({"path": study, "name": name})
    with ui.element("figure").classes("panel figure").style("margin: 0"):
        ui.html(html('<img src="{}" alt="{}"><figcaption>{}</figcaption>', address, alt, caption))
        with ui.element("div").classes("choices"):
            ui.button("SVG", on_click=partial(ui.download, address)).props(f'flat dense no-caps aria-label="{name} as SVG"')
            script = f"figureAsPng({json.dumps(address)}, {json.dumps(name)})"
            ui.button("PNG", on_click=partial(ui.run_javascript, script)).props(
                f'flat dense no-caps aria-label="{name} as PNG"'
            )


def found_in(path: Path) -> Findings:
    """The findings of a folder; none where it did not come that far. DataError where one has a name that is no file's."""
    file = path / "findings.json"
    if not file.exists():
        return Findings()
    try:
        data = json.loads(file.read_text("utf-8"))
        for name in [*data["tables"], *data["figures"]]:
            check_name(name)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DataError(f"{file} cannot be read ({error}); run the study again") from error
    return Findings.load(path)


def packaged(folder: StudyFolder) -> bool:
    """Whether the study comes with ethogram. The file that another folder names is not loaded here: it would be executed."""
    return not folder.record.study.endswith(".py")


def statements(folder: StudyFolder) -> dict[str, str]:
    """The claims in words, of a study that comes with ethogram."""
    if not packaged(folder):
        return {}
    try:
        return {claim.name: claim.statement for claim in folder.study.claims}
    except EthogramError:
        return {}


def claims_table(folder: StudyFolder) -> Markup:
    """Each claim with its verdict and the sentence that decided it."""
    said = statements(folder)
    colour = {"holds": "complete", "does not hold": "failed"}
    line = '<tr><td>{}</td><td><span class="status {}">{}</span></td><td class=saw>{}</td></tr>'
    rows = [html(line, said.get(n, n), colour.get(v.outcome, ""), v.outcome, v.reason) for n, v in folder.verdicts.items()]
    head = "<tr><th scope=col>claim</th><th scope=col>verdict</th><th scope=col>because</th></tr>"
    return html("<table>{}{}</table>", Markup(head), Markup().join(rows))


def measured_table(findings: Findings) -> Markup:
    """Each estimate with its interval, beside what the paper and people have."""
    line = "<tr><td>{}</td><td>{}</td><td class=number>{}</td><td class=number>{}</td><td>{}</td><td>{}</td></tr>"
    rows = [
        html(
            line,
            m.label,
            m.arm,
            _number(m.estimate.value, m.unit),
            _between(m.estimate, m.unit),
            *(f"{r.value:.4g}" if r is not None and isinstance(r.value, int | float) else "" for r in (m.paper, m.human)),
        )
        for m in findings.measured
    ]
    names = ("measure", "arm", "value", "interval", "paper", "people")
    head = Markup().join(html("<th scope=col>{}</th>", n) for n in names)
    return html("<table><tr>{}</tr>{}</table>", head, Markup().join(rows))


def _number(value: float, unit: str) -> str:
    return f"{100 * value:.1f} %" if unit == "%" else f"{value:.4g} {unit}".strip()


def _between(estimate: Estimate, unit: str) -> str:
    if not estimate.bounded or estimate.low == estimate.high:
        return "–"
    return f"{_number(estimate.low, unit)} to {_number(estimate.high, unit)}"


def card_links(path: Path, root: Root) -> Markup:
    """Links to the cards that lie in the study's folder."""
    link = '<li><a href="/card?{}">{}</a></li>'
    found = sorted({file.parent for file in path.glob("**/card-items-*.csv") if (file.parent / "ways.csv").is_file()})
    return Markup().join(html(link, urlencode({"path": root.name(f)}), f.relative_to(path).as_posix()) for f in found[:100])


def run_links(path: Path, root: Root) -> Markup:
    """Links to the runs of the study."""
    link = '<li><a href="/run?{}">{}</a></li>'
    found = sorted(m.parent for m in (path / "runs").glob("**/manifest.json"))[:500]
    names = [(urlencode({"path": root.name(run)}), run.relative_to(path / "runs").as_posix()) for run in found]
    return Markup().join(html(link, *pair) for pair in names) or Markup("<li>none that is kept</li>")


def figure_of(path: Path, name: str) -> str:
    """The SVG of a figure of a study; DataError where it has none of that name."""
    try:
        return (path / "figures" / f"{check_name(name)}.svg").read_text("utf-8")
    except OSError:
        raise DataError(f"the study has no figure {name!r}") from None


def report_of(path: Path) -> str:
    """The report of a study as one page of HTML."""
    from ethogram.studies.report import render

    folder = StudyFolder(path)
    if not packaged(folder):
        raise ConfigError(f"{path.name} is of a study of your own: write its report with `ethogram report`")
    return render(folder)
