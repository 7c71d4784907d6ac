"""The errors that a user can cause or mend.

Every message is one sentence that says what is wrong, where, and what to do. The command line prints it and leaves with
status 2; anything else that reaches the top is a defect of ethogram and keeps its traceback.
"""

from __future__ import annotations

__all__ = [
    "BudgetExhausted",
    "CallFailed",
    "ConfigError",
    "DataError",
    "EthogramError",
    "ModelError",
    "RunError",
    "VerbError",
    "not_installed",
]

EXTRAS = {
    **dict.fromkeys(("cma", "sklearn", "stable_baselines3", "torch"), "learn"),
    **dict.fromkeys(
        ("Box2D", "dm_control", "gym_pusht", "gymnasium_robotics", "metaworld", "minigrid", "mujoco", "ogbench"), "bodies"
    ),
    **dict.fromkeys(("cv2", "pygame", "pymunk", "vizdoom"), "bodies"),
    **dict.fromkeys(("gguf", "transformers"), "tune"),
    "h5py": "h5",
    "nicegui": "studio",
    "av": "video",
    "ray": "ray",
    "sbi": "calibrate",
    **dict.fromkeys(("axelrod", "nashpy", "openskill"), "games"),
}
"""Importable packages that the core does not bring, and the extra that does."""


class EthogramError(Exception):
    """Base of all errors that carry one clear sentence for the user."""


class ConfigError(EthogramError):
    """A name, key, value or file given by the user is wrong."""


class DataError(EthogramError):
    """A table, data set or file does not have the form it must have."""


class VerbError(EthogramError, ValueError):
    """A reply is not a member of an action space; the message says why, and is fit to be shown to a model."""


class RunError(EthogramError):
    """A run folder cannot be written, read, resumed or replayed."""


class ModelError(EthogramError):
    """A language model cannot be used at all: missing, not a model, endpoint down, wrong key."""


class CallFailed(ModelError):
    """One call of a language model failed for good, after all retries; `faults` lists each attempt's failure."""

    def __init__(self, message: str, faults: list[str] | None = None) -> None:
        super().__init__(message)
        self.faults = faults or []


class BudgetExhausted(EthogramError):
    """A budget (calls, tokens, money or seconds) would be exceeded by the next call."""


def not_installed(error: ModuleNotFoundError, what: str) -> ConfigError:
    """What to say where an import failed because a package is absent; raises on what is a defect of ethogram instead.

    Args:
        error: of the import.
        what: what needed it, as the beginning of a sentence: `the world 'pusht'`.
    """
    package = (error.name or "").partition(".")[0]
    if not package or package == "ethogram":
        raise error
    extra = f"pip install 'ethogram[{EXTRAS[package]}]'" if package in EXTRAS else "install it"
    return ConfigError(f"{what} needs the package {package!r}, which is not installed: {extra}")
