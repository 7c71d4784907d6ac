from collections.abc import Callable, Iterator

import pytest
from language_tools import Server


@pytest.fixture
def serve() -> Iterator[Callable[..., Server]]:
    """Starts server processes with the arguments given; they end with the test."""
    running: list[Server] = []

    def start(*args: object) -> Server:
        running.append(Server(*args))
        return running[-1]

    yield start
    for server in running:
        server.stop()


@pytest.fixture(autouse=True)
def no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """The user's own settings play no part."""
    for name in ("OPENAI_API_KEY", "OPENAI_BASE_URL", "ETHOGRAM_API_KEY", "ETHOGRAM_PRICES", "ETHOGRAM_MODELS"):
        monkeypatch.delenv(name, raising=False)
