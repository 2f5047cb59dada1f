"""The learned function, written in the language of culture files: exact derivatives, balances and SBML come with it.

A Gaussian process stands in the space of its weights: Gaussian basis functions with independent normal weights are
one, and the more of them, the nearer to a squared-exponential covariance (Rasmussen & Williams 2006, Gaussian Processes
for Machine Learning, section 4.2.1). A network has one hidden layer of tanh. Either is bounded: from 0 to a top, or a
factor between exp(-2) and exp(2).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from seedtrain.development._hybrid._form import HybridRate
from seedtrain.development._hybrid._visited import Floats

CENTRES: Final = {1: 7, 2: 10, 3: 13, 4: 16}
"""Basis functions by the number of inputs."""
HIDDEN: Final = 4
SPANS: Final = 10.0
"""A state that varies more than this factor is read by its logarithm (above a tenth of what is usual)."""
REACH: Final = 1.2
"""Width of a basis function over the distance to its nearest neighbour."""
TOP: Final = 2.5
"""A learned rate stays below so many times the largest of the culture's own form."""
FACTOR: Final = 2.0
LIMIT: Final = 12.0
LEVEL: Final = 2.0
"""Standard deviation of the level of a learned rate on its logistic scale; a factor's is that of its weights."""


@dataclass(frozen=True)
class Axis:
    """One input, scaled so that it runs from 0 to 1 where the runs went; by the logarithm of `x + add` where `add`."""

    symbol: str
    unit: str
    low: float
    high: float
    add: float = 0.0

    def place(self, values: Floats) -> Floats:
        """Values on the scale."""
        if self.add:
            return np.asarray(np.log((values + self.add) / (self.low + self.add)) / self._span)
        return np.asarray((values - self.low) / (self.high - self.low))

    @property
    def _span(self) -> float:
        return math.log((self.high + self.add) / (self.low + self.add))

    def constants(self, rate: str) -> dict[str, str]:
        """The numbers with a unit that its text reads."""
        name = f"{rate}_{self.symbol}"
        if self.add:
            return {f"{name}_add": _measure(self.add, self.unit),
                    f"{name}_from": _measure(round(self.low + self.add, 9), self.unit)}  # fmt: skip
        wide = "K" if self.unit == "degC" else self.unit
        return {f"{name}_from": _measure(self.low, self.unit), f"{name}_wide": _measure(self.high - self.low, wide)}

    def text(self, rate: str) -> str:
        """The scaled input as an expression."""
        name = f"{rate}_{self.symbol}"
        if self.add:
            return f"log(({self.symbol} + {name}_add) / {name}_from) / {self._span!r}"
        return f"({self.symbol} - {name}_from) / {name}_wide"


@dataclass(frozen=True)
class Learned:
    """A form with everything that its text needs; what is trained are its `weights`, each with a prior around 0.

    - `top`: bound of the rate in its `unit`; `level`: where its weight 0 starts; `gates`: what it vanishes with, and at
      which amount it is half.
    """

    form: HybridRate
    unit: str
    axes: tuple[Axis, ...]
    centres: tuple[tuple[float, ...], ...]
    width: float
    top: float
    level: float
    gates: Mapping[str, tuple[float, str]]

    @property
    def weights(self) -> tuple[str, ...]:
        """The names of what is trained; the first is the level."""
        rate, wide = self.form.rate, len(self.axes)
        count = len(self.centres) if self.form.kind == "gp" else HIDDEN * (wide + 2)
        return tuple(f"{rate}_w{at}" for at in range(count + 1))

    def priors(self, strength: float) -> dict[str, tuple[float, float]]:
        """Mean and standard deviation of every weight, where those of the function have `strength`."""
        first, *others = self.weights
        spread = strength if self.form.factor else LEVEL
        return {first: (self.level, spread)} | dict.fromkeys(others, (0.0, strength))

    def begin(self, dice: np.random.Generator | None) -> dict[str, float]:
        """Where training starts: the level alone, or for a network small weights that tell its units apart."""
        first, *others = self.weights
        drawn = [0.0] * len(others) if dice is None else (0.5 * dice.normal(size=len(others))).tolist()
        return {first: self.level} | dict(zip(others, drawn, strict=True))

    def function(self) -> str:
        """The function of the scaled inputs, without bounds."""
        names = [f"{self.form.rate}_at_{axis.symbol}" for axis in self.axes]
        first, *others = self.weights
        if self.form.kind == "gp":
            terms = []
            for weight, centre in zip(others, self.centres, strict=True):
                parts = [f"({name} - {at!r}) ** 2" for name, at in zip(names, centre, strict=True)]
                terms.append(f"{weight} * exp(-({' + '.join(parts)}) / {round(2 * self.width**2, 6)!r})")
            return " + ".join([first, *terms])
        terms, size = [], len(names) + 2
        for unit in range(HIDDEN):
            out, bias, *slopes = others[unit * size : (unit + 1) * size]
            parts = [f"{slope} * (2 * {name} - 1)" for slope, name in zip(slopes, names, strict=True)]
            terms.append(f"{out} * tanh({' + '.join([bias, *parts])})")
        return " + ".join([first, *terms])

    def lines(self, own: str) -> dict[str, str]:
        """The expressions that take the place of the rate, whose `own` form was this; the last is the rate."""
        rate = self.form.rate
        found = {f"{rate}_at_{axis.symbol}": axis.text(rate) for axis in self.axes}
        found[f"{rate}_f"] = self.function()
        head, caps = _capped(own)
        if self.form.factor:
            learned = f"({head}) * exp({FACTOR!r} * tanh({rate}_f / {FACTOR!r}))"
        else:
            gates = [f"max({name}, 0) / (max({name}, 0) + {rate}_gate_{name})" for name in self.gates]
            learned = " * ".join([f"{rate}_top / (1 + exp(-{rate}_f))", *gates])
        found[rate] = f"min({', '.join([learned, *caps])})" if caps else learned
        return found

    def constants(self) -> dict[str, str]:
        """The numbers with a unit that `lines` read."""
        rate = self.form.rate
        found: dict[str, str] = {}
        for axis in self.axes:
            found |= axis.constants(rate)
        if not self.form.factor:
            found[f"{rate}_top"] = _measure(self.top, self.unit)
            found |= {f"{rate}_gate_{name}": _measure(*half) for name, half in self.gates.items()}
        return found


def learned(form: HybridRate, unit: str, gates: Mapping[str, str], seen: Mapping[str, Floats], units: Mapping[str, str]
            ) -> Learned:  # fmt: skip
    """The untrained function of `form` over what the runs have `seen`; `gates`: what it vanishes with, by unit."""
    axes = tuple(_axis(name, units[name], seen[name]) for name in form.inputs)
    places = np.stack([axis.place(seen[axis.symbol]) for axis in axes], axis=1)
    centres, width = _centres(places) if form.kind == "gp" else ((), 1.0)
    rates = seen[form.rate]
    top = TOP * float(rates.max())
    usual = float(np.clip(np.median(rates[rates > 0.05 * rates.max()]) / top, 0.02, 0.9))
    level = 0.0 if form.factor else math.log(usual / (1 - usual))
    halves = {}
    for name, of in ({} if form.factor else gates).items():
        values = np.maximum(seen[name], 0.0)
        halves[name] = (float(f"{max(0.02 * float(np.median(values)), 1e-3 * float(values.max())):.4g}"), of)
    return Learned(form, unit, axes, centres, width, float(f"{top:.6g}"), round(level, 4), halves)


def _axis(symbol: str, unit: str, values: Floats) -> Axis:
    low, high = float(values.min()), float(values.max())
    if high - low <= 1e-9 * max(abs(high), 1e-9):
        high = low + max(abs(low), 1.0) * 0.1  # the runs never move it: whatever is learned of it is flat
    usual = float(np.quantile(values, 0.25))
    spread = high > 0 and low >= -1e-6 * high and high > SPANS * max(usual, low)
    add = max(0.1 * float(np.median(values)), usual, 0.01 * high) if spread and unit != "degC" else 0.0
    low, high, add = (float(f"{value:.5g}") for value in (max(low, 0.0) if spread else low, high, add))
    return Axis(symbol, unit, low, high, add)


def _centres(places: Floats) -> tuple[tuple[tuple[float, ...], ...], float]:
    """Places that cover where the runs went (each next one farthest from those before), and the functions' width."""
    count = CENTRES[places.shape[1]]
    if places.shape[1] == 1:
        return tuple((round(at / (count - 1), 4),) for at in range(count)), REACH / (count - 1)
    chosen = [int(np.argmin(((places - places.mean(axis=0)) ** 2).sum(axis=1)))]
    far = np.full(len(places), np.inf)
    while len(chosen) < count:
        far = np.minimum(far, ((places - places[chosen[-1]]) ** 2).sum(axis=1))
        if far.max() < 1e-6:
            break
        chosen.append(int(np.argmax(far)))
    centres = places[chosen]
    gaps = np.sqrt(((centres[:, None] - centres[None]) ** 2).sum(axis=2) + 9.0 * np.eye(len(centres)))
    width = REACH * float(gaps.min(axis=1).mean()) if len(centres) > 1 else 0.5
    return tuple(tuple(round(float(at), 4) for at in row) for row in centres), round(width, 4)


def _capped(own: str) -> tuple[str, Sequence[str]]:
    """Of `min(form, limit)` the form and the limit, which stays; anything else is all form."""
    import ast

    tree = ast.parse(own.strip(), mode="eval").body
    if isinstance(tree, ast.Call) and isinstance(tree.func, ast.Name) and tree.func.id == "min":
        return ast.unparse(tree.args[0]), [ast.unparse(item) for item in tree.args[1:]]
    return own, ()


def _measure(value: float, unit: str) -> str:
    return f"{value!r} {unit}".strip()
