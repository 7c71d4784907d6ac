"""Running a study: its folder, from the first byte to the verdicts.

A study folder holds `study.json` (what was asked for, with which versions, and how far it came), `runs/NAME` (a run folder
each), `findings.json`, `tables/`, `figures/`, `verdicts.json` and `report.html`.
"""

from __future__ import annotations

import contextlib
import json
import shutil
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from ethogram.aio import run_coroutine
from ethogram.errors import BudgetExhausted, CallFailed, ConfigError, EthogramError, RunError, not_installed
from ethogram.studies.claims import Verdict, judge
from ethogram.studies.findings import Findings
from ethogram.studies.lab import Lab
from ethogram.studies.registry import Study, load

__all__ = ["StudyFolder", "StudyRecord", "execute"]

FORMAT = 1


class StudyRecord(BaseModel):
    """`study.json`: what was asked for, and how far it came."""

    model_config = ConfigDict(extra="forbid")

    format: int = FORMAT
    slug: str
    study: str
    """What loads it: the slug again, or the path of a user's file."""
    preset: str
    changes: dict[str, Any]
    """Settings changed from the preset, by dotted key."""
    config: dict[str, Any]
    seed: int
    model: str
    status: Literal["running", "complete", "stopped", "interrupted", "failed"] = "running"
    reason: str = ""
    versions: dict[str, str]
    started: str
    finished: str | None = None
    seconds: float = 0.0
    """Time spent computing, all attempts together."""


class StudyFolder:
    """A study that was run, read from its folder.

    Args:
        path: the study's folder.

    Raises:
        RunError: where it is not a study folder of this format.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self.record = read_record(self.path)

    @property
    def study(self) -> Study:
        """The study's module, as it is today."""
        return load(self.record.study)

    @property
    def findings(self) -> Findings:
        """What was found; nothing where the study did not come that far."""
        return Findings.load(self.path) if (self.path / "findings.json").exists() else Findings()

    @property
    def verdicts(self) -> dict[str, Verdict]:
        """The verdicts as they were computed at the end of the study."""
        path = self.path / "verdicts.json"
        if not path.exists():
            return {}
        return {name: Verdict(**verdict) for name, verdict in json.loads(path.read_text("utf-8")).items()}

    @property
    def runs(self) -> dict[str, Any]:
        """Each run of the study that can be read, by its name."""
        from ethogram.records import Run

        folders = sorted(m.parent for m in (self.path / "runs").glob("**/manifest.json"))
        return {str(f.relative_to(self.path / "runs")): Run(f) for f in folders}


def execute(
    study: Study,
    config: BaseModel,
    to: str | Path,
    *,
    preset: str = "",
    changes: dict[str, Any] | None = None,
    seed: int = 0,
    model: str = "",
    resume: bool = False,
    progress: bool | None = None,
) -> StudyFolder:
    """Run a study into a folder.

    Args:
        study: which.
        config: its settings.
        to: the folder, absent or empty, or with `resume` the folder of the same study begun before.
        preset: which preset `config` came from, for the record.
        changes: what was changed in it.
        seed: of the study.
        model: the language model or surrogate that plays; empty where the study has none.
        resume: go on with what is in the folder.
        progress: show progress; None: where there is a terminal.

    Returns:
        The folder, its study complete or (budget) stopped. What interrupts the study is recorded and raised on.

    Raises:
        EthogramError: whatever the user can mend. Where it comes before anything ran, no folder is left behind.
    """
    from ethogram.records.manifest import versions

    path = Path(to)
    record = StudyRecord(
        slug=study.slug,
        study=study.module if study.module.endswith(".py") else study.slug,
        preset=preset,
        changes=changes or {},
        config=config.model_dump(mode="json"),
        seed=seed,
        model=model,
        versions=versions(),
        started=now(),
    )
    created = not path.exists()
    record = _begin(path, record, resume)
    lab = Lab(path, seed, model, progress)
    begun, before = time.monotonic(), record.seconds
    outcome: dict[str, Any] = {"status": "failed", "reason": "an error in the program"}
    try:
        findings = _carried_out(study, config, lab)
        if lab.stopped:
            findings.note(f"A budget ended a run early: {lab.stopped}.")
        outcome = {"status": "stopped" if lab.stopped else "complete", "reason": lab.stopped}
        _save(path, study, findings)
    except BudgetExhausted as error:
        outcome = {"status": "stopped", "reason": str(error)}
    except KeyboardInterrupt:
        outcome = {"status": "interrupted", "reason": "interrupted from the keyboard"}
        raise
    except EthogramError as error:
        outcome = {"status": "failed", "reason": str(error)}
        if created and _empty(path):
            shutil.rmtree(path)
        raise
    finally:
        if path.exists():
            seconds = before + time.monotonic() - begun
            write_record(path, record.model_copy(update={**outcome, "finished": now(), "seconds": seconds}))
    return StudyFolder(path)


def _carried_out(study: Study, config: BaseModel, lab: Lab) -> Findings:
    try:
        return study.run(config, lab)
    except ModuleNotFoundError as error:
        raise not_installed(error, f"the study {study.slug!r}") from error


def _begin(path: Path, record: StudyRecord, resume: bool) -> StudyRecord:
    """Make or re-enter the folder; the record with the time already spent on it."""
    if (path / "study.json").exists():
        if not resume:
            raise RunError(f"{path} holds a study already: resume it with --resume, or choose another folder")
        old = read_record(path)
        for key in ("study", "config", "seed", "model"):
            ours, theirs = getattr(record, key), getattr(old, key)
            if ours != theirs:
                raise RunError(f"{path} was begun with {differing(key, theirs, ours)}: choose another folder")
        spent = old.seconds + (_unrecorded(path) if old.status == "running" else 0.0)
        record = record.model_copy(update={"started": old.started, "seconds": spent})
    elif path.exists() and (not path.is_dir() or any(path.iterdir())):
        raise RunError(f"{path} is there already and is not a study's folder: choose another one")
    elif resume and not path.exists():
        raise RunError(f"there is nothing to resume in {path}: leave out --resume, or check the settings it was run with")
    try:
        path.mkdir(parents=True, exist_ok=True)
        write_record(path, record)
    except OSError as error:
        raise RunError(f"{path} cannot be written ({error.strerror}): choose another folder") from error
    return record


def _unrecorded(path: Path) -> float:
    """Seconds that an attempt was at work which was killed: from when it wrote `study.json` to the last that it kept."""
    begun = (path / "study.json").stat().st_mtime
    return max(0.0, *(file.stat().st_mtime - begun for file in path.rglob("*") if file.is_file()))


def _empty(path: Path) -> bool:
    """Whether nothing was computed or paid for in a study's folder."""
    from ethogram.records import Manifest

    if any(file.is_file() for kept in ("parts", "made") for file in path.glob(f"{kept}/**/*")):
        return False
    manifests = [Manifest.read(file.parent) for file in path.glob("runs/**/manifest.json")]
    return all(not m.steps_done and m.usage.calls == m.usage.failed for m in manifests)


def differing(key: str, theirs: Any, ours: Any) -> str:
    """How two values differ, the first difference inside of a config."""
    if isinstance(theirs, dict) and isinstance(ours, dict):
        for inner in [*theirs, *ours]:
            if theirs.get(inner) != ours.get(inner):
                return differing(f"{key}.{inner}", theirs.get(inner), ours.get(inner))
    return f"{key} = {theirs!r}, not {ours!r}"


def _save(path: Path, study: Study, findings: Findings) -> None:
    """Write findings and verdicts."""
    try:
        findings.save(path)
        verdicts = {name: verdict._asdict() for name, verdict in judge(study.claims, findings).items()}
        (path / "verdicts.json").write_text(json.dumps(verdicts, indent=1, ensure_ascii=False) + "\n", "utf-8")
    except OSError as error:
        raise RunError(f"the findings cannot be written to {path} ({error.strerror}): make room and --resume") from error


def read_record(path: Path) -> StudyRecord:
    """`study.json` of a folder; RunError where it is none, broken, or of another version."""
    file = path / "study.json"
    if not path.exists():
        raise RunError(f"there is no folder {path}: give the folder of a study or run")
    try:
        data = json.loads(file.read_text("utf-8"))
        if data.get("format") != FORMAT:
            raise RunError(
                f"{path} is a study folder of format {data.get('format')}, and this version of ethogram reads "
                f"format {FORMAT}: open it with the version that wrote it"
            )
        return StudyRecord.model_validate(data)
    except FileNotFoundError:
        raise RunError(f"{path} is not a study's folder: it has no study.json") from None
    except (OSError, ValueError, AttributeError, ValidationError) as error:
        what = error.errors()[0]["msg"] if isinstance(error, ValidationError) else error
        raise RunError(f"{file} cannot be read ({what}): restore it from a copy") from error


def write_record(path: Path, record: StudyRecord) -> None:
    """Replace `study.json` in one go."""
    from ethogram.records.manifest import replace_file

    replace_file(path / "study.json", record.model_dump_json(indent=1).encode() + b"\n")


def now() -> str:
    """The time as records have it: UTC, ISO 8601, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def check_model(study: Study, model: str | None) -> str:
    """The model a study is to be run with: the one asked for, or the study's own.

    Raises:
        ConfigError: the study has no use for one.
        ModelError: it cannot be used.
    """
    if not study.model:
        if model:
            raise ConfigError(f"study {study.slug} uses no language model, so leave out --model {model}")
        return ""
    chosen = model or study.model
    if chosen not in study.surrogates:
        reach(chosen)
    return chosen


def reach(spec: str) -> None:
    """See that a model can be used before anything is begun; one at an endpoint on this machine is really called.

    Raises:
        ModelError: it cannot.
    """
    from ethogram.language import model

    made = model(spec)
    if "//127.0.0.1" not in spec and "//localhost" not in spec:  # a remote call may cost money, and none was announced yet
        return

    async def call() -> None:
        async with made:
            with contextlib.suppress(CallFailed):  # it answers, if not well: that is for the run to cope with
                await made.probe()

    run_coroutine(call())
