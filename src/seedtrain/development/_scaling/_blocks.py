"""What people read of a scale-up: lines for a screen, and the document that goes with a transfer."""

from __future__ import annotations

import datetime
from collections.abc import Sequence

from seedtrain.base import translate as _
from seedtrain.development._agitation import KEEP
from seedtrain.development._scale import ScaleResult
from seedtrain.development._scale_blocks import scale_blocks
from seedtrain.development._scaling._assumptions import Assumption, assumptions
from seedtrain.development._scaling._gradient_blocks import gradient_section
from seedtrain.development._scaling._lines import foam_words, happenings, shaken_words, unfed_words
from seedtrain.development._scaling._scale_up import ScaleUp
from seedtrain.development._scaling._timing import Moment
from seedtrain.development._words import number, words
from seedtrain.report import (
    Block,
    Cell,
    Column,
    Definitions,
    Heading,
    Notice,
    Paragraph,
    SignatureLine,
    Signatures,
    Table,
)


def transfer_blocks(found: ScaleUp, *, harvest: datetime.datetime | None = None) -> tuple[Block, ...]:
    """The technology-transfer document: what stays, what changes, what gives way, and every assumption.

    - `harvest`: the moment by the clock at which the harvest begins; the train's times are then told by the clock too.
    """
    listed = assumptions(found)
    return (
        Heading(_("What is transferred"), level=2),
        Definitions(_identity(found)),
        *_warnings(found, listed),
        Heading(_("What is kept, and what gives way"), level=2),
        _options(found),
        Paragraph(_options_words()),
        Heading(_("Set points that change"), level=2),
        _changes(found),
        Heading(_("Operation and limits"), level=2),
        *scale_blocks((found.start, found.end)),
        Heading(_("Foam, eddies and carbon dioxide"), level=2),
        _further(found),
        *gradient_section(found),
        Heading(_("Seed train and harvest, by the clock"), level=2),
        _moments(found.moments, harvest),
        Heading(_("Equipment of the purification"), level=2),
        _equipment(found),
        Heading(_("Assumptions"), level=2),
        _assumption_table(listed),
        Heading(_("To confirm before the first batch"), level=2),
        Paragraph(_confirm(listed)),
        Signatures([SignatureLine(meaning) for meaning in (_("written by"), _("sending site"), _("receiving site"))]),
    )


def _identity(found: ScaleUp) -> list[tuple[str, str]]:
    return [
        (_("recipe"), found.recipe.name),
        (_("digest of the recipe"), found.recipe.digest),
        (_("digest of the control recipe there"), found.end.control.digest),
        (_("culture"), found.culture.name),
        (_("from"), f"{found.start.unit}, {number(found.start.broth.volume)} L"),
        (_("to"), f"{found.end.unit}, {number(found.end.broth.volume)} L"),
        (_("held by agitation"), words(found.keep)),
        (_("titre, g/L"), f"{number(found.start.titre)} -> {number(found.end.titre)}"),
    ]


def _warnings(found: ScaleUp, listed: Sequence[Assumption]) -> list[Block]:
    blocks: list[Block] = []
    chosen = found.options[found.keep]
    if not chosen.reached:
        text = _("{unit} cannot hold the {kept} of {start}: {why}")
        names = {"unit": found.end.unit, "start": found.start.unit}
        blocks.append(Notice(text.format(kept=words(found.keep), why=chosen.words, **names), kind="warning"))
    both = (found.start, found.end)
    said = [*(unfed_words(item) for item in both), *(foam_words(found, item) for item in both)]
    blocks += [Notice(line, kind="warning") for line in (*said, *shaken_words(found)) if line is not None]
    outside = [item.what for item in listed if not item.inside]
    if outside:
        text = _("{count} assumptions stand outside what their source covers: {names}")
        blocks.append(Notice(text.format(count=len(outside), names="; ".join(outside)), kind="warning"))
    return blocks


def _options(found: ScaleUp) -> Table:
    names = list(KEEP)
    heads = [_("kept"), _("speed, 1/min"), _("aeration, vvm"), *(words(name) for name in names), _("reached")]
    rows: list[list[str | Cell]] = []
    for name, option in found.options.items():
        ratios = {row.name: row.ratio for row in option.criteria}
        rows.append(
            [
                Cell(words(name), style="strong" if name == found.keep else ""),
                number(option.scaled.speed),
                number(option.scaled.aeration),
                *(number(ratios[other]) for other in names),
                _("yes") if option.reached else _("no"),
            ]
        )
    return Table(
        [Column(head, "right" if at else "left") for at, head in enumerate(heads)],
        rows,
        caption=_("Ratio of each criterion, {end} over {start}, for each that could be held").format(
            end=found.end.unit, start=found.start.unit
        ),
        small=True,
    )


def _options_words() -> str:
    return _(
        "Stirring cannot hold everything: each row is one choice, each column what becomes of a criterion. A row that "
        "is not reached stands at the nearest that the drive or the air supply allows. Oxygen transfer at the same "
        "uptake is the margin over it. Carbon dioxide is its partial pressure in the broth at equal production. A dash "
        "stands where a criterion has no meaning in one of the vessels, or no known source: it gives way."
    )


def _changes(found: ScaleUp) -> Table:
    heads = [_("where"), _("parameter"), found.start.unit, found.end.unit]
    rows = [[item.path, item.parameter, item.before, item.after] for item in found.changes]
    caption = _("Everything in which the two control recipes differ")
    return Table([Column(head) for head in heads], rows or [["–", "–", "–", "–"]], caption=caption, small=True)


def _further(found: ScaleUp) -> Table:
    rows = []
    both = (found.start, found.end)
    heads = [found.headspace(item) for item in both]
    carbon = next(row for row in found.options[found.keep].criteria if row.name == "carbon_dioxide")
    rows.append([_("room over the fullest broth, m"), *(number(item.height) for item in heads)])
    rows.append([_("foaminess that fills it, s"), *(number(item.foaminess) for item in heads)])
    if found.foaminess is not None:
        rows.append([_("height of the foam, m"), *(number(item.foam) for item in heads)])
    rows.append([_("Kolmogorov length, um"), *(number(1e6 * item.transfer.matched.kolmogorov_length) for item in both)])
    rows.append([_("gas velocity, m/s"), *(number(item.transfer.matched.gas_velocity) for item in both)])
    rows.append([_("carbon dioxide in the broth, mbar"), number(carbon.reference), number(carbon.scaled)])
    rows.append(
        [
            _("dissolved carbon dioxide at most, mmol/L"),
            *(number(float(item.production["C_CO2"].max())) for item in both),
        ]
    )
    return Table(
        [Column(""), *(Column(item.unit, "right") for item in both)],
        rows,
        caption=_("Foaminess is foam height over gas velocity: measure that of the broth and compare"),
        source=_("Bikerman 1973, Foams; Kolmogorov 1941; Royce & Thornhill 1991, AIChE J. 37:1680"),
    )  # fmt: skip


def _moments(moments: Sequence[Moment], harvest: datetime.datetime | None) -> Table:
    said, rows = happenings(), []
    for moment in moments:
        clock = f"{moment.at(harvest):%Y-%m-%d %H:%M}" if harvest else "–"
        rows.append([said[moment.what], moment.unit, number(moment.hours), number(moment.duration), clock])
    heads = [_("what"), _("vessel or suite"), _("h from harvest"), _("takes, h"), _("by the clock")]
    return Table(
        [Column(head, "right" if at > 1 else "left") for at, head in enumerate(heads)],
        rows,
        caption=_("The whole train at its simulated durations; each culture waits for no vessel"),
        small=True,
    )


def _equipment(found: ScaleUp) -> Table:
    small, large = _sizes(found.start), _sizes(found.end)
    rows = [
        [
            place,
            words(name),
            unit,
            number(small[place, name, unit]) if (place, name, unit) in small else "–",
            number(size),
        ]
        for (place, name, unit), size in large.items()
    ]
    heads = [_("step"), _("size"), _("unit"), found.start.unit, found.end.unit]
    return Table([Column(head, "right" if at > 2 else "left") for at, head in enumerate(heads)], rows, small=True)


def _sizes(result: ScaleResult) -> dict[tuple[str, str, str], float]:
    """The largest of each size that a unit procedure needs."""
    found: dict[tuple[str, str, str], float] = {}
    for step in result.steps:
        for name, (amount, unit) in step.equipment.items():
            key = (step.path.partition("/")[0], name, unit)
            found[key] = max(found.get(key, 0.0), amount)
    return found


def _assumption_table(listed: Sequence[Assumption]) -> Table:
    rows = [[item.what, item.value, item.source, _("yes") if item.inside else _("no")] for item in listed]
    heads = [_("assumed"), _("value"), _("source"), _("inside its range")]
    return Table([Column(head) for head in heads], rows, small=True)


def _confirm(listed: Sequence[Assumption]) -> str:
    outside = "; ".join(item.what for item in listed if not item.inside)
    text = _("Measure at the receiving site, because the figures above lie outside what their sources cover: {names}.")
    return text.format(names=outside) if outside else _("Nothing lies outside the range of its source.")
