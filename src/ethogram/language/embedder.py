"""Embeddings of texts, offline."""

from __future__ import annotations

import importlib.util
import threading
from collections import OrderedDict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ethogram.errors import ModelError

__all__ = ["Embedder"]

WEIGHTS = "weights/l2_supercat_256.safetensors"
TOKENS = "tokenizers/l2_supercat_tokenizer_config.json"


class Embedder:
    """Texts as unit vectors whose dot product says how alike they are in meaning.

    The model is wordllama's: a table of token vectors, of which a text takes the mean. Its packaged files are read directly,
    since the package itself looks for one of them in the wrong place and then wants to download it.

    Args:
        spec: `wordllama`.
        kept: how many texts' vectors are kept (1 kB each).

    Raises:
        ModelError: there is no such model, or it is not installed.
    """

    def __init__(self, spec: str = "wordllama", *, kept: int = 65536) -> None:
        if spec != "wordllama":
            raise ModelError(f"there is no embedding model {spec!r}: give wordllama")
        self.name = spec
        self._folder = _folder()
        self._kept = kept
        self._vectors: OrderedDict[str, np.ndarray] = OrderedDict()
        self._lock = threading.Lock()
        self._tokenizer: Any = None
        self._table = np.empty((0, 0), np.float32)

    @property
    def dim(self) -> int:
        """Length of a vector."""
        self._load()
        return self._table.shape[1]

    def embed(self, texts: Sequence[str]) -> np.ndarray:
        """The vectors of texts, as rows: float32, shape (n, dim), of length 1 (0 where a text has no tokens)."""
        self._load()
        with self._lock:
            missing = [text for text in dict.fromkeys(texts) if text not in self._vectors]
            fresh = dict(zip(missing, self._compute(missing), strict=True)) if missing else {}
            rows = np.empty((len(texts), self._table.shape[1]), np.float32)
            for i, text in enumerate(texts):
                if text in fresh:
                    rows[i] = fresh[text]
                else:
                    rows[i] = self._vectors[text]
                    self._vectors.move_to_end(text)
            self._vectors.update(fresh)
            while len(self._vectors) > self._kept:
                self._vectors.popitem(last=False)
        return rows

    def _compute(self, texts: list[str]) -> list[np.ndarray]:
        vectors: list[np.ndarray] = []
        safe = [t.encode("utf-8", "replace").decode() for t in texts]
        for encoding in self._tokenizer.encode_batch_fast(safe, add_special_tokens=False):
            # One text at a time, in float64: a vector does not depend on what else is in the batch.
            mean = (
                self._table[encoding.ids].sum(axis=0, dtype=np.float64) if encoding.ids else np.zeros(self._table.shape[1])
            )
            size = np.sqrt(mean @ mean)
            vectors.append((mean / size if size > 0 else mean).astype(np.float32))
        return vectors

    def _load(self) -> None:
        with self._lock:
            if self._tokenizer is not None:
                return
            from safetensors.numpy import load_file
            from tokenizers import Tokenizer

            try:
                tables = load_file(self._folder / WEIGHTS)
                tokenizer = Tokenizer.from_file(str(self._folder / TOKENS))
            except Exception as error:  # both libraries raise bare exceptions
                raise ModelError(
                    f"the embedding model wordllama cannot be read ({error}): run `pip install --force-reinstall wordllama`"
                ) from error
            tokenizer.no_padding()
            tokenizer.no_truncation()
            self._table = next(iter(tables.values())).astype(np.float32)
            self._tokenizer = tokenizer


def _folder() -> Path:
    spec = importlib.util.find_spec("wordllama")
    if spec is None or spec.origin is None:
        raise ModelError("the embedding model wordllama is not installed: run `pip install wordllama`")
    return Path(spec.origin).parent
