import json

import pytest
import torch

from ethogram.errors import ConfigError, DataError
from ethogram.nn import saving
from ethogram.nn.networks import MLP
from ethogram.nn.scaling import Scaler


def net(hidden=(4,)):
    return torch.nn.ModuleDict({"body": MLP(2, 1, hidden), "scaler": Scaler(2)})


@pytest.fixture
def saved(tmp_path):
    module = net()
    saving.save(tmp_path / "it", "thing", {"hidden": [4], "name": "größe"}, module)
    return tmp_path / "it", module


def test_comes_back(saved):
    path, module = saved
    spec, tensors = saving.load(path, "thing")
    other = net().train()
    saving.restore(other, tensors, path)
    assert spec == {"hidden": [4], "name": "größe"} and not other.training
    for name, value in module.state_dict().items():
        assert torch.equal(other.state_dict()[name], value)
    saving.save(path, "thing", {"hidden": [5]}, net((5,)))
    assert saving.load(path, "thing")[0] == {"hidden": [5]}


@pytest.mark.parametrize("file", ["thing.json", "weights.safetensors"])
def test_any_changed_byte_is_refused(saved, file):
    path = saved[0] / file
    sound = path.read_bytes()
    for at in range(len(sound)):
        for flip in (0x01, 0x20):
            path.write_bytes(sound[:at] + bytes([sound[at] ^ flip]) + sound[at + 1 :])
            with pytest.raises(DataError):
                saving.load(saved[0], "thing")
    for broken in (b"", sound[:-1], sound + b"\n", b"[]"):
        path.write_bytes(broken)
        with pytest.raises(DataError):
            saving.load(saved[0], "thing")
    path.unlink()
    with pytest.raises(DataError, match=r"cannot be read|holds no thing"):
        saving.load(saved[0], "thing")


def test_other_kinds_and_architectures_are_refused(saved):
    path, _ = saved
    with pytest.raises(DataError, match=r"no policy\.json in it, but thing\.json"):
        saving.load(path, "policy")
    (path / "policy.json").write_bytes((path / "thing.json").read_bytes())
    with pytest.raises(DataError, match="is a 'thing'"):
        saving.load(path, "policy")
    _, tensors = saving.load(path, "thing")
    for other, message in (
        (net((5,)), r"its body\.0\.weight is torch.float32 of shape \(4, 2\), not"),
        (net((4, 4)), r"has no body\.4"),
        (net(()), r"has an unknown body\.2"),
        (net().double(), r"torch\.float64"),
    ):
        with pytest.raises(DataError, match=message):
            saving.restore(other, tensors, path)


def test_another_kind_of_thing_is_not_written_over(saved):
    path, module = saved
    (path / "notes.json").write_text("[]")  # of the user's own
    with pytest.raises(ConfigError, match="already holds a thing, whose weights would be lost"):
        saving.save(path, "policy", {}, net((5,)))
    tensors = saving.load(path, "thing")[1]
    assert torch.equal(tensors["body.0.weight"], module["body"][0].weight)
    assert sorted(p.name for p in path.iterdir()) == ["notes.json", "thing.json", "weights.safetensors"]


def test_no_pickle_and_plain_json(saved):
    path, _ = saved
    assert sorted(p.name for p in path.iterdir()) == ["thing.json", "weights.safetensors"]
    assert json.loads((path / "thing.json").read_text("utf-8"))["spec"]["hidden"] == [4]
