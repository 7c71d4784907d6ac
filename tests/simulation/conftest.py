"""Real chat servers in processes of their own."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

SERVER = Path(__file__).parents[1] / "language" / "server.py"


class ChatServer:
    """A running server; `stop` ends its process."""

    def __init__(self, port: int, *words: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, str(SERVER), "--port", str(port), *words], stdout=subprocess.PIPE, text=True
        )
        assert self.process.stdout is not None
        assert int(self.process.stdout.readline()) == port
        self.root = f"http://127.0.0.1:{port}"
        self.spec = f"{self.root}/v1#mock"

    def stats(self) -> dict[str, Any]:
        with urllib.request.urlopen(self.root + "/stats", timeout=10) as reply:
            return json.load(reply)

    def stop(self) -> None:
        self.process.kill()
        self.process.wait()
        if self.process.stdout:
            self.process.stdout.close()


@pytest.fixture
def chat_server() -> Iterator[Callable[..., ChatServer]]:
    """Starts servers one after another at the same address, so that their calls have the same content keys."""
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        port = s.getsockname()[1]
    running: list[ChatServer] = []

    def start(*words: str) -> ChatServer:
        for server in running:
            server.stop()
        running[:] = [ChatServer(port, *words)]
        return running[0]

    yield start
    for server in running:
        server.stop()
