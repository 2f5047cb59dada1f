"""The parameters of a unit's controllers as anybody can read and change them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

from seedtrain.automation._control import Pid
from seedtrain.base import InputError


@dataclass(frozen=True)
class Tuning:
    """One PID loop: `gain` in percent of the output (of a jacket's temperature: K) per unit of what is measured, the
    times in s. An integral time of 0 is none."""

    gain: float
    integral_time: float = 0.0
    derivative_time: float = 0.0


def tuning_of(loop: Pid) -> Tuning:
    """How a loop is tuned."""
    found = loop.settings
    integral = found.integral_time * 3600.0 if math.isfinite(found.integral_time) else 0.0
    return Tuning(found.gain, integral, found.derivative_time * 3600.0)


def tune(loop: Pid, tuning: Tuning) -> None:
    """Tune a loop without a bump; raises `InputError` for what is no tuning, and for a gain of the other sign."""
    if not (math.isfinite(tuning.gain) and tuning.gain * loop.settings.gain > 0):
        raise InputError(
            f"a gain of {tuning.gain:g} would drive the loop the wrong way, or not at all",
            remedy=f"Give one with the sign of {loop.settings.gain:g}.",
        )
    integral = tuning.integral_time / 3600.0 if tuning.integral_time != 0 else math.inf
    loop.retune(
        replace(
            loop.settings,
            gain=tuning.gain,
            integral_time=integral,
            derivative_time=tuning.derivative_time / 3600.0,
        )
    )


def tunings_data(loops: Mapping[str, Pid]) -> dict[str, list[float]]:
    """Every tuning by its tag, JSON-ready."""
    found = {tag: tuning_of(loop) for tag, loop in loops.items()}
    return {tag: [item.gain, item.integral_time, item.derivative_time] for tag, item in found.items()}


def restore_tunings(loops: Mapping[str, Pid], data: Mapping[str, list[float]]) -> None:
    """The tunings of `tunings_data`."""
    for tag, values in data.items():
        if tuning_of(loops[tag]) != Tuning(*values):
            tune(loops[tag], Tuning(*values))
