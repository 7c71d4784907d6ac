import math
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
import torch
import training_victim as victim

from ethogram.errors import ConfigError, DataError, RunError
from ethogram.nn import training
from ethogram.nn.checkpoints import read_checkpoint, write_checkpoint
from ethogram.nn.networks import MLP
from ethogram.nn.training import Training, seeded, train
from ethogram.seeds import derive, generator


@pytest.fixture(autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def weights(net):
    return torch.cat([p.detach().reshape(-1) for p in net.parameters()])


def test_killed_and_resumed_is_never_killed_bit_for_bit(tmp_path):
    process = subprocess.Popen([sys.executable, victim.__file__, str(tmp_path)], env={**os.environ, "OMP_NUM_THREADS": "1"})
    checkpoint, step = tmp_path / "checkpoint.safetensors", 0
    while step < 60:
        assert process.poll() is None, "the training was over before it could be killed"
        time.sleep(0.01)
        step = read_checkpoint(checkpoint)[0]["step"] if checkpoint.exists() else 0
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    assert 60 <= read_checkpoint(checkpoint)[0]["step"] < victim.SETTINGS.steps

    resumed, whole = victim.module(), victim.module()
    torch.manual_seed(99)  # whatever state torch's own generator is in
    here, there = victim.fit(resumed, to=tmp_path), victim.fit(whole)
    assert torch.equal(weights(resumed), weights(whole))
    for mine, other in zip(here, there, strict=True):
        np.testing.assert_array_equal(mine, other)
    assert len(there.losses) == 400 and len(there.validations) == 40

    again = victim.module()
    victim.fit(again, to=tmp_path, after=0)  # complete: nothing is left to do
    assert torch.equal(weights(again), weights(whole))


def test_is_adamw_with_clipping_warm_up_and_an_average():
    settings = Training(steps=30, lr=0.05, warmup=5, schedule="cosine", clip=0.1, ema=0.9, weight_decay=0.1, seed=4)
    net, own = MLP(5, 2, (8,)), MLP(5, 2, (8,))
    own.load_state_dict(net.state_dict())
    average = [p.detach().clone() for p in own.parameters()]
    optimizer = torch.optim.AdamW(own.parameters(), weight_decay=0.1)
    losses = []
    for step in range(30):
        batch = training.tensors(victim.draw(generator(4, "batch", step)))
        loss = (own(batch["x"]) - batch["y"]).square().mean()
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(own.parameters(), 0.1)
        done = (step - 5) / 25
        optimizer.param_groups[0]["lr"] = 0.05 * ((step + 1) / 5 if step < 5 else (1 + math.cos(math.pi * done)) / 2)
        optimizer.step()
        losses.append(loss.item())
        decay = min(0.9, (step + 1) / (10 + step))
        average = [decay * a + (1 - decay) * p.detach() for a, p in zip(average, own.parameters(), strict=True)]
    history = train(net, lambda b, g: (net(b["x"]) - b["y"]).square().mean(), victim.draw, settings, progress=False)
    np.testing.assert_allclose(history.losses, losses, rtol=1e-5)
    torch.testing.assert_close(weights(net), torch.cat([a.reshape(-1) for a in average]))
    assert not net.training


def test_patience_ends_it_and_the_best_weights_are_kept():
    net, seen = MLP(1, 1, ()), {}
    scores = iter([5.0, 3.0, 4.0, 2.0, 2.0, 6.0, 7.0, 0.0])

    def validate(noise):
        seen[len(seen)] = weights(net).clone()
        assert not net.training
        return next(scores)

    def draw(rng):
        return {"x": rng.normal(size=(4, 1))}

    settings = Training(steps=100, validate_every=5, patience=3, ema=0.5)
    history = train(net, lambda b, g: net(b["x"]).square().mean(), draw, settings, validate=validate, progress=False)
    assert history.stopped and history.best == 20 and len(history.losses) == 35
    assert history.validations.tolist() == [[5 * (i + 1), s] for i, s in enumerate([5, 3, 4, 2, 2, 6, 7])]
    assert torch.equal(weights(net), seen[3])


def test_global_random_numbers_neither_matter_nor_are_disturbed():
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    one = victim.fit(victim.module(), Training(steps=5))
    assert torch.equal(torch.rand(3), expected)
    two = victim.fit(victim.module(), Training(steps=5))
    np.testing.assert_array_equal(one.losses, two.losses)
    with pytest.raises(RuntimeError), seeded(1):
        raise RuntimeError
    torch.manual_seed(5)
    with seeded(derive(7, "x")) as noise:
        torch.rand(2, generator=noise)
    assert torch.equal(torch.rand(3), expected)


def test_a_checkpoint_of_something_else_is_refused(tmp_path):
    settings = Training(steps=4)
    victim.fit(victim.module(), settings, to=tmp_path, validated=False)

    def other(rng):
        return {name: array + 1 for name, array in victim.draw(rng).items()}

    for what, net, given, draw in (
        ("settings", victim.module(), Training(steps=5), victim.draw),
        ("shapes", MLP(5, 2, (8,)), settings, victim.draw),
        ("data", victim.module(), settings, other),
    ):
        with pytest.raises(RunError, match=f"other {what}"):
            victim.fit(net, given, to=tmp_path, draw=draw, validated=False)
    path = tmp_path / "checkpoint.safetensors"
    sound = path.read_bytes()
    write_checkpoint(path, {"losses": [1.0]}, {})  # sound, but of no training
    with pytest.raises(RunError, match="other settings"):
        victim.fit(victim.module(), settings, to=tmp_path, validated=False)
    for at in (3, 40, len(sound) // 2, len(sound) - 1):
        path.write_bytes(sound[:at] + bytes([sound[at] ^ 1]) + sound[at + 1 :])
        with pytest.raises(DataError, match=r"damaged|not a checkpoint"):
            victim.fit(victim.module(), settings, to=tmp_path, validated=False)


def ones(rng):
    return {"x": np.ones((1, 1))}


def test_what_is_not_finite_and_nothing_to_train_are_errors():
    net = MLP(1, 1, ())
    with pytest.raises(DataError, match="nan at step 0"):
        train(net, lambda b, g: net(b["x"]).mean() * math.nan, ones, progress=False)
    with pytest.raises(DataError, match="validated to be NaN after 1 steps"):  # no weights would ever be better than these
        settings = Training(steps=3, validate_every=1)
        train(net, lambda b, g: net(b["x"]).mean(), ones, settings, validate=lambda noise: math.nan, progress=False)
    with pytest.raises(DataError, match="weights of MLP are not finite"):  # the loss is 0, where a root has no slope
        train(net, lambda b, g: (0 * net(b["x"])).sqrt().sum(), ones, Training(steps=1), progress=False)
    with pytest.raises(ConfigError, match=r"betas\.0 of Training is wrong: input should be less than 1"):
        Training(betas=(1.5, 0.9))
    with pytest.raises(ConfigError, match="no parameters"):
        train(torch.nn.ReLU(), lambda b, g: b["x"].sum(), lambda rng: {"x": np.ones(1)}, progress=False)
