"""Worlds made of rules."""
