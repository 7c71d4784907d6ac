"""What holds for all tests: interrupts work, and slow ones come first, so that they do not hold up a parallel run's end."""

from __future__ import annotations

import signal

import pytest


def pytest_configure() -> None:
    """Begin with interrupts handled as Python does: who is started in the background by a shell ignores them."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: item.get_closest_marker("slow") is None)
