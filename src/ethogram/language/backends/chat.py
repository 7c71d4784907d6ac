"""OpenAI's chat protocol: its dialects, and what is read in its responses."""

from __future__ import annotations

import json
import math
import re
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import lru_cache
from typing import Any

from ethogram.language.request import Answer, encode

__all__ = ["Dialect", "excerpt", "first_tokens", "format_of", "frequencies", "likeliest", "retry_after", "text_of"]


@dataclass(frozen=True)
class Dialect:
    """What an endpoint knows of the protocol."""

    length: str = "max_tokens"
    temperature: bool = True
    seed: bool = True
    schema: str = "json_schema"
    logprobs: bool = True

    def without(self, complaint: str) -> Dialect | None:
        """The dialect after the endpoint's complaint, or None where that names nothing that can be left out."""
        if "max_completion_tokens" in complaint and self.length == "max_tokens":
            return replace(self, length="max_completion_tokens")
        if re.search(r"response_format|json_schema|schema|grammar|guided", complaint) and self.schema:
            return replace(self, schema="json_object" if self.schema == "json_schema" else "")
        if "logprobs" in complaint and self.logprobs:
            return replace(self, logprobs=False)
        if "temperature" in complaint and self.temperature:
            return replace(self, temperature=False)
        if re.search(r"\bseed\b", complaint) and self.seed:
            return replace(self, seed=False)
        return None


@lru_cache(maxsize=512)
def format_of(schema_json: str, form: str) -> str:
    """The parameter that constrains decoding; without the keywords that engines commonly reject."""
    if form == "json_object":
        return ',"response_format":{"type":"json_object"}'
    schema = encode(_portable(json.loads(schema_json)))
    return f',"response_format":{{"type":"json_schema","json_schema":{{"name":"reply","schema":{schema}}}}}'


def _portable(schema: Any) -> Any:
    if isinstance(schema, list):
        return [_portable(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    return {key: _portable(value) for key, value in schema.items() if key != "propertyNames"}


def text_of(choice: dict[str, Any]) -> Answer:
    """The text of a choice; none where it was filtered or left out."""
    message = choice.get("message")
    content = message.get("content") if isinstance(message, dict) else None
    finish = choice.get("finish_reason")
    if not isinstance(content, str) or finish == "content_filter":
        return Answer(text=None)
    return Answer(text=content, finish="length" if finish == "length" else "stop")


def likeliest(choice: dict[str, Any]) -> list[tuple[str, float]]:
    """The likeliest first tokens with their log-probabilities; empty where they are not disclosed."""
    try:
        entries = choice["logprobs"]["content"][0]["top_logprobs"]
        return [(entry["token"], float(entry["logprob"])) for entry in entries]
    except (KeyError, TypeError, IndexError, ValueError):
        return []


def first_tokens(options: list[str], top: list[tuple[str, float]]) -> list[float] | None:
    """Each option's score by the longest token that it begins with; None where one such token begins several options."""
    found: list[tuple[str, list[float]]] = []
    for option in options:
        starts = [(token.lstrip(), logprob) for token, logprob in top if option.lstrip().startswith(token.lstrip())]
        longest = max((start for start, _ in starts), key=len, default="")
        # The same token with and without a leading blank counts as one; shorter ones begin the option spelled otherwise.
        found.append((longest, [logprob for start, logprob in starts if start == longest and longest]))
    begun = [start for start, values in found if values]
    if not begun or len(set(begun)) < len(begun):
        return None
    left = max(1.0 - math.fsum(math.exp(logprob) for _, logprob in top), 1e-12)
    missing = len(options) - len(begun)
    bound = min(math.log(left / max(missing, 1)), min(logprob for _, logprob in top))
    return [math.log(math.fsum(map(math.exp, values))) if values else bound for _, values in found]


def frequencies(options: list[str], texts: list[str]) -> list[int]:
    """How many texts begin with each option, but for case, punctuation around, and what follows the option's last word."""
    counts = [0] * len(options)
    forms = sorted(((_bare(o), i) for i, o in enumerate(options)), key=lambda f: -len(f[0]))
    for text in texts:
        said = _bare(text)
        for form, i in forms:  # the longest first, of which a shorter one may be the beginning
            if form and re.match(re.escape(form) + r"(?!\w)", said):
                counts[i] += 1
                break
    return counts


def _bare(text: str) -> str:
    return " ".join(text.casefold().split()).strip(" .,;:!?\"'`*()[]-")


def retry_after(value: str | None) -> float | None:
    """Seconds that a `Retry-After` header asks for: a number, or a date."""
    if not value:
        return None
    try:
        seconds = float(value)
    except ValueError:
        try:
            when = parsedate_to_datetime(value)
        except ValueError:
            return None
        seconds = (when.replace(tzinfo=when.tzinfo or UTC) - datetime.now(UTC)).total_seconds()
    return max(seconds, 0.0) if math.isfinite(seconds) else None


def excerpt(text: str) -> str:
    """The beginning of a text, on one line."""
    text = " ".join(text.split())
    return text if len(text) <= 200 else text[:197] + "..."
