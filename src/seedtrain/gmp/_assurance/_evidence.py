"""What the ledger holds for and against the rules about one lot: everything that it was made from, and on what."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Final

from seedtrain.base import InputError
from seedtrain.gmp._assurance._certificates import MaterialCertificate, material_certificates
from seedtrain.gmp._assurance._composition import DECIDE, Leaf, Part, leaves
from seedtrain.gmp._equipment import equipment_list
from seedtrain.gmp._equipment_state import Equipment
from seedtrain.gmp._lots._genealogy import walk
from seedtrain.gmp._lots._holds import Hold, made_from, open_holds
from seedtrain.gmp._lots._received import STATED, stated_lots
from seedtrain.gmp._standing import Standing
from seedtrain.quality import Lot, VerdictWord
from seedtrain.record import Event, Ledger, moment

_TOLD: Final = (*STATED, "lot.amended", "lot.status_changed")
POINT_CHECKED: Final = "assurance.point_checked"
SPECIES_TESTED: Final = "assurance.species_tested"


@dataclass(frozen=True)
class Finding:
    """What a rule came to: its word, the evidence in one line, and where to look.

    - `judged`: whether there was anything to which the rule applies; a rule that applies to nothing holds emptily.
    """

    word: VerdictWord
    says: str
    lines: tuple[str, ...] = ()
    judged: bool = True


@dataclass(frozen=True)
class Delivery:
    """A stated lot upstream, the day on which it was stated, and whether it came from outside."""

    lot: Lot
    day: date
    received: bool


class Evidence:
    """Read from the ledger itself when it is asked for, each part once, so that a gate may rest on it."""

    def __init__(self, ledger: Ledger, lot: str) -> None:
        self.ledger = ledger
        self._standing = Standing(ledger)
        self.lot = lot
        self.deliveries: list[Delivery] = []
        self.batches: list[str] = []
        self.unknown: list[str] = []
        for name, _depth, _into in walk(lot, lambda here: made_from(ledger, here)):
            self._take(name)
        if lot in self.unknown:
            raise InputError(f"the ledger knows no lot {lot!r}", remedy="Check the lot's id.")

    def _take(self, name: str) -> None:
        told = sorted(
            (event for type in _TOLD for event in self.ledger.events(subject=name, type=type)),
            key=lambda event: event.seq,
        )
        known = stated_lots(told).get(name)
        if known is not None:
            first = next(event for event in told if event.type in STATED)
            self.deliveries.append(Delivery(known, moment(first.occurred_at).date(), first.type == "lot.received"))
        elif next(iter(self.ledger.events(subject=name)), None) is not None or made_from(self.ledger, name):
            self.batches.append(name)
        else:
            self.unknown.append(name)

    @cached_property
    def leaves(self) -> tuple[Leaf, ...]:
        """Every ingredient of every lot upstream; a lot that was never received is one unknown ingredient."""
        found = [leaf for item in self.deliveries for leaf in leaves(self.ledger, item.lot)]
        found += [Leaf(name, "", Part(name, name, None, None)) for name in self.unknown]
        if not found:  # a batch that consumed nothing: nothing is known of it
            found.append(Leaf(self.lot, "", Part(self.lot, self.lot, None, None)))
        return tuple(found)

    def leaves_of(self, lot: str) -> tuple[Leaf, ...]:
        """The ingredients of one lot."""
        return tuple(leaf for leaf in self.leaves if leaf.lot == lot)

    @cached_property
    def certificates(self) -> tuple[MaterialCertificate, ...]:
        """All that were recorded."""
        return material_certificates(self.ledger)

    @cached_property
    def equipment(self) -> tuple[Equipment, ...]:
        """All that is registered, with its log of use and cleaning."""
        return equipment_list(self.ledger)

    @cached_property
    def holds(self) -> tuple[Hold, ...]:
        """What holds the lot."""
        return open_holds(self.ledger, self.lot)

    def points(self, lot: str, point: str) -> tuple[Event, ...]:
        """The checks of a critical point on a lot, in order; one that passes counts with its signature only."""
        found = self.ledger.events(subject=lot, type=POINT_CHECKED)
        return tuple(item for item in found if item.payload["point"] == point and self._counts(item, "result"))

    def tests(self, lot: str, target: str) -> tuple[Event, ...]:
        """The tests of a lot for a species; one that passes counts with its signature only."""
        found = self.ledger.events(subject=lot, type=SPECIES_TESTED)
        return tuple(item for item in found if item.payload["target"] == target and self._counts(item, "verdict"))

    def _counts(self, event: Event, key: str) -> bool:
        return event.payload[key] != "pass" or self._standing.counts(event, DECIDE)

    @cached_property
    def origins_of_batches(self) -> Mapping[str, frozenset[str | None]]:
        """The origins in every batch that is in a log of use; None among them where something is not declared."""
        names = dict.fromkeys(use.batch for item in self.equipment for use in item.uses)
        return {name: self._origins(name) for name in names}

    def _origins(self, batch: str) -> frozenset[str | None]:
        try:
            found = self if batch == self.lot else Evidence(self.ledger, batch)
        except InputError:
            return frozenset({None})
        return frozenset(leaf.part.origin for leaf in found.leaves)
