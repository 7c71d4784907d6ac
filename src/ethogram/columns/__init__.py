"""Populations as columns: worlds of 10⁴ to 10⁸ agents, whose rules are compiled."""
