"""A model as blocks of a page: what it is made of, its equations as mathematics, its parameters with their sources."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from seedtrain.base import translate as _
from seedtrain.quantity import number_text
from seedtrain.report import (
    SPACE,
    Block,
    Box,
    Cell,
    Column,
    Definitions,
    Equation,
    Equations,
    Formula,
    Heading,
    Notice,
    Paragraph,
    Symbol,
    Table,
    letter,
    row,
    sign,
    word,
)
from seedtrain.simulation._culture import GASES, LOCALS, Conversion, Culture
from seedtrain.simulation._engine import System
from seedtrain.simulation._exchange._boxes import derivative_box, plain_text, symbol_box, tree_box
from seedtrain.simulation._exchange._build import RATE
from seedtrain.simulation._exchange._model import SbmlModel
from seedtrain.simulation._exchange._source import Event, Participant, Reaction
from seedtrain.simulation._exchange._tree import Tree, num, read_expression, sym

Rows = list[list[str | Cell | Symbol]]
Model = Culture | SbmlModel | System


def title_of(model: Model) -> str:
    """The model's title; of a culture in the language in use where it has one."""
    if isinstance(model, Culture):
        return _of_model(model.title)
    return model.name


def model_blocks(model: Model) -> Iterator[Block]:
    """The model on a page, in the language in use: headings of level 3, tables, equations."""
    if isinstance(model, Culture):
        yield from _culture_blocks(model)
    elif isinstance(model, SbmlModel):
        yield from _sbml_blocks(model)
    else:
        yield from _system_blocks(model)


def _of_model(text: str) -> str:
    """A text of a model's file: its Chinese where a catalogue has it."""
    translated = _
    return translated(text)


def _symbol(name: str) -> Symbol:
    return Symbol(Formula(symbol_box(name), name))


def _equation(left: Box, text: str, tree: Tree, note: str = "") -> Equation:
    return Equation(Formula(row(left, sign("="), tree_box(tree)), f"{text} = {plain_text(tree)}"), note)


def _assigned(name: str, tree: Tree, unit: str = "") -> Equation:
    return _equation(symbol_box(name), name, tree, unit)


def _changing(name: str, tree: Tree, unit: str = "") -> Equation:
    return _equation(derivative_box(name), f"d{name}/dt", tree, unit)


def _culture_blocks(culture: Culture) -> Iterator[Block]:
    if culture.status != "verified":
        yield Notice(_status_words(culture.status), _("Not verified."), "warning")
    yield Definitions(
        (
            (_("Model"), culture.name),
            (_("Source"), _of_model(culture.source)),
            (_("Status"), _status(culture.status)),
            (_("Rates per"), _basis(culture)),
        )
    )
    yield Heading(_("Species"), level=3)
    heads = [Column(_("Symbol")), Column(_("What it is")), Column(_("Measured in")), Column(_("Composition"))]
    rows: Rows = [
        [_symbol(name), _of_model(item.words), item.unit, _composition(culture, name)]
        for name, item in culture.species.items()
    ]
    yield Table(heads, rows, _("What the model counts"), small=True)
    read = {name for text in _texts(culture) for name in text.names if name in LOCALS}
    if read:
        lines: Rows = [[_symbol(name), _surrounding(name)] for name in LOCALS if name in read]
        yield Table(
            [Column(_("Symbol")), Column(_("What it is"))], lines, _("What the model reads of its surroundings")
        )
    if culture.expressions:
        yield Heading(_("Expressions"), level=3)
        yield Equations(
            tuple(
                _assigned(name, read_expression(text.text), culture.units.get(name, ""))
                for name, text in culture.expressions.items()
            )
        )
    yield from _turnover(culture)
    yield _culture_parameters(culture)


def _texts(culture: Culture) -> Iterator[Any]:
    yield from culture.expressions.values()
    yield from culture.rates.values()
    yield from (item.rate for item in culture.conversions)


def _turnover(culture: Culture) -> Iterator[Block]:
    """Conversions with their schemes, or net rates; then the balance that holds in any vessel."""
    if culture.conversions:
        yield Heading(_("Conversions"), level=3)
        lines = [line for at, item in enumerate(culture.conversions) for line in _conversion(at + 1, item)]
        yield Equations(tuple(lines))
        text = _(
            "O2, CO2, ammonia, water, sulphate and minerals follow from the compositions and close every conversion."
        )
        yield Paragraph(text)
        yield Equations((_balance(culture),), _("In a volume V with a feed F, for each species i"))
        return
    yield Heading(_("Rates"), level=3)
    yield Equations(tuple(_net_rate(culture, name) for name in culture.rates))
    per_gas = [name for name in culture.rates if name in GASES]
    if not per_gas or culture.status == "reproduction":
        yield Paragraph(_("These rates stand as published; nothing closes them over the elements."))


def _conversion(number: int, item: Conversion) -> Iterator[Equation]:
    taken: list[tuple[Tree, str]] = []
    made: list[tuple[Tree, str]] = []
    for name, text in item.amounts.items():
        tree = read_expression(text.text)
        away = tree.op == "neg"
        (taken if away else made).append((tree.parts[0] if away else tree, name))
    scheme = row(_side(taken), sign("→"), _side(made))
    words = _of_model(item.words) if item.words else item.name.replace("_", " ")
    said = f"{_side_text(taken)} -> {_side_text(made)}"
    yield Equation(Formula(scheme, said), words)
    rate = Box("index", parts=(letter("r"), Box("number", str(number))))
    yield _equation(rate, f"r_{number}", read_expression(item.rate.text))


def _side(parts: list[tuple[Tree, str]]) -> Box:
    """One side of a reaction: 2 A + Y B, the nothing sign where it is empty."""
    if not parts:
        return word("∅")
    found: list[Box] = []
    for at, (amount, name) in enumerate(parts):
        found += [sign("+")] if at else []
        if amount != num(1.0):
            box = tree_box(amount)
            found += [Box("group", "()", (box,)) if amount.op in ("+", "-", "neg") else box, SPACE]
        found.append(symbol_box(name))
    return row(*found)


def _side_text(parts: list[tuple[Tree, str]]) -> str:
    return " + ".join(name if amount == num(1.0) else f"{plain_text(amount)} {name}" for amount, name in parts) or "0"


def _balance(culture: Culture) -> Equation:
    """d c_i / dt = X sum_j nu_ij r_j + F / V (c_i,in - c_i)."""
    c = Box("index", parts=(letter("c"), letter("i")))
    fed = Box("index", parts=(letter("c"), row(letter("i"), sign(","), word(_("feed")))))
    nu = Box("index", parts=(letter("ν"), row(letter("i"), letter("j"))))
    rate = Box("index", parts=(letter("r"), letter("j")))
    summed = row(Box("index", parts=(word("Σ"), letter("j"))), nu, sign("·"), rate)
    per = [symbol_box(culture.biomass), sign("·")] if culture.basis == "biomass" else []
    flow = Box("fraction", parts=(letter("F"), letter("V")))
    gap = Box("group", "()", (row(fed, sign("−"), c),))
    left = Box("fraction", parts=(row(word("d"), c), row(word("d"), letter("t"))))
    box = row(left, sign("="), *per, summed, sign("+"), flow, sign("·"), gap)
    first = f"{culture.biomass} * " if culture.basis == "biomass" else ""
    return Equation(Formula(box, f"dc_i/dt = {first}sum_j(nu_ij * r_j) + F / V * (c_i_feed - c_i)"))


def _net_rate(culture: Culture, name: str) -> Equation:
    tree = read_expression(culture.rates[name].text)
    left = Box("index", parts=(letter("r"), symbol_box(name)))
    item = culture.species.get(name)
    return _equation(left, f"r_{name}", tree, _of_model(item.words) if item else "")


def _composition(culture: Culture, name: str) -> str:
    item = culture.species[name]
    atoms = " ".join(f"{element}{number_text(count)}" for element, count in culture.formulas[name].items() if count)
    ash = _("ash {share} %").format(share=number_text(100 * item.ash)) if item.ash else ""
    return "; ".join(part for part in (atoms, ash) if part) or "–"


def _culture_parameters(culture: Culture) -> Table:
    heads = (
        Column(_("Symbol")),
        Column(_("Value"), "right"),
        Column(_("Measured in")),
        Column(_("Range")),
        Column(_("Status")),
        Column(_("Source"), width=45),
    )
    rows: Rows = []
    for item in culture.parameters.values():
        span = "–" if item.low == item.high else f"{number_text(item.low)} .. {number_text(item.high)}"
        status = Cell(_status(item.status), style="muted" if item.status == "assumed" else "")
        value = Cell(number_text(float(f"{item.value:.6g}")), style="strong")  # fitted ones have sixteen figures
        rows.append([_symbol(item.name), value, item.unit, span, status, _of_model(item.source)])
    return Table(heads, rows, _("Parameters"), small=True)


def _status(name: str) -> str:
    return {
        "sourced": _("sourced"),
        "fitted": _("fitted"),
        "derived": _("derived"),
        "assumed": _("assumed"),
        "verified": _("verified"),
        "unverified": _("unverified"),
        "reproduction": _("reproduction"),
    }.get(name, name)


def _status_words(status: str) -> str:
    if status == "reproduction":
        return _("It is kept to reproduce published numbers, and is not used to predict.")
    return _("Its numbers could not be checked against the original; what it predicts is to be read so.")


def _basis(culture: Culture) -> str:
    if culture.basis == "volume":
        return _("litre of broth and hour")
    item = culture.species[culture.biomass]
    return _("unit of {biomass} and hour").format(biomass=_of_model(item.words))


def _surrounding(name: str) -> str:
    return {
        "DO": _("dissolved oxygen, mmol/L"),
        "DO_percent": _("dissolved oxygen, % of air saturation"),
        "C_CO2": _("dissolved CO2, mmol/L"),
        "NH": _("ammonium and ammonia, mmol/L"),
        "I": _("inducer, mmol/L"),
        "T": _("temperature, degC"),
        "pH": _("pH"),
    }[name]


def _sbml_blocks(model: SbmlModel) -> Iterator[Block]:
    source = model.source
    kind = f"SBML Level {model.level} Version {model.version}"
    facts = [(_("Model"), model.id), (_("File"), model.file.rpartition("/")[2]), (_("Format"), kind)]
    yield Definitions((*facts, (_("Unit of time"), model.time_unit or "–")))
    shown = [item for item in model.quantities.values() if item.kind in ("compartment", "species")]
    if shown:
        yield Heading(_("Species"), level=3)
        heads = [Column(_("Symbol")), Column(_("What it is")), Column(_("Start"), "right"), Column(_("Measured in"))]
        rows: Rows = [[_symbol(item.id), item.name or "–", _number(item.start), item.unit or "–"] for item in shown]
        yield Table(heads, rows, _("What the model counts"), small=True)
    names = [name for name in model.formulas if model.quantities.get(name) and _is_rule(model, name)]
    yield from _equations(_("Rules"), [_assigned(name, model.formulas[name]) for name in names])
    yield from _equations(_("Initial assignments"), [_assigned(n, tree) for n, tree in model.initial.items()])
    yield from _equations(_("Reactions"), [line for item in source.reactions for line in _reaction(model, item)])
    yield from _equations(_("Rates"), [_changing(_carrier(model, n), tree) for n, tree in model.rates.items()])
    yield from _equations(_("Events"), [line for event in model.events for line in _event(event)])
    numbers = [item for item in model.quantities.values() if item.kind in ("parameter", "local", "stoichiometry")]
    if numbers:
        heads = [Column(_("Symbol")), Column(_("Value"), "right"), Column(_("Measured in")), Column(_("What it is"))]
        entries: Rows = [
            [_symbol(item.id), _number(item.start), item.unit or "–", item.name or "–"] for item in numbers
        ]
        yield Table(heads, entries, _("Parameters"), small=True)


def _is_rule(model: SbmlModel, name: str) -> bool:
    return model.quantities[name].role == "assigned" and not name.startswith(RATE)


def _carrier(model: SbmlModel, name: str) -> str:
    """What a rate is of: the amount `n` behind a concentration, else the symbol itself."""
    item = model.quantities[name]
    return name if item.held_in == item.symbol else f"n_{name}"


def _number(value: float | None) -> str:
    return "–" if value is None else number_text(value)


def _equations(title: str, lines: list[Equation]) -> Iterator[Block]:
    if lines:
        yield Heading(title, level=3)
        yield Equations(tuple(lines))


def _reaction(model: SbmlModel, item: Reaction) -> Iterator[Equation]:
    def side(parts: tuple[Participant, ...]) -> list[tuple[Tree, str]]:
        return [(_count(model, part), part.species) for part in parts]

    left, right = side(item.reactants), side(item.products)
    scheme = row(_side(left), sign("→"), _side(right))
    yield Equation(Formula(scheme, f"{_side_text(left)} -> {_side_text(right)}"), item.name or item.id)
    if item.law is not None:
        yield _equation(Box("index", parts=(letter("r"), symbol_box(item.id))), f"r_{item.id}", item.law)


def _count(model: SbmlModel, part: Participant) -> Tree:
    """The stoichiometry: its symbol where something gives it a value, else the number."""
    if part.math is not None:
        return part.math
    if part.id and (part.id in model.formulas or part.id in model.initial or part.id in model.rates):
        return sym(part.id)
    return num(1.0 if part.stoichiometry is None else part.stoichiometry)


def _event(event: Event) -> Iterator[Equation]:
    trigger = row(word(_("when")), SPACE, tree_box(event.trigger))
    notes = [event.name or event.id]
    if event.delay is not None:
        notes.append(_("after a delay of {delay}").format(delay=plain_text(event.delay)))
    yield Equation(Formula(trigger, f"when {plain_text(event.trigger)}"), "; ".join(note for note in notes if note))
    for name, tree in event.assignments:
        box = row(SPACE, symbol_box(name), sign("←"), tree_box(tree))
        yield Equation(Formula(box, f"{name} := {plain_text(tree)}"))


def _system_blocks(system: System) -> Iterator[Block]:
    facts: Mapping[str, int] = {_("States"): len(system.states), _("Numbers"): len(system.numbers)}
    yield Definitions(tuple((name, str(count)) for name, count in facts.items()))
    held = [_assigned(name, read_expression(text)) for name, text in system.held]
    yield from _equations(_("At the start of every stretch"), held)
    yield from _equations(_("Expressions"), [_assigned(name, read_expression(text)) for name, text in system.lines])
    pairs = zip(system.states, system.rates, strict=True)
    yield from _equations(_("Rates"), [_changing(name, read_expression(text)) for name, text in pairs])
    gauges = [_equation(word(name), name, read_expression(text)) for name, text in system.gauges]
    yield from _equations(_("Gauges"), gauges)
