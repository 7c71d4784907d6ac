"""The claims of `repeated-games`, decided from its findings."""

from __future__ import annotations

from ethogram.studies import Claim, Findings, Reported, Verdict, fails, holds, not_tested, positive
from ethogram.studies.society import _repeated_games_records as records
from ethogram.studies.society._repeated_games_model import LIKES

__all__ = ["claims", "measured"]


NEAR = 1.0
"""Points a round within which clones are said to earn what people do: a tenth of the best cell."""


def measured(findings: Findings, name: str, arm: str) -> bool:
    """Whether there is such a finding."""
    return any(m.name == name and m.arm == arm for m in findings.measured)


def _exact(findings: Findings) -> Verdict:
    found = findings.get("replayed_exactly")
    said = f"{found.value:.4%} of {found.n} rounds have the recorded points and totals of both players"
    return holds(said) if found.value == 1 else fails(said)


def _published(findings: Findings, name: str, published: dict[str, Reported], digits: int, least: int) -> Verdict:
    """Every figure lies in our interval, up to half a unit of its last digit; from `least` games on."""
    there = {m.arm: m.estimate for m in findings.measured if m.name == name and m.arm in published}
    if len(there) < len(published):
        return not_tested(f"only {len(there)} of {len(published)} are among the matches that were played")
    if min(found.n for found in there.values()) < least:
        return not_tested(f"fewer than {least} games were played of some: too few to speak of all")
    half = 0.5 * 10**-digits + 1e-9
    value = {arm: published[arm].value or 0.0 for arm in there}
    out = [arm for arm, found in there.items() if not found.low - half <= value[arm] <= found.high + half]
    said = "; ".join(f"{arm} {found} (published {published[arm].text})" for arm, found in there.items())
    return fails(f"outside: {', '.join(out)}. {said}") if out else holds(said)


def _defected(findings: Findings) -> Verdict:
    first, later = findings.get("unforgiving", "round 1"), findings.get("unforgiving", "later rounds")
    said = f"defections in the first round {first.value:.0%}, in the {later.n} later ones {later.value:.0%}"
    return holds(said) if first.value == 0 and later.value == 1 else fails(said)


def _share(findings: Findings, name: str, arm: str, least: float, what: str) -> Verdict:
    found = findings.get(name, arm)
    said = f"{what}: {found.value:.1%} (n = {found.n})"
    return holds(f"{said}, at least {least:.0%}") if found.value >= least else fails(f"{said}, less than {least:.0%}")


def _cause(findings: Findings) -> Verdict:
    said, right = [], []
    for game in records.PAYOFFS:
        alike, differ = findings.get("lookup_alike", game), findings.get("lookup_differ", game)
        expected, found = findings.get("lookup_expected", game), findings.get("lookup_agreement", game)
        said.append(f"{game}: alike {alike.value:.1%}, differing {differ}, expected {expected.value:.1%}, found {found}")
        right += [alike.value >= 0.995, differ.low <= 0.5 <= differ.high, found.low <= expected.value <= found.high]
    return holds("; ".join(said)) if all(right) else fails("; ".join(said))


def _people(findings: Findings) -> Verdict:
    bos, d, pd = (
        findings.get("points_difference", "BoS"),
        findings.get("human_d", "BoS"),
        findings.get("points_difference", "PD"),
    )
    said = f"BoS {bos}, t {findings.get('points_t', 'BoS').value:.2f}, d {d}; PD {pd}"
    return holds(said) if bos.above and d.low <= 0.5 <= d.high and not pd.above and not pd.below else fails(said)


def _judged(findings: Findings) -> Verdict:
    found = {game: findings.get("human_difference", game) for game in records.PAYOFFS}
    said = "; ".join(f"{game}: {value}" for game, value in found.items())
    return holds(said) if all(value.above for value in found.values()) else fails(f"not all above zero: {said}")


def _clone(findings: Findings) -> Verdict:
    parts = {game: findings.get("clone_gain", f"{game}, rate of the round") for game in records.PAYOFFS}
    points = {game: findings.get("clone_points", game) for game in records.PAYOFFS}
    said = "; ".join(f"{g}: {parts[g]} nats a move over the rate of the round, points {points[g]}" for g in parts)
    good = all(v.above for v in parts.values()) and all(v.low > -NEAR and v.high < NEAR for v in points.values())
    return holds(said) if good else fails(said)


def _printed(findings: Findings) -> Verdict:
    results = [m for m in findings.measured if m.name in ("model_first", "match_score")]
    if not results:
        return not_tested("no model and no surrogate played")
    missing = [
        m.arm
        for m in results
        for bias in ("order", "label")
        if not measured(findings, f"{m.name.partition('_')[0]}_{bias}_bias", m.arm)
    ]
    said = f"{len(results)} results of models and the surrogate"
    return fails(f"{said}; without biases: {missing[0]}") if missing else holds(f"{said}, each with both biases")


def _surrogate(findings: Findings) -> Verdict:
    lower, scot = findings.get("model_reciprocity", "surrogate"), findings.get("model_scot", "surrogate")
    bias = [m.estimate for m in findings.measured if m.arm.startswith("surrogate") and m.name.startswith("model_")]
    biases = [m.estimate.value for m in findings.measured if m.arm.startswith("surrogate") and m.name.endswith("order_bias")]
    said = f"reciprocity {lower}, predicting {scot}, first named {min(biases):.2f} at least, of {len(bias)} estimates"
    exact = max(abs(found.value - 2 * LIKES) for found in (lower, scot)) < 1e-6
    return holds(said) if exact and min(biases) > 0.5 else fails(said)


def _model(findings: Findings, name: str, what: str) -> Verdict:
    found = [m for m in findings.measured if m.name == name and m.arm.startswith("model:") and "predicting" not in m.arm]
    if not found:
        return not_tested("no language model played in this run")
    return positive(found[0].estimate, f"{what} ({found[0].arm})")


claims = (
    Claim("points-replay", "The engine recomputes every released point and total from the recorded moves.", None, _exact),
    Claim(
        "scores-by-family",
        "Normalised scores of the models by family are those of the release.",
        Reported("0.87, 0.73, 0.73, 0.71, 0.70, 0.65, 0.63", records.SOURCE),
        lambda f: _published(f, "score_family", records.FAMILY, 2, 3),
    ),
    Claim(
        "scores-by-model",
        "Normalised scores by model are those of the release.",
        Reported("Claude 2 0.775, GPT-4 0.772, Claude 1 0.754, GPT-3.5 0.742, Llama 2 0.684", records.SOURCE),
        lambda f: _published(f, "score_model", records.MODEL, 3, 30),
    ),
    Claim(
        "unforgiving",
        "Against one who defects once, GPT-4 cooperates in the first round and defects in all others.",
        Reported("defects in rounds 2 to 10", "Results, prisoner's dilemma"),
        _defected,
    ),
    Claim(
        "grim",
        "The classifier names GPT-4 a grim trigger in the prisoner's dilemma.",
        None,
        lambda f: _share(f, "grim", "PD", 0.95, "named a grim trigger in resamples of its different matches"),
    ),
    Claim(
        "coded-players-named",
        "The classifier names the true type of the release's coded players in held-out matches (over 95 %).",
        None,
        lambda f: _share(f, "coded_named", "", 0.95, "named truly"),
    ),
    Claim(
        "planted-players-named",
        "It names the true type of held-out planted players whose hands tremble, from eight matches each (over 95 %).",
        None,
        lambda f: _share(f, "planted_named", "players", 0.95, "named truly, mean over seeds"),
    ),
    Claim(
        "people-replay",
        "People's scores in the dilemma are those of the look-up table of the labelled opponent in 93 % of rounds.",
        Reported("93.5 to 93.8 %", "own, all 195 people"),
        lambda f: _share(f, "lookup_agreement", "PD", 0.93, "recorded scores that are the table's"),
    ),
    Claim(
        "a-table-each-round",
        "Where both tables answer alike, recorded scores are theirs; where they differ, before the last round, the label is "
        "no better than a coin; and both together give the agreement that is found.",
        None,
        _cause,
    ),
    Claim(
        "prompted-scores-higher",
        "People earn more under the label of predicting first in the battle of the sexes, not in the dilemma.",
        Reported("BoS 5.08 against 4.34 (t 3.48, d 0.50); PD 6.21 against 6.11", "own, all 195 people"),
        _people,
    ),
    Claim(
        "prompted-without-the-last-round",
        "They still do where the last round is left out, the only one of which the label may speak.",
        None,
        lambda f: positive(f.get("points_early_difference", "BoS"), "points a round in BoS, prompted minus base,"),
    ),
    Claim(
        "prompted-coordinates",
        "Under the label of predicting first there is more coordination in the battle of the sexes.",
        Reported("0.62 against 0.54", "own, all 195 people"),
        lambda f: positive(
            f.get("coordination_difference", "BoS"), "rounds in which both did the same, prompted minus base,"
        ),
    ),
    Claim(
        "prompted-judged-human",
        "What is labelled as predicting first is more often taken for human, in both games.",
        Reported("PD 64 against 49 %, BoS 47 against 36 %", "own, all 195 people"),
        _judged,
    ),
    Claim(
        "clone-plays-as-people",
        "A small network fitted to some people says what others do better than the round's rate, and earns what they "
        "do within one point a round.",
        None,
        _clone,
    ),
    Claim(
        "biases-beside-results", "Every result of a language model has its order and label bias beside it.", None, _printed
    ),
    Claim(
        "planted-law-found",
        "The surrogate's law is found exactly, with its biases, through the prompts that a model gets.",
        None,
        _surrogate,
    ),
    Claim(
        "model-reciprocates",
        "The model is less inclined to cooperate after one defection than after two rounds of cooperation.",
        Reported("GPT-4 defects for good", "Results, prisoner's dilemma"),
        lambda f: _model(f, "model_reciprocity", "log-odds of cooperation, before minus after"),
    ),
    Claim(
        "predicting-helps-to-alternate",
        "Asked to predict first, the model follows an alternator more.",
        Reported("GPT-4 then alternates from round 5 on", "Results, social chain of thought"),
        lambda f: _model(f, "model_scot", "log-odds of following, predicting minus not"),
    ),
)
