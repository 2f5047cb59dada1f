"""The recall list of a lot: everything that came of it, how much there was, what is left, and who has the rest."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from seedtrain.base import translate as _
from seedtrain.gmp._lots._amounts import Movement, Stock, plain_text
from seedtrain.gmp._lots._book import LotBook, LotEntry, lot_book, lot_kind_words, status_words
from seedtrain.gmp._lots._genealogy import GenealogyLine
from seedtrain.record import Ledger
from seedtrain.report import Block, Column, Heading, Notice, Page, Paragraph, Table

HEAD: Final = (
    *("lot", "kind", "material", "batch", "depth", "through", "status", "unit", "made"),
    *("consumed", "discarded", "shipped", "passed_on", "remaining", "consignee", "amount", "document", "shipped_at"),
)


@dataclass(frozen=True)
class Recalled:
    """One lot of the list: where the doubt came through, what became of it, and every shipment of it.

    - `stock`: None where no amount was recorded (a batch that has produced nothing yet).
    """

    entry: LotEntry
    depth: int
    through: str
    stock: Stock | None
    shipments: tuple[Movement, ...]


@dataclass(frozen=True)
class Recall:
    """Everything downstream of a lot, the lot itself first, and everything that went into it."""

    lot: str
    downstream: tuple[Recalled, ...]
    upstream: tuple[GenealogyLine, ...]

    @property
    def consignees(self) -> dict[str, int]:
        """Who has something of it, and in how many shipments."""
        found: dict[str, int] = {}
        for item in self.downstream:
            for shipment in item.shipments:
                found[shipment.other] = found.get(shipment.other, 0) + 1
        return found

    def rows(self) -> Iterator[tuple[str, ...]]:
        """The list as a table under `HEAD`: a row a shipment, and one for a lot that was not shipped."""
        for item in self.downstream:
            for shipment in item.shipments or (None,):
                yield (*_cells(item), *_shipment(shipment))

    def to_csv(self) -> str:
        """The table as CSV with its head."""
        out = io.StringIO()
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(HEAD)
        writer.writerows(self.rows())
        return out.getvalue()

    def to_data(self) -> dict[str, Any]:
        """JSON-ready."""
        return {
            "lot": self.lot,
            "downstream": [
                {**dict(zip(HEAD, _cells(item), strict=False)), "depth": item.depth, "shipments": _shipments(item)}
                for item in self.downstream
            ],
            "upstream": [
                {
                    "lot": line.lot,
                    "material": line.material,
                    "depth": line.depth,
                    "into": line.into,
                    "batch": line.batch,
                }
                for line in self.upstream
            ],
            "consignees": [{"consignee": name, "shipments": count} for name, count in self.consignees.items()],
        }


def recall_list(ledger: Ledger, lot: str) -> Recall:
    """What a recall of `lot` reaches, both ways; `InputError` for a lot that the ledger does not know.

    Source: 21 CFR 211.150(b): a system by which the distribution of each lot can be readily determined; 211.196.
    """
    with lot_book(ledger) as book:
        return Recall(lot, tuple(_recalled(book, lot)), book.genealogy(lot))


def _recalled(book: LotBook, lot: str) -> Iterator[Recalled]:
    for name, depth, through in book.downstream(lot):
        entry = book.entry(name)
        movements = book.movements(name)
        shipments = tuple(item for item in movements if item.kind == "shipped")
        yield Recalled(entry, depth, through, book.stock(name, movements), shipments)


def recall_page(ledger: Ledger, recall: Recall) -> Page:
    """The list as a page to print, in the language in use."""
    rows = [
        [
            *(row[0], lot_kind_words(row[1]), *row[2:4], status_words(row[6])),
            *(f"{row[8]} {row[7]}", f"{row[13]} {row[7]}", row[14], row[15], row[16]),
        ]
        for row in recall.rows()
    ]
    heads = (_("lot"), _("kind"), _("material"), _("batch"), _("status"), _("made"), _("remaining"), _("consignee"))
    columns = [Column(head) for head in (*heads, _("amount"), _("document"))]
    words = _("{lots} lots and batches came of lot {lot}; {consignees} consignees received some of it.")
    counted = words.format(lots=len(recall.downstream) - 1, lot=recall.lot, consignees=len(recall.consignees))
    blocks: list[Block] = [Paragraph(counted, lead=True)]
    if any(item.entry.particulars.origin == "simulated" for item in recall.downstream):
        blocks.append(Notice(_("Lots marked simulated do not exist."), _("SIMULATED"), "warning"))
    blocks += [Heading(_("Downstream")), Table(columns, rows, small=True), Heading(_("Upstream"))]
    ups = [[line.lot, line.material, str(line.depth), line.into, line.batch] for line in recall.upstream]
    up_heads = (_("lot"), _("material"), _("steps"), _("went into"), _("batch"))
    blocks.append(Table([Column(head) for head in up_heads], ups, small=True))
    return Page(_("Recall list of lot {lot}").format(lot=recall.lot), blocks, date=ledger.now.date())


def _cells(item: Recalled) -> tuple[str, ...]:
    entry, stock = item.entry, item.stock
    amounts: tuple[str, ...] = ("",) * 6
    if stock is not None:
        sums = (stock.taken_in, stock.consumed, stock.discarded, stock.shipped, stock.passed_on, stock.remaining)
        amounts = tuple(plain_text(amount) for amount in sums)
    unit = "" if stock is None else stock.unit
    words = (entry.id, entry.kind, entry.material, entry.batch, str(item.depth), item.through, entry.status)
    return (*words, unit, *amounts)


def _shipment(shipment: Movement | None) -> tuple[str, ...]:
    if shipment is None:
        return ("", "", "", "")
    return shipment.other, f"{shipment.amount} {shipment.unit}".strip(), shipment.document, shipment.at


def _shipments(item: Recalled) -> list[dict[str, str]]:
    names = ("consignee", "amount", "document", "at")
    return [dict(zip(names, _shipment(shipment), strict=True)) for shipment in item.shipments]
