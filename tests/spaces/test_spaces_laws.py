"""Laws that hold for every space, checked on random ones."""

from __future__ import annotations

import copy
import importlib.util
import json
import os
import subprocess
import sys
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import BaseModel
from schema_for_spaces import valid
from verbs_for_spaces import ALL, TOWN, Everything, GiveMoney, Say, typed_spaces, verb_spaces

from ethogram.spaces import Typed, Verbs

spaces = st.one_of(verb_spaces(), typed_spaces())
quick = settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def samples(space: Any, n: int = 5) -> list[BaseModel]:
    return [space.sample() for _ in range(n)]


@quick
@given(spaces)
def test_samples_are_elements_and_survive_json(space: Any) -> None:
    for x in samples(space):
        assert x in space
        data = space.dump(x)
        text = json.dumps(data)
        assert json.loads(text) == data
        assert space.load(data) == x
        assert space.load(json.loads(text)) == x
        assert space.parse(text) == x
        assert space.parse(json.dumps(data, ensure_ascii=False, indent=2)) == x
        assert type(space.parse(text)) is type(x)
    batch = samples(space)
    assert space.from_jsonable(json.loads(json.dumps(space.to_jsonable(batch)))) == batch


@quick
@given(spaces)
def test_dumps_are_valid_under_the_schema(space: Any) -> None:
    schema = space.schema()
    assert schema == json.loads(json.dumps(schema)), "the schema is JSON"
    assert "$ref" not in json.dumps(schema)
    assert space.schema() is schema
    for x in samples(space):
        data = space.dump(x)
        assert valid(data, schema)
        assert not valid({**data, "unheard": 1}, schema)


def bounded(schema: Any) -> bool:
    """Whether each string, array and object of a schema has an end."""
    if "enum" in schema or "const" in schema:
        return True
    match schema.get("type"):
        case "string":
            return "maxLength" in schema or ("+" not in schema["pattern"] and "*" not in schema["pattern"])
        case "array":
            return "maxItems" in schema and all(map(bounded, [*schema.get("prefixItems", []), schema.get("items", {})]))
        case "object":
            extra = schema["additionalProperties"]
            return all(map(bounded, schema.get("properties", {}).values())) and (
                extra is False or ("maxProperties" in schema and bounded(extra))
            )
    return all(map(bounded, schema.get("anyOf", [])))


@quick
@given(spaces)
def test_the_schema_bounds_everything(space: Any) -> None:
    assert bounded(space.schema())


@pytest.mark.skipif(importlib.util.find_spec("jsonschema") is None, reason="the package jsonschema is not installed")
@quick
@given(spaces)
def test_dumps_are_valid_for_jsonschema(space: Any) -> None:
    import jsonschema  # pyright: ignore[reportMissingModuleSource, reportMissingImports]

    jsonschema.Draft202012Validator.check_schema(space.schema())
    validator = jsonschema.Draft202012Validator(space.schema())
    for x in samples(space):
        validator.validate(space.dump(x))
        assert not validator.is_valid({**space.dump(x), "unheard": 1})


@quick
@given(spaces, st.data())
def test_a_changed_dump_is_loaded_only_if_it_is_an_element(space: Any, data: st.DataObject) -> None:
    """Whatever is put in place of a field, load gives an element or a VerbError; never a value outside of the space."""
    from ethogram.errors import VerbError

    dumped = space.dump(space.sample())
    keys = [k for k in dumped if k != "verb"]
    if not keys:
        return
    junk = st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.just("x" * 501),
        lambda c: st.lists(c, max_size=3) | st.dictionaries(st.text(max_size=3), c, max_size=3),
        max_leaves=5,
    )
    changed = {**dumped, data.draw(st.sampled_from(keys)): data.draw(junk)}
    try:
        x = space.load(changed)
    except VerbError as error:
        assert len(str(error)) <= 300
        assert str(error).isprintable()
    else:
        assert x in space
        assert valid(space.dump(x), space.schema())
        assert space.load(space.dump(x)) == x


@quick
@given(spaces, st.data())
def test_membership_and_schema_agree_on_raw_values(space: Any, data: st.DataObject) -> None:
    """An instance made without validation is an element only if what it dumps is valid, and loads as the same."""
    x = space.sample()
    if not type(x).model_fields:
        return
    field = data.draw(st.sampled_from(list(type(x).model_fields)))
    value = data.draw(
        st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=40), st.lists(st.integers()))
    )
    raw = type(x).model_construct(**{**x.__dict__, field: value})
    if raw in space:
        dumped = space.dump(raw)
        assert valid(json.loads(json.dumps(dumped)), space.schema())
        assert space.load(dumped) == raw


@quick
@given(spaces, st.integers(0, 2**31))
def test_one_seed_one_sequence(space: Any, seed: int) -> None:
    space.seed(seed)
    first = samples(space)
    space.seed(seed)
    assert samples(space) == first
    twin = copy.deepcopy(space)
    assert twin == space
    assert samples(twin) == samples(space), "a copy goes on from the same state"


def test_one_seed_one_sequence_in_any_process() -> None:
    """Sampling depends neither on the order of hashes nor on anything else of the process."""
    code = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "from verbs_for_spaces import ALL, Everything, GiveMoney\n"
        "s = ALL.where(GiveMoney, to={'ann', 'bob', 'eve', 'joe'}); s.seed(7)\n"
        "print([s.sample() for _ in range(20)])\n"
    )
    here = str(__import__("pathlib").Path(__file__).parent)
    out = [
        subprocess.run(
            [sys.executable, "-c", code, here],
            env={**os.environ, "PYTHONHASHSEED": hashseed, "PYTHONIOENCODING": "utf-8"},
            capture_output=True,
            check=True,
        ).stdout
        for hashseed in ("1", "2")
    ]
    assert out[0] == out[1]
    assert out[0].count(b"to=") > 2


@quick
@given(verb_spaces(), st.data())
def test_a_narrowed_space_is_a_part(space: Verbs, data: st.DataObject) -> None:
    """where() with values that samples hold: all views of the part keep to them."""
    from ethogram.errors import VerbError

    verb = data.draw(st.sampled_from(space.verbs))
    kinds = space._records[verb].fields
    scalar = [n for n, k in kinds.items() if set(k.form) <= set("SIFBN")]
    if not scalar:
        return
    field = data.draw(st.sampled_from(scalar))
    pool = samples(space.only(verb), 4)
    values = list(dict.fromkeys(getattr(x, field) for x in pool))[:2]
    part = space.where(verb, **{field: values})
    for x in samples(part, 10):
        assert x in part
        assert x in space
        assert part.parse(json.dumps(part.dump(x))) == x
        assert valid(part.dump(x), part.schema())
        if type(x) is verb:
            assert getattr(x, field) in values
    for x in pool:
        inside = getattr(x, field) in values
        assert (x in part) is inside
        assert valid(part.dump(x), part.schema()) is inside
        if not inside:
            with pytest.raises(VerbError):
                part.load(space.dump(x))
    assert part != space
    assert part == space.where(verb, **{field: values})
    assert part.where(verb, **{field: values}) == part


def test_every_kind_of_field_is_sampled_over_its_range() -> None:
    space = Typed(Everything, seed=3)
    found = [space.sample() for _ in range(300)]
    assert {x.small for x in found} == {-2, -1, 0, 1, 2}
    assert {x.even for x in found} == set(range(-10, 11, 2))
    assert {x.tenth for x in found} == {k / 10 for k in range(11)}
    assert {x.word for x in found} == {"a", 1, None} and {type(x.word) for x in found} >= {int, bool}
    assert {x.code for x in found} == {"ab1", "zz9"}
    assert {type(x.either) for x in found} == {int, str, list}
    assert {type(x.event).__name__ for x in found} == {"Gift", "Loss"}
    assert {x.maybe is None for x in found} == {True, False}
    assert all(0 <= x.ratio < 1 for x in found)
    assert all(0 <= x.money <= 9999 and -x.money.as_tuple().exponent <= 2 for x in found)  # type: ignore[operator]
    texts = "".join(x.text for x in found)
    assert texts.isprintable() and not texts.isascii()


def test_verbs_are_drawn_uniformly_or_as_asked() -> None:
    space = copy.deepcopy(TOWN)
    space.seed(1)
    counts = dict.fromkeys(space.verbs, 0)
    for _ in range(3000):
        counts[type(space.sample())] += 1
    assert all(abs(n - 1000) < 120 for n in counts.values()), counts  # 4.6 standard deviations
    assert {type(space.sample(mask=[0, 1, 1])) for _ in range(50)} == {Say, GiveMoney}
    assert {type(space.sample(probability=[0.0, 1.0, 0.0])) for _ in range(20)} == {Say}


def test_values_are_compared_by_value() -> None:
    assert Say(to="a", text="b") == Say(to="a", text="b")
    assert len({Say(to="a", text="b"), Say(to="a", text="b")}) == 1
    assert Verbs(*ALL.verbs) == ALL and ALL != TOWN and Typed(Say) == Typed(Say) and Typed(Say) != Verbs(Say)
