import numpy as np
import pytest
import torch
from torch.nn import functional

from ethogram.errors import DataError
from ethogram.nn.bins import Bins, focal_loss


def blobs() -> np.ndarray:
    rng = np.random.default_rng(0)
    return np.concatenate([center + 0.01 * rng.standard_normal((50, 2)) for center in ([0, 0], [1, 0], [0, 1])])


def test_centers_are_the_blobs_and_encoding_is_lossless() -> None:
    bins = Bins(3, 2).fit(blobs().astype(np.float32))
    found = sorted(tuple(np.round(center, 1) + 0.0) for center in bins.centers.numpy())
    np.testing.assert_allclose(found, [(0, 0), (0, 1), (1, 0)], atol=0.02)
    vectors = torch.randn(4, 5, 2)
    index, offset = bins.encode(vectors)
    assert index.shape == (4, 5)
    torch.testing.assert_close(bins.decode(index, offset), vectors)
    brute = ((vectors[..., None, :] - bins.centers) ** 2).sum(-1).argmin(-1)
    assert torch.equal(index, brute)


def test_centers_are_saved_with_the_module() -> None:
    bins = Bins(3, 2).fit(blobs())
    other = Bins(3, 2)
    other.load_state_dict(bins.state_dict())
    assert torch.equal(other.centers, bins.centers)


def test_more_bins_than_different_actions_are_refused() -> None:
    with pytest.raises(DataError, match="fewer bins"):
        Bins(4, 1).fit(np.array([[0.0], [1.0], [1.0], [2.0], [0.0]]))


def test_actions_that_are_not_finite_are_refused() -> None:
    with pytest.raises(DataError, match="bins need finite actions"):
        Bins(2, 1).fit(np.array([[0.0], [np.nan], [1.0]]))


def test_focal_loss_by_hand() -> None:
    logits = torch.log(torch.tensor([[0.7, 0.2, 0.1], [0.1, 0.8, 0.1]]))
    target = torch.tensor([1, 1])
    expected = torch.tensor([-(0.8**2) * np.log(0.2), -(0.2**2) * np.log(0.8)], dtype=torch.float32)
    torch.testing.assert_close(focal_loss(logits, target, 2.0), expected)
    torch.testing.assert_close(focal_loss(logits, target, 0.0), functional.cross_entropy(logits, target, reduction="none"))
