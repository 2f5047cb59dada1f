"""The report of a lot of vector as a page."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from itertools import pairwise

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
from seedtrain.vectors._genomes._classes import SMALLEST_DELETION
from seedtrain.vectors._genomes._crosswalk import CLASSES, class_name, class_words
from seedtrain.vectors._genomes._verify import INTACT, LotReport
from seedtrain.vectors._page import STATES, criteria_table

POINTS = 300


def genomes_page(report: LotReport) -> Page:
    """Verdict, classes, repeats, deletions and evidence of one lot."""
    return Page(
        title=report.name,
        subtitle=_("What kinds of genomes the reads are"),
        label=_("Vector genomes"),
        mark=_("simulated reads") if report.simulated else "",
        facts=[
            (_("Vector"), f"{report.vector.name}, {len(report.vector.sequence)} bp"),
            (_("Digest of the vector"), report.vector.digest[:16]),
            *((name, text) for name, text in report.verdict.versions.items()),
        ],
        blocks=list(_blocks(report)),
    )


def _blocks(report: LotReport) -> Iterator[Block]:
    word = report.verdict.verdict
    designs = {"ss": _("single-stranded"), "sc": _("self-complementary")}
    yield KeyFigures(
        [
            KeyFigure(_("Verdict"), verdict_words(word), state=STATES[word]),
            KeyFigure(
                _("Reads"),
                str(len(report.sample.reads)),
                note=_("{count} of the vector").format(count=report.vector_reads),
            ),
            KeyFigure(_("Design"), designs[report.design]),
        ]
    )
    yield Heading(_("Criteria"))
    yield criteria_table(report.verdict)
    yield Heading(_("Classes"))
    yield _classes(report)
    yield Heading(_("Coverage"))
    yield _coverage(report)
    yield Heading(_("Inverted terminal repeats"))
    yield _repeats(report)
    yield Heading(_("Internal deletions"))
    yield _deletions(report)
    yield Heading(_("Evidence"))
    yield Paragraph(evidence_shown(report.verdict.evidence))


def _classes(report: LotReport) -> Table:
    total = len(report.sample.reads)
    laava = 0 if report.design == "ss" else 1
    rows = []
    for kind, count in report.counts.items():
        low, high = wilson(count, total)
        words = CLASSES[kind]
        rows.append(
            [
                kind,
                class_words(kind),
                str(count),
                share_text(count / total),
                f"{share_text(low)} .. {share_text(high)}",
                words[laava],
                words[2],
            ]
        )
    columns = [Column(_("Class")), Column(_("Meaning")), Column(_("Reads"), "right"), Column(_("Share"), "right")]
    columns += [Column(_("95 % interval")), Column("LAAVA"), Column("wf-aav-qc")]
    return Table(columns, rows, small=True, caption=_("Shares of all reads, each read once, and the public names"))


def _coverage(report: LotReport) -> Figure:
    vector = report.vector
    size = len(vector.sequence)
    steps = np.zeros((2, size + 1), dtype=np.int64)
    for genome in report.genomes:
        for arm in genome.arms:
            low, high = max(0, min(arm.start, size)), max(0, min(arm.end, size))
            row = 0 if genome.kind in ("full", "sc-full") else 1
            steps[row, low] += 1
            steps[row, high] -= 1
    depth = np.cumsum(steps, axis=1)[:, :-1]
    edges = np.unique(np.linspace(0, size, min(POINTS, size) + 1).astype(np.int64))
    x = ((edges[:-1] + edges[1:]) / 2 - vector.start + 0.5).tolist()
    lines = [
        Line(label, x, [float(item) for item in np.minimum.reduceat(depth[row], edges[:-1])])
        for row, label in ((0, _("full genomes")), (1, _("all others")))
    ]
    return Figure(
        LinePlot(
            alt=_("Arms of genomes over the vector; the cassette begins at 0 and has {size} bases").format(
                size=vector.size
            ),
            x_title=_("base of the cassette"),
            panels=[Panel(_("arms"), lines)],
        ),
        caption=_("Arms of genomes over each base; an arm counts from its first to its last base"),
    )


def _repeats(report: LotReport) -> Table:
    rows = []
    ends = [(item.kind, end) for item in report.genomes for end in item.ends]
    for kind in report.counts:
        for side, words in (("left", _("left")), ("right", _("right"))):
            mine = [end for word, end in ends if word == kind and end.side == side]
            if not mine:
                continue
            turned = Counter(end.orientation for end in mine)
            rows.append(
                [
                    class_name(kind),
                    words,
                    str(len(mine)),
                    share_text(sum(end.missing <= INTACT for end in mine) / len(mine)),
                    str(int(np.median([end.missing for end in mine]))),
                    str(turned["flip"]),
                    str(turned["flop"]),
                    str(turned[""]),
                ]
            )
    heads = [_("Class"), _("Side"), _("Ends"), _("Intact"), _("Median of bases missing"), _("Flip"), _("Flop")]
    heads.append(_("Not told apart"))
    caption = _("Ends of molecules in a repeat; intact lacks at most {most} outer bases").format(most=INTACT)
    return Table([Column(item) for item in heads], rows, caption=caption, small=True)


def _deletions(report: LotReport) -> Table:
    sizes = [item.deleted for item in report.genomes if item.deleted >= SMALLEST_DELETION]
    edges = [SMALLEST_DELETION, 100, 200, 500, 1000, 2000, 5000, 10**6]
    rows = [
        [f"{low} .. {high - 1}" if high < 10**6 else f">= {low}", str(sum(low <= size < high for size in sizes))]
        for low, high in pairwise(edges)
    ]
    return Table(
        [Column(_("Bases missing")), Column(_("Reads"), "right")],
        rows,
        small=True,
        caption=_("Gaps within an arm, of any class: deletions in the alignment and split alignments"),
    )
