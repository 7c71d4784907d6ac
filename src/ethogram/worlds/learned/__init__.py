"""Worlds fitted to records."""
