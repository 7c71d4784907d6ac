"""How deep a person is described: from a name to a life in three parts, and the controls that say what a description does.

A persona's attributes (or texts that stand in them) become a description at one of several depths; the same answers are then
asked of people described otherwise, of people described as somebody else, and of people whose description is masked:

texts = descriptions(population.personas(), "biography", control="shuffled", seed=1)     # name to text
Respondent(model("smollm2"), texts)

The three parts are those of Lee et al. 2025 ("SPeCtrum: a grounded framework for multidimensional identity representation in
LLM-based agent"): social identity S, personal identity P, and the context of a personal life C.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from ethogram.errors import ConfigError
from ethogram.populations.persona import TEXT_LIMIT, Persona, clean, shown
from ethogram.seeds import generator

__all__ = [
    "CONTROLS",
    "DEPTHS",
    "PARTS",
    "answered",
    "biography",
    "describe",
    "descriptions",
    "identity",
    "masked",
    "one_line",
    "shuffled",
]

PARTS = {"s": "social", "p": "personal", "c": "context"}
"""The parts of an identity by letter: the attributes in which their texts stand."""
DEPTHS = ("name", "line", "list", "biography", "answers", "s", "p", "c", "sp", "sc", "pc", "spc", "backstory")
"""How deep a person can be described; see `describe`."""
CONTROLS = ("shuffled", "masked")
"""What can be done to descriptions to see what they do; see `descriptions`."""

_HEADINGS = {"social": "Social identity", "personal": "Personal identity", "context": "Daily life"}
_FREE = (*PARTS.values(), "backstory")
_PRONOUNS = {
    **dict.fromkeys(("f", "female", "woman", "girl"), ("she", "her")),
    **dict.fromkeys(("m", "male", "man", "boy"), ("he", "his")),
}
_FRAMES: dict[tuple[str, ...], tuple[str, ...]] = {
    ("age",): ("{who} is {value} years old.", "{who} is {value}."),
    ("sex", "gender"): ("{who} is {value}.", "{who} describes {own} gender as {value}."),
    ("job", "occupation", "profession", "work"): ("{who} works as {value}.", "By occupation {who} is {value}."),
    ("town", "city", "home", "home town", "residence", "country", "region", "state"): (
        "{who} lives in {value}.",
        "{own} {label} is {value}.",
    ),
    ("hobbies", "hobby", "interests"): ("In {own} free time {who} goes in for {value}.", "{who} likes {value}."),
    ("religion", "party", "politics"): ("As for {label}: {value}.", "{own} {label} is {value}."),
}
_PLAIN = ("{own} {label} is {value}.", "As for {own} {label}: {value}.")


def one_line(attributes: Mapping[str, Any]) -> str:
    """A person in one line: `34, woman, teacher, Ulm`; what a number or a yes stands for is said, but for an age.

    Args:
        attributes: by name; `name` comes first where it is there. Missing and empty ones are left out.
    """
    parts = []
    for label, value in _facts(attributes).items():
        plain = label == "age" or not (value in ("yes", "no") or re.fullmatch(r"[\d.,+-]+(?: \S+)?", value))
        parts.append(value.rstrip(".") if plain else f"{label} {value}")
    name = clean(str(attributes.get("name", "")))
    line = clean(", ".join(parts))
    return f"{name}: {line}." if name and line else f"{line or name}."


def biography(attributes: Mapping[str, Any], seed: int = 0) -> str:
    """A person in the third person: a paragraph with a sentence for each attribute, in their order.

    Args:
        attributes: by name; `name` is what the person is called, and `sex` or `gender` says how it is spoken of.
        seed: of the wording, of which there are several for each attribute.
    """
    facts = _facts(attributes)
    name = clean(str(attributes.get("name", ""))) or "This person"
    spoken = next((facts[key].casefold() for key in ("gender", "sex") if key in facts), "")
    subject, own = _PRONOUNS.get(spoken, (name, f"{name}'s"))
    rng = generator(seed, "biography", name)
    sentences = []
    for place, (label, value) in enumerate(facts.items()):
        frames = next((frames for labels, frames in _FRAMES.items() if label.casefold() in labels), _PLAIN)
        if value in ("yes", "no"):
            frames = ("Asked about {label}, {who} says {value}.",)
        words = {"who": name if place == 0 else subject, "own": f"{name}'s" if place == 0 else own}
        frame = frames[int(rng.integers(len(frames)))]
        stripped = re.sub(r" years?$", "", value) if label.casefold() == "age" else value.rstrip(".")
        sentence = frame.format(**words, label=label, value=stripped)
        sentences.append(sentence[:1].upper() + sentence[1:])
    return clean(" ".join(sentences), TEXT_LIMIT) or f"{name}."


def answered(pairs: Sequence[tuple[str, str]]) -> str:
    """A person as a list of questions and its answers, one of each a line; ConfigError where there are none."""
    if not pairs:
        raise ConfigError("a list of questions and answers needs at least one of each")
    lines = (f"Question: {clean(question)}\nAnswer: {clean(answer)}" for question, answer in pairs)
    return "\n".join(lines)


def identity(social: str = "", personal: str = "", context: str = "") -> str:
    """A person in up to three parts, each under its heading, with a line of its own; ConfigError where all are empty.

    Args:
        social: S: to which groups it belongs.
        personal: P: traits and values.
        context: C: how it spends its days, what it loves and hates.
    """
    texts = {"social": social, "personal": personal, "context": context}
    lines = [f"{_HEADINGS[part]}: {said}" for part, text in texts.items() if (said := clean(text, TEXT_LIMIT))]
    if not lines:
        raise ConfigError("an identity needs at least one of its parts: social, personal or context")
    return "\n".join(lines)


def shuffled(texts: Mapping[str, str], seed: int) -> dict[str, str]:
    """Everyone gets somebody else's text: nobody keeps his own (a derangement, all of which are equally likely).

    Raises:
        ConfigError: there are fewer than two.
    """
    names = list(texts)
    if len(names) < 2:
        raise ConfigError(f"texts are shuffled among at least two people; there are {len(names)}")
    rng = generator(seed, "shuffled")
    while True:  # 1 in e permutations moves everyone, whatever their number
        order = rng.permutation(len(names))
        if (order != np.arange(len(names))).all():
            return {name: texts[names[other]] for name, other in zip(names, order, strict=True)}


def masked(text: str, words: Iterable[str], mask: str = "…") -> str:
    """`text` with `mask` in place of whole words (or phrases), in whatever case they are written."""
    known = sorted({word.strip() for word in words if word.strip()}, key=lambda word: (-len(word), word))
    if not known:
        return text
    pattern = r"(?<!\w)(?:" + "|".join(re.escape(word) for word in known) + r")(?!\w)"
    return re.sub(pattern, lambda _: mask, text, flags=re.IGNORECASE)


def describe(persona: Persona, depth: str, seed: int = 0) -> str:
    """A person described at one depth.

    - `name`: nothing but the name.
    - `line`, `biography`: as `one_line` and `biography` have it.
    - `list`: `Persona.render`, every attribute with what it is called.
    - `answers`: every attribute as a question and its answer. An attribute with a question mark in its name is the question.
    - `s`, `p`, `c`, `sp`, `sc`, `pc`, `spc`: the parts of an identity, from the attributes `social`, `personal`, `context`
      (S, where there is no `social`: all other attributes).
    - `backstory`: the attribute `backstory`.

    Attributes that hold a part or a backstory are shown at their own depths only (and in `list`).

    Raises:
        ConfigError: there is no such depth, or the person lacks the attribute that it shows.
    """
    if depth not in DEPTHS:
        raise ConfigError(f"there is no depth {depth!r}; there are {', '.join(DEPTHS)}")
    if depth == "list":
        return persona.render()
    facts = {"name": persona.name, **dict(fact for key, fact in persona.facts().items() if key not in _FREE)}
    ways: dict[str, Callable[[], str]] = {
        "name": lambda: f"{clean(persona.name)}.",
        "line": lambda: one_line(facts),
        "biography": lambda: biography(facts, seed),
        "answers": lambda: answered(_questions(facts)),
        "backstory": lambda: _text(persona, "backstory"),
    }
    if depth in ways:
        return ways[depth]()
    texts = {PARTS[letter]: "" for letter in depth}
    for part in texts:
        rest = " ".join(Persona.model_validate(facts).sentences()) if part == "social" else ""
        texts[part] = rest if rest and not persona.attributes().get(part) else _text(persona, part)
    return identity(**texts)


def descriptions(
    personas: Sequence[Persona],
    depth: str,
    control: str = "",
    seed: int = 0,
    mask: Sequence[str] = (),
) -> dict[str, str]:
    """Everybody's description by name, as it is or as a control.

    Args:
        personas: the people.
        depth: see `describe`.
        control: `shuffled`: everyone keeps the name, and is described by somebody else's attributes; `masked`: values
            are hidden wherever they are said, so that the form of the description stays and what it says goes.
        seed: of the wording and of who gets whose attributes.
        mask: the attributes whose values are hidden; all where none is named.

    Raises:
        ConfigError: there is no such depth, control or attribute, or too few people to shuffle.
    """
    if control and control not in CONTROLS:
        raise ConfigError(f"there is no control {control!r}; there are {', '.join(CONTROLS)}")
    if control == "shuffled":
        by_name = {persona.name: persona for persona in personas}
        source = shuffled({name: name for name in by_name}, seed)
        return {n: describe(by_name[source[n]].model_copy(update={"name": n}), depth, seed) for n in by_name}
    if control == "masked":
        return {persona.name: _masked(persona, depth, seed, mask) for persona in personas}
    return {persona.name: describe(persona, depth, seed) for persona in personas}


def _facts(attributes: Mapping[str, Any]) -> dict[str, str]:
    """The attributes as shown, without the name."""
    values = {
        clean(str(key).replace("_", " ")): shown(v) for key, v in attributes.items() if key != "name" and v is not None
    }
    return {label: value for label, value in values.items() if value}


def _questions(facts: Mapping[str, str]) -> list[tuple[str, str]]:
    """What one would have asked to hear the facts; of a person without any only the name."""
    shown_facts = {label: value for label, value in facts.items() if label != "name"} or {"name": facts["name"]}
    return [(label if label.endswith("?") else f"What is your {label}?", value) for label, value in shown_facts.items()]


def _text(persona: Persona, attribute: str) -> str:
    """The text that stands in an attribute."""
    text = clean(str(persona.attributes().get(attribute) or ""), TEXT_LIMIT)
    if not text:
        raise ConfigError(f"{persona.name!r} has no {attribute!r}: add that column, or choose another depth")
    return text


def _masked(persona: Persona, depth: str, seed: int, mask: Sequence[str]) -> str:
    """A description without the values of some attributes, nor the same words elsewhere in it."""
    known = persona.attributes()
    if unknown := [name for name in mask if name not in known]:
        raise ConfigError(
            f"{persona.name!r} has no attribute {unknown[0]!r} to mask; there are {', '.join(known) or 'none'}"
        )
    hidden = {name: known[name] for name in mask or known if known[name] is not None}
    words = []
    for value in hidden.values():
        items = value if isinstance(value, list | tuple | set | frozenset) else [value]
        words += [shown(item).rstrip(".") for item in items]
    text = describe(persona.model_copy(update=dict.fromkeys(hidden, "…")), depth, seed)
    return masked(text, words)
