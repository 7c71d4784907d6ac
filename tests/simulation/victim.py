"""A process that simulates and is meant to be killed: `python victim.py SCENE FOLDER [--at N]`.

It resumes what is in FOLDER. With `--at N` it kills itself, by a real SIGKILL, at its N-th write, rename, unlink or fsync,
so that every boundary between two file operations can be tried. It prints `go` when the simulation begins and `done` at its
end.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

import scenes

from ethogram.simulation import simulate


def die_at(n: int) -> None:
    """Count file operations and die at the n-th: before it if n is even, halfway through it (a write) if odd."""
    count = 0

    def wrap(function: Any) -> Any:
        def counted(*args: Any, **kwargs: Any) -> Any:
            nonlocal count
            count += 1
            if count == n:
                if function is pwrite and n % 2:
                    pwrite(args[0], bytes(args[1])[: len(args[1]) // 2], args[2])
                os.kill(os.getpid(), signal.SIGKILL)
            return function(*args, **kwargs)

        return counted

    pwrite = os.pwrite
    for name in ("pwrite", "replace", "fsync", "unlink", "ftruncate"):
        setattr(os, name, wrap(getattr(os, name)))


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("scene")
    parser.add_argument("folder")
    parser.add_argument("--at", type=int, default=0)
    args = parser.parse_args()
    make, options, pace = getattr(scenes, args.scene)()
    if pace:
        step = type(make.world).step

        def slow(self: Any, actions: Any) -> Any:
            time.sleep(pace)
            return step(self, actions)

        type(make.world).step = slow
    print("go", flush=True)
    if args.at:
        die_at(args.at)
    simulate(make, to=args.folder, resume=True, progress=False, **options)
    print("done", flush=True)


if __name__ == "__main__":
    main()
