"""An epidemic is calibrated to its first four weeks, and its forecast is held beside the next two."""

from math import exp

import numpy as np

from ethogram.experiments import LogUniform, Problem, Uniform, abc_smc, forecast, hold_out, skill
from ethogram.seeds import generator


def epidemic(rates, seed, days=28, people=5000):
    """Any function from parameters and a seed to series can be calibrated."""
    luck, well, ill, cases = generator(seed, "epidemic"), people - 20, 20, []
    for _ in range(days):
        new = luck.binomial(well, 1 - exp(-rates["contagion"] * ill / people))
        well, ill = well - new, ill + new - luck.binomial(ill, 1 - exp(-rates["recovery"]))
        cases.append(new)
    return {"cases": cases}


def six_weeks(rates, seed):
    return epidemic(rates, seed, days=42)


priors = {"contagion": Uniform(0.1, 1), "recovery": LogUniform(0.05, 0.5)}

if __name__ == "__main__":
    truth = {"contagion": 0.4, "recovery": 0.15}
    fitted, tested = hold_out(six_weeks(truth, seed=7), at=28)
    posterior = abc_smc(Problem(epidemic, priors, transform=np.sqrt), fitted)
    print(posterior)
    predicted = forecast(Problem(six_weeks, priors), posterior, since=28)["cases"]
    print("two weeks ahead:", skill(predicted, tested["cases"]))
