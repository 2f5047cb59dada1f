"""`seedtrain verify vector`: what kinds of genomes a lot of AAV holds."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter

from seedtrain.base import InputError
from seedtrain.base import translate as _
from seedtrain.cli._common import Common, print_json, shown_progress

if TYPE_CHECKING:
    from seedtrain.quality import Verdict
    from seedtrain.report import Page


def vector(
    reads: Path,
    references: list[str],
    *,
    bed: Path | None = None,
    design: Literal["auto", "ss", "sc"] = "auto",
    limit: Annotated[list[str] | None, Parameter(negative="", help="Such as full=60%; repeat it.")] = None,
    platform: Literal["pacbio", "nanopore"] = "pacbio",
    html: Path | None = None,
    common: Common | None = None,
) -> int:
    """Tell full AAV genomes from deleted, broken, folded and foreign ones, read by read.

    Example: seedtrain verify vector lot.bam vector.gb helper=pHelper.fa repcap=pRepCap.fa host=hg38.fa --html lot.html

    Parameters
    ----------
    reads
        FASTQ, FASTA (gzipped or not) or BAM; alignments in it are not used.
    references
        The vector's plasmid (FASTA or GenBank), then what else may be in the lot: ROLE=FILE or ROLE=FILE#RECORD, with
        the roles host, helper, repcap, other.
    bed
        Where the repeats are: rows whose name holds ITR. Without it: GenBank features, or matches with AAV2's.
    design
        Single-stranded or self-complementary; by default told by the length of the cassette.
    html
        Write the report here.
    """
    options = common or Common()
    from seedtrain.base import use_language
    from seedtrain.vectors import class_name, genomes_page, limits_from, read_sources, read_vector, verify_genomes

    limits = limits_from(_pairs(limit or []))
    sources = read_sources(references)
    own = next(item for item in sources if item.role == "vector")
    with use_language(options.lang):
        against = read_vector(own, bed)
        with shown_progress(as_json=options.json) as progress:
            report = verify_genomes(
                reads, against, sources=sources, design=design, limits=limits, platform=platform, progress=progress
            )
        shares = ", ".join(f"{class_name(kind)} {count}" for kind, count in report.counts.items())
        show_verdict(reads.name, report.verdict, genomes_page(report), html, options, notes=[shares])
    return report.verdict.exit_code


def provirus(
    reads: Path,
    provirus: Path,
    *,
    bed: Path | None = None,
    host: Path | None = None,
    limit: Annotated[list[str] | None, Parameter(negative="", help="Such as intact=60%; repeat it.")] = None,
    platform: Literal["pacbio", "nanopore"] = "pacbio",
    html: Path | None = None,
    common: Common | None = None,
) -> int:
    """Tell intact proviruses of a lentiviral vector from deleted, spliced, broken and mutated ones, and where they sit.

    Example: seedtrain verify provirus lot.fastq.gz provirus.gb --host hg38.fa.gz --html lot.html

    Parameters
    ----------
    reads
        FASTQ, FASTA (gzipped or not) or BAM of whole proviruses with what lies beside them.
    provirus
        GenBank with features 5' LTR, psi, RRE, cPPT, WPRE, 3' LTR, or FASTA with --bed. Not the transfer plasmid.
    bed
        Where the parts are, counted from 0; the fourth column names them.
    host
        FASTA of the host; without it no place is told.
    html
        Write the report here.
    """
    options = common or Common()
    from seedtrain.base import Position, use_language
    from seedtrain.vectors import provirus_limits_from, provirus_page, read_provirus, verify_provirus

    limits = provirus_limits_from(_pairs(limit or []))
    if host is not None and not host.is_file():
        raise InputError("there is no such file", position=Position(str(host)), remedy="Check the path.")
    with use_language(options.lang):
        against = read_provirus(provirus, bed)
        with shown_progress(as_json=options.json) as progress:
            report = verify_provirus(reads, against, host=host, limits=limits, platform=platform, progress=progress)
        kinds = ", ".join(f"{kind} {count}" for kind, count in report.counts.items())
        places = [f"{item.site.contig}:{item.site.position + 1}, {item.reads}" for item in report.sites[:10]]
        show_verdict(reads.name, report.verdict, provirus_page(report), html, options, notes=[kinds, *places])
    return report.verdict.exit_code


def assay(
    kind: Literal["ddpcr", "qpcr", "tcid50", "elisa", "full", "absence", "topology"],
    table: Path,
    *,
    limit: Annotated[str | None, Parameter(help="Such as '>= 1e12', in the unit of the result.")] = None,
    setting: Annotated[list[str] | None, Parameter(negative="", help="Such as volume=0.85; repeat it.")] = None,
    instrument: str | None = None,
    layout: Path | None = None,
    html: Path | None = None,
    common: Common | None = None,
) -> int:
    """Give an assay's result with its 95 % interval, and whether the run was valid.

    Example: seedtrain verify assay ddpcr plate.csv --limit '>= 1e12' --html plate.html

    Parameters
    ----------
    kind
        Droplet digital PCR, qPCR with a standard curve, TCID50, ELISA (relative potency), full capsids, the absence
        of replication-competent virus, or the forms of plasmid DNA (topology: supercoiled and others).
    table
        CSV; docs/reference/vectors.md lists the columns of each kind.
    instrument
        The table is this instrument's own file (qpcr, ddpcr, elisa, topology): a vendor of allotropy, such as
        CFXMAESTRO or QIACUITY_DPCR, or asm for the Allotrope Simple Model as JSON.
    layout
        CSV of what the wells of that file hold: well, then columns of the assay such as role, name, dilution, copies.
    html
        Write the report here.
    """
    options = common or Common()
    from seedtrain.base import use_language
    from seedtrain.vectors import assay_page, verify_assay

    with use_language(options.lang):
        report = verify_assay(
            kind, table, limit=limit, settings=_pairs(setting or []), instrument=instrument, layout=layout
        )
        show_verdict(table.name, report.verdict, assay_page(report), html, options, notes=list(report.finding.notes))
    return report.verdict.exit_code


def panel(
    panel: str,
    results: Path,
    *,
    stage: Literal["in process", "drug substance", "drug product"] | None = None,
    lot: str | None = None,
    html: Path | None = None,
    common: Common | None = None,
) -> int:
    """Judge the results of lots against a release panel: one verdict a lot.

    Example: seedtrain verify panel aav results.csv --stage 'drug product' --html lots.html

    Parameters
    ----------
    panel
        plasmid, aav, lentivirus, mrna, car-t, or a panel's YAML file of one's own.
    results
        CSV: lot, attribute, value, and if wanted unit, sample, method, valid.
    stage
        Only the tests of this stage.
    lot
        Only this lot.
    html
        Write the report here.
    """
    options = common or Common()
    from seedtrain.base import use_language
    from seedtrain.vectors import panel_page, read_panel, verify_panel

    with use_language(options.lang):
        report = verify_panel(read_panel(panel), results, stage=stage or "", lot=lot or "")
        notes = list(report.remarks)
        show_verdict(results.name, report.verdict, panel_page(report), html, options, notes=notes)
    return report.verdict.exit_code


def species(
    table: Path,
    *,
    lod: Path | None = None,
    claim: str = "0.1 %",
    cut_off: float = 38.0,
    blank: Path | None = None,
    references: Path | None = None,
    lot: str = "",
    html: Path | None = None,
    common: Common | None = None,
) -> int:
    """Tell whether porcine collagen or DNA is in a sample that should hold none, and whose material it holds.

    Example: seedtrain verify species peptides.csv --lod levels.csv --claim '0.1 %' --html sample.html

    Parameters
    ----------
    table
        CSV of peptides with their fragments, of qPCR wells, of MALDI peaks, or of files of amplicon reads; or mzML.
        docs/reference/vectors.md lists the columns.
    lod
        CSV of spiked samples: level (a fraction), replicates, detected. Without it nothing is "not detected".
    claim
        The highest limit of detection (found in 95 % of the tests) that will do.
    cut_off
        Cycles from which on a well is negative.
    blank
        mzML of a blank, beside mzML of the sample.
    references
        FASTA of the amplicon, records named by animal (pig_..., cattle_...).
    lot
        The lot that was sampled: the evidence names it. `seedtrain assurance species` binds the verdict to it.
    html
        Write the report here.
    """
    options = common or Common()
    from seedtrain.base import use_language
    from seedtrain.vectors import animals_shown, species_page, verify_species

    with use_language(options.lang):
        report = verify_species(
            table, lod=lod, claim=claim, cut_off=cut_off, blank=blank, references=references, lot=lot
        )
        notes = [_("animals: {names}").format(names=animals_shown(report.animals)), *report.found]
        show_verdict(table.name, report.verdict, species_page(report), html, options, notes=notes)
    return report.verdict.exit_code


def show_verdict(
    name: str, verdict: Verdict, page: Page, html: Path | None, options: Common, *, notes: list[str] | None = None
) -> None:
    """Write the page where it is asked for, and print the verdict for people or machines."""
    from seedtrain.base import write_atomic
    from seedtrain.quality import verdict_words
    from seedtrain.report import render_html
    from seedtrain.vectors import criterion_words, evidence_words, value_words

    if html is not None:
        write_atomic(html, render_html(page))
    if options.json:
        print_json(verdict.to_data())
        return
    print(f"{name}: {verdict_words(verdict.verdict)}")
    for item in verdict.criteria:
        interval = "" if item.interval is None else f" ({item.interval[0]} .. {item.interval[1]})"
        value = "-" if item.value is None else value_words(str(item.value))
        limit = value_words(item.limit or "-")
        print(f"  {verdict_words(item.verdict):<12} {criterion_words(item.name)}: {value}{interval}, {limit}")
    for note in notes or []:
        print(f"  {evidence_words(note)}")


def _pairs(texts: list[str]) -> dict[str, str]:
    found = {}
    for text in texts:
        name, sign, value = text.partition("=")
        if not sign:
            raise InputError(f"{text!r} has no value", remedy="Write NAME=VALUE, such as full=60%.")
        found[name.strip()] = value
    return found
