"""How soon the studio shows a record of 100,000 steps, and how soon it answers the scrubber, in a real browser.

The record is that of a town of eight people who all act at every step: 800,000 rows, no observation like another.
"""

from __future__ import annotations

import socket
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from benchmarks.measuring import Row
from ethogram.records import Run
from ethogram.records.journal import Commit
from ethogram.records.recorder import Recorder
from ethogram.records.tables import StepCodec

STEPS = 100_000
SCRUBS = 200
CHROMIUM = "/usr/bin/chromium"
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
MOVE = """
    () => new Promise((done) => {
      const label = document.querySelector(".timeline .moment"), began = performance.now();
      new MutationObserver((_, watch) => { watch.disconnect(); done(performance.now() - began); })
        .observe(label, { childList: true, characterData: true, subtree: true });
      const slider = document.querySelector(".timeline .q-slider").getBoundingClientRect();
      const where = { clientX: slider.left + Math.random() * slider.width, clientY: slider.top + slider.height / 2 };
      const target = document.querySelector(".timeline .q-slider__track-container");
      for (const kind of ["mousedown", "mouseup"])
        target.dispatchEvent(new MouseEvent(kind, { ...where, button: 0, bubbles: true, cancelable: true }));
    })
"""
"""Moves the slider to a random moment; the milliseconds until the page tells another one."""

PIECE = 5_000
"""Steps written at once."""


def lengthened(run: Run, to: Path, steps: int) -> Run:
    """Write a record of `steps` steps in which all agents of a town's `run` act, each observation with its time."""
    manifest = run.manifest.model_copy(
        update={"recipe": None, "status": "running", "sealed": 0, "segments": [], "checkpoints": [], "steps_done": 0}
    )
    codec = StepCodec(manifest.spaces)
    rows = run.arrow("steps")
    agents = manifest.agents
    recorder = Recorder.create(to, manifest, codec)
    rest = [
        (text or ",")[(text or ",").index(",") :] for text in rows["observation"].to_pylist()
    ]  # behind the time, so that all differ
    own = [np.flatnonzero(np.array(rows["agent"].to_pylist()) == agent)[:-2] for agent in agents]
    for first in range(0, steps, PIECE):
        n = min(PIECE, steps - first)
        step = np.repeat(np.arange(first, first + n), len(agents))
        picked = np.stack([some[np.arange(first, first + n) % len(some)] for some in own], axis=1).ravel()
        seen = [f'{{"time":{420.0 + 10 * s}{rest[k]}' for s, k in zip(step.tolist(), picked.tolist(), strict=True)]
        done = rows["action"].take(pa.array(picked)).combine_chunks()
        batch = pa.RecordBatch.from_arrays(
            [
                pa.array(np.zeros(len(step), np.int32)),
                pa.array(step.astype(np.int32)),
                pa.array(420.0 + 10.0 * step),
                pa.array(agents * n, pa.string()),
                pa.array(seen, pa.string()),
                done,
                pa.array(np.zeros(len(step))),
                pa.array([""] * len(step), pa.string()),
                pa.nulls(len(step), pa.string()),
            ],
            schema=codec.schema,
        )
        recorder.commit(Commit(0, first + n - 1, batch, [], n))
        manifest.steps_done += n
        if recorder.wants_sealing:
            recorder.seal(None)
    recorder.finish("complete", "", 1.0, None, "")
    recorder.close()
    return Run(to)


def measure() -> list[Row]:
    """The studio's figures."""
    from playwright.sync_api import sync_playwright

    from ethogram.simulation import simulate
    from ethogram.studies.society._town import town

    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        root = Path(folder) / "runs"
        short = simulate(town(start="07:00", end="12:00"), seed=1, to=Path(folder) / "short", progress=False)
        lengthened(short, root / "long", STEPS)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        words = [sys.executable, "-c", "from ethogram.cli import main; main()", "studio", "--root", str(root), "--no-open"]
        served = subprocess.Popen([*words, "--port", str(port)], stdout=subprocess.PIPE, text=True)
        try:
            assert served.stdout is not None
            served.stdout.readline()
            browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
            return looked(browser.new_page(viewport={"width": 1280, "height": 720}), f"http://127.0.0.1:{port}")
        finally:
            served.terminate()


def looked(page: Any, url: str) -> list[Row]:
    """Open the record and move through it."""
    for _ in range(100):
        try:
            page.goto(url)
            break
        except Exception:
            time.sleep(0.1)
    began = time.perf_counter()
    page.goto(f"{url}/run?path=long&step=70000")
    page.wait_for_selector(".person")
    first = time.perf_counter() - began
    page.wait_for_timeout(3000)
    waits = []
    for _ in range(SCRUBS):
        waits.append(page.evaluate(MOVE))
        page.wait_for_timeout(60)
    case = f"{STEPS:,} steps of 8 people"
    return [
        Row("studio", case, "first view", first, "s", most=2),
        Row("studio", case, "scrubbing, median", statistics.median(waits), "ms"),
        Row("studio", case, "scrubbing, 95th percentile", float(np.percentile(waits, 95)), "ms", most=100),
    ]
