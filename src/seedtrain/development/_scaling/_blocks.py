"""What people read of a scale-up: lines for a screen, and the document that goes with a transfer."""

from __future__ import annotations

import datetime
from collections.abc import Sequence

from seedtrain.base import translate as _
from seedtrain.development._agitation import KEEP
from seedtrain.development._scale import ScaleResult
from seedtrain.development._scale_blocks import scale_blocks
from seedtrain.development._scaling._assumptions import Assumption, assumptions
from seedtrain.development._scaling._gradients import Gradients
from seedtrain.development._scaling._rig import Rig
from seedtrain.development._scaling._scale_up import ScaleUp
from seedtrain.development._scaling._timing import Moment
from seedtrain.development._words import number, percent, words
from seedtrain.report import (
    Block,
    Cell,
    Column,
    Definitions,
    Figure,
    FigureSpec,
    Heading,
    Line,
    LinePlot,
    Notice,
    Panel,
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
        Heading(_("Gradients in {unit}").format(unit=_larger(found)), level=2),
        *_gradient_blocks(found.gradients),
        Heading(_("The same fluctuations at the bench"), level=2),
        *_rig_blocks(found.rig),
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


def _larger(found: ScaleUp) -> str:
    return max((found.start, found.end), key=lambda item: item.broth.volume).unit


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
        "uptake is the margin over it. Carbon dioxide is its partial pressure in the broth at equal production."
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


def _gradient_blocks(found: Gradients) -> list[Block]:
    heads = [_("variable"), _("unit"), *(_("zone {number}").format(number=at + 1) for at in range(found.count))]
    rows = [[row.name, row.unit, *(number(value) for value in row.zones)] for row in found.rows]
    caption = _("At the highest oxygen uptake, {time} h; zone 1 at the bottom, the feed enters at the top")
    text = _(
        "Cells stay {stay} s in the zone of the feed and enter it every {back} s. During {low} of the feed the poorest "
        "zone has less than a third of the oxygen set point. The titre is {zoned} g/L in zones and {mixed} g/L well "
        "mixed: {lost} lost."
    )
    return [
        Table(
            [Column(head, "right" if at > 1 else "left") for at, head in enumerate(heads)],
            rows or [["–", "–", *("–" for _at in range(found.count))]],
            caption=caption.format(time=number(found.time)),
        ),
        Paragraph(
            text.format(
                stay=number(found.stay),
                back=number(found.return_time),
                low=percent(found.oxygen_low),
                zoned=number(found.titre[0], 4),
                mixed=number(found.titre[1], 4),
                lost=percent(found.titre_lost),
            )
        ),
        Figure(_gradient_figure(found), _("Top and bottom over the culture")),
    ]


def transfer_figures(found: ScaleUp) -> dict[str, FigureSpec]:
    """The plots of the document by the name of their file."""
    return {"gradients": _gradient_figure(found.gradients)}


def _gradient_figure(found: Gradients) -> LinePlot:
    run = found.run
    panels = []
    strongest = sorted(found.rows, key=lambda row: -row.spread / max(row.zones))
    for row in strongest[:3]:
        lines = [
            Line(_("zone {number}").format(number=zone), run.time, run[f"{row.name}[{zone}]"])
            for zone in (1, found.count)
        ]
        panels.append(Panel(f"{row.name}, {row.unit}", lines, height=0.8))
    if not panels:
        panels = [Panel(_("oxygen uptake, mmol/L/h"), [Line("OUR", run.time, run["OUR"])])]
    return LinePlot(
        alt=_("Top and bottom zone over the culture"), x_title=_("time, h"), panels=panels, mark=_("simulated")
    )


def _rig_blocks(found: Rig) -> list[Block]:
    rows = [
        (_("broth in all, L"), number(found.volume)),
        (_("side compartment that takes the feed, without air, L"), number(found.side_volume)),
        (_("flow for the same times, L/h"), number(found.flow)),
        (_("flow for the same contrast of substrate, L/h"), number(found.flow_for_contrast)),
        (_("stay in the side compartment, s"), number(found.stay)),
        (_("from one entry to the next, s"), number(found.return_time)),
        (
            _("or: feed in pulses in one vessel"),
            _("{on} s on, {off} s off, at {times} times the mean rate").format(
                on=number(found.pulse_on), off=number(found.pulse_off), times=number(found.pulse_times)
            ),
        ),
    ]
    text = _(
        "Two compartments cannot have both the times and the contrast of a chain of zones: choose by what the cells "
        "answer to. Keep the main vessel at the set points of the recipe."
    )
    blocks: list[Block] = [Definitions(rows), Paragraph(text)]
    if not found.feasible:
        blocks.append(Notice(_("A bench pump hardly carries this flow: use the pulses."), kind="warning"))
    return blocks


def _happenings() -> dict[str, str]:
    """What a moment is of, for people."""
    return {
        "prepare": _("prepare, sterilise, fill"),
        "inoculate": _("inoculate"),
        "harvest": _("harvest"),
        "process": _("process"),
    }


def _moments(moments: Sequence[Moment], harvest: datetime.datetime | None) -> Table:
    said, rows = _happenings(), []
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


def scale_up_lines(found: ScaleUp, *, harvest: datetime.datetime | None = None) -> list[str]:
    """The scale-up for a screen."""
    start, end = found.start, found.end
    head = _("{recipe}: {start} -> {end}, to hold {kept}, simulated")
    lines = [head.format(recipe=found.recipe.name, start=start.unit, end=end.unit, kept=words(found.keep))]
    option = found.options[found.keep]
    lines.append(f"{'':<28} {start.unit:>12} {end.unit:>12} {_('ratio'):>8}")
    for row in option.criteria:
        mark = _("kept") if row.held else ""
        figures = f"{number(row.reference):>12} {number(row.scaled):>12} {number(row.ratio):>8}"
        lines.append(f"{words(row.name):<28} {figures} {row.unit} {mark}{'' if row.in_range else ' *'}".rstrip())
    lines += [f"  {option.words}"] if option.words else []
    lines.append(_("* outside the range of its correlation"))
    for item in (start, end):
        text = _("{unit}: limit {limit}, {part} of the feed, titre {titre} g/L, oxygen uptake {uptake} mmol/L/h")
        lines.append(
            text.format(
                unit=item.unit,
                limit=words(item.limited_by),
                part=percent(item.feed.factor),
                titre=number(item.titre),
                uptake=number(item.transfer.OUR),
            )
        )
        lowered = _("  {phase}: the feed is lowered to {part}")
        lines += [
            lowered.format(phase=path, part=percent(part)) for path, part in item.feed.factors.items() if part < 0.9995
        ]
    return [*lines, *_gradient_lines(found), *_moment_lines(found.moments, harvest)]


def _gradient_lines(found: ScaleUp) -> list[str]:
    item, settings = found.gradients, found.rig
    text = _("{count} zones in {unit}: {lost} of the titre lost; cells meet the feed every {back} s for {stay} s")
    lines = [
        text.format(
            count=item.count,
            unit=_larger(found),
            lost=percent(item.titre_lost),
            back=number(item.return_time),
            stay=number(item.stay),
        )
    ]
    for row in item.rows:
        lines.append(f"  {row.name:<6} {' '.join(f'{number(value):>9}' for value in row.zones)} {row.unit}")
    text = _("at the bench, {volume} L: {side} L beside it at {flow} L/h, or a feed {on} s on and {off} s off")
    lines.append(
        text.format(
            volume=number(settings.volume),
            side=number(settings.side_volume),
            flow=number(settings.flow),
            on=number(settings.pulse_on),
            off=number(settings.pulse_off),
        )
    )
    return lines


def _moment_lines(moments: Sequence[Moment], harvest: datetime.datetime | None) -> list[str]:
    said, lines = _happenings(), [_("hours from the harvest:")]
    for moment in moments:
        clock = f"  {moment.at(harvest):%Y-%m-%d %H:%M}" if harvest else ""
        lines.append(f"  {moment.hours:>8.1f}  {said[moment.what]:<24} {moment.unit}{clock}")
    return lines
