"""A culture in a vessel by a recipe, measured several times, as a problem of estimation."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from seedtrain.base import InputError, SeedtrainError, collect
from seedtrain.development._estimation._inputs import Floats, Inputs
from seedtrain.development._estimation._parameters import FitParameter, Prior, Scale
from seedtrain.development._estimation._problem import LIN, LOG, Experiment, Problem, Readings
from seedtrain.recipe import MasterRecipe
from seedtrain.simulation import Culture, EngineSchedule, Run, Setup, Vessel, compile_system, setup_of

ATOL: Final = 1e-8
DECADES: Final = 10.0
"""Bounds that lie further apart than this factor are searched by their logarithm."""
LEAST_SIGMA: Final = 1e-3
"""Of the largest reading: a standard deviation that is estimated does not fall below it."""
DIRECT: Final = ("OUR", "CER", "OTR", "mu", "q_S", "q_P", "q_O2", "DO", "C_CO2")


@dataclass(frozen=True)
class ErrorModel:
    """How readings of one observable scatter.

    - `kind`: constant (standard deviation in the reading's unit), proportional (to the prediction), or log (of the
      logarithm). - `sigma`: its size where known; estimated where None.
    """

    kind: str = "constant"
    sigma: float | None = None

    def __post_init__(self) -> None:
        if self.kind not in ("constant", "proportional", "log"):
            raise InputError(f"the error model {self.kind!r} is unknown", remedy="Use constant, proportional or log.")
        if self.sigma is not None and not (math.isfinite(self.sigma) and self.sigma > 0):
            raise InputError(f"a standard deviation is {self.sigma:g}", remedy="Give one above 0, or none.")


@dataclass(frozen=True)
class MeasuredRun:
    """Data of one run, and how it was run.

    - `run`: time h from inoculation; not-a-number where nothing was read. - `initial`: contents after inoculation by
      symbol, over what the recipe gives; `estimate_initial`: those that are estimated for this run, with bounds.
    - `parameters`: values that hold for this run alone; `feed_factor`: on the recipe's feed.
    """

    name: str
    run: Run
    recipe: MasterRecipe
    vessel: Vessel
    initial: Mapping[str, float] = field(default_factory=dict)
    estimate_initial: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    parameters: Mapping[str, float] = field(default_factory=dict)
    feed_factor: float = 1.0


def culture_problem(
    culture: Culture,
    runs: Sequence[MeasuredRun],
    fit: Sequence[str],
    *,
    observables: Sequence[str] = (),
    errors: Mapping[str, ErrorModel] | None = None,
    per_run: Sequence[str] = (),
    bounds: Mapping[str, tuple[float, float]] | None = None,
    priors: Mapping[str, tuple[float, float]] | None = None,
) -> Problem:
    """The problem of the parameters `fit` of `culture`.

    - `observables`: variables of the runs that are compared; every one that the model can tell, where none is named.
    - `errors`: by observable, `ErrorModel()` (constant, estimated) where left out. - `per_run`: those of `fit` that
      have a value of their own in every run. - `bounds`: by parameter, in its unit; the culture file's ranges if not
      given. - `priors`: mean and standard deviation by parameter, normal on the scale of the search.

    Raises `InputErrors` for unknown names, missing data, and parameters that change more than rates.
    """
    return _Maker(
        culture, tuple(runs), tuple(fit), observables, errors or {}, per_run, bounds or {}, priors or {}
    ).made()


class _Maker:
    def __init__(
        self,
        culture: Culture,
        runs: tuple[MeasuredRun, ...],
        fit: tuple[str, ...],
        observables: Sequence[str],
        errors: Mapping[str, ErrorModel],
        per_run: Sequence[str],
        bounds: Mapping[str, tuple[float, float]],
        priors: Mapping[str, tuple[float, float]],
    ) -> None:
        self.culture, self.runs, self.fit, self.errors, self.priors = culture, runs, fit, errors, priors
        self.per_run, self.bounds = tuple(per_run), bounds
        self._check()
        self.setups = [self._setup(item, {}, {}) for item in runs]
        self.observables = tuple(observables) or self._tellable()
        self._check_observables()
        self.parameters = tuple(self._parameters())
        self.places = {item.name: at for at, item in enumerate(self.parameters)}

    def _check(self) -> None:
        known = ", ".join(self.culture.parameters)
        faults: list[SeedtrainError] = [
            InputError(f"culture {self.culture.name} has no parameter {name!r}", remedy=f"Use one of: {known}.")
            for name in dict.fromkeys((*self.fit, *self.per_run, *self.bounds, *self.priors))
            if name not in self.culture.parameters
        ]
        faults += [
            InputError(f"{name} is to be fitted twice", remedy="Name it once.")
            for name in sorted({name for name in self.fit if self.fit.count(name) > 1})
        ]
        for what, names in (("a value for every run", self.per_run), ("bounds", self.bounds), ("a prior", self.priors)):
            faults += [
                InputError(
                    f"{name} has {what} but is not fitted", remedy="Name it among those to fit, or leave that out."
                )
                for name in names
                if name in self.culture.parameters and name not in self.fit
            ]
        if not self.runs:
            faults.append(InputError("there are no runs to fit to", remedy="Give data of at least one run."))
        if len({item.name for item in self.runs}) < len(self.runs):
            faults.append(InputError("two runs have the same name", remedy="Give each run its own name."))
        collect(faults)

    def _check_observables(self) -> None:
        """Every observable can be told by the culture and was read in some run."""
        faults: list[SeedtrainError] = []
        known = ", ".join(known_observables(self.setups[0]))
        for name in dict.fromkeys((*self.observables, *self.errors)):
            if observable_text(self.setups[0], name) is None:
                words = f"culture {self.culture.name} does not tell {name!r}"
                faults.append(InputError(words, remedy=f"Use one of: {known}."))
            elif not any(name in item.run.variables for item in self.runs):
                faults.append(InputError(f"no run has a reading of {name}", remedy="Name what was measured."))
        collect(faults)

    def _tellable(self) -> tuple[str, ...]:
        names = dict.fromkeys(name for item in self.runs for name in item.run.variables)
        found = tuple(name for name in names if observable_text(self.setups[0], name) is not None)
        if not found:
            raise InputError(
                f"the runs hold {', '.join(names) or 'nothing'}, which culture {self.culture.name} does not tell",
                remedy=f"Measure one of: {', '.join(known_observables(self.setups[0]))}.",
            )
        return found

    def _parameters(self) -> list[FitParameter]:
        found = []
        for name in self.fit:
            for label in [f"{name}@{item.name}" for item in self.runs] if name in self.per_run else [name]:
                found.append(self._parameter(name, label))
        for item in self.runs:
            for symbol, (low, high) in item.estimate_initial.items():
                middle = item.initial.get(symbol, 0.5 * (low + high))
                nominal = min(max(middle, low), high)
                found.append(FitParameter(f"{symbol}_0@{item.name}", "lin", low, high, nominal, "per L"))
        for name in self.observables:
            if self._error(name).sigma is None:
                found.append(self._sigma(name))
        return found

    def _parameter(self, name: str, label: str) -> FitParameter:
        about = self.culture.parameters[name]
        low, high = self.bounds.get(name, (about.low, about.high))
        if name in self.bounds and not low < high:
            raise InputError(
                f"{name} may lie between {low:g} and {high:g}", remedy="Give finite bounds, the lower first."
            )
        if not low < high:
            raise InputError(
                f"parameter {name} has no range: the culture file says {about.low:g} .. {about.high:g} {about.unit}",
                remedy=f"Give bounds: {name}=LOW..HIGH.",
            )
        scale: Scale = "log10" if low > 0 and high / low > DECADES else "lin"
        nominal = min(max(about.value, low), high)
        prior = Prior("parameterScaleNormal", *self.priors[name]) if name in self.priors else Prior()
        return FitParameter(label, scale, low, high, nominal, about.unit, prior)

    def _error(self, name: str) -> ErrorModel:
        return self.errors.get(name, ErrorModel())

    def _sigma(self, name: str) -> FitParameter:
        values = np.concatenate([item.run[name] for item in self.runs if name in item.run.variables])
        values = np.abs(values[np.isfinite(values)])
        if not len(values):
            raise InputError(f"every reading of {name} is empty", remedy="Leave it out of the observables.")
        unit = next(item.run.variables[name].unit for item in self.runs if name in item.run.variables)
        if self._error(name).kind == "constant":
            top = float(values.max()) or 1.0
            return FitParameter(f"sigma_{name}", "log10", LEAST_SIGMA * top, top, 0.05 * top, unit)
        return FitParameter(f"sigma_{name}", "log10", LEAST_SIGMA, 1.0, 0.05)

    def _setup(self, item: MeasuredRun, own: Mapping[str, float], initial: Mapping[str, float]) -> Setup:
        return setup_of(
            self.culture,
            item.vessel,
            item.recipe,
            unit_procedure=item.recipe.production.name,
            parameters={**item.parameters, **own},
            initial={**item.initial, **initial},
            feed_factor=item.feed_factor,
        )

    def made(self) -> Problem:
        """The problem."""
        experiments = tuple(self._experiment(item, setup) for item, setup in zip(self.runs, self.setups, strict=True))
        kept = {name: value for name, value in self.culture.values.items() if name not in self.fit}
        simulated = any(item.run.origin == "simulated" for item in self.runs)
        return Problem(self.culture.name, self.parameters, experiments, "h", kept, simulated)

    def _experiment(self, item: MeasuredRun, setup: Setup) -> Experiment:
        present = [name for name in self.observables if name in item.run.variables]
        lines, observed = [], []
        for name in self.observables:
            text = observable_text(setup, name)
            if text is None:
                known = ", ".join(known_observables(setup))
                raise InputError(f"culture {self.culture.name} does not tell {name!r}", remedy=f"Use one of: {known}.")
            lines.append((f"seen_{name}", f"{text} + 0.0"))
            observed.append(f"seen_{name}")
            error = self._error(name)
            if error.kind == "proportional":
                sigma = f"sigma_{name}"
                lines.append(
                    (f"scatter_{name}", f"{sigma} * max(seen_{name}, {LEAST_SIGMA * _top(self.runs, name)!r})")
                )
                observed.append(f"scatter_{name}")
        sigmas = tuple(f"sigma_{name}" for name in self.observables if self._error(name).kind == "proportional")
        system = dataclasses.replace(
            setup.system,
            numbers=(*setup.system.numbers, *sigmas),
            lines=(*setup.system.lines, *lines),
            observed=tuple(observed),
        )
        low, high, nominal = (
            np.array([getattr(p, end) for p in self.parameters]) for end in ("low", "high", "nominal")
        )
        inputs = Inputs(lambda values: self._schedule(item, values, sigmas), low, high, nominal)
        readings, times = self._readings(item, present, observed)
        own = [name for name in present if name not in setup.culture.species]
        direct = {name: f"{name} [{item.run.variables[name].unit}]" for name in own}
        labels = {**_labels(setup), **direct}
        return Experiment(item.name, compile_system(system), inputs, times, readings, ATOL, _readable(setup), labels)

    def _schedule(self, item: MeasuredRun, values: Floats, sigmas: tuple[str, ...]) -> EngineSchedule:
        own, initial = {}, {}
        for name, value in zip(self.places, values.tolist(), strict=True):
            symbol, _, run = name.partition("@")
            if run and run != item.name:
                continue
            if symbol in self.culture.parameters:
                own[symbol] = value
            elif run:
                initial[symbol.removesuffix("_0")] = value
        schedule = self._setup(item, own, initial).schedule
        given = [self._size(name, values) for name in sigmas]
        more = np.broadcast_to(np.array(given), (*schedule.numbers.shape[:2], len(given)))
        return dataclasses.replace(schedule, numbers=np.concatenate([schedule.numbers, more], axis=2))

    def _size(self, sigma: str, values: Floats) -> float:
        known = self._error(sigma.removeprefix("sigma_")).sigma
        return float(values[self.places[sigma]]) if known is None else known

    def _readings(self, item: MeasuredRun, present: list[str], observed: list[str]) -> tuple[Readings, Floats]:
        times = np.asarray(item.run.time, dtype=float)
        parts: list[tuple[float, int, float, int, float, int, int, str]] = []
        for name in present:
            error = self._error(name)
            logged = LOG if error.kind == "log" else LIN
            spread = observed.index(f"scatter_{name}") if error.kind == "proportional" else -1
            free = -1 if error.sigma is not None or spread >= 0 else self.places[f"sigma_{name}"]
            for time, value in zip(times.tolist(), item.run[name].tolist(), strict=True):
                if not math.isfinite(value) or time < 0:
                    continue
                if logged and value <= 0:
                    raise InputError(
                        f"run {item.name}: {name} is {value:g} at {time:g} h, which has no logarithm",
                        remedy="Choose a constant or proportional error.",
                    )
                place = observed.index(f"seen_{name}")
                parts.append((time, place, value, logged, error.sigma or 1.0, spread, free, name))
        if not parts:
            raise InputError(
                f"run {item.name} has no readings of {', '.join(self.observables)}",
                remedy="Give data, or leave it out.",
            )
        when, of, value, transform, sigma, sigma_of, free_of, names = zip(*parts, strict=True)
        marks = np.unique(when)
        arrays = (np.searchsorted(marks, when), np.array(of), np.array(value), np.array(transform), np.array(sigma))
        return Readings(*arrays, np.array(sigma_of), np.array(free_of), names), marks


def _readable(setup: Setup) -> dict[str, str]:
    """What one could measure of the broth besides, where the probe sits: by the state, its symbol."""
    here = setup.layout.suffixes[setup.layout.probe_zone]
    found = {f"m_{symbol}{here}": symbol for symbol in setup.culture.species}
    return found | {f"n_O{here}": "DO", f"n_N{here}": "NH"}


def _labels(setup: Setup) -> dict[str, str]:
    """What people call the contents of the broth, and in which unit they measure them."""
    found = {name: f"{name} ({item.words}) [{item.unit}]" for name, item in setup.culture.species.items()}
    return found | {"DO": "DO_percent (dissolved oxygen) [%]", "NH": "NH (ammonium) [mmol/L]"}


def _top(runs: Sequence[MeasuredRun], name: str) -> float:
    tops = [float(np.nanmax(np.abs(item.run[name]))) for item in runs if name in item.run.variables]
    return max(tops, default=1.0) or 1.0


def observable_text(setup: Setup, name: str) -> str | None:
    """A variable of a run as an expression of the system of `setup`, or nothing where it cannot be told."""
    culture, layout = setup.culture, setup.layout
    lines = {symbol for symbol, _ in (*setup.system.held, *setup.system.lines)}

    def content(state: str) -> str:
        return f"({' + '.join(f'{state}{suffix}' for suffix in layout.suffixes)}) / v"

    if name in culture.species:
        return content(f"m_{name}")
    if name == "DCW":
        cells = [(key, culture.masses[key]) for key, item in culture.species.items() if item.intracellular]
        return " + ".join(f"{mass!r} * {content(f'm_{key}')}" for key, mass in cells) or None
    if name == "NH":
        return content("n_N")
    if name == "V":
        return "v * V_0"
    oxygen = layout.content("n_O", layout.probe_zone)
    if name == "DO_percent" and "saturation" in lines:
        return f"100.0 * {oxygen} / saturation"
    if name in DIRECT and name in lines:
        return name
    return None


def known_observables(setup: Setup) -> tuple[str, ...]:
    """Every variable that data may be compared in."""
    names = (*setup.culture.species, "DCW", "NH", "V", "DO_percent", *DIRECT)
    return tuple(name for name in names if observable_text(setup, name) is not None)
