from ethogram.experiments import tournament
from ethogram.experiments.matches import cooperation, matrix_match

NAMES = ["tit for tat", "generous tit for tat", "grim trigger", "win-stay lose-shift", "always first", "always second"]


def play(replicates=5):
    rules = {"game": "prisoners-dilemma", "rounds": 100, "noise": 0.02}
    return tournament(NAMES, matrix_match, measure=cooperation, replicates=replicates, arguments=rules, seed=1)


if __name__ == "__main__":
    found = play()
    for row in found.standings().iter_rows(named=True):
        points = "{points:.2f} [{points low:.2f}, {points high:.2f}]".format(**row)
        print(f"{row['entrant']:21} {points}  won {row['won']}, lost {row['lost']}, strength {row['strength']:.2f}")
    print("towards grim trigger:", found.pair("win-stay lose-shift", "grim trigger", "cooperation"))
