"""What the tests of language models share: a space, a run's session, and a real server process."""

from __future__ import annotations

import json
import subprocess
import sys
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, Field

from ethogram.session import Call
from ethogram.simulation.sessions import RunSession
from ethogram.spaces import Verbs

SERVER = Path(__file__).parent / "server.py"


class Say(BaseModel):
    """Say something to somebody."""

    to: Literal["Ann", "Bob"]
    text: str = Field(max_length=40)


class Wait(BaseModel):
    """Do nothing."""


VERBS = Verbs(Say, Wait)
HELLO = '{"verb": "say", "to": "Ann", "text": "Hello"}'


@dataclass
class Run:
    """A run's session with what it was told."""

    seed: int = 1
    expected: int | None = None
    calls: list[Call] = field(default_factory=list)
    said: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.session = RunSession(self.seed, lambda order, call: self.calls.append(call), self.said.append, self.expected)
        self.session.at(0, 0)

    def resumed(self) -> Run:
        """A run that goes again, answered from what this one recorded."""
        again = Run(self.seed)
        again.session.answer_from(enumerate(self.calls))
        return again


class Server:
    """The test server as a process."""

    def __init__(self, *args: object) -> None:
        command = [sys.executable, str(SERVER), *map(str, args)]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        self.port = int(self.process.stdout.readline())
        self.base = f"http://127.0.0.1:{self.port}"
        self.spec = f"{self.base}/v1#mock"

    def stats(self) -> dict:
        with urllib.request.urlopen(f"{self.base}/stats", timeout=10) as response:
            return json.load(response)

    def stop(self) -> None:
        self.process.kill()
        self.process.wait()
        assert self.process.stdout is not None
        self.process.stdout.close()
