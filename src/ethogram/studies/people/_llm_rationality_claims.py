"""What `llm-rationality` tests: its claims, from the findings alone."""

from __future__ import annotations

from typing import Any

from ethogram.decisions.inverse import CONDITIONS
from ethogram.measures import Estimate
from ethogram.studies import Claim, Findings, Reported, Verdict, fails, holds, not_tested, positive
from ethogram.studies.people import _llm_rationality_findings as told
from ethogram.studies.people import _llm_rationality_forward as forward
from ethogram.studies.people import _llm_rationality_inverse as inverse
from ethogram.studies.people._llm_rationality_model import EMBEDDED, SURROGATE

__all__ = ["DIRECT", "claims"]

DIRECT = ("predict", False)
"""The chief way of asking a model: what one person chooses, directly."""
NEGLIGIBLE = 0.3
"""A correlation of which the whole interval is nearer to zero is as good as none: it explains less than a tenth."""


def _whole(findings: Findings) -> Verdict:
    said, near = [], []
    for name, (value, key) in forward.WHOLE.items():
        found = findings.get(key, name)
        said.append(f"{name}: {found.value:.3f} [{found.low:.3f}, {found.high:.3f}] for {value:g}")
        near.append(abs(found.value - value) <= 0.005 or found.low <= value <= found.high)
    text = "; ".join(said)
    return holds(text) if all(near) else fails(text)


def _prospect(findings: Findings) -> Verdict:
    gap, more = findings.get("gap", "PT"), findings.get("pt_minus_ev", "as often as people")
    said = f"its gap is {gap}, and it correlates with people higher than the maximiser by {more}"
    return holds(said) if max(abs(gap.low), abs(gap.high)) <= 0.1 and more.above else fails(said)


def _orders(findings: Findings) -> Verdict:
    bias = findings.get("first_named", told.arm(SURROGATE, *DIRECT))
    left = findings.get("order_error", told.who(SURROGATE))
    said = (
        f"what is named first gets {bias} of the surrogate's choices; averaged over orders, {left.value:.2g} nats are left"
    )
    return holds(said) if bias.low > 0.5 and left.value < 1e-6 else fails(said)


def _of_model(findings: Findings, name: str, suffix: str) -> tuple[str, Estimate] | None:
    """A finding of the language model that played, with its arm."""
    for m in findings.measured:
        if m.name == name and m.arm.startswith("model: ") and m.arm.endswith(suffix):
            return m.arm, m.estimate
    return None


def _too_rational(findings: Findings) -> Verdict:
    found = _of_model(findings, "gap", ", predict, step by step")
    if found is None:
        return not_tested("no language model thought step by step")
    said = f"{found[0]}: G is {found[1]}"
    if found[1].above:
        return holds(said)
    return fails(said) if found[1].below else not_tested(f"{said}: too few problems to tell")


def _direct(findings: Findings) -> Verdict:
    human, gap = (_of_model(findings, name, ", predict, directly") for name in ("rho_people", "gap"))
    if human is None or gap is None:
        return not_tested("no language model predicted")
    said = f"{human[0]}: correlation with people {human[1]}, G {gap[1]}"
    if not human[1].above:
        return not_tested(f"{said}: what is not related to people's choices is neither rational nor like people")
    return holds(said) if gap[1].low <= 0 else fails(said)


def _raw(findings: Findings) -> Verdict:
    found = _of_model(findings, "rho_people", ", predict, directly; likelihoods")
    if found is None or not found[0].startswith(f"model: {EMBEDDED},"):
        return not_tested("the embedded model was not asked")
    said = f"the correlation of its likelihoods with people is {found[1]}"
    if not found[1].low <= 0 <= found[1].high:
        return fails(said)
    return (
        holds(said) if max(abs(found[1].low), abs(found[1].high)) <= NEGLIGIBLE else not_tested(f"{said}: too few problems")
    )


def _tuned(rival: str) -> Any:
    def test(findings: Findings) -> Verdict:
        value = findings.get("rho_people", "tuned").value
        return positive(findings.get("tuned_gain", rival), f"tuned ({value:.2f}) minus {rival}, in correlation with people,")

    return test


def _inverse(findings: Findings) -> Verdict:
    said, good = [], []
    for condition in CONDITIONS:
        found = {name: findings.get("inverse_rho", f"{condition}, {name}") for name in inverse.VARIANTS}
        said += [f"{condition}, {name} {one}" for name, one in found.items()]
        good.append(any(one.low >= 0.8 for one in found.values()))
    text = "; ".join(said)
    return holds(text) if all(good) else fails(f"{text}: not in both conditions all of an interval at or above 0.8")


def _beats(rival: str) -> Any:
    def test(findings: Findings) -> Verdict:
        said, good = [], []
        for condition in CONDITIONS:
            found = {n: findings.get("inverse_gain", f"{condition}, {n} - {rival}") for n in inverse.VARIANTS}
            said += [f"{condition}, {name} {one}" for name, one in found.items()]
            good.append(any(one.above for one in found.values()))
        text = f"minus the {rival}: {'; '.join(said)}"
        return holds(text) if all(good) else fails(f"{text}: not in both conditions above zero")

    return test


def _pairs(findings: Findings) -> Verdict:
    found = {c: findings.get("pairs_law", f"{told.who(SURROGATE)}, {c}") for c in CONDITIONS}
    bias = findings.get("pairs_first", f"{told.who(SURROGATE)}, positive")
    said = (
        f"the surrogate's ranking by pairs correlates with its law {', '.join(f'{e.value:.3f}' for e in found.values())}; "
    )
    said += f"what is named first is preferred {bias}"
    return holds(said) if min(e.value for e in found.values()) >= 0.99 else fails(said)


def _infers(findings: Findings) -> Verdict:
    found = _of_model(findings, "pairs_people", ", positive")
    if found is None:
        return not_tested("no language model compared choices that people ranked")
    said = f"{found[0]}: the correlation of its ranking with people's is {found[1]}"
    if found[1].low >= 0.5:
        return holds(said)
    return fails(said) if found[1].high < 0.8 else not_tested(f"{said}: too few choices to tell")


claims = (
    Claim(
        "people-and-expected-value",
        "People's correlation with expected value is as in the whole file, in three parts of it, and so is the majority's.",
        Reported(".582, .638, .554 and 77.7 %; the paper has .48 on a subset of its own", "own measurement; notes"),
        _whole,
    ),
    Claim(
        "ev-too-rational",
        "A maximiser of expected value is more rational than people.",
        None,
        lambda f: positive(f.get("gap", forward.MAXIMISER), "its gap G"),
    ),
    Claim(
        "pt-like-people",
        "Prospect theory, fitted to other problems, has a gap within 0.1 of people's and predicts them better.",
        None,
        _prospect,
    ),
    Claim("orders-cancel", "A planted order bias is found, and cancels in the mean over both orders.", None, _orders),
    Claim(
        "thinking-found",
        "That the surrogate goes by expected values where it thinks step by step is found.",
        None,
        lambda f: positive(f.get("thinking", told.who(SURROGATE)), "step by step minus directly"),
    ),
    Claim(
        "models-too-rational",
        "Asked step by step what a person chooses, a language model assumes more rationality than people have.",
        told.THOUGHT,
        _too_rational,
    ),
    Claim(
        "direct-not-closer",
        "Asked directly, a language model is not closer to expected value than people are.",
        Reported("direct prompts are not closer to expected value than to people", "a review"),
        _direct,
    ),
    Claim(
        "raw-model-knows-nothing",
        "The embedded model's direct predictions are all but unrelated to people's choices: within 0.3 of none.",
        Reported("0.03 on 43 problems", "own measurement for the catalogue", 0.03),
        _raw,
    ),
    Claim(
        "tuning-helps", "Tuned on other problems, the model predicts people better than before.", None, _tuned("untrained")
    ),
    Claim("tuned-beats-pt", "Tuned on other problems, it predicts people better than prospect theory.", None, _tuned("PT")),
    Claim(
        "inference-like-people",
        "Inference about a softmax chooser ranks choices as people do (0.8 or more, in one variant, in each condition).",
        None,
        _inverse,
    ),
    Claim(
        "inference-beats-counts",
        "It does so better than a count of features without parameters.",
        None,
        _beats(inverse.RULE),
    ),
    Claim(
        "inference-beats-fitted-counts",
        "It does so better than counted features with weights that are fitted to people's ranks of the other choices.",
        None,
        _beats(inverse.FITTED),
    ),
    Claim("pairs-recover", "Comparing pairs in both orders recovers the surrogate's ranking.", None, _pairs),
    Claim(
        "models-infer-like-people",
        "A language model's ranking of choices goes with people's: 0.5 or more.",
        inverse.PUBLISHED,
        _infers,
    ),
)
