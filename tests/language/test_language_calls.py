"""Calls: placed, seeded, recorded, replayed, repaired. With scripted models, so that every answer is known."""

import asyncio
import json

import pytest
from language_tools import HELLO, VERBS, Run, Say, Wait

from ethogram.errors import CallFailed, ConfigError, ModelError
from ethogram.language import Budget, LanguageModel, Request, model, scripted
from ethogram.language.backends.replay import Replay
from ethogram.language.backends.scripted import Scripted
from ethogram.language.request import encode
from ethogram.session import Position, use


def request(**changes) -> Request:
    given = {"model": "m", "kind": "generate", "messages": [{"role": "user", "content": "Hi"}], "seed": 3, **changes}
    return Request(messages_json=encode(given["messages"]), **given)


def test_a_key_is_the_same_for_the_same_content_and_differs_for_any_other() -> None:
    assert request().key == request().key == "4b39ce18ec4d1a46b9b370404fc06765"  # a change invalidates all records
    others = [
        request(model="n"),
        request(kind="score", options=["a"]),
        request(kind="score", options=["b"]),
        request(messages=[{"role": "user", "content": "Ho"}]),
        request(messages=[{"role": "system", "content": "Hi"}]),
        request(seed=4),
        request(max_tokens=7),
        request(temperature=0.5),
        request(stop=(".",)),
        request(schema={}, schema_json="{}"),
    ]
    assert len({r.key for r in [request(), *others]}) == len(others) + 1
    assert request().again(99, []).key == request().key


def test_a_call_is_recorded_with_all_that_happened() -> None:
    run = Run()
    speaker = scripted(lambda r: HELLO, name="greeter")
    with use(run.session):
        reply = asyncio.run(speaker.generate("Say hello", space=VERBS, agent="ann", purpose="greet"))
    assert reply.value == Say(to="Ann", text="Hello")
    assert (reply.text, reply.finish, reply.cached, reply.cost) == (HELLO, "stop", False, 0.0)
    (call,) = run.calls
    assert call.position == Position(0, 0, "ann", "greet", 0)
    assert (call.model, call.kind, call.reply, call.error) == ("scripted:greeter", "generate", HELLO, None)
    assert call.messages == [{"role": "user", "content": "Say hello"}]
    assert (call.tokens_in, call.tokens_out, call.cost, call.cached, call.faults) == (2, 6, 0.0, False, [])


def test_seeds_depend_on_the_place_alone_and_not_on_timing() -> None:
    def seeds(delays: list[float]) -> list[tuple[str, int]]:
        seen = []

        async def respond(r: Request) -> str:
            await asyncio.sleep(delays[len(seen)])
            seen.append((r.messages[0]["content"], r.seed))
            return "ok"

        async def all_agents() -> None:
            speaker = scripted(respond)
            # The position is taken when a call begins, so the order of beginnings is what counts.
            await asyncio.gather(*[speaker.generate(f"{a}{k}", agent=a) for a in "xyz" for k in range(2)])

        with use(Run(seed=5).session):
            asyncio.run(all_agents())
        return sorted(seen)

    one = seeds([0.0, 0.03, 0.0, 0.02, 0.0, 0.01])
    assert one == seeds([0.02, 0.0, 0.03, 0.0, 0.01, 0.0])
    assert len({seed for _, seed in one}) == 6
    assert all(0 <= seed < 2**31 for _, seed in one)


def test_outside_a_run_calls_count_up_from_the_models_own_seed() -> None:
    async def three(seed: int) -> list[str]:
        speaker = scripted(lambda r: str(r.seed), seed=seed)
        return [(await speaker.generate("?")).text for _ in range(3)]

    assert asyncio.run(three(1)) == asyncio.run(three(1)) != asyncio.run(three(2))
    assert len(set(asyncio.run(three(1)))) == 3


def test_a_replayed_run_makes_no_call_and_says_the_same() -> None:
    asked = []

    def respond(r: Request) -> str:
        asked.append(r)
        if "fail" in r.messages[0]["content"]:
            return "no verb at all"
        return HELLO if r.seed % 2 else '{"verb": "wait"}'

    async def step(speaker: LanguageModel) -> list:
        values: list = [(await speaker.generate("Do", space=VERBS, agent="ann")).value for _ in range(5)]
        values.append((await speaker.score("Which?", ["yes", "oh no"])).values)
        try:
            await speaker.generate("fail", space=VERBS)
        except CallFailed as error:
            values.append((str(error), error.faults))
        return values

    run = Run()
    speaker = scripted(respond, lambda r: [-0.1, -2.5])
    with use(run.session):
        first = asyncio.run(step(speaker))
    assert len(first[-1][1]) == 3
    count = len(asked)
    again = run.resumed()
    with use(again.session):
        assert asyncio.run(step(speaker)) == first
    assert len(asked) == count
    assert again.calls == []  # what was answered from the record is not recorded anew


def test_a_recorded_score_keeps_its_options_lengths() -> None:
    run = Run()
    speaker = scripted(None, lambda r: [-1.0, -2.0])
    with use(run.session):
        first = asyncio.run(speaker.score("Which?", ["yes", "oh no"]))
    with use(run.resumed().session):
        again = asyncio.run(speaker.score("Which?", ["yes", "oh no"]))
    assert again.tokens == first.tokens == [1, 2]
    assert (again.method, again.values) == ("exact", [-1.0, -2.0])


def test_an_invalid_reply_is_asked_again_with_the_error_and_a_new_seed() -> None:
    asked = []

    def respond(r: Request) -> str:
        asked.append(r)
        return "I shall say hello." if len(asked) == 1 else HELLO

    run = Run()
    with use(run.session):
        reply = asyncio.run(scripted(respond).generate("Do", space=VERBS))
    assert reply.value == Say(to="Ann", text="Hello")
    first, second = asked
    assert second.messages[:1] == first.messages
    assert second.messages[1] == {"role": "assistant", "content": "I shall say hello."}
    assert "no JSON object" in second.messages[2]["content"]
    assert second.seed != first.seed
    (call,) = run.calls
    assert call.messages == first.messages and call.key == first.key
    assert len(call.faults) == 1 and call.faults[0].startswith("schema: ")


def test_a_call_that_stays_invalid_fails_is_recorded_and_never_becomes_text() -> None:
    run = Run()
    with use(run.session), pytest.raises(CallFailed, match="no valid answer in 3 attempts: schema: ") as failure:
        asyncio.run(scripted(lambda r: "nonsense").generate("Do", space=VERBS))
    assert len(failure.value.faults) == 3
    (call,) = run.calls
    assert call.reply is None and call.error is not None and call.faults == failure.value.faults


def test_a_reply_that_is_cut_off_is_invalid_where_a_space_is_given() -> None:
    class Cut(Scripted):
        async def complete(self, request: Request):
            answer = await super().complete(request)
            answer.finish = "length"
            return answer

    speaker = LanguageModel(Cut(lambda r: HELLO))
    assert asyncio.run(speaker.generate("Do")).text == HELLO
    with pytest.raises(CallFailed, match="truncated: at 256 tokens"):
        asyncio.run(speaker.generate("Do", space=VERBS))


def test_validate_has_the_last_word() -> None:
    replies = iter(['{"verb": "wait"}', HELLO])

    def only_say(value: object) -> None:
        if isinstance(value, Wait):
            raise ValueError("waiting is not possible now")

    reply = asyncio.run(scripted(lambda r: next(replies)).generate("Do", space=VERBS, validate=only_say))
    assert reply.value == Say(to="Ann", text="Hello")


def test_a_model_error_stops_at_once_and_is_no_call() -> None:
    def respond(r: Request) -> str:
        raise ModelError("wrong key")

    run = Run()
    with use(run.session), pytest.raises(ModelError, match="wrong key"):
        asyncio.run(scripted(respond).generate("Do"))
    assert run.calls == []


def test_recorded_calls_answer_outside_of_runs() -> None:
    run = Run()
    speaker = scripted(lambda r: f"{r.messages[-1]['content']}!", lambda r: [-1.0, -2.0], name="echo", seed=1)
    with use(run.session):
        asyncio.run(speaker.score("Which?", ["a", "b"]))
        asyncio.run(speaker.generate("Hi", temperature=0))
    recorded = LanguageModel(Replay(run.calls))
    assert recorded.name == "scripted:echo"
    assert asyncio.run(recorded.score("Which?", ["a", "b"])).values == [-1.0, -2.0]
    assert asyncio.run(recorded.generate("Hi", temperature=0)).text == "Hi!"
    rows = LanguageModel(Replay([vars(call) for call in run.calls]))
    assert asyncio.run(rows.generate("Hi", temperature=0)).text == "Hi!"
    with pytest.raises(CallFailed, match="no recorded call"):
        asyncio.run(recorded.generate("Other", temperature=0))


@pytest.mark.parametrize(
    ("messages", "said"),
    [
        ([], "no messages"),
        ([{"role": "boss", "content": "x"}], "roles system, user, assistant"),
        ([{"role": "user", "content": 3}], "type int"),
        ([{"content": "x"}], "message 0"),
        (["hello"], "message 0"),
    ],
)
def test_malformed_messages_are_named(messages, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        asyncio.run(scripted(lambda r: "").generate(messages))


@pytest.mark.parametrize("numbers", [{"max_tokens": 0}, {"temperature": -1}, {"temperature": float("nan")}])
def test_numbers_that_make_no_sense_are_named(numbers) -> None:
    with pytest.raises(ConfigError, match=next(iter(numbers))):
        asyncio.run(scripted(lambda r: "").generate("Hi", **numbers))


def test_one_stop_is_not_taken_for_many() -> None:
    asked = []
    asyncio.run(scripted(lambda r: asked.append(r.stop) or "x").generate("Hi", stop="end"))
    assert asked == [("end",)]


@pytest.mark.parametrize("options", [[], ["a", "a"], ["a", ""], ["a", 3], "ab"])
def test_malformed_options_are_named(options) -> None:
    with pytest.raises(ConfigError, match="at least one, all of them different"):
        asyncio.run(scripted().score("?", options))


def test_half_a_surrogate_pair_is_no_trouble() -> None:
    run = Run()
    with use(run.session):
        asyncio.run(scripted(lambda r: "ok").generate("\ud800"))
    assert run.calls[0].messages[0]["content"] == "\ud800"
    json.dumps(run.calls[0].messages)


def test_a_scripted_function_is_checked() -> None:
    with pytest.raises(ConfigError, match="gave int"):
        asyncio.run(scripted(lambda r: 3).generate("?"))
    with pytest.raises(ConfigError, match="rated 1 of 2"):
        asyncio.run(scripted(None, lambda r: [0.0]).score("?", ["a", "b"]))
    with pytest.raises(ConfigError, match="respond="):
        asyncio.run(scripted().generate("?"))


def test_a_model_given_as_a_model_is_itself() -> None:
    speaker = scripted()
    assert model(speaker) is speaker
    with pytest.raises(ConfigError, match="a model already"):
        model(speaker, budget=Budget(calls=1))
