from ethogram import GymWorld, coded, simulate


@coded
def balance(seen, space):
    angle, fall = seen[2:]
    return int(angle + fall > 0)  # push the cart to the side that the pole falls to


if __name__ == "__main__":
    run = simulate(GymWorld("CartPole-v1"), balance, episodes=5)
    print([sum(t.rewards) for t in run.trajectories()])
