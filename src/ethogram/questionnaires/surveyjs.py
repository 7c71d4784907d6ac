"""Questionnaires from and to the JSON of SurveyJS, a common format of web surveys (surveyjs.io, form library 1 and 2).

Pages are blocks and elements are items. What that format has no word for (arms, scores, sharing out a total, how many of a
block are asked) stands under the key `ethogram`, which its readers pass over.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping
from typing import Any

from ethogram.errors import ConfigError, DataError
from ethogram.questionnaires.conditions import Condition
from ethogram.questionnaires.files import parsed
from ethogram.questionnaires.items import Allocation, Choice, Multiple, Number, Open, Scale
from ethogram.questionnaires.questionnaire import Block, Questionnaire

__all__ = ["from_surveyjs", "to_surveyjs"]

OURS = "ethogram"
LONGEST = 500
SIGNS: dict[type[ast.cmpop], str] = {
    ast.Eq: "=",
    ast.NotEq: "<>",
    ast.Lt: "<",
    ast.LtE: "<=",
    ast.Gt: ">",
    ast.GtE: ">=",
}


def to_surveyjs(questionnaire: Questionnaire) -> dict[str, Any]:
    """The questionnaire as a SurveyJS survey."""
    found: dict[str, Any] = {"title": questionnaire.title}
    if questionnaire.intro:
        found["description"] = questionnaire.intro
    found["pages"] = [_page(block) for block in questionnaire.blocks]
    ours = {
        "about": questionnaire.about,
        "order": questionnaire.order,
        "arms": dict(questionnaire.arms),
        "scores": [score.model_dump(exclude_defaults=True) for score in questionnaire.scores],
    }
    return {**found, OURS: {key: value for key, value in ours.items() if value and value != "fixed"}}


def from_surveyjs(survey: Mapping[str, Any], where: str = "the survey") -> Questionnaire:
    """A questionnaire from a SurveyJS survey.

    Panels are taken apart, and texts between questions (`html`, `image`) left out.

    Args:
        survey: what the JSON file holds.
        where: what errors call it.

    Raises:
        DataError: an element is of a type that is not known here, a condition cannot be read, or the whole is no
            questionnaire; the message says which.
    """
    pages = survey.get("pages") if isinstance(survey, Mapping) else None
    if pages is None and isinstance(survey, Mapping) and "elements" in survey:
        pages = [{"name": "page1", "elements": survey["elements"]}]
    if not isinstance(pages, list):
        raise DataError(f"{where} is no SurveyJS survey: it has neither pages nor elements")
    ours = survey.get(OURS, {})
    blocks = [_block(page, i, where) for i, page in enumerate(pages)]
    content = {
        "title": _text(survey.get("title")) or "Survey",
        "intro": _text(survey.get("description")),
        "about": ours.get("about", ""),
        "order": ours.get("order", "fixed"),
        "arms": ours.get("arms", {}),
        "block": [block for block in blocks if block["item"]],
        "score": ours.get("scores", []),
    }
    return parsed(content, where)


def _page(block: Block) -> dict[str, Any]:
    found: dict[str, Any] = {"name": block.name, "elements": [_element(item) for item in block.items]}
    if block.order == "random":
        found["questionsOrder"] = "random"
    if block.shown_if is not None:
        found["visibleIf"] = _exported(Condition(block.shown_if))
    return {**found, OURS: {"ask": block.ask}} if block.ask is not None else found


def _element(item: Any) -> dict[str, Any]:
    found: dict[str, Any] = {"name": item.name, "title": item.text, **_kind(item)}
    if item.shown_if is not None:
        found["visibleIf"] = _exported(Condition(item.shown_if))
    if getattr(item, "shuffled", False):
        found["choicesOrder"] = "random"
    if last := getattr(item, "last", 0):
        found[OURS] = {**found.get(OURS, {}), "last": last}
    return found


def _kind(item: Any) -> dict[str, Any]:
    match item:
        case Choice():
            return {"type": "radiogroup", "choices": item.options, **({OURS: {"codes": item.codes}} if item.codes else {})}
        case Multiple():
            most = {} if item.most is None else {"maxSelectedChoices": item.most}
            return {"type": "checkbox", "choices": item.options, "minSelectedChoices": item.least, **most}
        case Scale():
            values = [
                {"value": point, "text": item.labels[point]} if point in item.labels else point
                for point in range(item.low, item.high + 1)
            ]
            return {"type": "rating", "rateMin": item.low, "rateMax": item.high, "rateValues": values}
        case Number():
            bounds = {key: value for key, value in (("min", item.low), ("max", item.high)) if value is not None}
            ours = {key: value for key, value in (("whole", item.whole), ("unit", item.unit)) if value}
            return {"type": "text", "inputType": "number", **bounds, **({OURS: ours} if ours else {})}
        case Allocation():
            rows = [{"name": option, "inputType": "number"} for option in item.options]
            return {"type": "multipletext", "items": rows, OURS: {"total": item.total}}
        case Open():
            return {"type": "comment", "maxLength": item.longest}
    raise TypeError(item)


def _block(page: Any, place: int, where: str) -> dict[str, Any]:
    if not isinstance(page, Mapping):
        raise DataError(f"{where}: page {place + 1} is no object")
    name = _name(page.get("name", f"page{place + 1}"), where)
    elements = _flat(page.get("elements", []), [], where)
    found: dict[str, Any] = {"name": name, "item": [_item(element, conditions, where) for element, conditions in elements]}
    if page.get("questionsOrder") == "random":
        found["order"] = "random"
    if page.get("visibleIf"):
        found["if"] = _imported(page["visibleIf"], f"{where}, page {name}")
    return found | {key: value for key, value in page.get(OURS, {}).items() if key == "ask"}


def _flat(elements: Any, above: list[str], where: str) -> list[tuple[Mapping[str, Any], list[str]]]:
    """The questions among elements, each with the conditions of the panels that it is in."""
    found = []
    for element in elements if isinstance(elements, list) else []:
        if not isinstance(element, Mapping):
            raise DataError(f"{where}: {element!r} is no element")
        if element.get("type") == "panel":
            condition = [element["visibleIf"]] if element.get("visibleIf") else []
            found += _flat(element.get("elements", []), [*above, *condition], where)
        elif element.get("type") not in ("html", "image"):
            found.append((element, above))
    return found


def _item(element: Mapping[str, Any], above: list[str], where: str) -> dict[str, Any]:
    name = _name(element.get("name", ""), where)
    at = f"{where}, element {name}"
    found: dict[str, Any] = {"name": name, "text": _text(element.get("title")) or str(element.get("name"))}
    ours = element.get(OURS, {})
    conditions = [_imported(c, at) for c in (*above, element.get("visibleIf")) if c]
    if conditions:
        found["if"] = conditions[0] if len(conditions) == 1 else " and ".join(f"({c})" for c in conditions)
    if element.get("choicesOrder") == "random":
        found["shuffled"] = True
    found |= {key: ours[key] for key in ("codes", "last", "whole", "unit", "total") if key in ours}
    match element.get("type"):
        case "radiogroup" | "dropdown":
            return {**found, "type": "choice", "options": _choices(element, at)}
        case "boolean":
            options = [_text(element.get("labelTrue")) or "Yes", _text(element.get("labelFalse")) or "No"]
            return {**found, "type": "choice", "options": options}
        case "checkbox" | "tagbox":
            most = {"most": element["maxSelectedChoices"]} if element.get("maxSelectedChoices") else {}
            least = int(element.get("minSelectedChoices", 0))
            return {**found, "type": "multiple", "options": _choices(element, at), "least": least, **most}
        case "rating":
            return {**found, "type": "scale", **_scale(element, at)}
        case "text" if element.get("inputType") in ("number", "range"):
            bounds = {key: element[old] for key, old in (("low", "min"), ("high", "max")) if old in element}
            return {**found, "type": "number", **bounds}
        case "text" | "comment":
            longest = int(element.get("maxLength", 0)) or LONGEST
            return {**found, "type": "open", "longest": longest}
        case "multipletext" if "total" in ours:
            return {**found, "type": "allocation", "options": [_text(row.get("name")) for row in element.get("items", [])]}
    raise DataError(f"{at} is of the type {element.get('type')!r}, which is not known here")


def _choices(element: Mapping[str, Any], at: str) -> list[str]:
    """The options of a list, as a respondent sees them, with `other` and `none` at its end."""
    choices = element.get("choices")
    if not isinstance(choices, list):
        raise DataError(f"{at} has no list of choices")
    found = [_text(c.get("text", c.get("value"))) if isinstance(c, Mapping) else _text(c) for c in choices]
    for kind, words in (("Other", "Other"), ("None", "None")):
        if element.get(f"show{kind}Item") or element.get(f"has{kind}"):
            found.append(_text(element.get(f"{kind.lower()}Text")) or words)
    return found


def _scale(element: Mapping[str, Any], at: str) -> dict[str, Any]:
    low, high, labels = int(element.get("rateMin", 1)), int(element.get("rateMax", 5)), {}
    if values := element.get("rateValues"):
        points = [v["value"] if isinstance(v, Mapping) else v for v in values]
        if not all(isinstance(p, int) for p in points) or sorted(points) != list(range(min(points), max(points) + 1)):
            raise DataError(f"{at} has rate values that are not whole numbers in a row")
        low, high = min(points), max(points)
        labels = {v["value"]: _text(v["text"]) for v in values if isinstance(v, Mapping) and "text" in v}
    for point, key in ((low, "minRateDescription"), (high, "maxRateDescription")):
        if element.get(key):
            labels[point] = _text(element[key])
    return {"low": low, "high": high, "labels": labels}


def _text(value: Any) -> str:
    """A text, or of one in several languages the default."""
    if isinstance(value, Mapping):
        value = value.get("default") or next(iter(value.values()), "")
    return "" if value is None else str(value)


def _name(name: Any, where: str) -> str:
    """A name as items have it; SurveyJS allows capitals, spaces and more."""
    made = re.sub(r"\W+", "_", re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", str(name))).strip("_").lower()
    if not made:
        raise DataError(f"{where}: {name!r} is no name of a question or page")
    return made if made[0].isalpha() else f"q_{made}"


def _exported(condition: Condition) -> str:
    """A condition in the words of SurveyJS."""

    def value(node: ast.expr) -> str:
        if isinstance(node, ast.Name):
            return f"{{{node.id}}}"
        if isinstance(node, ast.List | ast.Tuple):
            return "[" + ", ".join(value(part) for part in node.elts) + "]"
        return repr(ast.literal_eval(node))

    def pair(left: ast.expr, op: ast.cmpop, right: ast.expr) -> str:
        if isinstance(op, ast.In | ast.NotIn):
            listed = isinstance(right, ast.List | ast.Tuple)
            said = f"{value(left)} anyof {value(right)}" if listed else f"{value(right)} contains {value(left)}"
            return f"!({said})" if isinstance(op, ast.NotIn) else said
        return f"{value(left)} {SIGNS[type(op)]} {value(right)}"

    def words(node: ast.expr) -> str:
        match node:
            case ast.BoolOp(op=op, values=parts):
                return (" and " if isinstance(op, ast.And) else " or ").join(f"({words(part)})" for part in parts)
            case ast.UnaryOp(operand=part):
                return f"!({words(part)})"
            case ast.Compare(left=left, ops=ops, comparators=others):
                pairs = zip((left, *others), ops, others, strict=False)
                return " and ".join(pair(a, op, b) for a, op, b in pairs)
        return f"{value(node)} = true"

    return words(ast.parse(condition.text.strip(), mode="eval").body)


TOKEN = re.compile(
    r"\s*(?:(?P<name>\{[^{}]+\})|(?P<text>'[^']*'|\"[^\"]*\")|(?P<number>-?\d+(?:\.\d+)?)|(?P<sign><=|>=|<>|!=|==|&&|\|\||[=<>!()\[\],])"
    r"|(?P<word>[A-Za-z]+))"
)
WORDS = {
    "and": "and",
    "or": "or",
    "contains": "contains",
    "anyof": "in",
    "notanyof": "not in",
    "true": "True",
    "false": "False",
}
SAME = {"=": "==", "<>": "!=", "&&": "and", "||": "or", "!": "not"}


def _imported(expression: Any, where: str) -> str:
    """A condition of SurveyJS in ours."""
    text, at, parts = str(expression), 0, []
    while text[at:].strip():
        found = TOKEN.match(text, at)
        word = found.group("word") if found else None
        if found is None or (word and word.lower() not in WORDS):
            raise DataError(f"{where}: the condition {text[:80]!r} cannot be read from {text[at : at + 20]!r} on")
        if name := found.group("name"):
            parts.append(_name(name[1:-1], where))
        elif sign := found.group("sign"):
            parts.append(SAME.get(sign, sign))
        else:
            parts.append(WORDS[word.lower()] if word else found.group().strip())
        at = found.end()
    made = re.sub(r"(\w+) contains ('[^']*'|\"[^\"]*\"|-?[\d.]+)", r"\2 in \1", " ".join(parts))
    try:
        return Condition(made).text
    except ConfigError as error:
        raise DataError(f"{where}: {error}") from None
