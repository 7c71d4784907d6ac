"""AgentTorch in its own idiom: configuration, registry, substeps, runner. Its runner keeps every state of a run."""

import re

import torch
from agent_torch.core import Registry, Runner
from agent_torch.core.helpers import get_by_path
from agent_torch.core.substep import SubstepTransition, SubstepTransitionMessagePassing
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


def read(state, path):
    return get_by_path(state, re.split("/", path))


class Runs:
    """One substep that reads `inputs` and writes `output`; its values at first, and its network."""

    def __init__(self, n, transition, inputs, output, first, kind=None, where="agents"):
        made = {"generator": "first", "arguments": {}}
        prop = {"name": output, "shape": list(first.shape), "dtype": "float", "learnable": False, "value": None}
        prop["initialization_function"] = made
        still = {**prop, "name": "id", "shape": [1], "value": [0], "initialization_function": None}
        agents = {output: prop} if where == "agents" else {"id": still}
        contacts = {"type": "csr", "arguments": {"kind": kind, "n": n}}
        config = {
            "simulation_metadata": {
                "num_agents": n,
                "num_episodes": 1,
                "num_steps_per_episode": 20,
                "num_substeps_per_step": 1,
                "device": "cpu",
                "calibration": False,
            },
            "state": {
                "environment": None if where == "agents" else {output: prop},
                "objects": None,
                "agents": {"citizens": {"number": n, "properties": agents}},
                "network": {"agent_agent": {"contacts": contacts} if kind else None},
            },
            "substeps": {
                "0": {
                    "name": "step",
                    "description": "",
                    "active_agents": ["citizens"],
                    "observation": {"citizens": None},
                    "policy": {"citizens": None},
                    "reward": None,
                    "transition": {
                        "change": {
                            "generator": "change",
                            "arguments": None,
                            "input_variables": inputs,
                            "output_variables": [output],
                        }
                    },
                }
            },
        }
        registry = Registry()
        registry.register(lambda shape, params: first, "first", "initialization")
        registry.register(self.network, "csr", "network")
        registry.register(transition, "change", "transition")
        torch.manual_seed(1)
        self.runner = Runner(config, registry)
        self.runner.init()

    @staticmethod
    def network(params):
        source, target = ties(params["kind"], params["n"])
        edges = torch.stack([torch.from_numpy(target).long(), torch.from_numpy(source).long()])
        return None, (edges, torch.ones(1, edges.shape[1]))

    def run(self, steps):
        with torch.no_grad():
            self.runner.step(steps)


class Give(SubstepTransition):
    def forward(self, state, action=None):
        wealth = read(state, self.input_variables["wealth"])
        gives = wealth > 0
        to = torch.randint(0, wealth.numel(), (int(gives.sum()),))
        return {self.output_variables[0]: (wealth - gives.int()).index_add_(0, to, torch.ones(len(to), dtype=wealth.dtype))}


class Wealth(Runs):
    def __init__(self, n):
        super().__init__(n, Give, {"wealth": "agents/citizens/wealth"}, "wealth", torch.ones(n, dtype=torch.int32))

    def found(self):
        return wealth_found(self.runner.state["agents"]["citizens"]["wealth"].numpy())


ADJACENCY = "network/agent_agent/contacts/adjacency_matrix"


class Transmit(SubstepTransitionMessagePassing):
    def message(self, x_j):
        return (x_j == 1).float()

    def forward(self, state, action=None):
        stage, (edges, _) = read(state, self.input_variables["stage"]), read(state, self.input_variables["adjacency"])
        infected = self.propagate(edges, x=stage.unsqueeze(1)).squeeze(1)
        u = torch.rand(stage.numel())
        new = (stage == 0) & (u < 1 - (1 - BETA) ** infected)
        return {self.output_variables[0]: torch.where(new, 1, torch.where((stage == 1) & (u < GAMMA), 2, stage))}


class Sir(Runs):
    def __init__(self, n):
        inputs = {"stage": "agents/citizens/stage", "adjacency": ADJACENCY}
        super().__init__(n, Transmit, inputs, "stage", torch.from_numpy(states(n)).long(), "random")

    def found(self):
        return sir_found(self.runner.state["agents"]["citizens"]["stage"].numpy())


class Listen(SubstepTransitionMessagePassing):
    def message(self, x_i, x_j):
        near = ((x_j - x_i).abs() <= NEAR).float()
        return torch.cat((x_j * near, near), 1)

    def forward(self, state, action=None):
        opinion, (edges, _) = read(state, self.input_variables["opinion"]), read(state, self.input_variables["adjacency"])
        heard = self.propagate(edges, x=opinion.unsqueeze(1))
        return {self.output_variables[0]: (opinion + heard[:, 0]) / (1 + heard[:, 1])}


class Opinion(Runs):
    def __init__(self, n):
        inputs = {"opinion": "agents/citizens/opinion", "adjacency": ADJACENCY}
        super().__init__(n, Listen, inputs, "opinion", torch.from_numpy(opinions(n)), "scale-free")

    def found(self):
        return opinion_found(self.runner.state["agents"]["citizens"]["opinion"].numpy())


class Move(SubstepTransition):
    def forward(self, state, action=None):
        cells = read(state, self.input_variables["cells"]).clone()
        alike = torch.zeros_like(cells)
        for dy in (-1, 0, 1):
            for dx in (-1, 0, 1):
                if dy or dx:
                    alike += torch.roll(cells, (dy, dx), (0, 1)) == cells
        movers = torch.nonzero(((alike < WANTED) & (cells > 0)).flatten()).flatten()
        flat = cells.view(-1)
        empty = torch.nonzero(flat == 0).flatten()
        moved = min(len(movers), len(empty))
        movers, empty = movers[torch.randperm(len(movers))[:moved]], empty[torch.randperm(len(empty))[:moved]]
        flat[empty], flat[movers] = flat[movers], 0
        return {self.output_variables[0]: cells}


class Schelling(Runs):
    def __init__(self, n):
        super().__init__(n, Move, {"cells": "environment/cells"}, "cells", torch.from_numpy(town(n)), where="environment")

    def found(self):
        return town_found(self.runner.state["environment"]["cells"].numpy())


main({"wealth": Wealth, "sir": Sir, "schelling": Schelling, "opinion": Opinion})
