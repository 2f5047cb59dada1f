"""What people read of an assessment: lines for a screen, blocks and plots for a page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from seedtrain.base import translate as _
from seedtrain.development._costing._assessment import Assessment, PlantAssessment
from seedtrain.development._costing._gantt import Gantt
from seedtrain.development._costing._levers import Sensitivity
from seedtrain.development._costing._required import Plane, Requirement
from seedtrain.development._costing._timetable import Slot, Timetable
from seedtrain.development._economics_blocks import economics_blocks
from seedtrain.development._factor_words import factor_words
from seedtrain.development._words import number, percent, words
from seedtrain.report import (
    Bar,
    Block,
    Column,
    ContourPlot,
    Definitions,
    Drawing,
    Figure,
    FigureSpec,
    GanttPlot,
    Heading,
    Paragraph,
    Point,
    Table,
)

ROWS = 12


def assessment_blocks(found: Assessment) -> tuple[Block, ...]:
    """The whole assessment for a page: cost and carbon, price, levers, targets, plane, variance, timetable, power."""
    plots = assessment_figures(found)
    cost, carbon = found.targets.get("cost"), found.targets.get("carbon")
    limits = {name: limit for name, limit in (("cost", cost), ("carbon", carbon)) if limit is not None}
    blocks: list[Block] = [
        Heading(_("Cost and carbon"), level=2),
        *economics_blocks({found.name: found.economics}, targets=limits),
        Heading(_("Selling price"), level=3),
        Definitions(_price_rows(found)),
        _cash_table(found),
    ]
    if found.sensitivities:
        blocks += [Heading(_("What research can move"), level=3), Paragraph(_moved_words())]
        blocks += [_sensitivity_table(found.sensitivities["cost"], _("cost, USD/kg"))]
    if found.requirements:
        blocks.append(_requirement_table(found.requirements))
    blocks += [Figure(plot, plot.alt) for name, plot in plots.items() if name.startswith("plane")]
    blocks += [Figure(plots["timetable"], plots["timetable"].alt), Paragraph(_timetable_words(found.timetable))]
    if found.gantt is not None:
        blocks += [Figure(plots["gantt"], plots["gantt"].alt), Paragraph(_gantt_words(found.gantt))]
    if found.mix is not None:
        blocks.append(Definitions(_power_rows(found)))
    return tuple(blocks)


def plant_blocks(found: PlantAssessment) -> tuple[Block, ...]:
    """A plant's price and its parts for a page."""
    rows = [[name, number(value, 4), percent(value / found.price)] for name, value in found.parts.items()]
    money = f"{found.case.currency}/kg"
    rows.append([_("lowest selling price"), number(found.price, 5), "100 %"])
    heads = [_("part"), money, _("share")]
    return (
        Heading(_("Selling price"), level=2),
        Table([Column(head, "right" if at else "left") for at, head in enumerate(heads)], rows),
    )


def assessment_figures(found: Assessment) -> dict[str, FigureSpec]:
    """The plots by the name of their file: cost, carbon, two tornados, planes, timetable."""
    blocks = economics_blocks({found.name: found.economics}, targets=dict(found.targets))
    own = [block.plot for block in blocks if isinstance(block, Figure) and not isinstance(block.plot, Drawing)]
    names = ("cost", "carbon", "cost-drivers", "carbon-drivers")
    plots: dict[str, FigureSpec] = dict(zip(names, own, strict=True))
    for item in found.planes:
        plots[f"plane-{item.x_lever}-{item.y_lever}".replace("_", "-")] = _contours(item, found)
    plots["timetable"] = _timetable_figure(found.timetable)
    if found.gantt is not None:
        plots["gantt"] = _gantt_figure(found.gantt)
    return plots


def _contours(item: Plane, found: Assessment) -> ContourPlot:
    target = found.targets.get("cost")
    base = found.levers.base
    now = found.economics.cost.total.value
    return ContourPlot(
        alt=_("Cost over {x} and {y}, USD/kg").format(x=words(item.x_lever), y=words(item.y_lever)),
        x_title=lever_title(item.x_lever),
        y_title=lever_title(item.y_lever),
        x=item.x,
        y=item.y,
        values=list(item.values),
        target=target,
        target_label="" if target is None else _("need: at most {limit}").format(limit=number(target)),
        points=[
            Point(
                _("now: {value}").format(value=number(now)),
                base[item.x_lever],
                base[item.y_lever],
                "" if target is None else "met" if now <= target else "missed",
            )
        ],
        x_log=True,
        y_log=True,
    )


def _timetable_figure(plan: Timetable) -> GanttPlot:
    return _bars(_("What is busy when: batches every {hours} h").format(hours=number(plan.interval)), plan.slots,
                 plan.units)  # fmt: skip


def _gantt_figure(plan: Gantt) -> GanttPlot:
    title = _("{batches} batches one by one, done after {hours} h")
    return _bars(title.format(batches=plan.batches, hours=number(plan.makespan)), plan.slots, plan.units)


def _bars(title: str, slots: Sequence[Slot], units: Mapping[str, int]) -> GanttPlot:
    def row(slot: Slot) -> str:
        return f"{slot.suite} {slot.unit}" if units[slot.suite] > 1 else slot.suite

    groups = [_("batch {number}").format(number=at) for at in sorted({slot.batch for slot in slots})]
    return GanttPlot(
        alt=title,
        x_title=_("time, h"),
        rows=list(dict.fromkeys(row(slot) for slot in slots)),
        groups=groups,
        bars=[Bar(row(slot), groups[slot.batch - 1], slot.start, slot.end, slot.until) for slot in slots],
    )


def _gantt_words(plan: Gantt) -> str:
    text = _("{batches} batches one by one: done after {makespan} h, one every {interval} h on average; {proof}.")
    proof = _("no schedule is shorter") if plan.optimal else _("none is shorter than {hours} h")
    told = text.format(
        batches=plan.batches,
        makespan=number(plan.makespan, 4),
        interval=number(plan.interval, 4),
        proof=proof.format(hours=number(plan.bound, 4)),
    )
    if plan.waited > 0:
        told += " " + _("Steps wait {hours} h in all.").format(hours=number(plan.waited))
    if plan.crew is not None:
        crew = _("At most {busiest} of {crew} people work at once.")
        told += " " + crew.format(busiest=number(plan.busiest), crew=number(plan.crew))
    return told


def lever_title(name: str) -> str:
    """A lever with its unit, for an axis or a table."""
    units = {"titre": "g/L", "titre_in_same_time": "g/L", "rate": "g/L/h", "yield": "g/g", "recovery": ""}
    unit = units.get(name, "")
    return f"{words(name)}, {unit}" if unit else words(name)


def _price_rows(found: Assessment) -> list[tuple[str, str]]:
    terms = found.finance
    return [
        (_("lowest selling price"), f"{number(found.price)} USD/kg"),
        (_("rate of return asked for"), percent(terms.rate)),
        (_("years of operation"), str(terms.life)),
        (_("income tax"), percent(terms.tax)),
        (_("installed capital"), f"{number(found.venture.capital)} USD"),
        (_("working capital"), f"{number(terms.working_capital * found.venture.capital)} USD"),
        (_("fixed costs a year"), f"{number(found.venture.fixed)} USD"),
        (_("variable costs a year"), f"{number(found.venture.variable)} USD"),
    ]


def _cash_table(found: Assessment) -> Table:
    flow, million = found.flow, 1e6
    heads = [_("year"), _("capital"), _("costs"), _("sales"), _("tax"), _("cash"), _("discounted")]
    columns = (flow.capital + flow.working_capital, flow.cost, flow.sales, flow.tax, flow.cash, flow.discounted)
    rows = [
        [f"{year:.0f}", *(number(float(column[at]) / million) for column in columns)]
        for at, year in enumerate(flow.year)
    ]
    return Table(
        [Column(head, "right") for head in heads],
        rows,
        caption=_("Cash flow at the lowest selling price, million USD; year 0 is the last of construction"),
        small=True,
    )


def _moved_words() -> str:
    return _(
        "The vessel and its volume of broth stay. Sugar, base and heat follow the substrate; stirring, air and people "
        "in the culture follow its time; columns and membranes follow the product in the broth; drying and filling "
        "follow what is released. The elasticity is the exact derivative with the last batch of a year counted in "
        "part; the two values beside it count whole batches."
    )


def _sensitivity_table(rows: Sequence[Sensitivity], title: str) -> Table:
    heads = [_("input"), _("now"), _("elasticity"), _("a tenth lower"), _("a tenth higher")]
    cells = [
        [
            words(row.name),
            f"{number(row.value)} {row.unit}".strip(),
            f"{row.elasticity:+.3f}",
            number(row.lower, 4),
            number(row.higher, 4),
        ]
        for row in rows[:ROWS]
    ]
    return Table([Column(head, "right" if at else "left") for at, head in enumerate(heads)], cells, caption=title)


def _requirement_table(rows: Sequence[Requirement]) -> Table:
    heads = [_("target"), _("lever alone"), _("now"), _("required"), _("reaches")]
    cells = [
        [
            f"{words(row.figure)} {number(row.target)}",
            lever_title(row.lever),
            number(row.present),
            _("met") if row.required == row.present else _("no value does") if row.required is None else need(row),
            number(row.reached),
        ]
        for row in rows
    ]
    return Table(
        [Column(head, "right" if at > 1 else "left") for at, head in enumerate(heads)],
        cells,
        caption=_("What the targets require of each lever alone, whole batches counted"),
    )


def need(row: Requirement) -> str:
    """The required value with how many times the present one it is."""
    assert row.required is not None
    return f"{number(row.required)} (x {number(row.required / row.present)})"


def _timetable_words(plan: Timetable) -> str:
    text = _(
        "A batch starts every {hours} h; the busiest suite, {suite}, allows {bound} h. Steps follow each other without "
        "waiting, and no shorter equal interval exists."
    )
    return text.format(hours=number(plan.interval), suite=plan.bottleneck, bound=number(plan.bound))


def _power_rows(found: Assessment) -> list[tuple[str, str]]:
    mix = found.mix
    assert mix is not None
    return [
        (_("electricity used a year"), f"{number(mix.used / 1000)} MWh"),
        (_("made by own panels a year"), f"{number(mix.made / 1000)} MWh"),
        (_("used as it is made"), percent(mix.direct)),
        (_("through the battery"), percent(mix.stored)),
        (_("from the grid"), percent(mix.grid)),
        (_("surplus of the panels, given away"), percent(mix.surplus)),
    ]


def assessment_lines(found: Assessment) -> list[str]:
    """The assessment for a screen."""
    book = found.economics
    lines = [f"{found.name} ({_('simulated')})" if found.simulated else found.name]
    for title, part in ((_("cost"), book.cost), (_("carbon"), book.carbon)):
        total = part.total
        between = f"({number(total.low)} .. {number(total.high)})"
        lines.append(f"{title:<10} {number(total.value):>10} {between} {total.unit}")
        lines += [
            f"  {words(name):<22} {number(item.value):>9} {percent(item.value / total.value, 2):>7}"
            for name, item in part.parts.items()
        ]
    plan = book.schedule
    every = _("{count} batches a year, one every {hours} h, set by {suite}")
    lines.append(every.format(count=plan.batches_per_year, hours=number(plan.cycle_time), suite=plan.bottleneck))
    lines.append(_("{amount} kg released a year").format(amount=number(book.product_per_year)))
    lines.append(_("installed capital {money} USD").format(money=number(book.capital)))
    price = _("lowest selling price {price} USD/kg at {rate} return over {years} years")
    lines.append(price.format(price=number(found.price), rate=percent(found.finance.rate), years=found.finance.life))
    lines += [] if found.gantt is None else [_gantt_words(found.gantt)]
    return [*lines, *_driver_lines(found), *_target_lines(found), *_power_lines(found)]


def _driver_lines(found: Assessment) -> list[str]:
    lines = [_("what moves the cost most:")]
    for bar in found.economics.cost.drivers[:5]:
        share = found.economics.cost.variance.get(bar.factor.name)
        alone = "" if share is None else "  " + _("{share} of the variance").format(share=percent(share, 2))
        lines.append(
            f"  {factor_words(bar.factor.name):<32} {number(bar.at_low):>9} .. {number(bar.at_high):<9}{alone}"
        )
    for row in found.sensitivities.get("cost", ()):
        if row.name in found.levers.base:
            lines.append(
                f"  {lever_title(row.name):<32} {number(row.value):>9}  "
                + _("elasticity {value}").format(value=f"{row.elasticity:+.3f}")
            )
    return lines


def _target_lines(found: Assessment) -> list[str]:
    lines = []
    for name, limit in found.targets.items():
        state = _("met") if found.met[name] else _("missed")
        lines.append(_("target {figure} {limit}: {state}").format(figure=words(name), limit=number(limit), state=state))
        if found.met[name]:
            continue
        for row in found.requirements:
            if row.figure == name:
                lines.append(f"  {lever_title(row.lever):<34} {number(row.present):>8} -> {_needed(row)}")
    return lines


def _needed(row: Requirement) -> str:
    if row.required is not None:
        return need(row)
    return _("no value is enough; the best gives {value}").format(value=number(row.reached))


def _power_lines(found: Assessment) -> list[str]:
    return [] if found.mix is None else [f"{name}: {value}" for name, value in _power_rows(found)]


def plant_lines(found: PlantAssessment) -> list[str]:
    """A plant's price for a screen."""
    money = f"{found.case.currency}/kg"
    lines = [found.case.name, _("lowest selling price {price} {money}").format(price=f"{found.price:.5g}", money=money)]
    width = max(len(name) for name in found.parts)
    lines += [
        f"  {name:<{width}} {value:>10.4g} {percent(value / found.price, 2):>7}" for name, value in found.parts.items()
    ]
    capital = _("fixed capital {money}, {amount} kg a year")
    return [
        *lines,
        capital.format(money=number(found.case.venture.capital), amount=number(found.case.venture.output)),
    ]


def figures_as_svg(plots: Mapping[str, FigureSpec], mark: str = "") -> dict[str, str]:
    """Each plot drawn, by the name of its file."""
    from seedtrain.report import draw

    return {f"{name}.svg": draw(plot, mark).svg for name, plot in plots.items()}
