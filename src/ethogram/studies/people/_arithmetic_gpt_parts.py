"""The parts of `arithmetic-gpt` that are computed apart: networks, what they tell of people's choices, and baselines."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from ethogram.decisions import (
    DISCOUNTING,
    MODELS,
    Choices,
    DelayedChoices,
    FeatureLogit,
    Held,
    SmallNet,
    by_person,
    by_problem,
    cross_validated,
    read_choices,
    read_delayed,
)
from ethogram.records.reference import reference
from ethogram.seeds import derive
from ethogram.studies import Lab
from ethogram.studies.people._arithmetic_gpt_corpus import (
    CORPORA,
    DAYS,
    FIRST_CHANCE,
    FIRST_DELAY,
    LARGEST,
    chances,
    difference,
    single,
)
from ethogram.studies.people._arithmetic_gpt_curves import discount, scaled, utility, weighting
from ethogram.studies.people._arithmetic_gpt_readout import predicted

__all__ = ["BASELINES", "NETWORKS", "baseline", "chosen", "delayed", "patience", "read_out", "trained"]

NETWORKS = (*CORPORA, "untrained")
POLYNOMIALS = "polynomials of expected values"
RAW = "raw features"
NET = "small network on raw features"
BASELINES = (*MODELS, POLYNOMIALS, RAW, NET)
LEAST = 1e-12


def chosen(item: dict[str, Any]) -> Choices:
    """People's choices between gambles with known chances and feedback; the first `rows` of them, 0 for all."""
    data = read_choices(reference("choices13k"))
    clear = data[data.feedback & ~data.ambiguous]
    return clear[: item["rows"]] if item["rows"] else clear


def delayed() -> DelayedChoices:
    """People's choices between payments."""
    return read_delayed(reference("hbayesdm"))


def trained(item: dict[str, Any], lab: Lab) -> dict[str, Any]:
    """A network of an arm and a seed: how well it calculates new equations, and its curves."""
    import torch

    from ethogram.studies.people._arithmetic_gpt_model import calculates, embedded, load, losses

    folder = _network(item, lab)
    torch.set_num_threads(1)
    network = load(folder)
    right = {
        corpus: calculates(network, corpus, item["checked"], derive(item["seed"], "checked"))
        for corpus in ("ecological", "uniform")
    }
    whole, cents = np.arange(-LARGEST, LARGEST + 1), np.arange(101)
    points = {
        "chances": embedded(network, list((cents + FIRST_CHANCE)[:, None])),
        "amounts": embedded(network, [np.array([int(chances(np.array(1.0))), x + LARGEST]) for x in whole]),
        "delays": embedded(network, list((np.arange(len(DAYS)) + FIRST_DELAY)[:, None])),
    }
    places = {name: scaled(at) for name, at in points.items()}
    curves = {
        "chances": weighting(places["chances"], cents / 100),
        "amounts": utility(places["amounts"], whole.astype(float)),
        "delays": discount(places["delays"], DAYS / 365),
    }
    line = {name: [round(float(v), 6) for v in at] for name, at in places.items()}
    return {"right": right, "losses": losses(folder), "curves": curves, "places": line}


def read_out(item: dict[str, Any], lab: Lab) -> dict[str, Any]:
    """What a network's embeddings of A, B and A - B tell of people's choices, problems held out.

    The choices are those between gambles or, put together by problem, those between payments, as the item says (`of`).
    """
    import torch

    from ethogram.studies.people._arithmetic_gpt_model import embedded, load

    torch.set_num_threads(1)
    network = load(_network(item, lab))
    data = chosen(item) if item["of"] == "gambles" else by_problem(delayed())
    texts = (single(data.a), single(data.b), difference(data.a, data.b))
    inputs = np.column_stack([embedded(network, some) for some in texts])
    return _told(predicted(inputs, data, item["folds"], item["split"]))


def baseline(item: dict[str, Any], lab: Lab) -> dict[str, Any]:
    """A model of choice on the same problems, held out in the same folds."""
    if item["of"] == "payments":
        return _told(cross_validated(DISCOUNTING[item["model"]], by_problem(delayed()), item["folds"], item["split"]))
    data, name = chosen(item), item["model"]
    if name == POLYNOMIALS:
        ev = np.column_stack([data.a.expected, data.b.expected])
        z = (ev - ev.mean(0)) / np.maximum(ev.std(0), LEAST)
        inputs = np.column_stack([z[:, 0] ** i * z[:, 1] ** j for i in range(4) for j in range(4 - i) if i + j])
        return _told(predicted(inputs, data, item["folds"], item["split"]))
    make = MODELS.get(name) or {RAW: FeatureLogit, NET: SmallNet}[name]
    return _told(cross_validated(make, data, item["folds"], item["split"]))


def patience(item: dict[str, Any], lab: Lab) -> dict[str, Any]:
    """How fast people discount, each by a hyperbola of one's own: k per day."""
    models = by_person(DISCOUNTING["hyperbolic"], delayed())
    return {"k": [model.parameters["k"] for model in models.values()]}


def _told(held: Held) -> dict[str, Any]:
    return {
        "predicted": [round(float(p), 6) for p in held.predicted],
        "r2": held.r_squared(),
        "log_loss": held.log_loss(),
        "mse": held.squared_error(),
    }


def _network(item: dict[str, Any], lab: Lab) -> Path:
    """The folder of a trained network, made where it is not there yet."""
    from ethogram.studies.people._arithmetic_gpt_model import Shape, made

    arm, seed = item["arm"], item["seed"]
    shape = Shape(item["width"], item["layers"], item["heads"])
    corpus = None if arm == "untrained" else arm
    return lab.made(
        f"{arm.replace(' ', '-')}-{seed}",
        lambda to: made(to, shape, corpus, item["steps"], item["batch"], item["rate"], derive(seed, "network") % 2**31),
    )
