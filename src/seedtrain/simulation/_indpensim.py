"""IndPenSim, the industrial penicillin plant of Goldrick 2015 with its recipe and controllers, on the engine.

The equations, parameters, recipe and controllers are data (`plants/indpensim.yaml`). A culture file cannot carry them:
the model brings its own vessel, and its controllers act once a sample on what they remember of earlier samples.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import Annotated, Final, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict

from seedtrain.base import InputError, parse_document, validate
from seedtrain.quantity import Measure, Quantity
from seedtrain.simulation._engine import DONE, Method, Schedule, System, Trajectories, compile_system
from seedtrain.simulation._errors import TrajectoryError
from seedtrain.simulation._run import Floats, ParameterUse, PhaseSpan, Run, Variable

PERSISTENCE: Final = 0.995
"""What a slow disturbance keeps from one sample to the next; version 2.02 of the authors' simulator."""
LONGEST: Final = 350.0  # h, the end of the published recipe
# Below these an error does not matter: in the unit of each state, most of which are far above.
SMALL: Final = {"S": 1e-7, "O2": 1e-9, "H": 1e-14, "CO2_d": 1e-8, "a0": 1e-8, "a1": 1e-8, "a3": 1e-8, "a4": 1e-8}
SMALL_VACUOLES: Final = 1.0  # 1/cm/L, where they reach 1e11


class _Entry(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _Parameter(_Entry):
    value: Annotated[Quantity, Measure(None)]
    source: str


class _State(_Entry):
    initial: Annotated[Quantity, Measure(None)]
    words: str


class _Memory(_Entry):
    of: str
    words: str


class _Setting(_Entry):
    unit: str
    until: list[float]
    value: list[float]

    def at(self, hour: float) -> float:
        """The setting at `hour`, which belongs to the span that it ends."""
        for end, value in zip(self.until, self.value, strict=True):
            if hour <= end + 1e-9:
                return value
        return self.value[-1]


class _Draw(_Entry):
    name: str
    mean: float
    sd: float


class _Plant(_Entry):
    plant: str
    title: str
    source: str
    status: Literal["reproduction"]
    sample: Annotated[Quantity, Measure("h")]
    parameters: dict[str, _Parameter]
    states: dict[str, _State]
    memory: dict[str, _Memory]
    control: dict[str, str]
    lines: dict[str, str]
    rates: dict[str, str]
    recipe: dict[str, _Setting]
    draws: list[_Draw]
    disturbances: dict[str, float]

    @property
    def hours(self) -> float:
        """Length of a sample, h."""
        return self.sample.magnitude("h")

    @property
    def numbers(self) -> tuple[str, ...]:
        """The inputs of the system in their order."""
        return (*self.parameters, *self.recipe, *self.disturbances, "k", "start", "sample")


@dataclass(frozen=True)
class PenicillinBatch:
    """One batch: where it starts (states of the plant, H as mol/L), its parameters, and its slow disturbances.

    `disturbances` has shape "sample, eight", in the order of the plant's file; all zero for the mean batch.
    """

    initial: Mapping[str, float]
    parameters: Mapping[str, float]
    disturbances: Floats


@lru_cache(maxsize=1)
def _plant() -> _Plant:
    place = files("seedtrain.simulation") / "plants" / "indpensim.yaml"
    plant = validate(parse_document(place.read_text("utf-8"), "plants/indpensim.yaml"), _Plant)
    assert set(plant.rates) == set(plant.states)
    return plant


@lru_cache(maxsize=1)
def penicillin_system() -> System:
    """The plant as a system: 33 published states and 8 that carry what the controllers remember."""
    plant = _plant()
    # What was there at the start of the sample: held, because the states themselves move on.
    starts = tuple((f"{name}_start", name) for name in plant.memory)
    targets = {name: f"{item.of}_start" if item.of in plant.memory else item.of for name, item in plant.memory.items()}
    moves = tuple(f"({targets[name]} - {name}_start) / sample" for name in plant.memory)
    return System(
        name="IndPenSim",
        states=(*plant.states, *plant.memory),
        numbers=plant.numbers,
        held=(*plant.control.items(), *starts),
        lines=tuple(plant.lines.items()),
        rates=(*(plant.rates[name] for name in plant.states), *moves),
        observed=("pH_now", "X", "kLa", *(name for name in plant.control if name.startswith("F_"))),
    )


def penicillin_batch(hours: float = 230.0, *, seed: int | None = None) -> PenicillinBatch:
    """The mean batch of `hours`, or the one that `seed` draws (as the public port draws it from numpy's generator)."""
    plant, count = _plant(), _samples(hours)
    initial = {name: item.initial.value for name, item in plant.states.items()}
    parameters = {name: item.value.value for name, item in plant.parameters.items()}
    if seed is None:
        return PenicillinBatch(initial, parameters, np.zeros((count, len(plant.disturbances))))
    generator = np.random.default_rng(seed)
    found = {item.name: item.mean + item.sd * float(generator.standard_normal()) for item in plant.draws}
    found |= {"a0": found["biomass"] / 3, "a1": 2 * found["biomass"] / 3, "H": 10 ** -found["pH"]}
    initial |= {name: value for name, value in found.items() if name in initial}
    parameters |= {name: value for name, value in found.items() if name in parameters}
    columns = [_slow(spread * generator.standard_normal(count + 1)) for spread in plant.disturbances.values()]
    return PenicillinBatch(initial, parameters, np.stack(columns, axis=1)[:count])


def simulate_penicillin(
    batch: PenicillinBatch | None = None,
    *,
    hours: float = 230.0,
    rtol: float = 1e-6,
    method: Method = "auto",
    every: float = 1.0,
) -> Run:
    """A batch of the penicillin plant under its published recipe; without `batch` the mean one, undisturbed.

    - `hours`: length, at most 350, in samples of 0.2 h. - `every`: h between stored points.

    **Returns** a run with every state of the plant in its published unit, `pH`, `X` (g/L) and the controllers' flows.
    Raises `InputError` for a length that is none, `TrajectoryError` where the integration stops.
    **Source** Goldrick et al. 2015, J. Biotechnol. 193:70-82.
    """
    plant, count = _plant(), _samples(hours)
    batch = batch or penicillin_batch(hours)
    if len(batch.disturbances) < count:
        raise InputError(
            f"the batch has disturbances for {len(batch.disturbances)} samples and the run has {count}",
            remedy="Draw the batch for as many hours as it runs.",
        )
    times = np.union1d(np.arange(0.0, count * plant.hours, every), [count * plant.hours])
    system = penicillin_system()
    atol = np.array([_small(name) for name in system.states])
    found = compile_system(system).run(_schedule(plant, batch, count), times, rtol=rtol, atol=atol, method=method)
    if int(found.status[0]) != DONE:
        last = dict(zip(system.states, found.states[0, -1].tolist(), strict=True))
        raise TrajectoryError(found.reason(0), time=float(found.reached[0]), last=last)
    return _run(plant, batch, times, found)


def _samples(hours: float) -> int:
    length = _plant().hours
    count = round(hours / length) if math.isfinite(hours) else 0
    if not 0 < count <= round(LONGEST / length):
        raise InputError(f"a batch of {hours} h", remedy=f"Give a length above 0 and up to {LONGEST:g} h.")
    return count


def _small(name: str) -> float:
    return SMALL_VACUOLES if name == "nm" or (name[0] == "n" and name[1:].isdigit()) else SMALL.get(name, 1e-6)


def _slow(noise: Floats) -> Floats:
    """A first-order filter over samples."""
    found, last = np.zeros_like(noise), 0.0
    for index, value in enumerate(noise.tolist()):
        last = PERSISTENCE * last + (1 - PERSISTENCE) * value
        found[index] = last
    return found


def _schedule(plant: _Plant, batch: PenicillinBatch, count: int) -> Schedule:
    initial = [batch.initial[name] for name in plant.states]
    acidity, warmth = -math.log10(batch.initial["H"]), batch.initial["T"]
    memory = {"pH_before": acidity, "pH_earlier": acidity, "T_before": warmth, "T_earlier": warmth}
    initial += [memory.get(name, 0.0) for name in plant.memory]
    fixed = [batch.parameters[name] for name in plant.parameters]
    rows = []
    for k in range(1, count + 1):
        settings = [item.at(k * plant.hours) for item in plant.recipe.values()]
        rows.append([*fixed, *settings, *batch.disturbances[k - 1].tolist(), k, (k - 1) * plant.hours, plant.hours])
    n = len(initial)
    return Schedule(
        initial=np.array([initial]),
        numbers=np.array([rows], dtype=float),
        jumps=np.zeros((1, count, n)),
        lengths=np.full((1, count), plant.hours),
        actions=np.zeros((1, count, 0), dtype=np.int8),
    )


def _run(plant: _Plant, batch: PenicillinBatch, times: Floats, found: Trajectories) -> Run:
    system = penicillin_system()
    variables = {}
    for index, (name, item) in enumerate(plant.states.items()):
        values = np.ascontiguousarray(found.states[0, :, index])
        variables[name] = Variable(name, item.initial.unit, values, item.words)
    seen: dict[str, tuple[str, str, str]] = {
        "pH_now": ("pH", "", "pH"),
        "X": ("X", "g/L", "biomass"),
        "kLa": ("kLa", "1/h", "oxygen transfer coefficient"),
    }
    for index, symbol in enumerate(system.observed):
        name, unit, words = seen.get(symbol, (symbol, "L/h", symbol.replace("F_", "flow of ")))
        variables[name] = Variable(name, unit, np.ascontiguousarray(found.observed[0, :, index]), words)
    uses = [
        ParameterUse(name, batch.parameters[name], item.value.unit, "sourced", f"Goldrick 2015: {item.source}")
        for name, item in plant.parameters.items()
    ]
    return Run(
        origin="simulated",
        recipe_digest="",
        culture=plant.plant,
        vessel="as published",
        unit_procedure="as published",
        time=times,
        variables=variables,
        phases=(PhaseSpan("recipe of IndPenSim", 0.0, float(times[-1])),),
        parameters=tuple(uses),
        status=plant.status,
    )
