"""Somebody new in a town that is under way: offered, brought by a branch, and part of it like everybody else."""

import polars as pl

from ethogram.records import Run
from ethogram.simulation import replay
from ethogram.studio.jobs import branch_off, options_of
from ethogram.studio.newcomers import ADD
from ethogram.studio.reading import Record
from ethogram.studio.views.town import Town

VERA = {
    "name": "Vera Holm",
    "age": 31,
    "occupation": "surveyor",
    "home": "Rowan Cottage",
    "plan": ["08:00 Village Green: measuring the green"],
    "place": "Village Green",
}


def test_only_worlds_that_can_be_joined_offer_it(root):
    offered = options_of(str(root / "town"))["world"][ADD]["arguments"]
    assert offered["name"] == {"kind": "str", "needed": True, "default": None}
    assert offered["plan"]["kind"] == "list[str]" and not offered["plan"]["needed"]


def test_a_branch_brings_somebody_new(root, tmp_path):
    wanted = [
        {"name": ADD, "arguments": VERA, "agent": None},
        {"name": "change", "arguments": {"attribute": "occupation", "value": "baker"}, "agent": "Ines Varga"},
    ]
    to = branch_off(str(root / "town"), 0, 10, wanted, str(tmp_path / "fork"))
    before, after = (Run(path).steps.collect().drop("time") for path in (root / "town", to))
    assert after.filter(pl.col("step") < 10).equals(before.filter(pl.col("step") < 10)), "the past is the same"
    vera = after.filter(agent="Vera Holm")
    assert len(vera) > 3 and vera["step"].min() >= 10
    assert after["observation"].str.contains("Vera Holm").any(), "others see her"
    assert replay(to).exact
    again = branch_off(
        to, 0, 14, [{"name": ADD, "arguments": {**VERA, "name": "Jon"}, "agent": None}], str(tmp_path / "more")
    )
    assert Run(again).manifest.agents[-2:] == ["Vera Holm", "Jon"]
    record = Record(Run(to).path)
    view = Town(record, print)
    frame = record.frame_of(0, 9)
    assert view._where("Vera Holm", frame) is None and view._where("Ines Varga", frame) is not None
    assert view._where("Vera Holm", len(record) - 1) is not None
