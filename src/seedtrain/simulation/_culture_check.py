"""What can be wrong with a culture file beyond its form: names, roles, ranges and units, all faults at once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from seedtrain.base import FUNCTIONS, Document, Expression, Location, SeedtrainError, collect, is_symbol
from seedtrain.quantity import QuantityError
from seedtrain.simulation._culture import GASES, LOCAL_UNITS, LOCALS, RUN_NAMES
from seedtrain.simulation._culture_entry import CultureEntry, SpeciesEntry
from seedtrain.simulation._elements import ELEMENTS
from seedtrain.simulation._units import (
    PLAIN,
    Powers,
    UnitFault,
    UnitSystem,
    powers_of,
    powers_of_expression,
    times,
)

LITRE = powers_of("L")
PER_HOUR = powers_of("1/h")
GROUPS = ("species", "parameters", "constants", "expressions")


@dataclass(frozen=True)
class Checked:
    """A sound file: the units that it computes in, those of its expressions, and which gases' rates are in g."""

    system: UnitSystem
    units: dict[str, str]
    in_grams: frozenset[str]


def check(document: Document, entry: CultureEntry) -> Checked:
    """What a sound file computes in; raises `InputErrors` with every fault of another at its place."""
    checker = _Checker(document, entry)
    checker.symbols()
    checker.roles()
    checker.ranges()
    checker.names()
    checker.units()
    collect(checker.faults)
    powers = {name: checker.known[name] or PLAIN for name in entry.expressions}
    units = {name: checker.system.spell(item) if item else "" for name, item in powers.items()}
    return Checked(checker.system, units, frozenset(checker.in_grams))


@dataclass
class _Checker:
    document: Document
    entry: CultureEntry
    faults: list[SeedtrainError] = field(default_factory=list)
    system: UnitSystem = field(default_factory=UnitSystem)
    known: dict[str, Powers | None] = field(default_factory=dict)
    in_grams: set[str] = field(default_factory=set)

    def say(self, place: Location, message: str, remedy: str) -> None:
        self.faults.append(self.document.error(place, message, remedy=remedy))

    def symbols(self) -> None:
        seen: dict[str, str] = dict.fromkeys(LOCALS, "the surroundings")
        for group in GROUPS:
            for name in getattr(self.entry, group):
                place = (group, name)
                if not is_symbol(name) or name in FUNCTIONS or name == "t":
                    self.say(place, f"{name!r} cannot be a symbol", "Use letters, digits and underscores: q_S_max.")
                elif name in seen:
                    self.say(place, f"{name!r} already stands in {seen[name]}", "Choose another name.")
                elif group == "species" and (name in RUN_NAMES or name in ("W", "Z")):
                    self.say(place, f"{name!r} means something else in every run", "Choose another name.")
                elif group == "species" and self.entry.rates and name in GASES:
                    self.say(place, f"{name!r} means the gas in rates", "Choose another name.")
                seen.setdefault(name, group)

    def roles(self) -> None:
        entry = self.entry
        if entry.biomass not in entry.species and (entry.biomass or entry.basis == "biomass"):
            remedy = f"Use one of: {', '.join(entry.species)}"
            remedy += "." if entry.biomass else "; or write basis: volume."
            self.say(("biomass",) if entry.biomass else (), f"biomass: {entry.biomass!r} is not a species", remedy)
        if bool(entry.conversions) == bool(entry.rates):
            self.say(
                (),
                "a culture has either conversions or rates",
                "Write conversions; rates are for published models that close no balance.",
            )
        if entry.rates and entry.design == "true":
            self.say(
                ("design",), "rates close no balance, so that nothing can be designed with them", "Write design: false."
            )
        used = {symbol for item in entry.conversions.values() for symbol in (*item.consumes, *item.produces)}
        for name, item in entry.species.items():
            self._matter(name, item, closed=name in used)

    def _matter(self, name: str, item: SpeciesEntry, *, closed: bool) -> None:
        place = ("species", name)
        for element in item.composition:
            if element not in ELEMENTS:
                self.say(
                    (*place, "composition", element),
                    f"the element {element!r} is not counted",
                    f"Use {', '.join(ELEMENTS)}; minerals are ash.",
                )
        if closed and not item.composition and item.weightless == "false":
            self.say(
                place,
                f"{name} stands in a conversion, which cannot close without its composition",
                "Add composition: {C: 6, H: 12, O: 6}; or weightless: true for an activity or a copy number.",
            )
        if item.composition and item.weightless == "true":
            self.say((*place, "weightless"), "what has a composition is not weightless", "Remove one of the two.")
        if item.protons.value and "C" not in item.composition:
            self.say((*place, "protons"), "an acid without carbon cannot be counted", "Add C.")
        if not 0 <= item.ash.magnitude("") < 1:
            self.say((*place, "ash"), f"{item.ash} is no mass fraction below 100 %", "Write 5 %.")

    def ranges(self) -> None:
        for name, item in self.entry.parameters.items():
            if item.range is None:
                continue
            try:
                inside = item.range.contains(item.value)
            except QuantityError as error:
                self.say(("parameters", name, "range"), error.message, error.remedy)
                continue
            if not inside:
                self.say(
                    ("parameters", name, "value"),
                    f"{item.value} lies outside its range {item.range}",
                    "Correct the value or the range.",
                )

    def names(self) -> None:
        entry = self.entry
        constant = set(entry.parameters) | set(entry.constants)
        known = constant | set(entry.species) | set(LOCALS)
        for name, text in entry.expressions.items():
            self._read(("expressions", name), text, known, "an expression reads only what stands above it")
            known.add(name)
        for name, item in entry.species.items():
            for element, text in item.composition.items():
                self._read(("species", name, "composition", element), text, constant, "a composition is constant")
        for name, conversion in entry.conversions.items():
            self._read(("conversions", name, "rate"), conversion.rate, known, "")
            for group in ("consumes", "produces"):
                for symbol, text in getattr(conversion, group).items():
                    place = ("conversions", name, group, symbol)
                    self._is_species(place, symbol, ())
                    self._read(place, text, constant, "a yield is constant, so that its conversion can be closed")
        for name, text in entry.rates.items():
            self._is_species(("rates", name), name, tuple(GASES))
            self._read(("rates", name), text, known, "")
        for name, symbol in entry.outputs.items():
            if symbol not in known:
                self.say(("outputs", name), f"{symbol!r} is not defined", "Name an expression.")
        for name, ranges in entry.trained.items():
            if name not in entry.expressions:
                self.say(("trained", name), f"{name!r} is no expression", "Name an expression that was learned.")
            for symbol in ranges:
                if symbol not in (*entry.species, *LOCALS):
                    names = ", ".join((*entry.species, *LOCALS))
                    self.say(("trained", name, symbol), f"{symbol!r} is no state", f"Use one of: {names}.")

    def _is_species(self, place: Location, symbol: str, also: tuple[str, ...]) -> None:
        if symbol not in (*also, *self.entry.species):
            names = ", ".join((*also, *self.entry.species))
            self.say(place, f"{symbol!r} is not a species", f"Use one of: {names}.")

    def _read(self, place: Location, text: Expression, known: set[str], why: str) -> None:
        for name in sorted(text.names - known):
            words = f"; {why}" if why else ""
            self.say(place, f"the symbol {name!r} is undefined here{words}", f"Use one of: {', '.join(sorted(known))}.")

    def units(self) -> None:
        entry = self.entry
        self.known.update({name: powers_of(unit) for name, unit in LOCAL_UNITS.items()})
        for name, item in entry.species.items():
            self.known[name] = self._species(name, item)
        self.known.update({name: powers_of(item.value.unit) for name, item in entry.parameters.items()})
        self.known.update({name: powers_of(item.unit) for name, item in entry.constants.items()})
        for name, text in entry.expressions.items():
            self.known[name] = self._powers(("expressions", name), text)
        for name, item in entry.species.items():
            for element, text in item.composition.items():
                self._is(("species", name, "composition", element), text, PLAIN, "a number of atoms")
        per = self._reference()
        for name, conversion in entry.conversions.items():
            rate = self._powers(("conversions", name, "rate"), conversion.rate)
            for group in ("consumes", "produces"):
                self._amounts(("conversions", name, group), rate, getattr(conversion, group), per)
        for name, text in entry.rates.items():
            self._rate(name, text, per)
        for name, ranges in entry.trained.items():
            for symbol, ends in ranges.items():
                found = self.known.get(symbol)
                if found is not None and powers_of(ends.unit) != found:
                    unit = self.system.spell(found)
                    self.say(("trained", name, symbol), f"{ends} is no range of {symbol}", f"Write it in {unit}.")

    def _species(self, name: str, item: SpeciesEntry) -> Powers | None:
        place = ("species", name, "unit")
        try:
            powers = self.system.species(item.unit)
        except QuantityError as error:
            self.say(place, error.message, error.remedy)
            return None
        amount = times(powers, LITRE)
        if dict(powers).get("length") != -3:
            if self.entry.conversions or name == self.entry.biomass:
                self.say(place, f"{item.unit!r} is no amount per volume", "Write g/L, mmol/L or 1e9 cells/L.")
            return powers
        counted = amount not in (powers_of("g"), powers_of("mol"))
        if item.mass and not counted:
            self.say(("species", name, "mass"), f"the mass of {item.unit} is known", "Remove it.")
        elif item.mass and powers_of(item.mass.unit) != times(powers_of("g"), amount, -1):
            wanted = self.system.spell(times(powers_of("g"), amount, -1))
            self.say(("species", name, "mass"), f"{item.mass} is not the mass of one", f"Write it in {wanted}.")
        elif counted and item.composition and item.mass is None:
            self.say(place, "a count has a composition only with the mass of one", "Add mass: 350 pg/cells.")
        return powers

    def _reference(self) -> Powers | None:
        """The dimension of what rates are per, with its hour; None where it cannot be told."""
        if self.entry.basis == "volume":
            return times(PER_HOUR, LITRE, -1)
        powers = self.known.get(self.entry.biomass)
        return None if powers is None else times(PER_HOUR, times(powers, LITRE), -1)

    def _powers(self, place: Location, text: Expression) -> Powers | None:
        try:
            return powers_of_expression(text.code, self.known, self.system)
        except UnitFault as fault:
            self.say(place, fault.message, fault.remedy)
            return None

    def _is(self, place: Location, text: Expression, wanted: Powers, what: str) -> None:
        found = self._powers(place, text)
        if found is not None and found != wanted:
            self._unlike(place, found, wanted, what)

    def _unlike(self, place: Location, found: Powers, wanted: Powers, what: str) -> None:
        factor = self.system.spell(times(wanted, found, -1))
        unit = self.system.spell(wanted)
        self.say(
            place,
            f"it is in {self.system.spell(found)}, and {what} is in {unit}",
            f"Multiply it by a parameter in {factor}, or correct a unit.",
        )

    def _amounts(
        self, place: Location, rate: Powers | None, amounts: Mapping[str, Expression], per: Powers | None
    ) -> None:
        for symbol, text in amounts.items():
            species, found = self.known.get(symbol), self._powers((*place, symbol), text)
            if None in (rate, per, species, found) or symbol not in self.entry.species:
                continue
            assert rate is not None and per is not None and species is not None and found is not None  # noqa: PT018
            wanted = times(times(species, LITRE), per)
            if times(rate, found) != wanted:
                self._unlike((*place, symbol), times(rate, found), wanted, f"the rate with this amount of {symbol}")

    def _rate(self, name: str, text: Expression, per: Powers | None) -> None:
        place, found = ("rates", name), self._powers(("rates", name), text)
        species = powers_of("mmol/L") if name in GASES else self.known.get(name)
        if species is None or found is None or per is None:
            return
        if dict(species).get("length") != -3:
            if found != times(species, PER_HOUR):
                self._unlike(place, found, times(species, PER_HOUR), f"the change of {name}")
            return
        if name in GASES and found == times(powers_of("g"), per):
            self.in_grams.add(name)
            return
        wanted = times(times(species, LITRE), per)
        if found != wanted:
            self._unlike(place, found, wanted, f"the rate of {name}")
