"""Low-rank adapters (LoRA; Hu et al. 2021, arXiv 2106.09685, section 4.1) and their files.

A linear layer W gives W x + (alpha / r) B A x, with A (r, in) drawn at random, B (out, r) zero at first, and W frozen.
On disk: a folder with `adapter.safetensors` (A and B of each layer) and `adapter.json` (what they belong to, with digests of
both files and of the base). Loading never unpickles; a file of which a byte has changed is refused, and so is another base.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load as load_tensors
from safetensors.torch import save as save_tensors
from torch import Tensor, nn

from ethogram.errors import DataError
from ethogram.language.bases import Base
from ethogram.language.files import BLANK, FORMAT, digest, facts, replace_file

__all__ = ["LoRA", "attach", "fill", "read", "write"]

TARGETS = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")
"""The layers that are adapted: all linear ones (queries and values alone would be 14 % faster and learn less)."""
ALPHA = 2.0
"""alpha / r."""


class LoRA(nn.Module):
    """A linear layer with an adapter of a rank."""

    def __init__(self, linear: nn.Linear, rank: int, noise: torch.Generator) -> None:
        super().__init__()
        self.linear = linear
        bound = 1 / math.sqrt(linear.in_features)
        self.a = nn.Parameter(torch.empty(rank, linear.in_features).uniform_(-bound, bound, generator=noise))
        self.b = nn.Parameter(torch.zeros(linear.out_features, rank))

    def forward(self, x: Tensor) -> Tensor:
        """Shape (..., in) to (..., out)."""
        low = nn.functional.linear(x, self.a.to(x.dtype))
        return self.linear(x) + ALPHA * nn.functional.linear(low, self.b.to(x.dtype))


def attach(base: Base, rank: int, seed: int) -> dict[str, nn.Parameter]:
    """Put fresh adapters into a base, which then still does what it did.

    Returns:
        The adapters' parameters by name, float32: `model.layers.0.self_attn.q_proj.a` and so on.
    """
    noise = torch.Generator().manual_seed(seed)
    found: dict[str, nn.Parameter] = {}
    layers = [(n, m) for n, m in base.module.named_modules() if n.rpartition(".")[2] in TARGETS]
    for name, linear in layers:
        parent, _, own = name.rpartition(".")
        adapted = LoRA(linear, rank, noise)
        setattr(base.module.get_submodule(parent), own, adapted)
        found |= {f"{name}.a": adapted.a, f"{name}.b": adapted.b}
    return found


def write(folder: Path, known: Mapping[str, Any], parameters: Mapping[str, Tensor], base: Base) -> None:
    """Write adapters; `known` are JSON values to keep with them."""
    weights = save_tensors({name: value.detach().contiguous() for name, value in parameters.items()})
    whole = {"digest": BLANK, "format": FORMAT, "base": base.name, "base_digest": base.digest, "weights": digest(weights)}
    text = json.dumps({**whole, **known}, indent=1)
    replace_file(folder / "adapter.safetensors", weights)
    replace_file(folder / "adapter.json", text.replace(BLANK, digest(text.encode()), 1).encode())


def read(folder: Path, base: Base) -> None:
    """Put the adapters of a folder into a base, frozen.

    Raises:
        DataError: they are absent, damaged, or of another base.
    """
    parameters = attach(base, facts(folder)["rank"], 0)
    fill(parameters, folder, base)
    for parameter in parameters.values():
        parameter.requires_grad_(False)


def fill(parameters: Mapping[str, nn.Parameter], folder: Path, base: Base) -> None:
    """Give attached adapters the values of those in a folder, which must be of the same rank.

    Raises:
        DataError: they are absent, damaged, of another rank or of another base.
    """
    known = facts(folder)
    if known["base_digest"] != base.digest:
        raise DataError(
            f"{folder} was tuned on a base {known['base']} with other weights than the {base.name} here: tune it anew"
        )
    file = folder / "adapter.safetensors"
    try:
        weights = file.read_bytes()
    except OSError as error:
        raise DataError(f"{file} cannot be read ({error.strerror}): tune anew, or restore it") from error
    if digest(weights) != known["weights"]:
        raise DataError(f"{file} is damaged, or not the one that adapter.json was written with: tune anew, or restore both")
    try:
        tensors = load_tensors(weights)
    except SafetensorError as error:
        raise DataError(f"{file} is not a safetensors file: {error}") from error
    for name, parameter in parameters.items():
        if tensors[name].shape != parameter.shape:
            raise DataError(f"{folder} is of rank {known['rank']}: give the same rank to go on from it")
        parameter.data.copy_(tensors[name])
