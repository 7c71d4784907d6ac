"""What `spectrum` tests: its claims, from the findings alone."""

from __future__ import annotations

from ethogram.studies import Claim, Findings, Reported, Verdict, fails, holds, not_tested, positive
from ethogram.studies.people._spectrum_findings import GAIN, who
from ethogram.studies.people._spectrum_judge import SURROGATE, YES_SAYER
from ethogram.studies.people._spectrum_retrieval import SHUFFLED

__all__ = ["MARGIN", "POINTS", "claims"]

POINTS, MARGIN = 0.10, 0.02
"""By how much C must be ahead of S and P; how far from chance, or below C, still counts as none."""


def _life_first(findings: Findings) -> Verdict:
    gaps = [findings.get("mrr_gain", f"C - {part}") for part in "SP"]
    said = f"C - S is {gaps[0]}, C - P is {gaps[1]}, where {POINTS:.2f} is asked for"
    return holds(said) if all(gap.low >= POINTS for gap in gaps) else fails(said)


def _all_at_least_life(findings: Findings) -> Verdict:
    gap = findings.get("mrr_gain", "SPC - C")
    return (holds if gap.low > -MARGIN else fails)(f"SPC - C is {gap}")


def _all_beats_life(findings: Findings) -> Verdict:
    return positive(findings.get("mrr_gain", "SPC - C"), "SPC - C")


def _shuffled(findings: Findings) -> Verdict:
    excess = findings.get("above_chance", SHUFFLED)
    said = f"described by another's life, the mean reciprocal rank is {excess} above chance"
    return holds(said) if max(abs(excess.low), abs(excess.high)) <= MARGIN else fails(said)


def _recovered(findings: Findings) -> Verdict:
    found = {name: findings.get("recovered", name) for name in ("traits", "values")}
    said = "; ".join(f"{name}: r = {estimate}" for name, estimate in found.items())
    return holds(said) if all(estimate.low > 0.7 for estimate in found.values()) else fails(said)


def _far_more(findings: Findings) -> Verdict:
    gap, more = findings.get("accuracy_gain", "P - S"), findings.get("p_over_s")
    said = f"P - S is {gap}; P's gain over the mean less {GAIN:g} times that of S is {more}"
    return holds(said) if gap.above and more.above else fails(said)


def _both(findings: Findings) -> Verdict:
    gap = findings.get("accuracy_gain", "SP - P")
    return (holds if gap.low >= 0 else fails)(f"S+P - P is {gap}")


def _law(findings: Findings) -> Verdict:
    own = findings.get("tells_apart", f"{who(SURROGATE)}, SPC")
    other = findings.get("tells_apart", f"{who(SURROGATE)}, {SHUFFLED}")
    said = f"own less others' statements accepted: {own} with SPC, {other} with another's life"
    return holds(said) if own.above and not other.above else fails(said)


def _yes(findings: Findings) -> Verdict:
    share = findings.get("accepted_share", f"{who(YES_SAYER)}, SPC")
    apart = findings.get("tells_apart", f"{who(YES_SAYER)}, SPC")
    said = f"it accepts {100 * share.value:.0f}% of a person's own statements, and its difference to others' is {apart}"
    return holds(said) if share.value == 1 and not apart.above else fails(said)


def _model(findings: Findings) -> Verdict:
    found = {m.arm: m.estimate for m in findings.measured if m.name == "tells_apart" and m.arm.startswith("model: ")}
    whole = next((arm for arm in found if arm.endswith(", SPC")), None)
    shuffled = next((arm for arm in found if arm.endswith(f", {SHUFFLED}")), None)
    if whole is None or shuffled is None:
        return not_tested("no language model judged")
    said = f"{whole}: own less others' statements accepted is {found[whole]}; with another's life {found[shuffled]}"
    return holds(said) if found[whole].above and not found[shuffled].above else fails(said)


def _asked(findings: Findings) -> Verdict:
    found = [m for m in findings.measured if m.name == "asked_gain" and m.arm.startswith("model: ")]
    gap = next((m for m in found if m.arm.endswith(", P - S")), None)
    return positive(gap.estimate, gap.arm) if gap else not_tested("no language model answered as real people")


def _keys(findings: Findings) -> Verdict:
    return positive(findings.get("asked_gain", f"{who(SURROGATE)}, P - S"), "the surrogate's P - S")


claims = (
    Claim(
        "life-beats-social-and-personal",
        "Twenty statements find their person better by the context of its life than by its social or its personal "
        "identity, by "
        "ten points of mean reciprocal rank.",
        Reported("for fictional characters C alone is more effective than S and P", "abstract"),
        _life_first,
    ),
    Claim(
        "all-at-least-life",
        "All three parts together are no worse than the context of life alone.",
        Reported("for fictional characters C is comparable to SPC", "abstract"),
        _all_at_least_life,
    ),
    Claim(
        "all-beats-life",
        "All three parts together are better than the context of life alone.",
        Reported("for real people SPC outperforms C alone", "abstract"),
        _all_beats_life,
    ),
    Claim("shuffled-at-chance", "Described by somebody else's life, people are found as by chance.", None, _shuffled),
    Claim("scores-recover", "The scores of both instruments recover what was planted.", None, _recovered),
    Claim(
        "items-far-more-than-demographics",
        "The other half of real people's items says far more about a half than gender, age and education do.",
        None,
        _far_more,
    ),
    Claim("both-at-least-items", "Both together predict real people's items at least as well as items alone.", None, _both),
    Claim(
        "judge-by-its-law",
        "The surrogate judge accepts a person's own statements rather than others', and no longer so when it is told of "
        "somebody else's life.",
        None,
        _law,
    ),
    Claim(
        "acceptance-alone-says-nothing",
        "A judge that says yes to everything has the highest acceptance; that it tells nobody apart is seen by others' "
        "statements.",
        None,
        _yes,
    ),
    Claim(
        "model-knows-its-own",
        "A language model that is told all three parts accepts a person's own statements rather than others', and "
        "not so when it "
        "is told of somebody else's life.",
        Reported("agents are judged by accepted statements; values not seen", "authors' repository"),
        _model,
    ),
    Claim(
        "keys-carry-items",
        "A surrogate that knows the keys answers as real people better if told half of their answers than if told "
        "gender, age and "
        "education.",
        None,
        _keys,
    ),
    Claim(
        "model-uses-items",
        "A language model answers as real people better if told half of their answers than if told gender, age and "
        "education.",
        None,
        _asked,
    ),
)
