"""A culture in the vessel that its authors wrote (see `reproduce`) as SBML: species, reactions, phases as events.

The same equations as `_reproduce`: concentrations in one well-mixed volume, fed and diluted, with or without oxygen.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from seedtrain.base import InputError
from seedtrain.simulation._culture import LOCAL_UNITS, Conversion, Culture
from seedtrain.simulation._culture import Species as CultureSpecies
from seedtrain.simulation._elements import O2_MASS
from seedtrain.simulation._exchange._source import (
    Compartment,
    Event,
    Parameter,
    Participant,
    Reaction,
    Rule,
    Source,
    Species,
    UnitPart,
)
from seedtrain.simulation._exchange._tree import Tree, call, num, product, read_expression, sym, total
from seedtrain.simulation._exchange._units import unit_id, unit_parts
from seedtrain.simulation._reproduce import AIR_SATURATION, TANK, PublishedPhase

OXYGEN: Final = "DOT"


@dataclass(frozen=True)
class Tank:
    """How a culture is run: as the arguments of `reproduce`."""

    initial: Mapping[str, float]
    phases: Sequence[PublishedPhase]
    volume: float = 1.0
    saturation: float = 99.0
    henry: float = 14000.0
    probe_lag: float = 35.0

    @property
    def aerated(self) -> bool:
        """Whether dissolved oxygen is a state."""
        return OXYGEN in self.initial


def source_of_culture(culture: Culture, tank: Tank) -> Source:
    """A culture in its published tank as an SBML model; its time is in hours.

    Raises `InputError` for an unknown symbol or a phase without length.
    """
    _check(culture, tank)
    return _Builder(culture, tank).source()


def _check(culture: Culture, tank: Tank) -> None:
    species = (*culture.species, OXYGEN)
    for phase in tank.phases:
        for given, known in (
            (tank.initial, species),
            (phase.pulse or {}, species),
            (phase.inflow, species),
            (phase.surroundings, tuple(TANK)),
            (phase.parameters, tuple(culture.parameters)),
        ):
            for name, value in given.items():
                if name not in known:
                    remedy = f"Use one of: {', '.join(known)}."
                    raise InputError(f"the culture {culture.name} has no {name!r}", remedy=remedy)
                if not math.isfinite(value):
                    raise InputError(f"{name} is {value}", remedy="Give a finite number.")
        if not (phase.hours > 0 and math.isfinite(phase.hours)):
            raise InputError(f"phase {phase.name} lasts {phase.hours} h", remedy="Give a length above 0 h.")
    if not (tank.volume > 0 and math.isfinite(tank.volume)):
        raise InputError(f"the volume is {tank.volume} L", remedy="Give a volume above 0 L.")


class _Builder:
    def __init__(self, culture: Culture, tank: Tank) -> None:
        self.culture, self.tank = culture, tank
        taken = {*culture.species, *culture.parameters, *culture.expressions, *LOCAL_UNITS, OXYGEN}
        self.own = {}
        for name in ("tank", "feed", "feed_start", "feed_growth", "phase_start", "outflow", "kLa", "DOT_probe", *_TANK):
            free = name
            while free in taken:
                free += "_"
            self.own[name] = free
            taken.add(free)
        self.taken = taken
        self.units: dict[str, tuple[UnitPart, ...]] = {}
        self.read = self._read()
        self.parameters: list[Parameter] = []
        self.rules: list[Rule] = []
        self.reactions: list[Reaction] = []
        self.changing: dict[str, list[float]] = {}
        self.kept = {name: item for name, item in culture.species.items() if _is_substance(item)}
        self.extent = self._extent()

    def _extent(self) -> str:
        """The unit of amount in which most reactions run: of the conversions' rates, else of the first species."""
        culture = self.culture
        first = _amount_unit(next(iter(self.kept.values())).unit) if self.kept else ""
        whole = _amount_unit(culture.species[culture.biomass].unit) if culture.basis == "biomass" else "L"
        found = []
        for item in culture.conversions:
            unit = culture.units.get(item.rate.text, "").removesuffix("/h")
            found.append(whole if unit == "1" else unit.removesuffix(f"/{whole}"))
        known = [unit for unit in found if unit_parts(unit) is not None and unit]
        return max(known, key=known.count) if known else first

    def formula(self, text: str) -> Tree:
        """An expression of the culture."""
        return _counted(read_expression(text))

    def number(self, value: float, unit: str) -> Tree:
        """A number with its unit."""
        return Tree("num", value=value, name=self.unit(unit))

    def ratio(self, above: str, below: str) -> str:
        """The id of the unit `above` over `below`."""
        a, b = unit_parts(above), unit_parts(below)
        if a is None or b is None:
            return ""
        name = f"{unit_id(above)}_per_{unit_id(below)}"
        self.units[name] = a + tuple((kind, -power, scale, size) for kind, power, scale, size in b)
        return name

    def _read(self) -> set[str]:
        """Surroundings that expressions read."""
        texts = [*self.culture.expressions.values(), *self.culture.rates.values()]
        texts += [item.rate for item in self.culture.conversions]
        return {name for text in texts for name in text.names if name in LOCAL_UNITS}

    def unit(self, text: str) -> str:
        """The id of a unit, defined where it is new; empty where SBML has no such unit."""
        parts = unit_parts(text)
        if parts is None:
            return ""
        if parts == (("dimensionless", 1.0, 0, 1.0),):
            return "dimensionless"
        name = unit_id(text)
        while self.units.get(name, parts) != parts or name in ("mole", "litre", "gram", "second", "item", "metre"):
            name += "_"
        self.units[name] = parts
        return name

    def add(self, name: str, value: float | None, unit: str, words: str = "", *, constant: bool = True) -> None:
        self.parameters.append(Parameter(name, value, words, self.unit(unit), constant))

    def follow(self, name: str, values: Sequence[float], unit: str, words: str = "") -> None:
        """A parameter that phases set: constant where they all set the same."""
        same = all(value == values[0] for value in values)
        self.add(name, values[0], unit, words, constant=same)
        if not same:
            self.changing[name] = list(values)

    def source(self) -> Source:
        culture, own = self.culture, self.own
        self.surroundings()
        self.feeding()
        for item in culture.parameters.values():
            self.follow(item.name, self._along(item.name, item.value), item.unit, item.source)
        for name, text in culture.expressions.items():
            self.add(name, None, culture.units.get(name, ""), constant=False)
            self.rules.append(Rule("assignment", name, self.formula(text.text)))
        species = tuple(self.species())
        self.turnover()
        if self.tank.aerated:
            self.oxygen()
        extent = self.unit(self.extent) or "dimensionless"
        box = Compartment(own["tank"], "culture vessel", self.tank.volume, self.unit("L"), not self._is_fed(), 3.0)
        return Source(
            id=culture.name,
            file="",
            name=culture.title,
            notes=f"{culture.source}\nStatus: {culture.status}.",
            time_unit=self.unit("h"),
            substance_unit=extent,
            extent_unit=extent,
            volume_unit=self.unit("L"),
            compartments=(box,),
            species=species,
            parameters=tuple(self.parameters),
            rules=tuple(self.rules),
            reactions=tuple(self.reactions),
            events=tuple(self.events()),
            units=self.units,
        )

    def _along(self, name: str, value: float) -> list[float]:
        """A parameter of the culture in each phase."""
        found = []
        for phase in self.tank.phases:
            value = phase.parameters.get(name, value)
            found.append(value)
        return found

    def _is_fed(self) -> bool:
        return any(phase.feed for phase in self.tank.phases)

    def surroundings(self) -> None:
        phases = self.tank.phases
        wanted = self.read | ({"DO_percent"} if "DO" in self.read or self.tank.aerated else set())
        for name in sorted(wanted):
            if name == "DO":
                self.add(name, None, "mmol/L", "dissolved oxygen", constant=False)
                per = self.number(AIR_SATURATION / 100, "mmol/L")
                self.rules.append(Rule("assignment", name, product(per, sym("DO_percent"))))
            elif name == "DO_percent" and self.tank.aerated:
                self.add(name, None, "", "dissolved oxygen, % of air saturation", constant=False)
                self.rules.append(Rule("assignment", name, sym(OXYGEN)))
            else:
                values = [{**TANK, **phase.surroundings}[name] for phase in phases]
                self.follow(name, values, LOCAL_UNITS[name])

    def feeding(self) -> None:
        """F = F_0 exp(growth (time - start of the phase))."""
        if not self._is_fed():
            return
        own, phases = self.own, self.tank.phases
        self.follow(own["feed_start"], [phase.feed for phase in phases], "L/h", "feed at the start of the phase")
        self.follow(own["feed_growth"], [phase.growth for phase in phases], "1/h", "growth of the feed")
        starts = self._starts()
        self.follow(own["phase_start"], starts, "h", "start of the phase")
        self.add(own["feed"], None, "L/h", "feed", constant=False)
        since = call("-", Tree("time"), sym(own["phase_start"]))
        rising = call("exp", product(sym(own["feed_growth"]), since))
        self.rules.append(Rule("assignment", own["feed"], product(sym(own["feed_start"]), rising)))
        held = [float(phase.constant_volume) for phase in phases]
        self.follow(own["outflow"], held, "", "part of the feed that flows out at once")
        kept = call("-", self.number(1.0, ""), sym(own["outflow"]))
        self.rules.append(Rule("rate", own["tank"], product(sym(own["feed"]), kept)))

    def _starts(self) -> list[float]:
        starts, begin = [], 0.0
        for phase in self.tank.phases:
            starts.append(begin)
            begin += phase.hours
        return starts

    def species(self) -> Iterator[Species]:
        culture, own, phases = self.culture, self.own, self.tank.phases
        for name, item in culture.species.items():
            start = self.tank.initial.get(name, 0.0)
            if name not in self.kept:
                self.add(name, start, item.unit, item.words, constant=False)
                self.rules.append(Rule("rate", name, self.apart(name)))
                continue
            unit = self.unit(_amount_unit(item.unit)) or "dimensionless"
            yield Species(name, own["tank"], item.words, None, start, unit, factor=self.factor(name))
            if not self._is_fed():
                continue
            symbol = self.brought(name)
            if symbol:
                law = self.converted(name, product(sym(own["feed"]), sym(symbol)))
                self.reactions.append(Reaction(self.free(f"feeding_{name}"), (), (Participant(name),), law))
            if any(phase.constant_volume for phase in phases):
                law = self.converted(name, product(sym(own["feed"]), sym(own["outflow"]), sym(name)))
                self.reactions.append(Reaction(self.free(f"washing_out_{name}"), (Participant(name),), (), law))

    def brought(self, name: str) -> str:
        """The parameter that is a species' content of the feed; empty where there is none."""
        item, sugar = self.culture.species[name], self.culture.symbol("glucose") == name
        found = [phase.inflow.get(name, phase.feed_glucose if sugar else 0.0) for phase in self.tank.phases]
        if not any(found):
            return ""
        symbol = self.free(f"feed_{name}")
        self.follow(symbol, found, item.unit, f"{item.words} in the feed")
        return symbol

    def apart(self, name: str) -> Tree:
        """The rate of what is no amount of a substance: an activity, a copy number in each cell."""
        culture, own = self.culture, self.own
        per = [sym(culture.biomass)] if culture.basis == "biomass" else []
        terms = [product(self.formula(culture.rates[name].text), *per)] if name in culture.rates else []
        for item in culture.conversions:
            if name in item.amounts:
                terms.append(product(self.formula(item.amounts[name].text), self.formula(item.rate.text), *per))
        if self._is_fed() and not culture.species[name].intensive:
            symbol = self.brought(name)
            gap = call("-", sym(symbol), sym(name)) if symbol else call("neg", sym(name))
            terms.append(call("/", product(sym(own["feed"]), gap), sym(own["tank"])))
        return total(terms)

    def factor(self, species: str) -> str:
        """A conversion factor of 1 from the reactions' unit of amount to a species' own; empty where they are one."""
        unit = _amount_unit(self.culture.species[species].unit)
        if unit == self.extent:
            return ""
        name = f"one_{unit_id(unit)}_per_{unit_id(self.extent)}"
        if all(item.id != name for item in self.parameters):
            self.parameters.append(Parameter(name, 1.0, "conversion of units", self.ratio(unit, self.extent)))
        return name

    def converted(self, species: str, law: Tree) -> Tree:
        """A law in a species' own unit of amount as one in that of the reactions."""
        factor = self.factor(species)
        return call("/", law, sym(factor)) if factor else law

    def free(self, wanted: str) -> str:
        """An id that nothing has."""
        while wanted in self.taken:
            wanted += "_"
        self.taken.add(wanted)
        return wanted

    def turnover(self) -> None:
        """Conversions as reactions; net rates as one reaction for each species."""
        culture = self.culture
        per = [sym(culture.biomass)] if culture.basis == "biomass" else []
        for at, item in enumerate(culture.conversions):
            law = product(self.formula(item.rate.text), *per, sym(self.own["tank"]))
            parts = tuple(self.participants(at, item))
            modifiers = tuple(sorted(self._modifiers(law, {part.species for part in parts})))
            name = self.free(item.name)
            self.reactions.append(Reaction(name, (), parts, law, modifiers=modifiers, name=item.words))
        for name, text in culture.rates.items():
            if name in self.kept:
                law = self.converted(name, product(self.formula(text.text), *per, sym(self.own["tank"])))
                modifiers = tuple(sorted(self._modifiers(law, {name})))
                part, words = (Participant(name),), self.kept[name].words
                self.reactions.append(Reaction(self.free(f"net_{name}"), (), part, law, (), modifiers, words))

    def _modifiers(self, law: Tree, parts: set[str]) -> set[str]:
        """Species that a law reads itself and that do not take part."""
        return {name for name in law.names if name in self.kept} - parts

    def participants(self, at: int, item: Conversion) -> Iterator[Participant]:
        """What a conversion makes, with its stoichiometry: negative where it is consumed."""
        for name, text in item.amounts.items():
            if name not in self.kept:
                continue
            formula = self.converted(name, self.formula(text.text))
            if not text.names:
                yield Participant(name, text.evaluate({}))
                continue
            symbol = self.free(f"amount_{at + 1}_{name}")
            yield Participant(name, None, id=symbol, constant=False)
            self.rules.append(Rule("assignment", symbol, formula))

    def oxygen(self) -> None:
        """dDOT/dt = kLa (saturation - DOT) + uptake henry, and a probe that lags behind it."""
        culture, own, tank = self.culture, self.own, self.tank
        start = tank.initial[OXYGEN]
        self.add(OXYGEN, start, "", "dissolved oxygen, % of air saturation", constant=False)
        self.add(own["DOT_probe"], start, "", "what the probe shows", constant=False)
        self.follow(own["kLa"], [phase.kLa for phase in tank.phases], "1/h", "oxygen transfer coefficient")
        self.add(own["saturation"], tank.saturation, "", "oxygen of saturation, %")
        self.add(own["henry"], tank.henry, "L/g", "% of saturation per g/L of O2")
        self.add(own["probe_lag"], tank.probe_lag / 3600, "h", "time constant of the probe")
        self.add(own["oxygen_mass"], O2_MASS / 1000, "g/mmol", "molar mass of O2")
        per = [sym(culture.biomass)] if culture.basis == "biomass" else []
        uptake = product(self._oxygen_rate(), *per, sym(own["oxygen_mass"]), sym(own["henry"]))
        transfer = product(sym(own["kLa"]), call("-", sym(own["saturation"]), sym(OXYGEN)))
        self.rules.append(Rule("rate", OXYGEN, total([transfer, uptake])))
        gap = call("-", sym(OXYGEN), sym(own["DOT_probe"]))
        self.rules.append(Rule("rate", own["DOT_probe"], call("/", gap, sym(own["probe_lag"]))))

    def _oxygen_rate(self) -> Tree:
        """mmol of O2 formed per unit of the basis and hour; negative where it is taken up."""
        culture = self.culture
        if culture.rates:
            return self.formula(culture.rates["O2"].text) if "O2" in culture.rates else num(0.0)
        terms = []
        for at, item in enumerate(culture.conversions):
            symbol = self.free(f"oxygen_{at + 1}")
            words, unit = f"O2 that {item.name} frees per unit of its rate", self.ratio("mmol", self.extent)
            self.parameters.append(Parameter(symbol, culture.exchange(item).O2 * 1000, words, unit))
            terms.append(product(sym(symbol), self.formula(item.rate.text)))
        return total(terms)

    def events(self) -> Iterator[Event]:
        """The start of every later phase; the pulse of the first is in the initial state."""
        starts = self._starts()
        for at, phase in enumerate(self.tank.phases):
            pulse = {name: amount for name, amount in (phase.pulse or {}).items() if amount}
            new = [(name, v[at]) for name, v in self.changing.items() if at and v[at] != v[at - 1]]
            units = {item.id: item.unit for item in self.parameters}
            changes = [(name, Tree("num", value=value, name=units[name])) for name, value in new]
            for name, amount in pulse.items():
                unit = self.culture.species[name].unit if name in self.culture.species else ""
                changes.append((name, call("+", sym(name), self.number(amount, unit))))
            if not changes:
                continue
            trigger = call("ge", Tree("time"), self.number(starts[at], "h"))
            yield Event(self.free(f"phase_{at + 1}"), trigger, tuple(changes), initially=False, name=phase.name)


_TANK: Final = ("saturation", "henry", "probe_lag", "oxygen_mass")


def _amount_unit(unit: str) -> str:
    """g of g/L, 1e9 cells of 1e9 cells/L."""
    head, mark, rest = unit.rpartition("/")
    return head if mark and rest == "L" else unit


def _is_substance(item: CultureSpecies) -> bool:
    """Whether a species has an amount that SBML knows: of mass, substance or items in a volume."""
    parts = unit_parts(_amount_unit(item.unit)) or ()
    kinds = [kind for kind, *_ in parts if kind != "dimensionless"]
    return not item.intensive and item.unit.endswith("/L") and kinds in (["gram"], ["mole"], ["item"])


def _counted(tree: Tree) -> Tree:
    """Whole numbers up to ten count something, as in 1 + S / K and 2 * v; others may stand for constants."""
    if tree.op == "num":
        plain = tree.value in range(1, 11)
        return Tree("num", value=tree.value, name="dimensionless") if plain else tree
    return Tree(tree.op, tuple(_counted(part) for part in tree.parts), tree.value, tree.name)
