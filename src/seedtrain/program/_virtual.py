"""Virtual bench runs: a hidden truth, the runs that it makes, and what assays would have read of them.

Nobody measured anything here, and everything that is written says so. The truth is drawn from the ranges that the
campaign gives for its parameters; its equations are the culture's own, so that a virtual campaign can show how much
readings tell of parameters, and never that the equations are right.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from seedtrain.base import InputError, Progress, digest, silent
from seedtrain.development import DesignKind, ExperimentFactor, Response, design
from seedtrain.development import Experiment as StudyDesign
from seedtrain.program._campaign import Assay, Campaign
from seedtrain.recipe import MasterRecipe
from seedtrain.simulation import Culture, Run, Vessel, simulate

Floats = NDArray[np.float64]
READINGS: Final = "readings.csv"
SHEET: Final = "runs.csv"
MAPPING: Final = "mapping.yaml"
LATEST: Final = 0.5
"""h before the end at which the last sample is taken."""
STILL: Final = 0.01
"""Of a factor's range: a standard deviation over the runs below which they do not vary it."""
LEAST_APART: Final = 0.05
"""Part of a factor's variance that the other factors must leave: one over a variance inflation of 20."""


def prior_draws(
    culture: Culture, ranges: Mapping[str, tuple[float, float]], count: int, rng: np.random.Generator
) -> list[dict[str, float]]:
    """Values of the parameters before any data: triangular over their ranges, about what is published."""
    columns = {}
    for name, (low, high) in ranges.items():
        middle = min(max(culture.parameters[name].value, low), high)
        columns[name] = rng.triangular(low, middle, high, count)
    return [{name: float(values[at]) for name, values in columns.items()} for at in range(count)]


def hidden_truth(campaign: Campaign, culture: Culture) -> dict[str, float]:
    """The values that virtual runs follow: one draw of the prior by the campaign's own seed."""
    rng = np.random.default_rng([campaign.entry.truth, int(digest("hidden truth")[:8], 16)])
    return prior_draws(culture, campaign.ranges, 1, rng)[0]


def designed(campaign: Campaign) -> Floats:
    """What each run is set to ("run, factor"): the D-optimal quadratic where the runs allow it, else spread evenly."""
    factors = tuple(
        ExperimentFactor(f"x{at}", item.unit, item.low, item.high) for at, item in enumerate(campaign.factors)
    )
    study = StudyDesign("campaign", factors, (Response("P", "g/L", "maximise"),))
    count, runs = len(factors), campaign.entry.runs
    quadratic = (count + 1) * (count + 2) // 2
    kind: DesignKind = "d-optimal" if runs >= quadratic else "space-filling"
    places = design(study, kind, runs=runs, seed=campaign.entry.seed)
    order = np.random.default_rng([campaign.entry.seed, 1]).permutation(len(places))
    rows = places[order]
    found = [
        [
            item.quantity(item.low + place * (item.high - item.low)).value
            for item, place in zip(campaign.factors, row, strict=True)
        ]
        for row in rows.tolist()
    ]
    return np.array(found)


def bench_run(culture: Culture, vessel: Vessel, recipe: MasterRecipe, *, points: int = 200) -> Run:
    """One production at the bench, without its seed train: as a fit simulates it."""
    return simulate(culture, vessel, recipe, unit_procedure=recipe.production.name, points=points)


def virtual_runs(
    campaign: Campaign,
    truth: Culture,
    vessel: Vessel,
    recipe: MasterRecipe,
    settings: Floats,
    *,
    progress: Progress = silent,
) -> dict[str, Run]:
    """The truth at every setting, without errors of assays."""
    found = {}
    width = len(str(len(settings)))
    for at, row in enumerate(settings.tolist()):
        progress(at / len(settings), f"virtual run {at + 1} of {len(settings)}")
        found[f"V{at + 1:0{width}d}"] = bench_run(truth, vessel, campaign.recipe(recipe, row))
    return found


def read_off(run: Run, assays: Sequence[Assay], rng: np.random.Generator) -> list[tuple[float, dict[str, float]]]:
    """What assays read of a run: (h, readings by symbol).

    Where the broth holds less than a method can tell, nothing is read: leaving out low readings instead of low contents
    would leave the high errors in. The last sample is taken `LATEST` before the end, as people do.
    """
    last = round(float(run.time[-1]) - LATEST, 2)
    rows: dict[float, dict[str, float]] = {}
    for item in assays:
        times = [round(item.every * number, 2) for number in range(1, int(last / item.every) + 1)]
        for time in [*(time for time in times if time < last - LATEST), last]:
            value = run.at(item.symbol, time)
            spread = item.error * abs(value) if item.proportional else item.error
            seen = value + spread * float(rng.standard_normal())
            if value >= item.least and seen > 0:
                rows.setdefault(time, {})[item.symbol] = float(f"{seen:.4g}")
    return sorted(rows.items())


def readings_table(runs: Mapping[str, Run], assays: Sequence[Assay], seed: int, *, simulated: bool = True) -> str:
    """Readings of every run as CSV, a row for each sample; the last column says that they are simulated."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(["run", "time [h]", *(f"{item.symbol} [{item.unit}]" for item in assays), "origin"])
    for name, run in runs.items():
        rng = np.random.default_rng([seed, int(digest(["readings", name])[:8], 16)])
        for time, row in read_off(run, assays, rng):
            cells = [repr(row[item.symbol]) if item.symbol in row else "" for item in assays]
            writer.writerow([name, f"{time:g}", *cells, "simulated" if simulated else "measured"])
    return stream.getvalue()


def settings_table(campaign: Campaign, names: Sequence[str], settings: Floats) -> str:
    """What each run was set to as CSV, with units in the header."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(["run", *(f"{item.label} [{item.unit}]" for item in campaign.factors)])
    for name, row in zip(names, settings.tolist(), strict=True):
        writer.writerow([name, *(repr(value) for value in row)])
    return stream.getvalue()


def mapping_text(name: str, assays: Sequence[Assay], groups: Mapping[str, tuple[str, str]], file: str) -> str:
    """The mapping of readings as `seedtrain fit` and `data check` take it; `groups`: scale and vessel of each run."""
    lines = [
        f'data: "{name}"',
        "origin: simulated # virtual runs; write measured for your own",
        "tables:",
        f"  - file: {file}",
        "    kind: offline",
        "    run: run",
        '    time: {column: "time [h]", unit: h}',
        "    columns:",
        *(f'      - {{column: "{a.symbol} [{a.unit}]", symbol: {a.symbol}, unit: "{a.unit}"}}' for a in assays),
        "runs:",
        *(f"  {run}: {{scale: {scale}, vessel: {vessel}}}" for run, (scale, vessel) in groups.items()),
    ]
    return "\n".join(lines) + "\n"


def check_apart(campaign: Campaign, settings: Floats) -> None:
    """Refuse factors that the runs do not vary, or only together: nothing could tell their effects apart."""
    spans = [item.high - item.low for item in campaign.factors]
    for item, width, span in zip(campaign.factors, settings.std(axis=0).tolist(), spans, strict=True):
        if width < STILL * span:
            raise InputError(
                f"the runs do not vary {item.label}",
                remedy="Take it out of the factors, or run other values of it. Where all runs are alike, fit them with "
                "`seedtrain fit` and give `fitted: fit.json` in place of data: that needs no factors.",
            )
    if len(settings) < len(spans) + 2:
        raise InputError(
            f"{len(settings)} runs are too few for {len(spans)} factors",
            remedy=f"Give {len(spans) + 2} runs or more, or fewer factors.",
        )
    if len(spans) < 2:
        return
    related: Floats = np.atleast_2d(np.corrcoef(settings.T))
    # The part of a factor's column that the others do not tell (Marquardt 1970's variance inflation, inverted).
    apart = 1.0 / np.diag(np.linalg.pinv(related, hermitian=True))
    rank = int(np.linalg.matrix_rank(related, tol=LEAST_APART))
    if rank == len(spans) and float(apart.min()) >= LEAST_APART:
        return
    np.fill_diagonal(related, 0.0)
    one, other = np.unravel_index(int(np.abs(related).argmax()), related.shape)
    names = f"{campaign.factors[min(one, other)].label} and {campaign.factors[max(one, other)].label}"
    raise InputError(
        f"the runs change factors together, {names} most (correlation {related[one, other]:.2f}): nothing tells their "
        "effects apart",
        remedy="Run some with one of them changed alone, or take one out of the factors.",
    )
