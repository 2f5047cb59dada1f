"""The scale-up for a screen."""

from __future__ import annotations

import datetime
from collections.abc import Sequence

from seedtrain.base import translate as _
from seedtrain.development._scale import ScaleResult
from seedtrain.development._scaling._rig_blocks import row_words, setting_words, verdict_line
from seedtrain.development._scaling._rig_check import RigCheck
from seedtrain.development._scaling._scale_up import ScaleUp
from seedtrain.development._scaling._shaken import shaken_limits
from seedtrain.development._scaling._timing import Moment
from seedtrain.development._words import number, percent, words


def happenings() -> dict[str, str]:
    """What a moment is of, for people."""
    return {
        "prepare": _("prepare, sterilise, fill"),
        "inoculate": _("inoculate"),
        "harvest": _("harvest"),
        "process": _("process"),
    }


def unfed_words(result: ScaleResult) -> str | None:
    """That oxygen or cooling falls short in a phase without feed, where lowering one helps nothing; None if not."""
    if result.feed.unfed.smallest >= 0:
        return None
    text = _("{unit}: {limit} falls short without any feed: less sugar in the medium, or more transfer")
    return text.format(unit=result.unit, limit=words(result.feed.unfed.limit))


def foam_words(found: ScaleUp, result: ScaleResult) -> str | None:
    """That the foam is higher than its room; None if it is not, or not known."""
    room = found.headspace(result)
    if not room.overflows:
        return None
    text = _("{unit}: {foam} m of foam in {room} m of room: less gas, less broth or more antifoam")
    return text.format(unit=result.unit, foam=number(room.foam), room=number(room.height))


def shaken_words(found: ScaleUp) -> list[str]:
    """What each shaken vessel of the two cannot do for the culture."""
    said = []
    for result in found.shaken:
        limits = shaken_limits(result)
        text = _(
            "{unit} is shaken: nothing holds its pH ({acid} mmol/L of acid for the buffer) or its oxygen (lowest "
            "{oxygen} %)"
        )
        values = {"unit": result.unit, "acid": number(limits.acid), "oxygen": number(limits.lowest_oxygen)}
        said.append(text.format(**values))
        if limits.evaporated >= 0.05:
            text = _("{unit} dries up by {part} of its broth")
            said.append(text.format(unit=result.unit, part=percent(limits.evaporated)))
    return said


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
        text = _(
            "{unit}: limit {limit}, {part} of the feed, titre {titre} g/L, biomass {biomass} g/L, oxygen uptake "
            "{uptake} mmol/L/h"
        )
        lines.append(
            text.format(
                unit=item.unit,
                limit=words(item.limited_by),
                part=percent(item.feed.factor),
                titre=number(item.titre),
                biomass=number(item.production.final("DCW")),
                uptake=number(item.transfer.OUR),
            )
        )
        lines += [f"  {words}" for words in (unfed_words(item), foam_words(found, item)) if words is not None]
        lowered = _("  {phase}: the feed is lowered to {part}")
        lines += [
            lowered.format(phase=path, part=percent(part)) for path, part in item.feed.factors.items() if part < 0.9995
        ]
    lines += shaken_words(found)
    return [*lines, *_gradient_lines(found), *_moment_lines(found.moments, harvest)]


def _gradient_lines(found: ScaleUp) -> list[str]:
    item, settings = found.gradients, found.rig
    if item is None or settings is None:
        return []
    text = _("{count} zones in {unit}: {lost} of the titre lost; cells meet the feed every {back} s for {stay} s")
    lines = [
        text.format(
            count=item.count,
            unit=found.larger.unit,
            lost=percent(item.titre_lost),
            back=number(item.return_time),
            stay=number(item.stay),
        )
    ]
    for row in item.rows:
        lines.append(f"  {row.name:<6} {' '.join(f'{number(value):>9}' for value in row.zones)} {row.unit}")
    text = _("at the bench, {volume} L: {setting}, or a feed {on} s on and {off} s off")
    checked = found.rig_check
    setting = _("no setting runs to the harvest") if checked is None else setting_words(checked.best)
    values = {"volume": number(settings.volume), "setting": setting}
    lines.append(text.format(**values, on=number(settings.pulse_on), off=number(settings.pulse_off)))
    return [*lines, *(_rig_lines(checked) if checked is not None else ())]


def _rig_lines(found: RigCheck) -> list[str]:
    lines = [f"  {verdict_line(found)}", f"  {'':<26} {_('large vessel'):>12} {_('rig'):>12} {_('allowed'):>12}"]
    for row in found.best.rows:
        figures = f"{number(row.large):>12} {number(row.rig):>12} {'± ' + number(row.allowed):>12}"
        lines.append(f"  {row_words(row.name):<26} {figures} {row.unit}".rstrip())
    return lines


def _moment_lines(moments: Sequence[Moment], harvest: datetime.datetime | None) -> list[str]:
    said, lines = happenings(), [_("hours from the harvest:")]
    for moment in moments:
        clock = f"  {moment.at(harvest):%Y-%m-%d %H:%M}" if harvest else ""
        lines.append(f"  {moment.hours:>8.1f}  {said[moment.what]:<24} {moment.unit}{clock}")
    return lines
