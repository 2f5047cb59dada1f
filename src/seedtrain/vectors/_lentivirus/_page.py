"""The report of a lot's proviruses as a page."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from seedtrain.base import translate as _
from seedtrain.bioinformatics import wilson
from seedtrain.quality import verdict_words
from seedtrain.report import (
    Block,
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
from seedtrain.vectors._evidence import evidence_shown
from seedtrain.vectors._fractions import share_text
from seedtrain.vectors._lentivirus._verify import ProvirusReport
from seedtrain.vectors._page import STATES, criteria_table

MOST_SITES = 50


def kind_words(kind: str) -> str:
    """A kind of provirus in the language in use."""
    return {
        "intact": _("both ends, nothing missing"),
        "hypermutated": _("whole, with G to A in the context of APOBEC3G"),
        "spliced": _("lacks an intron"),
        "internal-deletion": _("both ends, 50 or more bases missing between"),
        "truncated": _("broken off, the host follows"),
        "solo-ltr": _("one repeat alone"),
        "rearranged": _("turned, doubled or with something inserted"),
        "open": _("the read ends inside: not judged"),
        "host": _("host alone: not judged"),
        "unknown": _("nothing known: not judged"),
    }[kind]


def provirus_page(report: ProvirusReport) -> Page:
    """Verdict, criteria, kinds, parts, deletions and places in the host."""
    return Page(
        title=report.name,
        subtitle=_("Proviruses of a lentiviral vector by their long reads"),
        label=_("Vector verification"),
        mark=_("simulated reads") if report.simulated else "",
        facts=[
            (_("Provirus"), f"{report.provirus.name}, {len(report.provirus)} bp"),
            (_("Digest"), report.provirus.digest[:16]),
            *report.verdict.versions.items(),
        ],
        blocks=list(_blocks(report)),
    )


def _blocks(report: ProvirusReport) -> Iterator[Block]:
    word = report.verdict.verdict
    yield KeyFigures(
        [
            KeyFigure(_("Verdict"), verdict_words(word), state=STATES[word]),
            KeyFigure(_("Reads over both ends"), str(len(report.telling))),
            KeyFigure(_("Places in the host"), str(len(report.sites))),
        ]
    )
    yield Heading(_("Criteria"))
    yield criteria_table(report.verdict)
    yield Heading(_("Kinds"))
    yield _kinds(report)
    yield Heading(_("Parts"))
    yield _parts(report)
    yield _missing(report)
    yield Heading(_("Places in the host"))
    yield _sites(report) if report.sites else Paragraph(_("None was found."))
    yield Heading(_("Evidence"))
    yield Paragraph(evidence_shown(report.verdict.evidence))


def _kinds(report: ProvirusReport) -> Table:
    total = len(report.reads)
    rows = [[kind, kind_words(kind), str(count), share_text(count / total)] for kind, count in report.counts.items()]
    columns = [Column(_("Kind")), Column(_("Meaning")), Column(_("Reads"), "right"), Column(_("Share"), "right")]
    return Table(columns, rows, small=True, caption=_("Shares of all reads, each read once"))


def _parts(report: ProvirusReport) -> Table:
    total = len(report.telling)
    rows = []
    for part in report.provirus.parts:
        many = sum(part.name in item.whole for item in report.telling)
        low, high = wilson(many, total)
        share = share_text(many / total) if total else ""
        place = f"{part.start + 1}-{part.end}"
        rows.append([part.name, place, str(many), share, f"{share_text(low)} .. {share_text(high)}"])
    columns = [Column(_("Part")), Column(_("Place")), Column(_("Whole in"), "right"), Column(_("Share"), "right")]
    return Table([*columns, Column(_("95 % interval"))], rows, small=True, caption=_("Of the reads over both ends"))


def _missing(report: ProvirusReport) -> Figure:
    size = len(report.provirus)
    steps = np.zeros(size + 1, dtype=np.int64)
    for item in report.telling:
        for low, high in item.gaps:
            steps[low] += 1
            steps[high] -= 1
    depth = np.cumsum(steps)[:-1]
    places = np.unique(np.linspace(0, size - 1, min(500, size)).astype(np.int64))
    line = Line(_("reads"), (places + 1.0).tolist(), depth[places].astype(float).tolist())
    return Figure(
        LinePlot(
            alt=_("Reads in which a base of the provirus is missing"),
            x_title=_("base of the provirus"),
            panels=[Panel(_("reads"), [line])],
        ),
        caption=_("Reads over both ends in which each base is missing; introns included"),
    )


def _sites(report: ProvirusReport) -> Table:
    total = sum(item.reads for item in report.sites)
    rows = [
        [
            item.site.contig,
            str(item.site.position + 1),
            "+" if item.site.strand > 0 else "-",
            str(item.reads),
            share_text(item.reads / total),
        ]
        for item in report.sites[:MOST_SITES]
    ]
    heads = [_("Sequence"), _("Site"), _("Strand"), _("Reads"), _("Share")]
    caption = _("{sites} places of {reads} reads; the most frequent are listed").format(
        sites=len(report.sites), reads=total
    )
    return Table([Column(item) for item in heads], rows, small=True, caption=caption)
