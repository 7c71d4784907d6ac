"""The study of the stock market: audit and measures by hand, planted effects and nulls, all of it at the smallest scale."""

import copy

import numpy as np
import pytest

from ethogram.language import scripted
from ethogram.market import Account, Borrow, Buy, Cancel, Open, Sell, Wait
from ethogram.studies import Findings, Lab, load
from ethogram.studies.claims import judge
from ethogram.studies.society import _stockagent_audit as audit
from ethogram.studies.society import _stockagent_findings as found
from ethogram.studies.society import _stockagent_parts as parts
from ethogram.studies.society._stockagent_model import play, probe
from ethogram.worlds.coded.stock_market.ledger import Ledger

CLAIMS = {claim.name: claim for claim in load("stockagent").claims}


def verdict(name, findings):
    return judge((CLAIMS[name],), findings)[name].outcome


# --- the audit ---


def test_the_rules_written_once_more_by_hand():
    own = Open(number=3, stock="A", side="sell", price=3000, amount=5)
    account = Account(temperament="growth", cash=900, free=600, shares={"A": 9}, unbound={"A": 4}, room=50, orders=(own,))
    for action, wrong in (
        (Buy(stock="A", price=200, amount=3), False),
        (Buy(stock="A", price=201, amount=3), True),
        (Buy(stock="A", price=3000, amount=1), True),
        (Sell(stock="A", price=2000, amount=4), False),
        (Sell(stock="A", price=2000, amount=5), True),
        (Borrow(days=22, amount=50), False),
        (Borrow(days=22, amount=51), True),
        (Cancel(order=3), False),
        (Cancel(order=4), True),
        (Wait(), False),
    ):
        assert audit.ought_to_be_refused(account, action) is wrong, action


def test_an_account_is_booked_from_the_record_by_hand():
    opening = {name: {"cash": 1000, "shares": {"A": 10}} for name in ("ann", "bob")} | {"": {"cash": 0, "shares": {"A": 0}}}
    notes = [
        ("ann", "trade", {"buyer": "ann", "seller": "bob", "stock": "A", "amount": 3, "price": 100}),
        ("ann", "order", {"side": "buy"}),
        ("ann", "loan", {"amount": 50}),
        ("ann", "interest", {"paid": 7}),
        ("bob", "forced sale", {"sold": {"A": 2}, "prices": {"A": 90}}),
        ("bob", "bankrupt", {"lost": 1}),
    ]
    assert audit.balances(opening, notes) == {
        "ann": {"": 743, "A": 13},
        "bob": {"": 0, "A": 0},
        "": {"": -50 + 7 - 180 + 1480, "A": 7},
    }


def test_reckless_traders_are_audited_and_a_leak_is_found(monkeypatch):
    item = {"traders": 6, "days": 25, "sessions": 2, "seed": 1, "reckless": True}
    sound = audit.audited(item, None)
    assert sound["refused"] == sound["with reason"] > 50 and sound["trades"] > 5 and sound["steps"] > 300
    clean = ("wrong", "cash off", "shares off", "below zero", "accounts off")
    assert all(sound[name] == 0 for name in clean)
    trade = Ledger.trade

    def leaking(self, buyer, seller, stock, price, amount):
        trade(self, buyer, seller, stock, price, amount)
        self.accounts[seller].cash -= 1

    monkeypatch.setattr(Ledger, "trade", leaking)
    leaky = audit.audited(item, None)
    assert leaky["cash off"] > 0 and leaky["accounts off"] > 0
    findings = Findings()
    found.audits(findings, [leaky], [sound])
    findings.estimate("runs_conserved", found.Estimate.exact(1, 1), "x")
    assert verdict("conserved", findings) == "does not hold"


# --- measures ---


def test_what_was_said_and_done_by_hand():
    kinds = dict.fromkeys(("ann", "bob"), "k")
    close = ("", "close", {"day": 1})
    notes = [
        ("ann", "forecast", {"buy": ["A"], "sell": [], "borrow": True}),
        close,
        ("ann", "loan", {}),
        ("ann", "order", {"side": "buy", "stock": "A"}),
        ("bob", "order", {"side": "sell", "stock": "B"}),  # said nothing the evening before
        ("ann", "forecast", {"buy": [], "sell": ["A"], "borrow": False}),
        close,
        ("ann", "order", {"side": "buy", "stock": "A"}),
        close,
        ("ann", "order", {"side": "sell", "stock": "A"}),
    ]
    # ten answers: two yes kept, one yes not kept, one no broken, six no kept
    expected = (0.8 - (0.3 * 0.3 + 0.7 * 0.7)) / (1 - (0.3 * 0.3 + 0.7 * 0.7))
    assert parts.consistency(notes, kinds, ["A", "B"]) == {"k": pytest.approx(expected)}


def a_run(seed=3, **changes):
    plain = {"traders": 10, "days": 20, "sessions": 1, "crew": "all kinds", "borrowing": "sensitive", "without": []}
    return parts.traded({**plain, "seed": seed, **changes}, None)


def test_a_run_conserves_and_says_what_it_needs_to():
    run = a_run(tape=True)
    assert run["conserved"] and len(run["prices"]["A"]) == 21 and len(run["values"]["A"]) == 20
    assert run["values"]["A"][0] == 3000 and run["values"]["A"][11] != 3000  # the report of day 12
    assert sum(run["orders"]["buy"]) + sum(run["orders"]["sell"]) == len(run["tape"])
    worths = np.array(run["worths"])
    assert worths.shape == (10, 21) and worths[:, 0].tolist() == run["opening"] and worths[:, -1].tolist() == run["closing"]
    assert a_run(without=["board"])["opening"] == run["opening"]  # arms share their luck


def test_net_worth_is_relative_to_all_traders():
    run = {"temperaments": ["growth", "balanced"], "opening": [100, 100], "closing": [150, 90]}
    assert found._changes(run, "temperaments") == {"balanced": pytest.approx(-0.3), "growth": pytest.approx(0.3)}


def flat_run(rng, lent=0.0, scale=0.01):
    prices = {stock: (3000 * np.exp(np.cumsum(rng.normal(0, scale, 201)))).tolist() for stock in ("A", "B")}
    return {
        "prices": prices,
        "values": {stock: [3000] * 200 for stock in prices},
        "volumes": {stock: rng.integers(50, 150, 200).tolist() for stock in prices},
        "lent": (rng.integers(0, 10**8, 200) + lent * (np.arange(200) >= 77)).tolist(),
        "kinds": ["zero"] * 4,
        "orders": {"buy": [2] * 200, "sell": [2] * 200},
        "closing": [1, 2, 3, 4],
    }


def test_a_planted_change_of_borrowing_is_found_and_a_null_is_not():
    rng = np.random.default_rng(0)
    without = [flat_run(rng) for _ in range(8)]
    runs = {(law, False): without for law in ("sensitive", "blind")}
    for law, extra in (("sensitive", 3e7), ("blind", 0.0)):
        runs[law, True] = [copy.deepcopy(run) for run in without]
        for run in runs[law, True]:
            noise = rng.normal(0, 1e7, 200)
            run["lent"] = [
                value + change + extra * (day >= 77)
                for day, (value, change) in enumerate(zip(run["lent"], noise, strict=True))
            ]
    findings = Findings()
    found.rates(findings, runs, (78, 144))
    change = findings.get("borrowed_change", "sensitive")
    assert change.low < 0.3 * 123 < change.high and findings.get("borrowed_after_cut", "sensitive").above
    assert verdict("rates-move-borrowers", findings) == "holds"
    swapped = Findings()
    found.rates(
        swapped, {(law, t): runs[{"sensitive": "blind", "blind": "sensitive"}[law], t] for law, t in runs}, (78, 144)
    )
    assert verdict("rates-move-borrowers", swapped) == "does not hold"


def test_a_channel_acts_where_price_and_volume_move_and_nowhere_else():
    rng = np.random.default_rng(1)
    full = [flat_run(rng) for _ in range(8)]
    arms = {"full": full} | {channel: [flat_run(rng) for _ in range(8)] for channel in found.CHANNELS}
    for run in arms["board"]:
        run["volumes"] = {stock: [v // 2 for v in volumes] for stock, volumes in run["volumes"].items()}
    arms["reports"] = [flat_run(rng, scale=0.003) for _ in range(8)]
    for run in arms["reports"]:
        run["volumes"] = {stock: [v // 2 for v in volumes] for stock, volumes in run["volumes"].items()}
    findings = Findings()
    found.channels(findings, arms)
    assert verdict("reports-shift", findings) == "holds"
    assert verdict("board-shifts", findings) == verdict("loans-shift", findings) == "does not hold"


# --- the model, and all of it ---


def test_a_model_that_heeds_the_board_is_found_to(tmp_path, monkeypatch):
    def rate(request):
        text = request.messages[-1]["content"]
        likes = "buy A" if "Buy A now!" in text else "sell A"
        lines = [line[3:] for line in text.splitlines() if line[1:3] == ". "]
        return [1.0 * (line == likes) for line in lines]

    made = lambda spec, cache=None, **options: scripted(lambda request: "Buy A.", rate, name="x", cache=cache)  # noqa: E731
    monkeypatch.setattr("ethogram.language.model", made)
    monkeypatch.setattr("ethogram.studies.society._stockagent_model.open_model", made)
    findings, lab = Findings(), Lab(tmp_path, 1, "x", progress=False)
    probe(findings, lab)
    assert (
        findings.get("probe_board", "model: x").value == pytest.approx(2)
        and findings.get("probe_rates", "model: x").value == 0
    )
    assert findings.get("probe_report", "model: x").value == 0
    play(findings, lab, traders=3, days=2, sessions=1, mind="choice")
    assert findings.get("model_post", "model: x").value == 1 and findings.get("model_refused", "model: x").value == 0
    assert findings.get("model_consistency", "model: x").n == 5 * 3


@pytest.mark.slow
def test_the_smallest_study(tmp_path):
    study = load("stockagent")
    findings = study.run(study.presets["smoke"], Lab(tmp_path, 0, "coded", progress=False))
    verdicts = judge(study.claims, findings)
    for name in ("conserved", "refusals-logged", "zero-intelligence", "constraint-matters"):
        assert verdicts[name].outcome == "holds", verdicts[name].reason
    assert set(findings.figures) == {"prices", "tape", "wealth", "borrowing", "channels", "facts", "auctions"}
    assert findings.summary and "No language model" in findings.notes[0]
    assert findings.get("borrowed_change", "blind").value == 0
