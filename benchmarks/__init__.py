"""How fast ethogram is: `make bench` measures all of it in one run and prints one table."""
