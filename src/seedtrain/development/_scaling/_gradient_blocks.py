"""What people read of gradients in the larger vessel and of the rig that shows them at the bench."""

from __future__ import annotations

from seedtrain.base import translate as _
from seedtrain.development._scaling._gradients import Gradients
from seedtrain.development._scaling._rig import Rig
from seedtrain.development._scaling._scale_up import ScaleUp
from seedtrain.development._words import number, percent
from seedtrain.report import (
    Block,
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
    Table,
)


def gradient_section(found: ScaleUp) -> list[Block]:
    """Gradients and the rig, where the larger vessel has any."""
    heading = Heading(_("Gradients in {unit}").format(unit=found.larger.unit), level=2)
    if found.gradients is None or found.rig is None:
        return [heading, Paragraph(_("Both vessels are shaken: they count as mixed, and no rig is needed."))]
    return [
        heading,
        *_gradient_blocks(found.gradients),
        Heading(_("The same fluctuations at the bench"), level=2),
        *_rig_blocks(found.rig),
    ]


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
    return {} if found.gradients is None else {"gradients": _gradient_figure(found.gradients)}


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
