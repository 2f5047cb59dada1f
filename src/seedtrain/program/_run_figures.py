"""Plots of runs: one run in many panels, the production at several scales, and prediction against measurement."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

import numpy as np

from seedtrain.base import translate as _
from seedtrain.program._dossier_words import number
from seedtrain.report import Band, Event, FigureSpec, Line, LinePlot, Panel, Threshold
from seedtrain.simulation import PhaseSpan, Run, RunEvent

_NEAR: Final = 0.03
"""Part of the axis within which events share one label."""
_SILENT: Final = frozenset({"inoculation", "phase", "extrapolated", "end"})
_MOST_POINTS: Final = 130
"""Of a measured variable in a plot; where it left its limits, every point stays."""


def run_figure(run: Run, *, oxygen_floor: float | None = None, mark: str | None = None) -> FigureSpec:
    """`run` in panels: biomass and product, substrate and acetate, oxygen, gas exchange, kLa, feed, volume.

    - `oxygen_floor`: the lowest dissolved oxygen that the recipe allows, % of air saturation.
    - `mark`: what stands in the plot; by default that the run is simulated, if it is.
    """
    panels = [
        _panel(run, _("biomass and product, g/L"), (("DCW", _("dry cell weight")), ("P", _("product"))), 0.95),
        _panel(
            run,
            _("substrate and acids, g/L"),
            (("S", _("glucose")), ("A", _("acetate")), ("M", _("mixed acids"))),
        ),
        _panel(run, _("dissolved oxygen, % of air saturation"), (("DO_percent", _("dissolved oxygen")),), colour=4),
        _panel(run, _("gas exchange, mmol/L/h"), (("OUR", "OUR"), ("CER", "CER"))),
        _panel(run, _("oxygen transfer coefficient, 1/h"), (("kLa", "kLa"), ("kLa_max", _("kLa at highest speed")))),
        _panel(run, _("feed, {unit}").format(unit=_feed_unit(run)[0]), (("F", _("feed")),), 0.42, colour=5),
        _panel(run, _("broth volume, L"), (("V", _("broth volume")),), 0.42, colour=6),
    ]
    shown = [panel for panel in panels if panel is not None]
    if oxygen_floor is not None:
        shown = [_with_floor(panel, oxygen_floor) for panel in shown]
    return LinePlot(
        alt=_run_words(run),
        x_title=_("time since inoculation, h"),
        panels=shown,
        bands=_bands(run),
        events=_events(run),
        mark=(_("simulated") if run.origin == "simulated" else "") if mark is None else mark,
    )


def scales_figure(runs: Mapping[str, Run], *, mark: str = "") -> FigureSpec:
    """The production at each scale, one line a scale in each panel."""
    panels = []
    for symbol, title, height in (
        ("DCW", _("dry cell weight, g/L"), 0.85),
        ("P", _("product, g/L"), 0.85),
        ("DO_percent", _("dissolved oxygen, % of air saturation"), 0.6),
        ("OUR", _("oxygen uptake rate, mmol/L/h"), 0.6),
        ("kLa", _("oxygen transfer coefficient, 1/h"), 0.6),
    ):
        lines = [Line(name, run.time, run[symbol]) for name, run in runs.items() if symbol in run.variables]
        if lines:
            panels.append(Panel(title, lines, height=height))
    words = "; ".join(
        _("{unit}: {titre} g/L after {hours} h").format(
            unit=name, titre=number(run.final("P")), hours=number(float(run.time[-1]))
        )
        for name, run in runs.items()
        if "P" in run.variables
    )
    return LinePlot(
        alt=_("The production at each scale. {words}.").format(words=words),
        x_title=_("time since inoculation, h"),
        panels=panels,
        mark=mark,
    )


_COMPARED: Final = ("DCW", "P", "S", "DO_percent", "OUR", "CER", "pH", "T", "F", "V")


def measured_figure(predicted: Run, measured: Run, *, mark: str = "") -> FigureSpec:
    """What was predicted, as lines, and what was measured, as points: sensors thinned out, samples all."""
    panels = []
    for symbol in _COMPARED:
        lines = list(_both(predicted, measured, symbol))
        if len(lines) > 1:
            panels.append(Panel(_title(symbol, predicted.variables[symbol].unit), lines, height=0.4))
    return LinePlot(
        alt=_("Prediction as lines and measurement as points over {hours} h.").format(
            hours=number(float(measured.time[-1]))
        ),
        x_title=_("time since inoculation, h"),
        panels=panels,
        bands=_bands(measured),
        events=_events(measured),
        mark=mark,
    )


def agreement(predicted: Run, measured: Run) -> list[tuple[str, str, float, float]]:
    """For each variable of both: title, unit, root mean square of the difference, and of the prediction's range.

    The second figure is the first over the range that the prediction spans, dimensionless.
    """
    rows = []
    for symbol in _COMPARED:
        if symbol in predicted.variables and symbol in measured.variables:
            expected = np.interp(measured.time, predicted.time, predicted[symbol])
            difference = float(np.sqrt(np.mean((measured[symbol] - expected) ** 2)))
            reach = float(np.ptp(predicted[symbol]))
            share = difference / reach if reach > 0 else math.nan
            rows.append((_words(symbol), predicted.variables[symbol].unit, difference, share))
    return rows


_SAMPLED: Final = {"DCW": "biomass", "P": "product", "A": "acetate"}


def samples(measured: Run) -> Iterator[tuple[str, str, float, float, str]]:
    """The samples of a measured run: attribute, phase, time h, value, unit."""
    for name, (value, unit) in measured.totals.items():
        kind, _slash, rest = name.partition("/")
        path, _found, attribute = rest.rpartition("/")
        if kind == "sample":
            yield attribute, path, measured.phase(path).end, value, unit


def _both(predicted: Run, measured: Run, symbol: str) -> Iterator[Line]:
    if symbol not in predicted.variables:
        return
    yield Line(_("predicted"), predicted.time, predicted[symbol], colour=0)
    if symbol in measured.variables:
        kept = _kept(measured, symbol)
        yield Line(_("measured"), measured.time[kept], measured[symbol][kept], style="points", colour=1)
    taken = [(time, value) for name, _path, time, value, _unit in samples(measured) if name == _SAMPLED.get(symbol)]
    if taken:
        yield Line(_("sample"), [time for time, _ in taken], [value for _, value in taken], style="points", colour=3)


def _kept(measured: Run, symbol: str) -> list[int]:
    """Points of a measured variable to draw: an even part of them, and each at which something left its limits."""
    stride = max(1, math.ceil(len(measured.time) / _MOST_POINTS))
    tag = measured.variables[symbol].words or symbol
    moments = [event.time for event in measured.events if event.words.split(" ")[0] in (symbol, tag)]
    near = {int(np.argmin(np.abs(measured.time - moment))) for moment in moments}
    return sorted({*range(0, len(measured.time), stride), *near})


def _panel(
    run: Run, title: str, wanted: Sequence[tuple[str, str]], height: float = 0.58, colour: int | None = None
) -> Panel | None:
    """The variables that the run has, in one panel; none where it has none of them."""
    scale = _feed_unit(run)[1]
    lines = [
        Line(
            words,
            run.time,
            run[symbol] * scale if symbol == "F" else run[symbol],
            style="dotted" if symbol == "kLa_max" else "solid",
            colour=colour,
        )
        for symbol, words in wanted
        if symbol in run.variables and np.isfinite(run[symbol]).any()
    ]
    return Panel(title, lines, height=height) if lines else None


def _feed_unit(run: Run) -> tuple[str, float]:
    """Unit of the feed that suits the vessel, and how many of it are 1 L/h."""
    highest = float(np.nanmax(run["F"])) if "F" in run.variables else 0.0
    return ("mL/h", 1000.0) if 0 < highest < 0.1 else ("L/h", 1.0)


def _with_floor(panel: Panel, floor: float) -> Panel:
    if len(panel.lines) != 1 or panel.lines[0].label != _("dissolved oxygen"):
        return panel
    limit = Threshold(floor, _("lowest allowed, {floor} %").format(floor=number(floor)))
    return Panel(panel.title, panel.lines, thresholds=(limit,), height=panel.height)


def _bands(run: Run) -> tuple[Band, ...]:
    return tuple(
        Band(_last(span), max(span.start, float(run.time[0])), span.end)
        for span in run.phases
        if span.end > float(run.time[0])
    )


def _last(span: PhaseSpan) -> str:
    return span.path.rpartition("/")[2]


def _events(run: Run) -> tuple[Event, ...]:
    """What happened, each kind at its first time; what happens at about the same time shares a line."""
    width = float(run.time[-1] - run.time[0]) * _NEAR
    seen: set[str] = set()
    groups: list[tuple[float, list[str]]] = []
    for event in sorted(run.events, key=lambda item: item.time):
        if event.kind in _SILENT or event.kind.endswith("_end") or event.kind in seen:
            continue
        seen.add(event.kind)
        if groups and event.time - groups[-1][0] <= width:
            groups[-1][1].append(_event_words(event))
        else:
            groups.append((event.time, [_event_words(event)]))
    return tuple(Event("\n".join(words), time) for time, words in groups)


def _event_words(event: RunEvent) -> str:
    return {
        "induction": _("inducer added"),
        "oxygen_limited": _("oxygen limits"),
        "cooling_limited": _("cooling limits"),
        "depleted": _("glucose used up"),
        "flooding": _("gas cut: impeller floods"),
        "at_most": _("longest time reached"),
        "out_of_limits": _("out of limits"),
        "failed": _("failed"),
    }.get(event.kind, event.words)


def _title(symbol: str, unit: str) -> str:
    return f"{_words(symbol)}, {unit}" if unit else _words(symbol)


def _words(symbol: str) -> str:
    return {
        "DCW": _("dry cell weight"),
        "P": _("product"),
        "S": _("glucose"),
        "DO_percent": _("dissolved oxygen"),
        "OUR": _("oxygen uptake rate"),
        "CER": _("carbon dioxide evolution rate"),
        "pH": _("pH"),
        "T": _("temperature"),
        "F": _("feed"),
        "V": _("broth volume"),
    }.get(symbol, symbol)


def _run_words(run: Run) -> str:
    """The run in words, for those who cannot see it."""
    parts = [
        _("{words} ends at {value} {unit}").format(
            words=_words(symbol), value=number(run.final(symbol)), unit=run.variables[symbol].unit
        )
        for symbol in ("DCW", "P", "V")
        if symbol in run.variables
    ]
    if "DO_percent" in run.variables:
        lowest = number(float(np.nanmin(run["DO_percent"])))
        parts.append(_("dissolved oxygen falls to {lowest} %").format(lowest=lowest))
    head = _("{unit_procedure} in {vessel} over {hours} h")
    opening = head.format(
        unit_procedure=run.unit_procedure, vessel=run.vessel, hours=number(float(run.time[-1] - run.time[0]))
    )
    return f"{opening}: {'; '.join(parts)}."
