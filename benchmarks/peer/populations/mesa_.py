"""Mesa: an object an agent. In its competent form: `random.choice` of a list, not of an AgentSet, which copies itself."""

import mesa
import networkx as nx
import numpy as np
from common import (
    BETA,
    GAMMA,
    NEAR,
    WANTED,
    main,
    opinion_found,
    opinions,
    sir_found,
    states,
    ties,
    town,
    town_found,
    wealth_found,
)
from mesa.discrete_space import CellAgent, FixedAgent, Network, OrthogonalMooreGrid


def graph(kind, n):
    source, target = ties(kind, n)
    once = source < target
    made = nx.Graph()
    made.add_nodes_from(range(n))
    made.add_edges_from(zip(source[once].tolist(), target[once].tolist(), strict=True))
    return made


class Giver(mesa.Agent):
    def __init__(self, model):
        super().__init__(model)
        self.wealth = 1

    def give(self):
        if self.wealth > 0:
            self.random.choice(self.model.everybody).wealth += 1
            self.wealth -= 1


class Wealth(mesa.Model):
    def __init__(self, n):
        super().__init__(seed=1)
        Giver.create_agents(self, n)
        self.everybody = list(self.agents)

    def run(self, steps):
        for _ in range(steps):
            self.agents.shuffle_do("give")

    def found(self):
        return wealth_found([agent.wealth for agent in self.agents])


class Person(FixedAgent):
    def __init__(self, model, state, cell):
        super().__init__(model)
        self.state, self.cell = state, cell

    def spread(self):
        for other in self.cell.neighborhood.agents:
            if other.state == 0 and self.random.random() < BETA:
                self.model.new.append(other)

    def recover(self):
        if self.random.random() < GAMMA:
            self.state = 2


class Sir(mesa.Model):
    def __init__(self, n):
        super().__init__(seed=1)
        self.space = Network(graph("random", n), capacity=1, random=self.random)
        Person.create_agents(self, n, states(n).tolist(), list(self.space.all_cells))

    def run(self, steps):
        for _ in range(steps):
            self.new = []
            infected = self.agents.select(lambda agent: agent.state == 1)
            infected.do("spread")
            infected.do("recover")
            for agent in self.new:
                agent.state = 1

    def found(self):
        return sir_found([agent.state for agent in self.agents])


class Resident(CellAgent):
    def __init__(self, model, cell, kind):
        super().__init__(model)
        self.cell, self.kind, self.happy = cell, kind, False

    def look(self):
        self.happy = sum(1 for other in self.cell.neighborhood.agents if other.kind == self.kind) >= WANTED

    def move(self):
        if not self.happy:
            self.cell = self.model.grid.select_random_empty_cell()


class Schelling(mesa.Model):
    def __init__(self, n):
        super().__init__(seed=1)
        cells = town(n)
        self.grid = OrthogonalMooreGrid(cells.shape, torus=True, capacity=1, random=self.random)
        for cell in self.grid.all_cells:
            if kind := cells[cell.coordinate]:
                Resident(self, cell, int(kind))

    def run(self, steps):
        for _ in range(steps):
            self.agents.do("look")
            self.agents.shuffle_do("move")

    def found(self):
        cells = np.zeros(self.grid.dimensions, np.int8)
        for agent in self.agents:
            cells[agent.cell.coordinate] = agent.kind
        return town_found(cells)


class Listener(FixedAgent):
    def __init__(self, model, opinion, cell):
        super().__init__(model)
        self.opinion = self.new = opinion
        self.cell = cell

    def listen(self):
        total, heard = self.opinion, 1
        for other in self.cell.neighborhood.agents:
            if abs(other.opinion - self.opinion) <= NEAR:
                total += other.opinion
                heard += 1
        self.new = total / heard

    def change(self):
        self.opinion = self.new


class Opinion(mesa.Model):
    def __init__(self, n):
        super().__init__(seed=1)
        self.space = Network(graph("scale-free", n), capacity=1, random=self.random)
        Listener.create_agents(self, n, opinions(n).tolist(), list(self.space.all_cells))

    def run(self, steps):
        for _ in range(steps):
            self.agents.do("listen")
            self.agents.do("change")

    def found(self):
        return opinion_found([agent.opinion for agent in self.agents])


main({"wealth": Wealth, "sir": Sir, "schelling": Schelling, "opinion": Opinion})
