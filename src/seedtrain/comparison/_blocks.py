"""What people read of a comparison: lines for a screen, one page of tables and plots."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from seedtrain.base import translate as _
from seedtrain.comparison._compare import Compared
from seedtrain.comparison._judge_series import number_words
from seedtrain.comparison._judge_spectra import Calibration
from seedtrain.comparison._predicted import Bound
from seedtrain.comparison._profiles import Profiles
from seedtrain.comparison._reason import here
from seedtrain.quality import Criterion, verdict_words
from seedtrain.report import (
    Block,
    Cell,
    Column,
    CurvePlot,
    Figure,
    FigureSpec,
    Heading,
    Line,
    LinePlot,
    Notice,
    Panel,
    Paragraph,
    Point,
    State,
    Table,
    Threshold,
)

STATES: dict[str, State] = {"pass": "met", "fail": "missed", "inconclusive": "unknown"}


def simulated_mark(found: Compared) -> str:
    """What stands in print where runs are simulated, all or some of them, or predictions are shown."""
    if not found.simulated:
        return _("partly simulated") if found.errors else ""
    every = len(found.simulated) == sum(len(runs) for runs in found.groups.values())
    return _("simulated") if every else _("partly simulated")


def comparison_lines(found: Compared) -> list[str]:
    """The comparison for a screen."""
    lines = [f"{found.plan.comparison}: {verdict_words(found.verdict.verdict)}"]
    for name, runs in found.groups.items():
        words = _("reference") if name == found.plan.reference else _("compared")
        lines.append(f"  {name} ({words}): " + _("{count} runs").format(count=len(runs)))
    if found.simulated:
        lines.append("  " + _("simulated: {runs}").format(runs=", ".join(found.simulated)))
    if found.errors:
        lines.append("  " + _("Predictions are simulated."))
        lines += [f"  {text}" for text in _fitted_words(found)]
    for item in _criteria_of(found):
        interval = f" [{item.interval[0]} .. {item.interval[1]}]" if item.interval else ""
        value = "–" if item.value is None else str(item.value)
        lines.append(f"  {verdict_words(item.verdict)}: {item.name}: {value}{interval}, {item.limit}")
    lines += [f"  {text}" for text in _evidence(found)]
    for bound in found.bounds:
        lines.append("  " + _bound_words(bound.symbol, bound.scale) + ": " + _bound_value(bound))
    return lines


def _fitted_words(found: Compared) -> list[str]:
    """Where errors are of a fit and not of a prediction."""
    text = _("The culture was fitted to the runs of {data}: their errors are those of a fit, not of a prediction.")
    return [text.format(data=name) for name in found.fitted_to]


def _criteria_of(found: Compared) -> list[Criterion]:
    """The criteria in the language in use."""
    return [item.criterion() for item in found.judged]


def _evidence(found: Compared) -> list[str]:
    return [text for text in (item.evidence() for item in found.judged) if text]


def comparison_blocks(found: Compared) -> tuple[Block, ...]:
    """The page: verdict, numbers, shapes, all together, sensors, spectra, predictions."""
    blocks: list[Block] = [_notice(found), _criteria(found)]
    blocks += [Paragraph(text) for text in _evidence(found)]
    if found.numbers:
        blocks += [Heading(_("Numbers, one a run")), _numbers(found)]
    figures = comparison_figures(found)
    for title, part in ((_("Shapes over time"), "profile"), (_("All together"), "rows"), (_("Sensors"), "sensor")):
        plots = [item for name, item in figures.items() if name.startswith(part)]
        if plots:
            blocks += [Heading(title), *(Figure(item, item.alt) for item in plots)]
        if part == "rows":
            blocks += _row_tables(found)
        if part == "sensor" and found.sensors:
            blocks.append(_sensors(found))
    if found.spectra:
        blocks += [Heading(_("Spectra")), *_spectra(found)]
    if found.errors:
        blocks += [Heading(_("Predictions")), Paragraph(_("Predictions are simulated."))]
        blocks += [*(Notice(text, kind="warning") for text in _fitted_words(found)), _errors(found)]
        blocks.append(_bounds(found))
    blocks.append(Paragraph(_said()))
    return tuple(blocks)


def _notice(found: Compared) -> Notice:
    kind = {"pass": "met", "fail": "missed", "inconclusive": "warning"}[found.verdict.verdict]
    words = f"{found.plan.comparison}: {verdict_words(found.verdict.verdict)}"
    if kind == "met":
        return Notice(words, kind="met")
    return Notice(words, kind="missed" if kind == "missed" else "warning")


def _table(heads: Sequence[str], rows: Sequence[Sequence[str | Cell]], caption: str = "") -> Table:
    return Table([Column(head) for head in heads], rows, caption=caption, small=True)


def _criteria(found: Compared) -> Table:
    rows: list[list[str | Cell]] = []
    for item in _criteria_of(found):
        interval = f"{item.interval[0]} .. {item.interval[1]}" if item.interval else "–"
        value = "–" if item.value is None else str(item.value)
        word = Cell(verdict_words(item.verdict), STATES[item.verdict])
        rows.append([item.name, value, interval, item.limit or "", word])
    level = f"{100 * found.plan.level:g} %"
    heads = [_("what"), _("difference"), _("interval"), _("limit"), _("verdict")]
    return _table(heads, rows, _("Difference from {reference}; intervals of {level}").format(
        reference=found.plan.reference, level=level
    ))  # fmt: skip


def _numbers(found: Compared) -> Table:
    rows: list[list[str | Cell]] = []
    for item in found.numbers:
        one, other = item.test.reference, item.test.tested
        value, ends, limit = number_words(item.test, item.unit)
        cell = Cell(verdict_words(item.test.verdict), STATES[item.test.verdict])
        given = [_group(one.count, one.mean, one.deviation), _group(other.count, other.mean, other.deviation)]
        shown = ["–", "–"] if item.test.why else [value, f"{ends[0]} .. {ends[1]}"]
        rows.append([item.entry.label, item.unit, item.group, *given, *shown, limit, cell])
    heads = [_("what"), _("unit"), _("group"), _("reference"), _("compared"), _("difference"), _("interval"),
             _("limit"), _("verdict")]  # fmt: skip
    return _table(heads, rows, _("Mean ± standard deviation of the runs (how many)"))


def _group(count: int, mean: float, deviation: float) -> str:
    return f"{mean:.4g} ± {deviation:.2g} ({count})" if count else "–"


def comparison_figures(found: Compared) -> dict[str, FigureSpec]:
    """Plots by the name of their file."""
    mark = simulated_mark(found) or None
    plots: dict[str, FigureSpec] = {}
    for at, (group, item) in enumerate(found.profiles, 1):
        if not item.why:
            plots[f"profile-{at}"] = _profile(found.plan.reference, group, item, mark)
    for at, (group, rows) in enumerate(found.rows, 1):
        if not rows.why and rows.scores.shape[1] >= 2:
            count = len(rows.reference)
            states: list[State] = [""] * count
            states += ["missed" if name in rows.outside else "met" for name in rows.tested]
            points = [
                Point(name, float(at_one), float(at_two), state)
                for name, (at_one, at_two), state in zip(
                    (*rows.reference, *rows.tested), rows.scores[:, :2], states, strict=True
                )
            ]
            plots[f"rows-{at}"] = CurvePlot(
                alt=_("Runs in the plane of the reference's first two components: {group}").format(group=group),
                x_title=_("component {number}").format(number=1), y_title=_("component {number}").format(number=2),
                curves=[Line(_("limit"), *_ellipse(rows.limits[0], rows.scores[:count]), style="dashed")],
                points=points, mark=mark,
            )  # fmt: skip
    for at, sensor in enumerate(found.sensors, 1):
        if not sensor.why:
            plots[f"sensor-{at}"] = LinePlot(
                alt=_("{sensor} less {assay} over time").format(sensor=sensor.sensor, assay=sensor.assay),
                x_title=_("time, h"),
                panels=[Panel(f"{sensor.sensor} − {sensor.assay}, {sensor.unit}".rstrip(", "),
                              [Line(name, hours, sensed - assayed, style="points")
                               for name, (hours, assayed, sensed) in sensor.pairs.items()],
                              thresholds=[Threshold(value, _("margin")) for value in (-sensor.margin, sensor.margin)])],
                mark=mark,
            )  # fmt: skip
    return plots


def _ellipse(limit: float, scores: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Where T2 of the first two components alone reaches the limit."""
    angle = np.linspace(0, 2 * math.pi, 121)
    spread = scores[:, :2].std(0, ddof=1) * math.sqrt(limit)
    return spread[0] * np.cos(angle), spread[1] * np.sin(angle)


def _profile(reference: str, group: str, item: Profiles, mark: str | None) -> LinePlot:
    both = [(reference, item.reference, 0), (group, item.tested, 1)]
    means = [Line(name, item.time, x.mean(0), colour=at, low=x.min(0), high=x.max(0)) for name, x, at in both]
    apart = Line(_("difference"), item.time, item.difference, colour=2, low=item.difference - item.point,
                 high=item.difference + item.point)  # fmt: skip
    margins = [Threshold(sign * float(item.margin.max()), _("margin")) for sign in (-1, 1)]
    unit = f", {item.unit}" if item.unit else ""
    return LinePlot(
        alt=_("{symbol}: mean and range of the runs, and the difference with its interval").format(symbol=item.symbol),
        x_title=_("time, h"),
        panels=[Panel(f"{item.symbol}{unit}", means, height=1.4),
                Panel(_("difference") + unit, [apart], thresholds=margins)],
        mark=mark,
    )  # fmt: skip


def _row_tables(found: Compared) -> list[Block]:
    blocks: list[Block] = []
    for group, item in found.rows:
        if item.why:
            blocks.append(Paragraph(f"{group}: {here(item.why)}"))
            continue
        words = {True: Cell(_("outside"), "missed"), False: Cell(_("inside"), "met")}
        rows: list[list[str | Cell]] = [
            [name, f"{t2:.3g}", f"{spe:.3g}", words[name in item.outside]]
            for name, t2, spe in zip(item.tested, item.t2.tolist(), item.spe.tolist(), strict=True)
        ]
        caption = _("{group}: limits T2 {t2}, SPE {spe}; {count} components explain {part}").format(
            group=group, t2=f"{item.limits[0]:.3g}", spe=f"{item.limits[1]:.3g}", count=item.count,
            part=f"{100 * item.explained:.0f} %",
        )  # fmt: skip
        blocks.append(_table([_("run"), "T2", "SPE", _("within the limits")], rows, caption))
        if math.isfinite(item.q2):
            told = _("OPLS tells the groups apart with Q2 = {q2} (p = {p} among shuffled groups); by {columns}.")
            labels = {number.name: number.entry.label for number in found.numbers}
            named = "; ".join(labels.get(name, name) for name, _weight in item.telling[:5])
            blocks.append(Paragraph(told.format(q2=f"{item.q2:.2f}", p=f"{item.p:.3g}", columns=named)))
        if item.left_out:
            told = _("Left out, because some run lacks them or the reference's runs do not differ: {columns}.")
            blocks.append(Paragraph(told.format(columns="; ".join(item.left_out))))
    return blocks


def _sensors(found: Compared) -> Table:
    rows = []
    for item in found.sensors:
        if item.why:
            rows.append([f"{item.sensor} – {item.assay}", "–", "–", "–", "–", here(item.why)])
            continue
        rows.append([
            f"{item.sensor} – {item.assay}", _three(item.bias, item.low, item.high), _three(*item.drift),
            _three(*item.slope), f"{item.agreement[0]:.3g} .. {item.agreement[1]:.3g}", item.unit,
        ])  # fmt: skip
    heads = [_("sensor – assay"), _("bias"), _("drift per hour"), _("slope"), _("95 % of differences"), _("unit")]
    return _table(heads, rows)


def _three(value: float, low: float, high: float) -> str:
    return f"{value:.3g} [{low:.3g} .. {high:.3g}]" if math.isfinite(value) else "–"


def _spectra(found: Compared) -> list[Block]:
    blocks: list[Block] = []
    for made in found.spectra:
        blocks.append(_calibrations(made))
        if made.unpaired:
            told = _("{count} spectra had no reading of the assay near in time and were not used.")
            blocks.append(Paragraph(told.format(count=made.unpaired)))
    words = _("The treatment is chosen by whole runs left out at the scale of the calibration; that error says nothing "
              "about another scale, whose own runs are its only measure.")  # fmt: skip
    return [*blocks, Paragraph(words)]


def _calibrations(made: Calibration) -> Table:
    limit, unit, items = made.limit, made.unit, made.items
    chosen = min(items, key=lambda item: item.own).treatment
    rows = []
    for item in items:
        for scale, (error, bias, slope) in item.at.items():
            state: State = "met" if error <= limit else "missed"
            name = Cell(item.treatment, style="strong") if item.treatment == chosen else item.treatment
            row = [name, str(item.components), scale, Cell(f"{error:.3g}", state), f"{bias:.3g}", f"{slope:.3g}"]
            rows.append([*row, f"{item.own:.3g} ({item.made_at})"])
    heads = [_("treatment"), _("components"), _("scale"), _("error"), _("bias"), _("slope"), _("runs left out")]
    return _table(heads, rows, f"{unit}, ≤ {limit:g}" if unit else "")


def _errors(found: Compared) -> Table:
    rows = []
    for item in found.errors:
        low, high = item.interval(found.plan.level)
        relative = f"{100 * item.relative:.3g} %" if math.isfinite(item.relative) else "–"
        counts = [str(item.runs), str(item.readings)]
        figures = [_three(item.bias, low, high), f"{item.rmse:.3g}", relative]
        rows.append([item.symbol, item.unit, item.scale, *counts, *figures])
    heads = [_("symbol"), _("unit"), _("scale"), _("runs"), _("readings"), _("bias"), _("error"), _("of the range")]
    return _table(heads, rows, _("Predicted less measured, runs weighing alike"))


def _bound_words(symbol: str, scale: str) -> str:
    return _("{symbol}, a new run at {scale}").format(symbol=symbol, scale=scale)


def _bound_value(bound: Bound) -> str:
    own = ""
    if bound.own_runs and (bound.why or bound.approximate):
        words = _("the {count} runs here by themselves: ± {value} {unit}, {percent} %")
        value, percent = f"{bound.own_largest:.3g}", f"{100 * bound.own_probability:.0f}"
        own = "; " + words.format(count=bound.own_runs, value=value, unit=bound.unit, percent=percent)
    if bound.why:
        return _("refused: {why}").format(why=here(bound.why)) + own
    text = f"± {bound.value:.3g} {bound.unit} ({100 * bound.level:g} %)".replace("  ", " ")
    if not bound.approximate:
        return text
    held, asked = bound.held
    words = _("approximate, from other scales; it held for {held} of {asked} scales left out")
    if not asked:
        words = _("approximate, from all scales; too few runs to leave one out and test it")
    told = words.format(held=held, asked=asked)
    if bound.widened > 1.0:
        told += "; " + _("widened {times} times by what lay beyond").format(times=f"{bound.widened:.2g}")
    return f"{text}, {told}{own}"


def _bounds(found: Compared) -> Table:
    rows = [[bound.symbol, bound.scale, _bound_value(bound)] for bound in found.bounds]
    heads = [_("symbol"), _("scale"), _("how far a new run may lie off")]
    return _table(heads, rows)


def _said() -> str:
    return _(
        "Pass: the interval lies within the margin, so that a larger difference is excluded. Fail: it lies outside. "
        "Inconclusive: more runs are needed. A shape passes where every time does, and fails where the band for all "
        "times leaves the margin. The unit of evidence is the run."
    )
