"""The trend of a stability attribute as a figure: every batch's points, the lines with their confidence, the limits."""

from __future__ import annotations

from seedtrain.base import translate as _
from seedtrain.gmp._quality._stability import Trend
from seedtrain.quality import CONFIDENCE, Limit
from seedtrain.report import Line, LinePlot, Panel, Threshold

_STEPS = 40


def trend_plot(found: Trend) -> LinePlot:
    """A figure for `seedtrain.report.draw`; times in months."""
    lines = []
    for name in dict.fromkeys(item.batch for item in found.points):
        mine = sorted((item.time, item.value) for item in found.points if item.batch == name)
        lines.append(Line(name, [time for time, _value in mine], [value for _time, value in mine]))
    life = found.shelf_life
    for fitted in life.lines if life else ():
        end = max(life.covered, life.longest) if life else 0.0
        times = [end * step / _STEPS for step in range(_STEPS + 1)]
        means = [fitted.mean(time) for time in times]
        widths = [fitted.half_width(time, CONFIDENCE) for time in times]
        low = [mean - width for mean, width in zip(means, widths, strict=True)]
        high = [mean + width for mean, width in zip(means, widths, strict=True)]
        label = _("trend of {batch}").format(batch=fitted.batch or _("all batches"))
        lines.append(Line(label, times, means, style="dashed", low=low, high=high))
    panel = Panel(f"{found.attribute}, {found.unit}".rstrip(", "), lines, thresholds=_limits(found))
    words = _("{attribute} in storage under {protocol}").format(attribute=found.attribute, protocol=found.protocol)
    return LinePlot(alt=words, x_title=_("months"), panels=[panel])


def _limits(found: Trend) -> tuple[Threshold, ...]:
    limit = Limit.parse(found.limit)
    if limit.range is None:
        return ()
    ends = limit.range.bounds(limit.unit)
    return tuple(Threshold(end, found.limit) for end in ends if abs(end) < float("inf"))
