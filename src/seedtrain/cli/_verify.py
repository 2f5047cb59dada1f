"""`seedtrain verify`: verdicts on what was made."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, Literal

from cyclopts import App, Parameter

from seedtrain.base import InputError, Position
from seedtrain.base import translate as _
from seedtrain.cli import _verify_vector
from seedtrain.cli._common import Common, print_json, shown_progress

if TYPE_CHECKING:
    from seedtrain.bioinformatics import Reference
    from seedtrain.quality import Verdict, VerdictWord
    from seedtrain.report import Page

ROLES: Final = ("host", "helper")

app = App(name="verify", help="Verdicts: pass, fail or inconclusive, with their evidence.")
app.command(_verify_vector.vector)
app.command(_verify_vector.provirus)
app.command(_verify_vector.assay)
app.command(_verify_vector.panel)
app.command(_verify_vector.species)


@app.command
def clone(
    reads: Path,
    reference: Path | None = None,
    *,
    control: Path | None = None,
    other: Annotated[
        list[str] | None, Parameter(negative="", help="FASTA of host or helper, FILE or ROLE=FILE; repeat it.")
    ] = None,
    parental: Path | None = None,
    specification: Path | None = None,
    limit: Annotated[list[str] | None, Parameter(negative="", help="Such as alleles=10%; repeat it.")] = None,
    region: Annotated[str | None, Parameter(help="Of traces: the bases that are judged, such as 120-940.")] = None,
    linear: Annotated[bool, Parameter(negative="")] = False,
    platform: Literal["nanopore", "pacbio", "illumina"] = "nanopore",
    html: Path | None = None,
    common: Common | None = None,
) -> int:
    """Judge whether reads come from a sequence, and from nothing else.

    Example: seedtrain verify clone barcode01.fastq.gz plasmid.gb --html barcode01.html

    Parameters
    ----------
    reads
        FASTQ, FASTA (gzipped or not), BAM; a Sanger trace (.ab1) or a folder of one clone's; or a sheet of samples
        (.csv: sample, reads, reference, control, topology).
    reference
        FASTA or GenBank, one record; a sheet may name one per sample.
    control
        Reads of a clone known to be right, same reference and method: sharpens the error of each site.
    parental
        The plasmid that the clone was made from (FASTA or GenBank): its reads are counted.
    specification
        A cell bank's or plasmid lot's acceptance criteria (YAML): one verdict a lot.
    linear
        The reference is no circle.
    html
        Write the report here.
    """
    options = common or Common()
    from seedtrain.base import use_language, write_atomic
    from seedtrain.bioinformatics import is_trace
    from seedtrain.report import render_html

    asked = _Asked(
        reads, reference, control, other or [], parental, specification, limit or [], region, linear, platform
    )
    rows: list[tuple[str, VerdictWord, str]] = []
    with use_language(options.lang):
        if reads.suffix.lower() == ".csv":
            verdict, page, rows = _sheet(asked, as_json=options.json)
        elif reference is None:
            raise InputError("no reference was given", remedy="Give it after the reads: FASTA or GenBank.")
        elif is_trace(reads):
            verdict, page = _traces(asked, reference, as_json=options.json)
        else:
            verdict, page = _one(asked, reference, as_json=options.json)
        if html is not None:
            write_atomic(html, render_html(page))
        if options.json:
            print_json(verdict.to_data())
        elif rows:
            _show_sheet(reads, verdict, rows)
        else:
            _show(reads, verdict)
    return verdict.exit_code


@dataclass(frozen=True)
class _Asked:
    """The words of the command."""

    reads: Path
    reference: Path | None
    control: Path | None
    other: list[str]
    parental: Path | None
    specification: Path | None
    limit: list[str]
    region: str | None
    linear: bool
    platform: str

    def parent(self) -> Reference | None:
        """The parental plasmid, where one was named."""
        from seedtrain.bioinformatics import read_reference

        return None if self.parental is None else read_reference(self.parental)

    def refuse(self, kind: str, **given: object) -> None:
        """Options that say nothing about this kind of reads are refused, not ignored."""
        for name, value in given.items():
            if value:
                raise InputError(f"--{name} says nothing about {kind}", remedy=f"Leave --{name} out.")


def _one(asked: _Asked, reference: Path, *, as_json: bool) -> tuple[Verdict, Page]:
    from seedtrain.bioinformatics import (
        clone_page,
        judge_lot,
        limits_from,
        read_lot_specification,
        read_reference,
        verify_clone,
    )

    asked.refuse("whole reads", region=asked.region)
    limits, others = limits_from(_pairs(asked.limit)), _others(asked.other)
    wanted = None if asked.specification is None else read_lot_specification(asked.specification)
    against = read_reference(reference, circular=False if asked.linear else None)
    with shown_progress(as_json=as_json) as progress:
        report = verify_clone(
            asked.reads,
            against,
            control=asked.control,
            others=others,
            limits=limits,
            platform=asked.platform,
            parental=asked.parent(),
            progress=progress,
        )
    if wanted is not None:
        report = judge_lot(report, *wanted)
    return report.verdict, clone_page(report)


def _traces(asked: _Asked, reference: Path, *, as_json: bool) -> tuple[Verdict, Page]:
    from seedtrain.bioinformatics import read_reference, trace_files, trace_limits_from, trace_page, verify_traces

    asked.refuse(
        "traces",
        control=asked.control,
        other=asked.other,
        parental=asked.parental,
        specification=asked.specification,
    )
    against = read_reference(reference, circular=False if asked.linear else None)
    with shown_progress(as_json=as_json) as progress:
        report = verify_traces(
            trace_files(asked.reads),
            against,
            name=asked.reads.name,
            region=_region(asked.region),
            limits=trace_limits_from(_pairs(asked.limit)),
            progress=progress,
        )
    return report.verdict, trace_page(report)


def _sheet(asked: _Asked, *, as_json: bool) -> tuple[Verdict, Page, list[tuple[str, VerdictWord, str]]]:
    from dataclasses import replace

    from seedtrain.bioinformatics import (
        limits_from,
        read_lot_specification,
        read_sheet,
        sheet_page,
        sheet_rows,
        verify_sheet,
    )

    asked.refuse("a sheet, which names a control per sample", control=asked.control, region=asked.region)
    limits, others = limits_from(_pairs(asked.limit)), _others(asked.other)
    wanted = None if asked.specification is None else read_lot_specification(asked.specification)[0]
    rows = read_sheet(asked.reads, reference=asked.reference)
    if asked.linear:
        rows = tuple(replace(row, circular=False) for row in rows)
    with shown_progress(as_json=as_json) as progress:
        report = verify_sheet(
            rows,
            name=asked.reads.name,
            others=others,
            limits=limits,
            platform=asked.platform,
            parental=asked.parent(),
            specification=wanted,
            progress=progress,
        )
    return report.verdict, sheet_page(report), sheet_rows(report)


def _region(text: str | None) -> tuple[int, int] | None:
    if text is None:
        return None
    first, sign, last = text.partition("-")
    if not (sign and first.strip().isdigit() and last.strip().isdigit()):
        raise InputError(f"{text!r} is no region", remedy="Write the first and the last base, such as 120-940.")
    return int(first), int(last)


def _pairs(texts: list[str]) -> dict[str, str]:
    found = {}
    for text in texts:
        name, sign, value = text.partition("=")
        if not sign:
            raise InputError(f"{text!r} is no limit", remedy="Write NAME=VALUE, such as alleles=10%.")
        found[name.strip()] = value
    return found


def _others(texts: list[str]) -> list[tuple[str, str | Path]]:
    """FILE, or ROLE=FILE with a role that a specification may ask for."""
    found: list[tuple[str, str | Path]] = []
    for text in texts:
        role, sign, name = text.partition("=")
        path = Path(name if sign else text)
        if sign and role not in ROLES:
            raise InputError(f"{role!r} is no role", remedy=f"Use one of: {', '.join(ROLES)}, or only the file.")
        if not path.is_file():
            raise InputError("there is no such file", position=Position(str(path)), remedy="Check the path.")
        found.append((f"{role}: {path.name}" if sign else path.name, path))
    return found


def _show_sheet(reads: Path, verdict: Verdict, rows: Sequence[tuple[str, VerdictWord, str]]) -> None:
    """One line a sample, and how many of each verdict."""
    from rich import box
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    from seedtrain.quality import verdict_words

    found = Counter(word for _name, word, _reasons in rows)
    counts = ", ".join(f"{verdict_words(word)} {many}" for word, many in sorted(found.items()))
    print(f"{reads.name}: {verdict_words(verdict.verdict)} ({counts})")
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for title in (_("Sample"), _("Verdict"), _("Reasons")):
        table.add_column(title, overflow="fold")
    for name, word, reasons in rows:
        table.add_row(escape(name), verdict_words(word), escape(reasons))
    Console(highlight=False).print(table)


def _show(reads: Path, verdict: Verdict) -> None:
    from seedtrain.bioinformatics import criterion_line, criterion_words
    from seedtrain.quality import verdict_words

    print(f"{reads.name}: {verdict_words(verdict.verdict)}")
    for item in verdict.criteria:
        print(criterion_line(item, criterion_words(item.name)))
