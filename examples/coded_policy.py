from lake import Fish, Lake

from ethogram import coded, simulate


@coded
def careful(seen, space):
    return Fish(tons=3 if seen.fish > 60 else 1)


if __name__ == "__main__":
    run = simulate(Lake(), careful, steps=200, seed=1)
    print(run.sql("select agent, sum(reward) as caught from steps group by agent order by agent"))
