"""The report of a clone's Sanger traces as a page."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from seedtrain.base import translate as _
from seedtrain.bioinformatics._reads._criteria import share_text
from seedtrain.bioinformatics._reads._page_parts import STATES, criteria_table, criterion_names
from seedtrain.bioinformatics._reads._trace_verdict import TraceReport
from seedtrain.bioinformatics._told import evidence_shown, value_words
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
    Threshold,
)

MOST_ROWS = 60
POINTS = 600


def trace_page(report: TraceReport) -> Page:
    """Verdict, criteria, coverage, qualities, differences and mixed peaks of one clone."""
    reference = report.reference
    kind = _("circle") if reference.circular else _("line")
    return Page(
        title=report.name,
        subtitle=_("Sanger traces against the sequence that the clone should have"),
        label=_("Clone verification"),
        mark=_("simulated traces") if report.simulated else "",
        facts=[
            (_("Reference"), f"{reference.name}, {kind}, {len(reference)} bp"),
            (_("Digest of the reference"), reference.digest[:16]),
            *report.verdict.versions.items(),
        ],
        blocks=list(trace_blocks(report)),
    )


def trace_blocks(report: TraceReport, level: int = 2) -> Iterator[Block]:
    """The blocks of the page, also inside a sheet's (`level` 3)."""

    def heading(text: str) -> Heading:
        return Heading(text, level=3 if level == 3 else 2)

    word = report.verdict.verdict
    asked = int(report.judged.sum())
    covered = int((report.judged & (report.depth >= report.limits.depth)).sum())
    yield KeyFigures(
        [
            KeyFigure(_("Verdict"), verdict_words(word), state=STATES[word]),
            KeyFigure(_("Traces"), str(len(report.traces))),
            KeyFigure(_("Covered"), share_text(covered / asked), note=_("{count} bp judged").format(count=asked)),
        ]
    )
    yield heading(_("Criteria"))
    yield criteria_table(report.verdict)
    yield heading(_("Coverage"))
    yield _coverage(report)
    gaps = report.gaps()
    if gaps:
        words = ", ".join(f"{start + 1}-{end}" for start, end in gaps[:MOST_ROWS])
        yield Paragraph(_("Not covered: {stretches}").format(stretches=words))
    yield heading(_("Traces"))
    yield _traces(report)
    if report.traces:
        yield _qualities(report)
    yield heading(_("Differences"))
    yield from _differences(report)
    yield heading(_("Evidence"))
    yield Paragraph(evidence_shown(report.verdict.evidence, criterion_names()))


def _coverage(report: TraceReport) -> Figure:
    size = len(report.reference)
    edges = np.unique(np.linspace(0, size, min(POINTS, size) + 1).astype(np.int64))
    least = np.minimum.reduceat(report.depth, edges[:-1])
    x = (edges[:-1] + edges[1:]) / 2 + 0.5
    line = Line(_("traces"), x.tolist(), [float(item) for item in least])
    asked = [Threshold(report.limits.depth, _("wanted"))]
    return Figure(
        LinePlot(
            alt=_("Traces over each site; the thinnest site has {low}").format(low=int(report.depth.min())),
            x_title=_("site, bp"),
            panels=[Panel(_("traces"), [line], thresholds=asked)],
        ),
        caption=_("Traces that show each site at Q{quality} or better").format(quality=report.limits.quality),
    )


def _qualities(report: TraceReport) -> Figure:
    lines = []
    for item in report.traces[:6]:
        quality = item.trace.quality
        smooth = np.convolve(quality, np.ones(11) / 11, mode="same") if len(quality) > 11 else quality
        lines.append(Line(item.trace.name, [float(at + 1) for at in range(len(quality))], smooth.tolist()))
    return Figure(
        LinePlot(
            alt=_("Quality along each trace"),
            x_title=_("base of the trace"),
            panels=[Panel(_("Phred quality"), lines, thresholds=[Threshold(report.limits.quality, _("wanted"))])],
        ),
        caption=_("Mean quality of eleven bases; of more than six traces the first six are drawn"),
    )


def _traces(report: TraceReport) -> Table:
    heads = [_("Trace"), _("Bases"), _("Good"), _("Strand"), _("From"), _("To"), _("Identity"), _("Seen from")]
    size = len(report.reference)
    rows = []
    for item in report.traces:
        trace, segments = item.trace, item.laid.segments
        place = ["", "", "", ""]
        if segments:
            strand = _("forward") if segments[0].strand > 0 else _("reverse")
            ends = [str(segments[0].start % size + 1), str((segments[0].end - 1) % size + 1)]
            place = [strand, *ends, share_text(item.identity)]
        rows.append([trace.name, str(len(trace.sequence)), str(len(trace.good)), *place, share_text(item.detectable)])
    caption = _("The last column is the least second peak, over the called one's, that stands out of the trace")
    return Table([Column(item) for item in heads], rows, caption=caption, small=True)


def _differences(report: TraceReport) -> Iterator[Block]:
    shown = [item for item in report.differences if not item.refuted]
    if not shown and not report.mixed:
        yield Paragraph(_("None was found."))
    if shown:
        heads = [_("Difference"), _("Around"), _("Quality"), _("Traces"), _("Sure"), _("Judged")]
        rows: list[list[str | Cell]] = [
            [
                Cell(value_words(item.words), style="code"),
                Cell(report.reference.around(item.site), style="code"),
                f"Q{item.score}",
                ", ".join(item.traces),
                _("yes") if item.sure else _("no"),
                _("yes") if item.inside else _("no"),
            ]
            for item in shown[:MOST_ROWS]
        ]
        yield Table([Column(item) for item in heads], rows, small=True)
    if report.mixed:
        heads = [_("Site"), _("Around"), _("Second base"), _("Over the called peak"), _("In two traces")]
        rows = [
            [
                str(one.site + 1),
                Cell(report.reference.around(one.site), style="code"),
                one.base,
                share_text(one.ratio),
                _("yes") if sure else _("no"),
            ]
            for one, sure in report.mixed[:MOST_ROWS]
        ]
        yield Table([Column(item) for item in heads], rows, caption=_("Mixed peaks"), small=True)
