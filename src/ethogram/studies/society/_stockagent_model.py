"""`stockagent` as a language model plays it: one small market, and a probe of what moves its choices."""

from __future__ import annotations

from collections import Counter
from typing import Any, Literal

import numpy as np

from ethogram.aio import run_coroutine
from ethogram.language import model as open_model
from ethogram.market import TEMPERAMENTS, Account, Floor, Market, Message, Phase, Report, Stock, Temperament, Terms
from ethogram.measures import Estimate, mean, proportion
from ethogram.policies.prompted.trader import QUESTIONS, PromptedTraders, loan_options
from ethogram.seeds import generator
from ethogram.studies import Findings, Lab
from ethogram.studies.society._stockagent_audit import notes_of
from ethogram.studies.society._stockagent_parts import consistency
from ethogram.studies.society._stockagent_scene import market

__all__ = ["play", "probe"]

LOW, HIGH = 100, 900
"""Basis points of the cheapest loan, in the two arms of the probe."""
ORDERS = ("buy A", "sell A", "do nothing")
Moved = Literal["rates", "report", "board"]


def play(findings: Findings, lab: Lab, traders: int, days: int, sessions: int, mind: str) -> None:
    """One market of the model's traders: what they do, what is refused, and whether they do what they say."""
    cache = str((lab.dir / "answers.sqlite").resolve())
    scene = market(player=lab.model, traders=traders, days=days, sessions=sessions, mind=mind, cache=cache)
    run = lab.simulate("model", scene, seed=lab.seed)
    if run.manifest.status != "complete":
        findings.note(f"The model's run was cut short and is left out: {run.manifest.reason}.")
        return
    arm, notes = f"model: {lab.model}", notes_of(run)
    asked: Counter[str] = Counter()
    done: Counter[tuple[str, str]] = Counter()
    for one in run.trajectories():
        for seen, action in zip(one.observations, one.actions, strict=False):
            phase = seen.market.phase
            asked[phase] += 1
            done[phase, type(action).__name__] += 1
    for phase, verb, words in (
        ("session", "Buy", "Turns in which an order to buy is given"),
        ("session", "Sell", "Turns in which an order to sell is given"),
        ("morning", "Borrow", "Mornings on which a loan is asked for"),
        ("board", "Post", "Evenings on which something is posted"),
    ):
        share = proportion(done[phase, verb], asked[phase])
        findings.estimate(f"model_{verb.lower()}", share, words, arm=arm, unit="%")
    kinds = Counter(kind for _, kind, _ in notes)
    findings.estimate("model_refused", Estimate.exact(kinds["refused"], sum(asked.values())), "Actions refused", arm=arm)
    faults = run.sql("select count(*) n from steps where fault is not null")["n"].item()
    findings.estimate("model_faults", Estimate.exact(faults, sum(asked.values())), "Answers that could not be had", arm=arm)
    agreed = consistency(notes, dict.fromkeys(scene.world.possible_agents, "model"), ["A", "B"]).get("model", float("nan"))
    if np.isfinite(agreed):
        words = "What was forecast and what was done next day (Cohen's kappa), one run"
        findings.estimate("model_consistency", Estimate.exact(agreed, 5 * traders * (days - 1)), words, arm=arm)
    for agent, _, note in [one for one in notes if one[1] == "trade"][:6]:
        text = f"bought {note['amount']} {note['stock']} from {note['seller']} at {note['price'] / 100:.2f}."
        findings.moment("", agent, text)
    findings.note(
        f"{lab.model} played {traders} traders for {days} days of {sessions} session(s), once, asked as a {mind} mind. Its "
        "shares of buying and selling are of one run, whose turns are not independent. No claim about language models is "
        "decided by it."
    )


def probe(findings: Findings, lab: Lab) -> None:
    """What moves the model: the bank's rates, a company's report, and what the board says, for each temperament."""
    language = open_model(lab.model, cache=str((lab.dir / "answers.sqlite").resolve()))
    traders = PromptedTraders(language)

    async def odds(moved: Moved, up: bool, temperament: Temperament) -> float:
        """Log-odds of taking a loan, or of buying rather than selling A."""
        seen = _floor(moved, up, temperament)
        traders.reset(0, ["trader 1"])
        traders.listen(seen)
        options = loan_options(seen.market) if moved == "rates" else list(ORDERS)
        messages = traders.messages("trader 1", seen, QUESTIONS[seen.market.phase])
        rng = generator(lab.seed, "probe")
        found = await language.choose(messages, options, rng=rng, agent="trader 1", purpose="probe")
        if moved == "rates":
            return float(np.logaddexp.reduce(found.scores[1:]) - found.scores[0])
        return float(found.scores[0] - found.scores[1])

    async def ask() -> dict[str, list[float]]:
        changes: dict[str, list[float]] = {}
        for moved in ("rates", "report", "board"):
            changes[moved] = [await odds(moved, True, kind) - await odds(moved, False, kind) for kind in TEMPERAMENTS]
        await language.aclose()
        return changes

    words = {
        "rates": f"Log-odds of a loan, at {LOW / 100:.0f} % rather than {HIGH / 100:.0f} %",
        "report": "Log-odds of buying rather than selling, earnings up rather than down by 15 %",
        "board": "Log-odds of buying rather than selling, when the board says buy rather than sell",
    }
    for moved, changes in run_coroutine(ask()).items():
        findings.estimate(f"probe_{moved}", mean(changes), words[moved], arm=f"model: {lab.model}", unit="nats")


def _floor(moved: Moved, up: bool, temperament: Temperament) -> Floor:
    """A situation that differs in one thing alone."""
    rate = (LOW if up else HIGH) if moved == "rates" else 270
    change = (1500 if up else -1500) if moved == "report" else 0
    said = f"{'Buy' if up else 'Sell'} A now!"
    phase: Phase = "morning" if moved == "rates" else "session"
    shown: dict[str, Any] = {
        "loans": tuple(Terms(days=days, rate=rate + more) for days, more in ((22, 0), (44, 30), (66, 60))),
        "reports": (Report(stock="A", day=12, earnings=round(150 * (1 + change / 10_000)), growth=change),),
        "board": tuple(Message(author=f"trader {i}", text=said) for i in (2, 3)) if moved == "board" else (),
    }
    stock = Stock(name="A", price=3000, closes=(2990, 3010), bids=((2980, 200),), asks=((3020, 200),))
    now = Market(day=12, days=264, phase=phase, session=int(phase == "session"), stocks=(stock,), **shown)
    means: dict[str, Any] = {"shares": {"A": 1000}, "unbound": {"A": 1000}}
    own = Account(temperament=temperament, cash=10_000_000, free=10_000_000, room=5_000_000, **means)
    return Floor(market=now, account=own)
