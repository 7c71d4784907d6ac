"""Learned policies: one module each, found by its name."""
