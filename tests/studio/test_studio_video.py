import base64
import io
import warnings

import gymnasium
import numpy as np
import pytest
from conftest import Studio
from gymnasium.spaces import Box
from PIL import Image, ImageSequence

from ethogram import policies, worlds
from ethogram.errors import ConfigError, RunError
from ethogram.policy import Coded
from ethogram.records import Run
from ethogram.seeds import derive
from ethogram.simulation import Intervention, simulate
from ethogram.studio import reels
from ethogram.studio.reels import Reel, alike, film, gif, shrunk
from ethogram.world import GymWorld

FAR = 1e18


def balance(view, space):
    return int(view[2] + 0.5 * view[3] > 0)


def ran(folder, world, policy="random", **more):
    if isinstance(policy, str):
        policy = policies.make(policy)
    return simulate(world, policy, **{"steps": 60, "seed": 3, **more}, to=folder, progress=False)


def replayed(world, run, until):
    """What the env draws after the first `until` recorded actions, and before each."""
    rows = run.steps.collect().filter(run.steps.collect()["action"].is_not_null())
    world.reset(seed=derive(run.manifest.seed, "world", 0))
    pictures = [shrunk(np.asarray(world.render()))]
    for action in rows["action"].to_list()[:until]:
        world.step({world.possible_agents[0]: np.asarray(action, world.action_spaces[world.possible_agents[0]].dtype)})
        pictures.append(shrunk(np.asarray(world.render())))
    return pictures


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    root = tmp_path_factory.mktemp("videos") / "runs"
    ran(root / "pole", GymWorld("CartPole-v1"), Coded(balance), steps=80)
    ran(root / "blind", worlds.make("button_grid"), steps=10)
    return root


def all_of(run, folder):
    left, wrong = list(range(len(run.steps.select("episode", "step").unique().collect()))), None
    while left and wrong is None:
        answer = film(str(run.path), run.manifest.started, left, str(folder))
        left, wrong = left[len(answer["made"]) :], answer["wrong"]
    return wrong


def near(file, picture):
    return np.abs(np.asarray(Image.open(file), float) - picture).mean() < 3


@pytest.mark.parametrize("name", ["CartPole-v1", "HalfCheetah-v5", "walker", "pointmaze", "avoiding", "table"])
def test_the_video_is_what_the_world_draws_in_that_state(name, tmp_path):
    if name in ("HalfCheetah-v5", "walker", "pointmaze"):
        pytest.importorskip({"walker": "dm_control", "pointmaze": "gymnasium_robotics"}.get(name, "mujoco"))
    plain = GymWorld(name) if "-v" in name else worlds.make(name)
    run = ran(tmp_path / "run", plain, steps=12)
    assert all_of(run, tmp_path / "jpg") is None
    direct = GymWorld(name, render_mode="rgb_array") if "-v" in name else worlds.make(name)
    if name == "HalfCheetah-v5":
        direct = reels.drawable(direct)  # without shadows
    pictures = replayed(direct, run, 12)
    assert len(list((tmp_path / "jpg").glob("*.jpg"))) == len(pictures) > 5
    assert all(near(tmp_path / "jpg" / f"{k}.jpg", picture) for k, picture in enumerate(pictures))
    assert np.abs(pictures[0].astype(float) - pictures[-1]).max() > 10


def test_back_and_forth_from_checkpoints_and_past_interventions(tmp_path):
    table = worlds.make("table")
    goal = [1] + [-1] * (table.blocks - 1)
    run = ran(
        tmp_path / "run",
        table,
        episodes=2,
        checkpoint_every=20,
        interventions=[Intervention(30, "set_goal", {"goal": goal})],
    )
    reel, found = Reel(run.path), {}
    for frame in (50, 10, 100, 25, 50, 10):
        assert reel.go(frame, FAR) and reel.frame == frame and not reel.wrong
        found.setdefault(frame, []).append(reel.picture())
    for frame in (10, 50):
        assert (found[frame][0] == found[frame][1]).all()
    assert not (found[10][0] == found[50][0]).all()


def test_a_replay_that_leads_elsewhere_is_said_and_not_shown(tmp_path):
    heavy = GymWorld("CartPole-v1")
    heavy.env.unwrapped.gravity = 20.0
    heavy_run = ran(tmp_path / "heavy", heavy, Coded(balance), steps=20)
    frame, says = all_of(heavy_run, tmp_path / "jpg")
    assert 1 <= frame <= 3 and f"from step {frame}" in says and "recorded observations" in says
    assert sorted(int(f.stem) for f in (tmp_path / "jpg").glob("*.jpg")) == list(range(frame))
    paid = ran(
        tmp_path / "paid", GymWorld("CartPole-v1", sutton_barto_reward=True), Coded(balance), steps=20, record="actions"
    )
    assert "recorded rewards" in all_of(paid, tmp_path / "paid-jpg")[1]


class Unknown(gymnasium.Env):
    observation_space, action_space = Box(0, 1, (2,)), Box(0, 1, (1,))

    def reset(self, *, seed=None, options=None):
        return np.zeros(2, np.float32), {}

    def step(self, action):
        return np.zeros(2, np.float32), 0.0, False, False, {}


def test_what_cannot_be_drawn_is_said_in_a_sentence(tmp_path, root):
    with pytest.raises(ConfigError, match="'button_grid' draws no pictures of itself"):
        Reel(root / "blind")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        ran(tmp_path / "unknown", GymWorld(Unknown()), steps=3)
    with pytest.raises(RunError, match="does not say how its world 'Unknown' is built"):
        Reel(tmp_path / "unknown")
    with pytest.raises(RunError, match="with other spaces"):
        Reel(ran(tmp_path / "pixels", worlds.make("point_mass", pixels=16), steps=3).path)
    with pytest.raises(RunError, match="were not recorded"):
        Reel(ran(tmp_path / "none", worlds.make("point_mass"), steps=3, record="none").path)


def test_alike():
    assert alike({"a": [1.0, float("nan")]}, {"a": [1.00001, float("nan")]}) and alike("x", "x")
    assert (
        not alike([1.0], [1.01]) and not alike([1.0], [1.0, 1.0]) and not alike({"a": 1}, {"b": 1}) and not alike("x", "y")
    )


def test_a_gif_of_frames(root, tmp_path):
    run = Run(root / "pole")
    film(str(run.path), run.manifest.started, [0, 30], str(tmp_path))
    film(str(run.path), run.manifest.started, [30], str(tmp_path))
    with Image.open(gif(str(tmp_path), [0, 30], str(tmp_path / "out.gif"))) as made:
        assert made.n_frames == 2 and max(made.size) == 320


@pytest.fixture(scope="module")
def served(root):
    studio = Studio("--root", root, folder=root.parent)
    yield studio
    studio.close()


def test_the_page_renders_by_click_and_follows_the_scrubber(page, served, root):
    page.goto(f"{served.url}/run?path=pole&step=2")
    page.wait_for_selector(".chart canvas")
    assert page.locator(".video img").count() == 0
    page.get_by_role("button", name="Render the video").click()
    pictures = replayed(GymWorld("CartPole-v1", render_mode="rgb_array"), Run(root / "pole"), 80)

    def shown(frame):
        page.wait_for_selector(f'.video img[data-frame="{frame}"]', timeout=60_000)
        data = base64.b64decode(page.get_attribute(".video img", "src").partition(",")[2])
        return near(io.BytesIO(data), pictures[frame])

    assert shown(2)
    page.keyboard.press("ArrowRight")
    assert shown(3)
    page.keyboard.press("End")
    assert shown(len(pictures) - 1)
    page.wait_for_function(
        f"document.body.innerText.includes('{len(pictures)} of {len(pictures)} pictures')", timeout=60_000
    )
    assert not (pictures[2] == pictures[-1]).all()
    with page.expect_download() as download:
        page.get_by_role("button", name="Export as GIF").click()
    with Image.open(download.value.path()) as made:
        lasting = sum(frame.info["duration"] for frame in ImageSequence.Iterator(made))  # like frames are joined
        assert lasting == 50 * len(pictures) and made.n_frames > 5
    page.goto(f"{served.url}/run?path=blind")
    page.get_by_role("button", name="Render the video").click()
    page.wait_for_function("document.body.innerText.includes('draws no pictures of itself')", timeout=60_000)
