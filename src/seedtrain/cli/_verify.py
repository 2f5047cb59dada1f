"""`seedtrain verify`: verdicts on what was made."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import App, Parameter

from seedtrain.base import InputError, Position
from seedtrain.cli import _verify_vector
from seedtrain.cli._common import Common, print_json, shown_progress

if TYPE_CHECKING:
    from seedtrain.bioinformatics import CloneLimits
    from seedtrain.quality import Verdict
    from seedtrain.report import Page

app = App(name="verify", help="Verdicts: pass, fail or inconclusive, with their evidence.")
app.command(_verify_vector.vector)
app.command(_verify_vector.assay)
app.command(_verify_vector.panel)
app.command(_verify_vector.species)


@app.command
def clone(
    reads: Path,
    reference: Path | None = None,
    *,
    control: Path | None = None,
    other: Annotated[list[Path] | None, Parameter(negative="", help="FASTA of host or helper; repeat it.")] = None,
    limit: Annotated[list[str] | None, Parameter(negative="", help="Such as alleles=10%; repeat it.")] = None,
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
        FASTQ, FASTA (gzipped or not), BAM, or a sheet of samples (.csv: sample, reads, reference, control, topology).
    reference
        FASTA or GenBank, one record; a sheet may name one per sample.
    control
        Reads of a clone known to be right, same reference and method: sharpens the error of each site.
    linear
        The reference is no circle.
    html
        Write the report here.
    """
    options = common or Common()
    from seedtrain.base import use_language, write_atomic
    from seedtrain.bioinformatics import limits_from
    from seedtrain.report import render_html

    limits = limits_from(_pairs(limit or []))
    others = _others(other or [])
    with use_language(options.lang):
        if reads.suffix.lower() == ".csv":
            verdict, page = _sheet(reads, reference, linear, others, limits, platform, as_json=options.json)
        else:
            if reference is None:
                raise InputError("no reference was given", remedy="Give it after the reads: FASTA or GenBank.")
            verdict, page = _one(reads, reference, linear, control, others, limits, platform, as_json=options.json)
        if html is not None:
            write_atomic(html, render_html(page))
        if options.json:
            print_json(verdict.to_data())
        else:
            _show(reads, verdict)
    return verdict.exit_code


def _one(
    reads: Path,
    reference: Path,
    linear: bool,
    control: Path | None,
    others: list[tuple[str, str | Path]],
    limits: CloneLimits,
    platform: str,
    *,
    as_json: bool,
) -> tuple[Verdict, Page]:
    from seedtrain.bioinformatics import clone_page, read_reference, verify_clone

    against = read_reference(reference, circular=False if linear else None)
    with shown_progress(as_json=as_json) as progress:
        report = verify_clone(
            reads,
            against,
            control=control,
            others=others,
            limits=limits,
            platform=platform,
            progress=progress,
        )
    return report.verdict, clone_page(report)


def _sheet(
    sheet: Path,
    reference: Path | None,
    linear: bool,
    others: list[tuple[str, str | Path]],
    limits: CloneLimits,
    platform: str,
    *,
    as_json: bool,
) -> tuple[Verdict, Page]:
    from dataclasses import replace

    from seedtrain.bioinformatics import read_sheet, sheet_page, verify_sheet

    rows = read_sheet(sheet, reference=reference)
    if linear:
        rows = tuple(replace(row, circular=False) for row in rows)
    with shown_progress(as_json=as_json) as progress:
        report = verify_sheet(rows, name=sheet.name, others=others, limits=limits, platform=platform, progress=progress)
    return report.verdict, sheet_page(report)


def _pairs(texts: list[str]) -> dict[str, str]:
    found = {}
    for text in texts:
        name, sign, value = text.partition("=")
        if not sign:
            raise InputError(f"{text!r} is no limit", remedy="Write NAME=VALUE, such as alleles=10%.")
        found[name.strip()] = value
    return found


def _others(paths: list[Path]) -> list[tuple[str, str | Path]]:
    for path in paths:
        if not path.is_file():
            raise InputError("there is no such file", position=Position(str(path)), remedy="Check the path.")
    return [(path.name, path) for path in paths]


def _show(reads: Path, verdict: Verdict) -> None:
    from seedtrain.bioinformatics import criterion_words
    from seedtrain.quality import verdict_words

    print(f"{reads.name}: {verdict_words(verdict.verdict)}")
    for item in verdict.criteria:
        interval = "" if item.interval is None else f" ({item.interval[0]} .. {item.interval[1]})"
        value = "-" if item.value is None else item.value
        print(f"  {verdict_words(item.verdict):<12} {criterion_words(item.name)}: {value}{interval}, {item.limit}")
