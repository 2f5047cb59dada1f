"""The front between codons and structure as a figure."""

from __future__ import annotations

from seedtrain.base import translate as _
from seedtrain.bioinformatics._mrna._design import Messenger
from seedtrain.report import CurvePlot, Line, Point


def front_figure(messenger: Messenger) -> CurvePlot:
    """Codon adaptation index against energy, every candidate of the front, and the one that was taken."""
    points = messenger.candidates
    x, y = [item.cai or 0.0 for item in points], [item.strength for item in points]
    whole = messenger.coding.energy is not None
    taken = messenger.coding
    return CurvePlot(
        alt=_("{count} messengers between CAI {low} and {high}").format(
            count=len(points), low=f"{min(x):.2f}", high=f"{max(x):.2f}"
        ),
        x_title=_("codon adaptation index"),
        y_title=_("energy of the messenger, kcal/mol") if whole else _("energy a window of 60 nt, kcal/mol"),
        curves=[Line(_("front"), x, y)],
        points=[Point(_("taken"), taken.cai or 0.0, taken.strength)],
    )
