"""`seedtrain lot`: traces, recall lists, labels, scans and the EPCIS export."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from cyclopts import Parameter

from seedtrain.base import EXIT_DONE, InputError, use_language, write_atomic
from seedtrain.base import translate as _
from seedtrain.cli._arguments import LotName
from seedtrain.cli._common import Common, print_json
from seedtrain.cli._lot import app
from seedtrain.cli._signing import RecordUrl, open_record

if TYPE_CHECKING:
    from seedtrain.gmp import GenealogyLine


@app.command
def trace(
    lot: str,
    *,
    to: Annotated[Literal["sources", "products", "both"], Parameter(help="Which way.")] = "both",
    record: RecordUrl = None,
    common: Common | None = None,
) -> int:
    """Everything that went into a lot or batch, and everything that it went into, nearest first.

    Example: seedtrain lot trace B-7 --to sources --record record.db

    Parameters
    ----------
    lot
        The id of a lot or a batch.
    """
    from seedtrain.gmp import lot_book, status_words

    options = common or Common()
    found: dict[str, tuple[GenealogyLine, ...]] = {}
    with open_record(record, read_only=True) as ledger, lot_book(ledger) as book:
        if to != "products":
            found["sources"] = book.genealogy(lot)
        if to != "sources":
            found["products"] = book.where_used(lot)
    if options.json:
        print_json({"lot": lot, **{way: [_line(item) for item in lines] for way, lines in found.items()}})
        return EXIT_DONE
    with use_language(options.lang):
        heads = {"sources": _("went into {lot}:"), "products": _("came of {lot}:")}
        for way, lines in found.items():
            print(heads[way].format(lot=lot))
            for item in lines[1:]:
                status = status_words(item.received.status) if item.received else ""
                print(f"{'  ' * item.depth}{item.lot}  {item.material}  {status}".rstrip())
    return EXIT_DONE


@app.command(name="where-used")
def where_used(lot: LotName, *, record: RecordUrl = None, common: Common | None = None) -> int:
    """Everything that a lot went into, directly or not.

    Example: seedtrain lot where-used S-1 --record record.db
    """
    return trace(lot, to="products", record=record, common=common)


@app.command
def recall(
    lot: str,
    *,
    csv: Annotated[Path | None, Parameter(help="Write the table here: a row a shipment.")] = None,
    pdf: Annotated[Path | None, Parameter(help="Write the list as a PDF to print.")] = None,
    record: RecordUrl = None,
    common: Common | None = None,
) -> int:
    """The recall list: every lot that came of this one, what is left of it here, and which consignee has the rest.

    Example: seedtrain lot recall S-1 --csv recall.csv --pdf recall.pdf --record record.db

    Parameters
    ----------
    lot
        The lot to be recalled.
    """
    from seedtrain.gmp import recall_list, recall_page, status_words

    options = common or Common()
    with open_record(record, read_only=True) as ledger, use_language(options.lang):
        found = recall_list(ledger, lot)
        if csv:
            write_atomic(csv, found.to_csv())
        if pdf:
            from seedtrain.report import render_pdf

            write_atomic(pdf, render_pdf(recall_page(ledger, found)))
        if options.json:
            print_json(found.to_data())
            return EXIT_DONE
        for row in found.rows():
            left = f"{row[13]} {row[7]}".strip()
            status = status_words(row[6])
            print(f"{'  ' * int(row[4])}{row[0]}  {row[2]}  {status}  {left}  {row[14]} {row[15]}".rstrip())
        words = _("{lots} lots and batches came of lot {lot}; {consignees} consignees received some of it.")
        print(words.format(lots=len(found.downstream) - 1, lot=lot, consignees=len(found.consignees)))
    return EXIT_DONE


@app.command
def label(
    lots: Annotated[list[str], Parameter(negative="")],
    *,
    out: Annotated[Path, Parameter(help="The PDF to write.")],
    sheet: Annotated[
        str, Parameter(help="a4-2x4, a4-2x7, a4-3x8, a4-4x10, roll-100x70, roll-70x40 or roll-50x25.")
    ] = "a4-2x4",
    copies: Annotated[int, Parameter(help="Labels of each lot.")] = 1,
    bars: Annotated[bool, Parameter(negative="", help="Print a GS1-128 too.")] = False,
    first: Annotated[int, Parameter(help="The first free place of the sheet.")] = 1,
    record: RecordUrl = None,
    common: Common | None = None,
) -> int:
    """Print labels with GS1 DataMatrix (and GS1-128), as PDF; quarantine, simulated and autologous stand on them.

    Example: seedtrain lot label S-1 S-2 --sheet a4-3x8 --copies 4 --out labels.pdf --record record.db

    Parameters
    ----------
    lots
        Their ids.
    """
    from seedtrain.gmp import print_labels

    options = common or Common()
    with open_record(record, read_only=True) as ledger, use_language(options.lang):
        pdf = print_labels(ledger, lots, sheet, copies=copies, bars=bars, first=first)
        write_atomic(out, pdf)
        words = _("{file}: {count} labels").format(file=out, count=len(lots) * copies)
    if options.json:
        print_json({"file": str(out), "labels": len(lots) * copies, "sheet": sheet})
    else:
        print(words)
    return EXIT_DONE


@app.command
def scan(
    text: str = "",
    *,
    expect: Annotated[str, Parameter(help="The lot that is wanted here.")] = "",
    material: Annotated[str, Parameter(help="The material that is wanted here.")] = "",
    separator: Annotated[str, Parameter(help="What this scanner types for the separator (GS).")] = "",
    record: RecordUrl = None,
    common: Common | None = None,
) -> int:
    """Open the lot whose label is scanned by a keyboard wedge; an unknown or other one is refused (exit 2).

    Example: seedtrain lot scan --material sugar --record record.db

    Parameters
    ----------
    text
        What was scanned; read from the keyboard (one line of standard input) if not given.
    """
    from seedtrain.gmp import lot_faults, open_scanned, recorded_words

    options = common or Common()
    typed = text or _typed()
    with open_record(record, read_only=True) as ledger:
        entry = open_scanned(ledger, typed, expect=expect, material=material, separator=separator)
        faults = lot_faults(ledger, entry.id, ledger.now.date()) if entry.kind not in ("named", "batch") else ()
        today = ledger.now.date()
    data: dict[str, Any] = {"lot": entry.id, "material": entry.material, "status": entry.status, "faults": list(faults)}
    if options.json:
        print_json(data)
        return EXIT_DONE
    with use_language(options.lang):
        print(f"{entry.id}  {entry.material}  {entry.words(today)}")
        for reason in faults:
            print(f"  ! {recorded_words(reason)}")
    return EXIT_DONE


@app.command
def export(
    lot: str = "",
    *,
    epcis: Annotated[Path, Parameter(help="The JSON-LD file to write.")],
    base: Annotated[str, Parameter(help="What URIs without a GS1 key begin with: https://id.example.com/.")] = "",
    record: RecordUrl = None,
    common: Common | None = None,
) -> int:
    """Write the life of lots as EPCIS 2.0 events: of all, or of everything up and downstream of one.

    Example: seedtrain lot export S-1 --epcis events.jsonld --record record.db

    Parameters
    ----------
    lot
        Only what concerns this lot.
    """
    from seedtrain.gmp import write_epcis

    options = common or Common()
    with open_record(record, read_only=True) as ledger, use_language(options.lang):
        count = write_epcis(ledger, epcis, lot=lot, base=base)
        words = _("{file}: {count} EPCIS events").format(file=epcis, count=count)
    if options.json:
        print_json({"file": str(epcis), "events": count})
    else:
        print(words)
    return EXIT_DONE


def _typed() -> str:
    import sys

    line = sys.stdin.readline()
    if not line.strip():
        raise InputError("nothing was scanned", remedy="Scan the label, or give its text.")
    return line


def _line(item: GenealogyLine) -> dict[str, Any]:
    return {
        "lot": item.lot,
        "material": item.material,
        "depth": item.depth,
        "into": item.into,
        "batch": item.batch,
        "status": item.received.status if item.received else "",
    }
