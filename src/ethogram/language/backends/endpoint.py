"""Any endpoint that speaks OpenAI's chat protocol: the service itself, vLLM, llama.cpp, Ollama, LM Studio and others.

**Retried** (as `Fault`): time-outs, connections refused, reset or cut, malformed bodies, and the statuses 408, 409, 425, 429
and 5xx; `Retry-After` is honoured, in seconds or as a date. **Not retried**: a prompt that is too long or filtered fails its
call; every other status (400, 401, 403, 404, ...) is a `ModelError` that ends the run.

Endpoints differ in what they know. Where one rejects a parameter (status 400 or 422 naming it), it is left out or spelled
otherwise from then on, and the user is told once: `max_tokens`, `temperature`, `seed`, `response_format`, `logprobs`.

**Scores.** Chat endpoints disclose at most the likeliest first tokens (`top-k`): an option's score is the log-probability of
the longest token it begins with; for one that is not among them, an upper bound: what is left over, in equal shares, and no
more than the least disclosed. Where no log-probabilities are given, or a token begins several options, answers are sampled
and counted (`sampled`): log((count + 1/2) / (samples + options/2)).
"""

from __future__ import annotations

import asyncio
import json
import math
import os
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from ethogram.errors import ConfigError, ModelError
from ethogram.language.backends import Backend, Fault
from ethogram.language.backends.chat import (
    Dialect,
    excerpt,
    first_tokens,
    format_of,
    frequencies,
    likeliest,
    retry_after,
    text_of,
)
from ethogram.language.backends.wire import Link, check_address, connected, is_local
from ethogram.language.notices import tell
from ethogram.language.request import Answer, Method, Request, encode
from ethogram.seeds import derive

if TYPE_CHECKING:
    import aiohttp

__all__ = ["Endpoint"]

OPENAI = "https://api.openai.com/v1"
TOP = 20
"""Likeliest tokens that are asked for: as many as OpenAI gives."""
LARGEST = 32 * 2**20
"""Bytes of a response."""
TOO_LONG = re.compile(
    r"context_length_exceeded|exceed_context_size|maximum context length|maximum model length|"
    r"content_filter|content_policy|content management policy"
)
"""What is said of a prompt that cannot be answered, while others can."""


class Endpoint(Backend):
    """A chat endpoint.

    Args:
        name: the model's canonical spelling.
        base: address up to and with the version, such as `http://127.0.0.1:8000/v1`.
        remote: the model's name there.
        key: sent as a bearer token; never part of any name, record or message.
        timeout: seconds for one attempt.
        in_flight: most requests at once.
        samples: answers drawn where options are scored by sampling.
    """

    def __init__(
        self,
        name: str,
        base: str,
        remote: str,
        key: str = "",
        *,
        timeout: float = 120.0,
        in_flight: int = 2048,
        samples: int = 20,
    ) -> None:
        if not (timeout > 0 and in_flight >= 1 and samples >= 1):
            raise ConfigError(
                f"timeout={timeout}, in_flight={in_flight}, samples={samples} of model {name}: give numbers above 0"
            )
        self.name = name
        self.base = base.rstrip("/")
        self.remote = remote
        self.timeout = timeout
        self.in_flight = in_flight
        self.samples = samples
        self.capability: Method | None = None
        self.paid = not is_local(self.base)
        self._key = key
        self._head = f'{{"model":{json.dumps(remote)},"messages":'
        self._dialect = Dialect()
        self._reached = False
        self._refused = 0
        self._links: WeakKeyDictionary[asyncio.AbstractEventLoop, Link] = WeakKeyDictionary()

    @classmethod
    def named(cls, spec: str, **options: Any) -> Endpoint:
        """The endpoint that `openai:NAME` or `URL#NAME` spells; keys are in the environment.

        Raises:
            ModelError: the spelling is incomplete, or the key is missing.
        """
        if spec.startswith("openai:"):
            base = os.environ.get("OPENAI_BASE_URL") or OPENAI
            key = os.environ.get("OPENAI_API_KEY", "")
            check_address(base, "OPENAI_BASE_URL")
            if not key and not is_local(base):
                raise ModelError(f"model {spec} needs a key: put it into the environment variable OPENAI_API_KEY")
            return cls(spec, base, spec.removeprefix("openai:"), key, **options)
        base, _, remote = spec.partition("#")
        check_address(base, "the model")
        if not remote:
            raise ModelError(f"the endpoint {base} needs the name of a model: give {base}#NAME")
        return cls(spec, base, remote, os.environ.get("ETHOGRAM_API_KEY", ""), **options)

    @property
    def fingerprint(self) -> str:
        """The address."""
        return self.base

    def __repr__(self) -> str:
        return f"Endpoint({self.name!r})"

    async def complete(self, request: Request) -> Answer:
        """A text."""
        choices, usage = await self._chat(request)
        answer = text_of(choices[0])
        answer.tokens_in, answer.tokens_out = usage
        return answer

    async def score(self, request: Request) -> Answer:
        """Log-likelihoods as far as the endpoint discloses them, else frequencies."""
        options = request.options or []
        if self.capability != "sampled":
            asked = replace(request, max_tokens=1)
            choices, usage = await self._chat(asked, logprobs=True)
            top = likeliest(choices[0])
            self.capability = "top-k" if top else "sampled"
            if not top:
                tell(
                    f"{self.name} discloses no log-probabilities: options are scored by {self.samples} sampled answers each"
                )
            scores = first_tokens(options, top) if top else None
            if scores is not None:
                return Answer(None, scores, [], "top-k", *usage)
        return await self._sample(request, options)

    async def _sample(self, request: Request, options: list[str]) -> Answer:
        longest = max(len(o.encode()) for o in options)
        texts: list[str] = []
        tokens_in = tokens_out = 0
        while len(texts) < self.samples:
            seed = derive(0, request.key, len(texts), request.seed) % 2**31
            asked = replace(request, max_tokens=longest + 8, seed=seed)
            choices, usage = await self._chat(asked, n=self.samples - len(texts))
            texts += [text_of(choice).text or "" for choice in choices]
            tokens_in, tokens_out = tokens_in + usage[0], tokens_out + usage[1]
        counts = frequencies(options, texts[: self.samples])
        if not any(counts):
            raise Fault(f"none of {self.samples} sampled answers begins with an option", final=True)
        scores = [math.log((c + 0.5) / (self.samples + len(options) / 2)) for c in counts]
        return Answer(None, scores, [], "sampled", tokens_in, tokens_out)

    async def _chat(self, request: Request, *, n: int = 1, logprobs: bool = False) -> tuple[list[Any], tuple[int, int]]:
        """The choices that a request gets, and its tokens in and out; in the endpoint's dialect, as far as that is known."""
        while True:
            dialect = self._dialect
            try:
                reply = await self._post(self._body(request, dialect, n, logprobs and dialect.logprobs))
                break
            except Rejected as rejected:
                if self._dialect is dialect:
                    self._dialect = self._adapted(dialect, rejected)
        choices, usage = reply.get("choices"), reply.get("usage") or {}
        if not isinstance(choices, list) or not choices or not all(isinstance(c, dict) for c in choices):
            raise Fault(f"malformed: no choices in {excerpt(encode(reply))}")
        try:
            return choices, (int(usage.get("prompt_tokens") or 0), int(usage.get("completion_tokens") or 0))
        except (AttributeError, TypeError, ValueError):
            return choices, (0, 0)

    def _body(self, request: Request, dialect: Dialect, n: int, logprobs: bool) -> bytes:
        parts = [self._head, request.messages_json, f',"{dialect.length}":{request.max_tokens}']
        if dialect.temperature:
            parts.append(f',"temperature":{1.0 if request.kind == "score" else request.temperature}')
        if dialect.seed:
            parts.append(f',"seed":{request.seed}')
        if request.stop:
            parts.append(f',"stop":{encode(request.stop)}')
        if request.schema is not None and dialect.schema:
            parts.append(format_of(request.schema_json, dialect.schema))
        if n > 1:
            parts.append(f',"n":{n}')
        if logprobs:
            parts.append(f',"logprobs":true,"top_logprobs":{TOP}')
        parts.append("}")
        return "".join(parts).encode()

    def _adapted(self, dialect: Dialect, rejected: Rejected) -> Dialect:
        adapted = dialect.without(rejected.complaint)
        if adapted is None:
            raise ModelError(f"{self.name} rejects the request (http {rejected.status}): {rejected.complaint}") from None
        changed = next(k for k in vars(adapted) if getattr(adapted, k) != getattr(dialect, k))
        now = getattr(adapted, changed)
        tell(f"{self.name} does not take {changed}={getattr(dialect, changed)!r}; from now on it is {now!r}")
        return adapted

    async def _post(self, body: bytes) -> dict[str, Any]:
        """The JSON that the endpoint answers."""
        link = await self._link()
        ticket = await link.gate.enter()
        served = overload = False
        try:
            status, headers, content = await self._exchange(link, body)
            served, overload = status == 200, status in (429, 503)
        except TimeoutError as error:
            overload = True
            raise Fault("timeout") from error
        finally:
            link.gate.leave(ticket, served=served, overload=overload)
        self._reached = True
        if not served:
            raise self._refusal(status, headers, content)
        try:
            reply = json.loads(content)
        except (ValueError, RecursionError) as error:
            raise Fault(f"not JSON: {self._clean(content)}") from error
        if not isinstance(reply, dict):
            raise Fault(f"malformed: {self._clean(content)}")
        if reply.get("error"):
            raise Fault(f"error: {self._clean(content)}")
        return reply

    async def _exchange(self, link: Link, body: bytes) -> tuple[int, Any, bytes]:
        """One request and its response; transport errors become faults."""
        import aiohttp  # loaded when first used: it takes 0.2 s

        try:
            async with link.session.post(link.url, data=body, allow_redirects=False, proxy=link.proxy) as response:
                return response.status, response.headers, await _content(response)
        except aiohttp.ClientConnectorError as error:
            self._refused += 1
            if not self._reached and self._refused > 2:
                raise ModelError(
                    f"nothing answers at {self.base} ({error.os_error.strerror or error.os_error}): start the server of "
                    f"model {self.name}, or mend the address"
                ) from error
            raise Fault("no connection") from error
        except aiohttp.InvalidURL as error:
            raise ModelError(f"model {self.name} has no usable address: mend {self.base}") from error
        except aiohttp.ServerTimeoutError:
            raise
        except (aiohttp.ClientError, ConnectionError) as error:
            raise Fault(f"reset: {type(error).__name__}") from error

    def _refusal(self, status: int, headers: Any, content: bytes) -> Exception:
        """What a status other than 200 means."""
        said = self._clean(content)
        if status == 429 and "insufficient_quota" in said:
            return ModelError(f"the account of model {self.name} has no quota left (http 429): {said}")
        if status in (408, 409, 425, 429) or status >= 500:
            return Fault(f"http {status}", busy=status == 429, after=retry_after(headers.get("Retry-After")))
        if status == 413 or (status in (400, 422) and TOO_LONG.search(said)):
            return Fault(f"http {status}: {said}", final=True)
        if status in (400, 422):
            return Rejected(status, said)
        advice = {
            401: "check the key in the environment",
            403: "the key does not allow this model",
            404: "check the address and the model's name",
        }
        what = advice.get(status, "check the address")
        return ModelError(f"{self.name} refuses the request (http {status}): {what}; it says: {said}")

    def _clean(self, content: bytes) -> str:
        """An excerpt of what the endpoint said, without anything like a key."""
        text = content[:4000].decode(errors="replace")
        try:
            error = json.loads(content)["error"]
            text = error if isinstance(error, str) else f"{error.get('message', '')} {error.get('code') or ''}"
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            pass
        if self._key:
            text = text.replace(self._key, "***")
        return excerpt(re.sub(r"\bsk-[\w*-]+", "***", text))

    async def _link(self) -> Link:
        loop = asyncio.get_running_loop()
        link = self._links.get(loop)
        if link is None or link.session.closed:
            link = self._links[loop] = await connected(
                self.base, "/chat/completions", self._key, self.timeout, self.in_flight
            )
        return link

    async def aclose(self) -> None:
        """Close the connections of this event loop."""
        link = self._links.pop(asyncio.get_running_loop(), None)
        if link is not None:
            await link.keeper.aclose()


async def _content(response: aiohttp.ClientResponse) -> bytes:
    """The body of a response, if it is not too large."""
    if response.content_length is not None and response.content_length <= LARGEST:
        return await response.read()
    content = bytearray()
    async for part in response.content.iter_any():
        content += part
        if len(content) > LARGEST:
            raise Fault(f"malformed: a response of more than {LARGEST} bytes")
    return bytes(content)


class Rejected(Exception):
    """The endpoint does not understand the request."""

    def __init__(self, status: int, complaint: str) -> None:
        super().__init__(complaint)
        self.status = status
        self.complaint = complaint
