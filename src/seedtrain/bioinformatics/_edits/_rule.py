"""Which genes must go so that a reaction goes, and which make it run: gene rules of metabolic models."""

from __future__ import annotations

import re
from itertools import product
from typing import Final

from seedtrain.base import InputError

MOST_SETS: Final = 5_000


def genes_to_delete(rule: str) -> tuple[str, ...]:
    """The fewest genes whose loss leaves a reaction without an enzyme; of equally few those that sort first.

    - `rule`: names, `and` (subunits), `or` (isoenzymes) and brackets, as in `(b0902 and b0903) or b3114`.

    Raises `InputError` for a rule that cannot be read or is too large to search whole.
    """
    return _fewest(_Reader(rule, lost=True))


def genes_to_raise(rule: str) -> tuple[str, ...]:
    """The fewest genes that make one whole enzyme for a reaction; of equally few those that sort first.

    - `rule`: as in `genes_to_delete`: one isoenzyme with all of its subunits.

    Raises `InputError` for a rule that cannot be read or is too large to search whole.
    """
    return _fewest(_Reader(rule, lost=False))


def _fewest(reader: _Reader) -> tuple[str, ...]:
    sets = reader.either()
    if reader.rest:
        words = f"the gene rule {reader.rule!r} cannot be read at {reader.rest[0]!r}"
        raise InputError(words, remedy="Name the genes.")
    best: frozenset[str] = min(sets, key=lambda one: (len(one), sorted(one)))
    return tuple(sorted(best))


class _Reader:
    """Sets of genes, each of which ends the reaction when it is `lost`, or else makes an enzyme for it."""

    def __init__(self, rule: str, *, lost: bool) -> None:
        self.rule = rule
        self.lost = lost
        self.rest = re.findall(r"[()]|[^\s()]+", rule)

    def either(self) -> set[frozenset[str]]:
        """Isoenzymes: all must go, and any one works."""
        found = self.both()
        while self.rest and self.rest[0].lower() == "or":
            self.rest.pop(0)
            found = self._joined(found, self.both(), every=self.lost)
        return found

    def both(self) -> set[frozenset[str]]:
        """Subunits: any of them ends it, and all must be there."""
        found = self.one()
        while self.rest and self.rest[0].lower() == "and":
            self.rest.pop(0)
            found = self._joined(found, self.one(), every=not self.lost)
        return found

    def _joined(self, found: set[frozenset[str]], other: set[frozenset[str]], *, every: bool) -> set[frozenset[str]]:
        """Sets that hold one of each side, or one of either."""
        if not every:
            return _least(found | other)
        if len(found) * len(other) > MOST_SETS:
            raise InputError(f"the gene rule {self.rule[:60]!r} is too large", remedy="Name the genes.")
        return _least({one | two for one, two in product(found, other)})

    def one(self) -> set[frozenset[str]]:
        if not self.rest:
            raise InputError(f"the gene rule {self.rule!r} ends too early", remedy="Name the genes.")
        word = self.rest.pop(0)
        if word == "(":
            found = self.either()
            if not self.rest or self.rest.pop(0) != ")":
                raise InputError(f"the gene rule {self.rule!r} lacks a bracket", remedy="Name the genes.")
            return found
        if word == ")" or word.lower() in {"and", "or"}:
            raise InputError(f"the gene rule {self.rule!r} cannot be read at {word!r}", remedy="Name the genes.")
        return {frozenset([word])}


def _least(sets: set[frozenset[str]]) -> set[frozenset[str]]:
    return {one for one in sets if not any(other < one for other in sets)}
