"""What varies in a design space: set points with their control noise, raw materials, and what a fit leaves open."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np

from seedtrain.base import InputError, Position
from seedtrain.development._design_space._fit_file import FitRow, Floats, parsed_fit, read_fit_file
from seedtrain.development._design_space._joint import Joint, joint
from seedtrain.quantity import Quantity, QuantityError, parse, parse_range
from seedtrain.recipe import MasterRecipe
from seedtrain.simulation import Culture

Kind = Literal["factor", "raw_material", "culture"]
_NORMAL_90: Final = 1.6448536269514722


@dataclass(frozen=True)
class Input:
    """One thing that varies.

    - `kind`: `factor` (a set point of the recipe at `path`), `raw_material` (a constituent's concentration) or
      `culture` (a parameter).
    - `low`, `high`: the range of a factor in `unit`; of the others the values at -3 and +3 standard deviations.
    - `target`: the recipe's or culture's value. `deviation`: standard deviation, of the control for a factor.
    - `logarithmic`: whether the deviation is of the logarithm. `source`: where the deviation comes from.
    - `together`: the parameters with which it varies, None where it varies by itself.
    """

    kind: Kind
    path: str
    name: str
    unit: str
    target: float
    low: float
    high: float
    deviation: float
    logarithmic: bool = False
    source: str = ""
    together: Joint | None = None

    def to_data(self) -> dict[str, Any]:
        """JSON-ready."""
        kept = {name: value for name, value in vars(self).items() if name != "together"}
        return kept | ({"together_with": list(self.together.names)} if self.together else {})

    @property
    def label(self) -> str:
        """Path and name."""
        return f"{self.path}:{self.name}" if self.path else self.name

    @property
    def ends(self) -> tuple[float, float]:
        """What a factor's actual value can reach: its range and three deviations of the control beyond."""
        return self.low - 3 * self.deviation, self.high + 3 * self.deviation


def factor(recipe: MasterRecipe, text: str, noise: float) -> Input:
    """The factor that "PATH:NAME=LOW..HIGH" names; `noise`: standard deviation of the control over the range.

    Raises `InputError` for an unknown phase or parameter, a range of another dimension or without the target in it.
    """
    where, equals, given = text.rpartition("=")
    path, colon, name = where.strip().rpartition(":")
    if not (equals and colon):
        raise InputError(
            f"{text!r} is no factor", remedy="Write production/growth/fed-batch:growth_rate=0.10 .. 0.18 1/h."
        )
    value = _value(recipe, path, name)
    try:
        found = parse_range(given.strip())
        low, high = (end.magnitude(value.unit) if end is not None else math.nan for end in (found.low, found.high))
    except QuantityError as error:
        raise InputError(f"{text!r}: {error.message}", remedy=error.remedy) from None
    if not low < high:
        raise InputError(f"{text!r} gives no range", remedy="Give a lower and a higher end, such as 0.10 .. 0.18 1/h.")
    if not low <= value.value <= high:
        raise InputError(
            f"{where}: the recipe's {value} lies outside {low:g} .. {high:g} {value.unit}".rstrip(),
            remedy="Choose a range that holds the recipe's own value.",
        )
    if not 0 <= noise < 0.5:
        raise InputError(f"a control noise of {noise:g} of the range", remedy="Give 0 to 0.5, such as 0.03.")
    return Input("factor", path, name, value.unit, value.value, low, high, noise * (high - low), source="given")


def strategy_factors(recipe: MasterRecipe, noise: float) -> tuple[Input, ...]:
    """The numbers of the recipe's own control strategy, each over its range widened by half at both ends."""
    found = []
    for line in recipe.control_strategy:
        low, high = line.range.low, line.range.high
        value = recipe.phase(line.at).set.get(line.parameter)
        if low is None or high is None or not isinstance(value, Quantity):
            continue
        unit = value.unit
        ends = low.magnitude(unit), high.magnitude(unit)
        half = 0.5 * (ends[1] - ends[0])
        wide = max(ends[0] - half, 0.5 * ends[0]), ends[1] + half
        if wide[0] < value.value < wide[1]:
            noisy = noise * (wide[1] - wide[0])
            found.append(Input("factor", line.at, line.parameter, unit, value.value, *wide, noisy, source="strategy"))
    if not found:
        raise InputError(
            "the recipe's control strategy has no numbers to vary",
            remedy="Name factors: --factor 'production/growth/fed-batch:growth_rate=0.10 .. 0.18 1/h'.",
        )
    return tuple(found)


def raw_material(recipe: MasterRecipe, text: str) -> Input:
    """The constituent that "MATERIAL:CONSTITUENT=SPREAD" names, for instance "feed:glucose=2 %"."""
    where, equals, given = text.rpartition("=")
    material, colon, name = where.strip().partition(":")
    if not (equals and colon) or material not in recipe.materials or name not in recipe.materials[material]:
        known = ", ".join(f"{one}:{other}" for one, content in recipe.materials.items() for other in content)
        raise InputError(f"{text!r} names no constituent", remedy=f"Write feed:glucose=2 %; known: {known}.")
    spread = parse(given.strip(), like="").magnitude("")
    if not 0 < spread < 0.5:
        raise InputError(f"{text!r}: a spread of {100 * spread:g} %", remedy="Give above 0 and below 50 %.")
    value = recipe.materials[material][name]
    return _around("raw_material", f"materials/{material}", name, value.unit, value.value, spread, "given")


def spread_culture(culture: Culture, spread: float) -> tuple[Input, ...]:
    """Every parameter of the culture above 0 with a relative standard deviation, where no fit says better."""
    if not 0 < spread < 0.5:
        raise InputError(f"a spread of {100 * spread:g} %", remedy="Give above 0 and below 50 %.")
    return tuple(
        _around("culture", "", name, item.unit, item.value, spread, "assumed spread")
        for name, item in culture.parameters.items()
        if item.value > 0
    )


def fitted_culture_inputs(culture: Culture, path: Path) -> tuple[tuple[Input, ...], str]:
    """What the fit in `path` (fit.json) leaves of the culture's parameters, and the digest of what says so.

    Where the fit drew its posterior and the chains agree, parameters vary together as its draws do (draws.csv beside
    the file). Else each identified parameter is lognormal between the ends of its interval, independent of the others
    (fit.json keeps no covariance); one whose interval is refused varies over the range in which it was sought.

    Where the fit counts how runs differ, every batch differs from the typical run as they do.
    """
    found = read_fit_file(path, culture)
    if found.new_run is not None:
        return _drawn(found.rows, found.new_run, found.source), found.key
    inputs = tuple(item for row in found.rows if (item := _between(row, found.source)) is not None)
    if not inputs:
        raise InputError(
            "no parameter of the fit has an interval above 0", position=Position(str(path)),
            remedy="Fit with --posterior 2000, whose draws say what varies.",
        )  # fmt: skip
    return inputs, found.key


def fitted_values(culture: Culture, path: Path) -> dict[str, float]:
    """The values of the culture's parameters in the fit in `path` (fit.json), in the culture's units."""
    found = {}
    for row in parsed_fit(path)["parameters"]:
        if row["name"] in culture.parameters:
            unit = culture.parameters[row["name"]].unit
            found[row["name"]] = Quantity(float(row["value"]), str(row["unit"])).magnitude(unit)
    if not found:
        raise InputError(
            f"the fit has no parameter of the culture {culture.name}",
            position=Position(str(path)),
            remedy="Give the fit of this recipe's culture.",
        )
    return found


def _drawn(rows: Sequence[FitRow], draws: Mapping[str, Floats], source: str) -> tuple[Input, ...]:
    """Parameters that vary together as the posterior's draws."""
    together = joint(dict(draws))
    found = []
    for row in rows:
        values = draws[row.name]
        low, middle, high = (float(value) for value in np.quantile(values, [0.00135, 0.5, 0.99865]))
        found.append(Input("culture", "", row.name, row.unit, middle, low, high, float(values.std()), source=source,
                           together=together))  # fmt: skip
    return tuple(found)


def _between(row: FitRow, source: str) -> Input | None:
    """A parameter between the ends of its interval, or of the range in which it was sought; None at or below 0.

    The next run differs from the typical one as the runs of the fit do, and that is added.
    """
    low, high = row.interval or (row.low, row.high)
    value = row.value if row.interval else min(max(row.value, low), high)
    if not 0 < low < high:
        return None
    deviation = math.hypot(math.log(high / low) / (2 * _NORMAL_90), row.between / value)
    return _normal("culture", "", row.name, row.unit, value, deviation, source)


def _around(kind: Kind, path: str, name: str, unit: str, value: float, spread: float, source: str) -> Input:
    return _normal(kind, path, name, unit, value, math.log1p(spread), source)


def _normal(kind: Kind, path: str, name: str, unit: str, value: float, deviation: float, source: str) -> Input:
    low, high = value * math.exp(-3 * deviation), value * math.exp(3 * deviation)
    return Input(kind, path, name, unit, value, low, high, deviation, logarithmic=True, source=source)


def _value(recipe: MasterRecipe, path: str, name: str) -> Quantity:
    value = recipe.phase(path).set.get(name)
    if isinstance(value, Quantity):
        return value
    known = [key for key, item in recipe.phase(path).set.items() if isinstance(item, Quantity)]
    raise InputError(f"{path} sets no number {name!r}", remedy=f"Use one of: {', '.join(known)}.")


def check_distinct(inputs: Sequence[Input]) -> None:
    """Refuse an input that stands twice, and fewer than one factor."""
    seen: set[str] = set()
    for item in inputs:
        if item.label in seen:
            raise InputError(f"{item.label} varies twice", remedy="Name it once.")
        seen.add(item.label)
    if not any(item.kind == "factor" for item in inputs):
        raise InputError("no set point varies, so there is no space", remedy="Name a factor with --factor.")
