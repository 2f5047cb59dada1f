"""Everything that a scale-up takes for granted, with its value and where it comes from."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import isfinite

from seedtrain.base import translate as _
from seedtrain.development._agitation import CER_SHOWN
from seedtrain.development._feed import FLOOR_OF_SET_POINT
from seedtrain.development._scaling._rig_check import (
    LOW_TOLERANCE,
    OXYGEN_TOLERANCE,
    TITRE_TOLERANCE,
    TOLERANCE,
)
from seedtrain.development._scaling._scale_up import ScaleUp
from seedtrain.development._scaling._shaken import shaken_limits
from seedtrain.development._volumes import BASE_ALLOWANCE, INOCULUM_ALLOWANCE
from seedtrain.development._words import number, percent
from seedtrain.simulation import BROTH_DENSITY, BROTH_VISCOSITY, HEAT_OF_RESPIRATION, Estimate, StirredTank


@dataclass(frozen=True)
class Assumption:
    """What is assumed, its value here, its source, and whether it is used inside the range of its source."""

    what: str
    value: str
    source: str
    inside: bool


def assumptions(found: ScaleUp) -> tuple[Assumption, ...]:
    """Of the culture, of each vessel's correlations, of volumes, zones, gas and the rig."""
    return (
        *_culture(found),
        *_vessels(found),
        *_shaken(found),
        *_broth(),
        *_volumes(),
        *_mixing(found),
        *_rig(found),
        *_parameters(found),
    )


def _culture(found: ScaleUp) -> Iterator[Assumption]:
    status = found.culture.status
    yield Assumption(
        _("the culture grows as its model says, at every scale"),
        f"{found.culture.name} ({_('verified') if status == 'verified' else _('unverified')})",
        _("docs/validation.md says which published numbers it reproduces"),
        status == "verified",
    )
    yield Assumption(
        _("set points, compositions and feed per volume stay as written"),
        found.recipe.name,
        _("the recipe, digest {digest}").format(digest=found.recipe.digest[:12]),
        True,
    )


def _vessels(found: ScaleUp) -> Iterator[Assumption]:
    for result in (found.start, found.end):
        limits = result.transfer.matched
        if not isinstance(result.vessel, StirredTank):
            estimate = limits.kLa_coalescing
            inside = estimate.in_range and estimate.status == "sourced"
            yield Assumption(f"{result.unit}: kLa, 1/h", _within(estimate), estimate.source, inside)
            continue
        estimates = (
            (_("kLa, coalescing, 1/h"), limits.kLa_coalescing),
            (_("kLa, non-coalescing, 1/h"), limits.kLa_non_coalescing),
            (_("mixing time, s"), limits.mixing_time),
        )
        for words, estimate in estimates:
            yield Assumption(f"{result.unit}: {words}", _within(estimate), estimate.source, estimate.in_range)
        yield _power(result.unit, result.vessel)
        yield _flooding(result.unit, result.vessel)
        jacket = number(result.vessel.heat_transfer_coefficient)
        text = _("{unit}: heat transfer coefficient of the jacket, W/m2/K")
        yield Assumption(text.format(unit=result.unit), jacket, _("the plant file"), True)


def _shaken(found: ScaleUp) -> Iterator[Assumption]:
    for result in found.shaken:
        limits, transfer = shaken_limits(result), result.vessel
        assert not isinstance(transfer, StirredTank)
        text = _("{unit}: the pH stays at its set point, though nothing holds it; acid for the buffer, mmol/L")
        yield Assumption(text.format(unit=result.unit), number(limits.acid), _("the run's ammonium"), False)
        text = _("{unit}: gas through the closure, vvm")
        known = transfer.transfer.gas_exchange
        yield Assumption(text.format(unit=result.unit), number(known), _("the plant file, or assumed"), True)
        power = result.transfer.matched
        if isfinite(power.power_per_volume):
            text = _("{unit}: power of shaking, W/m3")
            source = "Buechs et al. 2000, Biotechnol. Bioeng. 68:594"
            value = number(power.power_per_volume)
            yield Assumption(text.format(unit=result.unit), value, source, power.power_in_range)


def _within(estimate: Estimate) -> str:
    spread = f" ± {percent(estimate.spread, 2)}" if estimate.spread else ""
    return number(estimate.value) + spread


def _power(unit: str, tank: StirredTank) -> Assumption:
    return Assumption(
        _("{unit}: power under gas by a correlation for Rushton turbines").format(unit=unit),
        f"{tank.impellers} x {tank.impeller}",
        "Hughmark 1980, Ind. Eng. Chem. Process Des. Dev. 19:638",
        tank.impeller == "rushton",
    )


def _flooding(unit: str, tank: StirredTank) -> Assumption:
    ratio = tank.impeller_diameter / tank.diameter
    return Assumption(
        _("{unit}: gas that floods the impeller by a correlation for Rushton turbines").format(unit=unit),
        f"D/T {number(ratio)}",
        "Nienow 1998, Appl. Mech. Rev. 51:3",
        tank.impeller == "rushton" and 0.22 <= ratio <= 0.55,
    )


def _broth() -> Iterator[Assumption]:
    near = _("assumed: near water; a filamentous or viscous broth is none")
    yield Assumption(_("viscosity of the broth, mPa s"), number(1000.0 * BROTH_VISCOSITY), near, True)
    yield Assumption(_("density of the broth, kg/m3"), number(BROTH_DENSITY, 4), near, True)
    source = "Cooney, Wang & Mateles 1969, Biotechnol. Bioeng. 11:269"
    yield Assumption(_("heat per oxygen used, kJ/mol"), number(HEAT_OF_RESPIRATION), source, True)


def _rig(found: ScaleUp) -> Iterator[Assumption]:
    if found.rig_check is None:
        return
    assumed = _("assumed")
    yield Assumption(_("the rig may lie off in deviation and persistence by"), percent(TOLERANCE), assumed, True)
    oxygen = f"{number(OXYGEN_TOLERANCE)} %"
    yield Assumption(_("or, of oxygen, by so much of air saturation"), oxygen, assumed, True)
    yield Assumption(_("in the time with little oxygen by"), percent(LOW_TOLERANCE), assumed, True)
    yield Assumption(_("in titre by"), percent(TITRE_TOLERANCE), assumed, True)


def _parameters(found: ScaleUp) -> Iterator[Assumption]:
    """Of the culture and its surroundings what nobody measured: assumed, fitted or unverified."""
    said = {"assumed": _("assumed"), "fitted": _("fitted"), "unverified": _("unverified")}
    for item in found.end.production.parameters:
        if item.status in said:
            value = f"{number(item.value)} {item.unit}".rstrip()
            yield Assumption(item.name, value, f"{said[item.status]}: {item.source}", True)


def _volumes() -> Iterator[Assumption]:
    assumed = _("assumed")
    yield Assumption(_("base and antifoam add to the broth"), percent(BASE_ALLOWANCE - 1.0), assumed, True)
    yield Assumption(_("seed culture beyond the inoculum"), percent(INOCULUM_ALLOWANCE - 1.0), assumed, True)
    floor = percent(FLOOR_OF_SET_POINT)
    yield Assumption(_("lowest oxygen where the recipe states no limit, part of the set point"), floor, assumed, True)


def _mixing(found: ScaleUp) -> Iterator[Assumption]:
    made = f"{number(CER_SHOWN)} mmol/L/h"
    yield Assumption(_("carbon dioxide is compared while this much is made"), made, _("chosen"), True)
    if found.gradients is None:
        return
    count = str(found.gradients.count)
    derived = _("the mixing time; the flow between layers is derived from it")
    yield Assumption(_("equal layers with the power spread evenly"), count, derived, True)
    yield Assumption(_("the gas is one well-mixed phase"), "1", _("assumed"), found.larger.broth.volume < 5000.0)
    if found.foaminess is None:
        yield Assumption(
            _("foam: the foaminess of the broth is not known"), "–", _("measure it in a column (Bikerman 1973)"), False
        )
    else:
        text = _("foam: the foaminess of the broth, measured in a column, s")
        yield Assumption(text, number(found.foaminess), "Bikerman 1973, Foams", True)
