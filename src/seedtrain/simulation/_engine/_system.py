"""What the engine integrates: named states, inputs and equations, as text and nothing biological."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from seedtrain.base import FUNCTIONS, Expression, InputError, InputErrors, digest, is_symbol, parse_expression

TIME: Final = "t"
Line = tuple[str, str]


@dataclass(frozen=True)
class System:
    """Ordinary differential equations as text.

    - `states`: what is integrated; `rates`: d/dt of each, an expression each, per hour.
    - `numbers`: plain inputs, one value each per stretch.
    - `held`: (symbol, expression), evaluated once at the start of every stretch, from numbers, the states then and
      earlier held symbols.
    - `lines`: (symbol, expression), evaluated at every (t, y): read `t` (hours since the start of the stretch), states,
      numbers, held symbols and earlier lines.
    - `gauges`: (name, expression), whose zero crossings are events.
    - `observed`: states, held symbols, lines (or numbers) that callers read.

    Raises `InputErrors` that name every symbol at fault and the remedy.
    """

    name: str
    states: tuple[str, ...]
    numbers: tuple[str, ...]
    held: tuple[Line, ...]
    lines: tuple[Line, ...]
    rates: tuple[str, ...]
    gauges: tuple[Line, ...] = ()
    observed: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        faults = [*_name_faults(self), *_text_faults(self)]
        if not faults:
            faults = _symbol_faults(self)
        if faults:
            raise InputErrors(tuple(faults))

    @cached_property
    def digest(self) -> str:
        """SHA-256 of everything that decides the equations; the name does not."""
        parts = (self.states, self.numbers, self.held, self.lines, self.rates, self.gauges, self.observed)
        return digest(["seedtrain system", *parts])

    @cached_property
    def expressions(self) -> Mapping[str, Expression]:
        """Every expression of the system by its text."""
        return {text: parse_expression(text) for _, text in _texts(self)}


def _texts(system: System) -> Iterable[tuple[str, str]]:
    for symbol, text in system.held:
        yield f"held symbol {symbol!r}", text
    for symbol, text in system.lines:
        yield f"line {symbol!r}", text
    for state, text in zip(system.states, system.rates, strict=False):
        yield f"rate of {state!r}", text
    for name, text in system.gauges:
        yield f"gauge {name!r}", text


def _fault(system: System, words: str, remedy: str) -> InputError:
    return InputError(f"system {system.name!r}: {words}", remedy=remedy)


def _name_faults(system: System) -> list[InputError]:
    found = []
    if not system.states:
        found.append(_fault(system, "it has no states", "Give at least one state with its rate."))
    if len(system.rates) != len(system.states):
        counts = f"{len(system.states)} states have {len(system.rates)} rates"
        found.append(_fault(system, counts, "Give one rate for each state, in the same order."))
    seen: dict[str, str] = {TIME: "the time since the start of the stretch"}
    kinds: Sequence[tuple[str, Iterable[str]]] = (
        ("a state", system.states),
        ("a number", system.numbers),
        ("a held symbol", (symbol for symbol, _ in system.held)),
        ("a line", (symbol for symbol, _ in system.lines)),
    )
    for kind, symbols in kinds:
        for symbol in symbols:
            if not is_symbol(symbol) or symbol in FUNCTIONS:
                remedy = "Use letters, digits and underscores, a letter first, and no function's name."
                found.append(_fault(system, f"{symbol!r} cannot name {kind}", remedy))
            elif symbol in seen:
                words = f"the symbol {symbol!r} is assigned twice: it is {seen[symbol]} and {kind}"
                found.append(_fault(system, words, "Rename one of them."))
            seen.setdefault(symbol, kind)
    names = [name for name, _ in system.gauges]
    found += [
        _fault(system, f"two gauges are called {name!r}", "Rename one of them.")
        for name in sorted({name for name in names if names.count(name) > 1})
    ]
    return found


def _text_faults(system: System) -> list[InputError]:
    found = []
    for what, text in _texts(system):
        try:
            parse_expression(text)
        except ValueError as error:
            words, _, remedy = str(error).partition(" | ")
            found.append(_fault(system, f"{what}: {words}", remedy))
    return found


def _symbol_faults(system: System) -> list[InputError]:
    found: list[InputError] = []
    start = {*system.numbers, *system.states}
    found += _order_faults(system, "held symbol", system.held, start)
    every = {TIME, *start, *(symbol for symbol, _ in system.held)}
    found += _order_faults(system, "line", system.lines, every)
    every |= {symbol for symbol, _ in system.lines}
    others = [*((f"rate of {s!r}", text) for s, text in zip(system.states, system.rates, strict=True))]
    others += [(f"gauge {name!r}", text) for name, text in system.gauges]
    for what, text in others:
        found += [_unknown(system, what, name) for name in sorted(parse_expression(text).names - every)]
    found += [_unknown(system, "observed", name) for name in system.observed if name not in every]
    repeated = sorted({name for name in system.observed if system.observed.count(name) > 1})
    return found + [_fault(system, f"{name!r} is observed twice", "Name it once.") for name in repeated]


def _unknown(system: System, what: str, name: str) -> InputError:
    remedy = f"Add {name} to the states, numbers, held symbols or lines, or correct its spelling."
    return _fault(system, f"{what} reads the unknown symbol {name!r}", remedy)


def _order_faults(system: System, kind: str, lines: tuple[Line, ...], known: set[str]) -> list[InputError]:
    """Unknown symbols, cycles, and lines that read what is assigned after them."""
    reads = {symbol: parse_expression(text).names for symbol, text in lines}
    found = []
    done = set(known)
    for symbol, names in reads.items():
        for name in sorted(names - done):
            what = f"{kind} {symbol!r}"
            if name not in reads:
                found.append(_unknown(system, what, name))
            elif cycle := _cycle(reads, symbol, name):
                words = f"{what} depends on itself: {' reads '.join(cycle)}"
                found.append(_fault(system, words, "Break the cycle: make one of them a state or a held symbol."))
            else:
                words = f"{what} reads {name!r}, which is assigned after it"
                found.append(_fault(system, words, f"Move {name} above {symbol}."))
        done.add(symbol)
    return found


def _cycle(reads: Mapping[str, frozenset[str]], start: str, first: str) -> list[str]:
    """The chain of symbols from `start` by way of `first` back to `start`, or nothing."""
    pending: list[list[str]] = [[start, first]]
    seen = set()
    while pending:
        chain = pending.pop()
        if chain[-1] == start:
            return chain
        if chain[-1] not in seen:
            seen.add(chain[-1])
            pending += [[*chain, name] for name in sorted(reads.get(chain[-1], frozenset())) if name in reads]
    return []
