import os
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

pytest.importorskip("nicegui", reason="the studio needs ethogram[studio]")
sys.path.insert(0, str(Path(__file__).parent))
import studio_runs

CHROMIUM = next((p for p in ("/usr/bin/chromium", "/usr/bin/chromium-browser") if Path(p).exists()), "")


class Studio:
    """The real command, serving in a process of its own."""

    def __init__(self, *words: object, folder: Path) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        command = [sys.executable, "-c", "from ethogram.cli import main; main()", "studio", *map(str, words)]
        self.process = subprocess.Popen(
            [*command, "--port", str(self.port), "--no-open"],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            cwd=folder,
            env={**{k: v for k, v in os.environ.items() if k[:6] != "PYTEST"}, "PYTHONPATH": str(Path(__file__).parent)},
        )
        self.says = self.process.stdout.readline()  # type: ignore[union-attr]
        self.url = f"http://127.0.0.1:{self.port}"
        for _ in range(300):
            try:
                urllib.request.urlopen(self.url + "/studio/studio.css", timeout=5)
                return
            except urllib.error.HTTPError:
                return
            except OSError:
                time.sleep(0.1)
        raise AssertionError(f"the studio did not begin: {self.says}{self.process.stdout.read()}")  # type: ignore[union-attr]

    def close(self) -> None:
        self.process.terminate()
        self.process.communicate(timeout=20)


@pytest.fixture(scope="session")
def root(tmp_path_factory):
    return studio_runs.make(tmp_path_factory.mktemp("studio") / "runs")


@pytest.fixture(scope="session")
def studio(root):
    served = Studio("--root", root, folder=root.parent)
    yield served
    served.close()


@pytest.fixture(scope="module")  # no longer: while it is there, no other test of the process can run a loop of its own
def browser():
    sync_api = pytest.importorskip("playwright.sync_api", reason="tests in a browser need playwright")
    if not CHROMIUM:
        pytest.skip("tests in a browser need Debian's chromium: apt install chromium")
    with sync_api.sync_playwright() as playwright:
        arguments = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
        found = playwright.chromium.launch(executable_path=CHROMIUM, args=arguments)
        yield found
        found.close()


@pytest.fixture(params=["1280x720"])
def page(browser, request):
    """A page that must not complain, and must ask nobody but the studio for anything."""
    width, height = map(int, request.param.split("x"))
    made = browser.new_page(viewport={"width": width, "height": height})
    made.set_default_timeout(20_000)
    wrong: list[str] = []
    made.on("console", lambda m: wrong.append(m.text) if m.type == "error" else None)
    made.on("pageerror", lambda e: wrong.append(str(e)))
    made.on(
        "request",
        lambda r: wrong.append(r.url) if "//127.0.0.1:" not in r.url and r.url[:5] not in ("data:", "blob:") else None,
    )
    yield made
    assert made.evaluate("window.hacked") is None
    made.close()
    assert wrong == []
