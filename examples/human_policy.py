from coded_policy import careful
from lake import Lake

from ethogram import simulate
from ethogram.policies.human import Human

if __name__ == "__main__":
    you = Human()  # you answer as in: fish tons=2
    run = simulate(Lake(), lambda agent: you if agent == "fisher 0" else careful, steps=3)
    print(run.sql("select agent, sum(reward) as caught from steps group by agent order by agent"))
