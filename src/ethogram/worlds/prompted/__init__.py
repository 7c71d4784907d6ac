"""Worlds played by a language model."""
