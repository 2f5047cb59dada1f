"""A sheet of samples (CSV): one verdict for the plate, one row a sample."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from seedtrain.base import InputError, InputErrors, Position, Progress, SeedtrainError, part, read_text, silent
from seedtrain.bioinformatics._reads._clone import CloneReport, verify_clone
from seedtrain.bioinformatics._reads._limits import CloneLimits
from seedtrain.bioinformatics._reads._lot import judge_lot
from seedtrain.bioinformatics._reads._page_parts import criterion_words
from seedtrain.bioinformatics._reads._reference import Reference, read_reference
from seedtrain.bioinformatics._reads._trace_verdict import TraceReport, is_trace, trace_files, verify_traces
from seedtrain.quality import Criterion, Specification, Verdict, VerdictWord

MOST_SAMPLES: Final = 1536
_COLUMNS: Final = ("sample", "reads", "reference", "control", "topology")


@dataclass(frozen=True)
class SheetRow:
    """One sample of a sheet: paths as they can be opened; `circular` is None where the reference's file says it.

    - `faults`: files that the row names and that are not there: the sample cannot be judged, the others can.
    """

    sample: str
    reads: Path
    reference: Path
    control: Path | None
    circular: bool | None
    line: int
    faults: tuple[str, ...] = ()


@dataclass(frozen=True)
class SheetReport:
    """All samples: the reports of those that could be judged, the errors of the others, and one verdict over all."""

    name: str
    reports: tuple[CloneReport | TraceReport, ...]
    errors: Mapping[str, str]
    verdict: Verdict


def read_sheet(path: Path, *, reference: Path | None = None) -> tuple[SheetRow, ...]:
    """The rows of a table (commas, semicolons or tabs) with the columns sample, reads, reference, and if
    wanted control and topology.

    Paths are relative to the sheet; `reference` stands where a row has none; topology is circle or line. A file that is
    not there is a fault of its row (`SheetRow.faults`). Raises `InputErrors` with every other fault and its line, and
    where every row lacks a file.
    """
    text = read_text(path, what="sample sheet")
    first = text.partition("\n")[0]
    rows = csv.reader(io.StringIO(text), delimiter=max(",;\t", key=first.count))
    faults: list[SeedtrainError] = []

    def fault(line: int, message: str, remedy: str) -> None:
        faults.append(InputError(message, position=Position(str(path), line, 1), remedy=remedy))

    head = [item.strip().lower() for item in next(rows, [])]
    unknown = [item for item in head if item not in _COLUMNS]
    missing = [item for item in ("sample", "reads") if item not in head]
    if reference is None and "reference" not in head:
        missing.append("reference")
    if unknown or missing:
        said = f"column {unknown[0]!r} is unknown" if unknown else f"column {missing[0]!r} is missing"
        raise InputError(said, position=Position(str(path), 1, 1), remedy=f"Use the columns {', '.join(_COLUMNS)}.")
    found: list[SheetRow] = []
    for cells in rows:
        line = rows.line_num
        if not any(item.strip() for item in cells):
            continue
        if len(cells) != len(head):
            fault(line, f"{len(cells)} cells under {len(head)} columns", "Give every row a cell per column.")
            continue
        row = _row(path, dict(zip(head, (item.strip() for item in cells), strict=True)), line, reference, fault)
        if row is not None:
            if any(row.sample == other.sample for other in found):
                fault(line, f"sample {row.sample!r} stands twice", "Give every sample its own name.")
            found.append(row)
    if not found and not faults:
        fault(1, "the sheet names no sample", "Add a row per sample.")
    if len(found) > MOST_SAMPLES:
        fault(0, f"{len(found)} samples, at most {MOST_SAMPLES} are judged at once", "Split the sheet.")
    if faults or all(row.faults for row in found):
        for row in found:
            for words in row.faults:
                fault(row.line, words, "Paths are relative to the sheet.")
        raise InputErrors(tuple(sorted(faults, key=lambda item: item.position.line if item.position else 0)))
    return tuple(found)


def _row(
    sheet: Path, cells: dict[str, str], line: int, reference: Path | None, fault: Callable[[int, str, str], None]
) -> SheetRow | None:
    folder = sheet.parent
    given = cells.get("reference", "")
    against = folder / given if given else reference
    paths = {"reads": folder / cells["reads"] if cells["reads"] else None, "reference": against}
    paths["control"] = folder / cells["control"] if cells.get("control") else None
    good, absent = True, list[str]()
    if not cells["sample"]:
        fault(line, "the sample has no name", "Fill the column sample.")
        good = False
    for column, item in paths.items():
        if item is None and column != "control":
            fault(line, f"the row has no {column}", f"Fill the column {column}.")
            good = False
        elif item is not None and not (item.is_file() or (column == "reads" and item.is_dir())):
            absent.append(f"{column}: there is no file {item}")
    topology = cells.get("topology", "")
    if topology not in ("", "circle", "line"):
        fault(line, f"topology {topology!r}", "Write circle or line, or leave it empty.")
        good = False
    if not good or paths["reads"] is None or against is None:
        for words in absent:
            fault(line, words, "Paths are relative to the sheet.")
        return None
    circular = {"": None, "circle": True, "line": False}[topology]
    return SheetRow(cells["sample"], paths["reads"], against, paths["control"], circular, line, tuple(absent))


def _named(sample: str, step: Progress) -> Progress:
    return lambda done, words: step(done, f"{sample}: {words}")


def _judged(
    row: SheetRow,
    reference: Reference,
    others: Sequence[tuple[str, str | Path]],
    limits: CloneLimits | None,
    platform: str,
    parental: Reference | None,
    specification: Specification | None,
    step: Progress,
) -> CloneReport | TraceReport:
    named = _named(row.sample, step)
    if is_trace(row.reads):
        if specification is not None:
            raise InputError("traces tell no fractions, which a specification of a lot asks for")
        return verify_traces(trace_files(row.reads), reference, name=row.sample, progress=named)
    report = verify_clone(
        row.reads,
        reference,
        name=row.sample,
        control=row.control,
        others=others,
        limits=limits,
        platform=platform,
        parental=parental,
        progress=named,
    )
    return report if specification is None else judge_lot(report, specification)


def sheet_rows(report: SheetReport) -> list[tuple[str, VerdictWord, str]]:
    """Of every sample in the sheet's order: name, verdict, and what decided it, in the language in use."""
    told: dict[str, str] = {}
    for each in report.reports:
        deciding = [item.name for item in each.verdict.criteria if item.verdict == each.verdict.verdict]
        told[each.name] = "" if each.verdict.verdict == "pass" else "; ".join(map(criterion_words, deciding))
    told |= report.errors
    return [(item.name, item.verdict, told[item.name]) for item in report.verdict.criteria]


def verify_sheet(
    rows: Sequence[SheetRow],
    *,
    name: str,
    others: Sequence[tuple[str, str | Path]] = (),
    limits: CloneLimits | None = None,
    platform: str = "nanopore",
    parental: Reference | None = None,
    specification: Specification | None = None,
    progress: Progress = silent,
) -> SheetReport:
    """`verify_clone` for every row, `verify_traces` where the reads are `.ab1` files or a folder of them.

    - `specification`: every sample is a lot that is judged against it (`judge_lot`).

    Files that are not there or cannot be used make their sample inconclusive, with every fault, and stop no other.
    """
    references: dict[tuple[Path, bool | None], Reference] = {}
    reports: list[CloneReport | TraceReport] = []
    errors: dict[str, str] = {}
    criteria: list[Criterion] = []
    evidence: list[str] = []
    versions: dict[str, str] = {}
    for index, row in enumerate(rows):
        key = (row.reference, row.circular)
        step = part(progress, index / len(rows), (index + 1) / len(rows))
        try:
            if row.faults:
                raise InputErrors(tuple(InputError(words) for words in row.faults))
            if key not in references:
                references[key] = read_reference(row.reference, circular=row.circular)
            report = _judged(row, references[key], others, limits, platform, parental, specification, step)
        except InputError as error:
            told = "; ".join(item.message for item in error.parts)
            errors[row.sample] = told
            criteria.append(Criterion(row.sample, told, None, "pass", None, "inconclusive"))
            evidence.append(f"{row.sample}: {told}")
            continue
        reports.append(report)
        versions.update(report.verdict.versions)
        reasons = [item.name for item in report.verdict.criteria if item.verdict == report.verdict.verdict]
        words = "pass" if report.verdict.verdict == "pass" else f"{report.verdict.verdict}: {'; '.join(reasons)}"
        criteria.append(Criterion(row.sample, words, None, "pass", None, report.verdict.verdict))
        evidence += [f"{row.sample}: {line}" for line in report.verdict.evidence]
    return SheetReport(name, tuple(reports), errors, Verdict.of(criteria, evidence, versions))
