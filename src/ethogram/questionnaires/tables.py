"""Tables of answers, made from the record of a survey."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from ethogram.errors import DataError
from ethogram.questionnaires.questionnaire import Questionnaire

if TYPE_CHECKING:
    import polars as pl

    from ethogram.records import Run

__all__ = ["answers", "asked"]


def asked(run: Run, questionnaire: Questionnaire) -> pl.DataFrame:
    """Every question that was put, a row each, in the order of each respondent.

    Columns: `episode`, `respondent`, `form`, `item`, `number` (place in the respondent's order, from 0), `text`, `options`
    (as shown), `answer` (JSON; null where there was none that fits) and `tries`.

    Raises:
        DataError: the run is no record of a survey with this questionnaire.
    """
    import polars as pl

    schema = {
        **{"episode": pl.Int64, "respondent": pl.String, "form": pl.Int64, "item": pl.String, "number": pl.Int64},
        **{"text": pl.String, "options": pl.List(pl.String), "answer": pl.String, "tries": pl.Int64},
    }
    steps = run.steps.filter(pl.col("action").is_not_null()).sort("episode", "step")
    rows: dict[tuple[int, str, str], dict[str, Any]] = {}
    for line in steps.select("episode", "agent", "observation", "action").collect().iter_rows():
        episode, agent, seen, action = line
        row = _row(json.loads(seen), json.loads(action), questionnaire)
        key = (episode, agent, row["item"])
        tries = rows[key]["tries"] + 1 if key in rows else 1
        rows[key] = {"episode": episode, "respondent": agent, **row, "tries": tries}
    found = pl.DataFrame(list(rows.values()), schema=schema)
    return found.sort("episode", "respondent", "number", maintain_order=True)


def answers(run: Run, questionnaire: Questionnaire) -> pl.DataFrame:
    """The answers as a table with one row a respondent (and episode), ready for statistics.

    Columns: `episode`, `respondent`, the level of each arm, the code or text of each item (see `Item.column`), the scores.
    Questions that were not asked or not answered are null.

    Raises:
        DataError: the run is no record of a survey with this questionnaire.
    """
    import polars as pl

    items = questionnaire.items
    empty = {name: value for item in items.values() for name, value in item.column(None).items()}
    rows: dict[tuple[int, str], dict[str, Any]] = {}
    for line in asked(run, questionnaire).select("episode", "respondent", "form", "item", "answer").iter_rows():
        episode, respondent, form, item, answer = line
        if (episode, respondent) not in rows:
            arms = questionnaire.combinations[form]
            rows[episode, respondent] = {"episode": episode, "respondent": respondent, **arms, **empty}
        if answer is not None:
            rows[episode, respondent] |= items[item].column(json.loads(answer))
    texts = {item.name for item in items.values() if item.type == "open"}
    schema: dict[str, Any] = {"episode": pl.Int64, "respondent": pl.String, **dict.fromkeys(questionnaire.arms, pl.String)}
    schema |= {name: pl.String if name in texts else pl.Float64 for name in empty}
    found = pl.DataFrame(list(rows.values()), schema=schema)
    return found.with_columns(*(score.column(items) for score in questionnaire.scores))


def _row(seen: Any, action: Any, questionnaire: Questionnaire) -> dict[str, Any]:
    """What was asked and answered in one step of one respondent."""
    name = seen.get("item") if isinstance(seen, dict) else None
    if name not in questionnaire.items:
        raise DataError(f"the run is no record of {questionnaire.title!r}: it has no item {name!r}")
    answer = action["answer"] if action["verb"] == name else None
    fits = answer is not None and not questionnaire.items[name].fault(answer)
    row = {column: seen[column] for column in ("form", "item", "number", "text", "options")}
    return {**row, "answer": json.dumps(answer) if fits else None}
