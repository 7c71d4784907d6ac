"""Map and people files: what they mean, and what is said about mistakes in them (with file and line)."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ethogram.errors import ConfigError
from ethogram.worlds.coded.town import Town
from ethogram.worlds.coded.town.clock import Hours, clock, minutes
from ethogram.worlds.coded.town.layout import STREET, Layout
from ethogram.worlds.coded.town.people import Fact, Routine

MAP = """\
# a map
name = "Two Houses"
grid = '''
.......
.aa.bb.
.aa#bb.
.aa.bb.
.......
'''

[places.a]
name = "House A"
things = { "lamp" = "off" }

[places.b]
name = "House B"
open = "08:00-18:00"
"""

PEOPLE = """\
[[people]]
name = "Ann"
age = 30
home = "House A"
plan = [
  "08:00 House B: visiting",
  "07:00 House A: eating",
]

[people.knows]
"Ben" = "pupil"

[[people]]
name = "Ben"
age = 31
home = "House B"
work = "House A"

[[ties]]
between = ["Ann", "Ben"]
kind = "neighbour"

[[facts]]
name = "news"
holder = "Ann"
text = "The bridge is closed."
keywords = ["bridge", "closed|shut"]
"""


def town(folder: Path, map_text: str = MAP, people_text: str = PEOPLE) -> Town:
    (folder / "map.toml").write_text(map_text)
    (folder / "people.toml").write_text(people_text)
    return Town(folder)


def test_a_town_from_files(tmp_path: Path) -> None:
    made = town(tmp_path)
    ann, ben = made.persons
    assert made.possible_agents == ["Ann", "Ben"]
    assert ann.knows == {"Ben": "pupil"}  # what is written with the person goes before the tie
    assert ben.knows == {"Ann": "neighbour"}
    assert ann.routine == [Routine(420, "House A", "eating"), Routine(480, "House B", "visiting")]
    assert made.layout.places[1].open == Hours(480, 1080)
    assert made.people.facts[0].told_in("They SHUT the Bridge!")
    assert not made.people.facts[0].told_in("The bridges are closed.")


def test_ways_are_shortest(tmp_path: Path) -> None:
    """Hand-worked: from the top left tile of A (row 1, column 1) to B (columns 4 and 5) it is 2 + 1 steps by the top row."""
    layout = town(tmp_path).layout
    following, distance = layout.ways(layout.index["House B"])
    at = lambda row, column: (row + 1) * layout.width + column + 1  # noqa: E731
    assert distance[at(1, 1)] == 3
    assert distance[at(2, 2)] == 3  # the wall is in between: one up, two along
    assert distance[at(0, 0)] == 5
    assert distance[at(2, 3)] == -1 and layout.region[at(2, 3)] == -2
    assert following[at(2, 2)] in (at(1, 2), at(3, 2))


def brute_force(layout: Layout, place: int) -> np.ndarray:
    """Distances by relaxation until nothing changes (Bellman-Ford), under the same rule about places on the way."""
    far = np.where(layout.region == place, 0.0, np.inf)
    while True:
        new = far.copy()
        for t in np.flatnonzero(layout.region != -2):
            for u in (t + 1, t - 1, t + layout.width, t - layout.width):
                through = layout.region[u]
                if through in (STREET, place) or (through == layout.region[t] and through != -2):
                    new[t] = min(new[t], far[u] + 1)
        if np.array_equal(new, far):
            return far
        far = new


corner = st.tuples(st.integers(0, 5), st.integers(0, 7), st.integers(1, 3), st.integers(1, 3))


@settings(max_examples=60, deadline=None)
@given(
    rows=st.lists(st.lists(st.sampled_from("....#"), min_size=10, max_size=10), min_size=8, max_size=8),
    corners=st.tuples(corner, corner, corner),
)
def test_ways_equal_brute_force(
    tmp_path_factory: pytest.TempPathFactory, rows: list[list[str]], corners: list[tuple[int, int, int, int]]
) -> None:
    path = tmp_path_factory.mktemp("maps") / "map.toml"
    for sign, (top, left, height, width) in zip("abc", corners, strict=True):
        for row in rows[top : top + height]:
            row[left : left + width] = sign * len(row[left : left + width])
    drawing = "\n".join("".join(row) for row in rows)
    tables = "\n".join(f"[places.{sign}]\nname = '{sign}'" for sign in "abc" if sign in drawing)
    path.write_text(f"name = 'x'\ngrid = '''\n{drawing}\n'''\n{tables}")
    try:
        layout = Layout(path)
    except ConfigError as error:
        assert "cannot be reached" in str(error) or "pieces" in str(error)
        return
    for place in range(len(layout.places)):
        following, distance = layout.ways(place)
        expected = brute_force(layout, place)
        assert np.array_equal(np.where(distance < 0, np.inf, distance), expected)
        for t in np.flatnonzero(distance > 0):
            assert distance[following[t]] == distance[t] - 1
        others = np.concatenate(layout.tiles)
        assert (distance[others] >= 0).all(), "from everywhere there is a way to a place that passed the checks"


MAP_ERRORS = {
    ".......\n.aa.bb.": (".......\n.aa.bb..", 5, "row 2 of the map has 8 tiles where the others have 7"),
    ".aa#bb.": (".aa?bb.", 6, "the sign '?' in row 3, column 4 of the map is no place"),
    "[places.b]": ("[places.c]", 5, "the sign 'b' in row 2, column 5"),
    'name = "House B"': ('name = "House A"', 16, "two places called 'House A'"),
    "[places.a]": ("[places.ab]", 11, "the sign of a place is one character"),
    'open = "08:00-18:00"': ('open = "8 to 6"', 17, 'hours are written "HH:MM-HH:MM", as in'),
    'open = "08': ('opens = "08', 17, "unknown key 'opens'; did you mean 'open'"),
    'things = { "lamp" = "off" }': ('things = { "lamp" = 3 }', 13, "'lamp' must be a text in quotes, not 3"),
    'name = "Two Houses"': ("nome = 'x'", 2, "unknown key 'nome'; did you mean 'name'"),
    'name = "House A"': ("", 11, "has no 'name'"),
    'name = "Two Houses"\n': ("name = Two Houses\n", 2, "not TOML"),
}


@pytest.mark.parametrize("old", MAP_ERRORS)
def test_mistakes_in_a_map(tmp_path: Path, old: str) -> None:
    new, line, message = MAP_ERRORS[old]
    assert old in MAP
    with pytest.raises(ConfigError) as caught:
        town(tmp_path, MAP.replace(old, new, 1))
    text = str(caught.value)
    assert message in text
    assert f"map.toml:{line}:" in text if line else "map.toml:" in text
    assert "\n" not in text


@pytest.mark.parametrize(
    ("drawing", "line", "message"),
    [
        (
            ".......\n.aa####\n.aa#b##\n.aa####",
            9,
            "place 'House B' cannot be reached: none of its tiles touches the main street",
        ),
        (".......\n.aa.bb.\n.aa...b", 9, "place 'House B' lies in pieces"),
        (".......\n.aa....\n.......", 9, "place 'House B' is not on the map"),
        ("##a####\n#a#bb##\n#######", 7, "pieces"),
        ("aabb", None, "cannot be reached"),
    ],
)
def test_places_that_cannot_be_used(tmp_path: Path, drawing: str, line: int | None, message: str) -> None:
    text = f"name = 'x'\ngrid = '''\n{drawing}\n'''\n[places.a]\nname = 'House A'\n\n\n[places.b]\nname = 'House B'\n"
    shift = text.splitlines().index("[places.b]") + 1
    with pytest.raises(ConfigError, match=message) as caught:
        town(tmp_path, text)
    expected = shift if line == 9 else text.splitlines().index("[places.a]") + 1
    assert f"map.toml:{expected}:" in str(caught.value)


PEOPLE_ERRORS = {
    'home = "House A"': ('home = "Houze A"', 4, "the home of Ann is an unknown place 'Houze A'; did you mean 'House A'"),
    'work = "House A"': ('work = "Mine"', 17, "the work of Ben is an unknown place 'Mine'"),
    '"Ben" = "pupil"': ('"Bon" = "pupil"', 11, "Ann knows an unknown person 'Bon'; did you mean 'Ben'"),
    'name = "Ben"': ('name = "Ann"', 14, "two people called 'Ann'"),
    "age = 31": ('age = "old"', 15, "'age' must be a whole number, not 'old'"),
    "age = 30": ("age = 300", 3, "'age': input should be less than or equal to 120, not 300"),
    "age = 30\n": ("age = 30\nshoe = 41\n", 4, "unknown key 'shoe'"),
    '"08:00 House B: visiting"': ('"08:00 House C: visiting"', 6, "the plan of Ann names an unknown place 'House C'"),
    '"07:00 House A: eating"': ('"at seven: eating"', 7, 'written "HH:MM place: activity"'),
    '"07:00 House A': ('"27:00 House A', 7, 'a clock time is written "HH:MM"'),
    '["Ann", "Ben"]': ('["Ann", "Bill"]', 20, "this tie names an unknown person 'Bill'"),
    'holder = "Ann"': ('holder = "Anne"', 25, "the holder of fact 'news' is unknown: 'Anne'; did you mean 'Ann'"),
    'keywords = ["bridge", "closed|shut"]': ('keywords = ["fire"]', 27, "does not have all of its own keywords"),
    "[[facts]]\n": (
        "[[facts]]\nquestion = 'Is the bridge closed?'\n",
        24,
        "the question about fact 'news' gives its answer away",
    ),
    'keywords = ["bridge", "closed|shut"]\n': (
        'keywords = ["bridge"]\nanswer = ["fire"]\n',
        28,
        "does not have all the words of its answer",
    ),
    'kind = "neighbour"': ("kind = neighbour", 21, "not TOML"),
    "[[facts]]": ("[[fact]]", 23, "unknown key 'fact'; did you mean 'facts'"),
    '[[people]]\nname = "Ben"': ('[[people]]\nnames = "Ben"', 14, "unknown key 'names'; did you mean 'name'"),
}


@pytest.mark.parametrize("old", PEOPLE_ERRORS)
def test_mistakes_in_a_people_file(tmp_path: Path, old: str) -> None:
    new, line, message = PEOPLE_ERRORS[old]
    assert old in PEOPLE
    with pytest.raises(ConfigError) as caught:
        town(tmp_path, people_text=PEOPLE.replace(old, new, 1))
    text = str(caught.value)
    assert message in text
    assert f"people.toml:{line}:" in text
    assert "\n" not in text


def test_missing_files_and_wrong_values(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="there is no town 'nowhere': give one of sallow_reach, small"):
        Town("nowhere")
    for options, message in (
        ({"tick": 0}, "tick must be a whole number from 1 on, not 0"),
        ({"start": "25:00"}, 'start: a clock time is written "HH:MM"'),
        ({"start": "20:00", "end": "08:00"}, "ends .08:00 of day 1. before it starts"),
        ({"weekday": "Funday"}, "unknown weekday 'Funday'; did you mean"),
    ):
        with pytest.raises(ConfigError, match=message):
            Town("small", **options)
    (tmp_path / "map.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigError, match=r"cannot read .*map\.toml"):
        Town(tmp_path)


def test_times() -> None:
    assert minutes("24:00") == 1440 and minutes("7:05") == 425
    assert clock(1440 + 490, weekday=6) == "Monday 08:10"
    night = Hours(23 * 60, 7 * 60)
    assert night.contain(0) and night.contain(1440 * 3 + 1439) and not night.contain(7 * 60)
    assert Hours(0, 1440).contain(1439) and not Hours(60, 120).contain(120)


def test_shipped_towns_keep_their_promises() -> None:
    """25 people with relations; each fact known to its holder alone; nobody works where he cannot be."""
    for name, count in (("small", 8), ("sallow_reach", 25)):
        made = Town(name)
        assert len(made.persons) == count
        assert all(person.traits and person.occupation and person.routine for person in made.persons)
        facts: list[Fact] = made.people.facts
        assert len(facts) == 2
        for fact in facts:
            texts = [t for p in made.persons for t in (*p.memories, *p.plan, p.about, p.traits, p.occupation)]
            assert not any(fact.told_in(text) for text in texts), f"{fact.name} is given away in {name}"
    knows = sum(len(p.knows) for p in Town("sallow_reach").persons)
    assert knows / (25 * 24) < 0.2, "most people are not yet acquainted"


def test_the_example_of_the_documentation_is_a_town(tmp_path: Path) -> None:
    """The files in the docstring of the package, as they stand there (with a second person, whom Ann knows)."""
    from ethogram.worlds.coded import town as package

    blocks = [line[4:] for line in (package.__doc__ or "").splitlines() if line.startswith("    ") or not line]
    text = "\n".join(blocks)
    split = text.index("[[people]]")
    ben = '[[people]]\nname = "Ben"\nage = 9\nhome = "House A"\n'
    assert town(tmp_path, text[:split], text[split:] + ben).possible_agents == ["Ann", "Ben"]
