"""The benchmarks can be run: their parts are there, their server answers, and goals are compared the right way round."""

from __future__ import annotations

import importlib
from pathlib import Path

import pytest

from benchmarks.__main__ import PARTS, keep, markdown
from benchmarks.measuring import Row, machine
from benchmarks.prompted import body_like, ceiling, market, step
from benchmarks.records import bare, compare, numbers, people, size
from benchmarks.server import running
from ethogram.simulation import replay


@pytest.mark.parametrize("part", PARTS)
def test_every_part_can_be_measured(part: str) -> None:
    assert callable(importlib.import_module(f"benchmarks.{part}").measure)


def test_goals_are_at_most_or_at_least() -> None:
    assert Row("p", "c", "f", 0.9, "ms", most=1).met is True
    assert Row("p", "c", "f", 1.1, "ms", most=1).met is False
    assert Row("p", "c", "f", 9.0, "×", least=10).met is False
    assert Row("p", "c", "f", 10.0, "×", least=10).met is True
    assert Row("p", "c", "f", 10.0, "×").met is None


def test_prompted_agents_play_against_the_server_and_are_replayed(tmp_path: Path) -> None:
    import asyncio

    with running() as server:
        run, _ = step(5, 2, server, tmp_path / "run")
        assert server.stats()["calls"] == 10
        asyncio.run(ceiling(server, 20, body_like(run), at_once=4))
        assert server.stats()["calls"] == 30
        found = replay(run, market(5, server))
        assert found.exact and found.agent_steps == 10
        assert server.stats()["calls"] == 30


def test_a_slow_server_counts_what_is_in_flight(tmp_path: Path) -> None:
    with running(0.2) as server:
        step(20, 1, server, tmp_path / "run")
        assert server.stats() == {"calls": 20, "most_in_flight": 20}


@pytest.mark.parametrize("film", [numbers(10), people(5)], ids=["numbers", "people"])
def test_bare_pyarrow_writes_as_many_rows(film: object, tmp_path: Path) -> None:
    import pyarrow.parquet as pq

    bare(film, 4, tmp_path / "bare.parquet")  # type: ignore[arg-type]
    assert pq.read_metadata(tmp_path / "bare.parquet").num_rows == 4 * len(film.possible_agents)  # type: ignore[attr-defined]
    assert size(tmp_path) == size(tmp_path / "bare.parquet") > 0


def test_records_are_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("benchmarks.records.REPEATS", 1)
    rows = compare("a film", numbers(200), 20)
    assert {row.figure for row in rows} >= {"rows a CPU second", "bytes, ours / bare pyarrow"}


def test_the_page_names_machine_and_misses(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from datetime import UTC, datetime

    monkeypatch.setattr("benchmarks.__main__.RESULTS", tmp_path)
    keep(
        "loop", [Row("loop", "a case", "a figure", 2.0, "ms", most=1)], {**machine(), "load after": [0.0]}, datetime.now(UTC)
    )
    keep("start", [Row("start", "other", "figure", 2.0, "ms")], {**machine(), "load after": [0.0]}, datetime.now(UTC))
    page = (tmp_path / "latest.md").read_text("utf-8")
    assert "| a case | a figure | 2 ms | ≤ 1 | **missed** |" in page and "## start" in page
    assert machine()["python"] in page and markdown("loop") in page
