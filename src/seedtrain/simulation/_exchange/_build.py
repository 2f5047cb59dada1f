"""From an SBML model as data to the engine's `System`: names, states, rates, assigned lines in order, gauges."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from seedtrain.base import FUNCTIONS, InputError, Position, SeedtrainError, collect, is_symbol, parse_expression
from seedtrain.simulation._engine import System
from seedtrain.simulation._exchange._emit import Emitter, UnsupportedError
from seedtrain.simulation._exchange._model import Gauge, Kind, Quantity, Role, SbmlModel
from seedtrain.simulation._exchange._source import Event, Participant, Reaction, Rule, Source, Species
from seedtrain.simulation._exchange._tree import BOOLEAN, RELATIONS, Tree, call, num, product, sym, total
from seedtrain.simulation._exchange._units import unit_text

RATE: Final = "rateof."
"""Before the name of what a derivative by time is of, in `SbmlModel.formulas`."""


def build_model(source: Source) -> SbmlModel:
    """`source` as an `SbmlModel`; every formula that the engine cannot say exactly is refused at its line."""
    parts = Parts(source)
    collect(parts.faults)
    return _Writer(parts).model()


class Namer:
    """Symbols of the engine for names of any kind, each once."""

    def __init__(self) -> None:
        self.taken: set[str] = {*FUNCTIONS, "t"}

    def new(self, wanted: str) -> str:
        """A free symbol as near to `wanted` as may be."""
        plain = "".join(
            letter if letter.isascii() and (letter.isalnum() or letter == "_") else "_" for letter in wanted
        )
        plain = plain.lstrip("_") or "x"
        if not is_symbol(plain):
            plain = f"x_{plain}"
        found, count = plain, 1
        while found in self.taken:
            count += 1
            found = f"{plain}_{count}"
        self.taken.add(found)
        return found


class Parts:
    """A model sorted: which quantity is a state, a number or assigned, and the formula of each."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.faults: list[SeedtrainError] = []
        self.rules = {kind: _by_variable(source.rules, kind) for kind in ("assignment", "rate", "initial")}
        self.moved = {name for event in source.events for name, _ in event.assignments}
        self.participants = {
            item.id: item for reaction in source.reactions for item in _participants(reaction) if item.id
        }
        self.changed = self._changed_by_reactions()
        self.namer = Namer()
        self.names: dict[str, str] = {}
        self.quantities = {item.id: item for item in self._quantities()}
        self.formulas = dict(self._formulas())
        for name in self.formulas:
            self.names.setdefault(name, self.namer.new(name.replace(RATE, "rate_of_")))
        self.rates = {name: self._rate(item) for name, item in self.quantities.items() if item.role == "state"}
        self._follow_rates()

    def fault(self, element: str, line: int, what: str, remedy: str) -> None:
        """Remember that `element` cannot be taken."""
        self.faults.append(
            InputError(f"{element}: {what}", position=Position(self.source.file, line, 1), remedy=remedy)
        )

    def _changed_by_reactions(self) -> dict[str, list[tuple[Reaction, Participant, float]]]:
        free = {item.id for item in self.source.species if not item.boundary and not item.constant}
        found: dict[str, list[tuple[Reaction, Participant, float]]] = {}
        for reaction in self.source.reactions:
            if reaction.law is None:
                continue
            for sign, items in ((-1.0, reaction.reactants), (1.0, reaction.products)):
                for item in items:
                    if item.species in free:
                        found.setdefault(item.species, []).append((reaction, item, sign))
        return found

    def _role(self, name: str) -> Role:
        if name in self.rules["assignment"]:
            return "assigned"
        return "state" if name in self.rules["rate"] or name in self.moved or name in self.changed else "number"

    def _quantities(self) -> Iterator[Quantity]:
        source = self.source
        for box in source.compartments:
            unit = unit_text(source, box.unit or source.volume_unit)
            yield self._plain(box.id, "compartment", box.size, unit, box.name, box.line, box.constant)
        for item in source.species:
            yield self._species(item)
        for entry in source.parameters:
            unit = unit_text(source, entry.unit)
            yield self._plain(entry.id, "parameter", entry.value, unit, entry.name, entry.line, entry.constant)
        for name, part in self.participants.items():
            yield self._plain(name, "stoichiometry", part.stoichiometry, "", "", part.line, part.constant)
        for reaction in source.reactions:
            for entry in reaction.local:
                name, unit = f"{reaction.id}.{entry.id}", unit_text(source, entry.unit)
                yield self._plain(name, "local", entry.value, unit, entry.name, entry.line, True)

    def _plain(
        self, name: str, kind: Kind, start: float | None, unit: str, words: str, line: int, constant: bool
    ) -> Quantity:
        symbol = self.names[name] = self.namer.new(name)
        return Quantity(name, kind, self._role(name), symbol, symbol, "", start, unit, words, line, constant)

    def _species(self, item: Species) -> Quantity:
        source = self.source
        box = next(found for found in source.compartments if found.id == item.compartment)
        concentration = not item.only_substance and box.dimensions > 0
        role = self._role(item.id)
        symbol = self.names[item.id] = self.namer.new(item.id)
        # With a rate rule in a compartment whose size follows another rule, the concentration itself is integrated.
        itself = item.id in self.rules["rate"] and item.compartment in self.rules["assignment"]
        apart = concentration and role != "assigned" and not itself
        unit = unit_text(source, item.unit or source.substance_unit)
        if concentration:
            unit = unit_text(source, item.unit or source.substance_unit, per=box.unit or source.volume_unit)
        size = item.compartment if box.dimensions > 0 else ""
        start = item.concentration if concentration else item.amount
        if start is None and size and box.size is not None and (box.size or not concentration):
            if concentration and item.amount is not None:
                start = item.amount / box.size
            elif not concentration and item.concentration is not None:
                start = item.concentration * box.size
        held_in = self.namer.new(f"amount_{item.id}") if apart else symbol
        size = size if concentration else ""
        return Quantity(
            item.id, "species", role, symbol, held_in, size, start, unit, item.name, item.line, item.constant
        )

    def _formulas(self) -> Iterator[tuple[str, Tree]]:
        """What every symbol is that is no state and no number: concentrations, assigned ones, reactions."""
        for name, item in self.quantities.items():
            if item.role != "assigned" and item.held_in != item.symbol:
                self.names[f"amount.{name}"] = item.held_in
                yield name, call("/", sym(f"amount.{name}"), sym(item.size))
        for name, rule in self.rules["assignment"].items():
            if rule.math is not None:
                yield name, rule.math
        for reaction in self.source.reactions:
            if reaction.law is not None:
                yield reaction.id, reaction.law

    def _rate(self, item: Quantity) -> Tree:
        """d/dt of what carries `item`: its amount where that is apart."""
        rule = self.rules["rate"].get(item.id)
        if rule is None:
            return self._net(item.id)
        if rule.math is None:
            return num(0.0)
        if item.held_in == item.symbol:
            return rule.math
        growing = self.rules["rate"].get(item.size)
        own = call("*", rule.math, sym(item.size))
        return own if growing is None or growing.math is None else total([own, call("*", sym(item.id), growing.math)])

    def _net(self, species: str) -> Tree:
        terms = []
        factor = next((item.factor for item in self.source.species if item.id == species), "") or self.source.factor
        for reaction, item, sign in self.changed.get(species, []):
            factors = [self._stoichiometry(item), *([sym(factor)] if factor else []), sym(reaction.id)]
            term = product(*factors)
            terms.append(term if sign > 0 else call("neg", term))
        return total(terms)

    def _stoichiometry(self, item: Participant) -> Tree:
        if item.math is not None:
            return item.math
        if item.id and (item.id in self.moved or any(item.id in rules for rules in self.rules.values())):
            return sym(item.id)
        if item.stoichiometry is None:
            self.fault(f"speciesReference to {item.species!r}", item.line, "it has no stoichiometry", "Give a number.")
            return num(0.0)
        return num(item.stoichiometry)

    def derivative(self, name: str) -> Tree:
        """d/dt of what `name` means in formulas, for rateOf."""
        item = self.quantities.get(name)
        if item is None or item.role == "assigned":
            raise UnsupportedError(f"rateOf {name!r}, which a rule assigns", "Write its derivative out.")
        if item.role == "number" and not item.size:
            return num(0.0)
        own = self.rates.get(name, num(0.0))
        if item.held_in == item.symbol:
            return own
        if name in self.rules["rate"]:
            return self.rules["rate"][name].math or num(0.0)
        size = self.quantities[item.size]
        if size.role == "assigned":
            raise UnsupportedError(f"rateOf {name!r} in a compartment whose size a rule assigns", "Write it out.")
        if size.id not in self.rules["rate"]:
            return call("/", own, sym(size.id))
        growth = call("*", sym(name), self.derivative(size.id))
        return call("/", call("-", own, growth), sym(size.id))

    def _follow_rates(self) -> None:
        """A formula `rateof.x` for every x whose rate something reads."""
        waiting = [*self.formulas.values(), *self.rates.values(), *self._event_formulas()]
        waiting += [rule.math for rule in self.rules["initial"].values() if rule.math is not None]
        while waiting:
            for node in waiting.pop().walk():
                name = RATE + node.name
                if node.op != "rateof" or name in self.formulas:
                    continue
                try:
                    self.formulas[name] = self.derivative(node.name)
                except UnsupportedError as error:
                    self.fault("rateOf", 0, error.what, error.remedy)
                    self.formulas[name] = num(0.0)
                self.names[name] = self.namer.new(f"rate_of_{node.name}")
                waiting.append(self.formulas[name])

    def _event_formulas(self) -> Iterator[Tree]:
        for event in self.source.events:
            yield from (item for item in (event.trigger, event.delay, event.priority) if item is not None)
            yield from (formula for _, formula in event.assignments)


def _by_variable(rules: tuple[Rule, ...], kind: str) -> dict[str, Rule]:
    # A rule without mathematics (Level 3 Version 2) says nothing.
    return {rule.variable: rule for rule in rules if rule.kind == kind and rule.math is not None}


def _participants(reaction: Reaction) -> tuple[Participant, ...]:
    return (*reaction.reactants, *reaction.products)


def booleans_only(tree: Tree) -> Tree:
    """`tree` with every number that stands for a truth value written as a comparison with 0."""
    if tree.op in ("and", "or", "not", "xor", "implies"):
        return Tree(tree.op, tuple(booleans_only(part) for part in tree.parts))
    if tree.op in BOOLEAN:
        return tree
    if tree.op == "piecewise":
        return Tree(tree.op, tuple(booleans_only(part) for part in tree.parts))
    return call("ne", tree, num(0.0))


def relations(tree: Tree) -> Iterator[Tree]:
    """The differences whose sign decides `tree`."""
    for node in tree.walk():
        if node.op in RELATIONS:
            yield call("-", *node.parts)


class _Writer:
    """Writes the sorted parts as a `System`."""

    def __init__(self, parts: Parts) -> None:
        self.parts = parts
        self.source = parts.source
        self.faults: list[SeedtrainError] = []
        self.names = dict(parts.names)
        self.names["time"] = parts.namer.new("time")
        self.derived: dict[str, Tree] = {}
        self.fixed = self._fixed()
        self.emitter = Emitter(self.names, parts.namer.new, self._derive)
        self.time_number = parts.namer.new("time_0")

    def _fixed(self) -> set[str]:
        """Names whose values never change."""
        found = {name for name, item in self.parts.quantities.items() if item.role == "number" and not item.size}
        found |= {f"amount.{name}" for name, item in self.parts.quantities.items() if item.role == "number"}
        formulas = self.parts.formulas
        growing = True
        while growing:
            more = {
                name
                for name, tree in formulas.items()
                if name not in found and tree.names <= found and not _moves(tree)
            }
            found |= more
            growing = bool(more)
        return found

    def _derive(self, tree: Tree) -> str | None:
        if not tree.names <= self.fixed or _moves(tree):
            return None
        for symbol, known in self.derived.items():
            if known == tree:
                return symbol
        symbol = self.parts.namer.new(f"constant_{len(self.derived) + 1}")
        self.derived[symbol] = tree
        return symbol

    def text(self, tree: Tree, element: str, line: int) -> str:
        """`tree` in the engine's language; what it cannot say is a fault of `element`."""
        plain = _rates_as_symbols(tree)
        try:
            return self.emitter.text(plain)
        except UnsupportedError as error:
            where = Position(self.source.file, line, 1)
            self.faults.append(InputError(f"{element}: {error.what}", position=where, remedy=error.remedy))
        except RecursionError:
            where = Position(self.source.file, line, 1)
            remedy = "Split it with assignment rules."
            self.faults.append(InputError(f"{element}: nested too deeply", position=where, remedy=remedy))
        return "0.0"

    def model(self) -> SbmlModel:
        parts, source = self.parts, self.source
        states = [item for item in parts.quantities.values() if item.role == "state"]
        order = self._ordered()
        for name in order:
            text = self.text(parts.formulas[name], *self._place(name))
            self.emitter.lines.append((self.names[name], text))
        rates = [self.text(parts.rates[item.id], *self._place(item.id)) for item in states]
        events = tuple(_read_as_booleans(event) for event in source.events)
        gauges, gauge_texts = self._gauges(events)
        collect([*parts.faults, *self.faults])
        system, time_number = self._system(states, rates, gauges, gauge_texts)
        return SbmlModel(
            id=source.id,
            name=source.name or source.id,
            file=source.file,
            level=source.level,
            version=source.version,
            system=system,
            quantities=parts.quantities,
            formulas=parts.formulas,
            rates=parts.rates,
            initial={name: rule.math for name, rule in parts.rules["initial"].items() if rule.math is not None},
            derived=self.derived,
            events=events,
            gauges=gauges,
            time_number=time_number,
            time_unit=unit_text(source, source.time_unit),
            source=source,
        )

    def _system(
        self, states: list[Quantity], rates: list[str], gauges: tuple[Gauge, ...], texts: list[str]
    ) -> tuple[System, str]:
        parts = self.parts
        lines = self.emitter.lines
        every = [*(text for _, text in lines), *rates, *texts]
        uses_time = any(self.names["time"] in _words(text) for text in every)
        if uses_time:
            lines = [(self.names["time"], f"{self.time_number} + t"), *lines]
        numbers = [item.held_in for item in parts.quantities.values() if item.role == "number"]
        numbers += [*self.derived, *([self.time_number] if uses_time else [])]
        numbers += [symbol for gauge in gauges for symbol in (gauge.way, gauge.lift)]
        carried = [item.held_in for item in states]
        if not carried:  # nothing changes by itself: the engine wants a state all the same
            carried, rates = [parts.namer.new("nothing")], ["0.0"]
        seen = [self.names[name] for name in parts.formulas if not name.startswith(RATE)]
        system = System(
            name=self.source.id,
            states=tuple(carried),
            numbers=tuple(numbers),
            held=(),
            lines=tuple(lines),
            rates=tuple(rates),
            gauges=tuple((f"gauge_{at + 1}", text) for at, text in enumerate(texts)),
            observed=(*carried, *seen),
        )
        return system, self.time_number if uses_time else ""

    def _place(self, name: str) -> tuple[str, int]:
        """The element that defines `name`, in words, and its line."""
        parts = self.parts
        plain = name.removeprefix(RATE)
        for kind in ("assignment", "rate"):
            if plain in parts.rules[kind]:
                return f"{kind}Rule of {plain!r}", parts.rules[kind][plain].line
        if plain in parts.quantities:
            return f"{parts.quantities[plain].kind} {plain!r}", parts.quantities[plain].line
        line = next((item.line for item in self.source.reactions if item.id == plain), 0)
        return f"reaction {plain!r}", line

    def _ordered(self) -> list[str]:
        """Every formula after those that it reads; a cycle is a fault."""
        formulas = self.parts.formulas
        done: list[str] = []
        state: dict[str, int] = {}
        for first in formulas:
            waiting = [first]
            while waiting:
                name = waiting[-1]
                if state.get(name) == 2:
                    waiting.pop()
                    continue
                needed = [item for item in _reads(formulas[name]) if item in formulas and state.get(item) != 2]
                if not needed:
                    state[name] = 2
                    done.append(name)
                    waiting.pop()
                elif state.get(name) == 1:
                    element, line = self._place(name)
                    self.parts.fault(element, line, "it depends on itself", "Break the cycle.")
                    collect(self.parts.faults)
                else:
                    state[name] = 1
                    waiting += needed
        return done

    def _gauges(self, events: tuple[Event, ...]) -> tuple[tuple[Gauge, ...], list[str]]:
        """Gauges of the triggers, and of formulas that switch at times known beforehand."""
        found: dict[Tree, tuple[str, int]] = {}
        for event in events:
            for formula in relations(event.trigger):
                found.setdefault(formula, (f"event {event.id!r}", event.line))
        for name, tree in (*self.parts.formulas.items(), *self.parts.rates.items()):
            for formula in relations(tree):
                if "time" in formula.ops and formula.names <= self.fixed and "rateof" not in formula.ops:
                    found.setdefault(formula, self._place(name))
        gauges, texts = [], []
        for at, (formula, (element, line)) in enumerate(found.items()):
            try:
                g = self.emitter.hoisted(_rates_as_symbols(formula), "gap")
            except UnsupportedError as error:
                where = Position(self.source.file, line, 1)
                self.faults.append(InputError(f"{element}: {error.what}", position=where, remedy=error.remedy))
                continue
            way, lift = self.parts.namer.new(f"way_{at + 1}"), self.parts.namer.new(f"lift_{at + 1}")
            gauges.append(Gauge(formula, way, lift))
            texts.append(f"{way} * {g} + (1.0 - {way} * {way}) * abs({g}) - {lift}")
        return tuple(gauges), texts


def _moves(tree: Tree) -> bool:
    return bool({"time", "rateof"} & tree.ops)


def _reads(tree: Tree) -> frozenset[str]:
    return tree.names | {RATE + node.name for node in tree.walk() if node.op == "rateof"}


def _rates_as_symbols(tree: Tree) -> Tree:
    if "rateof" not in tree.ops:
        return tree
    if tree.op == "rateof":
        return sym(RATE + tree.name)
    return Tree(tree.op, tuple(_rates_as_symbols(part) for part in tree.parts), tree.value, tree.name)


def _read_as_booleans(event: Event) -> Event:
    return replace(event, trigger=booleans_only(event.trigger))


def _words(text: str) -> frozenset[str]:
    return parse_expression(text).names
