"""Tables as a laboratory has them, simulated: for trying out what is done with one's own.

Runs follow the recipe's culture with given values of its parameters, which scatter a little from run to run; assays and
sensors scatter too. Everything that is written says `simulated`.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from seedtrain.base import InputError, Progress, part, silent
from seedtrain.program._compare import recipe_in_vessel
from seedtrain.recipe import MasterRecipe
from seedtrain.simulation import Culture, Run, simulate

Floats = NDArray[np.float64]
ASSAY: Final = 0.04
"""Relative standard deviation of an assay; assumed."""
SENSOR: Final = 0.01
BETWEEN: Final = 0.02
"""Relative standard deviation of parameters, inocula and feeds from run to run; assumed."""
SAMPLES: Final = 12
EVERY: Final = 0.25
"""h between readings of the sensors."""
MOST_RUNS: Final = 48
CHANNELS: Final = tuple(range(400, 1801, 35))
"""1/cm."""
PURE: Final[Mapping[str, tuple[tuple[float, float, float], ...]]] = {
    "S": ((520.0, 35.0, 1.0), (1125.0, 45.0, 1.6)),
    "A": ((930.0, 30.0, 1.2),),
    "P": ((1005.0, 25.0, 0.8), (1655.0, 50.0, 1.0)),
    "X": ((780.0, 300.0, 0.35),),
}
"""Made-up bands by symbol: position and width in 1/cm, height per g/L."""
_SENSORS: Final = (("DO_percent", "DO [%]"), ("OUR", "OUR [mmol/L/h]"), ("CER", "CER [mmol/L/h]"), ("V", "volume [L]"),
                   ("F", "feed [L/h]"))  # fmt: skip
_ASSAYS: Final = (("X", "biomass"), ("S", "glucose"), ("A", "acetate"), ("P", "product"))


def laboratory(
    recipe: Path,
    *,
    unit: str | None = None,
    count: int = 4,
    values: Mapping[str, float] | None = None,
    plant: Path | None = None,
    spectra: bool = True,
    seed: int = 0,
    progress: Progress = silent,
) -> dict[str, str]:
    """The tables of `count` runs of a recipe in a unit of the plant (its own if not given), by file name.

    - `values`: of the culture's parameters, in its units: what a fit of these tables should find.
    - `spectra`: Raman spectra too, made up of bands and a background that is another in each vessel.

    `runs.csv` says where each run was made and with what it began; `assays.csv` has samples, `online.csv` sensors,
    `events.csv` what happened. Raises `InputError` for an unknown unit or parameter and for fewer than 1 or more than
    48 runs.
    """
    if not 1 <= count <= MOST_RUNS:
        raise InputError(f"{count} runs", remedy=f"Ask for 1 to {MOST_RUNS} runs.")
    if seed < 0:
        raise InputError(f"the seed is {seed}", remedy="Give 0 or more.")
    culture, vessel, master = recipe_in_vessel(recipe, plant=plant, vessel=unit, progress=part(progress, 0.0, 0.3))
    truth = culture.with_parameters(dict(values or {}))
    rng = np.random.default_rng([seed, *vessel.name.encode()])
    fed = _fed(master, truth)
    prefix = vessel.scale[:1].upper() or "R"
    runs: dict[str, Run] = {}
    about: list[list[Any]] = []
    for number in range(1, count + 1):
        name = f"{prefix}{number}"
        progress(0.3 + 0.7 * number / count, f"{vessel.name}: {name}")
        initial, feed = _begun(truth, rng), float(f"{rng.normal(1.0, BETWEEN):.3f}")
        own = truth.with_parameters(_scattered(truth, values or {}, rng))
        runs[name] = simulate(
            own, vessel, master, unit_procedure=master.production.name, initial=initial, feed_factor=feed
        )
        about.append([name, vessel.scale, vessel.name, feed, *initial.values(), *fed.values(), "simulated"])
    heads = ["run", "scale", "vessel", "feed factor", *(f"initial {name} [g/L]" for name in _begun(truth, rng)),
             *(f"fed {name} [g/L]" for name in fed), "origin"]  # fmt: skip
    files = {"runs.csv": _csv(heads, about), "assays.csv": _assays(runs, rng), "online.csv": _online(runs, rng),
             "events.csv": _events(runs)}  # fmt: skip
    return files | ({"raman.csv": _spectra(runs, vessel.name, rng)} if spectra else {})


def _begun(culture: Culture, rng: np.random.Generator) -> dict[str, float]:
    """What a run begins with, g/L: the usual of a bench culture, with scatter."""
    usual = {"X": 0.15, "S": 10.0, "A": 0.02}
    return {
        name: float(f"{value * rng.normal(1.0, 2 * BETWEEN):.4g}")
        for name, value in usual.items()
        if name in culture.species
    }


def _fed(master: MasterRecipe, culture: Culture) -> dict[str, float]:
    """What the recipe's feed holds of the culture's species, g/L; that of its last feed phase."""
    found: dict[str, float] = {}
    for place in master.phases():
        if place.phase.do == "feed":
            content = master.materials.get(place.phase.word("material"), {})
            found = {
                symbol: content[item.known_as].magnitude("g/L")
                for symbol, item in culture.species.items()
                if item.known_as in content
            }
    return found


def _scattered(culture: Culture, values: Mapping[str, float], rng: np.random.Generator) -> dict[str, float]:
    """The given parameters with their scatter from run to run, inside their ranges."""
    found = {}
    for name in values:
        item = culture.parameters[name]
        drawn = item.value * float(np.exp(rng.normal(0.0, BETWEEN)))
        found[name] = min(max(drawn, item.low), item.high)
    return found


def _csv(heads: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerows([heads, *rows])
    return stream.getvalue()


def _sample_times(run: Run) -> Floats:
    """When samples are drawn: evenly, with the last just before the end."""
    end = float(run.time[-1])
    return np.round(np.append(np.linspace(0.0, end, SAMPLES)[1:-1], end - 0.02), 2)


def _assays(runs: Mapping[str, Run], rng: np.random.Generator) -> str:
    species = [(symbol, words) for symbol, words in _ASSAYS if symbol in next(iter(runs.values())).variables]
    heads = ["run", "time [h]", *(f"{words} [g/L]" for _symbol, words in species), "sample volume [mL]"]
    rows = []
    for name, run in runs.items():
        for hour in _sample_times(run).tolist():
            seen = [max(run.at(symbol, hour), 0.0) * float(rng.normal(1.0, ASSAY)) for symbol, _words in species]
            seen = [value + float(rng.normal(0.0, 0.01)) for value in seen]
            rows.append([name, f"{hour:g}", *(f"{max(value, 0.0):.4g}" for value in seen), "1"])
    return _csv(heads, rows)


def _online(runs: Mapping[str, Run], rng: np.random.Generator) -> str:
    first = next(iter(runs.values()))
    known = [(symbol, head) for symbol, head in _SENSORS if symbol in first.variables]
    rows = []
    for name, run in runs.items():
        for hour in np.arange(0.0, float(run.time[-1]), EVERY).tolist():
            seen = [run.at(symbol, hour) * float(rng.normal(1.0, SENSOR)) for symbol, _head in known]
            rows.append([name, f"{hour:g}", *(f"{value:.5g}" for value in seen)])
    return _csv(["run", "time [h]", *(head for _symbol, head in known)], rows)


def _events(runs: Mapping[str, Run]) -> str:
    rows = [[name, f"{event.time:.3f}", event.kind, event.words] for name, run in runs.items() for event in run.events]
    return _csv(["run", "time [h]", "event", "words"], rows)


def _spectra(runs: Mapping[str, Run], vessel: str, rng: np.random.Generator) -> str:
    """A spectrum with every sample: bands of what is dissolved, a background and a gain of this very vessel."""
    places = np.array(CHANNELS, dtype=float)
    own = np.random.default_rng([7, *vessel.encode()])
    gain, slope = float(own.uniform(0.8, 1.25)), float(own.uniform(-1.0, 1.0))
    rows = []
    for name, run in runs.items():
        for hour in _sample_times(run).tolist():
            light = 3.0 + slope * (places - 1100.0) / 700.0
            for symbol, bands in PURE.items():
                if symbol in run.variables:
                    light = light + max(run.at(symbol, hour), 0.0) * _bands(places, bands)
            seen = gain * light * float(rng.normal(1.0, 0.02)) + rng.normal(0.0, 0.03, len(places))
            rows.append([name, f"{hour:g}", *(f"{value:.4f}" for value in seen)])
    return _csv(["run", "time [h]", *(str(place) for place in CHANNELS)], rows)


def _bands(places: Floats, bands: Sequence[tuple[float, float, float]]) -> Floats:
    found = np.zeros_like(places)
    for middle, width, height in bands:
        found += height * np.exp(-0.5 * ((places - middle) / width) ** 2)
    return found
