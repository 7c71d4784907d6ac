from ethogram import simulate
from ethogram.columns import Columns, column, count, each, network, observed, tally
from ethogram.populations import erdos_renyi

SUSCEPTIBLE, INFECTED, RECOVERED = 0, 1, 2


class SIR(Columns):
    beta: float = 0.05
    gamma: float = 0.1
    state = column("int8")
    contacts = network()
    infected = count("contacts", of=lambda their_state: their_state == INFECTED, where=lambda state: state == SUSCEPTIBLE)
    counts = tally("state", ("susceptible", "infected", "recovered"))

    def start(self, rng):
        self.state[rng.permutation(self.n)[: self.n // 100]] = INFECTED

    @each("state")
    def disease(state, infected, beta, gamma, u):
        if state == SUSCEPTIBLE and u < 1 - (1 - beta) ** infected:
            return INFECTED
        return RECOVERED if state == INFECTED and u < gamma else state


if __name__ == "__main__":
    town = SIR(100_000, contacts=erdos_renyi(100_000, 1e-4, rng=1))
    print(observed(simulate(town, steps=100, seed=1)))
