"""Release panels as data: which tests, by which methods, within which limits, at which stage; one verdict a lot."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field

from seedtrain.base import InputError, SeedtrainError, collect, digest_bytes, load, read_text
from seedtrain.base import translate as _
from seedtrain.quality import (
    Criterion,
    Limit,
    Result,
    Specification,
    SpecificationEntry,
    Verdict,
    judge,
    verdict_words,
)
from seedtrain.quantity import Quantity, QuantityError, parse
from seedtrain.report import Block, Cell, Column, Heading, KeyFigure, KeyFigures, Page, Paragraph, Table
from seedtrain.vectors._evidence import evidence_shown, value_words
from seedtrain.vectors._page import STATES, criteria_table
from seedtrain.vectors._panel_words import panel_words
from seedtrain.vectors._table import Column as SheetColumn
from seedtrain.vectors._table import Row, Sheet, parse_sheet
from seedtrain.vectors._units import known_units

FOLDER: Final = Path(__file__).parent / "panels"
PANELS: Final = ("plasmid", "aav", "lentivirus", "mrna", "car-t")
STAGES: Final = ("in process", "drug substance", "drug product")
SAME_WORDS: Final[Mapping[str, tuple[str, ...]]] = {
    "not detected": ("none detected", "negative", "absent"),
    "no growth": ("negative", "sterile"),
    "conforms": ("complies", "meets", "meets requirements"),
}
"""What laboratories write for the word of a limit; any other word is another finding."""
COLUMNS: Final = (
    SheetColumn("lot", "word", None),
    SheetColumn("attribute", "word", None),
    SheetColumn("value", "word", None),
    SheetColumn("unit", "word", ""),
    SheetColumn("sample", "word", ""),
    SheetColumn("method", "word", ""),
    SheetColumn("valid", "word", "yes", words=("yes", "no")),
)


class PanelTest(SpecificationEntry):
    """One test: attribute, method and limit, at which stage, of what it speaks, and where the limit comes from.

    - `source`: a guideline or pharmacopoeia; `assumed` is a customary figure that a specification must replace.
    """

    stage: Literal["in process", "drug substance", "drug product"]
    category: Literal["identity", "quantity", "purity", "potency", "safety", "general"]
    source: Annotated[str, Field(min_length=1)]


class PanelEntry(BaseModel):
    """A panel's file."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Annotated[str, Field(min_length=1)]
    product: Annotated[str, Field(min_length=1)]
    tests: Annotated[tuple[PanelTest, ...], Field(min_length=1)]


@dataclass(frozen=True)
class Panel:
    """A panel: its tests in the order of the file, and the digest of that file."""

    name: str
    product: str
    tests: tuple[PanelTest, ...]
    digest: str

    def specification(self, stage: str = "") -> Specification:
        """What is tested at `stage`, or at all of them. Raises `InputError` for a stage without tests."""
        lines = tuple(test.line() for test in self.tests if stage in ("", test.stage))
        if not lines:
            known = ", ".join(dict.fromkeys(test.stage for test in self.tests))
            raise InputError(f"the panel has no tests at the stage {stage!r}", remedy=f"Use one of: {known}.")
        return Specification(lines)


def read_panel(name: str) -> Panel:
    """One of `PANELS`, or a file of one's own. Raises `InputErrors` with every fault and its place."""
    path = FOLDER / f"{name}.yaml" if name in PANELS else Path(name)
    if name not in PANELS and not path.is_file():
        raise InputError(f"there is no panel {name!r}", remedy=f"Use {', '.join(PANELS)}, or a panel's file.")
    entry, document = load(path, PanelEntry, what="panel")
    seen: set[str] = set()
    for index, test in enumerate(entry.tests):
        if test.attribute in seen:
            raise document.error(
                ("tests", index, "attribute"), "this attribute stands twice", remedy="Name the stage in one of them."
            )
        seen.add(test.attribute)
    return Panel(entry.name, entry.product, entry.tests, digest_bytes(read_text(path, what="panel").encode()))


@dataclass(frozen=True)
class PanelReport:
    """The answer for a table of results: one verdict a lot, in the order of the table.

    - `remarks`: results that no test of the panel asks for, in words.
    """

    name: str
    panel: Panel
    stage: str
    lots: Mapping[str, Verdict]
    verdict: Verdict
    remarks: tuple[str, ...] = ()


def verify_panel(panel: Panel, table: Path | str, *, stage: str = "", lot: str = "") -> PanelReport:
    """Results of one or more lots against a panel.

    - `table`: a CSV file or its text: `lot`, `attribute`, `value` (a number, a word, or `< 0.5` where nothing was found
      above 0.5), and if wanted `unit`, `sample`, `method`, `valid`.
    - `stage`: only its tests; `lot`: only this lot.

    A test that is missing or invalid is inconclusive, and so is one by another method than the panel's. Every valid
    result counts. Names and words may differ in capitals. Raises `InputErrors` for a table that cannot be used, with
    the lines.
    """
    text = read_text(table, what="table of results") if isinstance(table, Path) else table
    sheet = parse_sheet(text, str(table) if isinstance(table, Path) else "results", COLUMNS)
    specification = panel.specification(stage)
    versions = {"seedtrain": version("seedtrain")}
    known = {line.attribute: line.limit for line in panel.specification().lines}
    sheet = replace(sheet, rows=tuple(_with_known_name(row, known) for row in sheet.rows))
    if lot and lot not in {row.word("lot") for row in sheet.rows}:
        lots_given = ", ".join(dict.fromkeys(row.word("lot") for row in sheet.rows))
        raise InputError(f"the table has no lot {lot!r}", remedy=f"Use one of: {lots_given}.")
    rows: dict[str, list[tuple[Row, Result]]] = {}
    for row, result in _results(sheet, known, lot):
        rows.setdefault(row.word("lot"), []).append((row, result))
    lots = {name: _judge_lot(specification, mine, known, versions) for name, mine in rows.items()}
    name = table.name if isinstance(table, Path) else panel.name
    evidence = [
        f"panel {panel.name}, SHA-256 {panel.digest}" + (f", stage {stage}" if stage else ""),
        f"results {name}, SHA-256 {digest_bytes(text.encode())}",
        *(f"{test.attribute}: limit {test.source}" for test in panel.tests if stage in ("", test.stage)),
    ]
    remarks = tuple(
        f"{key}: {row.word('attribute')} is no test of the panel"
        for key, mine in rows.items()
        for row, _item in mine
        if row.word("attribute") not in known
    )
    return PanelReport(name, panel, stage, lots, _together(lots, evidence, versions), remarks)


def _together(lots: Mapping[str, Verdict], evidence: Sequence[str], versions: Mapping[str, str]) -> Verdict:
    """One lot's verdict, which names it; of several one criterion each, whose value names what is not passed."""
    if len(lots) == 1:
        name, only = next(iter(lots.items()))
        return Verdict.of(only.criteria, [f"lot {name}", *evidence, *only.evidence], versions)
    criteria = [
        Criterion(
            name,
            "; ".join(f"{item.name}: {item.verdict}" for item in found.criteria if item.verdict != "pass") or None,
            None,
            "every test",
            None,
            found.verdict,
        )
        for name, found in lots.items()
    ]
    told = [f"{name}: {line}" for name, found in lots.items() for line in found.evidence]
    return Verdict.of(criteria, [*evidence, *told], versions)


def _judge_lot(
    specification: Specification,
    rows: Sequence[tuple[Row, Result]],
    known: Mapping[str, Limit],
    versions: Mapping[str, str],
) -> Verdict:
    specified = {line.attribute for line in specification.lines}
    # What belongs to another stage is no finding of this one.
    results = [item for row, item in rows if row.word("attribute") in specified or row.word("attribute") not in known]
    found = judge(specification, results, versions=versions)
    methods = {line.attribute: line.method for line in specification.lines}
    strange = {
        row.word("attribute"): row.word("method")
        for row, _item in rows
        if row.word("method") and not same_method(row.word("method"), methods.get(row.word("attribute"), ""))
    }
    criteria = [
        replace(item, verdict="inconclusive") if item.name in strange and item.verdict == "pass" else item
        for item in found.criteria
    ]
    told = [f"{name}: by {method}, the panel says {methods[name]}" for name, method in strange.items()]
    return Verdict.of(criteria, [*found.evidence, *told], versions)


def same_method(given: str, wanted: str) -> bool:
    """Whether a method is the panel's, or one of those that it leaves the choice of: HPLC of `HPLC or densitometry`.

    Capitals and signs make no difference: `USP 85` is `USP <85>`. An empty `wanted` asks for none.
    """
    choices = {wanted, *re.split(r" or |, ", wanted)}
    return not wanted or _letters(given) in map(_letters, choices)


def _letters(text: str) -> str:
    return " ".join(re.findall(r"[^\W_]+", text.casefold()))


def _with_known_name(row: Row, known: Mapping[str, Limit]) -> Row:
    """The row with its attribute as the panel spells it: capitals and spaces make no other test of it."""
    name = row.word("attribute")
    spelt = next((item for item in known if _plain(item) == _plain(name)), name)
    return replace(row, cells={**row.cells, "attribute": spelt})


def _plain(text: str) -> str:
    return " ".join(text.casefold().split())


def _results(sheet: Sheet, known: Mapping[str, Limit], lot: str) -> list[tuple[Row, Result]]:
    """Every row of the lot, or of all; raises `InputErrors` with every value that cannot be used."""
    found, faults = [], list[SeedtrainError]()
    for row in sheet.rows:
        if lot in ("", row.word("lot")):
            try:
                found.append((row, _result(sheet, row, known.get(row.word("attribute")))))
            except InputError as error:
                faults.append(error)
    collect(faults)
    return found


def _result(sheet: Sheet, row: Row, limit: Limit | None) -> Result:
    attribute, text = row.word("attribute"), row.word("value")
    method, sample = row.word("method") or "method not named", row.word("sample") or "not named"
    valid = row.word("valid") == "yes"
    if limit is None:
        return Result(attribute, text, method, sample, valid=valid)
    if limit.range is None:
        word = limit.word or ""
        meant = _plain(text) == _plain(word) or _plain(text) in SAME_WORDS.get(word, ())
        return Result(attribute, word if meant else text, method, sample, valid=valid)
    below = text.startswith("<")
    words = known_units(f"{text.removeprefix('<').strip()} {row.word('unit')}".strip())
    try:
        value: Quantity = parse(words, like=limit.unit)
        number = value.magnitude(limit.unit)
    except QuantityError as error:
        raise sheet.error(row, f"{attribute}: {error.message}", error.remedy or f"The limit is {limit.text}.") from None
    if number < 0 <= max(end for end in limit.range.bounds(limit.unit) if math.isfinite(end)):
        raise sheet.error(
            row,
            f"{attribute}: {value} is below zero",
            "Write what was measured; what is below the limit of detection as '< LIMIT'.",
        )
    return Result(attribute, value, method, sample, detected=not below, valid=valid)


def panel_page(report: PanelReport) -> Page:
    """Every lot with its tests, and the panel itself."""
    word = report.verdict.verdict
    blocks: list[Block] = [
        KeyFigures(
            [
                KeyFigure(_("Verdict"), verdict_words(word), state=STATES[word]),
                KeyFigure(_("Lots"), str(len(report.lots))),
            ]
        )
    ]
    if len(report.lots) > 1:
        rows: list[list[str | Cell]] = [
            [name, Cell(verdict_words(found.verdict), state=STATES[found.verdict])]
            for name, found in report.lots.items()
        ]
        blocks += [Heading(_("Lots")), Table([Column(_("Lot")), Column(_("Verdict"))], rows)]
    for name, found in report.lots.items():
        blocks += [Heading(_("Lot {name}").format(name=name)), criteria_table(found)]
        if found.evidence:
            blocks.append(Paragraph(evidence_shown(found.evidence)))
    blocks += [Heading(_("Panel")), _tests(report)]
    return Page(
        title=report.name,
        subtitle=report.panel.name,
        label=_("Release panel"),
        facts=[(_("Digest of the panel"), report.panel.digest[:16]), *report.verdict.versions.items()],
        blocks=blocks,
    )


def _tests(report: PanelReport) -> Table:
    rows = [
        [
            panel_words(test.stage),
            panel_words(test.category),
            panel_words(test.attribute),
            test.method,
            value_words(test.limit.text),
            value_words(test.source),
        ]
        for test in report.panel.tests
        if report.stage in ("", test.stage)
    ]
    heads = [_("Stage"), _("Category"), _("Attribute"), _("Method"), _("Limit"), _("Source of the limit")]
    return Table([Column(item) for item in heads], rows, small=True)
