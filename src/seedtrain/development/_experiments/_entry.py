"""The study file: factors, limits between them, responses with their goals; read with the place of every fault."""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from seedtrain.base import Document, InputError, SeedtrainError, collect, digest_bytes, load
from seedtrain.development._experiments._acquire import Region
from seedtrain.development._experiments._surrogate import Space
from seedtrain.quantity import QuantityError, parse

Floats = NDArray[np.float64]
Value = float | str
Goal = Literal["maximise", "minimise", "none"]
_TERM: Final = re.compile(r"\s*([+-]?)\s*(?:(\d+\.?\d*(?:[eE][-+]?\d+)?)\s*\*?\s*)?([A-Za-z_]\w*)?")
ROUNDED: Final = 6
MOST_STEPPED: Final = 6
"""Factors with steps whose roundings are tried together."""


class _Entry(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class FactorEntry(_Entry):
    """A factor as it is written: `low` and `high` with `scale` and `step`, or `levels`; `mixture` marks a component."""

    low: str = ""
    high: str = ""
    scale: Literal["linear", "log"] = "linear"
    step: str = ""
    levels: list[str] = Field(default_factory=list)
    mixture: bool = False
    recipe: str = ""


class ResponseEntry(_Entry):
    """A response: its `unit`, its `goal`, and a `limit` such as `<= 2 g/L` that a run must hold."""

    unit: str = ""
    goal: Goal = "none"
    limit: str = ""
    attribute: str = ""


class StudyEntry(_Entry):
    """The whole study file."""

    study: str = Field(min_length=1)
    factors: dict[str, FactorEntry] = Field(min_length=1)
    constraints: list[str] = Field(default_factory=list)
    responses: dict[str, ResponseEntry] = Field(min_length=1)


@dataclass(frozen=True)
class Factor:
    """One factor: continuous from `low` to `high` in `unit`, or one of `levels`.

    - `log`: its range is even in the logarithm. - `step`: readings it can be set to lie so far apart, 0 for any.
    - `mixture`: a part of a whole of 1. - `recipe`: the value of a recipe that it is, `PATH:NAME`.
    """

    name: str
    unit: str = ""
    low: float = 0.0
    high: float = 1.0
    log: bool = False
    step: float = 0.0
    levels: tuple[str, ...] = ()
    mixture: bool = False
    recipe: str = ""

    def scaled(self, value: Value) -> float:
        """The value's place from 0 (low) to 1 (high), or the number of its level."""
        if self.levels:
            return float(self.levels.index(str(value)))
        number = float(value)
        if self.log:
            return math.log(number / self.low) / math.log(self.high / self.low)
        return (number - self.low) / (self.high - self.low)

    def actual(self, place: float) -> Value:
        """The value at a place, rounded to what can be set."""
        if self.levels:
            return self.levels[round(place)]
        place = min(max(place, 0.0), 1.0)
        value = self.low * (self.high / self.low) ** place if self.log else self.low + place * (self.high - self.low)
        if self.step:
            value = min(self.high, self.low + round((value - self.low) / self.step) * self.step)
        return float(f"{value:.{ROUNDED}g}")


@dataclass(frozen=True)
class Response:
    """What is read of a run; `low` and `high` are limits that a run must hold, infinite where there is none."""

    name: str
    unit: str
    goal: Goal
    low: float = -math.inf
    high: float = math.inf
    attribute: str = ""

    @property
    def limited(self) -> bool:
        """Whether it has a limit."""
        return math.isfinite(self.low) or math.isfinite(self.high)


@dataclass(frozen=True)
class Limit:
    """A limit between factors: sum of `weights` times the factors' values (in their units) is at most `bound`."""

    text: str
    weights: Mapping[str, float]
    bound: float


@dataclass(frozen=True)
class Experiment:
    """A study: its factors, limits between them and responses; `key` is the digest of its file."""

    name: str
    factors: tuple[Factor, ...]
    responses: tuple[Response, ...]
    limits: tuple[Limit, ...] = ()
    key: str = ""

    @property
    def continuous(self) -> tuple[Factor, ...]:
        """Factors with a range, in order."""
        return tuple(item for item in self.factors if not item.levels)

    @property
    def categorical(self) -> tuple[Factor, ...]:
        """Factors with levels, in order."""
        return tuple(item for item in self.factors if item.levels)

    @property
    def ordered(self) -> tuple[Factor, ...]:
        """Factors in the order of a point's columns: continuous, then categorical."""
        return (*self.continuous, *self.categorical)

    @property
    def space(self) -> Space:
        """The columns of a point."""
        return Space(len(self.continuous), tuple(len(item.levels) for item in self.categorical))

    @property
    def region(self) -> Region:
        """The space with the limits between factors, as rows over places from 0 to 1."""
        rows, bounds = [], []
        for limit in self.limits:
            weights = [limit.weights.get(item.name, 0.0) for item in self.continuous]
            spans = [item.high - item.low for item in self.continuous]
            rows.append([weight * span for weight, span in zip(weights, spans, strict=True)])
            bounds.append(limit.bound - sum(w * f.low for w, f in zip(weights, self.continuous, strict=True)))
        return Region(self.space, np.array(rows).reshape(len(rows), len(self.continuous)), np.array(bounds))

    def point(self, values: Mapping[str, Value]) -> Floats:
        """The columns of a run's factors."""
        return np.array([item.scaled(values[item.name]) for item in self.ordered])

    def values(self, point: Floats) -> dict[str, Value]:
        """A point as values of the factors, rounded to what can be set; in the file's order of factors.

        Where rounding to steps breaks a limit between factors, the nearest steps that hold it are taken.
        """
        found = {item.name: item.actual(float(place)) for item, place in zip(self.ordered, point, strict=True)}
        if not self._holds(found):
            found = self._stepped(found)
        return {item.name: found[item.name] for item in self.factors}

    def _stepped(self, values: dict[str, Value]) -> dict[str, Value]:
        stepped = [item for item in self.continuous if item.step][:MOST_STEPPED]
        ways = itertools.product((0, -1, 1), repeat=len(stepped))
        for way in sorted(ways, key=lambda way: sum(map(abs, way))):
            moved = dict(values)
            for item, steps in zip(stepped, way, strict=True):
                moved[item.name] = float(f"{float(values[item.name]) + steps * item.step:.{ROUNDED}g}")
            if all(item.low <= float(moved[item.name]) <= item.high for item in stepped) and self._holds(moved):
                return moved
        return values

    def _holds(self, values: Mapping[str, Value]) -> bool:
        """Whether values hold the limits between factors, but for what rounding to digits does."""
        for limit in self.limits:
            parts = [weight * float(values[name]) for name, weight in limit.weights.items()]
            if sum(parts) > limit.bound + 10.0 ** (1 - ROUNDED) * max(map(abs, (*parts, limit.bound))):
                return False
        return True


def read_experiment(path: Path) -> Experiment:
    """A study file; every fault at once, each with its place."""
    entry, document = load(path, StudyEntry, what="study")
    faults: list[SeedtrainError] = []
    factors: list[Factor] = []
    responses: list[Response] = []
    for name, item in entry.factors.items():
        try:
            factors.append(_factor(name, item, document))
        except SeedtrainError as error:
            faults.append(error)
    for name, response in entry.responses.items():
        try:
            responses.append(_response(name, response, document))
        except SeedtrainError as error:
            faults.append(error)
    if len(responses) == len(entry.responses) and not any(item.goal != "none" or item.limited for item in responses):
        faults.append(document.error(("responses",), "no response has a goal or a limit",
                                     remedy="Give one: goal: maximise, or limit: '<= 2 g/L'."))  # fmt: skip
    collect(faults)
    limits = _limits(entry, factors, document)
    key = digest_bytes("\n".join(document.lines).encode())
    return Experiment(entry.study, tuple(factors), tuple(responses), limits, key)


def _factor(name: str, entry: FactorEntry, document: Document) -> Factor:
    place: tuple[str | int, ...] = ("factors", name)
    if not re.fullmatch(r"[A-Za-z_]\w*", name):
        raise document.error(
            place, f"{name!r} is no name of a factor", remedy="Use letters, digits and _.", at_key=True
        )
    if entry.levels:
        if entry.low or entry.high or entry.mixture or entry.step:
            raise document.error(place, "a factor has levels or a range, not both", remedy="Remove one of them.")
        if len(entry.levels) < 2 or len(set(entry.levels)) < len(entry.levels):
            raise document.error((*place, "levels"), "a factor needs two different levels or more", remedy="Name them.")
        return Factor(name, levels=tuple(entry.levels), recipe=entry.recipe)
    if not entry.low or not entry.high:
        raise document.error(
            place, "a factor needs low and high, or levels", remedy="Give low: 28 degC, high: 37 degC."
        )
    low = _quantity(entry.low, "" if entry.mixture else None, document, (*place, "low"))
    unit = low[1]
    high = _quantity(entry.high, unit, document, (*place, "high"))
    step = _quantity(entry.step, unit, document, (*place, "step"))[0] if entry.step else 0.0
    if not high[0] > low[0]:
        raise document.error((*place, "high"), f"high is {entry.high}, not above low, {entry.low}", remedy="Swap them.")
    if entry.scale == "log" and low[0] <= 0:
        raise document.error((*place, "low"), f"low is {entry.low}: it has no logarithm", remedy="Give one above 0.")
    if step < 0 or step > high[0] - low[0]:
        raise document.error((*place, "step"), f"a step of {entry.step} does not fit the range", remedy="Give less.")
    if entry.mixture and (unit or low[0] < 0 or high[0] > 1 or entry.scale == "log"):
        raise document.error(place, "a component of a mixture is a part from 0 to 1 (or 0 % to 100 %)",
                             remedy="Give low: 0 %, high: 60 %.")  # fmt: skip
    return Factor(name, unit, low[0], high[0], entry.scale == "log", step, (), entry.mixture, entry.recipe)


def _quantity(text: str, unit: str | None, document: Document, place: tuple[str | int, ...]) -> tuple[float, str]:
    """A number in `unit`, or in the one that it is written in."""
    try:
        found = parse(text)
        unit = found.unit if unit is None else unit
        return found.magnitude(unit), unit
    except QuantityError as error:
        raise document.error(place, error.message, remedy=error.remedy or "Write a number with its unit.") from None


def _response(name: str, entry: ResponseEntry, document: Document) -> Response:
    place = ("responses", name)
    if not entry.limit:
        return Response(name, entry.unit, entry.goal, attribute=entry.attribute)
    match = re.fullmatch(r"\s*(<=|>=)\s*(.+)", entry.limit)
    if not match:
        raise document.error((*place, "limit"), f"{entry.limit!r} is no limit", remedy="Write '<= 2 g/L' or '>= 20 %'.")
    try:
        value = parse(match[2], like=entry.unit).magnitude(entry.unit)
    except QuantityError as error:
        raise document.error(
            (*place, "limit"), error.message, remedy=f"Give it in {entry.unit or 'no unit'}."
        ) from None
    low, high = (-math.inf, value) if match[1] == "<=" else (value, math.inf)
    return Response(name, entry.unit, entry.goal, low, high, entry.attribute)


def _limits(entry: StudyEntry, factors: list[Factor], document: Document) -> tuple[Limit, ...]:
    """Limits between continuous factors, and that the components of a mixture make a whole."""
    known = {item.name: item for item in factors}
    faults: list[SeedtrainError] = []
    found: list[Limit] = []
    for at, text in enumerate(entry.constraints):
        place = ("constraints", at)
        match = re.fullmatch(r"(.+?)(<=|>=)\s*([-+]?\d+\.?\d*(?:[eE][-+]?\d+)?)\s*", text)
        try:
            if not match:
                raise InputError(
                    f"{text!r} is no limit", remedy="Write 'feed + 0.2*temperature <= 12', in their units."
                )
            found.append(_limit(text, match[1], match[2], float(match[3]), known))
        except InputError as error:
            faults.append(document.error(place, error.message, remedy=error.remedy))
    collect(faults)
    return tuple(found)


def _limit(text: str, left: str, sign: str, bound: float, known: Mapping[str, Factor]) -> Limit:
    weights: dict[str, float] = {}
    at = 0
    while at < len(left.rstrip()):
        match = _TERM.match(left, at)
        if not match or not match[3] or match.end() == at or (weights and not match[1]):
            raise InputError(f"{text!r} is no sum of factors", remedy="Write 'feed + 0.2*temperature <= 12'.")
        factor = known.get(match[3])
        if factor is None or factor.levels or factor.log:
            names = ", ".join(item.name for item in known.values() if not item.levels and not item.log)
            raise InputError(f"{match[3]!r} is no factor with an even range", remedy=f"Use some of: {names}.")
        weights[match[3]] = weights.get(match[3], 0.0) + float(match[2] or 1) * (-1 if match[1] == "-" else 1)
        at = match.end()
    if sign == ">=":
        return Limit(text, {name: -value for name, value in weights.items()}, -bound)
    return Limit(text, weights, bound)
