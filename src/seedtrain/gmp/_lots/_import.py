"""Deliveries from a CSV file: all of them or none, every fault at its place, and safe to repeat."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from seedtrain.base import InputError, SeedtrainError, collect, digest, digest_bytes
from seedtrain.gmp._authority import authorise
from seedtrain.gmp._lots._book import lot_book
from seedtrain.gmp._lots._csv import Cell, CsvTable, read_bytes, read_csv
from seedtrain.gmp._lots._goods import NAMES, REQUIRED, Fields, Goods
from seedtrain.gmp._lots._holds import at_head
from seedtrain.gmp._lots._received import receipt, receipt_id
from seedtrain.record import Draft, Ledger, append_signed


@dataclass(frozen=True)
class Import:
    """What an import came to: the lots received now, and those that were received like this before."""

    fresh: tuple[str, ...]
    known: tuple[str, ...]


def import_lots(
    ledger: Ledger,
    path: Path,
    actor: str,
    *,
    columns: Mapping[str, str] | None = None,
    skip: Iterable[str] = (),
    encoding: str = "utf-8",
    delimiter: str = "",
    dates: str = "YYYY-MM-DD",
    at: datetime | None = None,
) -> Import:
    """Receive every lot of a CSV file into quarantine in one commit, signed over the file's digest; or none.

    - `columns`: own heads by our names (`{"lot": "Charge"}`); `skip`: heads that mean nothing here.
    - `encoding`, `delimiter`, `dates`: how the file is written; a byte order mark tells the encoding.

    A line whose lot was received with the same content before is passed over. Raises `InputError` with every fault as
    file:line:column: what cannot be read, ids that stand twice, and lots that were received as something else.
    """
    authorise(ledger, actor, "lot.receive")
    raw = read_bytes(path)
    table = read_csv(raw, str(path), encoding=encoding, delimiter=delimiter)
    goods = read_goods(table, columns=columns, skip=skip, dates=dates)

    def receive(head: int) -> Import:
        fresh, known = _sort(ledger, table, goods)
        if not fresh:
            return Import((), tuple(known))
        drafts = [receipt(item.lot, item.particulars, actor, at) for item in fresh]
        source = digest_bytes(raw)
        payload = {
            "file": source,
            "name": path.name,
            "lots": len(drafts),
            "receipts": digest([[draft.subject, dict(draft.payload)] for draft in drafts]),
        }
        identity = digest(["lot.imported", payload])[:32]
        draft = Draft("lot.imported", source, payload, actor, at, id=identity)
        append_signed(ledger, draft, "lots received", more=drafts, at_head=head)
        return Import(tuple(item.lot.id for item in fresh), tuple(known))

    return at_head(ledger, receive)


def receive_goods(ledger: Ledger, goods: Goods, actor: str, *, at: datetime | None = None) -> bool:
    """Receive one delivery into quarantine, and sign; False if it was received like this before.

    Raises `InputError` for an id that is taken by something else, and an actor who may not receive.
    """
    authorise(ledger, actor, "lot.receive")

    def receive(head: int) -> bool:
        fault = _conflict(ledger, goods, _taken(ledger, [goods]))
        if fault is not None:
            raise InputError(fault, remedy="Give it another id, or state the lot anew: seedtrain lot amend.")
        if ledger.find(receipt_id(goods.lot.id)) is not None:
            return False
        append_signed(ledger, receipt(goods.lot, goods.particulars, actor, at), "lot received", at_head=head)
        return True

    return at_head(ledger, receive)


def read_goods(
    table: CsvTable, *, columns: Mapping[str, str] | None = None, skip: Iterable[str] = (), dates: str = "YYYY-MM-DD"
) -> tuple[tuple[Cell, Goods], ...]:
    """The goods of a table, each with the cell of its id; raises `InputError` with every fault of the file at once."""
    errors: list[SeedtrainError] = list(table.faults)
    places = _places(table, columns or {}, set(skip), errors)
    found: list[tuple[Cell, Goods]] = []
    seen: dict[str, int] = {}
    for row in table.rows if "lot" in places else ():
        if len(row) != len(table.head):
            words = f"this line has {len(row)} cells, the head has {len(table.head)}"
            errors.append(
                table.fault(
                    row[-1], words, "Give each line a cell for every column; quote a cell with the delimiter in it."
                )
            )
            continue
        goods = _row(table, row, places, dates, errors)
        cell = row[places["lot"]]
        if cell.text and cell.text in seen:
            words = f"lot {cell.text!r} stands on line {seen[cell.text]} too"
            errors.append(table.fault(cell, words, "Give each lot an id of its own."))
        seen.setdefault(cell.text, cell.line)
        if goods is not None:
            found.append((cell, goods))
    collect(errors)
    if not found:
        raise table.fault(table.head[0], "the file has a head and no lot", "Write a line a lot.")
    return tuple(found)


def _row(
    table: CsvTable, row: Sequence[Cell], places: Mapping[str, int], dates: str, errors: list[SeedtrainError]
) -> Goods | None:
    def faulty(name: str, error: InputError) -> None:
        cell = row[places.get(name, places["lot"])]
        errors.append(table.fault(cell, f"{name}: {error.message}", error.remedy))

    return Fields({name: row[place].text for name, place in places.items()}, faulty, dates).goods()


def _places(
    table: CsvTable, columns: Mapping[str, str], skip: set[str], errors: list[SeedtrainError]
) -> dict[str, int]:
    """Which column holds which field; a head that nobody knows is a fault, so that a typing error loses nothing."""
    stray = [name for name in columns if name not in NAMES]
    if stray:
        raise InputError(f"there is no field {stray[0]!r}", remedy=f"Use one of: {', '.join(NAMES)}.")
    own = {head.casefold(): name for name, head in columns.items()}
    places: dict[str, int] = {}
    for place, cell in enumerate(table.head):
        name = own.get(cell.text.casefold(), cell.text.casefold().replace(" ", "_"))
        if cell.text in skip:
            continue
        if name not in NAMES:
            near = difflib.get_close_matches(name, NAMES, 1)
            hint = f" (is it {near[0]}?)" if near else ""
            remedy = f"Name it one of: {', '.join(NAMES)}; or give --map FIELD={cell.text!r}, or --skip {cell.text!r}."
            errors.append(table.fault(cell, f"there is no field {cell.text!r}{hint}", remedy))
        elif name in places:
            errors.append(table.fault(cell, f"two columns hold {name}", "Leave one out: --skip."))
        else:
            places[name] = place
    lost = [head for name, head in columns.items() if name not in places]
    if lost:
        errors.append(table.fault(table.head[0], f"no column is called {lost[0]!r}", "Check --map."))
    for name in REQUIRED:
        if name not in places:
            errors.append(table.fault(table.head[0], f"no column holds {name}", f"Add it, or give --map {name}=HEAD."))
    return places


def _sort(ledger: Ledger, table: CsvTable, goods: Iterable[tuple[Cell, Goods]]) -> tuple[list[Goods], list[str]]:
    """What is new, and what was received like this before; an id taken by something else is a fault."""
    items = list(goods)
    taken = _taken(ledger, [item for _, item in items])
    errors: list[SeedtrainError] = []
    fresh, known = [], []
    for cell, item in items:
        fault = _conflict(ledger, item, taken)
        if fault is not None:
            errors.append(table.fault(cell, fault, "Give it another id, or state the lot anew: seedtrain lot amend."))
        elif item.lot.id in taken:
            known.append(item.lot.id)
        else:
            fresh.append(item)
    collect(errors)
    return fresh, known


def _taken(ledger: Ledger, goods: Iterable[Goods]) -> set[str]:
    with lot_book(ledger) as book:
        return {item.lot.id for item in goods if item.lot.id in book}


def _conflict(ledger: Ledger, goods: Goods, taken: set[str]) -> str | None:
    if goods.lot.id not in taken:
        return None
    received = ledger.find(receipt_id(goods.lot.id))
    if received is None:
        return f"{goods.lot.id} is the id of a batch or of a lot that was not received"
    wanted: dict[str, Any] = goods.lot.to_data() | goods.particulars.to_data()
    apart = sorted(name for name in wanted.keys() | received.payload if wanted.get(name) != received.payload.get(name))
    if not apart:
        return None
    words = ", ".join(f"{name} {received.payload.get(name)!r} and not {wanted.get(name)!r}" for name in apart)
    return f"lot {goods.lot.id} was received with {words}"
