"""What a study found: estimates, tables, figures and a timeline, kept together in the study's folder."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from ethogram.errors import DataError
from ethogram.measures.estimate import Estimate
from ethogram.studies.claims import Reported, dump_reported, read_reported

if TYPE_CHECKING:
    import polars as pl
    from matplotlib.figure import Figure

__all__ = ["Findings", "Measured", "MissingFinding", "Moment", "Picture", "Table"]

NAME = re.compile(r"[a-z0-9][a-z0-9_-]*")


class MissingFinding(KeyError):
    """A finding was asked for that this run did not make; a claim that needs it is then not tested."""

    def __init__(self, name: str, arm: str) -> None:
        self.label = f"{name!r}" + (f" in the arm {arm!r}" if arm else "")
        super().__init__(self.label)


class Measured(NamedTuple):
    """One estimate, with what a reader needs to understand it."""

    name: str
    """The measure's key, as in `party_known`."""
    arm: str
    """The arm of the experiment (an ablation, a policy) it was measured in; empty where there are no arms."""
    estimate: Estimate
    label: str
    """The measure in words: `Inhabitants who know of the party`."""
    unit: str = ""
    """`%` shows a share in per cent; anything else is written after the number."""
    paper: Reported | None = None
    human: Reported | None = None

    @classmethod
    def read(cls, data: dict[str, Any]) -> Measured:
        """What was written as JSON values; what is absent has its default."""
        parts = {"paper": read_reported(data.get("paper")), "human": read_reported(data.get("human"))}
        return cls(**{"arm": "", **data, **parts, "estimate": Estimate.read(data["estimate"])})


class Table(NamedTuple):
    """A table of results."""

    frame: pl.DataFrame
    caption: str


class Picture(NamedTuple):
    """A figure as SVG."""

    svg: str
    caption: str
    """What is seen in it, in a sentence or two."""
    alt: str
    """The same for those who cannot see it."""


class Moment(NamedTuple):
    """One thing that happened, for the timeline of a report."""

    time: str
    """As in `Monday 08:10`, or `step 12`."""
    who: str
    text: str
    """A full sentence, or for speech the words."""
    kind: str = "did"
    """`did`, `said`, or `turning point` (drawn larger)."""


@dataclass
class Findings:
    """Collects what a study found; `save` writes it below the study's folder and `Findings.load` reads it again."""

    summary: str = ""
    """What happened, in two to four sentences, computed from the record."""
    measured: list[Measured] = field(default_factory=list)
    tables: dict[str, Table] = field(default_factory=dict)
    figures: dict[str, Picture] = field(default_factory=dict)
    timeline: list[Moment] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    """What a reader must know to judge the findings: stand-ins, limits, what the model did wrong."""

    def estimate(
        self,
        name: str,
        estimate: Estimate,
        label: str,
        *,
        arm: str = "",
        unit: str = "",
        paper: Reported | None = None,
        human: Reported | None = None,
    ) -> Estimate:
        """Add an estimate and return it."""
        check_name(name)
        if any(m.name == name and m.arm == arm for m in self.measured):
            raise DataError(f"the finding {name!r} was added twice for the arm {arm!r}")
        self.measured.append(Measured(name, arm, estimate, label, unit, paper, human))
        return estimate

    def get(self, name: str, arm: str = "") -> Estimate:
        """An estimate by name and arm; MissingFinding (a KeyError) where this run did not make it."""
        for m in self.measured:
            if m.name == name and m.arm == arm:
                return m.estimate
        raise MissingFinding(name, arm)

    def table(self, name: str, frame: pl.DataFrame, caption: str) -> None:
        """Add a table: it goes into the report, and as Parquet into the study's folder."""
        self.tables[check_name(name)] = Table(frame, caption)

    def figure(self, name: str, figure: Figure | str, caption: str, alt: str = "") -> None:
        """Add a picture, a matplotlib Figure or SVG text. Drawn first in the report, in the order added."""
        from ethogram.studies.drawing import svg_of

        svg = figure if isinstance(figure, str) else svg_of(figure)
        if "<svg" not in svg:
            raise DataError(f"the figure {name!r} is neither a matplotlib Figure nor SVG text")
        self.figures[check_name(name)] = Picture(svg[svg.index("<svg") :], caption, alt or caption)

    def moment(self, time: str, who: str, text: str, kind: str = "did") -> None:
        """Add an entry to the timeline."""
        self.timeline.append(Moment(time, who, text, kind))

    def note(self, text: str) -> None:
        """Add a note for the reader."""
        self.notes.append(text)

    def dump(self) -> dict[str, Any]:
        """All but tables and pictures, as JSON values."""
        return {
            "summary": self.summary,
            "measured": [
                {
                    **m._asdict(),
                    "estimate": m.estimate.dump(),
                    "paper": dump_reported(m.paper),
                    "human": dump_reported(m.human),
                }
                for m in self.measured
            ],
            "timeline": [m._asdict() for m in self.timeline],
            "notes": self.notes,
            "tables": {name: table.caption for name, table in self.tables.items()},
            "figures": {name: {"caption": p.caption, "alt": p.alt} for name, p in self.figures.items()},
        }

    def save(self, folder: Path) -> None:
        """Write `findings.json`, `tables/NAME.parquet` and `figures/NAME.svg` below `folder`."""
        for name, table in self.tables.items():
            (folder / "tables").mkdir(parents=True, exist_ok=True)
            table.frame.write_parquet(folder / "tables" / f"{name}.parquet")
        for name, picture in self.figures.items():
            (folder / "figures").mkdir(parents=True, exist_ok=True)
            (folder / "figures" / f"{name}.svg").write_text(picture.svg, encoding="utf-8")
        text = json.dumps(self.dump(), indent=1, ensure_ascii=False)
        (folder / "findings.json").write_text(text + "\n", encoding="utf-8")

    @classmethod
    def load(cls, folder: Path) -> Findings:
        """The findings saved below `folder`; DataError where there are none, or a part is missing or damaged."""
        import polars as pl

        path = folder / "findings.json"
        try:
            data = json.loads(path.read_text(encoding="utf-8"))
            findings = cls(data["summary"], notes=data["notes"], timeline=[Moment(**m) for m in data["timeline"]])
            findings.measured = [Measured.read(m) for m in data["measured"]]
            for name, caption in data["tables"].items():
                findings.tables[name] = Table(pl.read_parquet(folder / "tables" / f"{name}.parquet"), caption)
            for name, about in data["figures"].items():
                findings.figures[name] = Picture((folder / "figures" / f"{name}.svg").read_text("utf-8"), **about)
        except (OSError, ValueError, KeyError, TypeError, pl.exceptions.PolarsError) as error:
            raise DataError(f"the findings in {folder} cannot be read ({error}); run the study again") from error
        return findings


def check_name(name: str) -> str:
    """The name itself; DataError where it cannot be a file's name everywhere."""
    if not NAME.fullmatch(name):
        raise DataError(f"{name!r} cannot name a finding: use a-z, 0-9, _ and - only")
    return name
