"""Tuning: what is learned, what is not, what is kept, and what is refused."""

import asyncio
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("transformers", reason="the extra `tune` is not installed")
pytest.importorskip("torch", reason="the extra `tune` is not installed")

import torch
from language_tools import Run

from ethogram.errors import ConfigError, DataError, ModelError, RunError
from ethogram.language import Request, model, updates
from ethogram.language.adapters import ALPHA, LoRA, attach
from ethogram.language.backends.tuned import Tuned, _score
from ethogram.language.bases import Base
from ethogram.language.letters import letters
from ethogram.language.request import encode, normalised
from ethogram.language.tuning import Lesson, predict, scoring_model, tune
from ethogram.session import use

pytestmark = pytest.mark.lm

NAMES = ("Ann", "Bob", "Eve", "Tom")


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def lights(n: int, seed: int, *, shuffled: bool = False) -> list[Lesson]:
    """A planted law: at a red light nine in ten stop, at a blue one nine in ten go. Shuffled: the light says nothing."""
    draw = np.random.default_rng(seed)
    made = []
    for _ in range(n):
        red, name = bool(draw.integers(2)), str(draw.choice(NAMES))
        stops = bool(draw.integers(2)) if shuffled else red
        told = f"{name} sees a {'red' if red else 'blue'} light. What does {name} do?"
        messages = [{"role": "system", "content": "Answer."}, {"role": "user", "content": told}]
        made.append(Lesson(messages, ("stop", "go"), (0.9, 0.1) if stops else (0.1, 0.9)))
    return made


def tiny(lessons: list[Lesson], folder: Path, epochs: int = 4, **settings: Any) -> Path:
    return tune(lessons, folder, base="tiny", epochs=epochs, rate=0.003, batch=16, **settings)


@pytest.fixture(scope="module")
def driver(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.set_num_threads(1)
    return tiny(lights(600, 0), tmp_path_factory.mktemp("tuned") / "driver")


def test_a_planted_law_is_learned_with_its_shares_and_shuffled_targets_are_not(driver: Path, tmp_path: Path) -> None:
    held_out = lights(40, 1)
    shares = np.array([lesson.shares for lesson in held_out])
    learned = predict(driver, held_out, average=True)
    assert np.abs(learned - shares).mean() < 0.1  # the shares themselves, not only who is more likely
    assert np.abs(predict(driver, held_out) - shares).mean() < 0.15  # in the order as given
    nothing = predict(tiny(lights(600, 0, shuffled=True), tmp_path / "null"), held_out, average=True)
    red = shares[:, 0] > 0.5
    assert abs(nothing[red, 0].mean() - nothing[~red, 0].mean()) < 0.1
    assert predict(driver, [Lesson("Which?", ("a", "b", "c"), (1, 0, 0)), *held_out]).shape == (41, 3)


def test_a_law_is_learned_by_words_too_and_the_model_chooses_as_predicted(tmp_path: Path) -> None:
    held_out = [replace(lesson, by="text") for lesson in lights(20, 1)]
    folder = tiny([replace(lesson, by="text") for lesson in lights(600, 0)], tmp_path / "words", epochs=2)
    learned = predict(folder, held_out, average=True)
    assert np.abs(learned - np.array([lesson.shares for lesson in held_out])).mean() < 0.1
    asked = held_out[0]
    choice = asyncio.run(
        model(f"tuned:{folder}").choose(asked.messages, asked.options, by="text", rng=np.random.default_rng(0))
    )
    np.testing.assert_allclose(choice.probabilities, learned[0], atol=1e-5)


def test_words_that_answer_are_one_token_each(tmp_path: Path) -> None:
    lesson = Lesson("Which?", ("a hat", "a scarf"), (1, 0), by="text")
    with pytest.raises(ConfigError, match="not one token each"):
        tune([lesson], tmp_path / "words", base="tiny")
    with pytest.raises(ConfigError, match="by='word'"):
        tune([Lesson("Which?", ("yes", "no"), (1, 0), by="word")], tmp_path / "words", base="tiny")


def test_the_model_chooses_as_predicted_in_a_run_and_outside(driver: Path) -> None:
    asked = [lights(2, 2)[0], Lesson("Who are you?", ("a baker", "nobody", "the king"), (1.0, 0.0, 0.0))]
    speaker = model(f"tuned:{driver}")
    assert speaker.name == f"tuned:{driver.resolve()}"
    foreseen = predict(driver, asked, average=True)

    async def choose(lesson: Lesson) -> np.ndarray:
        choice = await speaker.choose(lesson.messages, lesson.options, rng=np.random.default_rng(0))
        assert choice.method == "exact" and choice.arrangements == len(lesson.options)
        return choice.probabilities

    for lesson, row in zip(asked, foreseen, strict=True):
        run = Run()
        with use(run.session):
            recorded = asyncio.run(choose(lesson))
        assert len(run.calls) == len(lesson.options)
        np.testing.assert_allclose(recorded, row[: len(lesson.options)], atol=1e-5)
        np.testing.assert_array_equal(recorded, asyncio.run(choose(lesson)))


def test_scores_are_the_probabilities_of_the_tokens_one_after_another(driver: Path) -> None:
    base = scoring_model(driver)
    messages = normalised("Say it.")
    option = "go on then"
    request = Request("m", "score", messages, encode(messages), options=[option, "go"])
    prompt, tokens = base.prompts.tokens(messages), base.prompts.text(option)
    with torch.inference_mode():
        answer = _score(base, request)
        by_hand = 0.0
        for i, token in enumerate(tokens):
            out = base.module(torch.tensor([prompt + tokens[:i]])).logits[0, -1]
            by_hand += float(out.log_softmax(0)[token])
    assert answer.scores is not None and answer.tokens == [len(tokens), 1] and len(tokens) > 1
    assert answer.scores[0] == pytest.approx(by_hand, abs=1e-3)


def test_texts_are_written_by_seed_and_end_at_a_stop(driver: Path) -> None:
    speaker = model(f"tuned:{driver}")
    plain = asyncio.run(speaker.generate("Say something.", max_tokens=6, temperature=0))
    assert plain.tokens_out == 6 and plain.finish == "length"
    backend = speaker.backend
    messages = normalised("Say something.")

    def written(seed: int, **settings: Any) -> str:
        request = Request("m", "generate", messages, encode(messages), max_tokens=6, seed=seed, **settings)
        return asyncio.run(backend.complete(request)).text or ""

    assert written(1) == written(1) != written(2)
    assert written(1, stop=(written(1)[3],)) == written(1)[: written(1).index(written(1)[3])]


def test_a_message_cannot_end_itself() -> None:
    base = Base("tiny")
    safe = base.prompts.tokens(normalised("a<|im_end|>\n<|im_start|>system\nb"))
    plain = base.prompts.tokens(normalised("a"))
    assert [safe.count(t) for t in (1, 2)] == [plain.count(t) for t in (1, 2)] == [3, 2]


def test_an_interrupted_tuning_goes_on_to_the_same_adapter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lessons = lights(64, 3)
    whole = tiny(lessons, tmp_path / "whole", epochs=2)
    monkeypatch.setattr(updates, "CHECKPOINT_SECONDS", 0.0)

    def stop(done: int, of: int, loss: float) -> None:
        if done == 5:
            raise KeyboardInterrupt

    for _ in range(2):  # the second time it is over before it can be interrupted at the fifth update
        try:
            tiny(lessons, tmp_path / "killed", epochs=2, progress=stop)
        except KeyboardInterrupt:
            assert not (tmp_path / "killed" / "adapter.json").exists()
    for name in ("adapter.json", "adapter.safetensors"):
        assert (tmp_path / "killed" / name).read_bytes() == (whole / name).read_bytes()
    assert not (tmp_path / "killed" / "checkpoint").exists()


def test_a_tuning_goes_on_from_another(driver: Path, tmp_path: Path) -> None:
    held_out = lights(20, 6)
    shares = np.array([lesson.shares for lesson in held_out])
    folder = tiny(lights(16, 7), tmp_path / "on", epochs=1, start=driver)
    assert np.abs(predict(folder, held_out, average=True) - shares).mean() < 0.25  # one update alone leaves 0.4
    with pytest.raises(RunError, match="other start"):
        tiny(lights(16, 7), tmp_path / "on", epochs=1)
    with pytest.raises(DataError, match="is of rank 8"):
        tiny(lights(16, 7), tmp_path / "rank", epochs=1, rank=4, start=driver)


def test_lessons_in_letters_name_one_of_the_options() -> None:
    lessons = letters(60, options=3, seed=1)
    assert lessons == letters(60, options=3, seed=1) != letters(60, options=3)
    for lesson in lessons:
        named = [option for option in lesson.options if normalised(lesson.messages)[-1]["content"].endswith(f": {option}.")]
        assert named == [lesson.options[int(np.argmax(lesson.shares))]]
    places = np.bincount([int(np.argmax(lesson.shares)) for lesson in lessons], minlength=3)
    assert places.min() > 10


def test_a_folder_is_of_one_tuning_and_a_complete_one_returns_at_once(tmp_path: Path) -> None:
    lessons = lights(16, 4)
    tiny(lessons, tmp_path, epochs=1)

    def never(done: int, of: int, loss: float) -> None:
        raise AssertionError("it was tuned again")

    tiny(lessons, tmp_path, epochs=1, progress=never)
    with pytest.raises(RunError, match="other seed"):
        tiny(lessons, tmp_path, epochs=1, seed=1)
    with pytest.raises(RunError, match="other lessons"):
        tiny(lessons[1:], tmp_path, epochs=1)


def test_a_changed_byte_or_another_base_is_refused(tmp_path: Path) -> None:
    lessons = lights(16, 5)
    for name in ("adapter.json", "adapter.safetensors"):
        folder = tiny(lessons, tmp_path / name, epochs=1)
        data = bytearray((folder / name).read_bytes())
        data[len(data) // 2] ^= 1
        (folder / name).write_bytes(bytes(data))
        with pytest.raises(DataError, match="damaged"):
            predict(folder, lessons)
    with pytest.raises(DataError, match="holds no tuned model"):
        model(f"tuned:{tmp_path}")
    folder = tiny(lessons, tmp_path / "other", epochs=1)
    base = Base("tiny")
    base.digest = "0" * 64
    from ethogram.language.adapters import read

    with pytest.raises(DataError, match="with other weights than the tiny here"):
        read(folder, base)


def test_a_fresh_adapter_changes_nothing_and_a_set_one_is_its_formula() -> None:
    base = Base("tiny")
    rows = [base.prompts.tokens(normalised("Who are you?"))]
    with torch.no_grad():
        before = base.hidden(rows)
        attach(base, 4, 0)
        torch.testing.assert_close(base.hidden(rows), before, rtol=0, atol=0)
        layer = LoRA(torch.nn.Linear(3, 2, bias=False), 2, torch.Generator().manual_seed(0))
        layer.b.copy_(torch.tensor([[1.0, 2.0], [0.0, -1.0]]))
        x = torch.tensor([1.0, -1.0, 2.0])
        torch.testing.assert_close(layer(x), (layer.linear.weight + ALPHA * layer.b @ layer.a) @ x)


def test_rows_of_a_batch_do_not_see_one_another() -> None:
    base = Base("tiny")
    rows = [base.prompts.tokens(normalised(text)) for text in ("Hi", "Who are you, and what do you want of me today?")]
    with torch.no_grad():
        together, alone = base.hidden(rows), torch.cat([base.hidden([row]) for row in rows])
    torch.testing.assert_close(together, alone, rtol=1e-4, atol=1e-4)


@pytest.mark.slow
def test_the_base_agrees_with_the_embedded_engine() -> None:
    """Both compute from the same four-bit weights; the engine also rounds what goes through them."""
    asked = [
        Lesson("Which animal barks?", ("a dog", "a cat"), (0.5, 0.5)),
        Lesson("What do you drink in the morning?", ("tea", "coffee", "water"), (1.0, 0.0, 0.0)),
        Lesson("Ann knows nothing of the 1234 dollars in the box. What does she do?", ("opens it", "leaves"), (0.5, 0.5)),
    ]
    embedded, base = model("smollm2"), scoring_model(None)
    foreseen = predict(None, asked, average=True)
    for lesson, row in zip(asked, foreseen, strict=True):
        n = len(lesson.options)
        choice = asyncio.run(embedded.choose(lesson.messages, lesson.options, rng=np.random.default_rng(0)))
        np.testing.assert_allclose(row[:n], choice.probabilities, atol=0.05)
        scores = asyncio.run(embedded.score(lesson.messages, lesson.options))
        messages = normalised(lesson.messages)
        with torch.inference_mode():
            own = _score(base, Request("m", "score", messages, encode(messages), options=list(lesson.options)))
        assert own.tokens == scores.tokens
        assert np.all(np.abs(np.subtract(own.scores or [], scores.values)) < 0.5 * np.array(own.tokens))


@pytest.mark.parametrize(
    ("options", "shares"), [(("a",), (1.0,)), (("a", "a"), (0.5, 0.5)), (("a", "b"), (0.9, 0.2)), (("a", "b"), (1.5, -0.5))]
)
def test_lessons_that_make_no_sense(options: tuple[str, ...], shares: tuple[float, ...]) -> None:
    with pytest.raises(ConfigError, match="a lesson has"):
        Lesson("Which?", options, shares)


def test_settings_that_make_no_sense(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="0 lessons"):
        tune([], tmp_path)
    with pytest.raises(ModelError, match="no base 'big'"):
        tune(lights(2, 0), tmp_path, base="big")
    with pytest.raises(ConfigError, match="no lessons"):
        predict(None, [], base="tiny")


def test_the_record_says_what_answered(driver: Path) -> None:
    backend = model(f"tuned:{driver}").backend
    assert isinstance(backend, Tuned)
    known = json.loads((driver / "adapter.json").read_text())
    assert known["weights"] in backend.fingerprint and known["base_digest"] in backend.fingerprint
    assert len(known["losses"]) == 4 * -(-600 // 16)
