"""Populations in files: folders of tables that a program writes, and people files that a person writes."""

from __future__ import annotations

import json
import re
import tempfile
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from ethogram.errors import ConfigError, DataError
from ethogram.populations.network import Network
from ethogram.populations.persona import Persona
from ethogram.populations.tables import Place, TextTable, read_csv, read_table, read_text, table_of

if TYPE_CHECKING:
    from ethogram.populations.population import Population

__all__ = ["load", "read", "save"]

FORMAT = "ethogram population 1"
FORMATS = ("parquet", "csv")
_TEXT_TYPES = {
    str(dtype): dtype
    for dtype in (
        *(pl.Int8, pl.Int16, pl.Int32, pl.Int64, pl.UInt8, pl.UInt16, pl.UInt32, pl.UInt64),
        *(pl.Float32, pl.Float64, pl.Boolean, pl.String, pl.Date),
    )
}
"""The column types that a CSV file keeps."""


def save(population: Population, folder: Path, format: str) -> None:
    """See `Population.save`. Written beside the folder first, so that a crash leaves the old population or the new one."""
    if format not in FORMATS:
        raise ConfigError(f"A population is saved as {' or '.join(FORMATS)}, not as {format!r}.")
    folder = folder.resolve()
    try:
        if folder.exists() and not _replaceable(folder):
            raise DataError(f"{folder} holds something that is not a population: choose another folder.")
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f".{folder.name}-", dir=folder.parent) as scratch:
            fresh = Path(scratch, "new")
            fresh.mkdir()
            _write(population, fresh, format)
            if folder.exists():
                _exchange(fresh, folder, Path(scratch, "old"))
            else:
                fresh.rename(folder)
    except OSError as error:
        raise DataError(f"{folder} cannot be written: {error.strerror or error}.") from None


def _exchange(fresh: Path, folder: Path, old: Path) -> None:
    folder.rename(old)
    try:
        fresh.rename(folder)
    except OSError:
        old.rename(folder)
        raise


def _replaceable(folder: Path) -> bool:
    return folder.is_dir() and ((folder / "population.json").is_file() or not any(folder.iterdir()))


def _write(population: Population, folder: Path, format: str) -> None:
    people = population.table
    if objects := [column for column, dtype in people.schema.items() if dtype == pl.Object]:
        raise DataError(f"Column {objects[0]!r} holds Python objects, which cannot be saved: use text, numbers or lists.")
    if format == "csv":
        if other := [column for column, dtype in people.schema.items() if str(dtype) not in _TEXT_TYPES]:
            raise DataError(f"Column {other[0]!r} is {people.schema[other[0]]}, which CSV cannot hold: save as parquet.")
        people.write_csv(folder / "people.csv", quote_style="non_numeric")
    else:
        people.write_parquet(folder / "people.parquet")
    if population.networks:
        (folder / "networks").mkdir()
    for name, network in population.networks.items():
        network.write(folder / "networks" / f"{name}.{format}", population.names)
    about = {
        "format": FORMAT,
        "files": format,
        "agents": len(population),
        "columns": {column: str(dtype) for column, dtype in people.schema.items()},
        "networks": {
            name: {"directed": network.directed, "weighted": network.weights is not None, "edges": network.n_edges}
            for name, network in population.networks.items()
        },
    }
    (folder / "population.json").write_text(json.dumps(about, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def load(folder: Path, persona_type: type[Persona]) -> Population:
    """See `Population.load`."""
    from ethogram.populations.population import Population

    about = _about(folder / "population.json")
    people = folder / f"people.{about['files']}"
    table = _typed_csv(people, about["columns"]) if about["files"] == "csv" else read_table(people)
    if table.height != about["agents"]:
        raise DataError(f"{people} has {table.height} rows, but {folder / 'population.json'} counts {about['agents']}.")
    try:
        population = Population(table, persona_type=persona_type)
    except DataError as error:
        raise DataError(f"{people}: {error}") from None
    for name, kind in about["networks"].items():
        path = folder / "networks" / f"{name}.{about['files']}"
        network = Network.read(path, population.names, directed=kind["directed"])
        if network.n_edges != kind["edges"] or (network.weights is not None) != kind["weighted"]:
            raise DataError(f"{path} does not have the {kind['edges']} edges that {folder / 'population.json'} speaks of.")
        population = population.with_network(name, network)
    return population


def _about(path: Path) -> dict[str, Any]:
    about = _json(path)
    if not isinstance(about, dict) or about.get("format") != FORMAT:
        raise DataError(f"{path} does not describe a population: its format is not {FORMAT!r}.")
    kinds = {"files": str, "agents": int, "columns": dict, "networks": dict}
    if wrong := [key for key, kind in kinds.items() if not isinstance(about.get(key), kind)]:
        raise DataError(f"{path}: {wrong[0]} is missing or wrong.")
    if about["files"] not in FORMATS:
        raise DataError(f"{path}: files is {about['files']!r}, but must be {' or '.join(FORMATS)}.")
    for name, kind in about["networks"].items():
        keys = {"directed": bool, "weighted": bool, "edges": int}
        sound = isinstance(kind, dict) and all(isinstance(kind.get(key), type_) for key, type_ in keys.items())
        if not sound or not re.fullmatch(r"[A-Za-z0-9_-]+", name):
            raise DataError(f"{path}: the network {name!r} is not described as it must be.")
    return about


def _typed_csv(path: Path, columns: dict[str, str]) -> pl.DataFrame:
    """The table in a CSV file, its columns of the types by which they were saved."""
    if unknown := [column for column, dtype in columns.items() if dtype not in _TEXT_TYPES]:
        raise DataError(f"{path}: the column {unknown[0]!r} cannot have the type {columns[unknown[0]]!r}.")
    table = read_csv(path, text=list(columns)).table
    if table.columns != list(columns):
        raise DataError(f"{path} has the columns {', '.join(table.columns)}, not {', '.join(columns)}.")
    try:
        return table.with_columns(_parsed(column, _TEXT_TYPES[dtype]) for column, dtype in columns.items())
    except pl.exceptions.PolarsError as error:
        raise DataError(f"{path}: {str(error).strip().splitlines()[0]}.") from None


def _parsed(column: str, dtype: type[pl.DataType]) -> pl.Expr:
    text = pl.col(column)
    if dtype is pl.Boolean:
        return text.replace_strict({"true": True, "false": False}, return_dtype=pl.Boolean)
    if dtype is pl.Date:
        return text.str.to_date("%Y-%m-%d")
    return text.cast(dtype)


def read(path: Path, persona_type: type[Persona]) -> Population:
    """See `Population.read`."""
    from ethogram.populations.population import Population, check_people

    networks: dict[str, Any] = {}
    match path.suffix:
        case ".csv":
            people = read_csv(path, text=_text_fields(persona_type))
        case ".parquet":
            people = TextTable(read_table(path), lambda row: f"{path}, row {row} (from 0)")
        case ".json":
            people, networks = _listed(path, _json(path), lambda row: f"{path}, person {row + 1}")
        case ".toml":
            people, networks = _listed(path, *_toml(path))
        case other:
            raise ConfigError(f"{path}: people are read from .csv, .json, .toml or .parquet, not {other!r}.")
    check_people(people.table, persona_type, str(path), people.place)
    population = Population(people.table, persona_type=persona_type)
    for name, network in networks.items():
        try:
            population = population.with_network(name, network["edges"], directed=network.get("directed", False))
        except (DataError, ConfigError) as error:
            raise DataError(f"{path}: {error}") from None
    return population


def _text_fields(persona_type: type[Persona]) -> list[str]:
    """The columns that are text even where they look like numbers (a name 007, a post code)."""
    return [field for field, info in persona_type.model_fields.items() if info.annotation in (str, str | None)]


def _json(path: Path) -> Any:
    text = read_text(path)
    try:
        return json.loads(text)
    except RecursionError:
        raise DataError(f"{path} is nested too deeply for a file of people.") from None
    except json.JSONDecodeError as error:
        raise DataError(f"{path}, line {error.lineno}: this is not JSON: {error.msg}.") from None
    except ValueError as error:  # a number of thousands of digits
        raise DataError(f"{path}: {str(error).split(';')[0]}.") from None


def _toml(path: Path) -> tuple[Any, Place]:
    text = read_text(path)
    try:
        content = tomllib.loads(text)
    except RecursionError:
        raise DataError(f"{path} is nested too deeply for a file of people.") from None
    except ValueError as error:
        raise DataError(f"{path}: this is not TOML: {str(error).split(';')[0]}.") from None
    heads = [line for line, said in enumerate(text.splitlines(), 1) if re.match(r"\s*\[\[\s*people\s*\]\]", said)]
    return content, lambda row: f"{path}, {f'line {heads[row]}' if row < len(heads) else f'person {row + 1}'}"


def _listed(path: Path, content: Any, place: Place) -> tuple[TextTable, dict[str, Any]]:
    """The people and the networks of a JSON or TOML file."""
    if isinstance(content, list):
        content = {"people": content}
    if not isinstance(content, dict) or not isinstance(content.get("people"), list):
        raise DataError(f"{path} has no list called people.")
    if unknown := set(content) - {"people", "networks"}:
        raise DataError(f"{path}: {min(unknown)!r} is not known here; there may be people and networks.")
    people = content["people"]
    if wrong := [i for i, person in enumerate(people) if not isinstance(person, dict)]:
        raise DataError(f"{place(wrong[0])} is {people[wrong[0]]!r}, not a table of attributes.")
    networks = content.get("networks", {})
    if not isinstance(networks, dict):
        raise DataError(f"{path}: networks must be a table from the name of a network to its edges.")
    for name, network in networks.items():
        _check_network(path, name, network)
    table = table_of(people, place) if people else pl.DataFrame(schema={"name": pl.String})
    return TextTable(table, place), networks


def _check_network(path: Path, name: str, network: Any) -> None:
    if not isinstance(network, dict) or not isinstance(network.get("edges"), list):
        raise DataError(f"{path}: the network {name!r} has no list of edges.")
    if unknown := set(network) - {"edges", "directed"}:
        raise DataError(f"{path}: {min(unknown)!r} is not known in the network {name!r}; there may be edges and directed.")
    if not isinstance(network.get("directed", False), bool):
        raise DataError(f"{path}: directed must be true or false in the network {name!r}.")
    if wrong := [edge for edge in network["edges"] if not isinstance(edge, list)]:
        raise DataError(f'{path}: in the network {name!r}, {wrong[0]!r} is not an edge such as ["ann", "bob"].')
