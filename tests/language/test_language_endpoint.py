"""Endpoints, with a real server process over real sockets."""

import asyncio
import http.server
import json
import logging
import math
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import numpy as np
import pytest
from language_tools import SERVER, VERBS, Run, Server

from ethogram.errors import BudgetExhausted, CallFailed, ModelError
from ethogram.language import Budget, LanguageModel, model
from ethogram.language.backends import endpoint
from ethogram.language.backends.chat import Dialect, first_tokens, frequencies, retry_after
from ethogram.session import use

Serve = Callable[..., Server]
SECRET = "sk-very-secret-42"


async def ask_all(speaker: LanguageModel, n: int, **options) -> list:
    async with speaker:
        asked = [speaker.generate(f"Agent {i} acts", agent=f"a{i}", **options) for i in range(n)]
        return await asyncio.gather(*asked, return_exceptions=True)


def test_a_reply_is_constrained_parsed_and_accounted(serve: Serve) -> None:
    run = Run()
    with use(run.session):
        (reply,) = asyncio.run(ask_all(model(serve().spec), 1, space=VERBS))
    assert VERBS.contains(reply.value)
    assert reply.tokens_in > 50 and reply.tokens_out > 0 and reply.seconds > 0
    (call,) = run.calls
    assert (call.reply, call.tokens_in, call.tokens_out) == (reply.text, reply.tokens_in, reply.tokens_out)


def test_under_faults_of_all_kinds_valid_calls_come_out_as_without(serve: Serve) -> None:
    kinds = "timeout,reset,429,500,503,html,truncated,cut,drip"
    calm, rough = serve("--seed", 1), serve("--seed", 1, "--fault-rate", 0.3, "--fault-kinds", kinds, "--drip", 0.1)

    def run_with(server: Server) -> tuple[list, Run]:
        run = Run()
        speaker = model(server.spec, timeout=1.0)
        speaker.name = "the same"  # the address is part of the name, and so of keys
        with use(run.session):
            return asyncio.run(ask_all(speaker, 150, space=VERBS)), run

    expected, _ = run_with(calm)
    found, run = run_with(rough)
    assert [r.text for r in found] == [r.text for r in expected]
    assert [r.value for r in found] == [r.value for r in expected]
    faults = [fault.split(":")[0] for call in run.calls for fault in call.faults]
    assert set(faults) == {"timeout", "reset", "http 429", "http 500", "http 503", "not JSON"}
    assert rough.stats()["faults"].keys() == set(kinds.split(","))
    assert sum(not call.faults for call in run.calls) > 50
    assert all(call.error is None for call in run.calls)


def test_replies_that_break_the_schema_are_repaired(serve: Serve) -> None:
    server = serve("--fault-rate", 0.3, "--fault-kinds", "breaking", "--seed", 3)
    run = Run()
    with use(run.session):
        found = asyncio.run(ask_all(model(server.spec, repairs=6), 40, space=VERBS))
    assert all(VERBS.contains(reply.value) for reply in found)
    broken = [call for call in run.calls if call.faults]
    assert broken and all(fault.startswith("schema: ") for call in broken for fault in call.faults)
    assert run.calls[0].messages == [{"role": "user", "content": "Agent 0 acts"}]


def test_a_call_that_never_succeeds_fails_alone(serve: Serve) -> None:
    server = serve("--fault-rate", 1, "--fault-kinds", "500")
    run = Run()
    with use(run.session):
        (failure,) = asyncio.run(ask_all(model(server.spec, attempts=2), 1))
    assert isinstance(failure, CallFailed) and failure.faults == ["http 500", "http 500"]
    assert run.calls[0].reply is None and run.calls[0].faults == ["http 500", "http 500"]


def test_hundreds_are_in_flight_at_once(serve: Serve) -> None:
    # So slow that a busy machine has the time to open a thousand connections before the first answer comes.
    server = serve("--latency-ms", 3000, "--fixed", "ok")
    start = time.perf_counter()
    found = asyncio.run(ask_all(model(server.spec), 1000))
    seconds = time.perf_counter() - start
    assert all(reply.text == "ok" for reply in found)
    assert server.stats()["max_in_flight"] >= 900
    assert seconds < 30  # one after another: 3000


def test_an_overloaded_endpoint_gets_fewer_at_once(serve: Serve) -> None:
    server = serve("--latency-ms", 20, "--limit", 30)
    run = Run()
    speaker = model(server.spec)
    with use(run.session):
        found = asyncio.run(ask_all(speaker, 1200))
    assert all(not isinstance(reply, Exception) for reply in found)
    assert 0 < server.stats()["faults"]["429"] < 800  # about 270; without cuts 2300
    assert {fault for call in run.calls for fault in call.faults} == {"http 429"}


def test_several_models_of_one_endpoint_share_its_limit(serve: Serve) -> None:
    server = serve("--latency-ms", 50)
    speakers = [model(server.spec, in_flight=5), model(server.spec)]

    async def both() -> None:
        await speakers[0].generate("first")
        await asyncio.gather(*[speakers[i % 2].generate(f"{i}") for i in range(40)])
        for speaker in speakers:
            await speaker.aclose()

    asyncio.run(both())
    assert server.stats()["max_in_flight"] == 5


def test_one_model_serves_several_event_loops_and_is_closed_with_each(serve: Serve) -> None:
    speaker = model(serve("--fixed", "ok").spec)
    for _ in range(3):  # an unclosed connection would be a warning, and warnings are errors here
        assert asyncio.run(speaker.generate("Hi")).text == "ok"


@pytest.mark.parametrize(
    ("status", "body", "error", "said"),
    [
        (401, {"error": {"message": f"Incorrect API key provided: {SECRET}."}}, ModelError, "http 401.*check the key"),
        (403, {"error": "not for you"}, ModelError, "http 403.*not for you"),
        (404, {"error": {"message": "The model `m` does not exist"}}, ModelError, "http 404.*model's name"),
        (400, {"error": {"message": "something is wrong"}}, ModelError, "http 400.*something is wrong"),
        (429, {"error": {"message": "Pay", "code": "insufficient_quota"}}, ModelError, "no quota left"),
        (301, {}, ModelError, "http 301"),
        (400, {"error": {"message": "This model's maximum context length is 10"}}, CallFailed, "1 attempts: http 400"),
        (413, {"error": {"message": "too large"}}, CallFailed, "1 attempts: http 413"),
        (200, {"error": {"message": "overloaded inside"}}, CallFailed, "error: overloaded inside"),
        (200, {"choices": []}, CallFailed, "malformed: no choices"),
        (200, [1, 2], CallFailed, "malformed"),
        (200, {"choices": [{"message": {"content": None}}]}, CallFailed, "no text"),
        (200, {"choices": [{"message": "hm"}], "usage": "?"}, CallFailed, "no text"),
    ],
)
def test_what_an_endpoint_refuses(status: int, body, error, said: str, canned, monkeypatch, caplog) -> None:
    monkeypatch.setenv("ETHOGRAM_API_KEY", SECRET)
    base, heads = canned(status, json.dumps(body).encode())
    run = Run()
    with use(run.session), caplog.at_level(logging.DEBUG), pytest.raises(error, match=said) as caught:
        asyncio.run(model(f"{base}/v1#m", attempts=2, repairs=0).generate("Hi"))
    assert heads[0]["Authorization"] == f"Bearer {SECRET}"
    assert SECRET not in str(caught.value) + caplog.text + repr(run.calls) + repr(run.said)
    if error is ModelError:
        assert len(heads) == 1 and not isinstance(caught.value, CallFailed) and not run.calls
    else:
        assert run.calls[0].error is not None


def test_a_body_that_is_nested_too_deeply_is_a_fault(canned) -> None:
    base, _ = canned(200, b"[" * 200_000)
    with pytest.raises(CallFailed, match="not JSON"):
        asyncio.run(model(f"{base}/v1#m", attempts=1).generate("Hi"))


def test_a_response_too_large_is_not_read_to_its_end(canned, monkeypatch) -> None:
    monkeypatch.setattr(endpoint, "LARGEST", 1000)
    base, _ = canned(200, b" " * 100_000)
    with pytest.raises(CallFailed, match="malformed: a response of more than 1000 bytes"):
        asyncio.run(model(f"{base}/v1#m", attempts=1).generate("Hi"))


@pytest.fixture
def canned():
    """A real HTTP server that gives one answer to everything; gives its address and the headers that it got."""
    running = []

    def start(status: int, payload: bytes, *more: tuple[str, str]):
        heads = []

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                heads.append(dict(self.headers))
                self.rfile.read(int(self.headers["Content-Length"]))
                self.send_response(status)
                for name, value in [("Content-Length", str(len(payload))), *more]:
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(payload)

            def log_message(self, *args) -> None:
                pass

        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        running.append(server)
        return f"http://127.0.0.1:{server.server_address[1]}", heads

    yield start
    for server in running:
        server.shutdown()
        server.server_close()


def test_nothing_at_the_address_is_said_at_once() -> None:
    start = time.perf_counter()
    with pytest.raises(ModelError, match=r"nothing answers at http://127\.0\.0\.1:9/v1 .*start the server"):
        asyncio.run(model("http://127.0.0.1:9/v1#m").generate("Hi"))
    assert time.perf_counter() - start < 10


def test_a_redirect_is_not_followed(canned, monkeypatch) -> None:
    monkeypatch.setenv("ETHOGRAM_API_KEY", SECRET)
    elsewhere, stolen = canned(200, b"{}")
    base, _ = canned(307, b"", ("Location", f"{elsewhere}/v1/chat/completions"))
    with pytest.raises(ModelError, match="http 307"):
        asyncio.run(model(f"{base}/v1#m").generate("Hi"))
    assert stolen == []


@pytest.mark.parametrize(
    ("parameter", "hint", "told"),
    [
        ("max_tokens", " Use 'max_completion_tokens' instead.", "max_completion_tokens"),
        ("seed", "", "seed"),
        ("temperature", "", "temperature"),
        ("response_format", "", "json_object"),
    ],
)
def test_parameters_an_endpoint_does_not_know_are_left_out(serve: Serve, parameter: str, hint: str, told: str) -> None:
    server = serve("--reject", parameter, "--hint", hint, "--answer", '{"verb": "wait"}')
    run = Run()
    with use(run.session):
        found = asyncio.run(ask_all(model(server.spec), 20, space=VERBS))
    assert all(VERBS.contains(reply.value) for reply in found)
    assert told in run.said[0] and len(run.said) == (2 if parameter == "response_format" else 1)
    assert all(call.faults == [] for call in run.calls)


def test_dialects_give_up_in_the_end() -> None:
    assert Dialect().without("I do not like you") is None
    assert Dialect(length="max_completion_tokens").without("use max_completion_tokens") is None
    assert Dialect(schema="").without("response_format") is None


# Scores


def test_scores_of_letters_are_read_off_the_likeliest_tokens(serve: Serve) -> None:
    run = Run()
    speaker = model(serve().spec)
    with use(run.session):
        found = asyncio.run(speaker.score("A or B?", ["A", "B", "C"]))
        again = asyncio.run(speaker.score("A or B?", ["C", "B", "A"]))
    assert found.method == "top-k" == run.calls[0].method
    assert found.tokens == []
    assert again.values == found.values[::-1]
    assert math.fsum(map(math.exp, found.values)) < 1
    assert run.said == []


def test_without_log_probabilities_answers_are_sampled_and_that_is_said(serve: Serve) -> None:
    run = Run()
    speaker = model(serve("--no-logprobs", "--answer", "Blue, of course.").spec, samples=12)
    with use(run.session):
        found = asyncio.run(speaker.score("Which colour?", ["red", "blue"]))
        asyncio.run(speaker.score("Which colour now?", ["red", "blue"]))
    assert found.method == "sampled" == run.calls[0].method
    assert found.values == [math.log(0.5 / 13), math.log(12.5 / 13)]
    assert len(run.said) == 1 and "discloses no log-probabilities: options are scored by 12 sampled" in run.said[0]


def test_answers_that_name_no_option_fail_and_are_no_choice(serve: Serve) -> None:
    speaker = model(serve("--no-logprobs", "--answer", "I would rather not.").spec)
    with pytest.raises(CallFailed, match="none of 20 sampled answers begins with an option"):
        asyncio.run(speaker.choose("Which?", ["red", "blue"], by="text", rng=np.random.default_rng(0)))


def test_a_choice_by_an_endpoint_is_repeatable(serve: Serve) -> None:
    server = serve("--seed", 5)

    def once() -> tuple:
        with use(Run().session):
            made = asyncio.run(model(server.spec).choose("Which?", ["red", "blue"], rng=np.random.default_rng(0)))
        return made.option, made.probabilities.tolist(), made.method

    assert once() == once()
    assert once()[2] == "top-k"


def test_first_tokens_by_hand() -> None:
    top = [("A", math.log(0.5)), (" A", math.log(0.1)), ("B", math.log(0.2)), ("The", math.log(0.05))]
    a, b, c = first_tokens(["A", "B", "C"], top) or []
    assert [a, b] == pytest.approx([math.log(0.6), math.log(0.2)])
    assert c == pytest.approx(math.log(0.05))  # 0.15 is left, but no more than the least that is disclosed
    assert first_tokens(["A", "B", "C", "D", "E"], [("A", math.log(0.8)), ("B", math.log(0.17))]) == pytest.approx(
        [math.log(0.8), math.log(0.17), *[math.log(0.01)] * 3]
    )
    assert first_tokens(["cooperate", "collude"], [("co", -0.1)]) is None  # says nothing of which
    assert first_tokens(["red", "blue"], [("I", -0.1)]) is None
    assert first_tokens(["A", "As"], [("A", math.log(0.5)), ("As", math.log(0.3))]) == pytest.approx(
        [math.log(0.5), math.log(0.3)]
    )
    assert first_tokens(["1", "10"], [("1", math.log(0.5)), ("2", math.log(0.3))]) is None
    odd = [("", math.log(0.5)), (" ", math.log(0.3)), ("re", math.log(0.15))]
    assert first_tokens(["red", "blue"], odd) == pytest.approx([math.log(0.15), math.log(0.05)])


def test_frequencies_by_hand() -> None:
    texts = ["Yes.", "yes, I would", "Yesterday", "NO", '"No way" she said', "perhaps", "", "no."]
    assert frequencies(["yes", "no"], texts) == [2, 3]
    assert frequencies(["no", "no way"], texts) == [2, 1]
    assert frequencies(["I defect", "I will not defect"], ["I will not defect"]) == [0, 1]


def test_retry_after() -> None:
    assert retry_after("2.5") == 2.5
    assert retry_after(None) is retry_after("") is retry_after("soon") is retry_after("nan") is None
    assert retry_after("-3") == 0.0
    soon = format_datetime(datetime.now(UTC) + timedelta(seconds=30), usegmt=True)
    assert 25 < (retry_after(soon) or 0) <= 30
    assert retry_after("Wed, 21 Oct 2015 07:28:00 GMT") == 0.0


# Budgets


def test_a_budget_stops_before_a_request_is_sent(serve: Serve) -> None:
    server = serve("--latency-ms", 10)
    found = asyncio.run(ask_all(model(server.spec, budget=Budget(calls=7)), 30))
    assert sum(isinstance(reply, BudgetExhausted) for reply in found) == 23
    assert server.stats()["requests"] == 7
    with pytest.raises(BudgetExhausted):
        asyncio.run(model(server.spec, budget=Budget(tokens=10)).generate("Hi"))
    assert server.stats()["requests"] == 7


def test_tokens_are_spent_as_the_endpoint_counts_them(serve: Serve) -> None:
    budget = Budget(tokens=10**6)
    run = Run()
    with use(run.session):
        asyncio.run(ask_all(model(serve().spec, budget=budget), 10, space=VERBS))
    assert budget.spent.tokens == sum(call.tokens_in + call.tokens_out for call in run.calls)


def test_the_server_script_is_as_documented() -> None:
    assert "--port 0 --latency-ms 0 --fault-rate 0.3 --seed 1" in SERVER.read_text()
    server = Server("--port", 0, "--latency-ms", 0, "--fault-rate", 0.3, "--seed", 1)
    try:
        assert server.port > 0 and server.stats()["requests"] == 0
    finally:
        server.stop()


def test_a_probe_is_a_real_call(serve: Serve) -> None:
    server = serve()
    probe = asyncio.run(model(server.spec).probe())
    assert probe.score == "top-k" and probe.seconds > 0 and probe.tokens_per_second > 0
    assert server.stats()["answered"] == 3


def test_a_reply_says_where_it_may_be_cut_off(serve: Serve) -> None:
    speaker = model(serve("--answer", "one two three four five six").spec)
    assert asyncio.run(speaker.generate("Hi", max_tokens=4)).finish == "length"
    assert asyncio.run(speaker.generate("Hi", max_tokens=40)).finish == "stop"
