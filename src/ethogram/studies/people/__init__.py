"""Studies of people: users, players, personas, and what is known about them."""
