import polars as pl
import pytest
from studio_runs import EVIL

from ethogram.errors import DataError
from ethogram.measures.fidelity import fidelity_card
from ethogram.seeds import generator
from ethogram.studio.cards import card_figure, ways_in


@pytest.fixture(scope="module")
def survey(root):
    """A folder as `ethogram survey` writes it, of simulated people who answer the item `far` quite differently."""
    luck = generator(1, "people")
    people = pl.DataFrame({name: luck.integers(1, 6, 120) for name in ("near", EVIL, "far")})
    simulated = pl.DataFrame({"near": luck.integers(1, 6, 120), EVIL: luck.integers(1, 6, 120), "far": [5] * 60 + [4] * 60})
    card = fidelity_card(people, simulated, seed=1, detect=False)
    folder = root / "carded"
    folder.mkdir()
    card.items_table().write_csv(folder / "card-items-score.csv")
    card.table().write_csv(folder / "card-score.csv")
    (folder / "ways.csv").write_text("way\nscore\n")
    return folder


@pytest.mark.parametrize("page", ["1280x720", "390x844"], indirect=True)
def test_a_card_is_shown_and_its_figures_are_taken_away(page, studio, survey):
    page.goto(studio.url)
    page.get_by_role("link", name="carded", exact=True).click()
    page.wait_for_selector("figure img")
    assert page.locator("figure img").count() == 3
    page.wait_for_function("[...document.querySelectorAll('figure img')].every(i => i.naturalWidth > 100)")
    page.get_by_text("in numbers").click()
    rows = page.locator("details tr.now").all_inner_texts()
    assert rows and all(row.startswith("far") for row in rows) and EVIL in page.inner_text("main")
    for kind, head in (("SVG", b"<?xml"), ("PNG", b"\x89PNG")):
        with page.expect_download() as taken:
            page.get_by_role("button", name=f"distance as {kind}").click()
        assert taken.value.path().read_bytes().startswith(head)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_of_a_card_nothing_else_is_read(survey):
    assert ways_in(survey) == ["score"]
    for way, figure in (("../score", "distance"), ("score", "accuracy")):
        with pytest.raises(DataError, match="has no figure"):
            card_figure(survey, way, figure)
    (survey / "card-items-bad.csv").write_text("item,figure\n")
    (survey / "card-bad.csv").write_text("item,figure\n")
    try:
        with pytest.raises(DataError, match="it lacks value"):
            card_figure(survey, "bad", "distance")
    finally:
        (survey / "card-items-bad.csv").unlink()
        (survey / "card-bad.csv").unlink()
