"""A construct as a page: verdict, map, parts, primers, what to order."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from seedtrain.base import translate as _
from seedtrain.bioinformatics._constructs._design import Construct, construct_words
from seedtrain.bioinformatics._constructs._map import plasmid_map
from seedtrain.bioinformatics._told import evidence_shown, value_words
from seedtrain.quality import verdict_words
from seedtrain.report import (
    Block,
    Cell,
    Column,
    Figure,
    Folded,
    Heading,
    KeyFigure,
    KeyFigures,
    Notice,
    Page,
    Paragraph,
    State,
    Table,
)

_STATES: Final[dict[str, State]] = {"pass": "met", "fail": "missed", "inconclusive": "unknown"}


def construct_page(construct: Construct) -> Page:
    """Everything that one who builds the construct must know."""
    plan = construct.plan
    return Page(
        title=plan.name,
        subtitle=plan.description,
        label=_("Construct"),
        facts=[(_("way of joining"), _method(plan.method)), (_("enzymes"), ", ".join(plan.enzymes) or "-")],
        blocks=list(_blocks(construct)),
    )


def _method(method: str) -> str:
    return {
        "gibson": _("Gibson assembly"),
        "golden_gate": _("Golden Gate assembly"),
        "restriction": _("restriction cloning"),
    }[method]


def supply_words(supply: str) -> str:
    """How a part comes, in the language in use."""
    return {"pcr": _("PCR"), "synthesis": _("synthesis"), "digest": _("restriction digest")}[supply]


def _blocks(construct: Construct) -> Iterator[Block]:
    verdict, product = construct.verdict, construct.product
    yield KeyFigures(
        [
            KeyFigure(_("verdict"), verdict_words(verdict.verdict), state=_STATES[verdict.verdict]),
            KeyFigure(_("length of the product"), str(len(product)), "bp"),
            KeyFigure(_("primers"), str(len(construct.primers))),
        ]
    )
    yield Heading(_("Criteria"))
    rows: list[list[str | Cell]] = [
        [
            construct_words(item.name),
            value_words(item.value),
            value_words(item.limit),
            Cell(verdict_words(item.verdict), state=_STATES[item.verdict]),
        ]
        for item in verdict.criteria
    ]
    yield Table([Column(_("criterion")), Column(_("value")), Column(_("limit")), Column(_("verdict"))], rows)
    if construct.broken:
        words = _("The product does not hold these features whole: {features}.")
        yield Notice(words.format(features=", ".join(construct.broken)), kind="warning")
    yield Heading(_("Map"))
    yield Figure(plasmid_map(product), caption=_("Parts inside, features on the ring; numbers in bp"))
    yield Heading(_("Parts and fragments"))
    yield _parts(construct)
    if construct.primers:
        yield Heading(_("Primers"))
        yield _primers(construct)
    yield Folded(_("Features"), [_features(construct)])
    yield Folded(_("Sequences of the fragments"), [_sequences(construct)])
    yield Paragraph(evidence_shown(verdict.evidence))


def _parts(construct: Construct) -> Table:
    heads = [_("Part"), _("Supply"), _("in the product, bp"), _("to order or amplify, bp"), _("overhang behind")]
    overhangs = construct.overhangs or ("",) * len(construct.pieces)
    rows = [
        [piece.part.name, supply_words(piece.part.supply), str(len(piece.record)), str(len(item.sequence)), overhang]
        for piece, item, overhang in zip(construct.pieces, construct.fragments, overhangs, strict=True)
    ]
    return Table([Column(item) for item in heads], rows)


def _primers(construct: Construct) -> Table:
    heads = [_("Primer"), _("5' to 3', tail in small letters"), _("melts at, °C"), _("hairpin, kcal/mol")]
    rows: list[list[str | Cell]] = [
        [
            item.name,
            Cell(item.tail.lower() + item.annealing, style="code"),
            f"{item.melting:.1f}",
            f"{item.hairpin:.1f}",
        ]
        for item in construct.primers
    ]
    at = construct.plan.conditions
    source = _(
        "SantaLucia 1998; {sodium} mmol/L Na+, {magnesium} mmol/L Mg2+, {dntp} mmol/L dNTP, {primer} nmol/L primer"
    ).format(sodium=f"{at.sodium:g}", magnesium=f"{at.magnesium:g}", dntp=f"{at.dntp:g}", primer=f"{at.primer:g}")
    return Table([Column(item) for item in heads], rows, source=source, small=True)


def _features(construct: Construct) -> Table:
    heads = [_("Feature"), _("Kind"), _("Place"), _("Strand")]
    rows = [
        [item.label, item.key, ", ".join(f"{first}..{last}" for first, last in item.spans), item.strand]
        for item in construct.product.features
    ]
    return Table([Column(item) for item in heads], rows, small=True)


def _sequences(construct: Construct) -> Table:
    rows: list[list[str | Cell]] = [
        [item.name, Cell(item.sequence, style="code")] for item in construct.fragments if item.supply != "digest"
    ]
    return Table([Column(_("Fragment")), Column(_("Sequence"), width=5.0)], rows, small=True)
