"""An OpenAI-compatible server that answers at once, or after a while, always with the same valid reply.

One `asyncio.Protocol` without a web framework, so that the server is not the first bottleneck; on uvloop where it is there.

POST .../chat/completions   a verb in JSON where a response format is asked for, the tool `do_nothing` where there is one,
                            else a sentence
GET  /stats                 {"calls": n, "most_in_flight": n}
POST /reset                 begin counting anew

Usage: python benchmarks/server.py [--latency SECONDS]; prints its port.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

VERB = json.dumps({"verb": "do", "activity": "buying bread", "thing": ""})
SENTENCE = "I go to the market and buy bread."


def completion(content: str | None, tool: str = "") -> bytes:
    """The body of a chat completion: a text, or the call of a tool without arguments."""
    message: dict[str, Any] = {"role": "assistant", "content": content, "refusal": None}
    if tool:
        message["tool_calls"] = [{"id": "call_1", "type": "function", "function": {"name": tool, "arguments": "{}"}}]
    choice = {"index": 0, "message": message, "finish_reason": "tool_calls" if tool else "stop", "logprobs": None}
    usage = {"prompt_tokens": 100, "completion_tokens": 10, "total_tokens": 110}
    about = {"id": "chatcmpl-1", "object": "chat.completion", "created": 1700000000, "model": "instant"}
    return json.dumps({**about, "choices": [choice], "usage": usage}).encode()


ACTS, NOTHING, SAYS = completion(VERB), completion(None, "do_nothing"), completion(SENTENCE)
MODELS = json.dumps({"object": "list", "data": [{"id": "instant", "object": "model"}]}).encode()


class Counts:
    """What the server has seen."""

    calls = in_flight = most_in_flight = 0


class Instant(asyncio.Protocol):
    """One connection; several requests may follow each other on it."""

    latency = 0.0

    def connection_made(self, transport: Any) -> None:  # uvloop's transports are no subclass of asyncio's
        self.transport, self.buffer = transport, b""

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        while (end := self.buffer.find(b"\r\n\r\n")) >= 0:
            head = self.buffer[:end].lower()
            at = head.find(b"content-length:")
            length = int(head[at + 15 :].split(b"\r\n", 1)[0]) if at >= 0 else 0
            total = end + 4 + length
            if len(self.buffer) < total:
                return
            path, body = head.split(b" ", 2)[1], self.buffer[end + 4 : total]
            self.buffer = self.buffer[total:]
            self.answer(path, body)

    def answer(self, path: bytes, body: bytes) -> None:
        if path.endswith(b"/chat/completions"):
            Counts.calls += 1
            Counts.in_flight += 1
            Counts.most_in_flight = max(Counts.most_in_flight, Counts.in_flight)
            reply = ACTS if b'"response_format"' in body else NOTHING if b'"do_nothing"' in body else SAYS
            asyncio.get_running_loop().call_later(self.latency, self.done, reply)
        elif path == b"/stats":
            self.send(json.dumps({"calls": Counts.calls, "most_in_flight": Counts.most_in_flight}).encode())
        elif path == b"/reset":
            Counts.calls = Counts.most_in_flight = 0
            self.send(b"{}")
        else:
            self.send(MODELS)

    def done(self, payload: bytes) -> None:
        Counts.in_flight -= 1
        self.send(payload)

    def send(self, payload: bytes) -> None:
        if not self.transport.is_closing():
            head = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n" % len(payload)
            self.transport.write(head + payload)


async def serve(latency: float) -> None:
    """Serve on a free port of the loopback, for ever."""
    Instant.latency = latency
    server = await asyncio.get_running_loop().create_server(Instant, "127.0.0.1", 0, backlog=4096)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


class Server(NamedTuple):
    """A running server."""

    root: str

    @property
    def model(self) -> str:
        """How ethogram spells its model."""
        return f"{self.root}/v1#instant"

    def stats(self) -> dict[str, int]:
        """What it has seen since `reset`."""
        with urllib.request.urlopen(f"{self.root}/stats", timeout=20) as reply:
            return json.loads(reply.read())

    def reset(self) -> None:
        """Begin counting anew."""
        urllib.request.urlopen(f"{self.root}/reset", timeout=20).read()


@contextlib.contextmanager
def running(latency: float = 0.0, python: str | Path = sys.executable) -> Iterator[Server]:
    """A server in a process of its own, for as long as the block lasts."""
    command = [str(python), __file__, "--latency", str(latency)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield Server(f"http://127.0.0.1:{process.stdout.readline().strip()}")
        finally:
            process.terminate()


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--latency", type=float, default=0.0)
    chosen = parser.parse_args()
    with contextlib.suppress(ImportError):
        import uvloop

        asyncio.set_event_loop_policy(uvloop.EventLoopPolicy())
    asyncio.run(serve(chosen.latency))
