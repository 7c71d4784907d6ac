"""Forms for verbs that hold lists of objects."""

from pydantic import BaseModel
from test_studio_browser import shows

from ethogram.records import Run
from ethogram.simulation import replay
from ethogram.spaces import Verbs
from ethogram.studio.forms import fields_of


class Inner(BaseModel):
    """Within."""

    weight: float
    tags: list[str] = []


class Pack(BaseModel):
    """Put things together."""

    main: Inner
    others: list[Inner] = []
    note: str = ""


def test_objects_are_taken_apart():
    fields = fields_of(Verbs(Pack).schema())["pack"]["fields"]
    assert fields["main"]["kind"] == "object" and fields["main"]["needed"]
    assert fields["others"]["kind"] == "array" and not fields["others"]["needed"]
    for name in ("main", "others"):
        assert fields[name]["fields"]["weight"]["kind"] == "number"
        assert fields[name]["fields"]["tags"] == {
            "kind": "array",
            "options": None,
            "examples": [],
            "says": "",
            "needed": False,
            "fields": {},
        }
    assert fields["note"]["fields"] == {}


def test_orders_of_a_nation_are_filled_in_one_by_one(page, studio, root):
    page.goto(f"{studio.url}/play")
    page.wait_for_function("[...document.querySelectorAll('input')].some(i => i.value === 'player 1')")
    page.get_by_label("World", exact=True).fill("war_game")
    page.get_by_role("option", name="war_game", exact=True).click()
    page.wait_for_function("[...document.querySelectorAll('input')].some(i => i.value === 'Purple')")
    page.get_by_label("At most so many steps").fill("1")
    page.get_by_role("button", name="Sit down").click()
    seat = page.locator("section[aria-label='Your seat']")
    shows(page, "Purple, it is your turn", "section[aria-label='Your seat']")
    add = page.get_by_role("button", name="Add to actions")
    for k, (kind, target) in enumerate(
        (("Form an alliance", "Pink"), ("Wait", "World"), ("Send surveillance drone", "Red"))
    ):
        add.click()
        page.get_by_role("button", name=f"Remove {k + 1} of actions").wait_for()
        entry = seat.locator(".listed").nth(k)
        entry.get_by_label("kind").fill(kind)
        entry.get_by_label("target").fill(target)
    page.get_by_role("button", name="Remove 2 of actions").click()
    page.get_by_role("button", name="Do it").click()
    shows(page, "The game is over", "section[aria-label='Your seat']")
    (path,) = [p for p in (root / "play").iterdir() if Run(p).manifest.world == "war_game"]
    done = Run(path).steps.filter(agent="Purple").select("action").drop_nulls().collect()["action"][0]
    assert (
        '"actions":[{"kind":"Form an alliance","target":"Pink"},{"kind":"Send surveillance drone","target":"Red"}]' in done
    )
    assert replay(path).exact
