import re
from urllib.parse import quote

import pytest
from studio_runs import EVIL

from ethogram.records import Run

MOMENT = ".timeline .moment"


def open_run(page, studio, name, more="", until=None):
    page.goto(f"{studio.url}/run?path={quote(name)}{more}")
    page.wait_for_selector(until or MOMENT)


def shows(page, text, where="body"):
    page.wait_for_function(
        "([where, text]) => document.querySelector(where)?.innerText.includes(text)", arg=[where, text], timeout=60_000
    )


def test_the_list_is_searched_and_opens_a_run(page, studio):
    page.goto(studio.url)
    page.wait_for_selector("a:text('games/asked')")
    shown, there = map(int, re.search(r"(\d+) of (\d+) runs", page.inner_text("body")).groups())
    assert shown == there >= 12  # other tests of the process may have left theirs in the folder
    page.get_by_label("Search runs").fill("matrix complete")
    shows(page, f"1 of {there} runs")
    page.get_by_role("link", name="games/asked").click()
    shows(page, "step 0", MOMENT)


@pytest.mark.parametrize(
    "name, view, seen",
    [
        ("town", ".person", "Ines"),
        ("auction", ".chart canvas", "budget"),
        ("pit", ".chart canvas", "side"),
        ("epidemic", ".cells i", "susceptible"),
        ("segregation", ".map img", "kind of 900 individuals"),
        ("maze", ".picture img", "Body"),
        ("point", ".chart canvas", "Who did what"),
        ("games/asked", ".board td.current", "cooperate"),
        ("feed", ".post", EVIL),
        ("war", ".chart canvas", "→"),
        ("questions", "td.no", "Turn 3 of 20"),
        ("survey", ".share span", "20 answers to 3 questions, 6 left"),
    ],
)
def test_each_view_loads_and_follows_the_scrubber(page, studio, name, view, seen):
    open_run(page, studio, name, "&step=2", view)
    shows(page, seen)
    before = page.inner_text("main")
    if name == "maze":
        before = page.get_attribute(".picture img", "src")
    shows(page, "step 2", MOMENT)
    for _ in range(3):
        page.get_by_label("One step on").click()
    shows(page, "step 5", MOMENT)
    page.wait_for_function(
        """([before, maze]) => (maze ? document.querySelector(".picture img").src
                                     : document.querySelector("main").innerText) !== before""",
        arg=[before, name == "maze"],
    )


def test_keys_play_and_the_link_to_a_moment(page, studio):
    open_run(page, studio, "epidemic", until=".chart canvas")
    page.keyboard.press("ArrowRight")
    shows(page, "step 1 ", MOMENT)
    page.keyboard.press("Shift+ArrowRight")
    shows(page, "step 11", MOMENT)
    page.keyboard.press("End")
    shows(page, "41 of 41", MOMENT)
    page.keyboard.press("Home")
    shows(page, "step 0", MOMENT)
    page.keyboard.press("Space")
    shows(page, "step 3", MOMENT)
    page.keyboard.press("Space")
    page.wait_for_timeout(700)
    here = page.inner_text(MOMENT)
    step = re.search(r"step (\d+)", here)[1]
    assert f"step={step}" in page.url
    page.goto(page.url)
    shows(page, here, MOMENT)


def test_the_whole_page_can_be_reached_by_keyboard(page, studio):
    open_run(page, studio, "town", "&step=3", ".person")
    reached = set()
    for _ in range(60):
        page.keyboard.press("Tab")
        reached.add(page.evaluate("document.activeElement.getAttribute('aria-label') || document.activeElement.innerText"))
    for needed in ("Who did what", "Play or pause (space)", "Memory", "Question"):
        assert any(needed in str(r) for r in reached), f"{needed} not in {reached}"
    page.locator(".person").nth(3).focus()
    page.keyboard.press("Enter")
    page.wait_for_selector(".person.picked:focus")
    name = page.locator(".person").nth(3).get_attribute("title").partition(":")[0]
    assert page.get_by_role("combobox", name="Agent").input_value() == name


def test_what_agents_say_stays_text(page, studio):
    open_run(page, studio, "evil", until=".person")
    shows(page, EVIL, ".bubble")
    page.get_by_role("tab", name="Who did what").click()
    shows(page, EVIL, "main")
    open_run(page, studio, "games/asked", until=".board")
    page.get_by_role("tab", name="Persona").click()
    shows(page, "What the model was told at step 0", "section[aria-label=Agent]")
    page.get_by_role("tab", name="Prompts").click()
    shows(page, "You are careful. ‹script›", "section[aria-label=Agent]")
    shows(page, "reply", "section[aria-label=Agent]")
    assert page.locator("main script, main img").count() == 0


def test_memory_plan_and_relations(page, studio):
    open_run(page, studio, "town", "&step=20", ".person")
    for tab, text in (("Memory", "plum dumplings"), ("Plan", "lighting the stove"), ("Relations", "was told or given")):
        page.get_by_role("tab", name=tab).click()
        shows(page, text, "section[aria-label=Agent]")


def test_an_interview_and_a_branch(page, studio, root):
    open_run(page, studio, "town", "&step=12", ".person")
    page.get_by_label("Question").fill("What did you do this morning?")
    page.keyboard.press("Enter")
    page.wait_for_selector(".answer", timeout=40_000)
    shows(page, "Ines Varga at step 12, asked: What did you do this morning?", ".answer")
    assert not page.locator(".answer .error").count()
    page.get_by_text("memories it came from").click()
    shows(page, "recency", ".answer details")
    scored = re.findall(r"[a-z] (\d\.\d\d)", page.locator(".recalled span").first.inner_text())
    assert float(scored[0]) == pytest.approx(sum(map(float, scored[1:])), abs=0.02)
    page.get_by_role("button", name="Choose an intervention").click()
    page.wait_for_selector("text=Branch and run on", timeout=40_000)
    page.get_by_role("combobox", name="Intervention").click()
    page.get_by_role("option", name="close_place", exact=True).click()
    shows(page, "Shut a place", "section[aria-label=Intervention]")  # the form before this one has a field `place` too
    page.get_by_role("textbox", name="place").fill("Nowhere")
    page.get_by_role("button", name="Branch and run on").click()
    shows(page, "the town has no place 'Nowhere'", "section[aria-label=Intervention]")
    page.get_by_role("textbox", name="place").fill("Mill Kitchen")
    page.get_by_role("button", name="And another").click()
    shows(page, "close_place place: Mill Kitchen", "section[aria-label=Intervention]")
    for words in ("A stranger looks for you.", "Nobody hears this."):
        page.get_by_role("combobox", name="Intervention").click()
        page.get_by_role("option", name="tell", exact=True).click()
        page.get_by_role("textbox", name="text").fill(words)
        page.get_by_role("button", name="And another").click()
        shows(page, words, "section[aria-label=Intervention]")
    page.get_by_role("button", name="Remove intervention 3").click()
    page.wait_for_function("document.querySelectorAll('.listed').length === 2")
    page.get_by_role("button", name="Branch and run on").click()
    shows(page, "is complete", "section[aria-label=Intervention]")
    page.get_by_text("see both futures").click()
    shows(page, "first different action")
    assert "none in the steps" not in page.inner_text("main")
    shows(page, "step 12", MOMENT)
    assert page.locator(".stage").count() == 2
    shows(page, "each with itself; from step 12 to", "section[aria-label='Paired differences']")
    shows(page, "95 % interval", "section[aria-label='Paired differences']")
    branch = max((Run(path) for path in root.glob("town-branch-12*")), key=lambda run: run.manifest.started)
    assert [i["name"] for i in branch.manifest.interventions] == ["close_place", "tell"]


@pytest.mark.parametrize("page", ["390x844"], indirect=True)
def test_a_small_screen(page, studio):
    for name, until in (("town", ".person"), ("pit", ".chart canvas"), ("games/asked", ".board")):
        open_run(page, studio, name, "&step=4", until)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), f"{name} is wider than the screen"
        box = page.locator(".timeline").bounding_box()
        assert box["y"] + box["height"] <= 844 and box["height"] < 150
    page.goto(studio.url)
    shows(page, "of")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_a_folder_outside_is_refused_in_words(page, studio):
    page.goto(f"{studio.url}/run?path=../../../etc")
    shows(page, "is no run below the folder that this studio shows")


def test_a_person_takes_a_seat(page, studio, root):
    from ethogram.simulation import replay

    page.goto(f"{studio.url}/play")
    page.get_by_label("At most so many steps").fill("2")
    page.wait_for_function("[...document.querySelectorAll('input')].some(i => i.value === 'player 1')")
    page.get_by_role("button", name="Sit down").click()
    for step, choice in enumerate(("defect", "cooperate"), 1):
        shows(page, f"round\n{step}", "section[aria-label='Your seat']")
        page.get_by_role("combobox", name="option").click()
        page.get_by_role("option", name=choice).click()
        page.get_by_role("button", name="Do it").click()
    shows(page, "The game is over", "section[aria-label='Your seat']")
    run = Run(next((root / "play").iterdir()))
    assert [row[0] for row in run.steps.filter(agent="player 1").select("action").drop_nulls().collect().rows()] == [
        '{"verb":"choose","option":"defect"}',
        '{"verb":"choose","option":"cooperate"}',
    ]
    assert replay(run).exact
