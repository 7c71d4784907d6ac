"""The same server, the same run: ethogram beside other tools that let language-model agents act.

Each peer has an environment of its own in `.venv-bench/`, made when first needed. What each does in a step is said in its
script in `benchmarks/peer/`; ethogram's step does more than that of any of them (see `benchmarks/prompted.py`).
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import venv
from pathlib import Path
from typing import NamedTuple

from benchmarks.measuring import ROOT, Row, Spent, best
from benchmarks.prompted import REPEATS, step
from benchmarks.server import running

HOME = ROOT / ".venv-bench"


class Peer(NamedTuple):
    """Another tool."""

    name: str
    pins: tuple[str, ...]
    sizes: tuple[int, ...]
    """With how many agents it is measured."""
    least: tuple[int, int] = (3, 11)
    """The Python it needs."""


PEERS = (
    Peer("agentscope", ("agentscope==2.0.10",), (100, 1000)),
    Peer("edsl", ("edsl==1.0.9", "openai[aiohttp]==2.54.0"), (100,)),
    Peer("silisocs", ("silisocs==0.4.0", "openai==1.109.1"), (100,)),
    Peer("concordia", ("gdm-concordia==2.4.0",), (), (3, 12)),
)


def installed(peer: Peer) -> Path:
    """The interpreter of the peer's environment, made where there is none."""
    home = HOME / peer.name
    done = home / ".done"
    if not done.exists() or done.read_text() != " ".join(peer.pins):
        print(f"  installing {' '.join(peer.pins)} into {home.relative_to(ROOT)}", file=sys.stderr, flush=True)
        venv.create(home, with_pip=True, clear=True)
        pip = [str(home / "bin" / "python"), "-m", "pip", "--disable-pip-version-check", "install", "--quiet", *peer.pins]
        subprocess.run(pip, check=True)
        done.write_text(" ".join(peer.pins))
    return home / "bin" / "python"


def theirs(peer: Peer, n: int, root: str) -> Spent:
    """What an agent-step took the peer, with `n` agents."""
    script = ROOT / "benchmarks" / "peer" / f"run_{peer.name}.py"
    command = [str(installed(peer)), str(script), root, str(n)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=900, check=False)
    if done.returncode:
        raise RuntimeError(f"{peer.name} failed:\n{done.stderr[-2000:]}")
    found = json.loads(done.stdout.strip().splitlines()[-1])
    return Spent(found["cpu"] / found["steps"], found["wall"] / found["steps"])


def measure() -> list[Row]:
    """Agent-steps a second and CPU of each, and how many times as many ethogram makes as the fastest of them."""
    rows = []
    for peer in PEERS:
        if sys.version_info < peer.least:
            print(f"  {peer.name} needs Python {'.'.join(map(str, peer.least))}: left out", file=sys.stderr)
    with running() as server, tempfile.TemporaryDirectory() as folder:
        step(50, 3, server, Path(folder, "first"))  # warms up
        for n, steps in ((100, 30), (1000, 5)):
            case = f"{n:,} agents, instant server"
            took = best(step(n, steps, server, Path(folder, f"{n}-{turn}"))[1] for turn in range(REPEATS))
            ours = n * steps / took.wall
            rows += [
                Row("peers", case, "ethogram, agent-steps a second", ours, "/s"),
                Row("peers", case, "ethogram, CPU of an agent-step", 1e3 * took.cpu / n / steps, "ms"),
            ]
            fastest = 0.0
            for peer in PEERS:
                if n not in peer.sizes or sys.version_info < peer.least:
                    continue
                found = best(theirs(peer, n, server.root) for _ in range(REPEATS))
                speed = 1 / found.wall
                fastest = max(fastest, speed)
                rows += [
                    Row("peers", case, f"{peer.name}, agent-steps a second", speed, "/s"),
                    Row("peers", case, f"{peer.name}, CPU of an agent-step", 1e3 * found.cpu, "ms"),
                ]
            rows.append(Row("peers", case, "ethogram / fastest peer, agent-steps a second", ours / fastest, "×", least=10))
    return rows
