"""What every unit operation of the downstream train takes and gives back."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from seedtrain.base import InputError, Position
from seedtrain.simulation._downstream._rate import RateColumn
from seedtrain.simulation._run import ParameterUse
from seedtrain.simulation._stream import StepResult, Stream

LRV_HIGHEST: Final = 99.0
"""What a log reduction reads where nothing is left; keeps results finite."""

LARGEST: Final[Mapping[str, tuple[float, str, str]]] = {
    "sigma": (250_000.0, "m2", "assumed: the largest disc stacks for fine solids"),
    "homogeniser_flow": (6_000.0, "L/h", "assumed: the largest homogenisers at 100 MPa"),
    "tank_volume": (100_000.0, "L", "assumed: a stirred tank that is made in a workshop and carried by road"),
    "filter_area": (150.0, "m2", "assumed: one housing or rack of capsules"),
    "column_diameter": (2.0, "m", "assumed: the widest columns that are sold for proteins"),
    "membrane_area": (150.0, "m2", "assumed: one skid of flat-sheet cassettes"),
    "shelf_area": (40.0, "m2", "assumed: the largest freeze dryers for pharmaceuticals"),
    "line_rate": (24_000.0, "1/h", "assumed: 400 containers a minute"),
}
"""The largest size in which a machine is made, with its unit and where that comes from; more runs in parallel."""


@dataclass(frozen=True)
class TrainParameter(ParameterUse):
    """A parameter of a unit operation's model.

    - `low`, `high`: its plausible range; `ceiling`: what it cannot exceed (1 for a fraction). It is never negative.
    """

    low: float = 0.0
    high: float = math.inf
    ceiling: float = math.inf

    def scaled(self, factor: float) -> float:
        """The value times `factor`, held within what is possible."""
        return min(self.value * factor, self.ceiling)


def sourced(name: str, value: float, low: float, high: float, unit: str, source: str) -> TrainParameter:
    """A lever whose value or range was read in `source`."""
    return TrainParameter(name, value, unit, "sourced", source, low, high)


def assumed(name: str, value: float, low: float, high: float, unit: str, why: str) -> TrainParameter:
    """A lever set by engineering judgement."""
    return TrainParameter(name, value, unit, "assumed", why, low, high)


def derived(name: str, value: float, low: float, high: float, unit: str, how: str) -> TrainParameter:
    """A lever that follows from other figures."""
    return TrainParameter(name, value, unit, "derived", how, low, high)


def share(name: str, value: float, low: float, high: float, why: str, status: str = "assumed") -> TrainParameter:
    """A lever that is a fraction, from 0 to 1."""
    return TrainParameter(name, value, "", status, why, low, high, ceiling=1.0)


@dataclass(frozen=True)
class Column:
    """A packed column between its phases.

    - `volume`: packed volume of all cycles together, L; `cycles` of them run on `parallel` columns, which hold
      `volume / cycles` together.
    - `bed_height`: m. `fed`: product loaded, g.
    - `content`: everything on the column once it is loaded; `tight`: the part of it that is bound (g; EU of endotoxin),
      the rest is in the liquid or only retarded by the resin.
    - `irreducible`: endotoxin (EU) that no detergent wash removes; None before the first one.
    - `salts`: g/L in the liquid that it was equilibrated with. `rate`: the product's rate model, where one is used.
    """

    resin: str
    volume: float
    bed_height: float
    cycles: int
    parallel: int = 1
    fed: float = 0.0
    content: Stream | None = None
    tight: Mapping[str, float] = field(default_factory=dict)
    irreducible: float | None = None
    salts: float = 0.0
    rate: RateColumn | None = None


@dataclass(frozen=True)
class Carry:
    """What goes from one phase to the next: the stream, the column in use, and the membrane
    (m2, cut-off in kDa) and the sterile filter (m2) in use."""

    stream: Stream
    column: Column | None = None
    membrane_area: float = 0.0
    cut_off: float = 10.0
    filter_area: float = 0.0


@dataclass(frozen=True)
class Settings:
    """One phase as a unit operation needs it.

    - `numbers`: its parameters in the units that `Operation.numbers` names; `words`: materials and kinds.
    - `levers`: the model's parameters after the factors. `duration`: h, where the recipe states it.
    - `materials`: composition by the recipe's material name, g/L by component.
    - `limits`: the largest equipment by name (`column_volume` L, `membrane_area` m2 ...).
    - `molar_mass`: of the product, kDa.
    """

    path: str
    kind: str
    numbers: Mapping[str, float] = field(default_factory=dict)
    words: Mapping[str, str] = field(default_factory=dict)
    levers: Mapping[str, float] = field(default_factory=dict)
    materials: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    duration: float | None = None
    limits: Mapping[str, float] = field(default_factory=dict)
    molar_mass: float = 44.8
    position: Position | None = None

    def number(self, name: str, default: float | None = None) -> float:
        """A parameter of the phase; raises `InputError` where it is missing and has no default."""
        value = self.numbers.get(name, default)
        if value is None:
            raise self.error(f"{self.kind!r} needs the parameter {name!r}", f"Set {name} in the phase.")
        return value

    def word(self, name: str) -> str:
        """A material or kind that the phase names."""
        if name not in self.words:
            raise self.error(f"{self.kind!r} needs {name!r}", f"Set {name} in the phase.")
        return self.words[name]

    def lever(self, name: str) -> float:
        """A parameter of the model."""
        return self.levers[name]

    def error(self, words: str, remedy: str) -> InputError:
        """An error at this phase."""
        return InputError(f"{self.path}: {words}", position=self.position, remedy=remedy)

    def bounded(self, name: str, needed: float) -> float:
        """The size of `name` that is used where a smaller one only takes longer."""
        return min(needed, self.limits.get(name, math.inf))

    def parallel(self, name: str, total: float) -> int:
        """How many machines share `total`; one where the plant states its own largest size."""
        if name in self.limits:
            return 1
        return max(1, math.ceil(total / LARGEST[name][0] - 1e-9))

    def capped(self, name: str, needed: float) -> tuple[float, int]:
        """The size of `name` that is used, and how many rounds that takes, within the equipment's limit."""
        limit = self.limits.get(name, math.inf)
        rounds = max(1, math.ceil(needed / limit - 1e-9)) if limit > 0 else 1
        return needed / rounds, rounds


@dataclass(frozen=True)
class Operation:
    """One kind of phase: the parameters it reads (name -> unit), the levers of its model, and the model.

    - `variants`: other levers where the phase's `model` names another model.
    """

    kind: str
    numbers: Mapping[str, str]
    words: tuple[str, ...]
    levers: tuple[TrainParameter, ...]
    run: Callable[[Settings, Carry], tuple[StepResult, Carry]]
    variants: Mapping[str, tuple[TrainParameter, ...]] = field(default_factory=dict)

    def levers_of(self, model: object) -> tuple[TrainParameter, ...]:
        """The levers of a phase that sets `model` (None: it sets none)."""
        return self.variants.get(model, self.levers) if isinstance(model, str) else self.levers


def log_reduction(before: float, after: float) -> float:
    """Decimal logarithm of `before / after`, 0 where there was nothing, at most `LRV_HIGHEST`."""
    if before <= 0:
        return 0.0
    return LRV_HIGHEST if after <= 0 else min(LRV_HIGHEST, max(0.0, math.log10(before / after)))
