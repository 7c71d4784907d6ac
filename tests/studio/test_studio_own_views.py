"""Views of one's own: from a file, and from another package."""

import sys

import pytest

from ethogram.errors import ConfigError
from ethogram.studio import views
from ethogram.studio.reading import Record

VIEW = """
from nicegui import ui
from ethogram.studio.safety import html
from ethogram.studio.views import View


class Gong(View):
    title = "Gong"
    rank = 9

    def build(self):
        self.words = ui.html("")

    def show(self, frame):
        rows = self.record.at(frame)
        self.words.content = html("<p class=gong>{} at {}</p>", rows[0].agent, frame)
"""


def titles(root, name):
    return [view.title for view in views.views_of(Record(root / name))]


@pytest.fixture
def forgetful(monkeypatch):
    monkeypatch.setattr(views, "_added", {})
    views._installed.cache_clear()
    yield
    views._installed.cache_clear()


def test_a_file_draws_the_world_it_is_called_after_and_no_other(root, tmp_path, forgetful):
    (tmp_path / "maze.py").write_text(VIEW)
    views.add_views(tmp_path / "maze.py")
    assert titles(root, "maze")[0] == "Gong"
    assert "Gong" not in titles(root, "town")


def test_another_package_brings_its_view_along(root, tmp_path, forgetful, monkeypatch):
    (tmp_path / "gongs.py").write_text(VIEW)
    info = tmp_path / "gongs-1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: gongs\nVersion: 1\n")
    (info / "entry_points.txt").write_text("[ethogram.views]\nauction = gongs:Gong\n")
    monkeypatch.syspath_prepend(tmp_path)
    assert titles(root, "auction")[0] == "Gong"
    assert "Gong" not in titles(root, "maze")
    (info / "entry_points.txt").write_text("[ethogram.views]\nauction = gongs:Gang\n")
    views._installed.cache_clear()
    with pytest.raises(ConfigError, match=r"the view gongs:Gang of 'auction': AttributeError"):
        titles(root, "maze")
    sys.modules.pop("gongs")


@pytest.mark.parametrize(
    ("name", "text", "sentence"),
    [
        ("none.py", None, "there is no such Python file"),
        ("view.txt", VIEW, "there is no such Python file"),
        ("empty.py", "x = 1", "there is no class of ethogram.studio.views.View in it"),
        ("broken.py", "x = y", "NameError: name 'y' is not defined"),
    ],
)
def test_what_is_no_view_is_said_in_a_sentence(tmp_path, forgetful, name, text, sentence):
    if text is not None:
        (tmp_path / name).write_text(text)
    with pytest.raises(ConfigError, match=f"--views .*{name}: {sentence}"):
        views.add_views(tmp_path / name)


def test_it_is_shown_in_a_browser(root, tmp_path, page):
    from conftest import Studio

    (tmp_path / "maze.py").write_text(VIEW)
    served = Studio("--root", root, "--views", tmp_path / "maze.py", folder=root.parent)
    try:
        page.goto(served.url + "/run?path=maze")
        page.locator(".gong").wait_for()
        page.keyboard.press("ArrowRight")
        page.get_by_text("at 1", exact=False).first.wait_for()
    finally:
        served.close()
