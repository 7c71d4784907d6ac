import numpy as np
import pytest

from ethogram.nn.chunks import Chunks, ensemble_weights


def chunk(step: int, horizon: int = 4) -> np.ndarray:
    """What a chunk predicted at a step says: 100 for each such step, and the step it is meant for."""
    return np.array([[100.0 * step + step + i] for i in range(horizon)])


def run(chunks: Chunks, steps: int) -> list[float]:
    said = []
    for step in range(steps):
        if chunks.due:
            chunks.push(chunk(step))
        said.append(chunks.pop().item())
    return said


def test_receding_horizon() -> None:
    assert run(Chunks(execute=1), 3) == [0, 101, 202]
    assert run(Chunks(execute=3), 7) == [0, 1, 2, 303, 304, 305, 606]
    assert run(Chunks(execute=9), 5) == [0, 1, 2, 3, 404]  # no chunk is longer than it is


def test_temporal_ensembling_by_hand() -> None:
    assert ensemble_weights(3, 0.0) == pytest.approx([1 / 3] * 3)
    assert ensemble_weights(3, 0.5) == pytest.approx(np.exp([0, -0.5, -1]) / np.exp([0, -0.5, -1]).sum())
    said = run(Chunks(execute=1, ensemble=0.5), 6)
    # at step 2 the chunks of steps 0, 1 and 2 say 2, 102 and 202; the oldest weighs most
    assert said[2] == pytest.approx(2 + ensemble_weights(3, 0.5) @ [0, 100, 200])
    # at step 5 the chunks of steps 2 to 5 cover it, and older ones are used up
    assert said[5] == pytest.approx(5 + ensemble_weights(4, 0.5) @ [200, 300, 400, 500])


@pytest.mark.parametrize("ensemble", [None, 0.1])
def test_state_goes_on_where_it_was(ensemble: float | None) -> None:
    whole, first, second = (Chunks(2, ensemble) for _ in range(3))
    expected = run(whole, 9)
    said = run(first, 5)
    second.load_state_dict(first.state_dict())
    for step in range(5, 9):
        if second.due:
            second.push(chunk(step))
        said.append(second.pop().item())
    assert said == expected
