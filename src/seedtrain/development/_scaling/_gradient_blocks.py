"""What people read of gradients in the larger vessel and of the rig that shows them at the bench."""

from __future__ import annotations

from seedtrain.base import translate as _
from seedtrain.development._scaling._gradients import Gradients
from seedtrain.development._scaling._rig_blocks import rig_blocks, rig_figure, share_figure
from seedtrain.development._scaling._scale_up import ScaleUp
from seedtrain.development._words import number, percent
from seedtrain.report import (
    Block,
    Column,
    Figure,
    FigureSpec,
    Heading,
    Line,
    LinePlot,
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
        *rig_blocks(found.rig, found.rig_check),
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
    figures: dict[str, FigureSpec] = {}
    if found.gradients is not None:
        figures["gradients"] = _gradient_figure(found.gradients)
    if found.rig_check is not None:
        figures |= {"rig": rig_figure(found.rig_check), "rig-shares": share_figure(found.rig_check)}
    return figures


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
