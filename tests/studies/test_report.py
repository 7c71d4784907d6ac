"""The report: one page that stands by itself, reads well, and in which nothing runs."""

import re
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path

import polars as pl
import pytest

from ethogram.errors import DataError
from ethogram.measures import Estimate
from ethogram.records import Run
from ethogram.studies import Findings, Reported, load
from ethogram.studies.execution import execute
from ethogram.studies.findings import Moment
from ethogram.studies.report import facts, render, story, write
from ethogram.studies.report.pictures import around, embed, network, rounded_up, scale_of, whisker

RUMOUR = str(Path(__file__).parents[1] / "cli" / "rumour.py")


class Page(HTMLParser):
    """Tags, attributes and text of a page; fails on tags that do not match."""

    VOID = {"meta", "br", "link", "img", "input", "hr"}

    def __init__(self, text):
        super().__init__()
        self.tags, self.attributes, self.open, self.words = [], [], [], []
        self.feed(text)
        assert not self.open

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += attrs
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += attrs

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.words.append(data)

    @property
    def text(self):
        return " ".join(" ".join(self.words).split())


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    study = load(RUMOUR)
    return execute(study, study.presets["laptop"], tmp_path_factory.mktemp("report") / "out", preset="laptop", model="coded")


@pytest.fixture(scope="module")
def page(folder):
    return Page(render(folder))


def test_it_says_all_there_is_to_say(page):
    for text in (
        "Rumours Go Round",
        "5 people in a circle",
        "coded stand-in",
        "What each did when",
        "Who talked with whom",
        "People who know at the end",
        "52 %",
        "section 7.1",
        "nobody was asked",
        "No model calls",
        "--preset laptop --model coded --seed 0",
        "A made-up study.",
    ):
        assert text in page.text, text


def test_it_stands_by_itself(page):
    assert not {"script", "link", "iframe", "img", "object"} & set(page.tags)
    for key, value in page.attributes:
        assert not key.startswith("on")
        if key in ("href", "src", "xlink:href"):
            assert value.startswith("#")
    assert not re.search(r"url\((?!#)|@import", " ".join(page.words))
    assert ("content", "default-src 'none'; style-src 'unsafe-inline'") in page.attributes


def test_ids_are_unique(page):
    ids = [value for key, value in page.attributes if key == "id"]
    assert len(ids) == len(set(ids))


def test_what_agents_wrote_is_text(page):
    assert "<b>The bridge is closed</b> & there is {{ cake }}." in page.text


def test_it_is_small_and_written_where_asked(folder, tmp_path):
    path = write(folder, tmp_path / "deep" / "page.html")
    assert path.stat().st_size < 300_000
    assert write(folder) == folder.path / "report.html"


def test_a_hostile_name_stays_text(tmp_path):
    import sys

    circle = sys.modules["user_study_rumour"]
    from ethogram.simulation import simulate

    old = circle.NAMES
    circle.NAMES = ("Ana", "<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', *old[3:])
    try:
        run = simulate(circle.circle(4, 0.9), steps=5, to=tmp_path / "run")
        page = Page(render(Run(run.path)))
    finally:
        circle.NAMES = old
    assert not {"script", "img"} & set(page.tags) and "alert(1)" in page.text


@pytest.mark.parametrize(
    "active",
    [
        "<script>alert(1)</script>",
        "<g onclick='alert(1)'/>",
        "<a href='javascript:alert(1)'><text>x</text></a>",
        "<image href='http://example.org/x.png'/>",
        "<use href='http://example.org/x.svg#y'/>",
        "<foreignObject><p>x</p></foreignObject>",
        "<style>@import url(http://example.org)</style>",
        "<rect style='fill:url(http://example.org/x)'/>",
        "<set attributeName='href' to='x'/>",
    ],
)
def test_nothing_active_gets_into_a_picture(active):
    made = embed(f"<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 1 1'>{active}<circle r='1'/></svg>", "p")
    assert "circle" in made
    for word in ("script", "alert", "example.org", "foreignObject", "onclick"):
        assert word not in made


def test_pictures_take_the_colours_of_the_page():
    made = embed(
        "<svg xmlns='http://www.w3.org/2000/svg' width='9pt' viewBox='0 0 1 1'>"
        "<path id='a' style='stroke: #000000; fill: #2F6F9F'/><use href='#a'/><g clip-path='url(#a)'/></svg>",
        "mine",
    )
    assert "currentColor" in made and "var(--series-1)" in made and "9pt" not in made
    assert 'id="mine-a"' in made and 'href="#mine-a"' in made and "url(#mine-a)" in made


def test_a_broken_picture_is_refused():
    with pytest.raises(DataError, match="well-formed"):
        embed("<svg><g></svg>", "p")


def test_neighbours_on_the_circle_are_those_who_talk():
    ring = [(chr(97 + i), chr(97 + (i * 5 + 5) % 12), 1) for i in range(12)]
    names = [chr(97 + i) for i in range(12)]
    links = [("a", "f", 1), ("f", "k", 1), ("k", "d", 1), ("d", "i", 1), ("i", "b", 1), ("b", "g", 1)]
    order = around(names, links)

    def length(order):
        at = {name: i for i, name in enumerate(order)}
        return sum(min(abs(at[a] - at[b]), 12 - abs(at[a] - at[b])) for a, b, _ in links)

    assert length(order) <= 8 < length(names)
    assert sorted(around(names, ring)) == names and around([], []) == []


def test_a_crowd_is_drawn_too():
    names = [f"Person {i}" for i in range(300)]
    pairs = pl.DataFrame({"a": names[:100], "b": names[100:200], "times": [1] * 100})
    svg = network(names, pairs)
    assert svg.count("<circle") == 40 and len(svg) < 40_000


def test_scales():
    def measured(*values, unit=""):
        f = Findings()
        for i, v in enumerate(values):
            f.estimate("x", Estimate(v, v - 0.1, v + 0.1, 3, ""), "X", arm=f"arm {i}", unit=unit)
        return f.measured

    assert scale_of(measured(0.3, 0.5, unit="%")) == (0, 1)
    assert scale_of(measured(3.0, 17.0)) == (0, 20)
    assert scale_of(measured(-0.4, 0.3)) == (-0.5, 0.4)
    assert [rounded_up(x) for x in (0.0, 0.7, 1.0, 2.1, 35, 101)] == [0, 0.8, 1, 2.5, 40, 120]


def test_an_estimate_without_interval_is_a_dot():
    nan = float("nan")
    assert "bar" not in whisker(0.5, nan, nan, (0, 1), "ours") and "circle" in whisker(0.5, nan, nan, (0, 1), "ours")
    assert "circle" not in whisker(nan, nan, nan, (0, 1), "ours")
    assert "path" in whisker(0.5, nan, nan, (0, 1), "paper")


def test_measures_show_arms_paper_and_people():
    f = Findings()
    paper, people = Reported("52 %", "section 7", 0.52), Reported("two thirds", "a survey")
    f.estimate("known", Estimate(0.5, 0.4, 0.6, 9, "m"), "Known", arm="full", unit="%", paper=paper, human=people)
    f.estimate("known", Estimate(0.1, 0.0, 0.2, 9, "m"), "Known", arm="none", unit="%")
    (measure,) = facts.measures(f.measured)
    assert [row["arm"] for row in measure["rows"]] == ["full", "none", "the paper", "people"]
    assert measure["rows"][0]["interval"] == "40 to 60 %" and measure["ends"] == ["0 %", "100 %"]


def test_a_timeline_is_sampled_evenly_and_keeps_turning_points():
    moments = [Moment(f"step {i}", "Ana", f"{i}", "turning point" if i == 777 else "said") for i in range(1000)]
    kept = story.sampled(moments, 48)
    assert 777 in kept and 40 <= len(kept) <= 52 and kept == sorted(kept)
    assert kept[0] == 0 and kept[-1] >= 996
    assert max(b - a for a, b in pairwise(kept)) < 120
    assert story.sampled(moments[:5], 48) == [0, 1, 2, 3, 4]
    assert story.timeline(moments)["total"] == 1000


def test_numbers_for_readers():
    assert facts.number(0.1234, "%") == "12.3 %" and facts.number(-2.5) == "−2.5"
    assert facts.number(12345.6) == "12,346" and facts.number(float("nan")) == "–"
    assert facts.spoken(4.25) == "4.2 seconds" and facts.spoken(600) == "10 minutes" and facts.spoken(8000) == "2.2 hours"
    assert facts.numbered(1, "run") == "1 run" and facts.numbered(1200, "call") == "1,200 calls"
