"""Twin-2K-500: what 2,058 people answered to some 500 questions, in the layout in which it is published; a loader of files.

Source: Toubia et al. (2025), "Twin-2K-500"; the answers are on a public hub of data sets (LLM-Digital-Twin/Twin-2K-500), the
layout was read from the authors' programs (github tianyipeng-lab/Digital-Twin-Simulation, Apache-2.0). Nothing of it is
shipped with ethogram. A person is a file `pid_NUMBER_….json`: blocks, and branches of blocks, of questions with answers.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from ethogram.errors import DataError

if TYPE_CHECKING:
    import polars as pl

__all__ = ["Answer", "answers", "pairs", "person"]

SINGLE = ("SAVR", "SAHR")
"""Selectors of multiple-choice questions of which one option may be chosen."""


class Answer(NamedTuple):
    """What a person answered to a question, or to a row of one."""

    column: str
    """The question's id, with the id of the row where it has several, or the place of the option where several may apply."""
    question: str
    text: str
    """The answer in words; empty where there is none."""
    value: float | None
    """The place of the option from 1, the number given, 1 or 0 for an option that applies or not; None for words."""


def person(path: str | Path) -> list[Answer]:
    """All that a person was asked, in order.

    Raises:
        DataError: the file cannot be read, or is not of the published layout; the message says where.
    """
    path = Path(path)
    try:
        content = json.loads(path.read_text("utf-8"))
        content = json.loads(content) if isinstance(content, str) else content  # some files are JSON within a JSON text
    except (OSError, ValueError) as error:
        raise DataError(f"{path} is no readable JSON: {error}") from error
    elements = content.get("Elements") if isinstance(content, Mapping) else content
    found: list[Answer] = []
    for place, question in enumerate(_questions(elements, str(path))):
        where = f"{path}, question {question.get('QuestionID', place + 1)}"
        found += _answers(question, where)
    return found


def pairs(given: Sequence[Answer]) -> list[tuple[str, str]]:
    """Questions and answers in words, those that were answered: what `populations.depths.answered` makes a persona of."""
    return [(answer.question, answer.text) for answer in given if answer.text]


def answers(folder: str | Path, pattern: str = "pid_*.json") -> pl.DataFrame:
    """The answers of all people in a folder: `TWIN_ID`, and a column of numbers for each question; words are left out.

    Raises:
        DataError: there are no such files, or one is not of the published layout.
    """
    import polars as pl

    rows = []
    for path in sorted(Path(folder).glob(pattern)):
        named = re.match(r"pid_(\d+)", path.name)
        if named is None:
            raise DataError(f"{path}: the name of a person's file begins with pid_ and a number")
        numbers = {answer.column: answer.value for answer in person(path) if answer.value is not None}
        rows.append({"TWIN_ID": int(named[1]), **numbers})
    if not rows:
        raise DataError(f"{folder} holds no file {pattern}: get the people of Twin-2K-500 from its authors, a file each")
    columns = dict.fromkeys(name for row in rows for name in row)
    schema = {name: pl.Int64 if name == "TWIN_ID" else pl.Float64 for name in columns}
    return pl.DataFrame(rows, schema=schema).sort("TWIN_ID")


def _questions(elements: Any, where: str) -> Iterator[Mapping[str, Any]]:
    """The questions of blocks, and of those in branches."""
    if not isinstance(elements, list) or not all(isinstance(element, Mapping) for element in elements):
        raise DataError(f"{where} is not of the layout of Twin-2K-500: a list of blocks and branches is wanted")
    for element in elements:
        if element.get("ElementType") == "Branch":
            yield from _questions(element.get("Elements", []), where)
        elif element.get("ElementType") == "Block":
            several = element.get("Questions") or []
            yield from several.values() if isinstance(several, Mapping) else several


def _answers(question: Mapping[str, Any], where: str) -> list[Answer]:
    kind, name, given = question.get("QuestionType"), question.get("QuestionID", ""), question.get("Answers") or {}
    asked = plain(question.get("QuestionText"))
    if kind == "DB":  # a text without a question
        return []
    if not name or not isinstance(given, Mapping):
        raise DataError(f"{where} has no id, or answers that are no object")
    try:
        match kind:
            case "MC":
                return _choice(question, name, asked, given)
            case "Matrix":
                places, texts = (_listed(given.get(key)) for key in ("SelectedByPosition", "SelectedText"))
                return _rows(question, name, asked, texts, places)
            case "Slider":
                values = _listed(given.get("Values"))
                return _rows(question, name, asked, values, values)
            case "TE":
                return _words(question, name, asked, given)
    except (TypeError, ValueError, AttributeError) as error:
        raise DataError(f"{where} is not as questions of the type {kind} are: {error}") from error
    raise DataError(f"{where} is of the type {kind!r}, which is not known here")


def _choice(question: Mapping[str, Any], name: str, asked: str, given: Mapping[str, Any]) -> list[Answer]:
    options = [plain(option) for option in question.get("Options") or []]
    places = [int(place) for place in _listed(given.get("SelectedByPosition"))]
    texts = [plain(text) for text in _listed(given.get("SelectedText"))] or [options[place - 1] for place in places]
    if (question.get("Settings") or {}).get("Selector") in SINGLE:
        return [Answer(name, asked, texts[0] if texts else "", float(places[0]) if places else None)]
    if not places:
        return [Answer(f"{name}_{k}", f"{asked} {option}", "", None) for k, option in enumerate(options, 1)]
    return [
        Answer(f"{name}_{k}", f"{asked} {option}", "yes" if k in places else "no", float(k in places))
        for k, option in enumerate(options, 1)
    ]


def _rows(question: Mapping[str, Any], name: str, asked: str, texts: list[Any], values: list[Any]) -> list[Answer]:
    """An answer a row of a matrix or of several sliders; a single slider has the question's own name."""
    kind = "Statements" if question.get("Statements") or question.get("StatementsID") else "Rows"
    rows = [plain(row) for row in question.get(kind) or [""] * max(1, len(values))]
    ids = question.get(f"{kind}ID") or range(1, len(rows) + 1)
    single = question.get("QuestionType") == "Slider" and len(rows) == 1
    found = []
    for place, (row, one) in enumerate(zip(rows, ids, strict=True)):
        value = _number(values[place]) if place < len(values) else None
        text = plain(texts[place]) if place < len(texts) else ""
        found.append(Answer(name if single else f"{name}_{one}", f"{asked} {row}".strip(), text, value))
    return found


def _words(question: Mapping[str, Any], name: str, asked: str, given: Mapping[str, Any]) -> list[Answer]:
    """What was written: into one field, or into a form of several, whose answers are a list of objects by row."""
    written = given.get("Text")
    if not isinstance(written, list):
        return [Answer(name, asked, plain(written), _number(written))]
    form = {key: text for part in written if isinstance(part, Mapping) for key, text in part.items()}
    rows = question.get("Rows") or list(form)
    ids = question.get("RowsID") or range(1, len(rows) + 1)
    return [
        Answer(f"{name}_{one}", f"{asked} {plain(row)}".strip(), plain(form.get(row)), _number(form.get(row)))
        for row, one in zip(rows, ids, strict=True)
    ]


def _listed(value: Any) -> list[Any]:
    if value is None or value == "":
        return []
    return list(value) if isinstance(value, list) else [value]


def _number(value: Any) -> float | None:
    """A number, also where it is written as text; None for words and for nothing."""
    try:
        return None if value is None or isinstance(value, bool) else float(str(value).replace(",", "").strip("$ "))
    except ValueError:
        return None


def plain(text: Any) -> str:
    """A text without HTML tags, and with single spaces."""
    if text is None:
        return ""
    return " ".join(re.sub(r"<[^>]*>", " ", str(text)).replace("&nbsp;", " ").split())
