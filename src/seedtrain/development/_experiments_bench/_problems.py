"""The three problems: what may be set, what is truly got, how noisily it is read, and what a model would expect."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from seedtrain.development._experiments import (
    Experiment,
    ExperimentFactor,
    ExperimentPrior,
    Response,
    fit_surrogate,
)
from seedtrain.development._experiments._acquire import spread_points
from seedtrain.development._experiments_bench._fed_batch import TRUTH, fed_batch

Floats = NDArray[np.float64]
Value = float | str
Truth = Callable[[Mapping[str, Value]], dict[str, float]]
MODELLED: Final = 128
"""Runs of a model that its surrogate is made of, as `suggest --recipe` makes them."""


@dataclass(frozen=True)
class Problem:
    """A study with its truth.

    - `noise`: standard deviation of each reading, in its unit. - `best`: the largest value that holds the limits.
    - `model`: what a model of the process says, given a generator that draws how it is wrong; None without a model.
    """

    name: str
    study: Experiment
    truth: Truth
    noise: Mapping[str, float]
    best: float
    model: Callable[[np.random.Generator], Truth] | None = field(default=None)

    def read(self, values: Mapping[str, Value], rng: np.random.Generator) -> dict[str, float]:
        """What is read of a run."""
        return {name: value + self.noise[name] * float(rng.standard_normal()) for name, value in
                self.truth(values).items()}  # fmt: skip

    def reached(self, values: Mapping[str, Value]) -> float:
        """The true value of the goal; minus infinity where a limit is truly broken."""
        found = self.truth(values)
        if not all(item.low <= found[item.name] <= item.high for item in self.study.responses):
            return -math.inf
        return found[self.study.responses[0].name]

    def prior(self, seed: int) -> ExperimentPrior | None:
        """A surrogate of a model with wrong parameters, drawn by `seed`."""
        if self.model is None:
            return None
        told = self.model(np.random.default_rng(seed))
        points = spread_points(self.study.region, MODELLED, seed)
        rows = [told(self.study.values(point)) for point in points]
        space = self.study.space
        models = {item.name: fit_surrogate(space, points, np.array([row[item.name] for row in rows]))
                  for item in self.study.responses}  # fmt: skip
        return lambda x: {name: model.expected(x) for name, model in models.items()}


A: Final = np.array(
    [[10, 3, 17, 3.5, 1.7, 8], [0.05, 10, 17, 0.1, 8, 14], [3, 3.5, 1.7, 10, 17, 8], [17, 8, 0.05, 10, 0.1, 14]]
)
P: Final = 1e-4 * np.array(
    [[1312, 1696, 5569, 124, 8283, 5886], [2329, 4135, 8307, 3736, 1004, 9991],
     [2348, 1451, 3522, 2883, 3047, 6650], [4047, 8828, 8732, 5743, 1091, 381]]
)  # fmt: skip


def hartmann_six() -> Problem:
    """Hartmann's function of six variables as a maximum, 3.32237, read with noise (Dixon & Szegö 1978)."""

    def truth(values: Mapping[str, Value]) -> dict[str, float]:
        x = np.array([float(value) for value in values.values()])
        return {"y": float((np.array([1, 1.2, 3, 3.2]) * np.exp(-(A * (x - P) ** 2).sum(1))).sum())}

    factors = tuple(ExperimentFactor(f"x{at + 1}") for at in range(6))
    return Problem("Hartmann6 + noise", Experiment("hartmann6", factors, (Response("y", "", "maximise"),)), truth,
                   {"y": 0.1}, 3.32237)  # fmt: skip


def fed_batch_problem() -> Problem:
    """Five set points of a fed-batch, the titre to maximise, dissolved oxygen never below 20 %.

    The model that comes as prior has every parameter off by a drawn 15 % and knows of no proteolysis.
    """
    factors = (
        ExperimentFactor("glucose", "g/L", 5, 30), ExperimentFactor("growth_rate", "1/h", 0.10, 0.30),
        ExperimentFactor("induction", "h", 2, 14), ExperimentFactor("temperature", "degC", 22, 37),
        ExperimentFactor("feed_share", "", 0.1, 1.5),
    )  # fmt: skip
    responses = (Response("titre", "g/L", "maximise"), Response("oxygen", "%", "none", 20.0))

    def told(parameters: Floats) -> Truth:
        def run(values: Mapping[str, Value]) -> dict[str, float]:
            titre, oxygen = fed_batch(parameters, *(float(values[item.name]) for item in factors))
            return {"titre": titre, "oxygen": oxygen}

        return run

    def model(rng: np.random.Generator) -> Truth:
        parameters = TRUTH * np.exp(0.15 * rng.standard_normal(len(TRUTH)))
        parameters[FOLDED] = TRUTH[FOLDED] + 1.0 * rng.standard_normal()
        parameters[LOSS] = 0.0
        return told(parameters)

    study = Experiment("fed-batch", factors, responses)
    return Problem("fed-batch, DO >= 20 %", study, told(TRUTH), {"titre": 0.15, "oxygen": 1.0}, 8.171, model)


FOLDED, LOSS = 12, 14
Carbon = Mapping[str, tuple[float, float]]
Nitrogen = Mapping[str, tuple[float, float, float]]
CARBON: Final[Carbon] = {"glucose": (1.0, 20.0), "glycerol": (1.15, 32.0), "sucrose": (0.8, 26.0)}
"""Relative yield, and the best concentration, g/L."""
NITROGEN: Final[Nitrogen] = {
    "ammonium": (0.7, 3.5, 6.9), "yeast extract": (1.0, 9.0, 6.6), "peptone": (0.9, 12.0, 7.1),
    "corn steep": (0.8, 15.0, 6.2),
}  # fmt: skip
"""Relative yield, the best concentration, g/L, and the best pH."""


def media_problem() -> Problem:
    """A medium: source of carbon, source of nitrogen, and five continuous factors; made up, of usual shapes.

    The model that comes as prior knows the kinetics of the concentrations with constants off by a drawn 25 %, nothing
    of how sources differ.
    """
    factors = (
        ExperimentFactor("carbon", "g/L", 5, 80), ExperimentFactor("nitrogen", "g/L", 1, 30),
        ExperimentFactor("phosphate", "g/L", 0.3, 12, log=True),
        ExperimentFactor("magnesium", "mmol/L", 0.1, 20, log=True), ExperimentFactor("pH", "", 5.0, 8.5),
        ExperimentFactor("carbon_source", levels=tuple(CARBON)),
        ExperimentFactor("nitrogen_source", levels=tuple(NITROGEN)),
    )  # fmt: skip

    def told(scale: Floats, carbon: Carbon, nitrogen: Nitrogen) -> Truth:
        def run(values: Mapping[str, Value]) -> dict[str, float]:
            c_yield, c_best = carbon[str(values["carbon_source"])]
            n_yield, n_best, ph_best = nitrogen[str(values["nitrogen_source"])]
            found = 10.0 * c_yield * n_yield
            found *= _inhibited(float(values["carbon"]), c_best * scale[0])
            found *= _inhibited(float(values["nitrogen"]), n_best * scale[1])
            found *= _inhibited(float(values["phosphate"]), 2.5 * scale[2]) ** 0.7
            found *= _inhibited(float(values["magnesium"]), 2.0 * scale[3]) ** 0.5
            found *= math.exp(-(((float(values["pH"]) - ph_best - math.log(scale[4])) / 0.8) ** 2) / 2)
            return {"titre": found}

        return run

    def model(rng: np.random.Generator) -> Truth:
        one = dict.fromkeys(CARBON, (1.0, 26.0))
        other = dict.fromkeys(NITROGEN, (0.85, 9.0, 6.7))
        return told(np.exp(0.25 * rng.standard_normal(5)), one, other)

    study = Experiment("media", factors, (Response("titre", "g/L", "maximise"),))
    best = 10.0 * 1.15
    return Problem("media, 2 categorical", study, told(np.ones(5), CARBON, NITROGEN), {"titre": 0.2}, best, model)


def _inhibited(value: float, best: float) -> float:
    """Want below and inhibition above the best concentration, where it is 1; squared, so that there is a peak."""
    ratio = value / best
    return 4.0 * ratio**2 / (1.0 + ratio**2) ** 2


def problems() -> tuple[Problem, ...]:
    """All three."""
    return hartmann_six(), fed_batch_problem(), media_problem()
