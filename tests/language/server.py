"""A small OpenAI-compatible server, for tests and benchmarks: deterministic replies, and faults on demand.

    python tests/language/server.py --port 0 --latency-ms 0 --fault-rate 0.3 --seed 1

prints its port on the first line and serves until it is killed. The reply to a request depends on its content and `--seed`
alone (a valid reply to its schema, if it has one), never on faults, so outcomes under faults can be compared with outcomes
without. Whether attempt k of a request is faulty, and how, depends on the request, k and the seed.

    POST /v1/chat/completions   messages, seed, response_format (json_schema), n, logprobs/top_logprobs
    GET  /v1/models             one model, `mock`
    GET  /stats                 counters: requests, answered, max_in_flight, faults by kind
    GET  /reset                 zero the counters

Kinds of fault (`--fault-kinds`, comma-separated; default all): timeout (no answer), reset, 429 (with Retry-After), 500,
503, html, truncated (JSON), cut (fewer bytes than announced), breaking (valid JSON that breaks the schema), drip (correct,
but slow). `--limit N` answers 429 to whatever exceeds N requests in flight; `--no-logprobs` discloses none; `--reject a,b`
answers 400 to requests that have one of these parameters; `--fixed TEXT` answers that text, computing nothing.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import math
import random
import string
import time
from collections import Counter
from email.utils import formatdate
from hashlib import blake2b
from typing import Any

KINDS = ("timeout", "reset", "429", "500", "503", "html", "truncated", "cut", "breaking", "drip")
WORDS = "bread market river friend morning trust price garden letter bridge winter lamp".split()  # noqa: SIM905
HTML = b"<html><body><h1>502 Bad Gateway</h1></body></html>"


def sample(schema: dict[str, Any], rng: random.Random) -> Any:
    """A random value of a JSON schema (the part of it that ethogram writes)."""
    if "const" in schema:
        return schema["const"]
    if "enum" in schema:
        return rng.choice(schema["enum"])
    if "anyOf" in schema:
        return sample(rng.choice(schema["anyOf"]), rng)
    kind = schema.get("type")
    if kind == "object":
        needed = set(schema.get("required", ()))
        return {k: sample(v, rng) for k, v in schema.get("properties", {}).items() if k in needed or rng.random() < 0.5}
    if kind == "array":
        most = min(schema.get("maxItems", 3), schema.get("minItems", 0) + 3)
        return [sample(schema["items"], rng) for _ in range(rng.randint(schema.get("minItems", 0), most))]
    if kind == "string":
        text = " ".join(rng.choices(WORDS, k=8))
        return text[: schema.get("maxLength", 60)].ljust(schema.get("minLength", 0), "x")
    if kind in ("integer", "number"):
        low, high = schema.get("minimum", 0), schema.get("maximum", 100)
        return rng.randint(math.ceil(low), math.floor(high)) if kind == "integer" else rng.uniform(low, high)
    return rng.random() < 0.5 if kind == "boolean" else None


class State:
    def __init__(self, config: argparse.Namespace) -> None:
        self.config = config
        self.in_flight = 0
        self.attempts: Counter[bytes] = Counter()
        self.reset()

    def reset(self) -> None:
        self.stats: dict[str, Any] = {"requests": 0, "answered": 0, "max_in_flight": 0, "faults": Counter()}


def content_seed(state: State, body: bytes, *more: Any) -> bytes:
    return blake2b(repr((state.config.seed, *more)).encode() + body, digest_size=16).digest()


def respond(state: State, body: bytes) -> bytes:
    """The response to a chat request; a function of its content."""
    if state.config.fixed is not None:
        return FIXED % json.dumps(state.config.fixed).encode()
    request = json.loads(body)
    schema = request.get("response_format", {}).get("json_schema", {}).get("schema")
    choices = []
    for i in range(request.get("n", 1)):
        rng = random.Random(content_seed(state, body, i))
        text = json.dumps(sample(schema, rng)) if schema else state.config.answer or " ".join(rng.choices(WORDS, k=6))
        finish = "stop"
        words = text.split()
        if len(words) > request.get("max_tokens", 10**9):
            text, finish = " ".join(words[: request["max_tokens"]]), "length"
        choice: dict[str, Any] = {"index": i, "message": {"role": "assistant", "content": text}, "finish_reason": finish}
        if request.get("logprobs") and not state.config.no_logprobs:
            choice["logprobs"] = {"content": [{"token": text[:1], "top_logprobs": top(request, rng)}]}
        choices.append(choice)
    usage = {
        "prompt_tokens": len(body) // 4,
        "completion_tokens": sum(len(c["message"]["content"].split()) for c in choices),
    }
    return json.dumps({"object": "chat.completion", "model": "mock", "choices": choices, "usage": usage}).encode()


FIXED = (
    b'{"id":"x","object":"chat.completion","model":"mock","choices":[{"index":0,"message":{"role":"assistant","content":%s},'
    b'"finish_reason":"stop","logprobs":null}],"usage":{"prompt_tokens":100,"completion_tokens":10,"total_tokens":110}}'
)


def top(request: dict[str, Any], rng: random.Random) -> list[dict[str, Any]]:
    """A made-up distribution over capital letters and some other tokens."""
    tokens = [*string.ascii_uppercase[:8], " A", "The", "I", "\n"]
    weights = [rng.random() for _ in tokens]
    total = sum(weights) * 1.25  # a fifth of the mass is not disclosed
    entries = sorted(((math.log(w / total), t) for w, t in zip(weights, tokens, strict=True)), reverse=True)
    return [{"token": token, "logprob": logprob} for logprob, token in entries[: request.get("top_logprobs", 0)]]


class Http(asyncio.Protocol):
    """One connection. Requests on it come one after another."""

    def __init__(self, state: State) -> None:
        self.state = state
        self.buffer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport: Any = transport

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        while (end := self.buffer.find(b"\r\n\r\n")) >= 0:
            head = self.buffer[:end].lower()
            at = head.find(b"content-length:")
            size = int(head[at + 15 :].split(b"\r\n", 1)[0]) if at >= 0 else 0
            if len(self.buffer) < end + 4 + size:
                return
            path = self.buffer[: self.buffer.find(b"\r\n")].split(b" ")[1]
            body, self.buffer = self.buffer[end + 4 : end + 4 + size], self.buffer[end + 4 + size :]
            self.handle(path, body)

    def handle(self, path: bytes, body: bytes) -> None:
        state = self.state
        if path == b"/stats":
            self.send(200, json.dumps(state.stats).encode())
        elif path == b"/reset":
            state.reset()
            self.send(200, b"{}")
        elif path.endswith(b"/models"):
            self.send(200, b'{"object":"list","data":[{"id":"mock","object":"model"}]}')
        elif path.endswith(b"/chat/completions"):
            self.chat(body)
        else:
            self.send(404, b'{"error":{"message":"no such path"}}')

    def chat(self, body: bytes) -> None:
        state, config = self.state, self.state.config
        state.stats["requests"] += 1
        state.in_flight += 1
        state.stats["max_in_flight"] = max(state.stats["max_in_flight"], state.in_flight)
        refused = next((p for p in config.reject if f'"{p}":'.encode() in body), None)
        fault = None
        if config.fault_rate:
            state.attempts[body] += 1
            rng = random.Random(content_seed(state, body, "fault", state.attempts[body]))
            fault = rng.choice(config.fault_kinds) if rng.random() < config.fault_rate else None
        if config.limit and state.in_flight > config.limit:
            fault = "429"
        if refused:
            said = {"error": {"message": f"Unsupported parameter: '{refused}'" + config.hint, "code": "unsupported"}}
            self.after(0, self.send, 400, json.dumps(said).encode())
        elif fault is None:
            self.after(config.latency_ms / 1000, self.answer, body)
        else:
            state.stats["faults"][fault] += 1
            self.fail(fault, body)

    def after(self, seconds: float, call: Any, *args: Any) -> None:
        def run() -> None:
            self.state.in_flight -= 1
            call(*args)

        if seconds:
            asyncio.get_running_loop().call_later(seconds, run)
        else:
            run()

    def answer(self, body: bytes) -> None:
        self.state.stats["answered"] += 1
        self.send(200, respond(self.state, body))

    def fail(self, kind: str, body: bytes) -> None:
        latency = self.state.config.latency_ms / 1000
        good = respond(self.state, body)
        if kind == "timeout":
            self.after(self.state.config.hang, self.transport.close)
        elif kind == "reset":
            self.after(latency, self.transport.abort)
        elif kind == "429":
            by_date = content_seed(self.state, body, "date")[0] % 8 == 0  # most servers give seconds, some a date
            wait = formatdate(time.time() + 1, usegmt=True) if by_date else "0.05"
            self.after(0, self.send, 429, b'{"error":{"message":"slow down"}}', f"retry-after: {wait}\r\n")
        elif kind in ("500", "503"):
            self.after(latency, self.send, int(kind), b'{"error":{"message":"something broke"}}')
        elif kind == "html":
            self.after(latency, self.send, 200, HTML)
        elif kind == "truncated":
            self.after(latency, self.send, 200, good[: len(good) // 2])
        elif kind == "cut":
            self.after(latency, self.send, 200, good, "", len(good) // 2)
        elif kind == "breaking":
            reply = json.loads(good)
            reply["choices"][0]["message"]["content"] = '{"verb": "no such verb", "x": 1}' if b'"schema"' in body else None
            self.after(latency, self.send, 200, json.dumps(reply).encode())
        elif kind == "drip":
            asyncio.get_running_loop().create_task(self.drip(good))

    async def drip(self, payload: bytes) -> None:
        self.transport.write(head(200, len(payload)))
        for i in range(0, len(payload), max(1, len(payload) // 10)):
            self.transport.write(payload[i : i + max(1, len(payload) // 10)])
            await asyncio.sleep(self.state.config.drip / 10)
        self.state.in_flight -= 1
        self.state.stats["answered"] += 1

    def send(self, status: int, payload: bytes, extra: str = "", cut: int | None = None) -> None:
        if not self.transport.is_closing():
            self.transport.write(head(status, len(payload), extra) + payload[:cut])
            if cut is not None:
                self.transport.close()


def head(status: int, size: int, extra: str = "") -> bytes:
    return f"HTTP/1.1 {status} X\r\ncontent-type: application/json\r\n{extra}content-length: {size}\r\n\r\n".encode()


async def main(config: argparse.Namespace) -> None:
    state = State(config)
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Http(state), "127.0.0.1", config.port, backlog=4096)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


def arguments() -> argparse.Namespace:
    p = argparse.ArgumentParser(description="A small OpenAI-compatible server for tests.")
    p.add_argument("--port", type=int, default=0)
    p.add_argument("--seed", type=int, default=0)
    p.add_argument("--latency-ms", type=float, default=0)
    p.add_argument("--fault-rate", type=float, default=0)
    p.add_argument("--fault-kinds", type=lambda s: s.split(","), default=list(KINDS))
    p.add_argument("--hang", type=float, default=30, help="seconds until a hanging connection is closed")
    p.add_argument("--drip", type=float, default=0.5, help="seconds that a dripping answer takes")
    p.add_argument("--limit", type=int, default=0)
    p.add_argument("--no-logprobs", action="store_true")
    p.add_argument("--reject", type=lambda s: s.split(","), default=[])
    p.add_argument("--hint", default="", help="said after the message of a rejection")
    p.add_argument("--answer", default="", help="the text of every reply that has no schema")
    p.add_argument("--fixed", default=None)
    return p.parse_args()


if __name__ == "__main__":
    try:
        import resource

        hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard if hard != resource.RLIM_INFINITY else 65536, hard))
    except (ImportError, ValueError):
        pass
    try:
        import uvloop

        uvloop.run(main(arguments()))
    except ImportError:
        asyncio.run(main(arguments()))
