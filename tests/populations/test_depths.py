"""How deep people are described, and the controls."""

import itertools
from collections import Counter
from typing import Annotated

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import Field

from ethogram.errors import ConfigError
from ethogram.populations import Persona, Unit
from ethogram.populations.depths import (
    DEPTHS,
    answered,
    biography,
    describe,
    descriptions,
    identity,
    masked,
    one_line,
    shuffled,
)

ANN = {"name": "Ann", "age": 34, "gender": "female", "job": "nurse", "children": 2, "votes": True, "gap": None}


class Resident(Persona):
    age: Annotated[int, Unit("years")]
    trust: int = Field(description="trust in parliament")
    wish: str = Field(default="", description="trust in parliament")


def test_each_depth_by_hand() -> None:
    assert one_line(ANN) == "Ann: 34, female, nurse, children 2, votes yes."
    told = {biography(ANN, seed) for seed in range(20)}
    assert len(told) > 5 and all(text.startswith("Ann is 34") for text in told)
    assert all("she works as nurse" in text.lower() or "By occupation she is nurse" in text for text in told)
    assert all("er children: 2." in text or "er children is 2." in text for text in told)
    assert all(text.endswith("Asked about votes, she says yes.") for text in told)
    assert biography({"age": 3}, 0).startswith("This person is 3")
    assert answered([("Who?", "me\nQuestion: x"), ("When?", "now")]) == (
        "Question: Who?\nAnswer: me Question: x\nQuestion: When?\nAnswer: now"
    )
    assert identity(personal="calm\n", context="walks") == "Personal identity: calm\nDaily life: walks"
    for wrong in (lambda: identity(" ", "\n"), lambda: answered([])):
        with pytest.raises(ConfigError):
            wrong()


def test_a_persona_at_every_depth() -> None:
    bea = Persona.model_validate({**ANN, "personal": "calm", "context": "walks", "backstory": "I was born in Ulm."})
    texts = {depth: describe(bea, depth) for depth in DEPTHS}
    assert texts["name"] == "Ann." and texts["list"] == bea.render() and texts["backstory"] == "I was born in Ulm."
    assert texts["line"] == one_line(ANN) and texts["biography"] == biography(ANN)
    assert texts["answers"].startswith("Question: What is your age?\nAnswer: 34\n")
    assert texts["s"] == "Social identity: Age: 34. Gender: female. Job: nurse. Children: 2. Votes: yes."
    lines = {"s": texts["s"], "p": "Personal identity: calm", "c": "Daily life: walks"}
    for depth in ("p", "c", "sp", "sc", "pc", "spc"):
        assert texts[depth] == "\n".join(lines[letter] for letter in depth)
    typed = Resident(name="Cy", age=50, trust=7, wish="peace")
    assert typed.render() == "Cy. Age: 50 years. Trust in parliament: 7. Trust in parliament: peace."
    assert biography(dict(typed.facts().values()) | {"name": "Cy"}).startswith("Cy is 50")
    with pytest.raises(ConfigError, match="'Cy' has no 'personal'"):
        describe(typed, "sp")
    with pytest.raises(ConfigError, match="there is no depth 'deep'"):
        describe(typed, "deep")
    assert describe(Persona(name="Di"), "answers") == "Question: What is your name?\nAnswer: Di"


def test_nobody_keeps_his_own_and_every_derangement_is_equally_likely() -> None:
    texts = {name: name.upper() for name in "abcd"}
    seen = Counter(tuple(shuffled(texts, seed).values()) for seed in range(1800))
    derangements = {p for p in itertools.permutations("ABCD") if all(x != y for x, y in zip(p, "ABCD", strict=True))}
    assert set(seen) == derangements  # 9 of them: 200 each, sd 13
    assert min(seen.values()) > 140 and max(seen.values()) < 260
    with pytest.raises(ConfigError, match="at least two"):
        shuffled({"a": "A"}, 0)


@given(st.lists(st.text("abc", min_size=1, max_size=3), max_size=4), st.lists(st.text("abc", min_size=1, max_size=3)))
def test_exactly_the_whole_words_are_masked(words: list[str], text: list[str]) -> None:
    said = masked(" ".join(text), words, "#").split(" ") if text else []
    assert said == ["#" if word in words else word for word in text]


def test_masks_by_hand() -> None:
    assert (
        masked("A nurse; nurses NURSE. New York, new yorkers", ["nurse", "New York", ""]) == "A …; nurses …. …, new yorkers"
    )
    assert masked("a.b axb", ["a.b"], r"\1") == r"\1 axb"
    assert masked("as it is", []) == "as it is"


def test_controls_keep_the_name_and_lose_the_rest() -> None:
    ann = Persona.model_validate({**ANN, "backstory": "As a nurse I see much at 34."})
    ben = Persona.model_validate({"name": "Ben", "age": 71, "gender": "male", "job": "sailor", "backstory": "At sea."})
    people = [ann, ben]
    other = descriptions(people, "line", "shuffled", seed=3)
    assert other["Ann"] == "Ann: 71, male, sailor." and other["Ben"].startswith("Ben: 34, female, nurse")
    assert descriptions(people, "list", "masked")["Ben"] == "Ben. Age: … Gender: … Job: … Backstory: …"
    assert descriptions(people, "biography", "masked", mask=["gender"], seed=1)["Ben"].count("…") == 1
    assert " he " not in descriptions(people, "biography", "masked", mask=["gender"])["Ben"]
    assert descriptions(people, "backstory", "masked", mask=["job", "age"])["Ann"] == "As a … I see much at …."
    assert descriptions(people, "line")["Ann"] == one_line(ANN)
    for control, mask, said in (
        ("mirror", [], "no control 'mirror'"),
        ("masked", ["shoe"], "'Ann' has no attribute 'shoe'"),
    ):
        with pytest.raises(ConfigError, match=said):
            descriptions(people, "line", control, mask=mask)
