"""How much memory a model takes, known before any of it is taken."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from ethogram.columns.loops import Kernel
from ethogram.columns.moves import Mail
from ethogram.columns.substeps import Relocate, Scatter, Transfer
from ethogram.errors import ConfigError

if TYPE_CHECKING:
    from ethogram.columns.world import Columns

__all__ = ["free", "needs", "refuse"]


def needs(world: Columns, kernels: dict[str, Kernel]) -> dict[str, int]:
    """Bytes by part: columns, networks (which are there already), what substeps work with, decisions, and a checkpoint."""
    model, n = world.model, world.n
    width = {name: column.dtype.itemsize for name, column in model.columns.items()}
    columns = n * sum(width.values())
    parts = {"columns": columns}
    arrays = {
        id(a): a.nbytes for net in world.networks.values() for a in (net.indptr, net.indices, net.weights) if a is not None
    }
    parts["networks"] = sum(arrays.values())
    used = [kernels[name] for name in model.substeps if name in kernels]
    parts["second copies of columns"] = n * sum(width[c] for c in {c for kernel in used for c in kernel.buffered})
    counts = {count for kernel in used for count in kernel.flags}
    pushed = [c for c in counts if (net := world.networks.get(model.aggregates[c].over)) is not None and not net.directed]
    parts["counts"] = len(counts) * ((n + 63) // 64) * 8 + len(pushed) * n * 4
    mails = {Mail.dtype_of(s, world): s for s in model.substeps.values() if isinstance(s, Transfer | Scatter)}
    parts["amounts on their way"] = sum(n * (4 + (0 if dtype is None else dtype.itemsize)) for dtype in mails)
    parts["moves"] = 9 * n if any(isinstance(s, Relocate) for s in model.substeps.values()) else 0
    sees = sum(width[c] for d in model.decisions.values() if not d.by for c in (*d.sees, d.into) if c in width)
    parts["decisions"] = n * (sees + 8 * sum(bool(d.by) for d in model.decisions.values()))
    parts["a checkpoint"] = columns
    return {part: size for part, size in parts.items() if size}


def free() -> int | None:
    """Bytes that this process can still have; None where the system does not say."""
    found: list[int] = []
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
        found += [int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable")]
    except (OSError, ValueError):
        if hasattr(os, "sysconf") and "SC_PHYS_PAGES" in os.sysconf_names:
            found.append(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))
    try:  # in a container
        group = Path("/sys/fs/cgroup")
        found.append(int((group / "memory.max").read_text()) - int((group / "memory.current").read_text()))
    except (OSError, ValueError):
        pass
    return min(found) if found else None


def refuse(name: str, parts: dict[str, int], there: int | None) -> None:
    """ConfigError where a model would not fit."""
    wanted = sum(size for part, size in parts.items() if part != "networks")
    if there is not None and wanted > there:
        listed = ", ".join(f"{part} {size / 1e9:.1f}" for part, size in parts.items() if part != "networks")
        raise ConfigError(
            f"{name} needs {wanted / 1e9:.1f} GB of memory ({listed}), but {there / 1e9:.1f} GB are free: "
            "take fewer rows, or smaller types of columns"
        )
