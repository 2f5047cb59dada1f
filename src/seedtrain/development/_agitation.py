"""Agitation at another scale: one criterion is held, and what the others become is printed."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from seedtrain.base import finite, use_language
from seedtrain.base import translate as _
from seedtrain.development._scalable import Scalable, checked_keep
from seedtrain.simulation import (
    ShakeFlask,
    StirredTank,
    TransferLimits,
    Well,
    carbon_dioxide_solubility,
    mean_pressure,
    transfer_limits,
)

KEEP: Final[Mapping[str, str]] = {
    "power_per_volume": "W/m3",
    "tip_speed": "m/s",
    "mixing_time": "s",
    "gas_velocity": "m/s",
    "kLa": "1/h",
    "oxygen_transfer": "mmol/L/h",
    "carbon_dioxide": "mbar",
}
"""What can be held from one scale to the next, with its unit. `oxygen_transfer` at the same uptake is the margin over
it; `carbon_dioxide` is the partial pressure in the broth while `CER_SHOWN` is made."""
CER_SHOWN: Final = 100.0
"""Carbon dioxide that is made where its partial pressure is told, mmol/L/h."""
_BY_AERATION: Final = ("gas_velocity", "carbon_dioxide")
_CO2_TRANSFER: Final = 0.89  # kLa of CO2 over that of O2. Royce & Thornhill 1991, AIChE J. 37:1680
_NORMAL_VOLUME: Final = 22.413969  # L/mol at 0 degC and 1 atm (CODATA)
SPARGED: Final = 1.0
"""vvm with which a tank starts where a recipe comes to it from a shaken vessel, assumed: usual at the bench."""


@dataclass(frozen=True)
class Criterion:
    """One criterion at the recipe's scale and at the new one; `in_range`: both inside their correlation's range.

    Not a number where it has no meaning in that vessel.
    """

    name: str
    unit: str
    reference: float
    scaled: float
    held: bool
    in_range: bool

    @property
    def ratio(self) -> float:
        """New over old scale; 1 where the criterion is held."""
        return self.scaled / self.reference if self.reference else math.inf


@dataclass(frozen=True)
class Operating:
    """How a vessel is run: volume L, speed 1/min, aeration vvm, head pressure bar gauge, temperature degC.

    Of a shaken vessel the speed is the shaker's, 0 for a measured kLa; the aeration is what its closure lets pass.
    """

    volume: float
    speed: float
    aeration: float
    head_pressure: float
    temperature: float


@dataclass(frozen=True)
class AgitationNote:
    """What stopped a match: `what` was meant (a setting or a unit), and the `values` that say how far it came."""

    kind: Literal["aeration_cut", "pressure_cut", "drive", "shaker", "aeration", "flooded"]
    what: str
    values: tuple[float, ...]

    @property
    def words(self) -> str:
        """In the language in use."""
        shown = [f"{value:.4g}" for value in self.values]
        match self.kind:
            case "aeration_cut":
                text = _("aeration {value} vvm is outside the vessel's {low} .. {high}: {nearest} is used")
                return text.format(value=shown[0], low=shown[1], high=shown[2], nearest=shown[3])
            case "pressure_cut":
                text = _("head pressure {value} bar is outside the vessel's {low} .. {high}: {nearest} is used")
                return text.format(value=shown[0], low=shown[1], high=shown[2], nearest=shown[3])
            case "drive":
                text = _("the drive gives {value} {unit} at its nearest speed, {speed} 1/min")
                return text.format(value=shown[0], unit=self.what, speed=f"{self.values[1]:.0f}")
            case "shaker":
                text = _("the shaker gives {value} {unit} at its nearest frequency, {speed} 1/min")
                return text.format(value=shown[0], unit=self.what, speed=f"{self.values[1]:.0f}")
            case "aeration":
                text = _("the aeration gives {value} {unit} at its nearest, {vvm} vvm")
                return text.format(value=shown[0], unit=self.what, vvm=shown[1])
            case "flooded":
                text = _(
                    "the gas floods the impeller at {speed} 1/min: it disperses {some} of the {all} vvm, and the "
                    "figures are for that"
                )
                return text.format(speed=f"{self.values[0]:.0f}", some=shown[1], all=shown[2])


@dataclass(frozen=True)
class Agitation:
    """The matched operation of one vessel, with the conflict table.

    - `reached`: whether the vessel can hold the criterion; `notes`: what stopped it where not.
    """

    keep: str
    reference: Operating
    scaled: Operating
    criteria: tuple[Criterion, ...]
    reached: bool
    notes: tuple[AgitationNote, ...]

    @property
    def words(self) -> str:
        """The notes, in the language in use."""
        return "; ".join(note.words for note in self.notes)

    def to_data(self) -> dict[str, Any]:
        """JSON-ready data; English, for machines."""
        with use_language("en"):
            words = self.words
        return {
            "keep": self.keep,
            "reference": dict(vars(self.reference)),
            "scaled": dict(vars(self.scaled)),
            "reached": self.reached,
            "words": words,
            "criteria": finite(
                [
                    {
                        "name": row.name,
                        "unit": row.unit,
                        "reference": row.reference,
                        "scaled": row.scaled,
                        "ratio": row.ratio,
                        "held": row.held,
                        "in_range": row.in_range,
                    }
                    for row in self.criteria
                ]
            ),
        }


def match(basis: Scalable, reference: Operating, tank: Scalable, volume: float, keep: str | None) -> Agitation:
    """Speed and aeration of `tank` with `volume` (L) in it such that `keep` is as in `basis` run at `reference`.

    Gas velocity and carbon dioxide are held by the aeration, and the speed then follows from power per volume (from
    kLa where power is not known); the other criteria are held by the speed at the recipe's aeration. What the drive,
    its power or the aeration cannot reach is cut off, and said; so is gas that floods the impeller at the very speed,
    in both vessels. In a shaken vessel the speed is the shaker's. Raises `InputError` for a criterion that is unknown
    or means nothing in one of the vessels; None keeps the first of `DEFAULT` that means something.
    """
    keep = checked_keep(basis, tank, keep, tuple(KEEP))
    notes: list[AgitationNote] = []
    if not isinstance(tank, StirredTank):
        return _match_shaken(basis, reference, tank, volume, keep, notes)
    here = _figures(basis, reference)
    sparged = isinstance(basis, StirredTank)
    aeration = _clip(reference.aeration if sparged else SPARGED, tank.aeration, "aeration_cut", notes)
    head = _clip(reference.head_pressure, tank.head_pressure, "pressure_cut", notes)
    if keep == "gas_velocity":
        little = 1e-6  # vvm, so that no impeller floods: the velocity grows in proportion
        trial = _figures(tank, Operating(volume, tank.stirrer_speed[1], little, head, reference.temperature))
        wanted = here.gas_velocity / trial.gas_velocity * little
        aeration = _clip(wanted, tank.aeration, "aeration_cut", notes)
    by_speed = checked_keep(basis, tank, None, tuple(KEEP)) if keep in _BY_AERATION else keep

    def at(speed: float, vvm: float | None = None) -> Operating:
        return Operating(volume, speed, aeration if vvm is None else vvm, head, reference.temperature)

    def value(point: Operating, name: str) -> float:
        return _value(_figures(tank, point), name, tank, point)

    def speed_at(vvm: float) -> float:
        span = _span(tank, lambda speed: at(speed, vvm))
        target = _value(here, by_speed, basis, reference)
        return _solve(lambda speed: value(at(speed, vvm), by_speed), target, span)

    if tank == basis and volume == reference.volume:
        return _outcome(keep, (basis, reference), (tank, reference), notes)
    if keep == "carbon_dioxide":
        wanted = _value(here, keep, basis, reference)
        aeration = _solve(lambda vvm: value(at(speed_at(vvm), vvm), keep), wanted, tank.aeration)
    return _outcome(keep, (basis, reference), (tank, at(speed_at(aeration))), notes)


def _match_shaken(
    basis: Scalable, reference: Operating, tank: ShakeFlask | Well, volume: float, keep: str, notes: list[AgitationNote]
) -> Agitation:
    """The shaker's frequency that holds `keep`; a measured kLa is what it is."""
    span = tank.shaking.frequency if tank.shaking else (0.0, 0.0)

    def at(speed: float) -> Operating:
        return Operating(volume, speed, tank.transfer.gas_exchange, 0.0, reference.temperature)

    if tank == basis and volume == reference.volume:
        return _outcome(keep, (basis, reference), (tank, reference), notes)
    target = _value(_figures(basis, reference), keep, basis, reference)
    speed = _solve(lambda speed: _value(_figures(tank, at(speed)), keep, tank, at(speed)), target, span)
    return _outcome(keep, (basis, reference), (tank, at(speed)), notes)


def _outcome(
    keep: str, old: tuple[Scalable, Operating], new: tuple[Scalable, Operating], notes: list[AgitationNote]
) -> Agitation:
    here, there = _figures(*old), _figures(*new)
    before = {name: _value(here, name, *old) for name in KEEP}
    after = {name: _value(there, name, *new) for name in KEEP}
    reached = math.isclose(after[keep], before[keep], rel_tol=1e-3)
    if not reached and not isinstance(new[0], StirredTank):
        notes.append(AgitationNote("shaker", KEEP[keep], (after[keep], new[1].speed)))
    elif not reached and keep not in _BY_AERATION:
        notes.append(AgitationNote("drive", KEEP[keep], (after[keep], new[1].speed)))
    elif not reached and keep == "carbon_dioxide":
        notes.append(AgitationNote("aeration", KEEP[keep], (after[keep], new[1].aeration)))
    if there.flooded:
        notes.append(AgitationNote("flooded", "vvm", (there.speed, there.aeration, new[1].aeration)))
    criteria = tuple(
        Criterion(
            name,
            unit,
            before[name],
            after[name],
            name == keep and reached,
            math.isnan(before[name] * after[name]) or (_in_range(here, name) and _in_range(there, name)),
        )
        for name, unit in KEEP.items()
    )
    return Agitation(keep, old[1], new[1], criteria, reached, tuple(notes))


def figures(tank: Scalable, operating: Operating) -> TransferLimits:
    """What `tank` transfers when it is run so."""
    return _figures(tank, operating)


def _figures(tank: Scalable, at: Operating) -> TransferLimits:
    return transfer_limits(
        tank,
        at.volume,
        temperature=at.temperature,
        aeration=at.aeration,
        head_pressure=at.head_pressure,
        speed=at.speed,
    )


def _value(found: TransferLimits, name: str, tank: Scalable, at: Operating) -> float:
    if name == "kLa":
        # The two correlations bracket a broth with salts and antifoam; their geometric mean is held.
        return math.sqrt(found.kLa_coalescing.value * found.kLa_non_coalescing.value)
    if name == "oxygen_transfer":
        return math.sqrt(found.OTR_coalescing * found.OTR_non_coalescing)
    if name == "carbon_dioxide":
        return 1000.0 * carbon_dioxide_pressure(found, tank, at)
    value = getattr(found, name)
    return float(value.value if hasattr(value, "value") else value)


def carbon_dioxide_pressure(found: TransferLimits, tank: Scalable, at: Operating, made: float = CER_SHOWN) -> float:
    """Partial pressure of carbon dioxide in the broth, bar, while `made` mmol/L/h of it leave with a well-mixed gas.

    That of the gas half-way down, plus what drives it out of the liquid.
    """
    gas = found.aeration * 60.0 / _NORMAL_VOLUME * 1000.0  # mmol of dry gas per L of broth and h
    if gas <= 0:
        return math.inf
    in_gas = made / (gas + made) * mean_pressure(tank, at.volume, at.head_pressure)
    kLa = _CO2_TRANSFER * math.sqrt(found.kLa_coalescing.value * found.kLa_non_coalescing.value)
    return in_gas + made / (kLa * carbon_dioxide_solubility(at.temperature))


def _in_range(found: TransferLimits, name: str) -> bool:
    if name in ("kLa", "oxygen_transfer", "carbon_dioxide"):
        return found.kLa_coalescing.in_range and found.kLa_non_coalescing.in_range
    if name == "power_per_volume":
        return found.power_in_range
    return bool(getattr(getattr(found, name), "in_range", True))


def _clip(
    value: float, limits: tuple[float, float], kind: Literal["aeration_cut", "pressure_cut"],
    notes: list[AgitationNote],
) -> float:  # fmt: skip
    low, high = limits
    if low <= value <= high:
        return value
    nearest = min(max(value, low), high)
    notes.append(AgitationNote(kind, "", (value, low, high, nearest)))
    return nearest


def _span(tank: StirredTank, at: Callable[[float], Operating]) -> tuple[float, float]:
    """The speeds that the drive and its power under gas allow, 1/min."""
    point = at(tank.stirrer_speed[0])
    free = transfer_limits(
        tank,
        point.volume,
        temperature=point.temperature,
        aeration=point.aeration,
        head_pressure=point.head_pressure,
    )
    return tank.stirrer_speed[0], max(free.speed, tank.stirrer_speed[0])


def _solve(value: Callable[[float], float], wanted: float, span: tuple[float, float]) -> float:
    """The speed in `span` at which the monotonic `value` is `wanted`, or the end that comes nearest."""
    from scipy.optimize import brentq

    low, high = span
    first, last = value(low) - wanted, value(high) - wanted
    if first * last > 0 or low == high:
        return low if abs(first) < abs(last) else high
    return float(brentq(lambda speed: value(speed) - wanted, low, high, xtol=1e-6, rtol=1e-10))
