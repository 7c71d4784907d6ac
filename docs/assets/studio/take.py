"""Takes the screenshots of docs/studio.md: `python docs/assets/studio/take.py` (needs Debian's chromium and playwright)."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parents[2] / "tests" / "studio"))
PORT = 8765
SIZES = {"wide": {"width": 1280, "height": 720}, "small": {"width": 390, "height": 844}}


def shot(page: Page, name: str) -> None:
    """Keep the page as it is now, in few colours."""
    from PIL import Image

    page.wait_for_timeout(900)
    page.screenshot(path=HERE / f"{name}.png")
    picture = Image.open(HERE / f"{name}.png").convert("RGB").quantize(200)
    picture.save(HERE / f"{name}.png", optimize=True)
    print(name, (HERE / f"{name}.png").stat().st_size)


def talking(root: Path) -> int:
    """A step of the town at which somebody has just spoken for long."""
    from ethogram.studio.reading import Record
    from ethogram.studio.words import speech

    record = Record(root / "town")
    return max(range(len(record)), key=lambda k: sum(len(speech(row.done)) for row in record.at(k)))


def main() -> None:
    """Make runs, serve them, and look at each kind of page."""
    import studio_runs

    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        root = studio_runs.make(Path(folder) / "runs")
        code = "from ethogram.cli import main; main()"
        words = [sys.executable, "-c", code, "studio", "--root", str(root), "--no-open", "--port", str(PORT)]
        served = subprocess.Popen(words, stdout=subprocess.PIPE, text=True)
        try:
            assert served.stdout is not None
            served.stdout.readline()
            browser = playwright.chromium.launch(
                executable_path="/usr/bin/chromium",
                args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
            )
            page = browser.new_page(viewport=SIZES["wide"])  # type: ignore[arg-type]
            for _ in range(100):
                try:
                    page.goto(f"http://127.0.0.1:{PORT}/")
                    break
                except Exception:
                    page.wait_for_timeout(200)
            look(page, browser.new_page(viewport=SIZES["small"]), root)  # type: ignore[arg-type]
            browser.close()
        finally:
            served.terminate()


def look(page: Page, small: Page, root: Path) -> None:
    """Every picture."""
    where = f"http://127.0.0.1:{PORT}/run?path="
    step = talking(root)
    for made, name in ((page, "town"), (small, "small")):
        made.goto(f"{where}town&step={step}")
        made.wait_for_selector(".bubble")
        shot(made, name)
    page.goto(f"{where}auction&step=18")
    page.wait_for_selector(".chart canvas")
    shot(page, "auction")
    page.goto(f"{where}epidemic&step=16")
    page.wait_for_selector(".cells")
    shot(page, "epidemic")
    page.goto(f"{where}segregation&step=4")
    page.wait_for_selector(".map img")
    page.locator(".map").scroll_into_view_if_needed()
    shot(page, "map")
    page.goto(f"{where}war&step=3")
    page.wait_for_selector(".chart canvas")
    shot(page, "nations")
    page.goto(f"{where}games/asked&step=4")
    page.get_by_role("tab", name="Prompts").click()
    page.wait_for_selector("details")
    shot(page, "prompts")
    branched(page, f"{where}town&step=12")


def branched(page: Page, place: str) -> None:
    """An interview, a branch, and its two futures."""
    page.goto(place)
    page.get_by_label("Question").fill("What did you do this morning?")
    page.keyboard.press("Enter")
    page.wait_for_selector(".answer", timeout=90_000)
    page.get_by_role("button", name="Choose an intervention").click()
    page.wait_for_selector("text=Branch and run on", timeout=90_000)
    page.get_by_role("combobox", name="Intervention").click()
    page.get_by_role("option", name="close_place", exact=True).click()
    page.get_by_role("textbox", name="place").fill("Mill Kitchen")
    page.locator("section[aria-label=Interview]").scroll_into_view_if_needed()
    page.mouse.wheel(0, 900)
    shot(page, "ask")
    page.get_by_role("button", name="Branch and run on").click()
    page.wait_for_selector("text=is complete", timeout=90_000)
    page.get_by_text("see both futures").click()
    page.wait_for_selector("text=first different action")
    page.keyboard.press("End")
    shot(page, "futures")


if __name__ == "__main__":
    main()
