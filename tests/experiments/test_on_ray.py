"""A sweep on a Ray cluster of two nodes, which the test starts on this machine."""

from pathlib import Path

import pytest
from outbreak import cases, outbreak

from ethogram.errors import ConfigError
from ethogram.experiments import CellsFailed, Ray, grid, sweep

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore::FutureWarning:ray"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning:ray"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),  # of Ray's own processes and sockets
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

MEMORY = 80 * 2**20
"""The least that Ray takes for its object store, in bytes."""


@pytest.fixture
def cluster(monkeypatch):
    pytest.importorskip("ray", reason="the extra ray is not installed")
    monkeypatch.setenv("RAY_USAGE_STATS_ENABLED", "0")
    monkeypatch.setenv("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
    from ray.cluster_utils import Cluster

    made = Cluster(
        initialize_head=True, head_node_args={"num_cpus": 1, "object_store_memory": MEMORY, "include_dashboard": False}
    )
    try:
        made.add_node(num_cpus=1, object_store_memory=MEMORY)
        yield made
    finally:
        made.shutdown()


def test_a_sweep_on_two_nodes_is_the_one_at_home_and_goes_on(cluster, tmp_path):
    import ray

    path = {"env_vars": {"PYTHONPATH": str(Path(__file__).parent)}}
    address = {"address": cluster.address, "runtime_env": path, "logging_level": "error"}
    points = grid(beta=[0.3, 0.6], fault=["", "raise"])
    with pytest.raises(
        CellsFailed, match=r"2 of 4 cells failed, the first at beta=0.3, fault=\"raise\", replicate 0: ValueError"
    ):
        sweep(outbreak, points, measure=cases, steps=5, workers=Ray(**address), to=tmp_path)
    assert not ray.is_initialized()
    with Ray(**address) as there:
        assert {node["Resources"].get("CPU") for node in ray.nodes()} == {1.0} and len(ray.nodes()) == 2
        found = sweep(outbreak, points[::2], measure=where, replicates=6, steps=5, workers=there)
        assert found["node"].n_unique() <= 2
        both = sweep(outbreak, points[::2], measure=cases, replicates=2, steps=5, workers=there)
    assert both.equals(sweep(outbreak, points[::2], measure=cases, replicates=2, steps=5))


def where(run):
    import ray

    return {"node": float(int(ray.get_runtime_context().get_node_id()[:12], 16))}


def test_a_cluster_that_is_not_there_is_named():
    with pytest.raises(ConfigError, match="no Ray cluster at"), Ray("auto"):
        pass
