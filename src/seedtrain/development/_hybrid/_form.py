"""What is learned: a named rate of a culture, as a function of named states, by a Gaussian process or a network."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from seedtrain.base import InputError, SeedtrainError, collect
from seedtrain.simulation import Culture

Kind = Literal["gp", "net"]
KINDS: Final[Mapping[str, Kind]] = {"gp": "gp", "net": "net"}
MOST_INPUTS: Final = 4
SURROUNDINGS: Final = ("DO", "DO_percent", "C_CO2", "NH", "I", "T", "pH")
_WRITTEN: Final = re.compile(r"\s*(\w+)\s*(\*?)=\s*(\w+)\s*:\s*(.+)")


@dataclass(frozen=True)
class HybridRate:
    """One learned rate.

    - `kind`: gp (a Gaussian process in the space of its weights) or net (one hidden layer of tanh). - `inputs`: states
      or surroundings. - `factor`: it multiplies the culture's own form instead of taking its place.
    """

    rate: str
    kind: Kind
    inputs: tuple[str, ...]
    factor: bool = False

    @property
    def written(self) -> str:
        """As on the command line."""
        return f"{self.rate}{'*' if self.factor else ''}={self.kind}:{','.join(self.inputs)}"


def hybrid_rate(text: str) -> HybridRate:
    """`q_P=gp:S,X` (in place of the form) or `q_P*=net:S` (times it)."""
    found = _WRITTEN.fullmatch(text)
    kind = KINDS.get(found[3]) if found else None
    if not found or kind is None:
        raise InputError(f"--hybrid {text}", remedy="Write q_P=gp:S,X or q_P=net:S; q_P*=gp:S multiplies the form.")
    inputs = tuple(part.strip() for part in found[4].split(",") if part.strip())
    return HybridRate(found[1], kind, inputs, bool(found[2]))


def check_forms(culture: Culture, forms: Sequence[HybridRate]) -> None:
    """Every form names an expression that conversions follow, and states; all faults at once."""
    faults: list[SeedtrainError] = []
    states = (*culture.species, *SURROUNDINGS)
    for form in forms:
        if form.rate not in culture.expressions:
            known = ", ".join(culture.expressions)
            words = f"culture {culture.name} has no rate {form.rate!r}"
            faults.append(InputError(words, remedy=f"Use one of: {known}."))
        elif not used_by(culture, form.rate):
            words = f"nothing in culture {culture.name} goes by {form.rate}"
            faults.append(InputError(words, remedy="Name a rate that a conversion reads."))
        for name in form.inputs:
            if name not in states:
                words = f"{name!r} is no state that {form.rate} could read"
                faults.append(InputError(words, remedy=f"Use some of: {', '.join(states)}."))
        if not 1 <= len(set(form.inputs)) == len(form.inputs) <= MOST_INPUTS:
            words = f"{form.rate} is to be learned from {', '.join(form.inputs) or 'nothing'}"
            faults.append(InputError(words, remedy=f"Name one to {MOST_INPUTS} different states."))
    rates = [form.rate for form in forms]
    faults += [InputError(f"{name} is to be learned twice", remedy="Name it once.")
               for name in sorted({name for name in rates if rates.count(name) > 1})]  # fmt: skip
    if forms and not culture.conversions:
        words = f"culture {culture.name} closes no balance"
        faults.append(InputError(words, remedy="Learn a rate of a culture with conversions."))
    collect(faults)


def reads(culture: Culture, name: str) -> frozenset[str]:
    """Every symbol that an expression reads, itself or through others."""
    found: set[str] = set()
    waiting = [name]
    while waiting:
        text = culture.expressions.get(waiting.pop())
        for symbol in (text.names if text else frozenset()) - found:
            found.add(symbol)
            waiting.append(symbol)
    return frozenset(found)


def used_by(culture: Culture, rate: str) -> tuple[str, ...]:
    """The conversions whose rate follows from the expression `rate`."""
    found = []
    for item in culture.conversions:
        symbols = item.rate.names
        if rate in symbols or any(rate in reads(culture, symbol) for symbol in symbols):
            found.append(item.name)
    return tuple(found)


def gated(culture: Culture, rate: str) -> tuple[str, ...]:
    """What the rate must vanish with: what its conversions use, as far as the culture's own form reads it."""
    own = reads(culture, rate)
    names = set(used_by(culture, rate))
    eaten = {
        symbol
        for item in culture.conversions
        if item.name in names
        for symbol, amount in culture.amounts(item).items()
        if amount < 0
    }
    eaten |= {"DO", "NH"}
    return tuple(symbol for symbol in (*culture.species, "DO", "NH") if symbol in own & eaten)


def still_read(expressions: Mapping[str, frozenset[str]], roots: frozenset[str]) -> frozenset[str]:
    """The symbols that `roots` reach through `expressions`."""
    found, waiting = set(roots), list(roots)
    while waiting:
        for symbol in expressions.get(waiting.pop(), frozenset()) - found:
            found.add(symbol)
            waiting.append(symbol)
    return frozenset(found)
