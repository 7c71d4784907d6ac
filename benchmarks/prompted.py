"""Prompted agents against a local server: what ethogram costs beside the model.

An agent-step is the whole of it: observation, persona and memory into a prompt, the call, the reply checked against the
schema of the world's verbs and made one, memory and record written.
"""

from __future__ import annotations

import asyncio
import json
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.measuring import Row, Spent, best, spent
from benchmarks.server import Server, running
from benchmarks.worlds import Market
from ethogram.language import model
from ethogram.policies.prompted.prompted import Prompted
from ethogram.populations import Persona
from ethogram.records import Run
from ethogram.scene import Scene
from ethogram.simulation import replay, simulate

REPEATS = 3


def market(n: int, server: Server) -> Scene:
    """`n` people at a market, played by the model that the server has."""
    jobs = ("baker", "fisher", "teacher", "smith")
    people = {f"Person {i}": Persona(name=f"Person {i}", age=20 + i % 50, job=jobs[i % 4]) for i in range(n)}
    return Scene(Market(n), Prompted(model(server.model), persona=people))


def step(n: int, steps: int, server: Server, folder: Path) -> tuple[Run, Spent]:
    """A run into a folder, and what it took."""
    scene = market(n, server)
    runs: list[Run] = []
    took = spent(lambda: runs.append(simulate(scene, steps=steps, seed=1, to=folder, progress=False)))
    failed = runs[0].steps.select("fault").collect()["fault"].drop_nulls()
    assert failed.is_empty(), f"{len(failed)} agent-steps failed: {failed[0]}"
    return runs[0], took


async def ceiling(server: Server, calls: int, body: bytes, at_once: int = 128) -> None:
    """A bare aiohttp client that makes the calls and reads the replies."""
    import aiohttp

    turns = iter(range(calls))
    url, headers = f"{server.root}/v1/chat/completions", {"content-type": "application/json"}
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:

        async def worker() -> None:
            for _ in turns:
                async with session.post(url, data=body, headers=headers) as reply:
                    json.loads(await reply.read())["choices"][0]["message"]["content"]

        await asyncio.gather(*(worker() for _ in range(at_once)))


def body_like(run: Run) -> bytes:
    """A request as large as the run's last one."""
    messages = run.calls.select("messages").tail(1).collect()["messages"][0].to_list()
    return json.dumps({"model": "instant", "messages": messages, "max_tokens": 200}).encode()


@contextmanager
def folder() -> Iterator[Path]:
    """A place for one run."""
    with tempfile.TemporaryDirectory() as name:
        yield Path(name, "run")


def instant() -> list[Row]:
    """100 and 1,000 agents against a server that answers at once, beside a bare aiohttp client, and their replay."""
    rows = []
    with running() as server:
        with folder() as path:
            step(50, 3, server, path)  # warms up
        for n, steps in ((100, 30), (1000, 5)):
            case, count = f"{n:,} agents, instant server", n * steps
            live, replayed, raw = [], [], []
            for _ in range(REPEATS):
                with folder() as path:
                    run, took = step(n, steps, server, path)
                    live.append(took)
                    body = body_like(run)
                    replayed.append(spent(lambda run=run, n=n: check(replay(run, market(n, server)))))
                raw.append(spent(lambda count=count, body=body: asyncio.run(ceiling(server, count, body))))
            took, again, bare = best(live), best(replayed), best(raw)
            rows += [
                Row("prompted", case, "CPU of an agent-step", 1e3 * took.cpu / count, "ms", most=1),
                Row("prompted", case, "agent-steps a second", count / took.wall, "/s"),
                Row("prompted", case, "bare aiohttp, CPU of a call", 1e3 * bare.cpu / count, "ms"),
                Row("prompted", case, "bare aiohttp, calls a second", count / bare.wall, "/s"),
                Row("replay", f"{n:,} prompted agents", "agent-steps a CPU second", count / again.cpu, "/s", least=5000),
            ]
    return rows


def check(found: object) -> None:
    """A replay that is not exact measures nothing."""
    assert getattr(found, "exact", False), f"the replay diverged: {found}"


def slow() -> list[Row]:
    """A step of 1,000 agents against a server that takes 200 ms."""
    n, steps, case = 1000, 3, "1,000 agents, server of 200 ms"
    with running(0.2) as server:
        with folder() as path:
            step(50, 1, server, path)
        server.reset()
        with folder() as path:
            _, took = step(n, steps, server, path)
        most = server.stats()["most_in_flight"]
    return [
        Row("prompted", case, "wall of a step", took.wall / steps, "s", most=1.5),
        Row("prompted", case, "most requests in flight", most, "", least=900),
    ]


def measure() -> list[Row]:
    """Against both servers."""
    return instant() + slow()
