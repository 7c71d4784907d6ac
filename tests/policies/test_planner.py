"""The planner's loop: plans, bids, statuses and their audit, with scripts, a law, and a real server process."""

import copy
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from language_tools import Server

from ethogram.aio import run_coroutine
from ethogram.bidding import Bid, Withdraw
from ethogram.errors import CallFailed, ConfigError, VerbError
from ethogram.language import model, scripted
from ethogram.policies.coded.bidders import RuleBidder
from ethogram.policies.prompted.beliefs import Slip, audit, explain, leaves
from ethogram.policies.prompted.bidder_minds import ChoosingMind, WrittenMind, learn
from ethogram.policies.prompted.planner import TRIES, Planner, account, after, facts_of
from ethogram.policies.prompted.surrogate_bidder import SlipLaw, SurrogateBidder
from ethogram.simulation import simulate
from ethogram.spaces import Verbs
from ethogram.worlds.coded.auction import ITEMS, Auction

SPACE = Verbs(Bid, Withdraw)

facts = st.recursive(
    st.integers(-9, 9) | st.sampled_from(["x", "y"]),
    lambda inner: st.dictionaries(st.sampled_from("abcd"), inner, max_size=4),
    max_leaves=12,
).map(lambda value: {"root": value})


@given(facts, facts)
@settings(max_examples=80, deadline=None)
def test_an_audit_finds_what_differs_and_nothing_else(believed, truth):
    slips = audit(believed, truth)
    mine, true = leaves(believed), leaves(truth)
    assert {slip.where for slip in slips} == {at for at in mine | true if mine.get(at, "none") != true.get(at, "none")}
    assert audit(truth, copy.deepcopy(truth)) == []


def test_slips_in_words():
    slips = audit({"budget": 400, "won": {"Ana": {"urn": 5}}}, {"budget": 300, "won": {"Ana": {"vase": 100}}})
    assert slips == [
        Slip(("budget",), 400, 300), Slip(("won", "Ana", "vase"), None, 100), Slip(("won", "Ana", "urn"), 5, None),
    ]  # fmt: skip
    assert explain(slips[:2]) == "budget: you have 400, but it is 300; won, Ana, vase: you have nothing, but it is 100"


def play(mind, seed=0, items=ITEMS[:4], world=None, **options):
    """The world, the planner and the run of an auction of one planner and two rule bidders."""
    world = world or Auction(items, ["me", "r1", "r2"], budget=20_000)
    planner = Planner(mind, **options)
    policies = {"me": planner, "r1": RuleBidder(), "r2": RuleBidder()}
    return world, planner, simulate(world, policies, seed=seed, progress=False)


def wrong(score):
    """Wrong points of a status, of whomever; of no side more than there are."""
    assert all(0 <= bad <= points for bad, points in score.values())
    return sum(bad for bad, _ in score.values())


@pytest.mark.parametrize(("strategy", "plans"), [("none", []), ("static", [0]), ("adaptive", [0, 1, 2, 3])])
def test_strategies_differ_in_when_they_plan(strategy, plans):
    _, planner, run = play(SurrogateBidder(), strategy=strategy)
    diary = planner.diaries["me"]
    assert [place for place, _ in diary["plans"]] == plans
    assert [audited["place"] for audited in diary["audits"]] == [1, 2, 3]
    kinds = run.notes.collect()["kind"].to_list()
    assert kinds.count("plan") == len(plans) and kinds.count("belief") == 3


def test_the_surrogates_slips_are_detected_and_repaired():
    """With slips planted at a known rate, nothing else is detected; corrected ones go, others stay and cost refusals."""
    refused, left = {}, {}
    for corrects in (True, False):
        refused[corrects] = left[corrects] = 0
        for seed in range(6):
            world = Auction(ITEMS, ["me", "r1", "r2"], budget=12_000)
            mind = SurrogateBidder(SlipLaw(slip=0.4))
            _, planner, _ = play(mind, seed, world=world, correct_belief=corrects)
            refused[corrects] += world.outcome()["refused of me"]
            audits = planner.diaries["me"]["audits"]
            left[corrects] += sum(wrong(a["left"]) for a in audits)
            assert all(a["tries"] == 1 for a in audits) or corrects
            assert max(a["tries"] for a in audits) <= TRIES + 1
    assert left[True] * 10 < left[False] and refused[True] < refused[False]
    _, planner, _ = play(SurrogateBidder(SlipLaw(slip=0.0)))
    assert not any(wrong(a["first"]) for a in planner.diaries["me"]["audits"])


def test_a_status_is_carried_on_as_the_truth_is():
    seen = []

    class Watching(SurrogateBidder):
        async def update(self, moment, draft):
            seen.append(moment)
            return await super().update(moment, draft)

    world, _, _ = play(Watching(SlipLaw(slip=0)))
    for moment in seen:
        assert after(moment.believed, moment.last, "me") == facts_of(moment.seen)
    last = seen[-1].seen
    assert facts_of(last)["profit"]["me"] == sum(s.value - s.price for s in last.sold if s.winner == "me")
    assert len(account(last)) == 3 and account(last)[0].startswith("item 1: ")
    assert world.outcome()["profit of r1"] >= facts_of(last)["profit"]["r1"]


def status_of(request):
    """The items and bidders of a prompt, as a status that is wrong in the budget only."""
    return json.dumps({"budget": -1, "bidders": [{"bidder": b, "profit": 0, "won": []} for b in ("me", "r1", "r2")]})


def answering(log, bid='{"verb": "withdraw"}'):
    """A writing model: the plan 3, 1, 1 …; the bid given; a status that is always the same."""

    def respond(request):
        text = request.messages[1]["content"]
        log.append("\n".join(message["content"] for message in request.messages))
        if "Write your status" in text:
            return status_of(request)
        if "a priority" in text:
            n = text.count("called out at")
            return json.dumps({"reason": "x", "priorities": [3] + [1] * (n - 1)})
        return bid

    return scripted(respond, name="answering")


def test_a_writing_model_plays():
    log = []
    _, planner, run = play(WrittenMind(answering(log), tips=["Wait <for> it.", "Save money."]), items=ITEMS[:3])
    diary = planner.diaries["me"]
    assert diary["plans"] == [[0, [3, 1, 1]], [1, [3, 1]], [2, [3]]] and not any(diary["failures"].values())
    assert [a["tries"] for a in diary["audits"]] == [TRIES + 1] * 2, "sent back four times, and then kept as it is"
    assert diary["believed"]["budget"] == -1
    assert '1. "Wait ‹for› it."' in log[0] and "highest profit" in log[0]
    assert any("Your plan gives it priority 3 (win it)" in text for text in log)
    assert any("mistakes:\n- budget: you have -1, but it is 20000" in text for text in log)
    assert any("you have -1 left" in text for text in log), "it goes by what it believes"
    assert {call.purpose for call in (c.position for _, c in run.all_calls())} == {"plan", "bid", "status"}
    log.clear()
    play(WrittenMind(answering(log), "items"), items=ITEMS[:3], correct_belief=False, strategy="static")
    assert "as many items as you can" in log[0] and sum("Write your status" in text for text in log) == 2
    assert sum("a priority" in text for text in log) == 1


def test_an_illegal_bid_comes_back_with_the_reason():
    log = []
    world, planner, _ = play(WrittenMind(answering(log, '{"verb": "bid", "amount": 10}')), items=ITEMS[:1], strategy="none")
    assert world.outcome()["refused of me"] == 3 and world.outcome()["items of me"] == 0
    reason = 'Your last bid was refused: "You bid 10, but the least that you may bid is 1000."'
    assert sum(reason in text for text in log) == 2
    assert planner.diaries["me"]["failures"]["bid"] == 0


@pytest.mark.parametrize(
    "reply",
    [
        "I'm out at $500",
        "I'm out at 5000!",
        '{"verb": "bid", "reason": "I’m out at $500", "amount": 5000}',
        "Bid $5000",
        "5000",
    ],
)
def test_what_is_no_bid_does_not_become_one(reply):
    if "{" not in reply:
        with pytest.raises(VerbError):
            SPACE.parse(reply)
    world, planner, run = play(WrittenMind(answering([], reply)), items=ITEMS[:2], strategy="none")
    assert world.outcome()["bids of me"] == world.outcome()["refused of me"] == 0
    assert planner.diaries["me"]["failures"]["bid"] == 2, "one an item: it has then withdrawn"
    assert all(call.error for _, call in run.all_calls() if call.position.purpose == "bid")


def test_a_choosing_model_plays():
    """Likes to win, to bid, and the first of the bidders; never corrects, or always."""

    def liking(corrects):
        liked = ("win it", "bid 1", "bid 5", "me", "yes" if corrects else "no")

        def rate(request):
            lines = dict(line.split(". ", 1) for line in request.messages[-1]["content"].splitlines() if line[1:3] == ". ")
            return [0.0 if lines[letter].startswith(liked) else -20.0 for letter in request.options]

        return ChoosingMind(scripted(rate=rate, name="liking"))

    _, planner, run = play(liking(False), items=ITEMS[:3])
    diary = planner.diaries["me"]
    assert diary["plans"] == [[0, [3, 3, 3]], [1, [3, 3]], [2, [3]]]
    lots = run.trajectories()[0].observations
    assert diary["believed"]["won"]["r1"] == {} and len(diary["believed"]["won"]["me"]) == 2, "it thinks that it won all"
    assert any(sale.winner != "me" for sale in lots[-1].sold) and max(a["tries"] for a in diary["audits"]) == TRIES + 1
    _, planner, _ = play(liking(True), items=ITEMS[:3])
    assert not any(wrong(a["left"]) for a in planner.diaries["me"]["audits"])


def test_tips_are_drawn_from_a_log():
    asked = []

    def respond(request):
        asked.append(request.messages[-1]["content"])
        return '{"tips": ["Start low.", "Keep money for the end."]}'

    _, _, run = play(SurrogateBidder())
    seen = run.trajectories()[0].observations[-1]
    assert run_coroutine(learn(scripted(respond), seen)) == ("Start low.", "Keep money for the end.")
    assert "item 4: " in asked[0] and '- "me" (you): ' in asked[0]
    with pytest.raises(CallFailed):
        run_coroutine(learn(scripted(lambda request: "No idea."), seen))


def test_against_a_real_server_a_whole_auction_is_played():
    """Replies are valid but mean nothing, and many attempts fail in all ways: nothing crashes."""
    kinds = "reset,429,500,html,truncated,breaking"
    server = Server("--seed", 1, "--fault-rate", 0.4, "--fault-kinds", kinds)
    try:
        mind = WrittenMind(model(server.spec, backoff=0.01, timeout=5.0, repairs=1))
        world, planner, run = play(mind, items=ITEMS[:3])
        assert run.manifest.status == "complete" and len(world.sales) == 3
        diary = planner.diaries["me"]
        assert all(a["tries"] >= 1 and wrong(a["first"]) for a in diary["audits"]), "random numbers are wrong"
        assert len({fault.split(":")[0] for _, call in run.all_calls() for fault in call.faults}) > 2
        choosing = ChoosingMind(model(server.spec, backoff=0.01, timeout=5.0))
        world, planner, run = play(choosing, items=ITEMS[:2])
        assert run.manifest.status == "complete" and not any(planner.diaries["me"]["failures"].values())
    finally:
        server.stop()


def test_a_resumed_planner_goes_on_as_it_was():
    def on(world, planner, seen, steps):
        done = []
        while world.agents and len(done) < steps:
            asked = {agent: seen[agent] for agent in world.acting}
            actions = run_coroutine(planner.act(asked, dict.fromkeys(asked, SPACE)))
            seen, *_ = world.step(actions)
            done.append(actions)
        return seen, done

    world, planner = Auction(ITEMS[:4]), Planner(SurrogateBidder(SlipLaw(slip=0.3)))
    seen, _ = world.reset(seed=2)
    planner.reset(7, world.agents)
    seen, _ = on(world, planner, seen, 8)
    kept = json.loads(json.dumps(planner.state_dict())), world.state_dict()
    _, rest = on(world, planner, seen, 999)
    again = Planner(SurrogateBidder(SlipLaw(slip=0.3)))
    again.reset(0, world.possible_agents)
    again.load_state_dict(kept[0])
    world.load_state_dict(kept[1])
    assert on(world, again, seen, 999)[1] == rest and len(rest) > 3
    assert again.diaries == planner.diaries


def test_a_strategy_must_be_known():
    with pytest.raises(ConfigError, match="adaptive"):
        Planner(SurrogateBidder(), "clever")  # type: ignore[arg-type]
