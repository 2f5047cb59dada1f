"""The same recipe at another volume: amounts grow, everything else stays, and what conflicts is chosen by the caller.

Composition, set points, feed per volume, residence time and load per area are kept, because they are stored as such.
Stirrer speed cannot keep power per volume, gas velocity, tip speed and mixing time at once: the caller chooses one and
hands the set points in.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from seedtrain.base import InputError, Location, digest
from seedtrain.quantity import Quantity, same_dimension
from seedtrain.recipe._catalogue import PHASE_KINDS
from seedtrain.recipe._phase import PRODUCTION, Operation, Phase, StrategyLine, UnitProcedure, Value
from seedtrain.recipe._recipe import MasterRecipe

_LADDER: Final = (("uL", 1e-6), ("mL", 1e-3), ("L", 1.0), ("m3", 1e3))
_DIGITS: Final = 12  # what a float adds beyond them is noise, and would change digests


@dataclass(frozen=True)
class SeedUnit:
    """One seed vessel, in the order of the seed train; `volume` is the medium charged into it (inoculum on top)."""

    name: str
    unit_class: str
    volume: Quantity


@dataclass(frozen=True)
class ControlRecipe:
    """A recipe for one unit and volume.

    - `recipe`: scaled; repeated unit procedures written out; units filled in where they are known.
    - `master_digest`: of the recipe that it was derived from. `ratio`: volume over the master's basis volume.
    """

    recipe: MasterRecipe
    master_digest: str
    unit: str
    volume: Quantity
    ratio: float

    @cached_property
    def digest(self) -> str:
        """SHA-256 over the scaled recipe, the master's digest, the unit and the volume."""
        return digest([self.recipe.to_data(), self.master_digest, self.unit, str(self.volume)])


def at_scale(
    master: MasterRecipe,
    *,
    unit: str,
    volume: Quantity,
    seeds: Sequence[SeedUnit] | None = None,
    set_points: Mapping[tuple[str, str], Value | None] | None = None,
) -> ControlRecipe:
    """`master` for `volume` (charged in production) in `unit`.

    - Extensive parameters grow by volume / basis volume; at the basis volume every value stays as it is written.
    - `seeds`: vessels of the seed train. The n-th unit procedure of a class gets the n-th seed unit of that class and
      its volume; one that repeats is written out for each (`seed-tank-1` ...), or removed where there is none. A unit
      procedure whose class no seed unit has grows with the volume. None leaves the seed train open: what repeats
      goes on repeating, for the master recipe of another basis.
    - `set_points`: (path, parameter) -> value, applied last: stirrer speed, aeration, pressure, a feed that a limit
      lowers. A path of the master's repeated unit procedure means all that it became. None takes a parameter out.

    Scaling twice gives the same values as scaling once. Raises `InputError` for a volume that is none, a seed unit
    that no unit procedure takes, and what `with_value` refuses.
    """
    for name, charged in ((unit, volume), *((seed.name, seed.volume) for seed in seeds or ())):
        if not same_dimension(charged.unit, "L") or charged.value <= 0:
            raise InputError(f"{name}: {charged} is not a volume above 0 L", remedy="Give the medium charged into it.")
    ratio = volume.magnitude(master.basis_volume.unit) / master.basis_volume.value
    grown = _Grown(master, ratio, unit, seeds)
    recipe = dataclasses.replace(
        master,
        basis_unit=unit,
        basis_volume=volume,
        unit_procedures=tuple(grown.procedures),
        control_strategy=tuple(_strategy(master.control_strategy, grown.became)),
        places=_places(master.places, grown.became),
    )
    for (path, parameter), value in (set_points or {}).items():
        head, _, rest = path.partition("/")
        for name in grown.became.get(head, [head]):
            there = f"{name}/{rest}"
            recipe = recipe.without(there, parameter) if value is None else recipe.with_value(there, parameter, value)
    return ControlRecipe(recipe, master.digest, unit, volume, ratio)


class _Grown:
    """The unit procedures at the new volume, and what each of the master's became."""

    def __init__(self, master: MasterRecipe, ratio: float, unit: str, seeds: Sequence[SeedUnit] | None) -> None:
        self.master = master
        self.ratio = ratio
        self.procedures: list[UnitProcedure] = []
        self.became: dict[str, list[str]] = {}
        self.stands_for: dict[str, list[str]] = {}
        self.open = seeds is None
        waiting = list(seeds or ())
        taken = {item.name for item in master.unit_procedures}
        for procedure in master.unit_procedures:
            if procedure.repeat:
                matching = [item for item in waiting if item.unit_class == procedure.unit_class]
            else:
                matching = [item for item in waiting if item.unit_class == procedure.unit_class][:1]
            waiting = [item for item in waiting if not any(item is one for one in matching)]
            self._add(procedure, unit, matching, taken)
        if waiting:
            raise InputError(
                f"no unit procedure of {master.name} runs in the seed unit {waiting[0].name} ({waiting[0].unit_class})",
                position=master.position(""),
                remedy="Scale the master recipe, and let the seed tank's unit procedure repeat.",
            )

    def _add(self, procedure: UnitProcedure, unit: str, seeds: list[SeedUnit], taken: set[str]) -> None:
        above = [item.name for item in self.procedures]
        procedure = self._waiting(procedure)
        waits = above if procedure.after is None else list(procedure.after)
        if procedure.repeat and not self.open:
            names = [f"{procedure.name}-{number + 1}" for number in range(len(seeds))]
            clash = next((name for name in names if name in taken), None)
            if clash:
                raise self.master.error(
                    procedure.name, "", f"repeating it makes a second {clash!r}", remedy="Rename one."
                )
            for number, (name, seed) in enumerate(zip(names, seeds, strict=True)):
                grown = dataclasses.replace(self._in_seed(procedure, seed), name=name, repeat="")
                if number and grown.after is not None:  # one seed vessel inoculates the next
                    grown = dataclasses.replace(grown, after=(names[number - 1],))
                self.procedures.append(grown)
            self.became[procedure.name] = names
            self.stands_for[procedure.name] = names or waits
            return
        if seeds:
            grown = self._in_seed(procedure, seeds[0])
        else:
            grown = _map_phases(procedure, lambda _, phase: _grow(phase, self.ratio))
            grown = dataclasses.replace(grown, unit=unit if procedure.unit_class == PRODUCTION else procedure.unit)
        self.procedures.append(grown)
        self.became[procedure.name] = self.stands_for[procedure.name] = [procedure.name]

    def _waiting(self, procedure: UnitProcedure) -> UnitProcedure:
        """With the names that those have now for which it waits; for one that is left out, what that one waited for."""

        def now(names: Iterable[str]) -> tuple[str, ...]:
            found: dict[str, None] = {}
            for name in names:
                head, slash, rest = name.partition("/")
                tail = f"{slash}{rest}" if self.became.get(head) else ""
                found.update(dict.fromkeys(f"{item}{tail}" for item in self.stands_for.get(head, [])))
            return tuple(found)

        if procedure.after is None and not any(item.after for item in procedure.operations):
            return procedure
        operations = tuple(
            dataclasses.replace(item, after=now(item.after)) if item.after else item for item in procedure.operations
        )
        after = None if procedure.after is None else now(procedure.after)
        return dataclasses.replace(procedure, operations=operations, after=after)

    def _in_seed(self, procedure: UnitProcedure, seed: SeedUnit) -> UnitProcedure:
        """A seed's unit procedure: its medium as the vessel takes it, its other amounts in proportion to its medium."""
        written = _written_for(procedure)
        ratio = seed.volume.magnitude("L") / written if written else None

        def grow(path: str, phase: Phase) -> Phase:
            if phase.do == "charge" and "fill" in phase.set:
                wanted = _tidy(seed.volume.value * phase.number("fill", ""), seed.volume.unit)
                before = phase.quantity("volume")
                if before is not None and abs(before.magnitude(wanted.unit) / wanted.value - 1.0) < 1e-11:
                    return phase
                return dataclasses.replace(phase, set={**phase.set, "volume": wanted})
            if ratio is None and _extensive(phase):
                raise self.master.error(
                    path,
                    next(iter(_extensive(phase))),
                    f"the amount is written for no volume, so it has none in {seed.name}",
                    remedy="Give the 'volume' beside 'fill' where the medium is charged.",
                )
            return phase if ratio is None else _grow(phase, ratio)

        return dataclasses.replace(_map_phases(procedure, grow), unit=seed.name)


def _written_for(procedure: UnitProcedure) -> float | None:
    """The medium of the seed vessel for which a unit procedure's amounts are written, L; None where it is not said."""
    charges = [phase for operation in procedure.operations for phase in operation.phases if phase.do == "charge"]
    shares = [phase for phase in charges if "fill" in phase.set]
    if shares:
        known = [phase.number("volume", "L") / phase.number("fill", "") for phase in shares if "volume" in phase.set]
        return known[0] if known else None
    return sum(phase.number("volume", "L") for phase in charges) or None


def _map_phases(procedure: UnitProcedure, change: Callable[[str, Phase], Phase]) -> UnitProcedure:
    def changed(operation: Operation) -> Operation:
        path = f"{procedure.name}/{operation.name}"
        phases = tuple(change(f"{path}/{phase.name}", phase) for phase in operation.phases)
        return dataclasses.replace(operation, phases=phases)

    return dataclasses.replace(procedure, operations=tuple(changed(item) for item in procedure.operations))


def _extensive(phase: Phase) -> dict[str, Quantity]:
    """Every amount of a phase by its parameter, as `_grow` takes it back."""
    kinds = PHASE_KINDS[phase.do].parameters
    found = {
        name: value
        for name, value in phase.set.items()
        if kinds[name].scaling == "extensive" and isinstance(value, Quantity)
    }
    found |= {f"dispense.{name}": item.amount for name, item in phase.manual.dispense.items()}
    return found | {f"yields.{name}": item.theoretical for name, item in phase.manual.yields.items()}


def _grow(phase: Phase, ratio: float) -> Phase:
    amounts = _extensive(phase)
    if ratio == 1.0 or not amounts:
        return phase
    grown = {name: _tidy(value.value * ratio, value.unit) for name, value in amounts.items()}
    manual = dataclasses.replace(
        phase.manual,
        dispense={
            # In the unit of the master: the person at the balance reads the unit that the record is written in.
            name: dataclasses.replace(item, amount=_kept(item.amount, ratio))
            for name, item in phase.manual.dispense.items()
        },
        yields={
            name: dataclasses.replace(item, theoretical=_kept(item.theoretical, ratio))
            for name, item in phase.manual.yields.items()
        },
    )
    given = {name: value for name, value in grown.items() if name in phase.set}
    return dataclasses.replace(phase, set={**phase.set, **given}, manual=manual)


def _kept(amount: Quantity, ratio: float) -> Quantity:
    return Quantity(float(f"{amount.value * ratio:.{_DIGITS}g}"), amount.unit)


def _tidy(value: float, unit: str) -> Quantity:
    """The quantity with a volume unit that puts its number between 1 and 1000: 224 L/h and not 224000 mL/h."""
    head, slash, tail = unit.partition("/")
    sizes = dict(_LADDER)
    if head not in sizes:
        return Quantity(float(f"{value:.{_DIGITS}g}"), unit)
    litres = value * sizes[head]
    chosen, size = next(((name, size) for name, size in reversed(_LADDER) if litres >= size * (1 - 1e-12)), _LADDER[0])
    return Quantity(float(f"{litres / size:.{_DIGITS}g}"), f"{chosen}{slash}{tail}")


def _strategy(lines: Iterable[StrategyLine], became: Mapping[str, list[str]]) -> Iterable[StrategyLine]:
    for line in lines:
        head, _, rest = line.at.partition("/")
        for name in became.get(head, [head]):
            yield dataclasses.replace(line, at=f"{name}/{rest}")


def _places(places: Mapping[str, Location], became: Mapping[str, list[str]]) -> dict[str, Location]:
    grown = dict(places)
    for path, location in places.items():
        head, slash, rest = path.partition("/")
        for name in became.get(head, []):
            grown.setdefault(f"{name}{slash}{rest}", location)
    return grown
