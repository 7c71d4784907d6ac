import json

import matplotlib.pyplot as plt
import polars as pl
import pytest
from studio_runs import EVIL

from ethogram.errors import ConfigError, DataError
from ethogram.measures import Estimate
from ethogram.studies.execution import StudyRecord
from ethogram.studies.findings import Findings
from ethogram.studio.findings import figure_of, found_in, report_of
from ethogram.studio.forms import fields_of


@pytest.fixture(scope="module")
def study(root):
    folder = root / "study"
    folder.mkdir()
    record = StudyRecord(
        slug="mine",
        study="/elsewhere/mine.py",
        preset="smoke",
        changes={},
        config={},
        seed=1,
        model="coded",
        status="complete",
        versions={},
        started="2026-01-01",
    )
    (folder / "study.json").write_text(record.model_dump_json())
    findings = Findings(summary=f"It went well. {EVIL}")
    findings.estimate("share", Estimate(0.5, 0.4, 0.6, 10, "exact"), "Share of them", unit="%")
    figure, axes = plt.subplots()
    axes.plot([0, 1], [0, 1])
    findings.figure("line", figure, "A line.")
    plt.close(figure)
    findings.table("people", pl.DataFrame({"name": [EVIL], "n": [3]}), "Everybody.")
    findings.save(folder)
    verdict = {"outcome": "does not hold", "reason": "0.5 is not 0.7"}
    (folder / "verdicts.json").write_text(json.dumps({"more-than-half": verdict}))
    return folder


def test_a_study_is_shown_and_its_figures_are_taken_away(page, studio, study):
    page.goto(f"{studio.url}/study?path=study")
    page.wait_for_selector("figure img")
    text = page.inner_text("main")
    for words in ("It went well", "more-than-half", "does not hold", "0.5 is not 0.7", "50.0 %", "40.0 % to 60.0 %", EVIL):
        assert words in text
    assert page.evaluate("document.querySelector('figure img').naturalWidth") > 100
    for kind, head in (("SVG", b"<svg"), ("PNG", b"\x89PNG")):
        with page.expect_download() as taken:
            page.get_by_role("button", name=f"line as {kind}").click()
        assert taken.value.suggested_filename == f"line.{kind.lower()}"
        assert taken.value.path().read_bytes().startswith(head)


def test_a_study_file_of_another_folder_is_not_executed(study):
    with pytest.raises(ConfigError, match="a study of your own"):
        report_of(study)
    with pytest.raises(DataError, match="cannot name a finding"):
        figure_of(study, "../study")
    text = (study / "findings.json").read_text()
    try:
        (study / "findings.json").write_text(text.replace('"line": {', '"../../line": {'))
        with pytest.raises(DataError):
            found_in(study)
    finally:
        (study / "findings.json").write_text(text)


def test_forms_have_the_fields_of_the_verbs():
    from ethogram import worlds

    world = worlds.make("matrix_game")
    world.reset(1)
    form = fields_of(world.available("player 1").schema())
    assert form["choose"]["fields"]["option"]["options"] == ["cooperate", "defect"]
    world = worlds.make("stock_market")
    world.reset(1)
    form = fields_of(world.available(world.acting[0]).schema())
    assert list(form) == ["borrow", "wait"] and form["wait"]["fields"] == {}
    assert form["borrow"]["fields"]["days"]["options"] == [22, 44, 66]
    amount = {"kind": "integer", "options": None, "says": "how much, in cents (100000 is 1000.00)", "needed": True}
    assert form["borrow"]["fields"]["amount"] == {**amount, "examples": [], "fields": {}}
