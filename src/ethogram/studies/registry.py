"""Studies by name: one module each in `studies/<family>/`, found without importing the others."""

from __future__ import annotations

import difflib
import importlib
import importlib.util
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

from pydantic import BaseModel, ValidationError

from ethogram.errors import ConfigError, not_installed
from ethogram.studies.catalog import FAMILIES, catalog
from ethogram.studies.claims import Claim, Paper
from ethogram.studies.findings import Findings

__all__ = ["Study", "load", "names"]

HERE = Path(__file__).parent
USER = "user_study_"
"""Prefix of the module name that a user's study file is imported under."""


@dataclass(frozen=True)
class Study:
    """A study as its module defines it. The module has these names at its top level:

    `paper` (a `Paper`), `cell` (as in `coded world, prompted policies`), `Config` (a pydantic model that forbids extra
    keys), `presets` (a Config for each of `smoke`, `laptop`, `paper`, and more if it likes), `run(config, lab) -> Findings`
    and `claims` (a tuple of `Claim`). If language models play in it, also `model` (the default one's spelling) and
    `surrogates` (words accepted in place of a model, such as `coded`). If it likes, `tags`.
    """

    slug: str
    module: str
    """The module's importable name, or a path of a user's file."""
    paper: Paper
    cell: str
    Config: type[BaseModel]
    presets: Mapping[str, BaseModel]
    run: Callable[..., Findings] = field(repr=False)
    claims: tuple[Claim, ...] = field(repr=False)
    model: str = ""
    surrogates: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    about: str = field(default="", repr=False)
    """The first paragraph of the module's docstring."""

    def configure(self, preset: str, changes: Mapping[str, Any] | None = None) -> BaseModel:
        """The preset's config with `changes` made: keys may be dotted, as in `memory.decay`.

        Raises:
            ConfigError: unknown preset or key, or a value that does not fit.
        """
        if preset not in self.presets:
            raise ConfigError(
                f"study {self.slug} has no preset {preset!r}{nearest(preset, self.presets)}; "
                f"it has: {', '.join(self.presets)}"
            )
        data = self.presets[preset].model_dump()
        for key, value in (changes or {}).items():
            self._change(data, key, value)
        try:
            return self.Config.model_validate(data)
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(map(str, first["loc"])) or "the config"
            raise ConfigError(f"study {self.slug}: {where} = {first['input']!r} is wrong: {first['msg']}") from error

    def _change(self, data: dict[str, Any], key: str, value: Any) -> None:
        """Set one possibly dotted key in the dumped config."""
        *outer, last = key.split(".")
        place: Any = data
        for part in outer:
            place = place.get(part) if isinstance(place, dict) else None
        if not isinstance(place, dict) or last not in place:
            known = dotted(data)
            raise ConfigError(f"study {self.slug} has no setting {key!r}{nearest(key, known)}; it has: {', '.join(known)}")
        place[last] = value


@cache
def modules() -> Mapping[str, str]:
    """The importable module of each study by slug, read from the file names alone."""
    return {
        path.stem.replace("_", "-"): f"ethogram.studies.{family}.{path.stem}"
        for family in FAMILIES
        for path in sorted((HERE / family).glob("*.py"))
        if not path.stem.startswith("_")
    }


def names() -> list[str]:
    """The slugs of all built-in studies, by family and name. Imports none of them."""
    return list(modules())


def load(slug: str) -> Study:
    """A study by its slug, or a user's own from the path of its `.py` file.

    Raises:
        ConfigError: no such study or file, or the module lacks a part.
    """
    if slug.endswith(".py"):
        return as_study(user_module(Path(slug)), Path(slug).stem.replace("_", "-"), str(Path(slug).resolve()))
    if slug not in modules():
        raise ConfigError(_unknown(slug))
    name = modules()[slug]
    try:
        return as_study(importlib.import_module(name), slug, name)
    except ModuleNotFoundError as error:
        raise not_installed(error, f"the study {slug!r}") from error


def user_module(path: Path) -> ModuleType:
    """Import a user's file under a name of its own, which scenes defined in it are rebuilt by."""
    if not path.is_file():
        raise ConfigError(f"there is no study file {path}")
    name = USER + path.stem
    present = sys.modules.get(name)
    if present is not None and present.__file__ == str(path.resolve()):
        return present
    spec = importlib.util.spec_from_file_location(name, path.resolve())
    if spec is None or spec.loader is None:
        raise ConfigError(f"{path} cannot be imported as a study")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    if (folder := str(path.resolve().parent)) not in sys.path:
        sys.path.insert(0, folder)  # as Python does for a script, so that a study can import what lies beside it
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        del sys.modules[name]
        raise ConfigError(f"the study file {path} cannot be imported: {type(error).__name__}: {error}") from error
    return module


def as_study(module: ModuleType, slug: str, name: str) -> Study:
    """A module as a Study; ConfigError where a part is missing or of the wrong type."""
    wanted: dict[str, type] = {"paper": Paper, "cell": str, "Config": type, "presets": dict, "claims": tuple}
    for part, kind in wanted.items():
        if not isinstance(getattr(module, part, None), kind):
            raise ConfigError(f"the study {name} must define {part} (a {kind.__name__})")
    if not callable(getattr(module, "run", None)):
        raise ConfigError(f"the study {name} must define run(config, lab)")
    if not issubclass(module.Config, BaseModel) or module.Config.model_config.get("extra") != "forbid":
        raise ConfigError(f"the study {name} must define Config as a pydantic model with extra='forbid'")
    claim_names = [claim.name for claim in module.claims]
    if len(set(claim_names)) < len(claim_names):
        raise ConfigError(f"the study {name} has two claims of one name")
    return Study(
        slug,
        name,
        module.paper,
        module.cell,
        module.Config,
        module.presets,
        module.run,
        module.claims,
        getattr(module, "model", ""),
        tuple(getattr(module, "surrogates", ())),
        tuple(getattr(module, "tags", ())),
        (module.__doc__ or "").strip().split("\n\n")[0].replace("\n", " "),
    )


def nearest(word: str, known: Any) -> str:
    """`; did you mean 'x'?` where something known is close to the word, else nothing."""
    close = difflib.get_close_matches(word, list(known), n=1, cutoff=0.5)
    return f", did you mean {close[0]!r}?" if close else ""


def dotted(data: Mapping[str, Any], prefix: str = "") -> list[str]:
    """The keys of nested mappings, dotted."""
    keys = []
    for key, value in data.items():
        keys += dotted(value, f"{prefix}{key}.") if isinstance(value, dict) and value else [f"{prefix}{key}"]
    return keys


def _unknown(slug: str) -> str:
    """Why a slug cannot be loaded: it is in the catalogue but not there yet, or it is nowhere."""
    systems = {system.slug for system in catalog()}
    if slug in systems:
        return f"the study {slug!r} is in the catalogue but not written yet; `ethogram atlas` says which are"
    hint = nearest(slug, [*modules(), *systems])
    return f"there is no study {slug!r}{hint or '; `ethogram atlas` lists all of them'}"
