"""A model of good batches as a file: JSON that anybody can read, phase by phase; nothing in it is code."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any, Final, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from seedtrain.automation._monitoring._fit import alarm_factor, outstanding
from seedtrain.automation._monitoring._latent import Floats, Latent
from seedtrain.automation._monitoring._model import STATISTICS, GoldenModel
from seedtrain.base import InputError, Position, digest, read_text, write_atomic

FORMAT: Final = "seedtrain golden batches 1"


@dataclass(frozen=True)
class GoldenPhase:
    """The model of one phase: its `path`, and the unit of measure of each of the model's tags."""

    path: str
    units: tuple[str, ...]
    model: GoldenModel


@dataclass(frozen=True)
class GoldenBatches:
    """What good batches of a recipe are like.

    - `recipe`: its name. `origin`: of the batches. `every`: s between two points. `batches`: from which it was learnt.
    - `phases`: by path. `false_alarms`: share of good batches that may have an alarm, in whichever phase.
    - `outcome`: what PLS tells: the amount of product, in this unit; empty for PCA.
    """

    recipe: str
    origin: Literal["measured", "simulated"]
    every: float
    batches: tuple[str, ...]
    phases: Mapping[str, GoldenPhase]
    false_alarms: float
    outcome: str = ""

    def with_factor(self) -> GoldenBatches:
        """One factor for the alarms of all phases: a batch has several, and is to have no more alarms for that."""
        factor = alarm_factor(self._highest, self.false_alarms)
        phases = {
            path: replace(item, model=replace(item.model, factor=factor, false_alarms=self.false_alarms))
            for path, item in self.phases.items()
        }
        return replace(self, phases=phases)

    @property
    def _highest(self) -> list[float]:
        """The most that each batch came to, in whichever phase, by models made without it."""
        found: list[float] = np.max([item.model.left_out for item in self.phases.values()], axis=0).tolist()
        return found

    @property
    def outstanding(self) -> dict[str, float]:
        """Batches that are hardly good ones if the others are, each with how many times it goes beyond what one in a
        hundred would; they make the limits wide."""
        return {self.batches[place]: times for place, times in outstanding(self._highest).items()}

    @property
    def factor(self) -> float:
        """Of every phase's limits."""
        return next(iter(self.phases.values())).model.factor

    @property
    def digest(self) -> str:
        """SHA-256 of what it says, for the record of a batch."""
        return digest(self.to_data())

    def to_data(self) -> dict[str, Any]:
        """JSON-ready."""
        return {
            "format": FORMAT,
            "recipe": self.recipe,
            "origin": self.origin,
            "every_s": self.every,
            "false_alarms": self.false_alarms,
            "outcome": self.outcome,
            "batches": list(self.batches),
            "phases": [_phase_data(item) for item in self.phases.values()],
        }


def write_golden(golden: GoldenBatches, path: Path) -> None:
    """Write the model to a file, whole or not at all."""
    write_atomic(path, json.dumps(golden.to_data(), allow_nan=False) + "\n")


def read_golden(path: Path) -> GoldenBatches:
    """Read a model; raises `InputError` for a file that is none, and for numbers that do not fit each other."""
    text = read_text(path, what="model of good batches")
    remedy = "Learn it again: seedtrain batch golden."
    try:
        entry = _File.model_validate_json(text)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(item) for item in first["loc"])
        message = f"the file is no model of good batches: {where}: {first['msg']}".replace(": : ", ": ")
        raise InputError(message, position=Position(str(path)), remedy=remedy) from None
    try:
        return entry.golden()
    except ValueError as error:
        raise InputError(str(error), position=Position(str(path)), remedy=remedy) from None


Numbers = list[float]


class _Entry(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class _Phase(_Entry):
    phase: str = Field(min_length=1)
    tags: list[str] = Field(min_length=1)
    units: list[str]
    hours: Numbers = Field(min_length=1)
    mean: list[float | None]
    scale: Numbers
    loadings: list[Numbers]
    variance: Numbers
    noise: float
    spread: list[list[Numbers]]
    usual: Numbers
    limits: list[Numbers]
    level: float
    factor: float = Field(gt=0)
    left_out: Numbers
    weights: Numbers | None = None
    outcome_scale: tuple[float, float] | None = None
    outcome_error: Numbers | None = None

    def golden(self, count: int, false_alarms: float) -> GoldenPhase:
        """The model; raises `ValueError` where its parts do not fit each other."""
        columns, components = len(self.tags) * len(self.hours), len(self.variance)
        loadings = self._array("loadings", (columns, components))
        weights = None if self.weights is None else self._array("weights", (components,))
        latent = Latent(
            loadings, np.empty((0, components)), self._array("variance", (components,)), self.noise, weights
        )
        error = None if self.outcome_error is None else self._array("outcome_error", (len(self.hours),))
        self._array("left_out", (count,))
        if len(self.units) != len(self.tags):
            raise ValueError(f"{self.phase} has {len(self.tags)} tags and {len(self.units)} units")
        model = GoldenModel(
            tuple(self.tags),
            np.array(self.hours),
            self._array("mean", (columns,)),
            self._array("scale", (columns,)),
            latent,
            self._array("spread", (len(self.hours), components, components)),
            self._array("usual", (len(self.tags),)),
            self._array("limits", (len(STATISTICS), len(self.hours))),
            self.level,
            count,
            self.factor,
            false_alarms,
            tuple(self.left_out),
            self.outcome_scale,
            error,
        )
        return GoldenPhase(self.phase, tuple(self.units), model)

    def _array(self, name: str, shape: tuple[int, ...]) -> Floats:
        try:
            found = np.array(getattr(self, name), dtype=float)
        except ValueError:
            found = np.empty(0)  # rows of different lengths
        if found.shape != shape:
            raise ValueError(f"{name} of {self.phase} has the shape {found.shape}, not {shape}")
        return found


class _File(_Entry):
    format: Literal["seedtrain golden batches 1"]
    recipe: str
    origin: Literal["measured", "simulated"]
    every_s: float = Field(gt=0)
    false_alarms: float = Field(gt=0, lt=1)
    outcome: str
    batches: Annotated[list[str], Field(min_length=1)]
    phases: Annotated[list[_Phase], Field(min_length=1)]

    def golden(self) -> GoldenBatches:
        """What the file says."""
        count = len(self.batches)
        phases = {item.phase: item.golden(count, self.false_alarms) for item in self.phases}
        return GoldenBatches(
            self.recipe, self.origin, self.every_s, tuple(self.batches), phases, self.false_alarms, self.outcome
        )


def _phase_data(phase: GoldenPhase) -> dict[str, Any]:
    model, latent = phase.model, phase.model.latent
    return {
        "phase": phase.path,
        "tags": list(model.tags),
        "units": list(phase.units),
        "hours": model.hours.tolist(),
        "mean": [None if math.isnan(item) else item for item in model.mean.tolist()],
        "scale": model.scale.tolist(),
        "loadings": latent.loadings.tolist(),
        "variance": latent.variance.tolist(),
        "noise": latent.noise,
        "spread": model.spread.tolist(),
        "usual": model.usual.tolist(),
        "limits": model.limits.tolist(),
        "level": model.level,
        "factor": model.factor,
        "left_out": list(model.left_out),
        "weights": None if latent.outcome is None else latent.outcome.tolist(),
        "outcome_scale": model.outcome_scale,
        "outcome_error": None if model.outcome_error is None else model.outcome_error.tolist(),
    }
