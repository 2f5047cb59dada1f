"""What people read of the bench rig: its settings, whether they show what the large vessel does, and plots of it."""

from __future__ import annotations

from typing import Final

import numpy as np

from seedtrain.base import translate as _
from seedtrain.development._scaling._fluctuations import Floats, Fluctuations
from seedtrain.development._scaling._rig import Rig
from seedtrain.development._scaling._rig_check import RigCheck, RigTrial
from seedtrain.development._words import number, percent
from seedtrain.quality import verdict_words
from seedtrain.report import (
    Block,
    Cell,
    Column,
    CurvePlot,
    Definitions,
    Figure,
    Line,
    LinePlot,
    Notice,
    Panel,
    Paragraph,
    Table,
)

SHOWN: Final = 20.0
"""How many persistences of the substrate a cell is followed in the plot."""


def rig_blocks(found: Rig, checked: RigCheck | None) -> list[Block]:
    """The settings, the comparison with the large vessel, its verdict and its plots."""
    if checked is None:
        text = _("No setting of a rig runs to the harvest: its culture suffocates. Use a feed in pulses.")
        return [Notice(text, kind="warning"), Definitions(_pulses(found))]
    best = checked.best
    blocks: list[Block] = [
        Notice(verdict_line(checked), kind="warning" if checked.verdict != "pass" else "info"),
        Definitions([*_settings(checked), *_pulses(found)]),
        _comparison(checked),
        Paragraph(
            _(
                "Both were simulated with the same culture and recipe, and are compared where the large vessel's "
                "oxygen uptake within the feed is highest. The deviation is that over the cells; the persistence is "
                "the time for which what one cell meets stays alike. Both rest on the zone model of the large vessel. "
                "The pulses are not simulated."
            )
        ),
        Figure(rig_figure(checked), _("What one cell meets, drawn by chance from the zones of each")),
        Figure(share_figure(checked), _("Part of the cells that meet less")),
        _trials(checked),
    ]
    if not best.pumped:
        blocks.append(Notice(_("A bench pump hardly carries this flow: use the pulses."), kind="warning"))
    return blocks


def verdict_line(found: RigCheck) -> str:
    """The verdict in a sentence."""
    if found.verdict == "inconclusive":
        return _("{verdict}: the large vessel shows no fluctuation to reproduce").format(
            verdict=verdict_words("inconclusive")
        )
    wrong = [row_words(row.name) for row in found.best.rows if not row.within]
    if wrong:
        text = _("{verdict}: the rig does not show the large vessel's {what}")
        return text.format(verdict=verdict_words(found.verdict), what=", ".join(wrong))
    if not found.best.pumped:
        return _("{verdict}: no bench pump carries the flow").format(verdict=verdict_words(found.verdict))
    text = _("{verdict}: simulated with these settings, the rig shows the large vessel's fluctuations")
    return text.format(verdict=verdict_words(found.verdict))


def setting_words(found: RigTrial) -> str:
    """The side compartment of a trial."""
    text = (
        _("{volume} L beside it with air, {flow} L/h")
        if found.side.aerated
        else _("{volume} L beside it without air, {flow} L/h")
    )
    return text.format(volume=number(found.side.volume), flow=number(found.side.flow))


def row_words(name: str) -> str:
    """What a row of the comparison tells."""
    return {
        "substrate_deviation": _("deviation of substrate"),
        "substrate_persistence": _("persistence of substrate"),
        "oxygen_deviation": _("deviation of oxygen"),
        "oxygen_persistence": _("persistence of oxygen"),
        "low_oxygen": _("time with little oxygen"),
        "titre": _("titre"),
    }[name]


def _settings(found: RigCheck) -> list[tuple[str, str]]:
    best = found.best
    return [
        (_("broth in all, L"), number(found.volume)),
        (_("side compartment that takes the feed, L"), number(best.side.volume)),
        (_("air in the side compartment"), _("yes") if best.side.aerated else _("no")),
        (_("flow through it, L/h"), number(best.side.flow)),
        (_("stay in the side compartment, s"), number(best.met.stay)),
        (_("entries an hour"), number(best.met.entries)),
        (_("vessel"), found.vessel),
        (_("stirrer at most, for the same mean oxygen, 1/min"), number(found.speed)),
    ]


def _pulses(found: Rig) -> list[tuple[str, str]]:
    text = _("{on} s on, {off} s off, at {times} times the mean rate")
    values = {
        "on": number(found.pulse_on),
        "off": number(found.pulse_off),
        "times": number(found.pulse_times),
    }
    return [(_("or: feed in pulses in one vessel"), text.format(**values))]


def _comparison(found: RigCheck) -> Table:
    rows: list[list[str | Cell]] = []
    for row in found.best.rows:
        shown = percent if row.name == "low_oxygen" else number
        word = verdict_words("pass" if row.within else "fail")
        rows.append(
            [
                row_words(row.name),
                row.unit,
                shown(row.large),
                shown(row.rig),
                f"± {shown(row.allowed)}",
                Cell(word, "met" if row.within else "missed"),
            ]
        )
    heads = [_("of what the cells meet"), _("unit"), _("large vessel"), _("rig"), _("allowed"), ""]
    aligned = [Column(head, "right" if 2 <= at <= 4 else "left") for at, head in enumerate(heads)]
    return Table(aligned, rows, caption=_("The rig beside the large vessel; what is allowed is assumed"))


def _trials(found: RigCheck) -> Table:
    made = {
        "times": _("for the times in the feed's zone"),
        "contrast": _("for the contrast of substrate"),
        "swing": _("for deviation and persistence"),
    }
    rows = [
        [made[trial.kind], setting_words(trial), number(trial.misfit), number(trial.titre, 4)] for trial in found.trials
    ]
    heads = [_("chosen for"), _("setting"), _("largest difference over what is allowed"), _("titre, g/L")]
    aligned = [Column(head, "right" if at > 1 else "left") for at, head in enumerate(heads)]
    return Table(aligned, rows, caption=_("Every setting that was simulated, the nearest first"), small=True)


def rig_figure(found: RigCheck) -> LinePlot:
    """Substrate and oxygen that one cell meets in each."""
    lasts = max(found.large.substrate.persistence, found.large.oxygen.persistence, 1.0) * SHOWN
    both = ((_("large vessel"), found.large), (_("rig"), found.best.met))
    panels = []
    for title, name in ((_("substrate, g/L"), "substrate"), (_("dissolved oxygen, %"), "oxygen")):
        panels.append(Panel(title, [Line(label, *_course(item, name, lasts)) for label, item in both], height=0.8))
    alt = _("What one cell meets in the large vessel and in the rig")
    return LinePlot(alt=alt, x_title=_("time, s"), panels=panels, mark=_("simulated"))


def _course(found: Fluctuations, name: str, seconds: float) -> tuple[Floats, Floats]:
    times, places = found.path(seconds)
    values = np.array([getattr(zone, name) for zone in found.zones])[places]
    return np.minimum(np.repeat(times, 2)[1:], seconds), np.repeat(values, 2)[:-1]


def share_figure(found: RigCheck) -> CurvePlot:
    """Part of the cells that meet less substrate than so much."""
    curves = [
        Line(label, *_shares(item)) for label, item in ((_("large vessel"), found.large), (_("rig"), found.best.met))
    ]
    return CurvePlot(
        alt=_("Part of the cells that meet less substrate, large vessel and rig"),
        x_title=_("substrate, g/L"),
        y_title=_("part of the cells"),
        curves=curves,
        mark=_("simulated"),
    )


def _shares(found: Fluctuations) -> tuple[Floats, Floats]:
    order = sorted(found.zones, key=lambda zone: zone.substrate)
    values = np.array([zone.substrate for zone in order])
    summed = np.cumsum([zone.share for zone in order])
    return np.repeat(values, 2), np.concatenate([[0.0], np.repeat(summed, 2)[:-1]])
