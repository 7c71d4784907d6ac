"""Validate the LeRobot layout with the real lerobot, which cannot live beside ethogram's pins.

    python -m benchmarks.validate_lerobot

makes `.venv-lerobot` (about 2 GB) and runs the tests that need it. lerobot wants an older torch; what reads and writes
data sets works with the one pinned here, so lerobot is installed without its dependencies and these beside it.
"""

from __future__ import annotations

import subprocess
import sys
import venv
from pathlib import Path

ROOT = Path(__file__).parent.parent
HOME = ROOT / ".venv-lerobot"
ALONE = ("lerobot==0.4.4", "torchvision==0.28.0")
BESIDE = (
    "torch==2.13.0",
    "accelerate",
    "av>=15,<16",
    "datasets>=4,<5",
    "deepdiff<9",
    "diffusers<0.36",
    "draccus==0.10.0",
    "einops",
    "huggingface-hub>=0.34.2,<0.36",
    "jsonlines",
    "numpy<2.4",
    "packaging<26",
    "pandas",
    "pillow",
    "pyarrow",
    "setuptools<81",
    "termcolor",
    "tqdm",
)


def installed() -> Path:
    """The interpreter of the environment, made where there is none."""
    python, done = HOME / "bin" / "python", HOME / ".done"
    if not done.exists() or done.read_text() != " ".join(ALONE):
        venv.create(HOME, with_pip=True, clear=True)
        pip = [str(python), "-m", "pip", "--disable-pip-version-check", "install", "--quiet"]
        subprocess.run([*pip, *BESIDE], check=True)
        subprocess.run([*pip, "--no-deps", *ALONE], check=True)
        done.write_text(" ".join(ALONE))
    return python


if __name__ == "__main__":
    installed()
    sys.exit(
        subprocess.run([sys.executable, "-m", "pytest", "-q", "-rs", "tests/records/test_lerobot.py"], cwd=ROOT).returncode
    )
