"""Embeddings."""

import subprocess
import sys

import numpy as np
import pytest

from ethogram.errors import ModelError
from ethogram.language import Embedder

TEXTS = ["A dog barks at the postman.", "The puppy howled all night.", "Share prices fell on Monday.", "Markets dropped."]


@pytest.fixture(scope="module")
def embedder() -> Embedder:
    return Embedder()


def test_rows_are_unit_vectors_and_the_same_every_time(embedder: Embedder) -> None:
    rows = embedder.embed(TEXTS)
    assert rows.shape == (4, embedder.dim) == (4, 256) and rows.dtype == np.float32
    assert np.linalg.norm(rows, axis=1) == pytest.approx(1, abs=1e-6)
    assert (embedder.embed(TEXTS[::-1])[::-1] == rows).all()
    assert (Embedder().embed([TEXTS[2]])[0] == rows[2]).all()  # whatever else is in the batch, or was asked before


def test_related_texts_are_closer(embedder: Embedder) -> None:
    likeness = embedder.embed(TEXTS) @ embedder.embed(TEXTS).T
    assert min(likeness[0, 1], likeness[2, 3]) > max(likeness[0, 2], likeness[0, 3], likeness[1, 2], likeness[1, 3]) + 0.1


def test_odd_texts(embedder: Embedder) -> None:
    assert embedder.embed([]).shape == (0, 256)
    rows = embedder.embed(["", "x", "\ud800", "word " * 5000])
    assert not rows[0].any() and np.isfinite(rows).all()


def test_old_vectors_are_dropped_without_changing_results() -> None:
    small = Embedder(kept=3)
    first = small.embed(TEXTS)
    assert len(small._vectors) == 3
    assert (small.embed(TEXTS) == first).all()


def test_results_are_those_of_the_package() -> None:
    code = (
        "import sys, numpy as np; from pathlib import Path; import wordllama; "
        "m = wordllama.WordLlama.load(cache_dir=Path(wordllama.__file__).parent, disable_download=True); "
        "np.save(sys.stdout.buffer, m.embed(sys.argv[1:], norm=True))"
    )
    done = subprocess.run([sys.executable, "-c", code, *TEXTS], capture_output=True, check=True)
    import io

    theirs = np.load(io.BytesIO(done.stdout))
    assert Embedder().embed(TEXTS) == pytest.approx(theirs, abs=1e-5)


def test_no_other_model_and_no_missing_package(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ModelError, match="give wordllama"):
        Embedder("word2vec")
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(ModelError, match="pip install wordllama"):
        Embedder()


def test_the_package_itself_is_not_imported() -> None:
    code = "import sys; from ethogram.language import Embedder; Embedder().embed(['x']); print('wordllama' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
