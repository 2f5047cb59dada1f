"""From a recipe's unit procedure to segments that a vessel runs: what is added, at which settings, until when."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from seedtrain.base import InputError
from seedtrain.quantity import Quantity, same_dimension
from seedtrain.recipe import Condition, MasterRecipe, Phase, UnitProcedure
from seedtrain.simulation._culture import Culture
from seedtrain.simulation._elements import NH3_MASS
from seedtrain.simulation._vessel import StirredTank, Vessel

AMMONIA_WATER: Final = 0.25  # g NH3 per g of commercial ammonia water, assumed: the usual 25 %
SALTS_AMMONIA: Final = 0.08  # g of ammonium nitrogen (as NH3) per g of mineral salts, assumed: ammonium phosphates
IPTG_MASS: Final = 238.30  # g/mol, isopropyl beta-D-thiogalactoside C9H18O5S
CULTURE_PHASES: Final = ("grow", "feed", "perfuse", "chemostat")
EMPTY_PHASES: Final = ("clean", "sterilise", "charge", "inoculate", "thaw")
STANDING_PHASES: Final = ("wait", "calibrate")  # in which a culture, where there is one, goes on as it stood


@dataclass(frozen=True)
class Liquid:
    """A liquid that enters: each species in its own unit, g/L of water, minerals and antifoam, mmol/L of the rest."""

    species: Mapping[str, float] = field(default_factory=dict)
    water: float = 0.0
    minerals: float = 0.0
    ammonia: float = 0.0
    inducer: float = 0.0
    antifoam: float = 0.0  # a part of `minerals`, told apart for the harvest
    iptg: float = 0.0  # g/L, the same inducer by mass

    def mass(self, masses: Mapping[str, float]) -> float:
        """All of it but the inducer, g/L; `masses`: g in a unit of each species."""
        species = sum(masses[name] * amount for name, amount in self.species.items())
        return species + self.water + self.minerals + self.ammonia * NH3_MASS / 1000


def liquid(culture: Culture, recipe: MasterRecipe, material: str) -> Liquid:
    """What a litre of the recipe's `material` holds, in the culture's symbols.

    Ingredients that the culture does not know (peptone, salts, antifoam) count as minerals: they are not eaten.
    """
    if material not in recipe.materials:
        raise InputError(f"the recipe does not prepare {material!r}", remedy="Add it under materials.")
    species: dict[str, float] = {}
    water = minerals = ammonia = inducer = antifoam = iptg = 0.0
    for ingredient, amount in recipe.materials[material].items():
        symbol = culture.symbol(ingredient)
        if symbol:
            species[symbol] = species.get(symbol, 0.0) + content(culture, symbol, amount)
            continue
        mass = amount.magnitude("g/L")
        if ingredient == "water":
            water += mass
        elif ingredient == "ammonia-water":
            ammonia += mass * AMMONIA_WATER / NH3_MASS * 1000
            water += mass * (1 - AMMONIA_WATER)
        elif ingredient == "mineral-salts":
            ammonia += mass * SALTS_AMMONIA / NH3_MASS * 1000
            minerals += mass * (1 - SALTS_AMMONIA)
        elif ingredient == "iptg":
            iptg += mass
            inducer += mass / IPTG_MASS * 1000
        else:
            minerals += mass
            antifoam += mass if ingredient == "antifoam" else 0.0
    return Liquid(species, water, minerals, ammonia, inducer, antifoam, iptg)


def content(culture: Culture, symbol: str, amount: Quantity) -> float:
    """An amount of a species in the species' own unit; a recipe may write it by mass."""
    unit, mass = culture.species[symbol].unit, culture.masses[symbol]
    if mass > 0 and same_dimension(amount.unit, "g/L"):
        return amount.magnitude("g/L") / mass
    return amount.magnitude(unit)


def base_liquid(culture: Culture, recipe: MasterRecipe) -> Liquid | None:
    """The material with ammonia water in it, which holds the pH; None where the recipe prepares none."""
    for name, composition in recipe.materials.items():
        if "ammonia-water" in composition:
            return liquid(culture, recipe, name)
    return None


@dataclass(frozen=True)
class Outflow:
    """What leaves: `harvest` L/h (None: as much as keeps the volume), `bleed` L/h of broth as it is.

    `keep`, `keep_product`: fractions of the cells, and of a product in solution, that the harvest leaves behind; None:
    what the vessel's device keeps.
    """

    harvest: float | None = 0.0
    bleed: float = 0.0
    keep: float | None = 0.0
    keep_product: float | None = 0.0


@dataclass(frozen=True)
class Segment:
    """A stretch of time with constant settings; `addition` is poured in at its start.

    - `feed`: the liquid, its rate at the start in L/h, and its growth in 1/h; `dilution`: 1/h, more of it per volume.
    - `outflow`: what leaves the vessel.
    - `until`: a condition of the culture; `longest`: h, the stop; `fixed`: the stop is meant, not an emergency brake.
    - settings as in the recipe; None is "not set": no control of oxygen, the vessel's own lowest speed ...
    - `aeration_high`: vvm up to which the gas may follow the culture; None: as far as the vessel goes.
    """

    path: str
    do: str
    addition: tuple[Liquid, float] | None = None
    feed: tuple[Liquid, float, float] | None = None
    dilution: float = 0.0
    outflow: Outflow | None = None
    until: Condition | None = None
    longest: float = 0.0
    fixed: bool = True
    temperature: float = 37.0
    pH: float = 7.0
    dissolved_oxygen: float | None = None
    stirrer_speed: float | None = None
    aeration: float | None = None
    head_pressure: float = 0.0
    shaking_frequency: float | None = None
    aeration_high: float | None = None

    @property
    def is_culture(self) -> bool:
        """Whether cells are in the vessel."""
        return self.do not in EMPTY_PHASES


@dataclass(frozen=True)
class Plan:
    """What a unit procedure asks of its vessel.

    - `before`: (path, h) of the phases before inoculation. - `medium`: what is charged, L.
    - `inoculum`: L. - `seed`: the dry cells of the inoculum as far as the recipe tells, g/L.
    """

    before: tuple[tuple[str, float], ...]
    medium: tuple[tuple[Liquid, float], ...]
    inoculum: float
    seed: float
    segments: tuple[Segment, ...]

    @property
    def volume(self) -> float:
        """Medium and inoculum, L."""
        return sum(amount for _, amount in self.medium) + self.inoculum


WITHIN: Final = 0.98
"""Of a recipe's limit of the gas, up to which a cascade goes: four standard deviations of a flow meter stay within."""
LONGEST: Final = 200.0
"""h; a phase that states neither until, at_most nor duration cannot be simulated, and none runs longer than this."""


def plan_of(culture: Culture, vessel: Vessel, recipe: MasterRecipe, name: str, feed_factor: float) -> Plan:
    """The plan of the unit procedure `name`; what cannot be run is an `InputError` at its place in the recipe."""
    procedure = _procedure(recipe, name)
    before: list[tuple[str, float]] = []
    medium: list[tuple[Liquid, float]] = []
    segments: list[Segment] = []
    inoculum = 0.0
    seed = _seed(recipe, procedure)
    settings = Segment("", "")
    for path, phase in _phases(procedure):
        waits = phase.do in STANDING_PHASES and not inoculum
        empty = phase.do in EMPTY_PHASES or waits
        if waits:
            before.append((path, _waited(recipe, path, phase)))
        elif empty:
            contact = phase.number("contact_time", "h") if phase.do == "clean" else 0.0
            before.append((path, phase.number("duration", "h", contact)))
        if phase.do == "charge":
            medium.append((liquid(culture, recipe, phase.word("material")), _charge(phase, vessel)))
        elif phase.do in ("inoculate", "thaw"):
            inoculum = phase.number("inoculum_fraction", "")
            seed = phase.number("biomass", "g/L", seed)
        elif phase.do == "ramp":
            segments += _ramp(recipe, path, phase, settings, begun=bool(inoculum))
            settings = segments[-1]
        elif not empty:
            settings = _segment(culture, recipe, path, phase, settings, feed_factor)
            segments.append(settings)
    charged = sum(amount for _, amount in medium)
    if charged <= 0 or not segments:
        raise InputError(
            f"unit procedure {name!r} charges no medium or grows nothing",
            position=recipe.position(name),
            remedy="Simulate a unit procedure with a charge and a grow phase.",
        )
    return Plan(tuple(before), tuple(medium), inoculum * charged, seed, tuple(segments))


def _procedure(recipe: MasterRecipe, name: str) -> UnitProcedure:
    for procedure in recipe.unit_procedures:
        if procedure.name == name:
            return procedure
    names = ", ".join(item.name for item in recipe.unit_procedures)
    raise InputError(f"the recipe has no unit procedure {name!r}", remedy=f"Use one of: {names}.")


def _phases(procedure: UnitProcedure) -> list[tuple[str, Phase]]:
    return [
        (f"{procedure.name}/{operation.name}/{phase.name}", phase)
        for operation in procedure.operations
        for phase in operation.phases
    ]


def _seed(recipe: MasterRecipe, procedure: UnitProcedure) -> float:
    """The biomass at which the unit procedure before this one ends, g/L."""
    found = 1.0
    for item in recipe.unit_procedures:
        if item.name == procedure.name:
            break
        for _, phase in _phases(item):
            condition = phase.until
            if condition and condition.quantity == "biomass" and isinstance(condition.value, Quantity):
                found = condition.value.magnitude("g/L")
    return found


def _charge(phase: Phase, vessel: Vessel) -> float:
    if phase.quantity("volume") is not None:
        return phase.number("volume", "L")
    return phase.number("fill", "") * vessel.working_volume[1]


def _segment(
    culture: Culture, recipe: MasterRecipe, path: str, phase: Phase, last: Segment, feed_factor: float
) -> Segment:
    cultured = phase.do in CULTURE_PHASES
    addition = feed = None
    if phase.do == "induce":
        addition = (liquid(culture, recipe, phase.word("material")), phase.number("volume", "L"))
    if phase.do in ("feed", "perfuse"):
        stream = liquid(culture, recipe, phase.word("material"))
        rate = phase.number("rate", "L/h") if "rate" in phase.set else phase.number("initial_rate", "L/h")
        feed = (stream, rate * feed_factor, phase.number("growth_rate", "1/h", 0.0))
    if phase.do == "chemostat":
        feed = (liquid(culture, recipe, phase.word("material")), 0.0, 0.0)

    def setting(name: str, unit: str, before: float | None) -> float | None:
        if name in phase.set:
            return phase.number(name, unit)
        return None if cultured else before

    until = None if phase.until is None or phase.until.is_signature else phase.until
    fixed = until is None or until.quantity == "elapsed"
    return Segment(
        path=path,
        do=phase.do,
        addition=addition,
        feed=feed,
        dilution=phase.number("dilution_rate", "1/h", 0.0) * feed_factor,
        outflow=_outflow(phase),
        until=None if fixed else until,
        longest=_longest(recipe, path, phase),
        fixed=fixed,
        temperature=setting("temperature", "degC", last.temperature) or last.temperature,
        pH=setting("pH", "", last.pH) or last.pH,
        dissolved_oxygen=setting("dissolved_oxygen", "", last.dissolved_oxygen),
        stirrer_speed=setting("stirrer_speed", "1/min", last.stirrer_speed),
        aeration=setting("aeration", "vvm", last.aeration),
        head_pressure=setting("head_pressure", "bar", last.head_pressure) or 0.0,
        shaking_frequency=setting("shaking_frequency", "1/min", last.shaking_frequency),
        aeration_high=highest_gas(phase),
    )


def highest_gas(phase: Phase) -> float | None:
    """vvm up to which a cascade goes where the phase limits the gas: `WITHIN` that; None: as the vessel allows."""
    limits = phase.limits.get("aeration")
    return None if limits is None or limits.high is None else WITHIN * limits.high.magnitude("vvm")


RAMP_STEPS: Final = 12
"""Constant steps by which a ramp is simulated, each at the middle of its stretch of the ramp; assumed."""
_RAMPED: Final = {
    "temperature": "degC",
    "pH": "",
    "dissolved_oxygen": "",
    "stirrer_speed": "1/min",
    "aeration": "vvm",
    "head_pressure": "bar",
}


def _ramp(recipe: MasterRecipe, path: str, phase: Phase, last: Segment, *, begun: bool) -> list[Segment]:
    """A ramp as steps of constant settings, the last one of no length at its end: the next phase goes on from there."""
    if not begun:
        raise InputError(
            f"{path}: a ramp before inoculation is not simulated",
            position=recipe.position(path),
            remedy="Ramp after the vessel is inoculated.",
        )
    ends = {
        name: (phase.number(f"initial_{name}", unit), phase.number(name, unit))
        for name, unit in _RAMPED.items()
        if name in phase.set
    }

    def at(share: float, hours: float) -> Segment:
        settings: dict[str, Any] = {name: start + share * (end - start) for name, (start, end) in ends.items()}
        return Segment(
            path,
            phase.do,
            longest=hours,
            shaking_frequency=last.shaking_frequency,
            aeration_high=highest_gas(phase),
            **{name: settings.get(name, getattr(last, name)) for name in _RAMPED},
        )

    each = phase.number("duration", "h") / RAMP_STEPS
    return [*(at((number + 0.5) / RAMP_STEPS, each) for number in range(RAMP_STEPS)), at(1.0, 0.0)]


def _waited(recipe: MasterRecipe, path: str, phase: Phase) -> float:
    """Hours that a vessel without a culture waits; for a value nobody can tell."""
    until = phase.until
    if until is not None and until.quantity == "elapsed" and isinstance(until.value, Quantity):
        return until.value.magnitude("h")
    if phase.duration is not None or (until is not None and until.is_signature):
        return phase.number("duration", "h", 0.0)
    raise InputError(
        f"{path}: before inoculation nothing tells when {until}",
        position=recipe.position(path),
        remedy="Simulate it with a `duration`, or wait for the value after inoculation.",
    )


WITHDRAWAL: Final = 1 / 60  # h that it takes to draw a sample, assumed


def _outflow(phase: Phase) -> Outflow | None:
    if phase.do == "withdraw":
        return Outflow(bleed=phase.number("volume", "L") / WITHDRAWAL)
    if phase.do == "chemostat":
        return Outflow(harvest=None)
    if phase.do != "perfuse":
        return None
    return Outflow(
        harvest=phase.number("harvest_rate", "L/h") if "harvest_rate" in phase.set else None,
        bleed=phase.number("bleed_rate", "L/h", 0.0),
        keep=phase.number("retention", "") if "retention" in phase.set else None,
        keep_product=phase.number("product_retention", "") if "product_retention" in phase.set else None,
    )


def _longest(recipe: MasterRecipe, path: str, phase: Phase) -> float:
    ends = [phase.number(name, "h") for name in ("at_most", "duration") if phase.quantity(name) is not None]
    condition = phase.until
    if condition is not None and condition.quantity == "elapsed" and isinstance(condition.value, Quantity):
        ends.append(condition.value.magnitude("h"))
    if phase.do == "withdraw":
        return WITHDRAWAL
    if not ends and phase.do in (*CULTURE_PHASES, "wait"):
        raise InputError(
            f"{path} states no time at which it ends at the latest",
            position=recipe.position(path),
            remedy="Add at_most, for instance at_most: 14 h.",
        )
    return min([*ends, LONGEST]) if ends else 0.0


def speed_range(vessel: StirredTank, segment: Segment) -> tuple[float, float, bool]:
    """The stirrer's (lowest, highest) speed in 1/min in `segment`, and whether the recipe's figure fits the vessel.

    With a set point of dissolved oxygen the recipe's speed is the highest of the cascade; without one, or where the
    stirrer is no stage of the vessel's cascade, it is constant.
    """
    low, high = vessel.stirrer_speed
    wanted = segment.stirrer_speed
    controlled = segment.dissolved_oxygen is not None
    moves = controlled and "stirrer_speed" in vessel.oxygen_cascade
    if wanted is None:
        top = high if controlled else low
        return (low if moves else top), top, True
    kept = min(max(wanted, low), high)
    fits = abs(kept - wanted) <= 1e-9 * high
    return (low if moves else kept), kept, fits
