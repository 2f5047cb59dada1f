"""A plasmid map as SVG: features as arrows on a ring, labels beside it in two columns that do not overlap."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final
from xml.sax.saxutils import escape

from seedtrain.base import translate as _
from seedtrain.bioinformatics._constructs._record import DnaRecord, Feature
from seedtrain.report import Drawing

WIDTH: Final = 482.0
"""Points: the width of text on an A4 page."""
RADIUS: Final = 105.0
BAND: Final = 11.0
LINE: Final = 12.5
LONGEST_LABEL: Final = 24
MOST_LABELS: Final = 40
HEAD_DEGREES: Final = 4.0
HIDDEN: Final = frozenset({"source", "gene", "primer_bind"})
INK: Final = "#1b2733"
SOFT: Final = "#5a6775"
RULE: Final = "#cdd5dd"
COLOURS: Final = {
    "CDS": "#0068a8",
    "promoter": "#00876a",
    "regulatory": "#00876a",
    "RBS": "#00876a",
    "terminator": "#d1540a",
    "polyA_signal": "#d1540a",
    "rep_origin": "#b98500",
    "5'UTR": "#3b9fd6",
    "3'UTR": "#3b9fd6",
}
OTHER: Final = "#66727e"


@dataclass(frozen=True)
class _Arc:
    """A feature on the ring: degrees clockwise from the top, and its lane (0 outside, parts inside)."""

    label: str
    start: float
    end: float
    forwards: bool
    colour: str
    lane: int

    @property
    def middle(self) -> float:
        return (self.start + self.end) / 2 % 360


def plasmid_map(record: DnaRecord) -> Drawing:
    """The map of a circle, or of a line as an open ring; the same bytes for the same record.

    Parts of an assembly stand on the inner lane. Genes, primers and the source are left out; beyond `MOST_LABELS` the
    smallest features keep their arrow and lose their label.
    """
    arcs = [_arc(record, item) for item in record.features if item.key not in HIDDEN]
    order = sorted(range(len(arcs)), key=lambda at: arcs[at].start - arcs[at].end)[:MOST_LABELS]
    shown = sorted((arcs[at] for at in order), key=lambda arc: (arc.middle, arc.label))
    right = [arc for arc in shown if arc.middle < 180]
    left = [arc for arc in shown if arc.middle >= 180][::-1]
    rows = max(len(right), len(left), 1)
    height = max(2 * RADIUS + 90, rows * LINE + 40)
    centre = (WIDTH / 2, height / 2)
    body = [*_ring(record, centre), *(_arrow(arc, centre) for arc in arcs)]
    body += [*_labels(right, centre, height, rightwards=True), *_labels(left, centre, height, rightwards=False)]
    words = _("Map of {name}, {size} bp: {features}").format(
        name=record.name, size=len(record), features=", ".join(arc.label for arc in shown)
    )
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH:.0f} {height:.0f}" width="{WIDTH:.0f}pt" '
        f'height="{height:.0f}pt" role="img" font-family="DejaVu Sans, Helvetica, Arial, sans-serif" font-size="8">'
    )
    svg = "\n".join([head, f"<title>{escape(words)}</title>", *body, "</svg>"]) + "\n"
    return Drawing(svg, WIDTH, height, words)


def _arc(record: DnaRecord, item: Feature) -> _Arc:
    size = len(record)
    start = (item.spans[0][0] - 1) / size * 360
    length = sum(last - first + 1 for first, last in item.spans)
    if len(item.spans) > 1 and item.spans[-1][1] > item.spans[0][0]:  # pieces with gaps: drawn as one arrow over all
        length = item.spans[-1][1] - item.spans[0][0] + 1
    end = start + max(length / size * 360, 0.6)
    part = item.qualifiers.get("note") == ("part",)
    label = item.label if len(item.label) <= LONGEST_LABEL else item.label[: LONGEST_LABEL - 1] + "…"
    return _Arc(label, start, end, item.strand == "+", RULE if part else COLOURS.get(item.key, OTHER), 1 if part else 0)


def _at(centre: tuple[float, float], radius: float, degrees: float) -> str:
    x, y = _xy(centre, radius, degrees)
    return f"{x:.2f} {y:.2f}"


def _xy(centre: tuple[float, float], radius: float, degrees: float) -> tuple[float, float]:
    angle = math.radians(degrees - 90)
    return centre[0] + radius * math.cos(angle), centre[1] + radius * math.sin(angle)


def _ring(record: DnaRecord, centre: tuple[float, float]) -> Iterator[str]:
    x, y = centre
    yield f'<circle cx="{x:.2f}" cy="{y:.2f}" r="{RADIUS:.2f}" fill="none" stroke="{INK}" stroke-width="1.2"/>'
    step = 10 ** math.floor(math.log10(max(len(record), 10)))
    step = next(item for item in (step, step / 2, step / 5, step / 10) if len(record) / item >= 4)
    at = step
    while at < len(record) - step / 2:
        degrees = at / len(record) * 360
        line = f"M{_at(centre, RADIUS - 3, degrees)} L{_at(centre, RADIUS + 3, degrees)}"
        yield f'<path d="{line}" stroke="{SOFT}" stroke-width="0.7"/>'
        tx, ty = _xy(centre, RADIUS - 38, degrees)
        place = f'x="{tx:.2f}" y="{ty + 2.2:.2f}" text-anchor="middle"'
        yield f'<text {place} fill="{SOFT}" font-size="6.2">{at:.0f}</text>'
        at += step
    if not record.circular:
        yield f'<path d="M{_at(centre, RADIUS - 9, 0)} L{_at(centre, RADIUS + 9, 0)}" stroke="{INK}" stroke-width="2"/>'
    name = record.name if len(record.name) <= LONGEST_LABEL else record.name[: LONGEST_LABEL - 1] + "…"
    middle = f'x="{x:.2f}" text-anchor="middle"'
    yield f'<text {middle} y="{y - 1:.2f}" fill="{INK}" font-size="10" font-weight="bold">{escape(name)}</text>'
    yield f'<text {middle} y="{y + 11:.2f}" fill="{SOFT}">{len(record)} bp</text>'


def _arrow(arc: _Arc, centre: tuple[float, float]) -> str:
    """A band with a point at the end to which the feature reads."""
    middle = RADIUS if arc.lane == 0 else RADIUS - 19
    half = BAND / 2 if arc.lane == 0 else BAND / 3
    head = min(HEAD_DEGREES, (arc.end - arc.start) * 0.6)
    near, far = (arc.start, arc.end - head) if arc.forwards else (arc.end, arc.start + head)
    tip = arc.end if arc.forwards else arc.start
    large = 1 if abs(far - near) > 180 else 0
    sweep = 1 if arc.forwards else 0
    outer, inner = middle + half, middle - half
    path = (
        f"M{_at(centre, outer, near)} A{outer:.2f} {outer:.2f} 0 {large} {sweep} {_at(centre, outer, far)} "
        f"L{_at(centre, middle, tip)} L{_at(centre, inner, far)} "
        f"A{inner:.2f} {inner:.2f} 0 {large} {1 - sweep} {_at(centre, inner, near)} Z"
    )
    title = f"<title>{escape(arc.label)}</title>"
    return f'<path d="{path}" fill="{arc.colour}" stroke="#ffffff" stroke-width="0.5">{title}</path>'


def _labels(arcs: Sequence[_Arc], centre: tuple[float, float], height: float, *, rightwards: bool) -> Iterator[str]:
    """One column of labels, each at the height of its feature where there is room, and a line to it."""
    edge = centre[0] + (RADIUS + 26 if rightwards else -RADIUS - 26)
    wanted = [_xy(centre, RADIUS, arc.middle)[1] for arc in arcs]
    for arc, y in zip(arcs, _spread(wanted, 14.0, height - 14.0), strict=True):
        inner = RADIUS + BAND / 2 if arc.lane == 0 else RADIUS - 19
        line = f"M{_at(centre, inner, arc.middle)} L{_at(centre, RADIUS + 14, arc.middle)} L{edge:.2f} {y:.2f}"
        yield f'<path d="{line}" fill="none" stroke="{RULE}" stroke-width="0.7"/>'
        anchor, x = ("start", edge + 3) if rightwards else ("end", edge - 3)
        text = f'<text x="{x:.2f}" y="{y + 2.8:.2f}" text-anchor="{anchor}" fill="{INK}">{escape(arc.label)}</text>'
        yield text


def _spread(wanted: Sequence[float], low: float, high: float) -> list[float]:
    """Heights in order, `LINE` apart, near what is wanted, between `low` and `high`."""
    found: list[float] = []
    for y in wanted:
        found.append(max(y, low, found[-1] + LINE if found else low))
    limit = high
    for at in range(len(found) - 1, -1, -1):
        found[at] = min(found[at], limit)
        limit = found[at] - LINE
    return found
