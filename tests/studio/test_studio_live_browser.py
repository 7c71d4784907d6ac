import subprocess
import sys
import time

from ethogram.records import Run

LIVE = """
import sys, time
from ethogram import worlds
from ethogram.policy import Coded
from ethogram.simulation import simulate

def slowly(view, space):
    time.sleep(0.02)
    return space.parse('{"verb": "choose", "option": "defect"}')

simulate(worlds.make("matrix_game", rounds=400), Coded(slowly), steps=400, seed=1, to=sys.argv[1], progress=False)
"""
FRAMES = "() => Number(document.querySelector('.timeline .moment')?.innerText.match(/of (\\d+)/)?.[1] ?? 0)"


def test_a_live_run_grows_on_its_page_and_is_stopped_there(page, studio, root):
    process = subprocess.Popen([sys.executable, "-c", LIVE, str(root / "live")], stderr=subprocess.PIPE, text=True)
    try:
        while not (root / "live" / "manifest.json").exists():
            assert process.poll() is None, process.stderr.read()
            time.sleep(0.05)
        page.goto(f"{studio.url}/run?path=live")
        page.wait_for_selector(".status.running")
        page.wait_for_function(f"({FRAMES})() > 3")
        before = page.evaluate(FRAMES)
        page.wait_for_function(f"([f]) => ({FRAMES})() > f + 20", arg=[before])
        page.get_by_role("button", name="Stop", exact=True).click()
        page.get_by_role("button", name="Stop it").click()
        page.wait_for_function("!document.querySelector('.status.running')")
        process.communicate(timeout=20)
        page.wait_for_timeout(1_500)
        run = Run(root / "live")
        assert run.manifest.status in ("stopped", "interrupted", "failed"), run.manifest.status
        done = run.steps.collect().height // 2
        assert before + 20 < done < 400 and done == run.manifest.steps_done
        assert page.evaluate(FRAMES) == done
        assert not page.get_by_role("button", name="Stop", exact=True).is_visible()
    finally:
        process.kill()
        process.communicate()
