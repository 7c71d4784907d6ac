"""mesa-frames, the release on PyPI: agents as rows of a polars table. It has no networks: ties are a joined table."""

import polars as pl
from common import BETA, GAMMA, NEAR, main, opinion_found, opinions, sir_found, states, ties, wealth_found
from mesa_frames import AgentSetPolars, ModelDF


class Agents(AgentSetPolars):
    def __init__(self, model, table):
        super().__init__(model)
        self.add(table.with_columns(unique_id=pl.int_range(len(table), eager=True)))


class Runs:
    """One set of agents, and the table of their ties."""

    def __init__(self, agents, table, kind=None):
        self.model = ModelDF(seed=1)
        self.model.agents += agents(self.model, table)
        if kind:
            source, target = ties(kind, len(table))
            ids = self.table["unique_id"]
            self.model.ties = pl.DataFrame({"source": ids.gather(source), "target": ids.gather(target)})

    @property
    def table(self):
        return self.model.agents._agentsets[0].agents

    def run(self, steps):
        for _ in range(steps):
            self.model.agents.do("step")


class Givers(Agents):
    def step(self):
        self.select(pl.col("wealth") > 0)
        table, givers = self.agents, len(self.active_agents)
        to = table.sample(n=givers, with_replacement=True, seed=int(self.random.integers(2**31 - 1)))
        given = to.group_by("unique_id").len()
        left = pl.when(pl.col("wealth") > 0).then(-1).otherwise(0)
        joined = table.join(given, on="unique_id", how="left")
        self.agents = joined.with_columns(wealth=pl.col("wealth") + left + pl.col("len").fill_null(0)).drop("len")


class Wealth(Runs):
    def __init__(self, n):
        super().__init__(Givers, pl.DataFrame({"wealth": [1]}).select(pl.col("wealth").repeat_by(n).explode()))

    def found(self):
        return wealth_found(self.table["wealth"].to_numpy())


class People(Agents):
    def step(self):
        table = self.agents
        infected = table.filter(pl.col("state") == 1).select(source="unique_id")
        met = self.model.ties.join(infected, on="source", how="semi").group_by(pl.col("target").alias("unique_id")).len()
        luck = pl.Series("u", self.random.random(len(table)))
        table = table.join(met, on="unique_id", how="left", maintain_order="left").with_columns(luck)
        risk = 1 - (1 - BETA) ** pl.col("len").fill_null(0).cast(pl.Float64)
        new = (pl.col("state") == 0) & (pl.col("u") < risk)
        recovered = (pl.col("state") == 1) & (pl.col("u") < GAMMA)
        state = pl.when(new).then(1).when(recovered).then(2).otherwise(pl.col("state"))
        self.agents = table.with_columns(state=state).drop("len", "u")


class Sir(Runs):
    def __init__(self, n):
        super().__init__(People, pl.DataFrame({"state": states(n).astype("int64")}), "random")

    def found(self):
        return sir_found(self.table["state"].to_numpy())


class Listeners(Agents):
    def step(self):
        table = self.agents
        theirs = table.select("unique_id", "opinion")
        ties = self.model.ties.join(theirs.rename({"unique_id": "source", "opinion": "mine"}), on="source")
        ties = ties.join(theirs.rename({"unique_id": "target", "opinion": "other"}), on="target")
        near = ties.filter((pl.col("other") - pl.col("mine")).abs() <= NEAR)
        heard = near.group_by(pl.col("source").alias("unique_id")).agg(pl.col("other").sum(), pl.len().alias("many"))
        table = table.join(heard, on="unique_id", how="left", maintain_order="left")
        total = pl.col("opinion") + pl.col("other").fill_null(0)
        self.agents = table.with_columns(opinion=total / (1 + pl.col("many").fill_null(0))).drop("other", "many")


class Opinion(Runs):
    def __init__(self, n):
        super().__init__(Listeners, pl.DataFrame({"opinion": opinions(n).astype(float)}), "scale-free")

    def found(self):
        return opinion_found(self.table["opinion"].to_numpy())


main({"wealth": Wealth, "sir": Sir, "opinion": Opinion})
