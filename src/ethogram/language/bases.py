"""Trainable base models: the embedded weights as a torch module, and a tiny one for tests.

`smollm2` is the packaged SmolLM2-135M-Instruct, read once from its GGUF file by transformers (20 s of CPU) and kept as
bfloat16 safetensors in the user's cache: rounding to 8 bits is finer than the 4 bits of the file. `tiny` has the same
tokeniser and template, but two layers and random weights; it knows nothing, and learns a planted effect in seconds.

Prompts are the ones that the embedded engine makes of the same messages (`llama.Prompts`), so that scores can be compared.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ethogram.errors import ConfigError, DataError, ModelError, not_installed
from ethogram.language.backends.embedded import smollm2
from ethogram.language.backends.llama import Prompts
from ethogram.language.files import digest

__all__ = ["BASES", "VARIABLE", "Base", "compute_type", "folder"]

BASES = ("smollm2", "tiny")
"""Names of the bases."""

VARIABLE = "ETHOGRAM_WEIGHTS"
"""The environment variable that names the folder of converted weights."""

_WEIGHTS, _CONFIG, _TOKENS, _TEMPLATE = "weights.safetensors", "config.json", "tokenizer.json", "chat_template.jinja"

_TINY: dict[str, Any] = {"hidden_size": 64, "intermediate_size": 256, "num_hidden_layers": 2, "num_attention_heads": 4}


def folder() -> Path:
    """Where converted weights are kept."""
    if named := os.environ.get(VARIABLE):
        return Path(named)
    base = os.environ.get("XDG_CACHE_HOME") or (os.environ.get("LOCALAPPDATA") if os.name == "nt" else None)
    return Path(base or Path.home() / ".cache") / "ethogram" / "weights"


def compute_type() -> torch.dtype:
    """The type to compute in: bfloat16 where the processor multiplies it, which saves a third of the time; else float32."""
    return torch.bfloat16 if torch.cpu.get_capabilities().get("avx512_bf16") else torch.float32


class Base:
    """A base model, its tokeniser and its template.

    Args:
        name: `smollm2` or `tiny`.

    Attributes:
        module: transformers' model; frozen, in evaluation mode.
        prompts: messages as token ids.
        digest: of the weights, 64 hexadecimal digits.

    Raises:
        ModelError: there is no such base, or a package that it needs is absent.
        DataError: the converted weights are damaged.
    """

    def __init__(self, name: str) -> None:
        if name not in BASES:
            raise ModelError(f"there is no base {name!r} to tune: give one of {', '.join(BASES)}")
        _quiet()
        self.name = name
        source = smollm2()
        made = f"{source.stem}-{source.stat().st_size}"
        self._tokens = _Tokens(_made(f"{made}-tokens", lambda to: _write_tokens(source, to)))
        self.prompts = Prompts(self._tokens.post)
        if name == "tiny":
            self.module, self.digest = _tiny()
        else:
            self.module, self.digest = _read(_made(made, lambda to: _write_weights(source, to)))
        self.module.requires_grad_(False).eval()

    def hidden(self, rows: Sequence[Sequence[int]]) -> Tensor:
        """The last layer's vectors at each row's last token.

        Args:
            rows: token ids. They are padded on the right, where a causal model does not look.

        Returns:
            Shape (rows, hidden size), float32.
        """
        lengths = torch.tensor([len(row) for row in rows])
        ids = torch.zeros(len(rows), int(lengths.max()), dtype=torch.long)
        for i, row in enumerate(rows):
            ids[i, : len(row)] = torch.tensor(row)
        states = self.module.model(input_ids=ids, use_cache=False).last_hidden_state
        return states[torch.arange(len(rows)), lengths - 1].float()

    def states(self, row: Sequence[int]) -> Tensor:
        """The last layer's vectors at all tokens of one row: shape (tokens, hidden size), float32."""
        return self.module.model(input_ids=torch.tensor([row]), use_cache=False).last_hidden_state[0].float()

    def logits(self, hidden: Tensor, tokens: Tensor | None = None) -> Tensor:
        """What the head makes of vectors, for some tokens or for all: shape (rows, tokens), float32.

        The tied head takes a fifth of a pass's multiplications, so nothing but the answer's position is put through it, and
        in training nothing but the labels.
        """
        weight = self.module.lm_head.weight
        return hidden @ (weight if tokens is None else weight[tokens]).float().T

    def write(
        self, prompt: Sequence[int], most: int, temperature: float, stop: Sequence[str], seed: int
    ) -> tuple[list[int], str, str]:
        """Go on from a prompt: the tokens, their text up to a stop, and why it ended (`stop` or `length`)."""
        noise = torch.Generator().manual_seed(seed)
        tokenizer = self._tokens.tokenizer
        end = tokenizer.token_to_id("<|im_end|>")
        written: list[int] = []
        text, cache, step = "", None, list(prompt)
        while len(written) < most:
            out = self.module.model(input_ids=torch.tensor([step]), past_key_values=cache, use_cache=True)
            cache = out.past_key_values
            scores = self.logits(out.last_hidden_state[0, -1].float())
            if temperature == 0:
                token = int(scores.argmax())
            else:
                token = int(torch.multinomial((scores / temperature).softmax(0), 1, generator=noise))
            if token == end:
                return written, text, "stop"
            written.append(token)
            step = [token]
            text = tokenizer.decode(written)
            cuts = [text.find(mark) for mark in stop if mark in text]
            if cuts:
                return written, text[: min(cuts)], "stop"
        return written, text, "length"

    def words(self, answers: Sequence[str]) -> Tensor:
        """The tokens of answers that have one each: shape (answers,).

        Raises:
            ConfigError: one has more, or two have the same.
        """
        tokens = [self.prompts.text(answer) for answer in answers]
        if max(map(len, tokens)) > 1 or len({t[0] for t in tokens}) < len(tokens):
            raise ConfigError(
                f"the answers {list(answers)!r} are not one token each: tune with by='label', or name them shorter"
            )
        return torch.tensor([t[0] for t in tokens])


class _Tokens:
    """Tokeniser and template, behind the two paths of llama.cpp's server that `Prompts` asks."""

    def __init__(self, place: Path) -> None:
        from jinja2.sandbox import ImmutableSandboxedEnvironment
        from tokenizers import Tokenizer

        self.tokenizer = Tokenizer.from_file(str(place / _TOKENS))
        environment = ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True)
        self._template = environment.from_string((place / _TEMPLATE).read_text())

    def post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        """The server's answer."""
        if path == "/apply-template":
            return {"prompt": self._template.render(messages=body["messages"], add_generation_prompt=True)}
        # Contents are encoded without special tokens, so that no message can end itself or begin another.
        self.tokenizer.encode_special_tokens = not body["parse_special"]
        return {"tokens": self.tokenizer.encode(body["content"], add_special_tokens=False).ids}


def _quiet() -> None:
    """No look at a hub, no progress bars."""
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    try:
        from transformers.utils import logging
    except ModuleNotFoundError as error:
        raise not_installed(error, "tuning a language model") from error
    logging.disable_progress_bar()
    logging.set_verbosity_error()


def _made(name: str, make: Callable[[Path], None]) -> Path:
    """A folder of the cache, made where it is absent; whole or not there, whoever else makes it at the same time."""
    target = folder() / name
    if target.is_dir():
        return target
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=target.parent) as temporary:
            fresh = Path(temporary) / "new"
            fresh.mkdir()
            make(fresh)
            try:
                fresh.rename(target)
            except OSError:
                if not target.is_dir():  # another process was first
                    raise
    except OSError as error:
        raise ModelError(
            f"converted weights cannot be kept in {target} ({error}): name another folder in {VARIABLE}"
        ) from error
    return target


def _write_tokens(source: Path, to: Path) -> None:
    from transformers import AutoTokenizer

    tokenizer: Any = AutoTokenizer.from_pretrained(str(source.parent), gguf_file=source.name)
    tokenizer.backend_tokenizer.save(str(to / _TOKENS))
    (to / _TEMPLATE).write_text(tokenizer.chat_template)


def _write_weights(source: Path, to: Path) -> None:
    from safetensors.torch import save_file
    from transformers import AutoModelForCausalLM

    # transformers refuses to save a model that it has read from a GGUF file: its tensors and configuration are kept.
    model: Any = AutoModelForCausalLM.from_pretrained(str(source.parent), gguf_file=source.name, dtype=torch.float32)
    tensors = {k: v.to(torch.bfloat16).contiguous() for k, v in model.state_dict().items() if k != "lm_head.weight"}
    save_file(tensors, to / _WEIGHTS)
    config = model.config.to_dict()
    config.pop("quantization_config", None)
    facts = {"digest": digest((to / _WEIGHTS).read_bytes()), "config": config}
    (to / _CONFIG).write_text(json.dumps(facts, default=str))


def _read(place: Path) -> tuple[Any, str]:
    from safetensors.torch import load

    facts = json.loads((place / _CONFIG).read_text())
    data = (place / _WEIGHTS).read_bytes()
    if digest(data) != facts["digest"]:
        raise DataError(f"{place / _WEIGHTS} is damaged: delete the folder {place}, and it is made anew")
    dtype = compute_type()
    return _module(facts["config"], {k: v.to(dtype) for k, v in load(data).items()}), facts["digest"]


def _tiny() -> tuple[Any, str]:
    from transformers import LlamaConfig, LlamaForCausalLM

    config = LlamaConfig(vocab_size=49152, tie_word_embeddings=True, **_TINY)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        with torch.device("meta"):
            shapes = {k: v.shape for k, v in LlamaForCausalLM(config).state_dict().items() if k != "lm_head.weight"}
        # Rows of unit length on average, so that what one token says reaches the next layer beside the residual stream.
        tensors = {k: torch.ones(s) if len(s) == 1 else torch.randn(s) / s[-1] ** 0.5 for k, s in shapes.items()}
    found = digest(*(tensors[k].numpy().tobytes() for k in sorted(tensors)))
    return _module(config.to_dict(), tensors), found


def _module(config: dict[str, Any], tensors: dict[str, Tensor]) -> Any:
    """Transformers' module on given tensors, without a copy and without drawing initial weights."""
    from transformers import LlamaConfig, LlamaForCausalLM
    from transformers.models.llama.modeling_llama import LlamaRotaryEmbedding

    settings: Any = LlamaConfig.from_dict(config)
    with torch.device("meta"):
        module: Any = LlamaForCausalLM(settings)
    module.load_state_dict({**tensors, "lm_head.weight": tensors["model.embed_tokens.weight"]}, assign=True)
    module.model.rotary_emb = LlamaRotaryEmbedding(settings)  # its frequencies are no weights
    return module
