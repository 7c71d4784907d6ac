"""Result files: what a study came to at one preset and model, small enough to be committed."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from ethogram.errors import ConfigError, RunError
from ethogram.studies.execution import StudyFolder, now

__all__ = ["file_name", "usage_of", "write_result"]

HERE = Path(__file__).parent / "results"


def file_name(model: str) -> str:
    """A model's spelling as a part of a file's name: its name alone, without the address."""
    return re.sub(r"[^A-Za-z0-9._]+", "-", model.rpartition("#")[2]).strip("-.")


def usage_of(folder: StudyFolder) -> dict[str, Any]:
    """What the model calls of all of a study's runs have taken together."""
    from ethogram.records import Usage

    totals: dict[str, Any] = Usage().model_dump()
    for run in folder.runs.values():
        for key, value in run.manifest.usage.model_dump().items():
            totals[key] += value
    return totals


def write_result(folder: StudyFolder, to: Path | None = None) -> Path:
    """Write the result file of a complete study that ran at an unchanged preset.

    Args:
        folder: the study's folder.
        to: the folder of all results; by default the package's own, which the atlas reads.

    Returns:
        The file, `SLUG/PRESET--MODEL.json`.
    """
    record = folder.record
    if record.changes:
        raise ConfigError(f"{folder.path} ran with changed settings, and only an unchanged preset is kept as a result")
    measured = folder.findings.dump()["measured"]
    statements = {claim.name: claim.statement for claim in folder.study.claims}
    result = {
        "slug": record.slug,
        "preset": record.preset,
        "model": record.model,
        "seed": record.seed,
        "config": record.config,
        "versions": record.versions,
        "date": now()[:10],
        "seconds": round(record.seconds, 1),
        "usage": usage_of(folder),
        "verdicts": {n: {"statement": statements[n], **verdict._asdict()} for n, verdict in folder.verdicts.items()},
        "measured": [{key: value for key, value in m.items() if value not in (None, "")} for m in measured],
        "notes": folder.findings.notes,
    }
    path = (to or HERE) / record.slug / f"{record.preset}--{file_name(record.model) or 'no-model'}.json"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(result, indent=1, ensure_ascii=False) + "\n", "utf-8")
    except OSError as error:
        raise RunError(f"{path} cannot be written ({error.strerror}): choose another folder") from error
    return path
