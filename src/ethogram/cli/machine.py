"""What `doctor` does."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from ethogram.cli.show import console, plain, print_json
from ethogram.errors import EthogramError

__all__ = ["examine"]


class Check(NamedTuple):
    """One thing that was looked at."""

    name: str
    fine: bool
    found: str
    advice: str = ""
    """What to do, where it is not fine."""


def examine(as_json: bool) -> int:
    """`ethogram doctor`; returns the exit status, 1 where there is any trouble."""
    checks = [check() for check in CHECKS]
    if as_json:
        print_json([check._asdict() for check in checks])
    else:
        out = console()
        for check in checks:
            mark = "[green]ok[/green]     " if check.fine else "[red]trouble[/red]"
            out.print(mark, f"{check.name:<12}", end=" ")
            out.print(plain(check.found), markup=False, soft_wrap=True)
            if not check.fine:
                out.print(f"                     {check.advice}", markup=False, soft_wrap=True)
    return int(not all(check.fine for check in checks))


def python() -> Check:
    """The interpreter."""
    version = ".".join(map(str, sys.version_info[:3]))
    return Check("python", sys.version_info >= (3, 11), version, "install Python 3.11 or later and make a new environment")


def packages() -> Check:
    """The dependencies of the core."""
    from ethogram.records.manifest import versions

    found = versions()
    wanted = ("ethogram", "numpy", "gymnasium", "pettingzoo", "pydantic", "xllamacpp", "wordllama")
    missing = [name for name in wanted if name not in found]
    listed = ", ".join(f"{name} {number}" for name, number in found.items() if name != "python")
    return Check("packages", not missing, listed, f"install what is missing: {', '.join(missing)}")


def cores() -> Check:
    """Processors."""
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return Check("cores", True, f"{usable} usable")


def memory() -> Check:
    """Memory: the embedded model takes about 0.4 GB, a town of 25 well under 1 GB."""
    size = os.sysconf("SC_PAGE_SIZE")
    total, free = os.sysconf("SC_PHYS_PAGES") * size / 2**30, _available() / 2**30
    return Check(
        "memory",
        free >= 1,
        f"{free:.1f} of {total:.1f} GB free",
        "close other programs: a run with the embedded model takes 1 GB",
    )


def _available() -> float:
    """Bytes of memory that can be had without swapping."""
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable"))
    except (OSError, StopIteration, ValueError):
        return os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")


def writing() -> Check:
    """Whether runs can be written here, and how much room there is."""
    here = Path.cwd()
    room = shutil.disk_usage(here).free / 2**30
    if not os.access(here, os.W_OK):
        return Check("folder", False, f"{here} cannot be written", "change to a folder of your own, or give --to")
    return Check("folder", room >= 1, f"{here} can be written, {room:.0f} GB free", "make room: a long run takes up to 1 GB")


def embedded() -> Check:
    """The embedded language model."""
    from ethogram.language import check

    advice = "install the package again: `pip install --force-reinstall ethogram`"
    try:
        check("smollm2")
    except EthogramError as error:
        return Check("model", False, str(error), advice)
    return Check("model", True, "the embedded model smollm2 is here")


CHECKS: tuple[Callable[[], Check], ...] = (python, packages, cores, memory, writing, embedded)
