"""Populations: rows, networks, selection; folders they are saved in; people files; and every kind of bad input."""

import json
from pathlib import Path
from typing import Annotated

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import Field, model_validator

from ethogram.errors import ConfigError, DataError
from ethogram.populations import Network, Persona, Population, Unit, erdos_renyi


class Resident(Persona):
    age: Annotated[int, Unit("years")] = Field(ge=0)
    zip: str = Field(default="", max_length=5)


class Couple(Persona):
    size: int
    children: int

    @model_validator(mode="after")
    def fits(self) -> "Couple":
        if self.children >= self.size:
            raise ValueError("children must be fewer than size")
        return self


@pytest.fixture
def village() -> Population:
    people = {"name": ["ann", "bob", "cy", "dee"], "age": [30, 41, 7, 66], "job": ["nurse", "cook", None, "judge"]}
    friends = [("ann", "bob"), ("bob", "cy"), ("dee", "ann")]
    return Population(people, {"friends": friends}).with_network("follows", [("cy", "ann", 0.5)], directed=True)


def test_rows_names_and_personas(village: Population) -> None:
    assert len(village) == 4
    assert village.names == ["ann", "bob", "cy", "dee"]
    assert "bob" in village and "zed" not in village
    assert village.index("cy") == 2
    assert village.persona("ann").render() == "ann. Age: 30. Job: nurse."
    assert [p.name for p in village.personas()] == village.names
    assert village.neighbours("ann", "friends") == ["bob", "dee"]
    assert village.neighbours("ann", "follows") == []
    assert village.networks["follows"].edge_weights().tolist() == [0.5]
    assert "4 agents" in repr(village) and "follows" in repr(village)


def test_a_typed_persona_shows_what_it_declares() -> None:
    population = Population({"name": ["ann"], "age": [30], "infected": [True]}, persona_type=Resident)
    assert population.persona("ann") == Resident(name="ann", age=30)
    assert population.persona("ann").render() == "ann. Age: 30 years."


def test_rows_and_personas_make_a_table() -> None:
    rows = [{"name": "ann", "age": 3}, {"name": "bob", "job": "cook", "age": 4.5}]
    assert Population(rows).table.to_dicts() == [
        {"name": "ann", "age": 3.0, "job": None},
        {"name": "bob", "age": 4.5, "job": "cook"},
    ]
    residents = [Resident(name="ann", age=3, zip="01"), Resident(name="bob", age=4)]
    population = Population(residents, persona_type=Resident)
    assert population.personas() == residents
    assert len(Population([])) == 0


def test_selection_keeps_the_networks_among_the_selected(village: Population) -> None:
    adults = village.select(pl.col("age") > 18)
    assert adults.names == ["ann", "bob", "dee"]
    assert adults.neighbours("ann", "friends") == ["bob", "dee"]
    assert adults.networks["follows"].n_edges == 0
    turned = village.select(["cy", "ann"])
    assert turned.names == ["cy", "ann"]
    assert turned.neighbours("cy", "follows") == ["ann"]
    assert turned.networks["follows"].edge_weights().tolist() == [0.5]
    assert village.select(np.array([True, False, False, True])).names == ["ann", "dee"]
    assert village.select(pl.Series([True, None, False, True])).names == ["ann", "dee"]
    assert village.select(pl.col("job") == "cook").names == ["bob"]  # unknown is not true
    assert len(village.select([])) == 0


def test_columns_and_networks_can_be_added_without_changing_the_first(village: Population) -> None:
    richer = village.with_columns(pl.col("age") + 1, wealth=pl.lit(10.0))
    assert richer.table["age"].to_list() == [31, 42, 8, 67]
    assert richer.table["wealth"].to_list() == [10.0] * 4
    assert richer.networks.keys() == village.networks.keys()
    assert village.table.columns == ["name", "age", "job"]
    again = village.with_network("friends", erdos_renyi(4, 1.0, rng=1))
    assert again.networks["friends"].n_edges == 6 and village.networks["friends"].n_edges == 3
    assert not again.equals(village) and village.equals(village.select(village.names))


@pytest.mark.parametrize("format", ["parquet", "csv"])
def test_saved_and_loaded_it_is_the_same(village: Population, tmp_path: Path, format: str) -> None:
    village.save(tmp_path / "deep" / "village", format=format)
    assert Population.load(tmp_path / "deep" / "village").equals(village)
    files = sorted(str(path.relative_to(tmp_path / "deep")) for path in (tmp_path / "deep").rglob("*") if path.is_file())
    assert files == [
        f"village/networks/follows.{format}",
        f"village/networks/friends.{format}",
        f"village/people.{format}",
        "village/population.json",
    ]
    smaller = village.select(["bob"])
    smaller.save(tmp_path / "deep" / "village", format=format)
    assert Population.load(tmp_path / "deep" / "village").equals(smaller)


names = st.text(st.characters(blacklist_categories=("Cc", "Cs", "Zl", "Zp", "Zs")), min_size=1, max_size=8)
texts = st.none() | st.text(st.characters(blacklist_categories=("Cs",)), max_size=8)


@settings(max_examples=60, deadline=None)
@given(st.lists(names, unique=True, max_size=6), st.data(), st.sampled_from(["parquet", "csv"]))
def test_any_names_and_values_survive_saving(people: list[str], data: st.DataObject, format: str) -> None:
    import tempfile

    def column(values: st.SearchStrategy) -> list:
        return data.draw(st.lists(st.none() | values, min_size=len(people), max_size=len(people)))

    table = pl.DataFrame(
        {
            "name": pl.Series(people, dtype=pl.String),
            "text": pl.Series(column(texts), dtype=pl.String),
            "x": pl.Series(column(st.floats()), dtype=pl.Float64),
            "i": pl.Series(column(st.integers(-128, 127)), dtype=pl.Int8),
            "flag": pl.Series(column(st.booleans()), dtype=pl.Boolean),
            "day": pl.Series(column(st.dates()), dtype=pl.Date),
            "numeral": pl.Series(column(st.just("007")), dtype=pl.String),
        }
    )
    ties = erdos_renyi(len(people), 0.5, directed=True, rng=len(people))
    population = Population(table, {"ties": ties, "none": Network.from_edges([], [], len(people))})
    with tempfile.TemporaryDirectory() as folder:
        population.save(folder, format=format)
        assert Population.load(folder).equals(population)


def test_what_cannot_be_saved_is_refused_and_nothing_is_overwritten(village: Population, tmp_path: Path) -> None:
    lists = village.with_columns(tags=pl.Series([["a"], [], None, ["b"]]))
    with pytest.raises(DataError, match="'tags' is List"):
        lists.save(tmp_path / "x", format="csv")
    assert list(tmp_path.iterdir()) == []
    lists.save(tmp_path / "x")
    assert Population.load(tmp_path / "x").equals(lists)
    with pytest.raises(DataError, match="'tags' is List"):
        lists.save(tmp_path / "x", format="csv")
    assert Population.load(tmp_path / "x").equals(lists)
    with pytest.raises(DataError, match="'thing' holds Python objects"):
        village.with_columns(thing=pl.Series([object()] * 4, dtype=pl.Object)).save(tmp_path / "x")
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("precious")
    with pytest.raises(DataError, match="not a population"):
        village.save(tmp_path / "mine")
    with pytest.raises(DataError, match="not a population"):
        village.save(tmp_path / "mine" / "thesis.txt")
    with pytest.raises(DataError, match="cannot be written"):
        village.save(tmp_path / "mine" / "thesis.txt" / "deeper")
    with pytest.raises(ConfigError, match="parquet or csv"):
        village.save(tmp_path / "y", format="pickle")


def spoil(path: Path, **changes: object) -> None:
    about = json.loads(path.read_text())
    path.write_text(json.dumps({**about, **changes}))


def test_damaged_folders_are_refused(village: Population, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"population\.json: there is no such file"):
        Population.load(tmp_path)
    folder = tmp_path / "village"
    about = folder / "population.json"
    for changes, said in [
        ({"format": "other"}, "its format is not"),
        ({"agents": 5}, "has 4 rows"),
        ({"agents": "5"}, "agents is missing or wrong"),
        ({"files": "../x"}, "must be parquet or csv"),
        ({"networks": {"../x": {"directed": True, "weighted": True, "edges": 1}}}, "not described"),
        ({"networks": {"x": 3}}, "not described"),
        ({"networks": {"gone": {"directed": True, "weighted": False, "edges": 1}}}, r"gone\.csv: there is no such file"),
        ({"networks": {"friends": {"directed": False, "weighted": False, "edges": 9}}}, "does not have the 9 edges"),
        ({"columns": {"name": "Object"}}, "'Object'"),
        ({"columns": {"name": "String"}}, "has the columns name, age, job"),
        ({"columns": {"name": "String", "age": "Int8", "job": "Int64"}}, "people.csv: "),
    ]:
        village.save(folder, format="csv")
        spoil(about, **changes)
        with pytest.raises(DataError, match=said):
            Population.load(folder)
    village.save(folder, format="csv")
    about.write_text("{")
    with pytest.raises(DataError, match="line 1: this is not JSON"):
        Population.load(folder)
    village.save(folder, format="csv")
    (folder / "people.csv").write_text("name,age,job\nann,1,\nann,2,\nc,3,\nd,4,\n")
    with pytest.raises(DataError, match=r"people\.csv: Row 1 .* 'ann'"):
        Population.load(folder)
    (folder / "people.csv").unlink()
    with pytest.raises(DataError, match=r"people\.csv: there is no such file"):
        Population.load(folder)


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ({"age": [1]}, "no column 'name'"),
        ({"name": [1, 2]}, "names must be text"),
        ({"name": ["a", None]}, r"Row 1 \(from 0\): the name is missing"),
        ({"name": ["a", ""]}, r"Row 1 \(from 0\): the name is missing"),
        ({"name": ["a", "b "]}, "spaces around"),
        ({"name": ["a", "b\nc"]}, "control characters"),
        ({"name": ["a", "b", "c", "b"]}, r"Row 3 \(from 0\): the name 'b' is that of Row 1"),
        ({"name": ["a", "b"], "age": [1]}, "no table"),
        ([{"name": "a", "age": 1}, {"name": "b"}, {"name": "c", "age": "x"}], r"Row 2 .*: age is 'x', but Row 0 .* has 1"),
        ([{"name": "a", "tags": [1, "x"]}], "no table"),
    ],
)
def test_wrong_tables_are_refused(table, said: str) -> None:
    with pytest.raises(DataError, match=said) as caught:
        Population(table)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ({"name": ["a"]}, "no column 'age', which a Resident must have"),
        ({"name": ["a", "b", "c"], "age": [1, -2, -2]}, r"Row 1 \(from 0\): age is -2, but: input should be greater"),
        ({"name": ["a", "b"], "age": ["1", "old"]}, r"Row 1 \(from 0\): age is 'old', but: .*integer"),
        ({"name": ["a", "b"], "age": [3, None]}, r"Row 1 \(from 0\): age is None"),
        ({"name": [*"abcde"], "age": [1] * 5, "zip": [None, "x", "x", None, "y" * 6]}, r"Row 4 \(from 0\): zip is 'yyyyyy'"),
        (
            {"name": ["a"], "age": [1], "zip": [89073]},
            r"Row 0 \(from 0\): zip is 89073, but: input should be a valid string",
        ),
    ],
)
def test_values_that_a_persona_type_forbids_are_refused(table, said: str) -> None:
    with pytest.raises(DataError, match=said):
        Population(table, persona_type=Resident)


def test_rules_across_attributes_are_kept_when_a_persona_is_made() -> None:
    population = Population({"name": ["a", "b"], "size": [3, 2], "children": [1, 2]}, persona_type=Couple)
    assert population.persona("a").name == "a"
    with pytest.raises(DataError, match=r"Row 1 \(from 0\): value error, children must be fewer"):
        population.persona("b")


@pytest.mark.parametrize(
    ("act", "said"),
    [
        (lambda p: p.persona("zed"), "no agent 'zed'"),
        (lambda p: p.neighbours("ann", "foes"), "no network 'foes'; there are: friends, follows"),
        (lambda p: p.select(["ann", "zed"]), "no agent 'zed'"),
        (lambda p: p.select(["ann", "ann"]), "twice"),
        (lambda p: p.select(np.array([True])), "one truth value a row"),
        (lambda p: p.select(pl.col("shoe") > 1), "cannot be selected"),
        (lambda p: p.with_network("a/b", []), "cannot be called 'a/b'"),
        (lambda p: p.with_network("", []), "cannot be called ''"),
    ],
)
def test_wrong_questions_are_refused(village: Population, act, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        act(village)


@pytest.mark.parametrize(
    ("network", "said"),
    [
        (erdos_renyi(5, 0.5, rng=1), "has 5 nodes, but the population has 4 agents"),
        ([("ann", "zed")], r"Network 'x': Edge 0 \(from 0\): target 'zed'"),
        ([("ann", "bob"), ("ann",)], r"edge 1 \(from 0\) is \('ann',\)"),
        ([("ann", "bob"), ("ann", "cy", 1.0)], "must all be pairs"),
        ([("ann", 3)], "ends must be names"),
        ([("ann", "bob", "x")], "weight must be a number"),
        ([("ann", "ann")], "to itself"),
        (pl.DataFrame({"a": [1]}), "no column 'source'"),
        ("none.csv", "there is no such file"),
    ],
)
def test_wrong_networks_are_refused(village: Population, network, said: str) -> None:
    with pytest.raises(DataError, match=said):
        village.with_network("x", network)


def test_people_files(tmp_path: Path) -> None:
    expected = Population({"name": ["007", "bob"], "age": [30, 41], "zip": ["01234", None]})
    with_friends = expected.with_network("friends", [("007", "bob")]).with_network(
        "owes", [("bob", "007", 2.5)], directed=True
    )
    (tmp_path / "people.csv").write_text("\ufeffname,age,zip\n007,30,01234\nbob,41,\n\n")
    read = Population.read(tmp_path / "people.csv", persona_type=Resident)
    assert read.equals(expected)
    assert read.persona("bob") == Resident(name="bob", age=41)
    (tmp_path / "people.json").write_text(
        json.dumps(
            {
                "people": [{"name": "007", "age": 30, "zip": "01234"}, {"name": "bob", "age": 41}],
                "networks": {
                    "friends": {"edges": [["007", "bob"]]},
                    "owes": {"edges": [["bob", "007", 2.5]], "directed": True},
                },
            }
        )
    )
    assert Population.read(tmp_path / "people.json").equals(with_friends)
    (tmp_path / "people.toml").write_text(
        '[[people]]\nname = "007"\nage = 30\nzip = "01234"\n\n[[people]]\nname = "bob"\nage = 41\n\n'
        '[networks.friends]\nedges = [["007", "bob"]]\n[networks.owes]\ndirected = true\nedges = [["bob", "007", 2.5]]\n'
    )
    assert Population.read(tmp_path / "people.toml").equals(with_friends)
    expected.table.write_parquet(tmp_path / "people.parquet")
    assert Population.read(tmp_path / "people.parquet").equals(expected)
    (tmp_path / "list.json").write_text('[{"name": "ann"}]')
    assert Population.read(tmp_path / "list.json").names == ["ann"]
    (tmp_path / "edges.csv").write_text("source,target\n007,bob\n")
    assert expected.with_network("friends", tmp_path / "edges.csv").neighbours("bob", "friends") == ["007"]


@pytest.mark.parametrize(
    ("file", "content", "said"),
    [
        ("p.csv", "", "p.csv is empty"),
        ("p.csv", "who,age\nann,3\n", r"p\.csv has no column 'name', .* it has who, age"),
        ("p.csv", "name,name\na,b\n", "column 'name' twice"),
        ("p.csv", "name,age\nann,3\nbob\n", r"p\.csv, line 3 has 1 fields, but the header has 2"),
        ("p.csv", "name,age\nann,3\nbob,1,2\n", r"p\.csv, line 3 has 3 fields"),
        ("p.csv", "name,age\nann,3\n\nbob,4\n", r"p\.csv, line 3 is empty"),
        ("p.csv", 'name,note,age\nann,"two\nlines",3\nbob,x,old\n', r"p\.csv, line 4: age is 'old'"),
        ("p.csv", 'name,age\nann,3\n"bob,4\n', r"p\.csv, line 3: unexpected end of data"),
        ("p.csv", "name,age\nann,3\nann,4\n", r"p\.csv, line 3: the name 'ann' is that of .*p\.csv, line 2 too"),
        ("p.csv", "name,age\nann,3\n ,4\n", r"p\.csv, line 3: the name ' ' has spaces"),
        ("p.csv", "name,age\nann,3\n,4\n", r"p\.csv, line 3: the name is missing"),
        ("p.csv", "name\nann\n", r"p\.csv has no column 'age', which a Resident must have"),
        ("p.csv", b"name,age\nJos\xe9,3\n", "not UTF-8"),
        ("p.json", "[{]", r"p\.json, line 1: this is not JSON"),
        ("p.json", b'["\xe9"]', "not UTF-8"),
        ("p.json", "[" * 100_000, "nested too deeply"),
        ("p.json", "3", "no list called people"),
        ("p.json", "9" * 5000, r"p\.json: Exceeds the limit"),
        ("p.toml", "x = " + "9" * 5000, r"p\.toml: this is not TOML: Exceeds the limit"),
        ("p.toml", "x = " + "[" * 5000, "nested too deeply"),
        ("p.json", '{"people": [], "folks": []}', "'folks' is not known here"),
        ("p.json", '[{"name": "a", "age": 3}, 7]', r"p\.json, person 2 is 7, not a table"),
        ("p.json", '[{"name": "a", "age": 3}, {"name": "b", "age": -1}]', r"p\.json, person 2: age is -1"),
        ("p.json", '[{"name": "a", "age": 3}, {"name": "b", "age": "x"}]', r"p\.json, person 2: age is 'x', but .*person 1"),
        ("p.json", '{"people": [], "networks": []}', "networks must be a table"),
        ("p.json", '{"people": [], "networks": {"f": []}}', "'f' has no list of edges"),
        ("p.json", '{"people": [], "networks": {"f": {"edges": [], "x": 1}}}', "'x' is not known in the network 'f'"),
        ("p.json", '{"people": [], "networks": {"f": {"edges": [], "directed": 1}}}', "directed must be true or false"),
        ("p.json", '{"people": [], "networks": {"f": {"edges": ["a"]}}}', "is not an edge such as"),
        ("p.json", '{"people": [{"name":"a","age":1}], "networks": {"f": {"edges": [["a","b"]]}}}', "'f': Edge 0 .* 'b'"),
        ("p.json", '{"people": [{"name":"a","age":1}], "networks": {"f g": {"edges": []}}}', "cannot be called 'f g'"),
        ("p.toml", "[[people]\nname='a'", r"p\.toml: this is not TOML: .*line 1"),
        ("p.toml", b"# \xe9", "not UTF-8"),
        (
            "p.toml",
            '[[people]]\nname = "a"\nage = 1\n\n[[people]]\nname = "a"\nage = 2\n',
            r"p\.toml, line 5: the name 'a' is that of",
        ),
        ("p.toml", '[[people]]\nname = "a"\nage = 1\n\n[[people]]\nname = "b"\nage = -2\n', r"p\.toml, line 5: age is -2"),
        ("p.toml", 'people = [{name = "a", age = -3}]', r"p\.toml, person 1: age is -3"),
        ("p.parquet", "nonsense", "cannot be read as a parquet table"),
    ],
)
def test_malformed_people_files_are_refused(tmp_path: Path, file: str, content: str | bytes, said: str) -> None:
    path = tmp_path / file
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(DataError, match=said) as caught:
        Population.read(path, persona_type=Resident)
    assert "\n" not in str(caught.value)


def test_missing_and_unknown_people_files_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"none\.csv: there is no such file"):
        Population.read(tmp_path / "none.csv")
    (tmp_path / "people.xlsx").write_text("x")
    with pytest.raises(ConfigError, match=r"\.csv, \.json, \.toml or \.parquet, not '\.xlsx'"):
        Population.read(tmp_path / "people.xlsx")
