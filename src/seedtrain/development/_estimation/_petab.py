"""A PEtab problem (version 1, an SBML model without events) as a problem of estimation."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from seedtrain.base import SeedtrainError, collect
from seedtrain.development._estimation._inputs import Floats, Inputs
from seedtrain.development._estimation._parameters import SCALES, FitParameter, Prior, PriorKind
from seedtrain.development._estimation._petab_tables import PetabTables, Row, read_petab_tables
from seedtrain.development._estimation._problem import LIN, LOG, LOG10, Experiment, Problem, Readings
from seedtrain.simulation import (
    CompiledSystem,
    EngineSchedule,
    EngineSystem,
    SbmlModel,
    compile_system,
    read_sbml,
    sbml_start,
)

TRANSFORMS: Final = {"": LIN, "lin": LIN, "log": LOG, "log10": LOG10}
SHAPES: Final[Mapping[str, PriorKind]] = {
    "normal": "normal", "logNormal": "logNormal", "parameterScaleNormal": "parameterScaleNormal",
}  # fmt: skip
PRIORS: Final = ("", "uniform", "parameterScaleUniform", *SHAPES)
_NAME: Final = re.compile(r"[A-Za-z_]\w*")
_CALLS: Final = {"ln": "log", "exp": "exp", "log": "log", "sqrt": "sqrt", "abs": "abs", "tanh": "tanh", "min": "min",
                 "max": "max"}  # fmt: skip


def read_petab(path: str | Path) -> Problem:
    """The problem in a PEtab YAML file; every fault of its tables with file and line.

    Not taken, and refused by name: pre-equilibration, steady-state data (time inf), Laplace noise, events in the model.
    """
    return petab_problem(read_petab_tables(Path(path)))


def petab_problem(tables: PetabTables) -> Problem:
    """The problem of `tables`."""
    faults: list[SeedtrainError] = []
    free: list[FitParameter] = []
    fixed: dict[str, float] = {}
    for row in tables.rows("parameter"):
        try:
            if row["estimate"] in ("1", "1.0"):
                free.append(_parameter(row))
            else:
                fixed[row["parameterId"]] = row.number("nominalValue")
        except SeedtrainError as error:
            faults.append(error)
    collect(faults)
    made = _Maker(tables, read_sbml(tables.model), tuple(free), fixed)
    return Problem(tables.name, tuple(free), made.experiments(), made.model.time_unit or "time", fixed)


def _parameter(row: Row) -> FitParameter:
    kind = row["objectivePriorType"]
    if kind not in PRIORS:
        known = ", ".join(item for item in PRIORS if item)
        raise row.error(f"the prior {kind!r} of {row['parameterId']} is not supported", f"Use one of: {known}.")
    prior = Prior()
    if (shape := SHAPES.get(kind)) is not None:
        first, _, second = row["objectivePriorParameters"].partition(";")
        numbers = dataclasses.replace(row, cells={"mean": first, "deviation": second})
        prior = Prior(shape, numbers.number("mean"), numbers.number("deviation"))
    scale = SCALES.get(row["parameterScale"] or "lin")
    if scale is None:
        raise row.error(f"parameterScale is {row['parameterScale']!r}", "Use lin, log or log10.")
    low, high = row.number("lowerBound"), row.number("upperBound")
    nominal = (
        row.number("nominalValue") if row["nominalValue"] else (low * high) ** 0.5 if low > 0 else (low + high) / 2
    )
    try:
        return FitParameter(row["parameterId"], scale, low, high, nominal, prior=prior)
    except SeedtrainError as error:
        raise row.error(error.message, error.remedy) from None


@dataclass(frozen=True)
class _Line:
    """An observable as its readings have it: prediction and standard deviation as expressions of the engine."""

    text: str
    noise: str


class _Maker:
    """Observables as lines of the model's system, and the experiments."""

    def __init__(
        self, tables: PetabTables, model: SbmlModel, free: tuple[FitParameter, ...], fixed: Mapping[str, float]
    ) -> None:
        self.tables, self.model, self.free, self.fixed = tables, model, free, fixed
        self.places = {item.name: at for at, item in enumerate(free)}
        self.observables = {row["observableId"]: row for row in tables.rows("observable")}
        self.conditions = {row["conditionId"]: row for row in tables.rows("condition")}
        self.symbols = {name: item.symbol for name, item in model.quantities.items()} | {"time": "t"}
        names = [name for name in model.formulas if not name.startswith("rateof.")]
        self.symbols |= dict(zip(names, model.system.observed[len(model.system.states) :], strict=True))
        taken = {"t", *model.system.states, *model.system.numbers, *(symbol for symbol, _ in model.system.lines)}
        taken |= {symbol for symbol, _ in model.system.held}
        self.extra = {name: _fresh(f"p_{name}", taken) for name in (*self.places, *fixed) if name not in self.symbols}
        self.lines: dict[_Line, int] = {}

    def experiments(self) -> tuple[Experiment, ...]:
        """One for every simulated condition."""
        faults: list[SeedtrainError] = []
        kept: dict[str, list[tuple[Row, _Line]]] = {}
        for row in self.tables.rows("measurement"):
            try:
                self._refuse(row)
                line = self._line(row)
                self.lines.setdefault(line, len(self.lines))
                kept.setdefault(row["simulationConditionId"], []).append((row, line))
            except SeedtrainError as error:
                faults.append(error)
        collect(faults)
        self.read = self._read_numbers()
        compiled = compile_system(self._system())
        return tuple(self._experiment(name, rows, compiled) for name, rows in kept.items())

    def _refuse(self, row: Row) -> None:
        if row["preequilibrationConditionId"]:
            raise row.error("pre-equilibration is not supported", "Start from the equilibrium's values.")
        if row["simulationConditionId"] not in self.conditions:
            known = ", ".join(self.conditions)
            raise row.error(f"there is no condition {row['simulationConditionId']!r}", f"Use one of: {known}.")
        if row["observableId"] not in self.observables:
            known = ", ".join(self.observables)
            raise row.error(f"there is no observable {row['observableId']!r}", f"Use one of: {known}.")
        if row.number("time") < 0:
            raise row.error(f"the time is {row['time']}", "Give a time of 0 or more.")
        about = self.observables[row["observableId"]]
        if about["noiseDistribution"] not in ("", "normal"):
            raise about.error(f"the noise is {about['noiseDistribution']!r}", "Use normal noise.")
        if about["observableTransformation"] not in TRANSFORMS:
            raise about.error(f"the transformation is {about['observableTransformation']!r}", "Use lin, log or log10.")
        if TRANSFORMS[about["observableTransformation"]] != LIN and row.number("measurement") <= 0:
            raise row.error(f"the measurement {row['measurement']} has no logarithm", "Give a value above 0.")

    def _line(self, row: Row) -> _Line:
        about = self.observables[row["observableId"]]
        given: dict[str, str] = {}
        for column, word in (("observableParameters", "observableParameter"), ("noiseParameters", "noiseParameter")):
            parts = [part.strip() for part in row[column].split(";")] if row[column] else []
            given |= {f"{word}{at}_{row['observableId']}": part for at, part in enumerate(parts, 1)}
        # A file may name a placeholder and give nothing for it: the factor 1, as the reference reader does not ask.
        return _Line(
            self._engine(about, about["observableFormula"], given), self._engine(about, about["noiseFormula"], given)
        )

    def _engine(self, row: Row, text: str, given: Mapping[str, str]) -> str:
        """A formula of the tables in the engine's symbols."""

        def symbol(found: re.Match[str]) -> str:
            name = found[0]
            if text[found.end() :].lstrip().startswith("("):
                if name in _CALLS:
                    return _CALLS[name]
                raise row.error(f"the function {name!r} is not supported", f"Use one of: {', '.join(_CALLS)}.")
            if name in given:
                return f"({self._engine(row, given[name], {})})"
            if re.fullmatch(r"(observable|noise)Parameter\d+_.*", name):
                if name.startswith("observable"):
                    return "1.0"
                raise row.error(f"{name} has no value in the measurement table", "Fill the column noiseParameters.")
            if name in self.symbols:
                return self.symbols[name]
            if name in self.extra:
                return self.extra[name]
            raise row.error(f"{name!r} in {text!r} is unknown", "Use an id of the model or a parameter of the table.")

        # A number such as 1e-5 holds a letter that is no name.
        pieces = re.split(r"(?<![\w.])((?:\d+\.?\d*|\.\d+)[eE][+-]?\d+)", text.replace("^", "**"))
        text = "".join(pieces)
        return "".join(piece if at % 2 else _each(piece, symbol) for at, piece in enumerate(pieces))

    def _alone(self, line: _Line) -> int:
        """The estimated parameter that is all of a noise formula, or -1: the trajectory need not know it."""
        noise = line.noise.strip("() ")
        return next((at for name, at in self.places.items() if self.extra.get(name) == noise), -1)

    def _read_numbers(self) -> tuple[str, ...]:
        """The parameters outside the model that formulas read."""
        texts = [line.text for line in self.lines] + [line.noise for line in self.lines if self._alone(line) < 0]
        symbols = {name for text in texts for name in _NAME.findall(text)}
        return tuple(name for name, symbol in self.extra.items() if symbol in symbols)

    def _system(self) -> EngineSystem:
        system = self.model.system
        lines, observed = [], []
        for line, at in self.lines.items():
            noise = "1.0" if self._alone(line) >= 0 else f"({line.noise}) + 0.0"
            lines += [(f"obs_{at}_y", f"({line.text}) + 0.0"), (f"obs_{at}_s", noise)]
            observed += [f"obs_{at}_y", f"obs_{at}_s"]
        return dataclasses.replace(
            system,
            numbers=(*system.numbers, *(self.extra[name] for name in self.read)),
            lines=(*system.lines, *lines),
            observed=tuple(observed),
        )

    def _experiment(self, name: str, rows: list[tuple[Row, _Line]], compiled: CompiledSystem) -> Experiment:
        times = np.unique([row.number("time") for row, _ in rows])
        low, high = (np.array([getattr(item, end) for item in self.free]) for end in ("low", "high"))
        nominal = np.clip(np.array([item.nominal for item in self.free]), low, high)
        end = float(times[-1])
        inputs = Inputs(lambda values: self._schedule(self.conditions[name], values, end), low, high, nominal)
        largest = float(np.abs(inputs.schedule(nominal).initial).max(initial=0.0))
        atol = 1e-8 * (min(largest, 1.0) or 1.0)
        return Experiment(name, compiled, inputs, times, self._readings(rows, times), atol)

    def _schedule(self, condition: Row, values: Floats, end: float) -> EngineSchedule:
        known = dict(zip(self.places, values.tolist(), strict=True)) | dict(self.fixed)
        given = {name: value for name, value in known.items() if name in self.model.quantities}
        for column, cell in condition.cells.items():
            if column in ("conditionId", "conditionName") or not cell:
                continue
            if column not in self.model.quantities:
                raise condition.error(f"the model has no {column!r}", "Name the column by an id of the model.")
            given[column] = known[cell] if cell in known else condition.number(column)
        start = sbml_start(self.model, given)
        system = self.model.system
        numbers = [start[item] for item in system.numbers] + [known[item] for item in self.read]
        return EngineSchedule(
            initial=np.array([[start[item] for item in system.states]]),
            numbers=np.array([[numbers]]),
            jumps=np.zeros((1, 1, len(system.states))),
            lengths=np.array([[end]]),
            actions=np.zeros((1, 1, len(system.gauges)), dtype=np.int8),
        )

    def _readings(self, rows: list[tuple[Row, _Line]], times: Floats) -> Readings:
        places = [2 * self.lines[line] for _, line in rows]
        parameter = np.array([self._alone(line) for _, line in rows])
        return Readings(
            at=np.searchsorted(times, [row.number("time") for row, _ in rows]),
            of=np.array(places),
            value=np.array([row.number("measurement") for row, _ in rows]),
            transform=np.array([TRANSFORMS[self._about(row)["observableTransformation"]] for row, _ in rows]),
            sigma=np.ones(len(rows)),
            sigma_of=np.where(parameter >= 0, -1, np.array(places) + 1),
            sigma_parameter=parameter,
            names=tuple(row["observableId"] for row, _ in rows),
        )

    def _about(self, row: Row) -> Row:
        return self.observables[row["observableId"]]


def _each(text: str, symbol: Callable[[re.Match[str]], str]) -> str:
    return _NAME.sub(symbol, text)


def _fresh(wanted: str, taken: set[str]) -> str:
    found = wanted
    while found in taken:
        found += "_"
    taken.add(found)
    return found
