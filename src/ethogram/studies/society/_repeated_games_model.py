"""`repeated-games` as a language model plays it: what moves its choices, and how letters and places bias them."""

from __future__ import annotations

import itertools
import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ethogram.aio import run_coroutine
from ethogram.language import model as open_model
from ethogram.language import scripted
from ethogram.measures import Estimate, mean, paired_difference
from ethogram.policies.coded.strategies import strategy
from ethogram.policies.prompted.player import Decision, Framing, Player
from ethogram.scene import Policies, scene
from ethogram.studies import Findings, Lab
from ethogram.studies.society._repeated_games_records import PAYOFFS, engine
from ethogram.world import World
from ethogram.worlds.coded.matrix_game import Choose

if TYPE_CHECKING:
    from ethogram.language import LanguageModel

__all__ = ["LIKES", "SURROGATE", "framings", "matched", "play", "probe"]

SURROGATE = "coded"
LIKES, NAMED, LETTER = 2.0, 1.0, 0.5
"""The surrogate's law, in nats: for the option it wants, the one named first, and the first of the letters."""
STORIES = ("game", "cooking", "project")
UNITS = ("points", "dollars", "coins")
LETTERS = ("JF", "XQ", "RH")
SITUATIONS: dict[str, tuple[str, tuple[tuple[int, int], ...]]] = {
    "PD, after two rounds of cooperation": ("PD", ((0, 0), (0, 0))),
    "PD, after one defection": ("PD", ((0, 1), (0, 0))),
    "BoS, the alternator comes to J": ("BoS", ((0, 0), (0, 1))),
    "BoS, the alternator comes to F": ("BoS", ((0, 1), (0, 0))),
}
"""Games, and moves of the player and the other so far. The other plays on as it began: in BoS it alternates."""
OTHERS = {"PD": "defect once", "BoS": "turn taker"}


def law(text: str, options: Sequence[str]) -> list[float]:
    """What the surrogate says to a prompt of `Player`: a stated law, with biases planted to be found.

    It wants the option that pays it most if both choose it, until the other has once chosen another; from then on that
    other one. It predicts that the other repeats itself, or changes again if it has just changed. Asked to choose after a
    prediction, it wants what it predicts. It knows nothing of the framing: the letter it likes is the later one in the
    alphabet, which is the first of each pair in `LETTERS`.
    """
    pays = {}
    for mine, theirs, value in re.findall(r"If you choose \w+ (\w) and .+? chooses \w+ (\w), then you win (\S+)", text):
        if mine == theirs:
            pays[mine] = float(value)
    wanted = max(sorted(pays), key=lambda letter: pays[letter])
    seen = re.findall(r"In \w+ \d+, you chose \w+ \w and .+? chose \w+ (\w)\.", text)
    predicted = re.search(r"You predict that .+? will choose \w+ (\w)", text)
    if "do you predict" in text:
        changed = len(seen) > 1 and seen[-1] != seen[-2]
        wanted = seen[-2] if changed else seen[-1] if seen else wanted
    elif predicted:
        wanted = predicted[1]
    else:
        wanted = next((letter for letter in seen if letter != wanted), wanted)
    first = re.findall(r", \w+ (\w) or \w+ \w\?", text)[-1]
    return [LIKES * (o == wanted) + NAMED * (o == first) + LETTER * (o == max(options)) for o in options]


def opened(name: str, cache: str = "") -> LanguageModel:
    """The model that plays: the surrogate, the embedded one, or any endpoint."""
    if name == SURROGATE:
        return scripted(
            rate=lambda request: law(request.messages[-1]["content"], request.options or []), name="grim-surrogate"
        )
    return open_model(name, cache=cache) if cache else open_model(name)


@scene
def matched(
    player: str, game: str, other: str, predict: bool = False, rounds: int = 10, cache: str = ""
) -> tuple[World, Policies]:
    """A match of a language model against a coded strategy.

    Args:
        player: `coded` for the surrogate, or the spelling of a language model.
        game: PD or BoS.
        other: the name of a strategy.
        predict: predict, then choose.
        rounds: how many.
        cache: file of the model's answers.
    """
    world = engine(PAYOFFS[game], rounds)
    return world, {"player 1": Player(opened(player, cache), predict=predict), "player 2": strategy(other)}


def framings(count: int) -> list[Framing]:
    """Stories, units and letters in combination: the first nine have each pair of story and unit once (a Latin square)."""
    square = [(i, j, (i + j) % 3) for i, j in itertools.product(range(3), range(3))]
    rest = [cell for cell in itertools.product(range(3), repeat=3) if cell not in square]
    return [
        Framing(story=STORIES[i], unit=UNITS[j], letters=LETTERS[k])  # type: ignore[arg-type]
        for i, j, k in (square + rest)[:count]
    ]


def weigh(player: Player, game: str, moves: Sequence[tuple[int, int]]) -> Decision:
    """What a player makes of the situation after some moves of both."""
    world, agent = engine(PAYOFFS[game], 10), "player 1"
    seen, _ = world.reset(seed=0)
    player.reset(0, world.agents)
    for pair in moves:
        player.see(agent, seen[agent])
        done = {name: Choose(option=world.options[i][pair[i]]) for i, name in enumerate(world.agents)}
        seen, *_ = world.step(done)
    player.see(agent, seen[agent])
    return run_coroutine(player.weigh(agent, seen[agent], world.action_space(agent)))


def probe(findings: Findings, name: str, count: int, cache: str = "") -> None:
    """Put situations to a model in several framings, which are what varies: the same prompt has the same scores."""
    import polars as pl

    told, rows = framings(count), []
    found: dict[tuple[str, bool], list[Decision]] = {}
    for predict, (situation, (game, moves)) in itertools.product((False, True), SITUATIONS.items()):
        players = [Player(opened(name, cache), framing=framing, predict=predict) for framing in told]
        found[situation, predict] = decisions = [weigh(player, game, moves) for player in players]
        arm = f"{_who(name)}, {situation}{', predicting' if predict else ''}"
        estimates = {
            "first option": mean([float(one.probabilities[0]) for one in decisions]),
            "first named": mean([one.first_named for one in decisions]),
            "first letter": mean([one.first_letter for one in decisions]),
        }
        findings.estimate(
            "model_first", estimates["first option"], "P(J), averaged over letters and orders", arm=arm, unit="%"
        )
        label = "Order bias: probability of what is named first, 50 % without bias"
        findings.estimate("model_order_bias", estimates["first named"], label, arm=arm, unit="%")
        label = "Label bias: probability of the first letter, 50 % without bias"
        findings.estimate("model_label_bias", estimates["first letter"], label, arm=arm, unit="%")
        rows.append(
            {
                "situation": situation,
                "predicting": predict,
                **{key: value.value for key, value in estimates.items()},
                **{f"{key}, low": value.low for key, value in estimates.items()},
                **{f"{key}, high": value.high for key, value in estimates.items()},
            }
        )
    _effects(findings, _who(name), found)
    caption = f"{_who(name)} in {count} framings: probability of J, of the option named first, and of the first letter"
    findings.table(f"model-{'surrogate' if name == SURROGATE else 'played'}", pl.DataFrame(rows), caption)


def _effects(findings: Findings, who: str, found: Mapping[tuple[str, bool], Sequence[Decision]]) -> None:
    """Log-odds of J: how a defection lowers them, and how far they follow an alternator; with and without predicting."""
    odds = {key: [float(one.preference[0] - one.preference[1]) for one in value] for key, value in found.items()}
    kept, broken, theirs, own = SITUATIONS
    follows = {}
    for predict in (False, True):
        arm = f"{who}{', predicting' if predict else ''}"
        label = "Log-odds of cooperation: after two rounds of it, minus after one defection"
        findings.estimate(
            "model_reciprocity", paired_difference(odds[kept, predict], odds[broken, predict]), label, arm=arm, unit="nats"
        )
        # the alternator did J, F and comes to J; or F, J and comes to F: who follows does J in the first case alone
        follows[predict] = np.array(odds[theirs, predict]) - np.array(odds[own, predict])
        label = "Log-odds of J: when the alternator comes to J, minus when it comes to F"
        findings.estimate("model_alternates", mean(follows[predict]), label, arm=arm, unit="nats")
    label = "The same, predicting minus not"
    findings.estimate("model_scot", paired_difference(follows[True], follows[False]), label, arm=who, unit="nats")


def play(findings: Findings, lab: Lab, name: str, rounds: int) -> None:
    """Whole matches against one who defects once, and against one who alternates; one of each: a repetition is the same."""
    cache = "" if name == SURROGATE else str((lab.dir / "answers.sqlite").resolve())
    for (game, other), predict in itertools.product(OTHERS.items(), (False, True)):
        made = matched(player=name, game=game, other=other, predict=predict, rounds=rounds, cache=cache)
        key = f"{_who(name)}-{game}{'-predicting' if predict else ''}".replace(" ", "-").replace(":", "")
        run = lab.simulate(re.sub(r"[^\w-]+", "-", key).lower(), made, seed=lab.seed, checkpoint_every=1)
        if run.manifest.status != "complete":
            findings.note(f"The match {key} was cut short and is left out: {run.manifest.reason}.")
            return
        mine, theirs = list(run.trajectories())
        did, met = ([action.option for action in one.actions] for one in (mine, theirs))
        arm = f"{_who(name)}, {game} against {other!r}{', predicting' if predict else ''}"
        best = float(np.max(np.array(PAYOFFS[game], float)[..., 0]))
        score = Estimate.exact(float(np.mean(mine.rewards)) / best, len(did), "one match; its rounds are no sample")
        findings.estimate("match_score", score, "Normalised score of one match", arm=arm)
        same = Estimate.exact(float(np.mean([a == b for a, b in zip(did, met, strict=True)])), len(did), "one match")
        findings.estimate("match_same", same, "Rounds in which both did the same", arm=arm, unit="%")
        biases = _biases(mine, Player(opened(name, cache), predict=predict), made.world)
        for key, value in zip(("order", "label"), biases, strict=True):
            label = f"{key.capitalize()} bias in the rounds of the match, 50 % without"
            findings.estimate(
                f"match_{key}_bias", Estimate.exact(value, len(did), "mean over rounds"), label, arm=arm, unit="%"
            )
        findings.moment(arm, _who(name), f"It did {''.join(did)}, the other {''.join(met)}.")


def _biases(mine: Any, player: Player, world: World) -> tuple[float, float]:
    """Order and label bias in the situations of a match; the answers are in the cache by now."""
    player.reset(0, [mine.agent])
    found = []
    for seen in mine.observations[: len(mine.actions)]:
        player.see(mine.agent, seen)
        found.append(run_coroutine(player.weigh(mine.agent, seen, world.action_space(mine.agent))))
    return float(np.mean([one.first_named for one in found])), float(np.mean([one.first_letter for one in found]))


def _who(name: str) -> str:
    return "surrogate" if name == SURROGATE else f"model: {name}"
