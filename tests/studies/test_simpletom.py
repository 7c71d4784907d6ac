"""SimpleToM: stories and twins, laws of coded readers, sensitivities by hand, and the whole at the smallest scale."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import norm

from ethogram.aio import run_coroutine
from ethogram.studies import Findings, Lab, load
from ethogram.studies.claims import judge
from ethogram.studies.people import _simpletom_findings as told
from ethogram.studies.people import _simpletom_parts as parts
from ethogram.studies.people._simpletom_players import SURE, chances, messages, opened
from ethogram.studies.people._simpletom_stories import SCENARIOS, TIERS, TOLD, question, stories


def test_twins_differ_in_what_the_protagonist_is_told_and_in_nothing_else():
    every = stories()
    assert len(every) >= 200 and len({s.text(a) for s in every for a in (False, True)}) == 2 * len(every)
    for story in every:
        plain, aware = (story.text(a).split(". ") for a in (False, True))
        assert plain[:2] == aware[:2] and plain[2] != aware[2]
        assert "{" not in story.text(True) + story.act(True) + story.act(False)
        for tier in TIERS:
            one, other = question(story, False, tier), question(story, True, tier)
            assert one.options == other.options and one.right != other.right
            assert one.text.split("\n")[1:] == other.text.split("\n")[1:]
    for way in range(len(TOLD)):  # how somebody is told says nothing of how bad it is
        assert len({sum(s.told == way and s.severe == severe for s in every) for severe in (False, True)}) == 1


def test_no_story_names_a_state_of_mind():
    words = {w.strip(".,").lower() for s in stories() for a in (False, True) for w in s.text(a).split()}
    assert not words & {"knows", "thinks", "believes", "aware", "expects", "notices", "realises", "unaware", "sees"}


def test_lessons_are_of_the_explicit_tier_and_of_other_scenarios_than_the_test():
    known, held_out = parts.divided(3)
    assert sorted(known + held_out) == sorted(SCENARIOS) and len(known) == 5
    lessons = parts.lessons(parts.some(known, 2, 3))
    assert len(lessons) == 20
    for lesson in lessons:
        asked = lesson.messages[-1]["content"]
        assert " aware that " in asked and "You said" not in asked and lesson.by == "text"
        assert sorted(lesson.shares) == pytest.approx([1 - parts.SHARE, parts.SHARE])


def test_a_reminder_is_of_the_own_answer_right_or_wrong_and_stands_before_applied_questions_only():
    seen = []

    def ask(asked):
        seen.append(asked)
        return np.array([0.2 if q.aware else 0.8 for q in asked])  # says of everybody that he is not aware

    story = stories()[0]
    rows = parts._rows([story], ask)
    plain, reminded = seen
    assert not any("You said" in q.text for q in plain) and {q.tier for q in reminded} == {"behaviour", "judgement"}
    assert all(f"{story.name} is not aware" in q.text for q in reminded)
    assert [row["reminded"] for row in rows] == [False] * 6 + [True] * 4


def test_the_surrogate_goes_by_its_law():
    story = stories()[5]
    player = opened("coded")
    asked = [question(story, False, "awareness"), question(story, False, "behaviour"), question(story, True, "judgement")]
    asked += [question(story, False, "behaviour", reminder=False), question(story, False, "judgement", reminder=True)]
    found = run_coroutine(chances(player, asked))
    np.testing.assert_allclose(found, [SURE, 1 - SURE, SURE, SURE, 1 - SURE])


def test_calibration_takes_off_what_the_options_score_without_a_story():
    story = stories()[7]

    def rate(request):
        read = "N/A" not in request.messages[-1]["content"]
        return {"yes": 2.0 + read, "no": 0.0}  # two of bias towards one option, one of what was read

    from ethogram.language import scripted

    asked = [question(story, True, "awareness")]
    assert run_coroutine(chances(scripted(rate=rate), asked))[0] == pytest.approx(1 / (1 + np.exp(-3)))
    assert run_coroutine(chances(scripted(rate=rate), asked, calibrate=True))[0] == pytest.approx(1 / (1 + np.exp(-1)))
    assert messages(asked[0])[-1]["content"] == asked[0].text


def test_sensitivity_is_hautus_and_constants_have_none():
    found = told.d_prime(np.array([[8, 10, 3, 10], [10, 10, 10, 10], [0, 10, 0, 10]]))
    assert found[0] == pytest.approx(norm.ppf(8.5 / 11) - norm.ppf(3.5 / 11))
    assert found[1:].tolist() == [0, 0]


def test_a_gap_of_known_size_is_measured():
    """Right on all explicit questions, on half of the applied ones; on three quarters when reminded."""
    rows = []
    for scenario in ("a", "b", "c"):
        for number in range(8):
            for aware in (False, True):
                common = {"scenario": scenario, "severe": number % 2 == 0, "aware": aware}
                rows.append({**common, "tier": "awareness", "reminded": False, "right": 0.9})
                for tier in ("behaviour", "judgement"):
                    rows.append({**common, "tier": tier, "reminded": False, "right": 0.9 if aware else 0.1})
                    helped = aware or number % 4 < 2
                    rows.append({**common, "tier": tier, "reminded": True, "right": 0.9 if helped else 0.1})
    findings = Findings()
    told.measured(findings, "x", [[r for r in rows if r["scenario"] == s] for s in "abc"])
    values = {
        name: findings.get(name, "x").value for name in ("gap", "gap_reminded", "reminder", "original_gap", "severity")
    }
    assert values == pytest.approx({"gap": 0.5, "gap_reminded": 0.25, "reminder": 0.25, "original_gap": 1, "severity": 0})
    assert findings.get("d_behaviour", "x").value == 0 and findings.get("d_gap", "x").above


def test_a_model_at_an_endpoint_answers_all_of_it(tmp_path: Path):
    study = load("simpletom")
    server = Path(__file__).parents[1] / "language" / "server.py"
    with subprocess.Popen([sys.executable, str(server), "--port", "0"], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        spelled = f"http://127.0.0.1:{process.stdout.readline().split()[-1]}/v1#mock"
        config = study.configure("smoke", {"raw": 1, "tunings": 0})
        findings = study.run(config, Lab(tmp_path, seed=1, model=spelled, progress=False))
        process.kill()
    verdicts = judge(study.claims, findings)
    assert verdicts["stronger-models-gap"].outcome != "not tested"
    assert verdicts["raw-model-gap"].reason == "another model than the embedded one answered"
    assert verdicts["tuned-gap"].outcome == "not tested"


@pytest.mark.lm
def test_every_answer_is_one_token():
    pytest.importorskip("transformers", reason="the extra `tune` is not installed")
    from ethogram.language.bases import Base

    base = Base("tiny")
    for options in {question(story, False, tier).options for story in stories() for tier in TIERS}:
        assert len(base.words(options)) == 2  # raises where one has more


@pytest.mark.lm
def test_the_study_at_the_smallest_scale(tmp_path: Path):
    pytest.importorskip("transformers", reason="the extra `tune` is not installed")
    study = load("simpletom")
    findings = study.run(study.presets["smoke"], Lab(tmp_path, seed=1, model="coded", progress=False))
    verdicts = {name: v.outcome for name, v in judge(study.claims, findings).items()}
    for name in (
        "stories-with-twins",
        "oracle-right",
        "egocentric-on-aware-twins-only",
        "constants-show-no-gap",
        "planted-gap-found",
    ):
        assert verdicts[name] == "holds", name
    assert verdicts["raw-model-gap"] == verdicts["stronger-models-gap"] == "not tested"
    assert verdicts["tuned-gap"] != "not tested" and "tiers" in findings.figures
    again = study.run(study.presets["smoke"], Lab(tmp_path, seed=1, model="coded", progress=False))
    assert again.dump() == findings.dump()
