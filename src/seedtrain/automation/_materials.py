"""What a phase takes from the store: how much the recipe asks for, which lots, and how amounts of mixtures split."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from seedtrain.base import InputError
from seedtrain.quality import Lot
from seedtrain.quantity import Quantity, QuantityError, convert, same_dimension
from seedtrain.recipe import PHASE_KINDS, MasterRecipe, Phase, PhaseAt

TOLERANCE_PERCENT: Final = 2.0
"""How far a weighed or metered amount may be from its target, %; assumed. Scales and totalisers here do 0.2 %."""

ORDERED_ABOVE_TARGET: Final = 1.05
"""Lots are chosen for this much of the target, so that a tolerance does not run a chosen lot dry; assumed."""

_BASE_UNITS: Final = ("g", "L", "m2", "")


class ShortOfMaterial(InputError):
    """The store has too little of a material that may be used."""


@dataclass(frozen=True)
class Share:
    """An amount of one lot: `amount` in `unit`."""

    lot: str
    material: str
    amount: float
    unit: str


def base_amount(amount: float, unit: str) -> tuple[float, str]:
    """An amount in g, L, m2 or pieces; another dimension is an `InputError`."""
    for base in _BASE_UNITS:
        if same_dimension(unit, base):
            return convert(amount, unit, base), base
    raise InputError(f"{amount:g} {unit} is no amount of a material", remedy="Give a mass, volume, area or number.")


def split(recipe: MasterRecipe, material: str, amount: float, unit: str) -> dict[str, tuple[float, str]]:
    """An amount of a material of the recipe as amounts of what the store holds, each in g, L, m2 or pieces.

    A prepared material (in L) splits by its composition; a material of the store stands for itself.
    """
    composition = recipe.materials.get(material)
    if composition is None:
        return {material: base_amount(amount, unit)}
    volume = convert(amount, unit, "L")
    return {name: (volume * part.magnitude("g/L"), "g") for name, part in composition.items()}


def named_materials(phase: Phase) -> tuple[str, ...]:
    """The materials that a phase names, prepared or from the store, in the order of its parameters."""
    kinds = PHASE_KINDS[phase.do].parameters
    return tuple(str(value) for name, value in phase.set.items() if kinds[name].is_material)


def target(recipe: MasterRecipe, step: PhaseAt, material: str, hours: float | None) -> Quantity | None:
    """What the recipe asks for of `material` in a phase that lasts `hours` (None: not known yet).

    None where the recipe states no amount: pH control, buffers by the size of the column, filters by the volume.
    """
    phase = step.phase
    if phase.do in ("charge", "induce") and phase.set.get("material") == material:
        return phase.quantity("volume")
    if phase.do == "thaw" and phase.set.get("inoculum") == material:
        charged = _charged(step)
        return None if charged is None else Quantity(charged * phase.number("inoculum_fraction", ""), "L")
    if "strategy" in phase.set:
        return None  # the culture says how much
    if phase.do == "feed" and phase.set.get("material") == material and hours is not None:
        return Quantity(_fed(phase, hours), "L")
    return None


def _charged(step: PhaseAt) -> float | None:
    """The medium charged in the unit procedure, L."""
    phases = (phase for operation in step.unit_procedure.operations for phase in operation.phases)
    volumes = [phase.quantity("volume") for phase in phases if phase.do == "charge"]
    return None if not volumes or None in volumes else sum(item.magnitude("L") for item in volumes if item)


def _fed(phase: Phase, hours: float) -> float:
    """The feed's integral over `hours`, L: rate t, or F0 (exp(mu t) - 1) / mu."""
    rate = phase.quantity("rate")
    if rate is not None:
        return rate.magnitude("L/h") * hours
    growth_rate = phase.number("growth_rate", "1/h")
    return phase.number("initial_rate", "L/h") * math.expm1(growth_rate * hours) / growth_rate


class Store:
    """The lots that may be used and what is left of each; the oldest expiry goes first."""

    def __init__(self, lots: Iterable[Lot], used: Iterable[Share]) -> None:
        self._lots: dict[str, Lot] = {lot.id: lot for lot in lots}
        self._left: dict[str, float] = {}
        self._units: dict[str, str] = {}
        for lot in self._lots.values():
            self._left[lot.id], self._units[lot.id] = base_amount(lot.quantity.value, lot.quantity.unit)
        for share in used:
            self.take(share)

    def take(self, share: Share) -> None:
        """Note that a share was used; a lot that is not in this store is somebody else's."""
        if share.lot in self._left:
            self._left[share.lot] -= convert(share.amount, share.unit, self._units[share.lot])

    def candidates(self, material: str, on: date) -> list[Lot]:
        """Released lots of `material` that are not expired and not empty, oldest expiry first."""
        found = [
            lot
            for lot in self._lots.values()
            if lot.material == material and lot.status == "released" and lot.expiry >= on and self._left[lot.id] > 0
        ]
        return sorted(found, key=lambda lot: (lot.expiry, lot.id))

    def choose(self, material: str, wanted: float | None, unit: str, on: date) -> list[str]:
        """Lots that cover `wanted` (None: some), oldest expiry first; raises `ShortOfMaterial` where they do not."""
        chosen: list[str] = []
        missing = None if wanted is None else wanted * ORDERED_ABOVE_TARGET
        for lot in self.candidates(material, on):
            chosen.append(lot.id)
            if missing is None:
                return chosen
            missing -= self._left_of(lot, unit)
            if missing <= 0:
                return chosen
        self._refuse(material, missing, unit, chosen)
        return chosen

    def _left_of(self, lot: Lot, unit: str) -> float:
        try:
            return convert(self._left[lot.id], self._units[lot.id], unit)
        except QuantityError as error:
            raise ShortOfMaterial(
                f"lot {lot.id} of {lot.material} is counted in {lot.quantity.unit or 'pieces'}, and {unit} is wanted",
                remedy=f"Receive {lot.material} in a unit such as {unit}, and discard {lot.id} or put it on hold.",
            ) from error

    def _refuse(self, material: str, missing: float | None, unit: str, chosen: Sequence[str]) -> None:
        if not chosen:
            raise ShortOfMaterial(
                f"there is no released lot of {material} that is in date and not empty",
                remedy=f"Receive and release a lot of {material}.",
            )
        if missing is not None and missing > 0:
            raise ShortOfMaterial(
                f"the released lots of {material} ({', '.join(chosen)}) are {missing:.4g} {unit} short",
                remedy=f"Receive and release another lot of {material}.",
            )

    def draw(self, material: str, amount: float, unit: str, on: date) -> list[Share]:
        """Shares of lots that make up `amount`, oldest expiry first; raises `ShortOfMaterial` where they do not."""
        shares: list[Share] = []
        missing = amount
        for lot in self.candidates(material, on):
            left = self._left_of(lot, unit)
            shares.append(Share(lot.id, material, min(left, missing), unit))
            missing -= shares[-1].amount
            if missing <= 0:
                return shares
        self._refuse(material, missing, unit, [share.lot for share in shares])
        return shares
