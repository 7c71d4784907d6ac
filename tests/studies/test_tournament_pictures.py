"""Pictures of tournaments: the right numbers in the right places."""

import pytest

from ethogram.errors import ConfigError
from ethogram.experiments import tournament
from ethogram.experiments.matches import cooperation, matrix_match
from ethogram.studies.drawing import svg_of
from ethogram.studies.tournament_pictures import meetings, standings

NAMES = ("always first", "tit for tat", "always second")


@pytest.fixture(scope="module")
def found():
    pytest.importorskip("openskill")
    return tournament(NAMES, matrix_match, measure=cooperation, replicates=2, arguments={"rounds": 10})


def test_the_map_has_who_cooperated_with_whom(found):
    axes = meetings(found).axes[0]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["always second", "tit for tat", "always first"]
    cells = {tuple(round(at - 0.5) for at in text.get_position()[::-1]): text.get_text() for text in axes.texts}
    assert cells == {(0, 1): "0", (0, 2): "0", (1, 0): ".10", (1, 2): "1", (2, 0): "1", (2, 1): "1"}
    assert meetings(found, "points").axes[1].get_ylabel() == "points"
    with pytest.raises(ConfigError, match="nothing called 'trust'"):
        meetings(found, "trust")


def test_standings_show_points_strength_and_skill(found):
    figure = standings(found)
    points = figure.axes[0].lines[0].get_xdata().tolist()
    assert points == pytest.approx([(10 + 5.5) / 2, (8 + 4.5) / 2, (0 + 8) / 2])
    assert "Bradley-Terry" in svg_of(figure) and len(figure.axes) == 3
