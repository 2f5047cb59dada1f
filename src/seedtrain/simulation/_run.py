"""What every simulation and every execution returns: the same `Run`, so that prediction and measurement compare."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from seedtrain.base import InputError

Origin = Literal["simulated", "measured"]
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Variable:
    """One observed or computed quantity over time: `values` has shape "time", in `unit`."""

    name: str
    unit: str
    values: Floats
    words: str = ""


@dataclass(frozen=True)
class PhaseSpan:
    """When a phase of the recipe ran; `start` and `end` in hours of the run's time."""

    path: str
    start: float
    end: float


@dataclass(frozen=True)
class RunEvent:
    """Something that happened at `time` (h): `kind` is a word such as induction, oxygen_limited, depleted, failed."""

    time: float
    kind: str
    words: str


@dataclass(frozen=True)
class Balance:
    """Closure of one conserved amount over a run: `inlet` - `outlet` - `accumulated` = `residual`, all in `unit`.

    `held`: what the vessel holds of it at most, so that rounding counts as rounding where nothing comes or goes.
    """

    name: str
    unit: str
    inlet: float
    outlet: float
    accumulated: float
    held: float = 0.0

    @property
    def residual(self) -> float:
        """What is not accounted for, in `unit`."""
        return self.inlet - self.outlet - self.accumulated

    @property
    def relative(self) -> float:
        """The residual over the largest of inlet, outlet, accumulated and held; dimensionless."""
        return self.residual / max(abs(self.inlet), abs(self.outlet), abs(self.accumulated), self.held, 1e-300)


@dataclass(frozen=True)
class ParameterUse:
    """A parameter as a run used it; `status` is sourced, fitted, derived or assumed."""

    name: str
    value: float
    unit: str
    status: str
    source: str


@dataclass(frozen=True)
class Run:
    """One trajectory of one unit procedure, from simulation or from execution.

    - `time`: h, shape "time", not decreasing; the states are `variables[symbol].values` in the units of
      `docs/symbols.md`.
    - `recipe_digest`, `culture`, `vessel`, `unit_procedure`: what ran where.
    - `totals`: amounts over the whole run by name (for instance `glucose_fed` g, `stirrer_energy` kWh).
    - `status`: of the culture that it was simulated with: verified, unverified or reproduction; "" where measured.
    """

    origin: Origin
    recipe_digest: str
    culture: str
    vessel: str
    unit_procedure: str
    time: Floats
    variables: Mapping[str, Variable]
    phases: tuple[PhaseSpan, ...] = ()
    events: tuple[RunEvent, ...] = ()
    balances: tuple[Balance, ...] = ()
    parameters: tuple[ParameterUse, ...] = ()
    totals: Mapping[str, tuple[float, str]] = field(default_factory=dict)
    status: str = ""

    def __getitem__(self, symbol: str) -> Floats:
        """The values of `symbol`, shape "time"; an unknown symbol is an `InputError` that lists the known ones."""
        try:
            return self.variables[symbol].values
        except KeyError:
            known = ", ".join(self.variables)
            raise InputError(f"the run has no variable {symbol!r}", remedy=f"Use one of: {known}.") from None

    def at(self, symbol: str, time: float) -> float:
        """The value of `symbol` at `time` (h), linear between the stored points."""
        return float(np.interp(time, self.time, self[symbol]))

    def final(self, symbol: str) -> float:
        """The last value of `symbol`."""
        return float(self[symbol][-1])

    def phase(self, path: str) -> PhaseSpan:
        """The span of the phase at `path`; raises `InputError` where it did not run."""
        for span in self.phases:
            if span.path == path:
                return span
        raise InputError(f"the phase {path!r} did not run", remedy="Check the recipe.")

    def to_data(self) -> dict[str, Any]:
        """The run as JSON-ready data; `from_data` gives the same run back to the last bit."""
        return {
            "origin": self.origin,
            "recipe_digest": self.recipe_digest,
            "culture": self.culture,
            "vessel": self.vessel,
            "unit_procedure": self.unit_procedure,
            "time": self.time.tolist(),
            "variables": {
                name: {"unit": item.unit, "words": item.words, "values": item.values.tolist()}
                for name, item in self.variables.items()
            },
            "phases": [[item.path, item.start, item.end] for item in self.phases],
            "events": [[item.time, item.kind, item.words] for item in self.events],
            "balances": [
                [item.name, item.unit, item.inlet, item.outlet, item.accumulated, item.held] for item in self.balances
            ],
            "parameters": [[item.name, item.value, item.unit, item.status, item.source] for item in self.parameters],
            "totals": {name: [value, unit] for name, (value, unit) in self.totals.items()},
            "status": self.status,
        }

    @staticmethod
    def from_data(data: Mapping[str, Any]) -> Run:
        """The run that `to_data` wrote; raises `KeyError` or `TypeError` on other data."""
        return Run(
            origin=data["origin"],
            recipe_digest=data["recipe_digest"],
            culture=data["culture"],
            vessel=data["vessel"],
            unit_procedure=data["unit_procedure"],
            time=np.asarray(data["time"], dtype=float),
            variables={
                name: Variable(name, item["unit"], np.asarray(item["values"], dtype=float), item["words"])
                for name, item in data["variables"].items()
            },
            phases=tuple(PhaseSpan(*item) for item in data["phases"]),
            events=tuple(RunEvent(*item) for item in data["events"]),
            balances=tuple(Balance(*item) for item in data["balances"]),
            parameters=tuple(ParameterUse(*item) for item in data["parameters"]),
            totals={name: (float(value), str(unit)) for name, (value, unit) in data["totals"].items()},
            status=data["status"],
        )

    def to_csv(self) -> str:
        """One row a time point; the header names each variable with its unit, and the origin stands in every row."""
        stream = io.StringIO()
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(["time [h]", *(f"{item.name} [{item.unit}]" for item in self.variables.values()), "origin"])
        columns = [item.values for item in self.variables.values()]
        origin = f"{self.origin}, unverified culture" if self.status == "unverified" else self.origin
        for index, time in enumerate(self.time):
            writer.writerow([repr(float(time)), *(repr(float(column[index])) for column in columns), origin])
        return stream.getvalue()
