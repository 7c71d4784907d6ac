"""Which words a choice goes by: the prompts, the coded policies' laws by hand, and the whole at the smallest scale."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from ethogram.decisions.trips import Trips, swissmetro
from ethogram.errors import DataError
from ethogram.studies import Lab, load
from ethogram.studies.claims import judge
from ethogram.studies.people import _shapley_llm_findings as told
from ethogram.studies.people import _shapley_llm_policies as policies
from ethogram.studies.people._shapley_llm_prompts import Story, design, framed, trip


@pytest.fixture
def recorded():
    """The choices, where the package that carries them is installed."""
    try:
        return swissmetro()
    except DataError as absent:
        pytest.skip(str(absent))


def offered(n=60):
    """Trips whose differences in price are 0, 1, … 59, for two of three people without a pass."""
    i = np.arange(n)
    cost = np.stack([np.full(n, 50), 50 + i, i], 1).astype(float)
    time = np.stack([200 - i, np.full(n, 60), i], 1).astype(float)
    wait = np.stack([30 + i % 4, np.full(n, 10), 0 * i], 1).astype(float)
    return Trips(cost, time, wait, np.ones((n, 3), bool), i % 3, i, np.ones(n, int), i % 3 == 2)


def test_levels_are_even_quantiles_of_what_people_were_shown():
    found = design(offered(), (4, 2, 2))
    assert len(found.rows) == 16 and found.pairs().shape == (16, 3, 2)
    differences = [b - a for a, b in found.price]
    assert differences == [6, 21, 36, 51], "the 5th, 15th, 25th and 35th of those 40 who have no pass"
    assert [len(set(levels)) for levels in found.crossed] == [4, 2, 2]
    assert len({prompt.parts["form"].texts["form"] for prompt in found.prompts()}) == 4, "worded anew with the price"
    with pytest.raises(DataError, match="no 9 different levels"):
        design(offered(), (4, 2, 9))


def test_prompts_in_words():
    prompt = trip((50, 54), (257, 109), (120, 20))
    text, options = prompt.put({"price", "form"})
    assert options == ["train", "Swissmetro"] and prompt.noise == list(told.NOISE) and tuple(prompt.parts) == told.PARTS
    assert text.splitlines()[1:] == [
        "Form K-4721.",
        "Price: 50 francs by train, 54 francs by Swissmetro.",
    ]
    assert "Price: by train not stated, by Swissmetro not stated." in prompt.put(set(), "neutral")[0]
    story = framed(Story(600, "a flood"))
    gain, loss = story.put(set(), "neutral"), story.put(story.parts, "neutral")
    assert gain[1][0] == "Programme P: 200 people will be saved" and loss[1][0] == "Programme R: 400 people will die"
    assert gain[0].replace("Imagine", "Suppose") == loss[0]


def test_values_of_a_logistic_in_closed_form():
    adds = np.array([[0.7, 0.0, 0.0], [0.5, 0.5, 0.0], [1.0, -2.0, 0.3]])
    found = policies.analytic(adds, 0.2)
    p = 1 / (1 + np.exp(-0.2 - adds.sum(1)))
    assert found.sum(1) == pytest.approx(p - 1 / (1 + np.exp(-0.2)))
    assert found[0].tolist() == pytest.approx([p[0] - 1 / (1 + np.exp(-0.2)), 0, 0])
    assert found[1, 0] == pytest.approx(found[1, 1])


def test_the_laws_of_coded_policies(recorded):
    logit = policies.people()
    prompt = trip((50, 54), (257, 109), (120, 20))
    base = -logit.coefficient("train")
    by_hand = base + 0.04 * logit.coefficient("cost") - 1.48 * logit.coefficient("time") - logit.coefficient("headway")
    everything, nothing = prompt.put(prompt.parts)[0], prompt.put(set(), "neutral")[0]
    assert policies.liking(everything, False) == pytest.approx(by_hand) and policies.liking(nothing, True) == pytest.approx(
        base
    )
    assert policies.liking(everything, True) - by_hand == pytest.approx(policies.FORM + policies.COLOUR)
    assert logit.coefficient("cost") < 0 and logit.coefficient("time") < 0, "dearer and slower is worse"


def test_smoke(recorded, tmp_path):
    study = load("shapley-llm")
    findings = study.run(study.configure("smoke"), Lab(tmp_path, 0, policies.LOGIT, progress=False))
    verdicts = judge(study.claims, findings)
    for name in ("engine-axioms", "logit-ignores-noise", "price-is-analytic", "bias-exposed"):
        assert verdicts[name].outcome == "holds", verdicts[name].reason
    assert verdicts["token-noise"].outcome == "not tested"
    gap, by_noise = (findings.get(name, f"{policies.LOGIT}, {told.BOTH}").value for name in ("frame_gap", "frame_by_noise"))
    assert gap == pytest.approx(1 / (1 + np.exp(-2 * policies.LOSS)) - 0.5) and by_noise == pytest.approx(0, abs=1e-12)
    assert findings.get("order_gap", policies.BIASED).above and findings.get("order_gap", policies.LOGIT).value == 0
    shares = [findings.get("importance", f"people, {part}").value for part in ("price", "time", "wait")]
    assert sum(shares) == pytest.approx(1) and {"attributions", "sampling"} <= set(findings.tables)
    again = study.run(study.configure("smoke"), Lab(tmp_path, 0, policies.LOGIT, progress=False))
    assert again.dump() == findings.dump(), "from its parts"


@pytest.mark.slow
def test_a_model_at_an_endpoint_is_attributed(recorded, tmp_path):
    server = Path(__file__).parents[1] / "language" / "server.py"
    with subprocess.Popen([sys.executable, str(server), "--port", "0"], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        spelled = f"http://127.0.0.1:{process.stdout.readline().split()[-1]}/v1#mock"
        study = load("shapley-llm")
        findings = study.run(study.configure("smoke"), Lab(tmp_path, 0, spelled, progress=False))
        process.kill()
    arm = f"model: {spelled}, {told.BOTH}"
    assert findings.get("residual", arm).value < 1e-12 and findings.get("noise_share", arm).above
    assert judge(study.claims, findings)["token-noise"].outcome == "holds", "what it answers depends on every letter"
