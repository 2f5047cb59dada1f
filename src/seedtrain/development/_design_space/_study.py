"""The runs behind a design space: every input drawn, the production simulated, the train walked, the limits read."""

from __future__ import annotations

import math
import os
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from multiprocessing import get_context
from typing import Any, Final, Literal, TypeVar

import numpy as np
from numpy.typing import NDArray

from seedtrain.base import InputError, Progress, SeedtrainError, silent
from seedtrain.development._design_space._chaos import term_powers
from seedtrain.development._design_space._inputs import Input, check_distinct
from seedtrain.development._feed import margins
from seedtrain.development._scale import ScaleResult
from seedtrain.quality import Limit
from seedtrain.quantity import Quantity, convert, same_dimension
from seedtrain.recipe import MasterRecipe
from seedtrain.simulation import (
    Culture,
    Run,
    broth,
    check_device,
    product_quality,
    run_train,
    simulate_each,
    untrained_rates,
)

Floats = NDArray[np.float64]
T = TypeVar("T")
Device = Literal["cpu", "cuda"]
FEWEST_RUNS: Final = 64
MOST_FAILED: Final = 0.2
POINTS: Final = 120
RUNS_PER_TERM: Final = 1.5
LEAST_EACH: Final = 256
"""Batches for which another process is worth its start."""
AT_ONCE: Final = {"cpu": 64, "cuda": 4096}
"""Batches that are integrated in one call of the engine, by the device that does it."""
LATER: Final = 2.0
"""How much longer than the batch at the set points the stored times go."""
OXYGEN: Final = "oxygen_margin"
"""Dissolved oxygen above its floor while fed, as a fraction: a limit that one may ask for."""


@dataclass(frozen=True)
class Attribute:
    """What must hold: `name` within `low` .. `high` (one may be infinite) in `unit`; `text` as it was written."""

    name: str
    unit: str
    low: float
    high: float
    text: str


@dataclass(frozen=True, eq=False)
class Study:
    """`x` standard inputs (factors -1 .. 1, others standard normal), shape "runs inputs"; `y` by attribute.

    - `untrained`: in how many batches a rate that was learned from data left what it was trained on, by rate.
    """

    inputs: tuple[Input, ...]
    attributes: tuple[Attribute, ...]
    x: Floats
    y: Mapping[str, Floats]
    asked: int
    failures: Mapping[str, int]
    seed: int
    untrained: Mapping[str, int] = field(default_factory=dict)

    @property
    def factors(self) -> int:
        """How many inputs are set points; they come first."""
        return sum(item.kind == "factor" for item in self.inputs)


def attributes_of(recipe: MasterRecipe, limits: Sequence[str]) -> tuple[Attribute, ...]:
    """The numbers of the specification that a model gives, and `limits` such as "titre >= 3 g/L"."""
    found = {
        line.attribute: _attribute(line.attribute, line.limit)
        for line in recipe.specification.lines
        if line.limit.range is not None
    }
    for text in limits:
        at = min((text.find(sign) for sign in "<>=" if sign in text), default=-1)
        if at <= 0:
            raise InputError(f"{text!r} is no limit", remedy="Write titre >= 3 g/L.")
        name = text[:at].strip()
        found[name] = _attribute(name, Limit.parse(text[at:].strip()))
    return tuple(found.values())


def _attribute(name: str, limit: Limit) -> Attribute:
    if limit.range is None:
        raise InputError(f"{name} {limit.text}: a word is no limit of a design space", remedy="Give a number.")
    low, high, unit = limit.range.low, limit.range.high, limit.unit
    return Attribute(
        name,
        unit,
        -np.inf if low is None else low.magnitude(unit),
        np.inf if high is None else high.magnitude(unit),
        limit.text,
    )


def study(
    culture: Culture,
    base: ScaleResult,
    inputs: Sequence[Input],
    attributes: Sequence[Attribute],
    *,
    runs: int,
    seed: int = 0,
    molar_mass: float = 44.8,
    workers: int | None = None,
    device: Device = "cpu",
    progress: Progress = silent,
) -> Study:
    """Simulate `runs` batches in the vessel of `base`, each with all inputs drawn (scrambled Sobol sequence).

    - `workers`: processes that share the work, all cores if not given; the result does not depend on them.
    - `device`: "cuda" integrates the cultures on the first CUDA device; their books and purifications stay here.

    Raises `InputError` for too few runs, an attribute that no run gives, and where more than a fifth of the runs come
    to no end; `UnavailableError` where `device` is "cuda" and there is none.
    """
    check_device(device)
    ordered = tuple(sorted(inputs, key=lambda item: item.kind != "factor"))
    check_distinct(ordered)
    if runs < FEWEST_RUNS:
        raise InputError(f"{runs} runs", remedy=f"Ask for {FEWEST_RUNS} or more.")
    check_runs(ordered, runs)
    x = _standard(ordered, runs, seed)
    batch = _Batch(culture, base, ordered, molar_mass, device)
    kept: list[int] = []
    rows: list[dict[str, tuple[float, str]]] = []
    failures: dict[str, int] = {}
    untrained: Counter[str] = Counter()
    for at, outcome in enumerate(_outcomes(batch, x, workers)):
        if isinstance(outcome, str):
            failures[outcome] = failures.get(outcome, 0) + 1
        else:
            figures, beyond = outcome
            if not rows:
                _check_known(attributes, figures)
            rows.append(figures)
            untrained.update(beyond)
            kept.append(at)
        if at % 32 == 0:
            progress(at / runs, f"{base.unit}: {at} of {runs} batches")
    if len(kept) < (1 - MOST_FAILED) * runs:
        raise InputError(
            f"{runs - len(kept)} of {runs} batches come to no end ({', '.join(failures)})",
            remedy="Narrow the ranges of the factors.",
        )
    y = {item.name: _column(item, rows) for item in attributes}
    return Study(ordered, tuple(attributes), x[kept], y, runs, failures, seed, dict(untrained))


def _standard(inputs: Sequence[Input], runs: int, seed: int) -> Floats:
    """What is drawn, shape "run, input": factors from -1 to 1, the others standard normal, cut at 3."""
    from scipy.special import ndtri
    from scipy.stats import qmc

    factors = sum(item.kind == "factor" for item in inputs)
    unit = qmc.Sobol(len(inputs), scramble=True, seed=seed).random_base2(int(np.ceil(np.log2(runs))))[:runs]
    found: Floats = np.where(np.arange(len(inputs)) < factors, 2 * unit - 1, np.clip(ndtri(unit), -3.0, 3.0))
    return found


def check_runs(inputs: Sequence[Input], runs: int) -> None:
    """Refuse fewer runs than a polynomial of so many inputs needs to be checked by leaving one out."""
    factors = sum(item.kind == "factor" for item in inputs)
    terms = len(term_powers(factors, len(inputs) - factors))
    if runs < RUNS_PER_TERM * terms:
        wanted = 2 ** math.ceil(math.log2(RUNS_PER_TERM * terms * 1.02))
        raise InputError(
            f"{runs} runs are too few for the {terms} terms of {len(inputs)} inputs",
            remedy=f"Ask for {wanted} runs, or vary less.",
        )


def _check_known(attributes: Sequence[Attribute], outcome: Mapping[str, tuple[float, str]]) -> None:
    """Refuse an attribute that no model gives, before all batches are simulated."""
    for attribute in attributes:
        if attribute.name not in outcome:
            known = ", ".join(sorted(outcome))
            raise InputError(
                f"no model gives {attribute.name!r}, so its probability cannot be told", remedy=f"Known: {known}."
            )
        unit = outcome[attribute.name][1]
        if not same_dimension(unit, attribute.unit):
            raise InputError(
                f"{attribute.name} {attribute.text}: the model gives {attribute.name} in {unit or 'no unit'}",
                remedy=f"Write the limit in {unit}." if unit else "Write the limit as a number or in %.",
            )


def _column(attribute: Attribute, rows: Sequence[Mapping[str, tuple[float, str]]]) -> Floats:
    values = []
    for row in rows:
        value, unit = row[attribute.name]
        values.append(convert(value, unit, attribute.unit) if unit != attribute.unit else value)
    return np.array(values)


def actual(item: Input, value: float) -> float:
    """The value that a standard one stands for."""
    if item.kind == "factor":
        low, high = item.ends
        return low + 0.5 * (value + 1.0) * (high - low)
    return float(item.target * np.exp(item.deviation * value))


def actual_values(inputs: Sequence[Input], x: Floats) -> list[float]:
    """The values that standard ones stand for; parameters of one posterior together."""
    found = [actual(item, standard) for item, standard in zip(inputs, x.tolist(), strict=True)]
    together = next((item.together for item in inputs if item.together is not None), None)
    if together is not None:
        places = {item.name: at for at, item in enumerate(inputs) if item.together is not None}
        at = [places[name] for name in together.names]
        for place, value in zip(at, together.values(x[at]).tolist(), strict=True):
            found[place] = value
    return found


@dataclass(frozen=True)
class _Batch:
    """What every batch of a study shares."""

    culture: Culture
    base: ScaleResult
    inputs: tuple[Input, ...]
    molar_mass: float
    device: Device = "cpu"


Outcome = tuple[dict[str, tuple[float, str]], tuple[str, ...]] | str
"""The figures of a batch with the learned rates that left what they were trained on, or the kind of its error."""


def _outcomes(batch: _Batch, x: Floats, workers: int | None) -> Iterator[Outcome]:
    """The outcome of every row of `x`, in order; in several processes where there is work for them."""
    count = min(workers or os.cpu_count() or 1, len(x) // LEAST_EACH)
    if count < 2:
        yield from _share(batch, x)
        return
    parts = np.array_split(x, count * 4)
    with ProcessPoolExecutor(count, mp_context=get_context("spawn")) as pool:
        for outcomes in pool.map(_share, [batch] * len(parts), parts):
            yield from outcomes


def _share(batch: _Batch, x: Floats) -> list[Outcome]:
    """The outcome of every row of `x`."""
    size = AT_ONCE[batch.device]
    return [outcome for first in range(0, len(x), size) for outcome in _together(batch, x[first : first + size])]


def _together(batch: _Batch, x: Floats) -> list[Outcome]:
    """The outcomes of the rows of `x`, whose cultures are integrated in one call."""
    base = batch.base
    asked = [_tried(_case, batch, row) for row in x]
    cases = [item for item in asked if not isinstance(item, str)]
    runs = simulate_each(
        cases,
        base.vessel,
        times=np.linspace(0.0, LATER * float(base.production.time[-1]), round(LATER * POINTS) + 1),
        unit_procedure=base.control.recipe.production.name,
        inoculum=base.seeds[-1] if base.seeds else None,
        rtol=1e-5,
        threads=1,
        device=batch.device,
    )
    ends = iter(zip(cases, runs, strict=True))
    found: list[Outcome] = []
    for item in asked:
        if isinstance(item, str):
            found.append(item)
            continue
        (grown, recipe), run = next(ends)
        found.append(_tried(_outcome, batch, grown, recipe, run) if isinstance(run, Run) else type(run).__name__)
    return found


def _tried(what: Callable[..., T], *given: Any) -> T | str:
    """What comes of it, or the kind of the error that a batch may end with."""
    try:
        return what(*given)
    except SeedtrainError as error:
        return type(error).__name__


def _case(batch: _Batch, x: Floats) -> tuple[Culture, MasterRecipe]:
    """The culture and the recipe of one row."""
    recipe = batch.base.control.recipe
    parameters: dict[str, tuple[float, str, str]] = {}
    for item, value in zip(batch.inputs, actual_values(batch.inputs, x), strict=True):
        if item.kind == "culture":
            known = batch.culture.parameters[item.name]
            parameters[item.name] = (value, known.status, known.source)
        else:
            recipe = recipe.with_value(item.path, item.name, Quantity(value, item.unit))
    return batch.culture.with_parameters(dict(parameters)) if parameters else batch.culture, recipe


def _outcome(
    batch: _Batch, grown: Culture, recipe: MasterRecipe, run: Run
) -> tuple[dict[str, tuple[float, str]], tuple[str, ...]]:
    """What the train makes of the broth of one batch."""
    steps = run_train(recipe, broth(run, grown), molar_mass=batch.molar_mass)
    product = steps[-1].outlet.masses.get("product", 0.0) if steps else 0.0
    found = dict(product_quality(steps))
    # The container's content follows from the filling, not from the batch.
    found["titre"] = run.totals["titre"]
    found["product"] = (product, "g")
    found["duration"] = run.totals["duration"]
    found[OXYGEN] = (margins(run, recipe).oxygen, "")
    return found, untrained_rates(run, grown)
