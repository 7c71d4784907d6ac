"""What llama.cpp's server is asked, in process or over HTTP: prompts as tokens, constrained decoding, exact scores.

**Prompts.** The chat template is rendered by the server, once for each sequence of roles, around placeholders; the
pieces between are tokenised with special tokens, the messages' contents without. So nothing that an agent says can end
its message or begin another: `<|im_end|>` in a message is seven ordinary tokens. Pieces and contents are kept, so that a
system prompt is tokenised once.

**Scores.** Options of one token each are read off one request that gives the `TOP` likeliest next tokens. Any other
option is asked for with a grammar that allows nothing but its tokens, one by one (`root ::= <[id]> ...`); the
log-probabilities given are those before masking. A grammar over *text* would not do: greedy decoding may then take another
tokenisation of it.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from typing import Any

from ethogram.language.backends import Fault
from ethogram.language.request import Answer, Message, Request

__all__ = ["Prompts", "completion", "decodable", "reading", "scored", "scoring"]

TOP = 400
"""Likeliest tokens asked for when options have one token each (20 ms; all 49 152 would take 500 ms)."""

KEYWORDS = {
    *("type", "const", "enum", "anyOf", "oneOf", "allOf", "$ref", "$defs", "definitions"),
    *("properties", "required", "additionalProperties", "minProperties", "maxProperties"),
    *("items", "prefixItems", "minItems", "maxItems", "minLength", "maxLength", "pattern"),
    *("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"),
}
"""What the server's schema compiler knows. By anything else (`propertyNames`) it is led to constrain nothing, silently."""

COMPACT = {"whitespace_flexible": False, "item_separator": ", ", "key_separator": ": "}
"""One spelling of the JSON: fewer tokens, and no endless white space."""

KEPT = 4096
"""Tokenised texts that are kept."""

Post = Callable[[str, dict[str, Any]], dict[str, Any]]


class Prompts:
    """Messages as token ids. `post` sends JSON to a path of the server and gives its JSON; it is used by one thread."""

    def __init__(self, post: Post) -> None:
        self._post = post
        self._templates: dict[tuple[str, ...], list[list[int] | int]] = {}
        self._texts: OrderedDict[str, list[int]] = OrderedDict()

    def tokens(self, messages: list[Message]) -> list[int]:
        """The prompt that the chat template makes of the messages, up to where the assistant's answer begins."""
        roles = tuple(m["role"] for m in messages)
        if roles not in self._templates:
            self._templates[roles] = self._template(roles)
        ids: list[int] = []
        for piece in self._templates[roles]:
            ids += self.text(messages[piece]["content"]) if isinstance(piece, int) else piece
        return ids

    def text(self, text: str) -> list[int]:
        """The tokens of a text in which there are no special ones."""
        kept = self._texts.get(text)
        if kept is None:
            kept = self._texts[text] = self._tokenise(text, special=False)
            if len(self._texts) > KEPT:
                self._texts.popitem(last=False)
        else:
            self._texts.move_to_end(text)
        return kept

    def _template(self, roles: tuple[str, ...]) -> list[list[int] | int]:
        """The template for a sequence of roles: token ids, and the numbers of the messages that go between."""
        marks = [f"\x01{i}\x02" for i in range(len(roles))]
        shown = [{"role": role, "content": mark} for role, mark in zip(roles, marks, strict=True)]
        rest: str = self._post("/apply-template", {"messages": shown})["prompt"]
        pieces: list[list[int] | int] = []
        for i, mark in enumerate(marks):
            before, found, rest = rest.partition(mark)
            if not found:
                raise Fault(f"the model's chat template does not take the roles {', '.join(roles)}", final=True)
            # Before the first message the tokeniser adds what a text of this model begins with, if anything.
            pieces += [self._tokenise(before, special=True, first=i == 0), i]
        return [*pieces, self._tokenise(rest, special=True)]

    def _tokenise(self, text: str, special: bool, first: bool = False) -> list[int]:
        if not text and not first:
            return []
        text = text.encode("utf-8", "replace").decode()  # half a surrogate pair cannot be put into UTF-8
        return self._post("/tokenize", {"content": text, "add_special": first, "parse_special": special})["tokens"]


def completion(prompt: list[int], request: Request, grammar: str | None) -> dict[str, Any]:
    """The body of a request for text: the model's own distribution, without truncation of its tail."""
    body: dict[str, Any] = {
        "prompt": prompt,
        "max_tokens": request.max_tokens,
        "temperature": request.temperature,
        "top_k": 0,
        "top_p": 1.0,
        "min_p": 0.0,
        "seed": request.seed,
        "cache_prompt": True,
    }
    if request.stop:
        body["stop"] = list(request.stop)
    if grammar is not None:
        body["grammar"] = grammar
    return body


def decodable(schema: Any) -> dict[str, Any]:
    """The schema in the keywords that the server's compiler knows; what it leaves open is checked when the reply is read."""
    return {**_known(schema), "x-guidance": COMPACT}


def _known(schema: Any) -> Any:
    if not isinstance(schema, dict):
        return schema
    known: dict[str, Any] = {}
    for key, value in schema.items():
        if key not in KEYWORDS:
            continue
        if key in ("properties", "$defs", "definitions"):
            known[key] = {name: _known(part) for name, part in value.items()}
        elif key in ("anyOf", "oneOf", "allOf", "prefixItems"):
            known[key] = [_known(part) for part in value]
        elif key in ("items", "additionalProperties"):
            known[key] = _known(value)
        else:
            known[key] = value
    if set(known.get("properties", ())) - set(known.get("required", ())):
        known.pop("minProperties", None)  # known to the compiler only where all properties are required
        known.pop("maxProperties", None)
    return known


def reading(reply: dict[str, Any]) -> Answer:
    """The text that the server gave.

    Raises:
        Fault: it gave an error.
    """
    if "error" in reply:
        raise Fault(_error(reply["error"]), final=True)
    choice, usage = reply["choices"][0], reply["usage"]
    return Answer(
        text=choice["text"],
        tokens_in=usage["prompt_tokens"],
        tokens_out=usage["completion_tokens"],
        finish=choice["finish_reason"],
    )


def _error(error: dict[str, Any]) -> str:
    if error.get("type") == "exceed_context_size_error":
        return f"the prompt has {error['n_prompt_tokens']} tokens, more than the context of {error['n_ctx']}"
    return f"the engine said: {error.get('message', error)}"


def scoring(prompt: list[int], option: list[int] | None) -> dict[str, Any]:
    """The body of a request for the log-probabilities of the option's tokens; without one, of the likeliest next tokens."""
    body: dict[str, Any] = {"prompt": prompt, "temperature": 0.0, "cache_prompt": True}
    if option is None:
        return {**body, "max_tokens": 1, "n_probs": TOP}
    grammar = "root ::= " + " ".join(f"<[{token}]>" for token in option)
    return {**body, "max_tokens": len(option), "n_probs": 1, "grammar": grammar}


def scored(ask: Callable[[dict[str, Any]], dict[str, Any]], prompt: list[int], options: list[list[int]]) -> Answer:
    """The log-likelihood of each option after the prompt, by as few requests as will do."""
    singles = {tokens[0] for tokens in options if len(tokens) == 1}
    known: dict[int, float] = {}
    if len(singles) > 1:
        top = _logprobs(ask(scoring(prompt, None)))[0]["top_logprobs"]
        known = {entry["id"]: entry["logprob"] for entry in top}
    scores: list[float] = []
    for tokens in options:
        if len(tokens) == 1 and tokens[0] in known:
            scores.append(known[tokens[0]])
            continue
        entries = _logprobs(ask(scoring(prompt, tokens)))
        if [entry["id"] for entry in entries] != tokens:
            raise Fault("the engine did not score the option's own tokens", final=True)
        scores.append(sum(entry["logprob"] for entry in entries))
    return Answer(scores=scores, tokens=[len(t) for t in options], method="exact", tokens_in=len(prompt))


def _logprobs(reply: dict[str, Any]) -> list[dict[str, Any]]:
    if "error" in reply:
        raise Fault(_error(reply["error"]), final=True)
    return reply["choices"][0]["logprobs"]["content"]
