"""What acts do to the two nations, and the arithmetic of a day: exact, and the same in whatever order acts are listed."""

from __future__ import annotations

import csv
import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

from ethogram.errors import ConfigError, DataError
from ethogram.war import ACTS, KINDS, MESSAGE, VARIABLES, WAIT

__all__ = ["GRAIN", "INVENTED", "Amounts", "Done", "Effect", "Table", "check_table", "day_after", "read_effects"]

GRAIN = 6
"""Decimal places of every quantity."""
MOST = {"nuclear": Decimal(10)}
"""Upper bounds; the lower one is 0 for all."""

Amounts = dict[str, Decimal]
"""How much a nation has of each variable."""
Done = tuple[str, str, str]
"""Actor, kind, target."""
_UNIT = Decimal(1).scaleb(-GRAIN)


@dataclass(frozen=True)
class Effect:
    """What an act of a kind does on the day on which it is done.

    Amounts are added, by variable; rates multiply by (1 + rate). Where one side is given exactly what the other side loses,
    it is a transfer: nobody can lose more than there is, nor anybody gain what nobody loses.
    """

    own: Mapping[str, Decimal] = field(default_factory=dict)
    """Added to who acts."""
    other: Mapping[str, Decimal] = field(default_factory=dict)
    """Added to the target."""
    own_rates: Mapping[str, Decimal] = field(default_factory=dict)
    other_rates: Mapping[str, Decimal] = field(default_factory=dict)
    private: bool = False
    """Whether only the two nations know of it."""

    @property
    def aimed(self) -> bool:
        """Whether it does something to its target, and so needs one."""
        return bool(self.other or self.other_rates)

    def transfers(self) -> dict[str, Decimal]:
        """What the target gives to who acts, by variable; below zero where it is given to the target."""
        return {name: amount for name, amount in self.own.items() if amount and self.other.get(name) == -amount}


Table = Mapping[str, Effect]


def _amounts(text: str) -> dict[str, Decimal]:
    """`military -1, stability 2` as amounts."""
    pairs = (part.rsplit(" ", 1) for part in text.split(", ") if part)
    return {name: Decimal(amount) for name, amount in pairs}


def _effect(own: str = "", other: str = "", own_rates: str = "", other_rates: str = "", private: bool = False) -> Effect:
    return Effect(_amounts(own), _amounts(other), _amounts(own_rates), _amounts(other_rates), private)


INVENTED: dict[str, Effect] = {
    WAIT: _effect(private=True),
    "Do nuclear disarmament": _effect("nuclear -10, military -2, soft_power 4, stability 1"),
    "Do military disarmament": _effect("military -2, soft_power 2, stability 1"),
    "High-level visit of nation to strengthen relationship": _effect("soft_power 1, stability 1", "soft_power 1"),
    "Share intelligence on threats with other nation": _effect("soft_power 1", "cyber 1", private=True),
    "Establish agreements on defense and security cooperation": _effect("military 1", "military 1"),
    "Negotiate trade agreement with other nation": _effect("trade 2", "trade 2", "gdp 0.01", "gdp 0.01"),
    "Engage in international arbitration": _effect("soft_power 1"),
    "Start formal peace negotiations": _effect("soft_power 1, stability 1"),
    "Form an alliance": _effect("military 1, stability 1", "military 1"),
    "Publicly criticise a nation's actions": _effect("", "soft_power -1"),
    "Do military posturing or military exercise": _effect("military 0.5", "stability -1"),
    "Blockade basic supplies": _effect("soft_power -2", "resources -3, stability -2", "", "gdp -0.01"),
    "Occupy border city of attacked nation": _effect("territory 1.5, soft_power -2", "territory -1.5, stability -2"),
    "Send surveillance drone": _effect("cyber 0.5", "stability -0.5"),
    "Increase cyber capacities": _effect("cyber 2", "", "gdp -0.001"),
    "Increase military capacities": _effect("military 2", "", "gdp -0.002"),
    "Acquire or develop nuclear option": _effect("nuclear 10, soft_power -2", "", "gdp -0.004"),
    "Cut diplomatic relationships": _effect("", "soft_power -2, stability -1"),
    "Impose trade restrictions": _effect("trade -1", "trade -3", "gdp -0.005", "gdp -0.02"),
    "Supply weapons to others": _effect("military -1, soft_power 1", "military 1"),
    "Execute cybersecurity attack": _effect("cyber 1", "cyber -2, stability -2", private=True),
    "Execute targeted attack": _effect("military -1, soft_power -3", "military -3, stability -2", "", "gdp -0.03"),
    "Execute full on invasion": _effect(
        "territory 5, military -4, soft_power -6, stability -3",
        "territory -5, military -6, stability -6",
        "gdp -0.02",
        "gdp -0.12, population -0.02",
    ),
    "Execute tactical nuclear strike": _effect(
        "soft_power -8, stability -2", "military -4, stability -6, resources -3", "", "gdp -0.06, population -0.03"
    ),
    "Execute full nuclear attack": _effect(
        "soft_power -10, stability -5", "military -10, stability -10, resources -8", "", "gdp -0.4, population -0.5"
    ),
}
"""A table of our own: invented, plausible in its signs, and taken from nowhere. Kinds and privacy are those of the game."""


def check_table(table: Table) -> Table:
    """The table itself; ConfigError where a kind is missing or unknown, or an effect has an unknown variable."""
    if set(table) != set(ACTS):
        wrong = sorted(set(table) ^ set(ACTS))
        raise ConfigError(
            f"a table of effects has exactly the kinds of war.ACTS; missing or unknown: {', '.join(wrong)[:200]}"
        )
    for kind, effect in table.items():
        for part in (effect.own, effect.other, effect.own_rates, effect.other_rates):
            if unknown := set(part) - set(VARIABLES):
                raise ConfigError(f"the effect of {kind!r} has the unknown variable {min(unknown)!r}")
    return table


_COLUMNS = {"military capacity": "military", "political stability": "stability", "cybersecurity": "cyber"}
_COLUMN = re.compile(r"(?P<variable>.+)_(?P<how>add|mult)_(?P<whom>self|other)")


def read_effects(path: str | Path) -> dict[str, Effect]:
    """The table of effects of the released game (`actions_v8.csv` of its authors), which ethogram does not ship.

    A row for each kind; columns `name`, `privacy level`, and `VARIABLE_add_self`, `VARIABLE_mult_other` and the like. The
    days after which an act is said to take effect (`time to impact`) are not used.

    Raises:
        DataError: the file is missing or not of that form.
    """
    try:
        with open(path, newline="", encoding="utf-8-sig") as file:
            rows = list(csv.DictReader(file))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{path}: this table of effects cannot be read: {error}") from error
    found: dict[str, Effect] = {}
    for line, row in enumerate(rows, 2):
        name = row.get("name") or ""
        if name not in KINDS:
            raise DataError(
                f"{path}, line {line}: {name[:60]!r} is no kind of act; the column 'name' must have those of KINDS"
            )
        if name != MESSAGE:
            found[name] = _read(row, f"{path}, line {line}")
    try:
        check_table(found)
    except ConfigError as error:
        raise DataError(f"{path}: {error}") from error
    return found


def _read(row: Mapping[str, str | None], where: str) -> Effect:
    """A row of the released table."""
    parts: dict[tuple[str, str], dict[str, Decimal]] = defaultdict(dict)
    for column, text in row.items():
        match = _COLUMN.fullmatch(column or "")
        if match is None:
            continue
        variable = _COLUMNS.get(match["variable"], match["variable"].replace(" ", "_"))
        if variable not in VARIABLES:
            raise DataError(f"{where}: the column {column!r} is about no variable; known ones: {', '.join(VARIABLES)}")
        try:
            amount = Decimal(text or "0")
        except ArithmeticError:
            raise DataError(f"{where}: {text!r} in the column {column!r} is no number") from None
        if amount:
            parts[match["how"], match["whom"]][variable] = amount
    private = (row.get("privacy level") or "").strip() == "Private"
    return Effect(parts["add", "self"], parts["add", "other"], parts["mult", "self"], parts["mult", "other"], private)


def day_after(before: Mapping[str, Amounts], done: Sequence[Done], table: Table) -> dict[str, Amounts]:
    """How nations stand when all that was done in a day has taken effect, exactly and in whatever order it is listed.

    A variable is first multiplied by the product of all factors of the day, then all amounts are added, the result is
    rounded half-even to `GRAIN` places and held within its bounds. Then transfers are made, out of what is there by now: who
    is to give more than it has gives all of it, shared out in proportion to the claims, rounded down (what remains, stays).

    Args:
        before: amounts by nation.
        done: acts, of which those at `World` or at oneself reach nobody else.
        table: what each kind does.
    """
    factors: dict[tuple[str, str], Fraction] = defaultdict(lambda: Fraction(1))
    sums: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
    claims: dict[tuple[str, str], dict[str, Decimal]] = defaultdict(lambda: defaultdict(Decimal))
    for actor, kind, target in done:
        effect = table[kind]
        reached = target in before and target != actor
        moved = effect.transfers()
        for name, amount in moved.items():
            if reached:
                giver, taker = (target, actor) if amount > 0 else (actor, target)
                claims[giver, name][taker] += abs(amount)
        sides = ((actor, effect.own, effect.own_rates), (target, effect.other, effect.other_rates))
        for nation, amounts, rates in sides if reached else sides[:1]:
            for name, amount in amounts.items():
                if name not in moved:
                    sums[nation, name] += amount
            for name, rate in rates.items():
                factors[nation, name] *= max(Fraction(0), 1 + Fraction(rate))
    after = {nation: dict(amounts) for nation, amounts in before.items()}
    for nation, name in {*factors, *sums}:
        exact = Fraction(before[nation][name]) * factors[nation, name] + Fraction(sums[nation, name])
        after[nation][name] = _bounded(name, _decimal(exact))
    _transfer(after, claims)
    return after


def _decimal(value: Fraction) -> Decimal:
    """Rounded half-even to `GRAIN` places."""
    return Decimal(round(value * 10**GRAIN)).scaleb(-GRAIN)


def _bounded(name: str, value: Decimal) -> Decimal:
    value = max(value, Decimal(0))
    return min(value, MOST[name]) if name in MOST else value


def _transfer(after: dict[str, Amounts], claims: Mapping[tuple[str, str], Mapping[str, Decimal]]) -> None:
    """Let everybody give at once what others claim, as far as it goes."""
    have = {key: after[key[0]][key[1]] for key in claims}
    for (giver, name), wanted in claims.items():
        there, total = have[giver, name], sum(wanted.values(), Decimal(0))
        for taker, amount in wanted.items():
            if total > there:
                share = Fraction(amount) * Fraction(there) / Fraction(total)
                amount = Decimal(int(share * 10**GRAIN)).scaleb(-GRAIN)
            amount = amount.quantize(_UNIT)
            after[giver][name] -= amount
            after[taker][name] += amount
