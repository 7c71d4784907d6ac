"""What a paper says, and whether our findings bear it out. Verdicts are computed, never typed."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from ethogram.measures.estimate import Estimate

if TYPE_CHECKING:
    from ethogram.studies.findings import Findings

__all__ = ["Claim", "Paper", "Reported", "Verdict", "fails", "holds", "judge", "not_tested", "positive"]


class Reported(NamedTuple):
    """A figure from elsewhere: the paper's own, or one measured on people."""

    text: str
    """The figure as a reader should see it: `0.52`, `4 % to 52 %`."""
    source: str
    """Where it was read: a section or table, `abstract`, the authors' repository, or `from memory, not verified`."""
    value: float | None = None
    """The same as a number, where it is one: drawn beside our interval."""


class Paper(NamedTuple):
    """A citation."""

    title: str
    authors: str = ""
    venue: str = ""
    """Where and when it appeared, as in `UIST 2023`."""
    url: str = ""

    def __str__(self) -> str:
        """The citation on one line."""
        return ". ".join(part for part in (self.authors, self.title, self.venue, self.url) if part)


class Verdict(NamedTuple):
    """What a test made of the findings, and why."""

    outcome: Literal["holds", "does not hold", "not tested"]
    reason: str
    """One sentence with the numbers that decided."""


def holds(reason: str) -> Verdict:
    """The findings bear the claim out."""
    return Verdict("holds", reason)


def fails(reason: str) -> Verdict:
    """The findings speak against the claim, or do not bear it out."""
    return Verdict("does not hold", reason)


def not_tested(reason: str) -> Verdict:
    """This run cannot tell, for the reason given."""
    return Verdict("not tested", reason)


class Claim(NamedTuple):
    """A statement that a study can test."""

    name: str
    """Short, as in `party-spreads`: the key in result files."""
    statement: str
    """A full sentence."""
    paper: Reported | None
    """What the paper reports for it; None for a claim of our own (a sanity check)."""
    test: Callable[[Findings], Verdict]
    """Decides from the findings alone."""


def judge(claims: tuple[Claim, ...], findings: Findings) -> dict[str, Verdict]:
    """The verdict on each claim by name, in order. A finding that a test needs and that is absent leaves it not tested."""
    from ethogram.studies.findings import MissingFinding

    verdicts = {}
    for claim in claims:
        try:
            verdicts[claim.name] = claim.test(findings)
        except MissingFinding as missing:
            verdicts[claim.name] = not_tested(f"this run did not measure {missing.label}")
    return verdicts


def positive(difference: Estimate, what: str) -> Verdict:
    """Holds where the whole interval of a difference lies above zero; `what` begins the reason ("full minus none")."""
    if not difference.bounded:
        return not_tested(f"{what} is {difference.value:.3g} from n = {difference.n}: too few for an interval")
    if difference.above:
        return holds(f"{what} is {difference}, all above zero")
    return fails(f"{what} is {difference}, not all above zero")


def dump_reported(reported: Reported | None) -> dict[str, Any] | None:
    """JSON values of a reported figure."""
    return None if reported is None else reported._asdict()


def read_reported(data: dict[str, Any] | None) -> Reported | None:
    """What `dump_reported` gave."""
    return None if data is None else Reported(**data)
