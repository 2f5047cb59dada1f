"""The report of a clone, or of a sheet of clones, as a page."""

from __future__ import annotations

import re
from collections.abc import Iterator

import numpy as np

from seedtrain.base import translate as _
from seedtrain.bioinformatics._reads._clone import CloneReport
from seedtrain.bioinformatics._reads._coded import open_edits
from seedtrain.bioinformatics._reads._consensus import Edit
from seedtrain.bioinformatics._reads._criteria import edit_words, share_text
from seedtrain.bioinformatics._reads._page_parts import STATES, criteria_table, criterion_names
from seedtrain.bioinformatics._reads._sheet import SheetReport, sheet_rows
from seedtrain.bioinformatics._reads._trace_page import trace_blocks
from seedtrain.bioinformatics._reads._trace_verdict import TraceReport
from seedtrain.bioinformatics._told import evidence_shown, evidence_words, value_words
from seedtrain.quality import verdict_words
from seedtrain.report import (
    Block,
    Cell,
    Column,
    Figure,
    Heading,
    KeyFigure,
    KeyFigures,
    Line,
    LinePlot,
    Page,
    Panel,
    Paragraph,
    Table,
)

POINTS = 400
"""Points of a coverage plot: each is the least depth of its stretch, so that no gap is smoothed away."""
MOST_ROWS = 60


def clone_page(report: CloneReport) -> Page:
    """Verdict, criteria, coverage, identity and every difference of one sample."""
    return Page(
        title=report.name,
        subtitle=_("Reads against the sequence that the clone should have"),
        label=_("Clone verification"),
        mark=_("simulated reads") if report.simulated else "",
        facts=_facts(report),
        blocks=list(_blocks(report)),
    )


def sheet_page(report: SheetReport) -> Page:
    """One table of verdicts, then each sample."""
    rows: list[list[str | Cell]] = [
        [name, Cell(verdict_words(word), state=STATES[word]), reasons] for name, word, reasons in sheet_rows(report)
    ]
    blocks: list[Block] = [
        Heading(_("Samples")),
        Table([Column(_("Sample")), Column(_("Verdict")), Column(_("Reasons"))], rows, small=True),
    ]
    for each in report.reports:
        blocks.append(Heading(each.name, new_page=True))
        blocks += trace_blocks(each, level=3) if isinstance(each, TraceReport) else _blocks(each, level=3)
    return Page(
        title=report.name,
        subtitle=_("{count} samples: {verdict}").format(count=len(rows), verdict=verdict_words(report.verdict.verdict)),
        label=_("Clone verification"),
        mark=_("simulated reads") if any(item.simulated for item in report.reports) else "",
        facts=[(_("Version"), report.verdict.versions.get("seedtrain", ""))],
        blocks=blocks,
    )


def _facts(report: CloneReport) -> list[tuple[str, str]]:
    reference = report.reference
    kind = _("circle") if reference.circular else _("line")
    return [
        (_("Reference"), f"{reference.name}, {kind}, {len(reference)} bp"),
        (_("Digest of the reference"), reference.digest[:16]),
        *((name, version) for name, version in report.verdict.versions.items()),
    ]


def _blocks(report: CloneReport, level: int = 2) -> Iterator[Block]:
    def heading(text: str) -> Heading:
        return Heading(text, level=3 if level == 3 else 2)

    yield KeyFigures(_key_figures(report))
    yield heading(_("Criteria"))
    yield criteria_table(report.verdict)
    yield heading(_("Coverage and identity"))
    yield _coverage(report)
    if len(report.identity):
        yield _identity(report)
    yield heading(_("Differences"))
    yield from _differences(report)
    yield heading(_("What can be seen"))
    yield _detection(report)
    yield heading(_("Masked sites"))
    yield _masks(report)
    yield heading(_("Evidence"))
    yield Paragraph(evidence_shown(report.verdict.evidence, criterion_names()))


def _key_figures(report: CloneReport) -> list[KeyFigure]:
    identity = share_text(float(np.median(report.identity))) if len(report.identity) else ""
    depth = report.depth.sum(axis=0)
    return [
        KeyFigure(_("Verdict"), verdict_words(report.verdict.verdict), state=STATES[report.verdict.verdict]),
        KeyFigure(_("Median depth"), str(int(np.median(depth))), note=_("least {low}").format(low=int(depth.min()))),
        KeyFigure(_("Median identity of reads"), identity),
        KeyFigure(
            _("Consensus"),
            str(sum(edit.distance for edit in open_edits(report.consensus.edits))) if report.consensus.reads else "",
            unit=_("edits"),
            note=_("{count} whole reads").format(count=report.consensus.reads),
        ),
    ]


def _coverage(report: CloneReport) -> Figure:
    size = len(report.reference)
    edges = np.unique(np.linspace(0, size, min(POINTS, size) + 1).astype(np.int64))
    x = (edges[:-1] + edges[1:]) / 2 + 0.5

    def least(values: np.ndarray[tuple[int, ...], np.dtype[np.int64]]) -> list[float]:
        return [float(item) for item in np.minimum.reduceat(values, edges[:-1])]

    lines = [
        Line(_("forward strand"), x.tolist(), least(report.depth[0])),
        Line(_("reverse strand"), x.tolist(), least(report.depth[1])),
        Line(_("across, unbroken"), x.tolist(), least(report.spanning), style="dashed"),
    ]
    low = int(report.depth.sum(axis=0).min())
    return Figure(
        LinePlot(
            alt=_("Reads over each site; the thinnest site has {low}").format(low=low),
            x_title=_("site, bp"),
            panels=[Panel(_("reads"), lines)],
        ),
        caption=_("Depth by strand, and reads that cross a site without a break: the least of each stretch"),
    )


def _identity(report: CloneReport) -> Figure:
    low = min(0.9, float(np.floor(report.identity.min() * 50) / 50))
    counts, edges = np.histogram(report.identity, bins=40, range=(low, 1.0))
    middle = 100 * (edges[:-1] + edges[1:]) / 2
    line = Line(_("reads"), middle.tolist(), [float(item) for item in counts])
    median = share_text(float(np.median(report.identity)))
    return Figure(
        LinePlot(
            alt=_("Identity of the reads, median {median}").format(median=median),
            x_title=_("identity of a read, %"),
            panels=[Panel(_("reads"), [line])],
        ),
        caption=_("Identical bases per column of each read's alignment"),
    )


def _differences(report: CloneReport) -> Iterator[Block]:
    edits = [[_edit_shown(edit), str(edit.distance)] for edit in open_edits(report.consensus.edits)]
    alleles = sorted(
        (one for item in report.classes for one in item.alleles), key=lambda one: (-one.interval[0], one.site)
    )
    if not edits and not alleles and not report.structures and not report.runs:
        yield Paragraph(_("None was found."))
    if edits:
        heads = [Column(_("Edit of the consensus")), Column(_("Distance"), "right")]
        yield Table(heads, [[Cell(text, style="code"), size] for text, size in edits[:MOST_ROWS]], small=True)
    if alleles:
        columns = [Column(_("Site"), "right"), Column(_("Change")), Column(_("Around")), Column(_("Share"), "right")]
        columns += [Column(_("95 % interval")), Column(_("Reads by strand")), Column(_("Class"))]
        rows: list[list[str | Cell]] = [
            [
                str(one.site + 1),
                one.change,
                Cell(report.reference.around(one.site), style="code"),
                share_text(one.fraction),
                f"{share_text(one.interval[0])} .. {share_text(one.interval[1])}",
                f"{one.reads[0]}/{one.depth[0]}, {one.reads[1]}/{one.depth[1]}",
                value_words(one.site_class),
            ]
            for one in alleles[:MOST_ROWS]
        ]
        yield Table(columns, rows, caption=_("Sites that errors do not explain"), small=True)
    if report.structures:
        yield _structures(report)
    if report.runs:
        yield _runs(report)
    if report.coded:
        yield _coded(report)


def _edit_shown(edit: Edit) -> str:
    """An edit in the language in use, without the word for edit."""
    return re.split(": |：", evidence_words(edit_words(edit)), maxsplit=1)[1]


def _coded(report: CloneReport) -> Table:
    heads = [_("Site"), _("Letter"), _("Around"), _("Bases read"), _("Reads"), _("Allowed")]
    rows: list[list[str | Cell]] = [
        [
            str(one.site + 1),
            one.letter,
            Cell(report.reference.around(one.site), style="code"),
            ", ".join(f"{base} {share_text(share)}" for base, share in one.shares),
            str(one.depth),
            _("yes") if one.allowed else _("no"),
        ]
        for one in report.coded[:MOST_ROWS]
    ]
    caption = _("Letters of the reference that allow several bases, and what the clone has there")
    return Table([Column(item) for item in heads], rows, caption=caption, small=True)


def _structures(report: CloneReport) -> Table:
    heads = [_("Kind"), _("Site"), _("To"), _("Size, bp"), _("Reads"), _("Share"), _("95 % interval")]
    rows = [
        [
            value_words(item.kind),
            str(item.site + 1),
            str(item.other + 1),
            str(item.size) if item.size else "",
            f"{item.reads}/{item.reads + item.spanning}",
            share_text(item.fraction),
            f"{share_text(item.interval[0])} .. {share_text(item.interval[1])}",
        ]
        for item in report.structures[:MOST_ROWS]
    ]
    return Table([Column(item) for item in heads], rows, caption=_("Insertions, deletions and junctions"), small=True)


def _runs(report: CloneReport) -> Table:
    heads = [_("Site"), _("Base"), _("Reference"), _("Median forward"), _("Median reverse"), _("Reads"), _("Sure")]
    rows = [
        [
            str(run.start + 1),
            run.base,
            str(run.length),
            str(run.length + run.medians[0]),
            str(run.length + run.medians[1]),
            str(run.reads),
            _("yes") if run.sure else _("no"),
        ]
        for run in report.runs[:MOST_ROWS]
    ]
    return Table(
        [Column(item) for item in heads], rows, caption=_("Length of homopolymers, poly-A included"), small=True
    )


def _detection(report: CloneReport) -> Table:
    heads = [_("Class"), _("Sites"), _("Error forward"), _("Error reverse"), _("Limit of detection"), _("Learned from")]
    learned = {
        "this sample": _("this sample"),
        "matched control": _("matched control"),
        "cannot be learned": _("cannot be learned"),
    }
    rows = [
        [
            value_words(item.site_class),
            str(item.sites),
            *("" if not profile.sites else share_text(profile.mean) for profile in item.profiles),
            share_text(item.limit_of_detection),
            learned[item.learned],
        ]
        for item in report.classes
    ]
    caption = _("Share of the molecules that would be found with a probability of 95 % at the thinnest site")
    return Table([Column(item) for item in heads], rows, caption=caption, small=True)


def _masks(report: CloneReport) -> Table:
    found: dict[str, list[str]] = {}
    for mask in report.reference.masks:
        found.setdefault(mask.kind, []).append(f"{mask.start + 1}-{mask.end}")
    biased = sorted({one.site + 1 for item in report.classes for one in item.biased})
    if biased:
        found[_("one strand only")] = [str(item) for item in biased]
    found = {_("ends of the line") if kind == "end" else kind: items for kind, items in found.items()}
    rows = [[kind, str(len(items)), ", ".join(items)] for kind, items in found.items()]
    columns = [Column(_("Kind")), Column(_("Number"), "right"), Column(_("Sites"), width=4.0)]
    return Table(columns, rows, small=True)
