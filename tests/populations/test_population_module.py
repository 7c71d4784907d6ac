"""The room as a whole: what it exports, how lightly it loads, that seeds decide everything, and that its example runs."""

import hashlib
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import ethogram.populations

ROOT = Path(__file__).parents[2]


def python(*arguments: str, **environment: str) -> str:
    done = subprocess.run(
        [sys.executable, *arguments],
        capture_output=True,
        text=True,
        env={**os.environ, **environment},
        cwd=ROOT,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_every_exported_name_is_there_and_documented() -> None:
    assert sorted(ethogram.populations.__all__) == sorted(ethogram.populations._MODULE)
    for name in ethogram.populations.__all__:
        assert getattr(ethogram.populations, name).__doc__
    with pytest.raises(AttributeError, match="'nobody'"):
        ethogram.populations.nobody
    assert "Population" in dir(ethogram.populations)


def test_importing_loads_nothing_heavy() -> None:
    said = python(
        "-c",
        "import sys, ethogram.populations; print([m for m in ('polars', 'scipy', 'networkx', 'numba') if m in sys.modules])",
    )
    assert said.strip() == "[]"
    said = python(
        "-c",
        "import sys; from ethogram.populations import ring; ring(9, 2); print({'polars', 'numba'} & {*sys.modules})",
    )
    assert said.strip() == "set()"


DIGEST = """
import hashlib, tempfile
from pathlib import Path
import polars as pl
from ethogram.populations import *
targets = {"age": {"young": 0.3, "old": 0.7}, ("age", "sex"): {("young", "f"): 0.2, ("young", "m"): 0.1, ("old", "f"): 0.3,
           ("old", "m"): 0.4}, "town": {f"t{i}": 0.1 for i in range(10)}}
people = from_margins(targets, 300, rng=4).population
for name, network in {
    "a": homophily(people, {"age": 3.0, "town": 2.0}, 8, rng=4), "b": barabasi_albert(300, 3, rng=4),
    "c": watts_strogatz(300, 6, 0.2, rng=4), "d": followers(300, 3, follow_back=0.2, rng=4),
    "e": random_regular(300, 4, rng=4), "f": rewire(ring(300, 4), rng=4), "g": erdos_renyi(300, 0.1, directed=True, rng=4),
}.items():
    people = people.with_network(name, network)
people = people.with_columns(years=pl.Series(range(300)) % 90, working=pl.Series([True, False] * 150))
people = layered(people, household_sizes={1: 1, 3: 2}, workplace_sizes=power_law_sizes(2.0, 20), age="years", rng=4)
digest = hashlib.sha256(people.table.write_csv().encode())
for network in people.networks.values():
    digest.update(network.indptr.tobytes() + network.indices.tobytes())
result = digest.hexdigest()
"""


def test_the_same_seed_gives_the_same_population_in_a_fresh_process() -> None:
    here: dict[str, str] = {}
    exec(DIGEST, here)
    for hash_seed in ("0", "77"):
        assert python("-c", DIGEST + "print(result)", PYTHONHASHSEED=hash_seed).strip() == here["result"]
    assert len(here["result"]) == hashlib.sha256().digest_size * 2


def test_the_example_runs_and_prints_what_the_documentation_shows() -> None:
    assert len((ROOT / "examples" / "population.py").read_text().splitlines()) <= 40
    page = (ROOT / "docs" / "populations.md").read_text()
    assert '--8<-- "examples/population.py"' in page
    assert python("examples/population.py") in re.findall(r"```text\n(.*?)```", page, re.DOTALL)
