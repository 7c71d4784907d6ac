"""The runs below the root: list, search, how far live ones have come, what they cost, and two of them compared."""

from __future__ import annotations

import fcntl
import os
import signal
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode

from markupsafe import Markup
from nicegui import run as background
from nicegui import ui

from ethogram.errors import EthogramError, RunError
from ethogram.records.manifest import Manifest
from ethogram.studio.safety import Root, html

__all__ = ["Listed", "Shelf", "build_list", "running", "stop"]

DEEPEST = 8
"""Folders below the root in which runs are looked for."""
PAGE = 60
"""Runs listed at once."""


@dataclass(frozen=True)
class Listed:
    """One line of the list."""

    name: str
    manifest: Manifest
    status: str
    """As the manifest says; `cut off` where it says `running` and nobody writes it."""

    @property
    def words(self) -> str:
        """What a search looks at."""
        m = self.manifest
        return " ".join([self.name, m.world, self.status, *m.models, *m.agents[:50]]).lower()


class Shelf:
    """What runs there are. Manifests are read again only where they have changed."""

    def __init__(self, root: Root) -> None:
        self.root = root
        self._read: dict[Path, tuple[int, Manifest]] = {}

    def runs(self) -> list[Listed]:
        """All runs, the one begun last first."""
        found = []
        for path in self._folders():
            try:
                changed = (path / "manifest.json").stat().st_mtime_ns
                if path not in self._read or self._read[path][0] != changed:
                    self._read[path] = changed, Manifest.read(path)
                manifest = self._read[path][1]
            except (OSError, EthogramError):  # gone, or of another version
                continue
            cut = manifest.status == "running" and running(path) is None
            found.append(Listed(self.root.name(path), manifest, "cut off" if cut else manifest.status))
        return sorted(found, key=lambda r: r.manifest.started, reverse=True)

    def studies(self) -> list[str]:
        """The names of the folders of studies."""
        return sorted(self.root.name(path.parent) for top in self.root.shown for path in walk(top, "study.json"))

    def cards(self) -> list[str]:
        """The names of the folders of surveys that were held beside people."""
        found = (path.parent for top in self.root.shown for path in walk(top, "ways.csv"))
        return sorted(self.root.name(path) for path in found if any(path.glob("card-items-*.csv")))

    def _folders(self) -> list[Path]:
        from ethogram.studio.safety import branches

        tops = [p for top in self.root.shown for p in (top, *([] if top == self.root.folder else branches(top)))]
        return list(dict.fromkeys(path.parent for top in tops for path in walk(top, "manifest.json")))


def walk(top: Path, file: str) -> Iterator[Path]:
    """Files of a name below a folder, links not followed, nothing below the first in a branch."""
    for folder, below, files in os.walk(top):
        if file in files:
            below.clear()
            yield Path(folder) / file
        elif len(Path(folder).relative_to(top).parts) >= DEEPEST:
            below.clear()
        below[:] = sorted(name for name in below if not name.startswith("."))


def running(path: Path) -> int | None:
    """The process that writes a run now, or None."""
    try:
        lock = os.open(path / ".lock", os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        text = os.pread(lock, 20, 0).decode(errors="replace")
        return int(text) if text.isdigit() else None
    finally:
        os.close(lock)
    return None


def stop(path: Path) -> None:
    """Interrupt a run as Ctrl-C does: it ends after the step in flight, and can be resumed.

    Raises:
        RunError: nobody writes it now, or it is another user's.
    """
    process = running(path)
    if process is None or process == os.getpid():
        raise RunError(f"{path} is not running, so there is nothing to stop")
    try:
        os.kill(process, signal.SIGINT)
    except OSError as error:
        raise RunError(f"{path} cannot be stopped: {error.strerror}") from error


def address(name: str) -> str:
    """Where a run is shown."""
    return "/run?" + urlencode({"path": name})


def listing(runs: list[Listed], most: int) -> Markup:
    """Runs as an HTML table."""
    line = (
        '<tr><td><a href="{}">{}</a></td><td>{}</td><td class="number wide">{}</td><td class=number>{}</td>'
        '<td><span class="status {}">{}</span></td><td class="number wide">{}</td><td class="number wide">{}</td>'
        "<td class=wide>{}</td></tr>"
    )
    rows = []
    for r in runs[:most]:
        m, status = r.manifest, r.status.replace(" ", "-")
        calls = f"{m.usage.calls:,}" if m.usage.calls else "–"
        cost = f"{m.usage.cost:.4f}" if m.usage.cost else "–"
        begun = m.started[:16].replace("T", " ")
        facts = (m.world, f"{len(m.agents):,}", progress_words(m), status, r.status, calls, cost, begun)
        rows.append(html(line, address(r.name), r.name, *facts))
    names = ("run", "world", "agents", "steps", "status", "model calls", "cost", "begun")
    wide = ("agents", "model calls", "cost", "begun")
    head = Markup().join(html('<th scope=col class="{}">{}</th>', "wide" if n in wide else "", n) for n in names)
    return html("<table><thead><tr>{}</tr></thead><tbody>{}</tbody></table>", head, Markup().join(rows))


def progress_words(m: Manifest) -> str:
    """How far a run has come."""
    of = m.steps * m.episodes if m.steps and m.status == "running" else None
    return f"{m.steps_done:,}" + (f" of {of:,}" if of else "")


def build_list(shelf: Shelf) -> None:
    """Lay out the list of runs, with its search."""
    shown = {"most": PAGE}
    studies, cards = ui.html(""), ui.html("")
    studies.set_visibility(False)
    cards.set_visibility(False)
    with ui.element("div").classes("panel"):
        ui.html("<h2>Runs</h2>")
        search = ui.input(placeholder="Search by name, world, status, model or agent").props(
            'dense outlined clearable aria-label="Search runs"'
        )
        counted = ui.label("").classes("soft")
        table = ui.html("").classes("scroll")
        more = ui.button("Show more", on_click=lambda: widen()).props("flat no-caps")
    found: list[Listed] = []

    def fill() -> None:
        words = (search.value or "").lower().split()
        chosen = [r for r in found if all(w in r.words for w in words)]
        spent = sum(r.manifest.usage.cost for r in chosen)
        counted.text = f"{len(chosen):,} of {len(found):,} runs" + (f", {spent:.4f} spent on models" if spent else "")
        table.content = listing(chosen, shown["most"])
        more.set_visibility(len(chosen) > shown["most"])

    def widen() -> None:
        shown["most"] += PAGE
        fill()

    async def look() -> None:
        found[:] = await background.io_bound(shelf.runs) or []
        fill()
        for place, title, page, listed in (
            (studies, "Studies", "study", shelf.studies),
            (cards, "Fidelity cards", "card", shelf.cards),
        ):
            names = await background.io_bound(listed) or []
            items = Markup().join(
                html('<li><a href="/{}?{}">{}</a></li>', page, urlencode({"path": name}), name) for name in names
            )
            place.content = html("<div class=panel><h2>{}</h2><ul class=names>{}</ul></div>", title, items)
            place.set_visibility(bool(names))

    search.on_value_change(fill)
    ui.timer(3.0, look)
