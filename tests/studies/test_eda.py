"""The study of twenty questions: its parts by hand, and all of it at the smallest scale."""

import math

import numpy as np
import pytest

from ethogram.errors import ConfigError, DataError
from ethogram.guessing import Ask, Exchange, Guess, Recall, things
from ethogram.language import scripted
from ethogram.policies.coded.scripted import Scripted
from ethogram.scene import Scene
from ethogram.simulation import rollouts
from ethogram.studies import Findings, Lab, load
from ethogram.studies.claims import judge
from ethogram.studies.people import _eda_findings as found
from ethogram.studies.people import _eda_model as models
from ethogram.studies.people import _eda_parts as parts
from ethogram.studies.people import _eda_release as release
from ethogram.studies.people import eda as study
from ethogram.studies.people._eda_scene import HELD_OUT, TRAIN, part, twenty_questions
from ethogram.worlds.coded.question_game import QuestionGame


@pytest.mark.parametrize(("text", "expected"), release.WORKED)
def test_released_marks_by_hand(text, expected):
    assert release.marks(text) == pytest.approx(expected)


def test_a_game_is_written_as_released():
    said = [Exchange(asked="Is it an animal?", answer="yes"), Exchange(asked="Is it owl?", answer="bingo")]
    text = release.session("owl", "Answer by yes or no.", said, turns=3)
    assert text.splitlines() == [
        "item: owl",
        "Turn 0, User: Answer by yes or no.",
        "Turn 1, Assistant: Is it an animal?",
        "Turn 1, User: Yes.",
        "Turn 2, Assistant: Is it owl?",
        "Turn 2, User: Bingo!",
    ]
    assert release.marks(text) == (2, 1, 2, 1.0), "the instructions count as a yes"
    late = release.session("owl", "", [Exchange(asked="Is it?", answer="no")] * 3, turns=3)
    assert "Turn 2, User: No. You must guess now: what is it?" in late and release.marks(late) == (3, 0, 0, 0.0)


def test_recorded_games_of_a_folder(tmp_path):
    (tmp_path / "rep1").mkdir()
    for i, (text, _) in enumerate(release.WORKED[:3]):
        (tmp_path / "rep1" / f"{i}.txt").write_text(text)
    assert list(release.recorded(tmp_path).values()) == [expected for _, expected in release.WORKED[:3]]
    findings = Findings()
    study._mark(findings, str(tmp_path))
    assert findings.get("recorded_score").value == pytest.approx((1 + 1 + 0.98) / 3)
    (tmp_path / "rep1" / "bad.txt").write_text("nothing")
    with pytest.raises(DataError, match=r"bad\.txt is not a recorded game"):
        release.recorded(tmp_path)
    with pytest.raises(DataError, match="no recorded games"):
        release.recorded(tmp_path / "empty")


def test_held_out_things_are_never_shown():
    train, held = set(part(TRAIN, 4)), set(part(HELD_OUT, 4))
    assert not train & held and len(held) == pytest.approx(len(things()) / 5, abs=1)
    assert part(HELD_OUT, 4) != part(HELD_OUT, 5)
    data = rollouts(twenty_questions("names", TRAIN, 4), episodes=20, progress=False)
    assert set(data.outcomes("entity").astype(int)) <= train


class Script(Scripted):
    """Asks the questions given, the last one again and again, and names an owl in the end."""

    def __init__(self, *questions):
        super().__init__()
        self.questions = questions

    def script(self, observation, space, memory, rng):
        if observation.turn == observation.turns:
            return Guess(entity="owl")
        return Ask(question=self.questions[min(observation.turn, len(self.questions)) - 1])


def test_information_of_questions_by_hand():
    """The first question tells its entropy over all things, the same one again nothing."""
    base = things()
    question = "Is it an animal?"
    world = QuestionGame(entities=["owl"], turns=4)
    data = rollouts(Scene(world, Script(question, question)), episodes=2, progress=False)
    got = parts.measured(data, 0.0)
    p = (base.column("animal") == 1).mean()
    assert got["told"][0] / 2 == pytest.approx(-p * math.log2(p) - (1 - p) * math.log2(1 - p), abs=1e-4)
    assert got["told"][1:3] == [0, 0] and got["best"][0] / 2 > 0.95
    assert got["asked"][:4] == [2, 2, 2, 0] and got["repeated"] == 4
    assert got["success"] == 1 and got["agree"] == 2 and got["games"] == 2


def results(bc, rl, noises=("0.03",), seeds=5, jitter=0.01):
    """Made-up replications: of each arm its scores, with luck that arms share."""
    luck = np.random.default_rng(1).normal(0, jitter, seeds)
    levels = {"splitter": 0.86, "menu": 0.5, "random": 0.1, "names": 0.02, "BC": bc, "BC + RL": rl}
    levels |= {"BC, longer": bc, "RL alone": 0.1, "BC, more games": 0.8}
    made = {}
    for arm, level in levels.items():
        row = [{"score": level * (1 + e), "success": level, "repeated": 1, "games": 10} for e in luck]
        made[arm] = [{**dict.fromkeys(noises, one), "seen": {"success": level + 0.1}} for one in row]
    return made


@pytest.mark.parametrize(
    ("bc", "rl", "imitation", "practice"),
    [
        (0.6, 0.75, "holds", "holds"),
        (0.6, 0.64, "holds", "does not hold"),
        (0.4, 0.6, "does not hold", "holds"),
        (0.6, 0.6, "holds", "does not hold"),
    ],
)
def test_planted_gains_are_found_and_nulls_are_not(bc, rl, imitation, practice):
    findings = Findings()
    found.compared(findings, results(bc, rl), 0.03)
    found.generalised(findings, results(bc, rl), 0.03)
    verdicts = judge(study.claims, findings)
    assert verdicts["imitation-carries-over"].outcome == imitation
    assert verdicts["practice-adds"].outcome == practice
    assert findings.get("gap", "BC").value == pytest.approx(0.1)
    assert verdicts["model-above-chance"].outcome == "not tested"
    nothing = Findings()
    found.compared(nothing, results(0.0, rl), 0.03)
    assert judge(study.claims, nothing)["practice-adds"].outcome == "not tested"


def test_a_model_that_reads_the_menu_is_above_chance_and_one_that_does_not_is_not(tmp_path, monkeypatch):
    """The whole prompted half on scripted models: a reader scores questions by what they tell over all things."""
    recall = Recall(things())
    gains = dict(zip(things().questions, recall.gains(recall.shares(recall.start()))[0].tolist(), strict=True))

    def reader(request):
        shown = {line[0]: line[3:] for line in request.messages[-1]["content"].splitlines() if line[1:3] == ". "}
        return [60 * gains.get(shown.get(letter, ""), 0.0) for letter in request.options]

    outcome = {}
    for name, rate in (("reader", reader), ("dull", lambda request: [0.0] * len(request.options))):
        made = scripted(lambda request: "Is it a quark?", rate, name)
        monkeypatch.setattr("ethogram.language.model", lambda spec, cache=None, made=made: made)
        monkeypatch.setattr(models, "open_model", lambda spec, cache=None, made=made: made)
        findings, lab = Findings(), Lab(tmp_path / name, model=f"scripted:{name}", progress=False)
        models.played(findings, lab, 8, 4, 0.0)
        models.judged(findings, lab, 12)
        outcome[name] = judge(study.claims, findings)["model-above-chance"].outcome
        assert findings.get("model_success", f"model: scripted:{name}, free").value == 0
        shares = [findings.get(f"judge_{answer}", f"model: scripted:{name}").value for answer in ("no", "yes", "maybe")]
        assert sum(shares) == pytest.approx(1)
    assert outcome == {"reader": "holds", "dull": "does not hold"}


@pytest.mark.slow
def test_a_small_run(tmp_path):
    config = study.presets["smoke"]
    findings = study.run(config, Lab(tmp_path, progress=False))
    again = study.run(config, Lab(tmp_path, progress=False))
    assert findings.dump() == again.dump(), "from its parts"
    assert set(findings.figures) == {"noise", "information", "learning"}
    verdicts = judge(study.claims, findings)
    assert verdicts["release-reproduced"].outcome == verdicts["splitter-at-the-bound"].outcome == "holds"
    assert findings.get("score", found.at("splitter", 0.0)).value > findings.get("score", found.at("random", 0.0)).value
    assert findings.get("share_of_best", "splitter").value > 0.999 > findings.get("share_of_best", "random").value
    assert load("eda").presets.keys() == {"smoke", "laptop", "paper"}
    with pytest.raises(ConfigError, match="noises must rise"):
        study.run(study.Config(noise=0.2), Lab(tmp_path, progress=False))
