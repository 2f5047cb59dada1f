"""What a report shows of a scale-up: operation and limits side by side, conflicts, seed train, mass and endotoxin."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from seedtrain.base import translate as _
from seedtrain.development._scale import ScaleResult
from seedtrain.development._words import number, percent, words
from seedtrain.report import Block, Cell, Column, Heading, Notice, Table
from seedtrain.simulation import Estimate


def scale_blocks(results: Sequence[ScaleResult]) -> tuple[Block, ...]:
    """Tables for all results side by side, then those of each; a notice where a vessel limits the recipe's feed."""
    blocks: list[Block] = [_operation(results)]
    blocks += [notice for result in results if (notice := _limit_notice(result)) is not None]
    for result in results:
        blocks.append(Heading(_("Batch in {unit}").format(unit=result.unit), level=3))
        if result.agitation.scaled != result.agitation.reference:
            blocks.append(_conflicts(result))
        blocks += [_seed_train(result), _mass_yield(result)]
    return tuple(blocks)


def _operation(results: Sequence[ScaleResult]) -> Table:
    rows: list[tuple[str, Callable[[ScaleResult], str]]] = [
        (_("medium charged, L"), lambda item: number(item.control.volume.magnitude("L"))),
        (_("broth harvested, L"), lambda item: number(item.broth.volume)),
        (_("stirrer or shaker at most, 1/min"), lambda item: number(item.agitation.scaled.speed)),
        (_("power per volume, W/m3"), lambda item: number(item.transfer.matched.power_per_volume)),
        (_("tip speed, m/s"), lambda item: number(item.transfer.matched.tip_speed)),
        (_("mixing time, s"), lambda item: _estimate(item.transfer.matched.mixing_time)),
        (_("oxygen at its set point lasts, s"), lambda item: number(item.transfer.oxygen_time)),
        (_("kLa, coalescing, 1/h"), lambda item: _estimate(item.transfer.matched.kLa_coalescing)),
        (_("kLa, non-coalescing, 1/h"), lambda item: _estimate(item.transfer.matched.kLa_non_coalescing)),
        (_("kLa, both with their spread, 1/h"), lambda item: " .. ".join(map(number, item.transfer.kLa_range))),
        (_("impeller flooded by the gas"), lambda item: _("yes") if item.transfer.matched.flooded else _("no")),
        (_("highest oxygen uptake, mmol/L/h"), lambda item: number(item.transfer.OUR)),
        (_("highest oxygen transfer, both correlations, mmol/L/h"), _transfer_rates),
        (_("heat then, kW"), lambda item: number(item.transfer.heat)),
        (_("cooling capacity, kW"), lambda item: number(item.transfer.matched.cooling / 1000.0)),
        (_("limit of the recipe's own feed"), lambda item: words(item.limited_by)),
        (_("largest feed, part of the recipe's"), lambda item: percent(item.feed.factor)),
        (_("titre at the recipe's own feed, g/L"), lambda item: number(item.feed.titre_full)),
        (_("titre within the limits, g/L"), lambda item: number(item.titre)),
        (_("biomass at the end, g/L"), lambda item: number(item.production.final("DCW"))),
        (_("product, g"), lambda item: number(item.product)),
    ]
    columns = [Column(""), *(Column(item.unit, "right") for item in results)]
    return Table(
        columns,
        [[label, *(figure(item) for item in results)] for label, figure in rows],
        caption=_("Operation and limits at each scale; * lies outside the range of its correlation"),
        source=_("van 't Riet 1979 (each kLa within some 40 %), Hughmark 1980, Nienow 1998"),
        small=True,
    )


def _transfer_rates(result: ScaleResult) -> str:
    found = result.transfer.matched
    return " / ".join(map(number, (found.OTR_coalescing, found.OTR_non_coalescing)))


def _estimate(found: Estimate) -> str:
    return number(found.value) if found.in_range else f"{number(found.value)} *"


def _limit_notice(result: ScaleResult) -> Notice | None:
    if result.limited_by == "none":
        return None
    text = _(
        "{unit}: {limit} limits the recipe's own feed. {part} of its glucose keeps the limits, with a titre "
        "of {titre} g/L; the recipe's own feed would give {full} g/L."
    )
    return Notice(
        text.format(
            unit=result.unit,
            limit=words(result.limited_by),
            part=percent(result.feed.factor),
            full=number(result.feed.titre_full),
            titre=number(result.titre),
        ),
        kind="warning",
    )


def _conflicts(result: ScaleResult) -> Table:
    found = result.agitation
    caption = _("Agitation of {unit}: {kept} is kept, the others follow")
    rows: list[list[str | Cell]] = [
        [
            Cell(words(row.name), style="strong" if row.held else ""),
            row.unit,
            number(row.reference),
            number(row.scaled),
            number(row.ratio),
            _("kept") if row.held else "",
        ]
        for row in found.criteria
    ]
    heads = [_("criterion"), _("unit"), _("basis"), _("here"), _("ratio"), ""]
    aligned = [Column(head, "right" if 2 <= at <= 4 else "left") for at, head in enumerate(heads)]
    return Table(aligned, rows, caption=caption.format(unit=result.unit, kept=words(found.keep)), source=found.words)


def _seed_train(result: ScaleResult) -> Table:
    heads = [_("culture"), _("vessel"), _("volume, L"), _("biomass, g/L"), _("duration, h"), _("generations")]
    rows = [
        [
            row.unit_procedure,
            row.vessel,
            number(row.volume),
            number(row.biomass),
            number(row.duration),
            number(row.generations),
        ]
        for row in result.seed_train
    ]
    return Table(
        [Column(head, "right" if at >= 2 else "left") for at, head in enumerate(heads)],
        rows,
        caption=_("Seed train of {unit}").format(unit=result.unit),
    )


def _mass_yield(result: ScaleResult) -> Table:
    heads = [
        _("step"),
        _("volume, L"),
        _("product, g"),
        _("yield of the step"),
        _("yield so far"),
        _("endotoxin, EU/mg"),
        _("log10 removed"),
        _("duration, h"),
        _("hold at most, h"),
    ]
    rows = [
        [
            row.path if row.path != "broth" else _("broth"),
            number(row.volume),
            number(row.product),
            percent(row.step_yield),
            percent(row.cumulative_yield),
            number(row.endotoxin),
            number(row.log_reduction, 2),
            number(row.duration),
            number(row.hold_time),
        ]
        for row in result.mass_yield
    ]
    return Table(
        [Column(head, "right" if at else "left") for at, head in enumerate(heads)],
        rows,
        caption=_("Mass and endotoxin through the downstream steps of {unit}").format(unit=result.unit),
        small=True,
    )
