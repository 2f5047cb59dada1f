"""Questions to the read model of lots: traces both ways, stock, holds, and which lots there are."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, Final

from seedtrain.base import translate as _
from seedtrain.gmp._lots._amounts import INWARD, Movement, Stock, stock_of
from seedtrain.gmp._lots._genealogy import GenealogyLine, unknown_lot, walk
from seedtrain.gmp._lots._goods import NO_EXPIRY
from seedtrain.gmp._lots._particulars import Particulars
from seedtrain.gmp._lots._tables import LOTS
from seedtrain.quality import Lot
from seedtrain.record import Ledger, projected

_UP: Final = "SELECT source FROM lot_edge WHERE target = ? ORDER BY seq, line"
_DOWN: Final = "SELECT target FROM lot_edge WHERE source = ? ORDER BY seq, line"
_MOVEMENTS: Final = "SELECT seq, kind, amount, unit, other, document, at, event FROM lot_movement"
_ENTRIES: Final = (
    "SELECT lot, kind, batch, named, status, location, statement, "
    "(SELECT group_concat(hold, ' ' ORDER BY seq) FROM lot_hold WHERE lot_hold.lot = lot_node.lot) FROM lot_node"
)


@dataclass(frozen=True)
class LotEntry:
    """A lot as the read model has it.

    - `kind`: received, split, merged, produced, batch, or named (used, but never received).
    - `lot`: as it was stated last, with its present status (a released lot on hold is quarantined); None where nobody
      stated it. `holds`: the ids of its open holds. `decided`: the status apart from holds.
    """

    id: str
    kind: str
    batch: str
    material: str
    decided: str
    lot: Lot | None
    particulars: Particulars
    holds: tuple[str, ...]

    @property
    def expiry(self) -> str:
        """The last day of use; empty where none was stated."""
        return "" if self.lot is None or self.lot.expiry == NO_EXPIRY else self.lot.expiry.isoformat()

    @property
    def status(self) -> str:
        """on hold, or the status that was decided; empty for what nobody stated."""
        return "on hold" if self.holds else self.decided

    def expired(self, today: date) -> bool:
        """Whether its last day of use is over."""
        return self.lot is not None and self.lot.expiry < today

    def words(self, today: date) -> str:
        """How it stands, in the language in use: the status, and whether it expired or is to be tested again."""
        retest = self.particulars.retest
        parts = [status_words(self.status)] if self.status else []
        parts += [_("expired")] if self.expired(today) else []
        parts += [_("to be tested again")] if retest is not None and retest <= today else []
        return ", ".join(parts)


def status_words(status: str) -> str:
    """The status of a lot in the language in use."""
    return {
        "quarantined": _("quarantined"),
        "released": _("released"),
        "rejected": _("rejected"),
        "on hold": _("on hold"),
    }.get(status, status)


def lot_kind_words(kind: str) -> str:
    """How a lot came into being, in the language in use."""
    return {
        "received": _("received"),
        "split": _("split off"),
        "merged": _("merged"),
        "produced": _("produced"),
        "batch": _("batch"),
        "named": _("named only"),
    }.get(kind, kind)


@contextmanager
def lot_book(ledger: Ledger) -> Iterator[LotBook]:
    """The lots of a ledger as they are now; all questions inside the block see one state."""
    with projected(ledger, LOTS) as connection:
        yield LotBook(connection)


class LotBook:
    """The lots at one moment; get it by `lot_book`."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection

    def __contains__(self, lot: str) -> bool:
        return self._connection.execute("SELECT 1 FROM lot_node WHERE lot = ?", (lot,)).get is not None

    def entry(self, lot: str) -> LotEntry:
        """One lot; `InputError` for one that no event names."""
        found = next(self._entries("WHERE lot = ?", (lot,)), None)
        if found is None:
            raise unknown_lot(lot)
        return found

    def entries(
        self, *, material: str | None = None, location: str | None = None, supplier_lot: str | None = None
    ) -> Iterator[LotEntry]:
        """The lots by id, those of one material, place or supplier's number where one is given."""
        wanted = {"supplier_lot": supplier_lot, "location": location}
        given = {name: value for name, value in wanted.items() if value is not None}
        where = "WHERE " + " AND ".join(f"{name} = ?" for name in given) if given else ""
        for item in self._entries(f"{where} ORDER BY lot", tuple(given.values())):
            if material in (None, item.material):
                yield item

    def genealogy(self, lot: str) -> tuple[GenealogyLine, ...]:
        """As `seedtrain.gmp.genealogy` of all events."""
        return self._lines(lot, _UP)

    def where_used(self, lot: str) -> tuple[GenealogyLine, ...]:
        """As `seedtrain.gmp.where_used` of all events."""
        return self._lines(lot, _DOWN)

    def batch_of(self, lot: str) -> str:
        """The batch that produced a lot; empty where none did."""
        return str(self._connection.execute("SELECT batch FROM lot_node WHERE lot = ?", (lot,)).get or "")

    def movements(self, lot: str) -> tuple[Movement, ...]:
        """What came into a lot and what left it, in order."""
        rows = self._connection.execute(f"{_MOVEMENTS} WHERE lot = ? ORDER BY seq, line", (lot,))
        return tuple(Movement(*row) for row in rows)

    def stock(self, lot: str, movements: Sequence[Movement] | None = None) -> Stock | None:
        """What became of a lot, in the unit in which it came in; None where no amount says how much that was.

        - `movements`: its movements, where they are at hand.
        """
        movements = self.movements(lot) if movements is None else movements
        unit = next((item.unit for item in movements if item.kind in INWARD), None)
        return None if unit is None else stock_of(movements, unit)

    def downstream(self, lot: str) -> Iterator[tuple[str, int, str]]:
        """As `where_used`, without what is known of each: (lot, depth, the lot that it came from)."""
        return self._walk(lot, _DOWN)

    def _walk(self, lot: str, query: str) -> Iterator[tuple[str, int, str]]:
        if lot not in self:
            raise unknown_lot(lot)
        run = self._connection.execute
        return walk(lot, lambda here: [row[0] for row in run(query, (here,))])

    def _lines(self, lot: str, query: str) -> tuple[GenealogyLine, ...]:
        return tuple(self._line(*item) for item in self._walk(lot, query))

    def _line(self, lot: str, depth: int, into: str) -> GenealogyLine:
        item = self.entry(lot)
        return GenealogyLine(lot, item.material, depth, into, item.lot, item.batch)

    def _entries(self, where: str, values: tuple[str, ...]) -> Iterator[LotEntry]:
        for row in self._connection.execute(f"{_ENTRIES} {where}", values):
            yield _entry(row)


def _entry(row: tuple[Any, ...]) -> LotEntry:
    lot, kind, batch, named, status, location, text, holds = row
    held = tuple((holds or "").split())
    if not text:
        return LotEntry(lot, kind, batch, named, status, None, Particulars(), held)
    payload = json.loads(text)
    stated = replace(Lot.from_data(lot, payload), status=status)
    if held and status == "released":
        stated = replace(stated, status="quarantined")
    particulars = replace(Particulars.from_data(payload), location=location)
    return LotEntry(lot, kind, batch, stated.material, status, stated, particulars, held)
