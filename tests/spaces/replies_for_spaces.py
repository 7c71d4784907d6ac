"""Replies made from good ones by mutation, each with what `parse` must make of it.

`corpus()` yields (name, text, expected): the verb expected, or words that the error's message must contain ("" for any).
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, TypeAlias

from pydantic import BaseModel
from verbs_for_spaces import TOWN, Colour, Everything, Gift, GiveMoney, Level, Say, Wait

Case: TypeAlias = "tuple[str, str, BaseModel | str]"

GOOD: list[BaseModel] = [
    Wait(),
    Say(to="Ann", text="Hello"),
    Say(to="Zoë", text='He said: "no {braces} [or] \\ slashes", did he?\nYes. 🙂'),
    Say(to="{", text='}{"verb": "wait"}</think>```'),
    Say(to="日本", text="‮ \x00\x7f\t end"),
    GiveMoney(to="Bob", coins=3, colour=Colour.GREEN),
]

PROSE = [
    "I think I should speak now.",
    "Sure! Here is the action:",
    "It's 5 o'clock {maybe later} and [they] said \"go\".",
    "Set {x | x > 0}, so {} it is... ",
    "{ not json",
    'A "quoted brace { in prose" \\ and a backslash.',
    "```python\nprint({'verb': 'wait'})\n```",
    'Perhaps {"mood": 3, "why": ["a", {"b": null}]} describes me.',
    'Draft: {"verb": "say", ...}.',
    "Ærlig talt – jeg vet ikke 🙂",
]


def text_of(verb: BaseModel) -> str:
    return json.dumps(TOWN.dump(verb))


def around() -> Iterator[Case]:
    """What may stand around the object without changing it."""
    for i, verb in enumerate(GOOD):
        dumped = TOWN.dump(verb)
        text = text_of(verb)
        yield f"plain {i}", text, verb
        yield f"unescaped {i}", json.dumps(dumped, ensure_ascii=False), verb
        yield f"raw line ends {i}", json.dumps(dumped).replace("\\n", "\n").replace("\\t", "\t"), verb
        yield f"indented {i}", json.dumps(dumped, indent=4), verb
        yield f"reversed keys {i}", json.dumps(dict(reversed(dumped.items()))), verb
        yield f"white space {i}", f" \n\t {text} \r\n", verb
        yield f"byte order mark {i}", f"\ufeff{text}", verb
        yield f"fence {i}", f"```json\n{text}\n```", verb
        yield f"bare fence {i}", f"```\n{text}\n```\n", verb
        yield f"list {i}", f"[{text}]", verb
        yield f"list in fence {i}", f"```\n[\n{text}\n]\n```", verb
        yield f"twice {i}", f"{text}\n{text}", verb
        yield f"twice, spaced otherwise {i}", f"{text}, {json.dumps(dumped, indent=1)}", verb
        yield f"then truncated {i}", f'{text}\n{{"verb": "wa', verb
        yield f"thought {i}", f'<think>Shall I {{"verb": "wait"}}? {{ or "</think>{text}', verb
        yield f"thought with the tag in capitals {i}", f"\n<THINK>\nhm\n</THINK>\n\n{text}", verb
        yield f"thought without beginning {i}", f'Shall I {{"verb": "wait"}}, or no?</think>\n{text}', verb
        yield f"thought never ends {i}", f"<think>{text}", "no JSON object" if "</think>" in text else "truncated"
        yield f"answer only within thought {i}", f"<think>{text}</think>I will wait.", "no JSON object"
        yield f"answer only before the thought ends {i}", f"{text}</think> so be it", "no JSON object"
        for j, prose in enumerate(PROSE):
            yield f"prose {j} before {i}", f"{prose}\n{text}", verb
            yield f"prose {j} after {i}", f"{text}\n{prose}", verb


def cut() -> Iterator[Case]:
    """Good replies that end too soon, at every offset, with and without prose before them."""
    for i, verb in enumerate([GOOD[1], GOOD[2], GOOD[5]]):
        text = text_of(verb)
        for n in range(len(text)):
            yield f"cut {i} at {n}", text[:n], "truncated" if n else "no JSON object"
        for n in range(1, len(text), 3):
            yield f"cut {i} at {n} after prose", f"Well, {{so}}: {text[:n]}", "truncated"


def fields() -> Iterator[Case]:
    """Missing, extra, wrong and convertible values."""
    base = TOWN.dump(GOOD[5])
    for key in ("to", "coins"):
        yield f"missing {key}", json.dumps({k: v for k, v in base.items() if k != key}), f"give_money: {key} is missing"
    yield "missing all", '{"verb": "give_money"}', "to, coins are missing"
    yield "missing verb", json.dumps({k: v for k, v in base.items() if k != "verb"}), 'no "verb"'
    yield "default left out", '{"verb": "give_money", "to": "Bob", "coins": 3}', GiveMoney(to="Bob", coins=3)
    yield "extra", json.dumps({**base, "why": "fun"}), 'no field "why"'
    yield "extra empty key", json.dumps({**base, "": 1}), 'no field ""'
    bob = GiveMoney(to="Bob", coins=3, colour=Colour.GREEN)
    for name, coins in {"string": "3", "float": 3.0, "spaced": " 3 ", "exponent": 3e0}.items():
        yield f"convertible {name}", json.dumps({**base, "coins": coins}), bob
    for name, coins in {
        "zero": 0,
        "six": 6,
        "fraction": 3.5,
        "word": "three",
        "null": None,
        "list": [3],
        "object": {"n": 3},
        "huge": 10**30,
        "negative": -1,
        "empty": "",
    }.items():
        yield f"wrong coins {name}", json.dumps({**base, "coins": coins}), "coins must be a whole number from 1 to 5"
    for name, to in {"number": 3, "null": None, "list": ["Bob"], "object": {}, "bool": True, "long": "x" * 41}.items():
        yield f"wrong to {name}", json.dumps({**base, "to": to}), "to must be text of at most 40 characters"
    for name, colour in {"unknown": "blue", "capital": "RED", "number": 1, "null": None}.items():
        yield f"wrong colour {name}", json.dumps({**base, "colour": colour}), 'colour must be one of "red", "green"'
    yield "text too short", '{"verb": "say", "to": "a", "text": ""}', "text must be text of 1 to 200 characters"
    yield "key in capitals", '{"verb": "say", "To": "a", "text": "b"}', 'no field "To"'
    yield "nested in an object", json.dumps({"action": base}), 'no "verb"'
    yield "verb as a key", '{"say": {"to": "a", "text": "b"}}', 'no "verb"'


def names() -> Iterator[Case]:
    """Names of verbs."""
    rest = '"to": "Bob", "coins": 3, "colour": "green"}'
    for name in ("Give_Money", "GIVE_MONEY", "GiveMoney", "givemoney", " give_money "):
        yield f"name {name}", f'{{"verb": "{name}", {rest}', GOOD[5]
    for name in ("give money", "give", "give_money_", "", "gıve_money", "say\\u0000", "x" * 1000):
        yield f"unknown {name[:20]}", f'{{"verb": "{name}", {rest}', "known verbs: wait, say, give_money"
    for value in ("null", "3", "true", '["say"]', '{"say": 1}', "1e999"):
        yield f"verb is {value}", f'{{"verb": {value}}}', "known verbs"


def grammar() -> Iterator[Case]:
    """What is not JSON."""
    say = '"verb": "say", "to": "a"'
    bad = "malformed"
    yield "empty", "", "no JSON object"
    yield "white", " \n ", "no JSON object"
    yield "prose only", "I would like to wait.", "no JSON object"
    yield "the name only", "wait", "no JSON object"
    yield "a string", '"wait"', "no JSON object"
    yield "a number", "3", "no JSON object"
    yield "an empty object", "{}", 'no "verb"'
    yield "an empty list", "[]", "no JSON object"
    yield "single quotes", "{'verb': 'wait'}", "no JSON object"
    yield "no quotes", "{verb: wait}", "no JSON object"
    yield "curly quotes", "{“verb”: “wait”}", "no JSON object"
    yield "json in a string", json.dumps('{"verb": "wait"}'), "no JSON object"
    yield "trailing comma", f'{{{say}, "text": "b",}}', bad
    yield "no comma", f'{{{say} "text": "b"}}', bad
    yield "single-quoted value", f"{{{say}, \"text\": 'b'}}", bad
    yield "unquoted value", f'{{{say}, "text": b}}', bad
    yield "comment", f'{{{say}, /* c */ "text": "b"}}', bad
    yield "Python True", f'{{{say}, "text": True}}', bad
    yield "quotes within text", f'{{{say}, "text": "he said "no" to me"}}', bad
    yield "a brace too many", f'{{{say}, "text": "b"}}}}', Say(to="a", text="b")
    yield "a brace too few, then prose", f'{{{say}, "text": "b" ... and so on', bad
    yield "unknown escape", f'{{{say}, "text": "it\\\'s"}}', bad
    yield "half an escape", f'{{{say}, "text": "\\u12"}}', bad
    yield "hexadecimal", f'{{{say}, "text": 0x10}}', bad
    for constant in ("NaN", "Infinity", "-Infinity"):
        yield constant, f'{{{say}, "text": {constant}}}', f"{constant} is not JSON"
    yield "overflow", '{"verb": "give_money", "to": "Bob", "coins": 1e999}', "coins must be a whole number"
    yield "too many digits", '{"verb": "give_money", "to": "Bob", "coins": ' + "9" * 5000 + "}", "too many digits"
    yield "repeated key", f'{{{say}, "text": "b", "text": "c"}}', 'the key "text" occurs twice'
    yield "repeated key, same value", f'{{{say}, "text": "b", "text": "b"}}', 'the key "text" occurs twice'
    yield "repeated verb", '{"verb": "wait", "verb": "wait"}', 'the key "verb" occurs twice'
    for name, text in {"high": "\\ud800", "low": "a\\udc00b", "raw": "\ud83d", "key": "ok"}.items():
        key = "t\\ud800" if name == "key" else "text"
        yield f"surrogate {name}", f'{{{say}, "{key}": "{text}"}}', "surrogate"
    yield "a pair of surrogates", f'{{{say}, "text": "\\ud83d\\ude42"}}', Say(to="a", text="🙂")
    yield "surrogate in the prose", '\ud83d {"verb": "wait"}', Wait()
    yield "zero bytes", '\x00{"verb": "wait"}\x00', Wait()


def several() -> Iterator[Case]:
    """More than one object."""
    wait, say, give = (text_of(v) for v in (GOOD[0], GOOD[1], GOOD[5]))
    for i, (a, b) in enumerate([(wait, say), (say, wait), (give, say), (say, say.replace("Hello", "Bye"))]):
        for j, between in enumerate(["", "\n", ", ", " or maybe ", "```\n```json\n"]):
            yield f"two {i} {j}", a + between + b, "two verbs"
        yield f"two in a list {i}", f"[{a}, {b}]", "two verbs"
        yield f"two, first malformed {i}", f"{a[:-1]},}} {b}", TOWN.parse(b)
        yield f"two, second malformed {i}", f"{a} {b[:-1]},}}", TOWN.parse(a)
    yield "known and unknown", f'{wait} {{"verb": "fly"}}', "two verbs"
    yield "one without a verb", f'{{"mood": "glad"}} {wait}', Wait()
    yield "verb in a malformed one", '{"plan": x, "next": {"verb": "wait"}}', "malformed"
    yield "verb in one that is cut", '{"plan": {"verb": "wait"}, ', "truncated"


def monsters() -> Iterator[Case]:
    """Big, deep and otherwise costly; none may take long."""
    n = 100_000
    yield "too big", "x" * (n + 1), "characters"
    yield "good but too big", text_of(GOOD[0]) + " " * n, "characters"
    yield "good and big", "x" * (n - 100) + text_of(GOOD[0]), Wait()
    yield "good, after quotes", '"' * 99_001 + text_of(GOOD[0]), Wait()
    yield "long text", '{"verb": "say", "to": "a", "text": "' + "b" * 90_000 + '"}', "text must be"
    yield "long key", '{"verb": "wait", "' + "k" * 90_000 + '": 1}', "no field"
    yield "long list", '{"verb": "say", "to": "a", "text": [' + "1," * 49_000 + "1]}", "text must be"
    yield "many keys", '{"verb": "wait",' + ",".join(f'"k{i}":1' for i in range(9000)) + "}", "no field"
    yield "many keys, one twice", "{" + ",".join(f'"k{i}":1' for i in range(9000)) + ',"k8999":1}', "occurs twice"
    yield "deep text", '{"verb": "say", "to": "a", "text": ' + "[" * 40_000 + "]" * 40_000 + "}", "deep"
    yield "moderately deep", '{"verb": "say", "to": "a", "text": ' + "[" * 150 + "]" * 150 + "}", "text must be"
    yield "many objects", text_of(GOOD[0]) * 6000, "more than 100"
    units = ["{", "[", '"', "\\", "{}", "[]", '{"', '{"a":', '{"a":[', '{"a":x ', '{"a":1}', '{"\\"', '{ "', "{\n", "{ "]
    units += ['{"verb":', '{"verb":"wait",', '{"a":"{",', '":{', '{":', '{"a":"\\x"}', '{"a":{"a":1,"a":2}}', "<think>"]
    units += [
        "</think>",
        '{"a":1}</think>',
        '{"a": "</think>"',
        '{"a":\\"',
        '"{',
        "`",
        "{{}",
        "{\\",
        "\ud800",
        "{'a':",
        '{"":',
        "{\x00",
    ]
    for unit in units:
        yield f"repeated {unit!r}", unit * (n // len(unit)), ""
        yield f"opened, repeated {unit!r}", '{"verb":' + unit * (n // len(unit) - 10), ""
        yield f"in a string, repeated {unit!r}", '{"a": x "' + unit * (n // len(unit) - 10), ""
    block = '{"a":' * 900
    yield "deep blocks", (block + " x ") * (n // (len(block) + 3)), ""
    yield "deep blocks of big numbers", (block + "9" * 5000) * (n // (len(block) + 5000)), ""
    yield "deep blocks, open text", (block + '"') * (n // (len(block) + 1)), ""


def corpus() -> Iterator[Case]:
    """All of it."""
    for part in (around, cut, fields, names, grammar, several, monsters):
        yield from part()


EVERYTHING: dict[str, Any] = {
    "whole": 1,
    "small": 0,
    "even": 2,
    "ratio": 0.5,
    "tenth": 0.3,
    "free": 1.5,
    "yes": True,
    "word": "a",
    "colour": "red",
    "level": 1,
    "text": "hi",
    "code": "ab1",
    "money": "1.50",
    "amount": "2",
    "maybe": None,
    "either": "x",
    "pair": [1, "green"],
    "several": ["red"],
    "grid": [[True]],
    "gift": {"item": "hat", "price": 3},
    "event": {"item": "dog"},
    "scores": {"a": 1.0},
}
assert isinstance(Everything(**EVERYTHING).level, Level) and isinstance(Everything(**EVERYTHING).gift, Gift)
