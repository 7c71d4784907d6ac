"""A tuned model: a base with adapters, computed by torch in this process.

Scores are exact, and depend on the request alone: each prompt goes through by itself. Texts are written token by token and
without constraint (a reply that is not what it must be is asked for again, as at an endpoint without schemas): the model is
for choosing. Of two processors of different kind the answers may differ; a record says what they were.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from ethogram.errors import ModelError
from ethogram.language.backends import Backend, Fault
from ethogram.language.files import facts
from ethogram.language.request import Answer, Request

if TYPE_CHECKING:
    from ethogram.language.bases import Base

__all__ = ["Tuned"]

CONTEXT = 8192
"""Tokens of prompt and reply, as many as SmolLM2 was trained for."""


class Tuned(Backend):
    """What `language.tuning.tune` made; calls wait for one another.

    Args:
        name: its canonical spelling.
        folder: the folder that `tune` wrote.

    Raises:
        DataError: there is no tuned model in the folder, or it is damaged.
    """

    capability = "exact"

    def __init__(self, name: str, folder: Path) -> None:
        self.name = name
        self.folder = folder
        self.facts = facts(folder)
        self._worker = ThreadPoolExecutor(1, thread_name_prefix="ethogram-tuned")

    @property
    def fingerprint(self) -> str:
        """Engine, its version, and the digests of base and adapters."""
        return f"torch-{version('torch')} {self.facts['base_digest']} {self.facts['weights']}"

    def check(self) -> None:
        """See that what it needs is installed."""
        for package in ("torch", "transformers"):
            if find_spec(package) is None:
                raise ModelError(f"model {self.name} needs the package {package}: run `pip install 'ethogram[tune]'`")

    async def complete(self, request: Request) -> Answer:
        """A text; not constrained by the request's schema."""
        return await self._run(_complete, request)

    async def score(self, request: Request) -> Answer:
        """Exact log-likelihoods."""
        return await self._run(_score, request)

    async def _run(self, work: Callable[[Base, Request], Answer], request: Request) -> Answer:
        return await asyncio.get_running_loop().run_in_executor(self._worker, self._work, work, request)

    def _work(self, work: Callable[[Base, Request], Answer], request: Request) -> Answer:
        import torch

        from ethogram.language.tuning import scoring_model

        with torch.inference_mode():
            return work(scoring_model(self.folder), request)


def _score(base: Base, request: Request) -> Answer:
    """One pass for the prompt, which serves all options of one token, and one for each longer option."""
    prompt = _prompt(base, request)
    options = [base.prompts.text(option) for option in request.options or []]
    first = base.logits(base.hidden([prompt])).log_softmax(1)[0]
    scores: list[float] = []
    for tokens in options:
        total = float(first[tokens[0]])
        if len(tokens) > 1:
            states = base.states([*prompt, *tokens[:-1]])[len(prompt) :]
            later = base.logits(states).log_softmax(1)
            total += float(sum(later[i, token] for i, token in enumerate(tokens[1:])))
        scores.append(total)
    return Answer(scores=scores, tokens=[len(t) for t in options], method="exact", tokens_in=len(prompt))


def _complete(base: Base, request: Request) -> Answer:
    prompt = _prompt(base, request)
    written, text, finish = base.write(prompt, request.max_tokens, request.temperature, request.stop, request.seed)
    return Answer(text=text, tokens_in=len(prompt), tokens_out=len(written), finish=finish)


def _prompt(base: Base, request: Request) -> list[int]:
    prompt = base.prompts.tokens(request.messages)
    room = CONTEXT - request.max_tokens
    if len(prompt) > room:
        raise Fault(f"the prompt has {len(prompt)} tokens, more than the {room} for which there is room", final=True)
    return prompt
