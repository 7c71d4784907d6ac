import base64
import json
import re
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from studio_runs import of

from ethogram.errors import ConfigError
from ethogram.records import Run
from ethogram.records.frames import decode_png
from ethogram.simulation import simulate
from ethogram.studio.interventions import value_typed
from ethogram.studio.reading import Record, Records, Row
from ethogram.studio.runs import Shelf, running
from ethogram.studio.safety import Root
from ethogram.studio.views import views_of
from ethogram.studio.views._individuals import EMPTY, HIGH, LOW, individuals, widen
from ethogram.studio.views._street_map import Drawn, Schema, plan_of
from ethogram.studio.views.curves import grid_of, numbers
from ethogram.studio.views.feed import delivered
from ethogram.studio.views.survey import questions, replies, shares
from ethogram.studio.views.town import Town
from ethogram.studio.views.war_game import severity_of
from ethogram.studio.words import deed


def brute(run):
    """The steps as the run's own table gives them."""
    return run.steps.select("episode", "step", "agent", "observation", "action").collect().rows()


@pytest.mark.parametrize("name", ["town", "epidemic", "maze", "games/asked"])
def test_any_slice_is_what_the_whole_table_says(root, name):
    record, rows = Record(root / name), brute(Run(root / name))
    assert len(record.steps) == len(rows)
    places = list(dict.fromkeys((e, s) for e, s, *_ in rows))
    assert [record.place(k) for k in range(len(record))] == places
    for k in (0, 3, len(record) // 2, len(record) - 1):
        expected = [r for r in rows if (r[0], r[1]) == places[k]]
        found = record.at(k)
        assert [row.agent for row in found] == [r[2] for r in expected]
        for row, (*_, seen, done) in zip(found, expected, strict=True):
            assert row.seen == (json.loads(seen) if isinstance(seen, str) else seen)
            assert row.done == (json.loads(done) if isinstance(done, str) else done)
        assert record.frame_of(*places[k]) == k
    picked = np.random.default_rng(0).choice(len(rows), min(len(rows), 12), replace=False)
    assert [row.agent for row in record.read(np.sort(picked))] == [rows[i][2] for i in np.sort(picked)]


def test_the_rows_around_a_moment(root):
    record, rows = Record(root / "town"), brute(Run(root / "town"))
    for agent in record.agents[:3]:
        own = [i for i, row in enumerate(rows) if row[2] == agent]
        for k in range(0, len(record), 5):
            before, after = record.around(agent, k)
            assert before == max((i for i in own if rows[i][1] <= record.place(k)[1]), default=None)
            assert after == min((i for i in own if rows[i][1] > record.place(k)[1]), default=None)


def test_calls_and_notes_up_to_a_moment(root):
    record, run = Record(root / "games" / "asked"), Run(root / "games" / "asked")
    agent = record.agents[0]
    for k in (0, 2, 5):
        calls = run.calls.filter((pl.col("agent") == agent) & (pl.col("step") <= k)).collect()
        found = record.beside(record.calls, agent, k, 4)
        assert [c["key"] for c in found] == calls["key"].to_list()[-4:]
    assert dict(record.gained(agent))[5] == pytest.approx(
        run.steps.filter(agent=agent, step=5).collect()["reward"][0] + dict(record.gained(agent))[4]
    )


def test_a_live_run_is_read_as_it_grows(tmp_path):
    from ethogram.errors import BudgetExhausted
    from ethogram.policy import Coded

    seen: list[int] = []

    def looking(observation, space, rng):
        if (tmp_path / "live" / "manifest.json").exists() and not len(seen) % 7:
            record = records.open(tmp_path / "live")
            assert record.live and running(record.path)
            seen.append(len(record))
        else:
            seen.append(seen[-1] if seen else 0)
        if len(seen) > 40:
            raise BudgetExhausted("enough")
        return space.sample()

    records = Records()
    given = of("commons", "random", 50)
    simulate(given["world"], Coded(looking), seed=1, to=tmp_path / "live", steps=50, checkpoint_every=4, progress=False)
    assert seen == sorted(seen) and seen[-1] > 6, "the record never grew while it was looked at"
    record = records.open(tmp_path / "live")
    assert not record.live and running(record.path) is None and record.manifest.status == "stopped"
    assert len(record) == len({(r[0], r[1]) for r in brute(Run(tmp_path / "live"))})


def test_damaged_and_hostile_records_are_left_out(root, tmp_path):
    import shutil

    shutil.copytree(root / "town", tmp_path / "town")
    manifest = json.loads((tmp_path / "town" / "manifest.json").read_text())
    steps = [s for s in manifest["segments"] if s["table"] == "steps"]
    (tmp_path / "town" / steps[0]["file"]).write_bytes(b"no parquet")
    for segment in manifest["segments"]:
        if segment is steps[1]:
            segment["file"] = "../../elsewhere.parquet"
    (tmp_path / "town" / "manifest.json").write_text(json.dumps(manifest))
    record = Record(tmp_path / "town")
    assert 0 < len(record.steps) == sum(s["rows"] for s in steps[2:])
    assert record.at(0)
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "manifest.json").write_text("{")
    assert [r.name for r in Shelf(Root(tmp_path)).runs()] == ["town"]


def test_each_world_has_its_view_and_any_world_the_plain_one(root):
    wanted = {
        "town": "Map",
        "auction": "Market",
        "epidemic": "Population",
        "maze": "Body",
        "feed": "Feed",
        "war": "Nations",
        "questions": "Questions",
        "survey": "Answers",
    }
    firsts = {name: [view.title for view in views_of(Record(root / name))] for name in wanted}
    assert {name: titles[0] for name, titles in firsts.items()} == wanted
    assert all(titles[-1] == "Who did what" for titles in firsts.values())


def test_posts_are_counted_by_their_readers():
    def row(agent, ids, done):
        posts = [{"id": k, "author": "a", "text": str(k)} for k in ids]
        return Row(3, agent, {"posts": posts}, done, None, "", None)

    found = delivered(
        [
            row("b", [1, 2], {"verb": "repost", "post": 2}),
            row("c", [2], {"verb": "repost", "post": 2}),
            row("d", [], {"verb": "publish", "text": "x"}),
            Row(3, "e", None, None, None, "truncated", None),
        ]
    )
    assert [(one.post["text"], one.readers, one.passed_on) for one in found] == [("1", 1, 0), ("2", 2, 2)]


def test_the_last_answer_to_a_question_counts_and_what_was_refused_is_told():
    def row(frame, agent, item, answer, refused=""):
        done = {"verb": item, "answer": answer} if answer is not None else {"verb": "Skip"}
        return Row(frame, agent, {"item": item, "refused": refused}, done, None, "", None)

    rows = [
        row(0, "a", "x", ["p", "p"]),
        row(0, "b", "x", None),
        Row(0, "c", {"item": "", "type": "end"}, None, None, "terminated", None),
        row(1, "a", "x", ["p", "q"], refused="an option is named twice"),
        row(1, "b", "y", 3),
    ]
    x, y = questions(replies(rows), now=1)
    assert (x.answers, x.refused, x.now) == ({"a": ["p", "q"], "b": None}, 1, True)
    assert (y.answers, y.refused) == ({"b": 3}, 0)


@pytest.mark.parametrize(
    "asked, answers, wanted",
    [
        ({"type": "choice", "options": ["yes", "no"]}, ["no", "no", "yes", "no"], [0.25, 0.75]),
        ({"type": "multiple", "options": ["p", "q"]}, [["p"], ["p", "q"]], [1.0, 0.5]),
        ({"type": "scale", "options": ["1 (never)", "2", "10 (always)"]}, [1, 10, 10, 2], [0.25, 0.25, 0.5]),
        ({"type": "allocation", "options": ["p", "q"]}, [{"option_1": 30, "option_2": 70}] * 2, [0.3, 0.7]),
        ({"type": "choice", "options": ["yes", "no"]}, [], [0.0, 0.0]),
    ],
)
def test_shares_of_answers(asked, answers, wanted):
    assert [share for _, share, _ in shares(asked, answers)] == pytest.approx(wanted)


def test_the_grid_is_known_from_the_space(root):
    assert grid_of(Record(root / "segregation").manifest.described["observation"]) == (30, 30)
    assert grid_of(Record(root / "epidemic").manifest.described["observation"]) is None


def test_individuals_stand_where_their_cells_are():
    panel = {"row": [0, 5], "line": [0, 1], "cell": [0, 1], "kind": [1, 3], "mood": [0.0, 1.0]}
    ranges: dict = {}
    widen(ranges, panel)
    widen(ranges, {**panel, "kind": [0, 2]})
    assert ranges == {"kind": (0, 3), "mood": (0, 1)}
    drawn = str(individuals(panel, ranges, (2, 4)))
    kind, mood = (decode_png(base64.b64decode(data)) for data in re.findall(r"base64,([^\"]+)", drawn))
    assert kind.shape == (2, 4, 3) and tuple(kind[0, 0]) == (0xC2, 0x57, 0x2B) and tuple(kind[1, 1]) == (0x8A, 0x5A, 0x9E)
    assert tuple(kind[0, 1]) == tuple(mood[1, 2]) == EMPTY and tuple(mood[0, 0]) == LOW and tuple(mood[1, 1]) == HIGH
    counts = re.findall(r"</i>(\d): (\d)", drawn)
    assert counts == [("0", "0"), ("1", "1"), ("2", "0"), ("3", "1")]


def test_individuals_without_a_place_are_squares_or_a_histogram():
    drawn = str(individuals({"row": [4, 9], "kind": [1, 0], "mood": [0.0, 1.0]}, {}, None))
    assert "individual 9: kind 0" in drawn
    heights = [float(h) for h in re.findall(r'<rect[^>]* height="([^"]+)"', drawn)]
    assert len(heights) == 30 and heights[0] == heights[-1] == 90 and not any(heights[1:-1])


def test_acts_are_as_severe_as_their_kind():
    kinds = ("Execute full nuclear attack", "occupy a city", "Form alliance with Red", "dance")
    assert [severity_of({"kind": kind}) for kind in kinds] == ["nuclear", "violent", "posturing", ""]


def test_people_are_where_they_said_they_are(root):
    record = Record(root / "town")
    view = Town(record, lambda agent: None)
    assert isinstance(view._plan, Drawn)
    walked = set()
    for k in range(len(record)):
        acting = {row.agent: row for row in record.at(k) if row.seen}
        for agent in record.agents:
            where = view._where(agent, k)
            assert where.place in view._plan.layout.names
            if agent in acting:
                assert where.place == acting[agent].seen["place"] and not where.goal
            if where.goal:
                assert 0 <= where.share <= 1
                walked.add(agent)
            x, y = view._points([where])[agent]
            assert 0 <= x <= 100 and 0 <= y <= 100
    assert walked


def test_a_way_begins_in_one_place_and_ends_in_the_other():
    from types import SimpleNamespace

    plan = plan_of(SimpleNamespace(recipe=None), ["Mill Kitchen", "Village Shop"])  # type: ignore[arg-type]
    assert isinstance(plan, Drawn)
    tiles = {place: plan.layout.tiles[plan.layout.index[place]] for place in ("Mill Kitchen", "Village Shop")}
    for share, place in ((0.0, "Mill Kitchen"), (1.0, "Village Shop")):
        x, y = plan.way("Mill Kitchen", "Village Shop", share)
        tile = round(y * plan.height / 100 + 0.5) * plan.layout.width + round(x * plan.width / 100 + 0.5)
        assert tile in tiles[place]
    other = plan_of(SimpleNamespace(recipe=None), ["Bridge", "Engine room"])  # type: ignore[arg-type]
    assert isinstance(other, Schema) and other.learn(["Mess"]) and not other.learn(["Mess"])


def test_words():
    assert deed({"verb": "say", "to": "Ana", "text": "Hi"}) == "say to Ana: “Hi”"
    assert deed({"verb": "do", "activity": "reading", "thing": ""}) == "do reading"
    assert deed(3) == "3"
    assert list(numbers({"a": 1, "b": {"c": [2.0]}, "panel": {"row": [1]}})) == [("a", 1.0), ("b c", 2.0)]
    assert value_typed("3", "n", "int") == 3 and value_typed("3", "n", "str") == "3"
    assert value_typed("300, 450", "n", "list[int]") == [300, 450] == value_typed("[300, 450]", "n", "list[int]")
    assert value_typed("beta = 0.3, town = Elm", "n", "mapping") == {"beta": 0.3, "town": "Elm"}
    wrong = [
        ("x", "int"),
        ("1.5", "int"),
        ("true", "int"),
        ("", "str"),
        ("3", "bool"),
        ("0.3", "mapping"),
        ("= 3", "mapping"),
    ]
    for text, kind in wrong:
        with pytest.raises(ConfigError):
            value_typed(text, "n", kind)


def test_a_long_record_is_at_hand_at_once(root, tmp_path):
    """No wall clock here, which a busy machine distorts: what a moment needs is a bounded part of the record."""
    from benchmarks.studio import lengthened

    run = lengthened(Run(root / "town"), Path(tmp_path) / "long", 6_000)
    record = Record(run.path)
    assert len(record) == 6_000
    record.steps.rows(range(8))
    pack = next(iter(record.steps._packs.values()))
    assert 16 <= pack.rows < len(record.steps) / 4
    slices = len(record.steps._slices)
    record.at(3_000)
    assert len(record.steps._slices) <= slices + 2


def test_a_live_run_is_stopped_and_can_be_resumed(tmp_path):
    import subprocess
    import sys
    import time

    from ethogram.errors import RunError
    from ethogram.studio.runs import stop

    code = (
        "import sys, time; from ethogram import simulate, worlds, coded\n"
        "@coded\n"
        "def slow(seen, space): time.sleep(0.02); return 1\n"
        "simulate(worlds.make('commons', steps=5000), slow, seed=1, to=sys.argv[1], progress=False)"
    )
    path = tmp_path / "run"
    process = subprocess.Popen([sys.executable, "-c", code, str(path)], stderr=subprocess.DEVNULL)
    while running(path) is None and process.poll() is None:
        time.sleep(0.05)
    assert running(path) == process.pid
    time.sleep(0.5)
    stop(path)
    process.wait(30)
    assert Run(path).manifest.status == "interrupted"
    with pytest.raises(RunError, match="is not running"):
        stop(path)
