"""Worlds made of rules."""

import ethogram.worlds.rendering  # noqa: F401  (chooses off-screen drivers before any world imports mujoco or pygame)
