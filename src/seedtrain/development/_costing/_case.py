"""One's own case: read with the place of every fault, and turned into an inventory or a plant."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final, TypeVar

from seedtrain.base import Document, InputError, InputErrors, Location, SeedtrainError, collect, load
from seedtrain.development._costing._case_entry import CaseFile, FinanceEntry, StepEntry
from seedtrain.development._costing._cash_flow import Finance, Loan
from seedtrain.development._costing._plant_case import PlantCase, plant_case, targets_of
from seedtrain.development._costing._power import Photovoltaics
from seedtrain.development._costing._timetable import Task, Timetable, timetable
from seedtrain.development._downstream_use import YEARLY
from seedtrain.development._factor_table import FactorTable
from seedtrain.development._factors import factors_in, read_factors
from seedtrain.development._growth import SUBSTRATES
from seedtrain.development._schedule import Occupancy
from seedtrain.development._use import Inventory, Performance, Use
from seedtrain.quantity import Quantity, QuantityError, convert, parse, same_dimension

UPKEEP: Final = 0.055
"""Maintenance, insurance and local tax, part of the installed capital a year: what `annual_charge` holds of them."""
LARGEST: Final = 1e15
"""Of an amount in its own unit; beyond it nothing can be added up."""
SHARED: Final = "steps that share a suite"
_TURNAROUNDS: Final = {"vessel": "vessel_turnaround", "suite": "suite_turnaround", "none": ""}


Read = TypeVar("Read")


@dataclass(frozen=True)
class BatchCase:
    """A batch with its prices, its terms, its own electricity and its targets (`cost`, `carbon`, `amount`).

    `simulated`: its amounts come out of a simulation.
    """

    name: str
    inventory: Inventory
    table: FactorTable
    tasks: tuple[Task, ...]
    units: dict[str, int]
    finance: Finance
    upkeep: float
    own_power: Photovoltaics | None
    targets: dict[str, float]
    simulated: bool = False


def read_case(path: Path) -> BatchCase | PlantCase:
    """The case in a YAML file; raises `InputErrors` with every fault and its place.

    Refused: negative amounts and prices, amounts without a unit or in a unit that the item is not priced in, unknown
    items and parameters, money of another currency or year, a batch without steps, a file with a batch and a plant.
    """
    file, document = load(path, CaseFile, what="case")
    if (file.venture is None) == (not file.uses):
        raise document.error(
            ("case",),
            "a case is either a batch ('uses', 'steps') or a plant ('venture')" + (", not both" if file.uses else ""),
            remedy="Write one of the two; docs/reference/economics-case.md shows both.",
        )
    if file.venture is not None:
        return plant_case(file, document, _finance(file.finance, document))
    return _batch(file, document, path)


def _finance(entry: FinanceEntry, document: Document) -> Finance:
    units = {"rate": "1/year", "startup": "year"}
    given: dict[str, Any] = {}
    for name in entry.model_fields_set - {"loan", "upkeep", "construction"}:
        value = getattr(entry, name)
        given[name] = value.magnitude(units.get(name, "")) if isinstance(value, Quantity) else value
    if entry.construction is not None:
        given["construction"] = tuple(share.magnitude("") for share in entry.construction)
    try:
        if entry.loan is not None:
            loan = entry.loan
            terms = loan.fraction.magnitude(""), loan.interest.magnitude("1/year")
            given["loan"] = Loan(*terms, loan.years, loan.deducted)
        return Finance(**given)
    except InputError as error:
        faults = (document.error(("finance",), item.message, remedy=item.remedy) for item in error.parts)
        raise InputErrors(tuple(faults)) from None


def _batch(file: CaseFile, document: Document, path: Path) -> BatchCase:
    errors: list[SeedtrainError] = []
    finance = _told(errors, lambda: _finance(file.finance, document))
    own_table = _told(errors, lambda: _table(file, document, path))
    # Where the case's own entries have faults, the rest is still held against the shipped ones: every fault at once.
    table, unread = (read_factors(), set(file.items)) if own_table is None else (own_table, set())
    targets = _told(errors, lambda: targets_of(file, document, table.currency))
    uses = [
        *(_use(file, document, table, at, errors) for at, use in enumerate(file.uses) if use.item not in unread),
        *(_piece(file, document, table, at, errors) for at, use in enumerate(file.equipment) if use.item not in unread),
    ]
    if not file.steps:
        errors.append(
            document.error(("case",), "the batch has no steps", remedy="Add 'steps:' with their suites and hours.")
        )
    collect(errors)
    assert finance is not None
    assert targets is not None
    tasks, units = _tasks(file.steps, table)
    _enough(file, document, units)
    try:
        plan = timetable(tasks, units, 1)
    except InputError as error:
        raise document.error(("steps",), error.message, remedy=error.remedy) from None
    known = [use for use in uses if use is not None]
    done, released = _performance(file, document, known)
    lead = file.lead_time.magnitude("h") if file.lead_time else max(task.end for task in tasks)
    own = file.electricity
    return BatchCase(
        file.case,
        Inventory(released * 1000.0, tuple(known), occupied(file.steps, plan, table), lead, performance=done),
        table,
        tasks,
        units,
        finance,
        UPKEEP if file.finance.upkeep is None else file.finance.upkeep.magnitude("1/year"),
        None if own is None else _panels(file, document),
        targets,
    )


def _told(errors: list[SeedtrainError], read: Callable[[], Read]) -> Read | None:
    """What `read` gives, or None with what is wrong added to the errors."""
    try:
        return read()
    except SeedtrainError as error:
        errors += error.parts
        return None


def _table(file: CaseFile, document: Document, path: Path) -> FactorTable:
    """The shipped table, the factors file that the case names, and the case's own entries, one over the other."""
    below = read_factors()
    if file.factors:
        other = path.parent / file.factors
        if Path(file.factors).name != file.factors or not other.is_file():
            raise document.error(
                ("factors",), f"there is no file {file.factors!r} beside the case", remedy="Name a factors file."
            )
        below = read_factors(other)
    own = file.model_copy(update={"factors": file.case, "gwp": file.gwp or below.gwp})
    return factors_in(own, document, below)


def _use(file: CaseFile, document: Document, table: FactorTable, at: int, errors: list[SeedtrainError]) -> Use | None:
    entry, place = file.uses[at], ("uses", at)
    for name in entry.times:
        if name not in table.parameters:
            known = ", ".join(table.parameters)
            errors.append(
                document.error((*place, "times", name), f"{name!r} is no parameter", remedy=f"Use one of: {known}.")
            )
            return None
    size = _amount(document, table, place, "amount", entry.item, entry.amount, bool(entry.times), errors)
    if size is None:
        return None
    times = tuple(entry.times.items())
    return Use(entry.item, size.value, size.unit, entry.where, times, entry.category, grows=entry.grows)


def _piece(file: CaseFile, document: Document, table: FactorTable, at: int, errors: list[SeedtrainError]) -> Use | None:
    entry, place = file.equipment[at], ("equipment", at)
    size = _amount(document, table, place, "size", entry.item, entry.size, False, errors)
    if size is None:
        return None
    if table.item(entry.item).reference is None:
        errors.append(
            document.error(
                (*place, "item"),
                f"{entry.item} is no equipment: its price has no reference size",
                remedy="Put it under 'uses', or give the item a 'reference' size and an 'exponent'.",
            )
        )
        return None
    return Use(entry.item, size.value, size.unit, entry.where, YEARLY, pieces=float(entry.count), grows=entry.grows)


def _amount(
    document: Document,
    table: FactorTable,
    place: Location,
    key: str,
    item: str,
    text: str,
    multiplied: bool,
    errors: list[SeedtrainError],
) -> Quantity | None:
    """The amount in a unit that the item is priced in, or None with what is wrong added to the errors."""
    try:
        known = table.item(item)
    except InputError as error:
        errors.append(document.error((*place, "item"), error.message, remedy=error.remedy))
        return None
    assert known.price is not None
    unit = known.reference_unit if known.reference is not None else known.price.per
    try:
        size = parse(text)
        if not 0 <= size.value <= LARGEST:
            what = "negative" if size.value < 0 else "more than any plant has"
            raise QuantityError(f"{text} is {what}", remedy="Give 0 or more, in a unit that suits it.")
        if key == "size" and size.value == 0:
            raise QuantityError(f"{text} is no size: the piece would be free", remedy="Give it, or leave it out.")
        if not multiplied and not same_dimension(size.unit, unit):
            own = size.unit or "no unit"
            raise QuantityError(
                f"{text!r} is in {own}, but {item} is counted in {unit or 'pieces'}",
                remedy=f"Give the {key} in {unit}." if unit else "Give a number of pieces.",
            )
    except QuantityError as error:
        errors.append(document.error((*place, key), error.message, remedy=error.remedy))
        return None
    return size


def _tasks(steps: list[StepEntry], table: FactorTable) -> tuple[tuple[Task, ...], dict[str, int]]:
    found: list[Task] = []
    units: dict[str, int] = {}
    end = 0.0
    for entry in steps:
        start = end if entry.start is None else entry.start.magnitude("h")
        end = start + entry.hours.magnitude("h")
        suite = entry.suite or entry.step
        people = 0.0 if entry.people is None else entry.people
        wait = entry.wait.magnitude("h") if entry.wait else 0.0
        ready = end + _turnaround(entry, table)
        found.append(Task(entry.step, suite, start, end, ready, entry.cleaner, people, wait))
        units[suite] = max(units.get(suite, 1), entry.units)
    return tuple(found), units


def _enough(file: CaseFile, document: Document, units: dict[str, int]) -> None:
    """Refuse a suite of more units than it has pieces of equipment: they would be free."""
    for suite, count in units.items():
        pieces = [(entry.count, at) for at, entry in enumerate(file.equipment) if entry.where == suite]
        most, at = max(pieces, default=(count, 0))
        if most < count:
            raise document.error(
                ("equipment", at, "count") if "count" in file.equipment[at].model_fields_set else ("equipment", at),
                f"the suite {suite} has {count} units, but no piece of equipment in it is counted more than {most} "
                "times",
                remedy=f"Write 'count: {count}' for what every unit has.",
            )


def _turnaround(entry: StepEntry, table: FactorTable) -> float:
    name = _TURNAROUNDS[entry.turnaround]
    return table.factor(name).value if name else 0.0


def occupied(steps: list[StepEntry], plan: Timetable, table: FactorTable) -> tuple[Occupancy, ...]:
    """How long a batch keeps each suite and cleaner; where steps wait for each other in a shared one, that as well."""
    found: dict[str, Occupancy] = {}
    for entry in steps:
        suite = entry.suite or entry.step
        hours, turnaround = entry.hours.magnitude("h"), _TURNAROUNDS[entry.turnaround]
        old = found.get(suite)
        if old is not None:
            # The turnaround of a suite that several steps share comes after each of them.
            before = table.factor(old.turnaround).value if old.turnaround else 0.0
            hours, units = hours + old.hours + before, max(old.units, entry.units)
        else:
            units = entry.units
        found[suite] = Occupancy(suite, hours, turnaround, units)
    for entry in steps:
        if entry.cleaner:
            old = found.get(entry.cleaner, Occupancy(entry.cleaner, 0.0, ""))
            found[entry.cleaner] = replace(old, hours=old.hours + table.factor(_TURNAROUNDS[entry.turnaround]).value)
    extra = () if plan.exact else (Occupancy(SHARED, plan.interval, ""),)
    return (*found.values(), *extra)


def _performance(file: CaseFile, document: Document, uses: list[Use]) -> tuple[Performance | None, float]:
    """The levers, and the kilograms that are released."""
    entry = file.process
    if entry is None:
        if file.released is None or not file.released.value > 0:
            raise document.error(
                ("case",),
                "nothing says how much product a batch releases",
                remedy="Give 'released: 28 kg', or 'process:' with titre, broth, duration and recovery.",
            )
        return None, file.released.magnitude("kg")
    if file.released is not None:
        raise document.error(("released",), "the process says it already", remedy="Keep one of the two.", at_key=True)
    suites = {step.suite or step.step for step in file.steps}
    if entry.suite not in suites:
        raise document.error(
            ("process", "suite"),
            f"no step runs in the suite {entry.suite!r}",
            remedy=f"Name the suite of the production culture: one of {', '.join(sorted(suites))}.",
        )
    titre, hours = entry.titre.magnitude("g/L"), entry.duration.magnitude("h")
    kept = sum(step.hours.magnitude("h") for step in file.steps if (step.suite or step.step) == entry.suite)
    if hours > kept * (1 + 1e-9):
        raise document.error(
            ("process", "duration"),
            f"the culture takes {hours:g} h, but its steps keep {entry.suite} for {kept:g} h",
            remedy="Give the step at least the time of the culture.",
        )
    made = titre * entry.broth.magnitude("L") / 1000.0
    taken = sum(
        convert(use.amount, use.unit, "kg") for use in uses if use.grows == "substrate" and use.item in SUBSTRATES
    )
    recovery = entry.recovery.magnitude("")
    done = Performance(titre, titre / hours, made / taken if taken > 0 else None, recovery, entry.suite)
    return done, made * recovery


def _panels(file: CaseFile, document: Document) -> Photovoltaics:
    entry = file.electricity
    assert entry is not None
    given: dict[str, Any] = {"peak": entry.photovoltaics.magnitude("kW")}
    if entry.storage is not None:
        given["storage"] = entry.storage.magnitude("kWh")
    if entry.specific_yield is not None:
        given["specific_yield"] = entry.specific_yield.magnitude("kWh/kW")
    if entry.latitude is not None:
        given["latitude"] = entry.latitude
    try:
        return Photovoltaics(**given)
    except InputError as error:
        raise document.error(("electricity",), error.message, remedy=error.remedy) from None
