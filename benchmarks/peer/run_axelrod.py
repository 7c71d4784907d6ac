"""Axelrod: `python run_axelrod.py ROUNDS NAME …`: each strategy (a class) against each other one, once, one match a pair.

A match is built and played as `axelrod.Match(players, turns).play()`, each with a cache of its own, so that none is taken
from memory. Prints CPU and wall-clock seconds of playing (not of importing), and the points of each match.
"""

import json
import sys
import time
import warnings
from itertools import combinations

warnings.simplefilter("ignore")  # of what axelrod imports

import axelrod  # noqa: E402


def main() -> None:
    rounds, names = int(sys.argv[1]), sys.argv[2:]
    game = axelrod.Game(r=3, s=0, t=5, p=1)
    best = None
    for _ in range(3):
        points = []
        wall, cpu = time.perf_counter(), time.process_time()
        for one, other in combinations(names, 2):
            match = axelrod.Match((getattr(axelrod, one)(), getattr(axelrod, other)()), turns=rounds, game=game)
            match.play()
            points.append([float(x) for x in match.final_score()])
        spent = {"cpu": time.process_time() - cpu, "wall": time.perf_counter() - wall}
        best = {key: min(spent[key], best[key]) for key in spent} if best else spent
    print(json.dumps({**best, "points": points}))


if __name__ == "__main__":
    main()
