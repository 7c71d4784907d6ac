"""Studies of society: towns, markets, games, networks, crowds."""
