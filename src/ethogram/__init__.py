"""Simulate the behaviour of people, populations and bodies."""
