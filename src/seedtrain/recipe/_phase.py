"""The parts of a recipe as frozen data: ISA-88 unit procedure, operation, phase; transition; line of the strategy."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from seedtrain.base import InputError, Position
from seedtrain.quantity import Quantity, Range
from seedtrain.recipe._manual import Bands, Manual, ManualEntry

Value = Quantity | str
PRODUCTION: Final = "production_vessel"
TIMED: Final = ("until", "at_most", "duration", "hold_time")
"""What `with_value` and `Phase.number` take beside the parameters of `set`."""


@dataclass(frozen=True)
class Condition:
    """A transition: `biomass >= 22 g/L`, or `signature reviewer` (operator "by", value the role that signs)."""

    quantity: str
    operator: str
    value: Value

    @property
    def is_signature(self) -> bool:
        """Whether the phase ends when someone signs."""
        return self.quantity == "signature"

    def holds(self, value: Quantity) -> bool:
        """Whether `value` meets the condition; raises `QuantityError` across dimensions."""
        assert isinstance(self.value, Quantity)
        number = value.magnitude(self.value.unit)
        return number >= self.value.value if self.operator == ">=" else number <= self.value.value

    def __str__(self) -> str:
        return f"signature {self.value}" if self.is_signature else f"{self.quantity} {self.operator} {self.value}"


@dataclass(frozen=True)
class Phase:
    """One phase. `set` holds its parameters (numbers and names); the catalogue `PHASE_KINDS[do]` says what they mean.

    - `until`, `at_most`, `duration`: when it ends; at `at_most` it is ended whatever `until` says.
    - `limits`: in-process limits of what is measured on line; `sample`: those of what is measured in a sample.
    - `second_person`: another person checks it. `hold_point`: a signature is needed before the next phase, and why.
    - `automatic_restart`: after its executor was lost it goes on by itself; others wait, Held, for a person.
    - `hold_time`: how long what it leaves may wait. `manual`: what it asks of people.
    """

    name: str
    do: str
    set: Mapping[str, Value] = field(default_factory=dict)
    until: Condition | None = None
    at_most: Quantity | None = None
    duration: Quantity | None = None
    limits: Mapping[str, Range] = field(default_factory=dict)
    sample: Mapping[str, Range] = field(default_factory=dict)
    instruction: str = ""
    second_person: bool = False
    automatic_restart: bool = False
    hold_point: str = ""
    hold_time: Quantity | None = None
    manual: Manual = field(default_factory=Manual)

    def entries(self) -> dict[str, ManualEntry]:
        """What is entered where people run the phase: its `entries`, and what `limits` and `sample` bind; of a
        calibration what the probe shows in each reference."""
        if self.do == "calibrate":
            unit = "%" if "dissolved_oxygen_reference" in self.set else ""
            two = any(name.endswith("_second_reference") for name in self.set)
            names = ("reading", "second_reading") if two else ("reading",)
            return {**{name: ManualEntry(unit) for name in names}, **self.manual.entries}
        bound = {**self.limits, **self.sample}
        measured = {name: ManualEntry(limits.unit, bands=Bands(action=limits)) for name, limits in bound.items()}
        return {**measured, **self.manual.entries}

    @property
    def watched(self) -> Mapping[str, Range]:
        """Limits of what its instruments report; those of a calibration bind what is found by it."""
        return {} if self.do == "calibrate" else self.limits

    def quantity(self, parameter: str) -> Quantity | None:
        """The number that `parameter` has (of `set`, or until, at_most, duration, hold_time), or None."""
        if parameter == "until":
            value = self.until.value if self.until else None
        elif parameter in TIMED:
            value = getattr(self, parameter)
        else:
            value = self.set.get(parameter)
        return value if isinstance(value, Quantity) else None

    def number(self, parameter: str, unit: str, default: float | None = None) -> float:
        """`parameter` as a plain number in `unit`; `default` where the phase does not set it.

        Raises `InputError` where it is not set and has no default, `QuantityError` for another dimension.
        """
        value = self.quantity(parameter)
        if value is not None:
            return value.magnitude(unit)
        if default is not None:
            return default
        raise InputError(
            f"the phase {self.name!r} ({self.do}) does not set {parameter!r}",
            remedy=f"Set {parameter} in this phase, in {unit or 'no unit'}.",
        )

    def word(self, parameter: str, default: str | None = None) -> str:
        """The name that `parameter` gives (a material, a resin ...); raises `InputError` where there is none."""
        value = self.set.get(parameter, default)
        if isinstance(value, str):
            return value
        raise InputError(
            f"the phase {self.name!r} ({self.do}) does not name its {parameter!r}", remedy=f"Set {parameter}."
        )


@dataclass(frozen=True)
class Operation:
    """Phases in their order. `after`: unit procedures and operations that end before it begins, as the one before."""

    name: str
    phases: tuple[Phase, ...]
    after: tuple[str, ...] = ()


@dataclass(frozen=True)
class UnitProcedure:
    """Operations on one unit. `unit_class` says what unit it needs, `unit` which one it got; `repeat` that it runs in
    every unit of its class (`at_scale` writes these out).

    - `after`: unit procedures and operations (`unit procedure/operation`) that end before it begins; None: all that
      stands above it. `holds`: "batch" where a hold of its unit holds the whole batch, though others run beside it.
    """

    name: str
    unit_class: str
    operations: tuple[Operation, ...]
    unit: str | None = None
    repeat: str = ""
    after: tuple[str, ...] | None = None
    holds: str = ""


@dataclass(frozen=True)
class PhaseAt:
    """A phase with where it stands; `path` is "unit procedure/operation/phase"."""

    path: str
    unit_procedure: UnitProcedure
    operation: Operation
    phase: Phase


@dataclass(frozen=True)
class StrategyLine:
    """One line of the control strategy: what keeps `attribute` right, and what to do once `parameter` leaves it."""

    attribute: str
    at: str
    parameter: str
    range: Range
    detector: str
    sample: str
    action: str
    position: Position = field(default=Position(""), compare=False)
