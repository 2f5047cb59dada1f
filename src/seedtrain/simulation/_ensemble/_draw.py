"""Random numbers by place: what a trajectory draws depends on the seed, the name and its own number alone."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from seedtrain.base import InputError
from seedtrain.simulation._metabolism import Span

Floats = NDArray[np.float64]
PER_BLOCK: Final = 4  # 64-bit numbers that Philox makes of one count


@dataclass(frozen=True)
class Normal:
    """Normal with `mean` and standard deviation `sd`, cut to `low` .. `high` (the part between, not piled up there)."""

    mean: float
    sd: float
    low: float = -math.inf
    high: float = math.inf


@dataclass(frozen=True)
class LogNormal:
    """Log-normal with `median` and geometric standard deviation `factor` (above 1)."""

    median: float
    factor: float


Spread = Span | Normal | LogNormal | Floats
"""How one parameter varies: a distribution, or one number for each trajectory."""


def check_spreads(spreads: Mapping[str, Spread], count: int) -> None:
    """Raise one `InputError` for the first spread from which nothing can be drawn."""
    for name, spread in spreads.items():
        fault = _fault(spread, count)
        if fault:
            raise InputError(f"{name}: {fault[0]}", remedy=fault[1])


def _fault(spread: Spread, count: int) -> tuple[str, str] | None:
    match spread:
        case Span(low, high, log):
            if not (math.isfinite(low) and math.isfinite(high) and low <= high):
                return f"{low:g} .. {high:g} is no range", "Give the lower end first, both finite."
            if log and low <= 0:
                return f"the range of a logarithm begins at {low:g}", "Begin above 0."
        case Normal(mean, sd, low, high):
            if not (math.isfinite(mean) and math.isfinite(sd) and sd >= 0 and low < high):
                return (
                    f"no normal distribution has mean {mean:g}, sd {sd:g}, {low:g} .. {high:g}",
                    "Give sd of at least 0.",
                )
            if not low - 8 * sd <= mean <= high + 8 * sd:
                return f"the mean {mean:g} is more than 8 sd from {low:g} .. {high:g}", "Choose limits nearer to it."
        case LogNormal(median, factor):
            if not (0 < median < math.inf and 1 <= factor < math.inf):
                return f"no log-normal has median {median:g} and factor {factor:g}", "Give a factor of at least 1."
        case _:
            if np.shape(spread) != (count,) or not np.isfinite(spread).all():
                return f"{np.shape(spread)} numbers for {count} trajectories", "Give one finite number for each."
    return None


def draw(spreads: Mapping[str, Spread], seed: int, first: int, count: int) -> dict[str, Floats]:
    """Values of trajectories `first` to `first + count`, by name.

    A name's stream is Philox 4x64 (Salmon et al. 2011, doi:10.1145/2063384.2063405), a function of a key and a count:
    the key comes from `seed` and the name, the count from the trajectory's number.
    """
    return {name: _values(spread, seed, name, first, count) for name, spread in spreads.items()}


def uniform(seed: int, name: str, first: int, count: int) -> Floats:
    """Numbers `first` to `first + count` of the stream of `name`, even in [0, 1)."""
    key = hashlib.blake2b(f"{seed}\n{name}".encode(), digest_size=16).digest()
    stream = np.random.Philox(key=int.from_bytes(key, "big"), counter=first // PER_BLOCK)
    skipped = first % PER_BLOCK
    return np.random.Generator(stream).random(skipped + count)[skipped:]


def _values(spread: Spread, seed: int, name: str, first: int, count: int) -> Floats:
    if isinstance(spread, np.ndarray):
        return np.asarray(spread[first : first + count], dtype=float)
    unit = uniform(seed, name, first, count)
    match spread:
        case Span(low, high, log):
            return np.asarray(low * (high / low) ** unit if log else low + (high - low) * unit)
        case Normal(mean, sd, low, high):
            return _normal(unit, mean, sd, low, high)
        case LogNormal(median, factor):
            return np.asarray(np.exp(_normal(unit, math.log(median), math.log(factor), -math.inf, math.inf)))


def _normal(unit: Floats, mean: float, sd: float, low: float, high: float) -> Floats:
    from scipy.special import ndtr, ndtri

    if sd == 0:
        return np.full(len(unit), mean)
    # The middle of each of the 2^53 cells: 0 would be at minus infinity.
    middle = unit + 2.0**-54
    below, above = ndtr((low - mean) / sd), ndtr((high - mean) / sd)
    return np.asarray(np.clip(mean + sd * ndtri(below + (above - below) * middle), low, high))
