"""What a report shows of cost and carbon: stacked bars, tornado, the largest lines, schedule, and what is left out."""

from __future__ import annotations

from collections.abc import Mapping

from seedtrain.base import translate as _
from seedtrain.development._economics import Breakdown, Economics
from seedtrain.development._factor_table import CATEGORIES
from seedtrain.development._factor_words import factor_words
from seedtrain.development._words import number, percent, words
from seedtrain.quantity import Uncertain
from seedtrain.report import (
    Block,
    Column,
    Definitions,
    Figure,
    Heading,
    Paragraph,
    Stack,
    StackPlot,
    Swing,
    Table,
    TornadoPlot,
)

BARS = 10


def economics_blocks(
    found: Mapping[str, Economics], *, targets: Mapping[str, float] | None = None
) -> tuple[Block, ...]:
    """Cost and carbon for each scale by its name; the lines and the tornado for the last one.

    - `targets`: the need's limits under `cost` (USD/kg) and `carbon` (kg CO2e/kg), drawn where they are given.
    """
    wanted = targets or {}
    *_rest, (name, last) = found.items()
    cost, carbon = _("cost, USD/kg"), _("carbon, kg CO2e/kg")
    return (
        Figure(
            _stacks({key: item.cost for key, item in found.items()}, cost, wanted.get("cost")), _("Cost per kilogram")
        ),
        Figure(
            _stacks({key: item.carbon for key, item in found.items()}, carbon, wanted.get("carbon")),
            _("Greenhouse gases per kilogram"),
        ),
        Heading(_("Cost and carbon in {unit}").format(unit=name), level=3),
        _parts(last),
        _lines(last.cost, cost),
        _lines(last.carbon, carbon),
        Figure(_tornado(last.cost, cost), _("What moves the cost most")),
        Figure(_tornado(last.carbon, carbon), _("What moves the carbon most")),
        *([_variance(last)] if last.cost.variance else []),
        _schedule(last),
        _utilisation(last),
        Paragraph(_boundary(last)),
    )


def _stacks(found: Mapping[str, Breakdown], title: str, target: float | None) -> StackPlot:
    present = [name for name in CATEGORIES if any(name in item.parts for item in found.values())]
    return StackPlot(
        alt=title,
        x_title=title,
        part_names=[words(name) for name in present],
        stacks=[
            Stack(
                label,
                [item.parts[name].value if name in item.parts else 0.0 for name in present],
                item.total.low,
                item.total.high,
                number(item.total.value),
            )
            for label, item in found.items()
        ],
        target=target,
        target_label=_("need") if target is not None else "",
    )


def _tornado(found: Breakdown, title: str) -> TornadoPlot:
    return TornadoPlot(
        alt=title,
        x_title=title,
        base=found.total.value,
        swings=[
            Swing(
                factor_words(bar.factor.name),
                bar.at_low,
                bar.at_high,
                f"{number(bar.factor.low)} {bar.factor.unit}".strip(),
                f"{number(bar.factor.high)} {bar.factor.unit}".strip(),
            )
            for bar in found.drivers[:BARS]
        ],
    )


def _parts(found: Economics) -> Table:
    present = [name for name in CATEGORIES if name in found.cost.parts or name in found.carbon.parts]
    rows = [[words(name), *_both(found, name)] for name in present]
    rows.append([_("total"), _interval(found.cost.total), "100 %", _interval(found.carbon.total), "100 %"])
    heads = [_("part"), _("cost, USD/kg"), _("share"), _("carbon, kg CO2e/kg"), _("share")]
    return Table(
        [Column(head, "right" if at else "left") for at, head in enumerate(heads)],
        rows,
        caption=_("Parts of cost and carbon, with 5 to 95 % of {draws} draws").format(draws=found.draws),
        source=_("factor table {table}; seed {seed}").format(table=found.table, seed=found.seed),
    )


def _both(found: Economics, name: str) -> list[str]:
    cells: list[str] = []
    for item in (found.cost, found.carbon):
        part = item.parts.get(name)
        cells += ["–", "–"] if part is None else [_interval(part), percent(part.value / item.total.value)]
    return cells


def _interval(value: Uncertain) -> str:
    return f"{number(value.value)} ({number(value.low)} .. {number(value.high)})"


def _lines(found: Breakdown, title: str) -> Table:
    rows = [
        [factor_words(line.item), line.where, words(line.category), _interval(line.value), percent(line.share)]
        for line in found.contributions[:BARS]
    ]
    heads = [_("item"), _("where"), _("part"), title, _("share")]
    return Table(
        [Column(head, "right" if at >= 3 else "left") for at, head in enumerate(heads)],
        rows,
        caption=_("The {count} largest lines").format(count=len(rows)),
        small=True,
    )


def _schedule(found: Economics) -> Definitions:
    plan = found.schedule
    return Definitions(
        [
            (
                _("cycle time"),
                _("{hours} h, set by {suite}").format(hours=number(plan.cycle_time), suite=plan.bottleneck),
            ),
            (_("time from vial to container"), f"{number(plan.lead_time)} h"),
            (_("batches a year"), str(plan.batches_per_year)),
            (_("released product a year"), f"{number(found.product_per_year)} kg"),
            (_("installed capital"), f"{number(found.capital)} USD"),
            (_("carbon dioxide from sugar, not counted"), f"{number(found.biogenic_co2)} kg/kg"),
        ]
    )


def _utilisation(found: Economics) -> Table:
    """How much of the time between two batches each suite is busy, the busiest first."""
    plan = found.schedule
    hours = {item.suite: (item.hours, item.units) for item in plan.occupancies}
    rows = [
        [suite, number(hours[suite][0]), str(hours[suite][1]), percent(share)]
        for suite, share in sorted(plan.utilisation.items(), key=lambda pair: -pair[1])
    ]
    heads = [_("suite"), _("busy with a batch, h"), _("units"), _("utilisation with turnaround")]
    return Table([Column(head, "right" if at else "left") for at, head in enumerate(heads)], rows, small=True)


def _boundary(found: Economics) -> str:
    text = _(
        "The intervals come from prices, emission factors and plant parameters; the process itself is taken as "
        "simulated. {cost} of the cost and {carbon} of the carbon rest on assumed prices and emission factors. "
        "Without emission factor: {excluded}."
    )
    shares = {key: percent(value, 2) for key, value in found.assumed_share.items()}
    return text.format(**shares, excluded=", ".join(factor_words(name) for name in sorted(found.excluded)))


def _variance(found: Economics) -> Table:
    rows = []
    for title, part in ((_("cost"), found.cost), (_("carbon"), found.carbon)):
        shown = list(part.variance.items())[:6]
        rows += [[title, factor_words(name), percent(share, 2)] for name, share in shown]
        rows.append([title, _("all others alone"), percent(sum(part.variance.values()) - sum(s for _n, s in shown), 2)])
        rows.append([title, _("interplay"), percent(max(1 - sum(part.variance.values()), 0.0), 2)])
    return Table(
        [Column(_("of")), Column(_("factor")), Column(_("share of the variance"), "right")],
        rows,
        caption=_("First-order Sobol shares of {draws} draws").format(draws=found.draws),
        small=True,
    )
