"""A small made-up New York in the file format of the wheel `agent-torch`: for quick runs without the data, and for tests."""

from __future__ import annotations

import json
import struct
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np

from ethogram.seeds import generator
from ethogram.studies.society._agenttorch_data import BOROUGHS, MODELS, MONTHS, PEOPLE

__all__ = ["pickled", "write"]

WORDS = {
    "age": ["20t29", "30t39", "40t49", "50t64", "65A", "U19"],
    "gender": ["male", "female"],
    "ethnicity": ["white", "black", "hispanic", "asian"],
    "area": ["XX0101", "XX0102"],
}
NEIGHBOURHOODS = ("Northside", "Southside", "Eastside", "Westside", "Midtown")


def pickled(values: np.ndarray[Any, Any]) -> bytes:
    """The opcodes in which the wheel keeps a series: names, one buffer, its dtype and its length; not a whole pickle."""

    def text(word: str) -> bytes:
        return b"\x8c" + bytes([len(word)]) + word.encode()

    kind = f"{values.dtype.kind}{values.dtype.itemsize}"
    data = values.astype(values.dtype.newbyteorder("<")).tobytes()
    parts = [text("pandas.core.series"), text("Series"), b"(", b"\x96", struct.pack("<Q", len(data)), data]
    parts += [text("numpy"), text("dtype"), text(kind), text("<"), b"J", struct.pack("<i", len(values))]
    return b"\x80\x05" + b"".join(parts) + b"."


def write(folder: Path, n: int = 1000, city: int = 3000, weeks: int = 64, seed: int = 0) -> Path:
    """Write the files that `_agenttorch_data` reads, with made-up numbers: waves of cases, one shock to labour.

    Args:
        folder: where to; `agent_torch/` is made below.
        n: people of `astoria`, with ten random ties each.
        city: people of `NYC`, without ties.
        weeks: of cases.
        seed: of all that is made up.
    """
    rng = generator(seed, "synthetic New York")
    for which, people in (("astoria", n), ("NYC", city)):
        place = folder / PEOPLE / which
        (place / "mobility_networks").mkdir(parents=True, exist_ok=True)
        (place / "mapping.json").write_text(json.dumps(WORDS))
        for attribute, known in WORDS.items():
            (place / f"{attribute}.pickle").write_bytes(pickled(rng.integers(0, len(known), people)))
    ends = rng.integers(0, n, (5 * n, 2))
    np.savetxt(folder / PEOPLE / "astoria" / "mobility_networks" / "0.csv", ends, "%d", delimiter=",")
    _cases(folder / MODELS / "covid" / "data", n, weeks, rng)
    _labour(folder, rng)
    return folder


def _cases(folder: Path, n: int, weeks: int, rng: np.random.Generator) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    lines = ["date,neighborhood,cases_week"]
    for i, name in enumerate(NEIGHBOURHOODS):
        wave = np.exp(1.2 * np.sin(2 * np.pi * (np.arange(weeks) + 2 * i) / 26))
        for week, mean in enumerate(0.006 * n * wave):
            lines.append(f"{date(2020, 8, 8) + timedelta(weeks=week):%Y/%m/%d},{name},{rng.poisson(mean)}.0")
    (folder / "county_data.csv").write_text("\n".join(lines) + "\n")


def _labour(folder: Path, rng: np.random.Generator, months: int = 60) -> None:
    tables = folder / MODELS / "macro_economics" / "data" / "unemployment_rate_csvs"
    tables.mkdir(parents=True, exist_ok=True)
    for borough in BOROUGHS:
        force = rng.uniform(2e5, 1e6) * (1 + 0.01 * rng.standard_normal(months))
        claims = 0.02 * force * (1 + 9 * np.exp(-np.abs(np.arange(months) - 17) / 6))
        rate = 2.5 * np.log(claims) - 5 * np.log(force) + rng.normal(0, 0.2, months)
        rate += 5 - rate.min()
        lines = ["Labor Force Data,,,,,,"]
        for month in range(months):
            cells = [f'"\t{force[month]:,.0f} "', '"\t0 "', '"\t0 "', f"\t{rate[month]:.1f} "]
            lines.append(",".join([borough, str(2019 + month // 12), MONTHS[month % 12], *cells]))
        (tables / f"{borough}-Table.csv").write_text("\n".join(lines) + "\n")
        paid = [f"{borough},{c:.0f},{1300 * c:.0f},{month}" for month, c in enumerate(claims)]
        name = f"processed_{borough.lower().replace(' ', '_')}_UI_claims.csv"
        (folder / PEOPLE / "NYC" / name).write_text("\n".join(["county,beneficiaries,total_amount,month", *paid]) + "\n")
