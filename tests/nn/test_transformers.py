import math

import pytest
import torch

from ethogram.errors import ConfigError
from ethogram.nn.transformers import GPT, Attention, Decoder, Encoder, fourier


def test_gpt_is_causal() -> None:
    torch.manual_seed(0)
    gpt = GPT(length=6, width=16, layers=2, heads=2)
    tokens = torch.randn(3, 6, 16)
    before = gpt(tokens)
    for t in range(6):
        changed = tokens.clone()
        changed[:, t] += 1
        same = (gpt(changed) == before).all(-1).all(0)
        assert same[:t].all() and not same[t:].any()


def test_gpt_shares_positions() -> None:
    torch.manual_seed(0)
    gpt = GPT(length=3, width=8, layers=1, heads=2)
    tokens = torch.randn(1, 4, 8)
    positions = torch.tensor([0, 0, 1, 1])
    torch.testing.assert_close(
        gpt(tokens, positions),
        gpt(tokens + gpt.positions[positions] - gpt.positions[[0, 1, 2, 2]], torch.tensor([0, 1, 2, 2])),
    )


def test_attention_by_hand() -> None:
    torch.manual_seed(0)
    attention = Attention(6, 1, 0.0)
    x, others = torch.randn(1, 2, 6), torch.randn(1, 3, 6)
    key, value = attention.key_value(others).chunk(2, -1)
    weights = torch.softmax(attention.query(x) @ key.transpose(1, 2) / math.sqrt(6), -1)
    torch.testing.assert_close(attention(x, others), attention.out(weights @ value))


def test_encoder_sees_all_and_decoder_sees_memory() -> None:
    torch.manual_seed(0)
    encoder, tokens = Encoder(4, 16, 1, 2), torch.randn(1, 4, 16)
    changed = tokens.clone()
    changed[:, 3] += torch.randn(16)
    assert (encoder(changed) != encoder(tokens)).any(-1).all()
    for causal in (True, False):
        decoder = Decoder(4, 16, 1, 2, causal=causal)
        plain = decoder(tokens, encoder(tokens))
        assert (decoder(tokens, encoder(changed)) != plain).any(-1).all()
        same = (decoder(changed, encoder(tokens)) == plain).all(-1)[0]
        assert same[:3].all() == causal and not same[3]


def test_adaln_begins_as_the_identity_and_then_depends_on_the_condition() -> None:
    torch.manual_seed(0)
    decoder = Decoder(4, 16, 2, 2, condition=5)
    tokens, memory = torch.randn(3, 4, 16), torch.randn(3, 2, 16)
    one, two = torch.randn(3, 5), torch.randn(3, 5)
    torch.testing.assert_close(decoder(tokens, memory, one), decoder.norm(tokens + decoder.positions))
    decoder(tokens, memory, one).square().sum().backward()
    for block in decoder.blocks:
        assert block.modulation[-1].weight.grad.abs().sum() > 0
        torch.nn.init.normal_(block.modulation[-1].weight, std=0.1)
    mixed = torch.cat([one[:1], two[1:]])
    same = (decoder(tokens, memory, mixed) == decoder(tokens, memory, one)).flatten(1).all(1)
    assert same.tolist() == [True, False, False]  # each sample by its own condition


def test_heads_that_do_not_divide_the_width_are_refused() -> None:
    with pytest.raises(ConfigError, match="width 10 cannot be shared among 4 heads"):
        GPT(4, width=10, heads=4)


def test_fourier_features() -> None:
    features = fourier(torch.tensor([0.0, 2.0]), 4)
    torch.testing.assert_close(features[0], torch.tensor([0.0, 0, 1, 1]))
    assert features[1, 1].item() == pytest.approx(math.sin(2 / 100))
