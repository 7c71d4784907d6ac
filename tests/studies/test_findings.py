"""What a study found: kept, judged and read back."""

import math

import polars as pl
import pytest

from ethogram.errors import DataError
from ethogram.measures import Estimate
from ethogram.studies import Claim, Findings, Reported, fails, holds, not_tested, positive
from ethogram.studies.claims import judge
from ethogram.studies.findings import MissingFinding


def estimate(value=0.5, low=0.4, high=0.6):
    return Estimate(value, low, high, 20, "mean, Student t interval")


@pytest.fixture
def findings():
    f = Findings("It went well.")
    f.estimate("known", estimate(), "Who know", arm="full", unit="%", paper=Reported("52 %", "section 7", 0.52))
    f.estimate("known", estimate(0.1, math.nan, math.nan), "Who know", arm="none", unit="%")
    f.table("pairs", pl.DataFrame({"a": ["Ana"], "times": [3]}), "Who met whom.")
    f.figure(
        "spread",
        "<?xml version='1.0'?><svg xmlns='s'><text>Ana &amp; Ben</text></svg>",
        "It spread.",
    )
    f.moment("Monday 08:10", "Ana", "Good morning!", "said")
    f.note("The model is small.")
    return f


def test_findings_survive_the_disk(findings, tmp_path):
    findings.save(tmp_path)
    back = Findings.load(tmp_path)
    assert back.dump() == findings.dump()
    assert back.get("known", "full") == estimate()
    assert back.measured[0].paper == Reported("52 %", "section 7", 0.52)
    assert not back.get("known", "none").bounded
    assert back.tables["pairs"].frame.equals(findings.tables["pairs"].frame)
    assert back.figures["spread"].svg.startswith("<svg") and back.figures["spread"].alt == "It spread."


def test_a_matplotlib_figure_becomes_the_same_svg_each_time():
    from ethogram.studies.drawing import canvas

    def drawn():
        findings = Findings()
        figure, (axes,) = canvas()
        axes.plot([1, 2], [3, 4], label="a < b")
        axes.legend()
        findings.figure("line", figure, "A line.")
        return findings.figures["line"].svg

    assert drawn() == drawn()
    assert "a &lt; b" in drawn()


def test_a_finding_is_made_once(findings):
    with pytest.raises(DataError, match="twice"):
        findings.estimate("known", estimate(), "Who know", arm="full")


@pytest.mark.parametrize("name", ["", "../up", "A b", "x/y"])
def test_names_are_file_names(name):
    with pytest.raises(DataError, match="cannot name"):
        Findings().table(name, pl.DataFrame(), "")


def test_a_figure_is_a_figure():
    with pytest.raises(DataError, match="neither"):
        Findings().figure("x", "<p>no</p>", "")


def test_what_is_missing_is_named(findings):
    with pytest.raises(MissingFinding, match="unknown"):
        findings.get("unknown")
    with pytest.raises(MissingFinding, match="arm 'half'"):
        findings.get("known", "half")


def test_findings_that_are_not_there(tmp_path):
    with pytest.raises(DataError, match="run the study again"):
        Findings.load(tmp_path)


def test_verdicts_are_computed(findings):
    claims = (
        Claim("more", "More know.", None, lambda f: positive(f.get("known", "full"), "known")),
        Claim("fewer", "Fewer know.", None, lambda f: fails("they do not")),
        Claim("here", "It is so.", None, lambda f: holds("seen")),
        Claim("never", "Never asked.", None, lambda f: positive(f.get("asked"), "asked")),
        Claim("people", "People agree.", None, lambda f: not_tested("needs people")),
    )
    verdicts = judge(claims, findings)
    assert [v.outcome for v in verdicts.values()] == ["holds", "does not hold", "holds", "not tested", "not tested"]
    assert "0.5 [0.4, 0.6], n = 20" in verdicts["more"].reason
    assert "'asked'" in verdicts["never"].reason


def test_an_error_in_a_test_is_not_swallowed(findings):
    with pytest.raises(KeyError):
        judge((Claim("bad", "Bad.", None, lambda f: {}["x"]),), findings)


@pytest.mark.parametrize(
    ("low", "high", "outcome"),
    [(0.1, 0.9, "holds"), (-0.1, 0.9, "does not hold"), (-0.9, -0.1, "does not hold"), (0.0, 0.9, "does not hold")],
)
def test_positive(low, high, outcome):
    assert positive(Estimate((low + high) / 2, low, high, 5, ""), "x").outcome == outcome


def test_too_few_to_tell():
    assert positive(Estimate(3, math.nan, math.nan, 1, ""), "x").outcome == "not tested"
