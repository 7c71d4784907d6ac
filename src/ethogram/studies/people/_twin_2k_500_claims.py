"""What `twin-2k-500` tests: its claims, from the findings alone."""

from __future__ import annotations

from collections.abc import Callable

from ethogram.studies import Claim, Findings, Reported, Verdict, fails, holds, not_tested, positive
from ethogram.studies.people._twin_2k_500_findings import FIGURE_2, OWN, REFERENCE, who
from ethogram.studies.people._twin_2k_500_model import EMBEDDED, SURROGATE

__all__ = ["TUNED", "claims"]

TUNED = "tuned"
LEAST = 10
"""Experiments that must be run."""


def _recovered(findings: Findings) -> Verdict:
    count = findings.get("experiments").value
    shares = {kind: findings.get("covered", kind) for kind in ("classic", "reversed")}
    said = f"{count:.0f} experiments; in their intervals: " + ", ".join(f"{kind} {e}" for kind, e in shares.items())
    return holds(said) if count >= LEAST and all(e.high >= 0.95 and e.value >= 0.9 for e in shares.values()) else fails(said)


def _nulls(findings: Findings) -> Verdict:
    share = findings.get("found", "none")
    said = f"an effect that is not there is found in {share} of contrasts, where 5 % are to be expected"
    return holds(said) if share.low <= 0.05 and share.value <= 0.1 else fails(said)


def _reference(findings: Findings) -> Verdict:
    parts, near = [], []
    for (figure, arm), value in REFERENCE.items():
        found = findings.get(figure, arm)
        parts.append(f"{arm} {figure.replace('_', ' ')} {found.value:.3f} for {value:g}")
        near.append(abs(found.value - value) <= (0.01 if figure == "accuracy" else 0.03))
    return holds("; ".join(parts)) if all(near) else fails("; ".join(parts))


def _means(findings: Findings) -> Verdict:
    mean, ridge = (findings.get("accuracy", arm) for arm in ("item mean", "ridge"))
    r = findings.get("correlation", "ridge")
    said = f"accuracy of the items' means {mean.value:.3f}, of ridge {ridge.value:.3f}; individual correlation 0 and {r}"
    return holds(said) if ridge.value - mean.value <= 0.065 and r.low > 0.4 else fails(said)


def _line(findings: Findings) -> Verdict:
    gains = [findings.get(key, who(SURROGATE, "own")) for key in ("over_shuffled", "over_masked")]
    said = f"by its own line it is above somebody else's by {gains[0]} and above none by {gains[1]}"
    return holds(said) if all(e.above for e in gains) else fails(said)


def _beats_mean(findings: Findings) -> Verdict:
    return positive(
        findings.get("correlation", who(TUNED, "own")), "its individual correlation, where the items' means have 0,"
    )


def _beats_shuffled(findings: Findings) -> Verdict:
    return positive(findings.get("over_shuffled", who(TUNED, "own")), "own less somebody else's persona")


def _below_ridge(findings: Findings) -> Verdict:
    gap = findings.get("over_ridge", who(TUNED, "own"))
    said = f"its individual correlation less that of ridge on the same answers is {gap}"
    return fails(f"{said}: it is better") if gap.above else holds(said)


def _raw(findings: Findings) -> Verdict:
    arm = next((m.arm for m in findings.measured if m.name == "over_shuffled" and m.arm.startswith(EMBEDDED)), "")
    if not arm:
        return not_tested("the embedded model was not asked")
    gain = findings.get("over_shuffled", arm)
    said = f"own less somebody else's persona is {gain}"
    return fails(said) if gain.above else holds(said)


def _mega(findings: Findings, other: str) -> Verdict:
    return positive(findings.get("mega_gain", other), f"the twins' accuracy less that of: {other}, over studies,")


def _averages(findings: Findings) -> Verdict:
    means, one = findings.get("mega_means"), findings.get("mega_correlation")
    said = f"items' means correlate {means}, single people beyond them {one}"
    return holds(said) if means.low > one.high else fails(said)


def _somebody(findings: Findings) -> Verdict:
    one, dealt = findings.get("mega_correlation"), findings.get("mega_correlation", "dealt to others")
    said = f"individual correlation {one}; dealt to others {dealt.low:.3f} to {dealt.high:.3f}"
    return holds(said) if one.low > dealt.high else fails(said)


def _signs(findings: Findings) -> Verdict:
    share, larger = findings.get("contrasts_same_sign"), findings.get("contrasts_exaggerated")
    said = f"of people's clear contrasts {share} have the same sign among twins, where half would by chance"
    said += f"; {larger.value:.0%} of all are larger among twins"
    return holds(said) if share.low > 0.5 else fails(said)


def _retest(findings: Findings) -> Verdict:
    return not_tested(
        "the answers of Twin-2K-500 and their retest are on a hub that was not reached; no data here hold both"
    )


def _against(other: str) -> Callable[[Findings], Verdict]:
    return lambda findings: _mega(findings, other)


claims = (
    Claim(
        "planted-recovered",
        "Effects of coded respondents, put into ten and more between-subject experiments, are found within their intervals.",
        None,
        _recovered,
    ),
    Claim("nulls-not-found", "Where coded respondents have no effect, none is found beyond chance.", None, _nulls),
    Claim(
        "reference-values",
        "Big-Five items: ridge, the items' means and random answers come to the figures measured apart from this code.",
        Reported("ridge .823, item mean .768, random .616; r of ridge .569", OWN),
        _reference,
    ),
    Claim(
        "means-mislead",
        "Guessing each item's mean is within 6 points of ridge in accuracy, and knows nothing of single people.",
        Reported("within 6 points", OWN),
        _means,
    ),
    Claim(
        "line-is-read",
        "A surrogate that goes by a person's line meets that person better than by another's line, or a masked one.",
        None,
        _line,
    ),
    Claim(
        "tuned-beats-mean",
        "The small model, tuned on other people, meets people beyond the items' means by their own persona.",
        None,
        _beats_mean,
    ),
    Claim(
        "tuned-beats-shuffled",
        "The tuned model meets people better by their own persona than by another's.",
        None,
        _beats_shuffled,
    ),
    Claim("tuned-below-ridge", "The tuned model is no better than ridge on all other answers.", None, _below_ridge),
    Claim("raw-knows-nothing", "Untuned, the small model gains nothing from a person's own persona.", None, _raw),
    Claim(
        "twins-beat-random",
        "Twins are much more accurate than random answers.",
        Reported("71.7 % (twins)", FIGURE_2),
        _against("random"),
    ),
    Claim(
        "twins-beat-means",
        "Twins are more accurate than guessing what people answer on average.",
        None,
        _against("item mean"),
    ),
    Claim("twins-are-somebody", "Twins meet their own people better than others.", None, _somebody),
    Claim(
        "averages-fit-better",
        "Twins fit averages better than individual deviations.",
        Reported("in words", FIGURE_2),
        _averages,
    ),
    Claim("contrasts-same-sign", "Clear differences within people have the same sign among twins.", None, _signs),
    Claim(
        "below-retest",
        "Twins are clearly below people's own retest.",
        Reported("71.7 % against 81.7 %: 87.7 % of it", FIGURE_2, 0.8767),
        _retest,
    ),
)
