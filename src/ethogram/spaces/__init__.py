"""Spaces whose elements are typed: instances of pydantic models. `Typed` has one model, `Verbs` several.

Both are gymnasium spaces. From the model alone they derive random samples, membership, one JSON schema for constrained
decoding, a description for a language model, and a parser of its replies.
"""

from ethogram.spaces.kinds import ITEMS, TEXT
from ethogram.spaces.typed import Typed, Verbs, verb_name

__all__ = ["ITEMS", "TEXT", "Typed", "Verbs", "verb_name"]
