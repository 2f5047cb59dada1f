"""Sheets of the batch record as tables, the certificate on a page of its own, and the whole record as an appendix."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from seedtrain.base import translate as _
from seedtrain.gmp import Sheet, batch_sheets, certificate, certificate_sheet, decision_words
from seedtrain.program._dossier_case import Case
from seedtrain.program._dossier_words import DIGITS, STATES, attribute_words, plain_time, rounded
from seedtrain.record import people
from seedtrain.report import (
    Block,
    Cell,
    Column,
    Definitions,
    Heading,
    Notice,
    Paragraph,
    SignatureLine,
    Signatures,
    State,
    Table,
)

LEAST_TO_FOLD: Final = 4
"""Rows from which a column that says the same in every one of them is said once, below the table."""
TURNED: Final = frozenset({"deviations"})
WIDTHS: Final[Mapping[str, Mapping[int, float]]] = {
    "steps": {0: 20, 1: 13, 2: 24, 3: 10.5, 4: 10.5, 5: 8, 6: 9, 7: 9, 8: 9},
    "values": {0: 20, 1: 14, 2: 11, 3: 10, 4: 6, 5: 9, 6: 9, 7: 11, 8: 18, 9: 16},
    "genealogy": {0: 11, 1: 14, 2: 11, 3: 14, 4: 8, 5: 9, 6: 30},
    "review": {0: 14, 1: 6, 2: 50, 3: 14},
    "signatures": {0: 14, 1: 11, 2: 22, 3: 6, 4: 26},
}
"""Weights of columns in print, where the text alone would crowd them."""
Mark = tuple[int, State] | None
"""A column and the state of its cell, for one row."""
_RESULT: Final = {"conforms": "met", "oos": "missed", "invalid": "unknown"}


def sheet_table(sheet: Sheet, note: str, *, caption: str = "", states: Sequence[Mark] = ()) -> Table:
    """A sheet as a table; columns that are empty, or the same in every row, are said once below it."""
    rows = [[plain_time(cell) for cell in row] for row in sheet.rows]
    kept, said = _folded(sheet, rows, {mark[0] for mark in states if mark})
    cells: list[list[str | Cell]] = []
    for at, row in enumerate(rows):
        mark = states[at] if at < len(states) else None
        cells.append(
            [_cell(sheet, row[column], column, mark) for column in kept],
        )
    source = "; ".join(text for text in (note, *said) if text)
    widths = WIDTHS.get(sheet.name, {})
    heads = [Column(sheet.columns[column], width=widths.get(column, 0.0)) for column in kept]
    return Table(heads, cells, caption or sheet.title, source, small=True)


def turned_table(sheet: Sheet, note: str, *, caption: str = "") -> Table:
    """A sheet of few rows and many columns, turned: a line for each column, a column for each row."""
    rows = [[rounded(plain_time(cell)) for cell in row] for row in sheet.rows]
    heads = [Column(sheet.columns[0], width=14), *(Column(row[0], width=60 / len(rows)) for row in rows)]
    lines = [[head, *(row[at] or "–" for row in rows)] for at, head in enumerate(sheet.columns) if at]
    return Table(heads, lines, caption or sheet.title, note, small=True)


def _cell(sheet: Sheet, text: str, column: int, mark: Mark) -> str | Cell:
    if mark is not None and mark[0] == column and mark[1]:
        return Cell(text, mark[1])
    if len(text) == 64 and not set(text) - set("0123456789abcdef"):
        return Cell(text, style="code")
    return text if sheet.name == "genealogy" else rounded(text)


def _folded(sheet: Sheet, rows: Sequence[Sequence[str]], marked: set[int]) -> tuple[list[int], list[str]]:
    kept, empty, same = [], [], []
    for column, head in enumerate(sheet.columns):
        found = {row[column] for row in rows}
        if column in marked or len(rows) < LEAST_TO_FOLD or len(found) > 1:
            kept.append(column)
        elif found == {""}:
            empty.append(head)
        else:
            same.append(f"{head}: {found.pop()}")
    said = []
    if same:
        said.append(_("in every row: {columns}").format(columns=", ".join(same)))
    if empty:
        said.append(_("empty in every row: {columns}").format(columns=", ".join(empty)))
    return kept, said


def certificate_section(case: Case) -> Iterator[Block]:
    """The certificate of analysis, on a page of its own."""
    found = certificate(case.record, case.pilot.control.recipe.specification)
    sheet = certificate_sheet(found)
    yield Heading(sheet.title, new_page=True)
    yield Definitions(
        (
            (_("Product"), f"{found.product}: {case.program.need.entry.title}"),
            (_("Lot"), case.record.lot or found.batch),
            (_("Amount"), rounded(found.amount)),
            (
                _("Recipe"),
                _("{name}, version {version}").format(name=found.recipe, version=case.program.recipe.version),
            ),
            (_("Digest of the control recipe"), found.recipe_digest),
            (_("Unit and volume"), f"{found.unit}, {found.volume}"),
            (_("Decision"), decision_words(found.decision.decision) if found.decision else _("not decided")),
        )
    )
    rows = [
        (
            Cell(attribute_words(line.attribute), style="strong"),
            line.method,
            line.limit,
            line.result,
            Cell(row[-1], STATES[line.verdict]),
        )
        for line, row in zip(found.lines, sheet.rows, strict=True)
    ]
    heads = [Column(head, width=width) for head, width in zip(sheet.columns, (20, 28, 16, 14, 0), strict=True)]
    yield Table(heads, rows, sheet.title, case.event_note(item.seq for item in case.record.results))
    if found.simulated:
        yield Notice(
            _("The results are simulated: no batch was made and no sample was tested."),
            _("Simulated batch, not for use."),
            "warning",
        )
    if found.decision is not None:
        yield signatures(case, over=found.decision.seq)


def signatures(case: Case, *, over: int | None = None) -> Signatures:
    """The signatures of the batch, or those over the event `over` alone, with the signer's role."""
    roles = {person.actor: person.roles for person in people(case.ledger)}
    return Signatures(
        tuple(
            SignatureLine(
                item.meaning,
                case.name(item.actor),
                ", ".join(_role_words(role) for role in roles.get(item.actor, ())),
                f"{plain_time(item.occurred_at)} UTC",
                item.record_digest,
            )
            for item in case.record.signatures
            if over is None or item.over == over
        )
    )


def _role_words(role: str) -> str:
    return {
        "process_development": _("process development"),
        "production_management": _("production management"),
        "operator": _("operator"),
        "shift_leader": _("shift leader"),
        "warehouse": _("warehouse"),
        "quality_control": _("quality control"),
        "quality_assurance": _("quality assurance"),
    }.get(role, role.replace("_", " "))


def record_appendix(case: Case) -> Iterator[Block]:
    """Every sheet of the batch record, in the order of 21 CFR 211.188."""
    record = case.record
    yield Heading(_("Appendix: the batch production record"), new_page=True)
    text = _(
        "As the ledger has it, in the order of {rule}; here with times (UTC, clock of the process) to the second and "
        "numbers to {digits} digits, there in full."
    )
    yield Paragraph(text.format(rule="21 CFR 211.188(b)", digits=DIGITS))
    marks = _marks(case)
    seqs: dict[str, list[int]] = {
        "steps": [item.seq for item in record.steps],
        "materials": [item.seq for item in record.consumed],
        "values": [item.seq for item in record.values],
        "results": [item.seq for item in record.results],
        "deviations": [item.seq for item in record.deviations],
        "interventions": [item.seq for item in record.interventions],
        "review": [item.seq for item in record.reviews],
        "decisions": [item.seq for item in record.decisions],
        "signatures": [item.seq for item in record.signatures],
    }
    for sheet in batch_sheets(record, case.name):
        yield Heading(sheet.title, level=3)
        if not sheet.rows:
            yield Paragraph(_("None."))
            continue
        note = case.event_note(seqs[sheet.name]) if sheet.name in seqs else case.batch_note
        if sheet.name in TURNED:
            yield turned_table(sheet, note)
        else:
            yield sheet_table(sheet, note, states=marks.get(sheet.name, ()))


def _marks(case: Case) -> dict[str, list[Mark]]:
    """Which cells of which sheet say that something left its limits."""
    record = case.record
    outside: list[Mark] = [None if item.within and item.keeps_limits else (4, "missed") for item in record.values]
    results: list[Mark] = [(5, _RESULT[item.state]) for item in record.results]  # type: ignore[misc]
    amounts: list[Mark] = [None if item.keeps_limits else (2, "missed") for item in record.consumed]
    return {"values": outside, "results": results, "materials": amounts}
