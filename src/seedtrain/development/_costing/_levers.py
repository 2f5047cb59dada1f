"""Cost, carbon and amount of a batch as functions of what research moves: titre, rate, yield and recovery.

The functions take numbers, arrays and complex numbers alike, so that contours are one call and derivatives are exact:
the derivative is the imaginary part over the step of a call with an imaginary step so small that nothing rounds.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import numpy as np

from seedtrain.base import InputError
from seedtrain.development._draws import central
from seedtrain.development._factor_table import FactorTable
from seedtrain.development._line import Line, lines_of, product_of
from seedtrain.development._use import BATCHES, Inventory, Performance

LEVERS: Final[Mapping[str, str]] = {
    "titre": "g/L",
    "titre_in_same_time": "g/L",
    "rate": "g/L/h",
    "yield": "g/g",
    "recovery": "",
}
"""What can be moved, with its unit. A higher `titre` at the same rate takes a longer culture; `titre_in_same_time` is
the same titre with a rate that grows with it; a higher `rate` at the same titre takes a shorter culture."""
_SCHEDULE: Final = ("operating_days", "vessel_turnaround", "suite_turnaround")
_STEP: Final = 1e-200
_GROWTH: Final[Mapping[str, Mapping[str, float]]] = {
    "batch": {},
    "time": {"titre": 1.0, "rate": -1.0},
    "substrate": {"titre": 1.0, "yield": -1.0},
    "product": {"titre": 1.0},
    "released": {"titre": 1.0, "recovery": 1.0},
}


@dataclass(frozen=True)
class Figures:
    """Cost (money/kg), carbon (kg CO2e/kg), amount (kg released a year) and batches of a year."""

    cost: Any
    carbon: Any
    amount: Any
    batches: Any


@dataclass(frozen=True)
class Sensitivity:
    """What `name` does to a figure at its present value.

    - `elasticity`: relative change of the figure per relative change of `name`, exact, with the last batch of a year
      counted in part.
    - `lower`, `higher`: the figure with `name` a tenth lower and a tenth higher, whole batches.
    """

    name: str
    unit: str
    value: float
    elasticity: float
    lower: float
    higher: float


@dataclass(frozen=True)
class Levers:
    """One batch whose titre, rate, yield and recovery can be moved; prices and plant as in the table."""

    inventory: Inventory
    table: FactorTable

    @cached_property
    def performance(self) -> Performance:
        """What the culture and the train do now."""
        if self.inventory.performance is None:
            raise InputError(
                "nothing is known of the culture's titre, rate and recovery, so nothing of it can be moved",
                remedy="Give the case a 'process' with titre, broth, duration and recovery.",
            )
        return self.inventory.performance

    @cached_property
    def base(self) -> dict[str, float]:
        """The value of each lever now."""
        found = self.performance
        values = {"titre": found.titre, "titre_in_same_time": found.titre, "rate": found.rate}
        values["recovery"] = found.recovery
        return values if found.product_yield is None else {**values, "yield": found.product_yield}

    @cached_property
    def _lines(self) -> tuple[list[Line], list[Line]]:
        cost, carbon, _ = lines_of(self.inventory.uses, self.table)
        return cost, carbon

    @cached_property
    def _names(self) -> list[str]:
        used = {name for lines in self._lines for line in lines for name, _ in line.powers} - {BATCHES}
        return sorted({*used, *_SCHEDULE})

    def values(self, *, smooth: bool = False) -> dict[str, float]:
        """Every factor at its central value; lives are whole uses unless it is smooth."""
        factors = {name: self.table.factor(name) for name in self._names}
        return {name: factor.value if smooth else central(factor) for name, factor in factors.items()}

    def figures(
        self,
        levers: Mapping[str, Any] | None = None,
        factors: Mapping[str, Any] | None = None,
        *,
        smooth: bool = False,
    ) -> Figures:
        """The figures with `levers` (titre in g/L, rate in g/L/h, yield in g/g, recovery as a fraction) in place of
        the present ones and `factors` in place of the table's; numbers or arrays that go together.

        - `smooth`: the last batch of a year counts in part and lives are not whole, so that nothing jumps.
        """
        times = self._times(levers or {})
        values: dict[str, Any] = {**self.values(smooth=smooth), **(factors or {})}
        values[BATCHES] = batches = self._batches(values, times, smooth)
        kilograms = self.inventory.product / 1000.0 * times.get("titre", 1.0) * times.get("recovery", 1.0)
        growth = {name: _power(times, powers) for name, powers in _GROWTH.items()}
        cost, carbon = (self._total(lines, values, growth, smooth) / kilograms for lines in self._lines)
        return Figures(cost, carbon, kilograms * batches * values["batch_success"], batches)

    def _times(self, levers: Mapping[str, Any]) -> dict[str, Any]:
        unknown = [name for name in levers if name not in self.base]
        if unknown:
            why = "no substrate is known in its culture" if unknown[0] == "yield" else "it is no lever"
            raise InputError(f"{unknown[0]!r} cannot be moved: {why}", remedy=f"Use one of: {', '.join(self.base)}.")
        times = {name: value / self.base[name] for name, value in levers.items()}
        together = times.pop("titre_in_same_time", None)
        if together is not None:
            times = {**times, **{name: times.get(name, 1.0) * together for name in ("titre", "rate")}}
        return times

    def _batches(self, values: Mapping[str, Any], times: Mapping[str, Any], smooth: bool) -> Any:
        """Batches of a year; the culture's own time moves with titre over rate, everything else stays."""
        more = 0.0
        known = self.inventory.performance
        if known is not None:
            more = known.hours * (_power(times, _GROWTH["time"]) - 1.0)
        cycle: Any = 0.0
        for item in self.inventory.occupancies:
            own = more if known is not None and item.suite == known.suite else 0.0
            cycle = _larger(cycle, (item.hours + own + values.get(item.turnaround, 0.0)) / item.units)
        following = (24.0 * values["operating_days"] - self.inventory.lead_time - more) / cycle
        return _larger(1.0, 1.0 + (following if smooth else np.floor(following + 1e-9)))

    def _total(self, lines: list[Line], values: Mapping[str, Any], growth: Mapping[str, Any], smooth: bool) -> Any:
        weights: dict[Any, Any] = {}
        for line in lines:
            grown = line.grown(growth[line.use.grows], smooth=smooth)
            part = line.use.part
            weight = line.coefficient * (grown if part == 1.0 else 1.0 - part + part * grown)
            weights[line.powers] = weights.get(line.powers, 0.0) + weight
        found: Any = 0.0
        for powers, weight in weights.items():
            found = found + weight * product_of(powers, values)
        return found

    def yearly(self, item: str) -> float:
        """How much of an item the plant uses in a year of whole batches, in the unit of its price."""
        values = {**self.values(), BATCHES: float(self.figures().batches)}
        price = f"{item}.price"
        lines = [line for line in self._lines[0] if line.use.item == item]
        return float(sum(line.at(values) / values[price] for line in lines)) * values[BATCHES] * values["batch_success"]

    def sensitivities(self, figure: str = "cost") -> tuple[Sensitivity, ...]:
        """Of `cost`, `carbon` or `amount` to every lever and every factor, the strongest first."""
        middle = float(getattr(self.figures(smooth=True), figure))
        values = self.values(smooth=True)
        rows = [(name, LEVERS[name], value, True) for name, value in self.base.items()]
        rows += [(name, self.table.factor(name).unit, values[name], False) for name in self._names]
        found = []
        for name, unit, value, lever in rows:

            def at(number: Any, *, smooth: bool = False, name: str = name, lever: bool = lever) -> Any:
                moved = {name: number}
                chosen = self.figures(moved, smooth=smooth) if lever else self.figures(None, moved, smooth=smooth)
                return getattr(chosen, figure)

            if not value:
                continue
            slope = np.imag(at(complex(value, _STEP), smooth=True)) / _STEP
            found.append(
                Sensitivity(
                    name, unit, value, float(slope * value / middle), float(at(0.9 * value)), float(at(1.1 * value))
                )
            )
        return tuple(sorted(found, key=lambda item: -abs(item.elasticity)))


def _power(times: Mapping[str, Any], powers: Mapping[str, float]) -> Any:
    found: Any = 1.0
    for name, power in powers.items():
        if name in times:
            found = found * times[name] ** power
    return found


def _larger(first: Any, second: Any) -> Any:
    """The larger of two by their real parts, which keeps the derivative of the larger."""
    return np.where(np.real(first) >= np.real(second), first, second)
