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
]


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
