"""A PID controller as plants have it: limits without wind-up, bumpless hand-over, no kick from a set point.

Source: Astrom & Hagglund, Advanced PID Control (ISA, 2006), chapter 3: the ideal form with set-point weight, filtered
derivative of the measured value and back-calculation.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from seedtrain.base import InputError

DERIVATIVE_FILTER: Final = 8.0
"""The derivative is filtered with a time constant of the derivative time over this; usual values are 2 to 20."""
Mode = Literal["automatic", "manual"]


@dataclass(frozen=True)
class PidSettings:
    """How a loop is tuned.

    - `gain`: output per unit of the measured value; negative where more output makes it fall.
    - `integral_time`, `derivative_time`: h; an infinite integral time is none.
    - `low`, `high`: of the output. `rate`: how fast it may move, per h; `fall`: how fast it may fall, if slower.
    - `dead_band`: of an error only what is beyond this counts. `weight`: of the set point in the proportional part.
    """

    gain: float
    integral_time: float = math.inf
    derivative_time: float = 0.0
    low: float = 0.0
    high: float = 100.0
    rate: float = math.inf
    fall: float = math.inf
    dead_band: float = 0.0
    weight: float = 1.0

    def __post_init__(self) -> None:
        faults = []
        if not (math.isfinite(self.gain) and self.gain != 0):
            faults.append(f"a gain of {self.gain:g}")
        if not self.integral_time > 0:
            faults.append(f"an integral time of {self.integral_time:g} h")
        if not (math.isfinite(self.derivative_time) and self.derivative_time >= 0):
            faults.append(f"a derivative time of {self.derivative_time:g} h")
        if not self.low < self.high:
            faults.append(f"an output between {self.low:g} and {self.high:g}")
        if not (self.rate > 0 and self.fall > 0):
            faults.append(f"a rate of {min(self.rate, self.fall):g} per h")
        if not (self.dead_band >= 0 and 0 <= self.weight <= 1):
            faults.append(f"a dead band of {self.dead_band:g} with a weight of {self.weight:g}")
        if faults:
            raise InputError(f"a controller cannot have {' and '.join(faults)}", remedy="Tune it with finite values.")


@dataclass
class Pid:
    """One loop. `step` is called at its interval; the output stays where it is while the measured value is missing."""

    settings: PidSettings
    output: float = 0.0
    mode: Mode = "automatic"
    integral: float = field(default=math.nan)  # not a number: take over from `output` at the next step
    _slope: float = 0.0
    _last: float = math.nan

    def step(self, set_point: float, measured: float, dt: float) -> float:
        """The output after `dt` hours more, for a set point and a measured value in the same unit."""
        if not (math.isfinite(measured) and math.isfinite(set_point) and dt > 0):
            return self.output
        settings = self.settings
        slope = self._derivative(measured, dt)
        if self.mode == "manual":
            self.integral = math.nan
            return self.output
        error = set_point - measured
        error = math.copysign(max(abs(error) - settings.dead_band, 0.0), error)
        weighted = error - (1.0 - settings.weight) * set_point
        quick = settings.gain * (weighted - settings.derivative_time * slope)
        if math.isnan(self.integral):  # bumpless: what it does now is what it did
            self.integral = self.output - quick
        wanted = quick + self.integral
        up, down = settings.rate * dt, min(settings.rate, settings.fall) * dt
        output = min(max(wanted, self.output - down), self.output + up)
        output = min(max(output, settings.low), settings.high)
        if math.isfinite(settings.integral_time):
            self.integral += settings.gain * error * dt / settings.integral_time
            # What the limits cut off is taken back within a tracking time, so that it never winds up.
            tracking = max(settings.integral_time / 4, dt)
            self.integral += (output - wanted) * min(dt / tracking, 1.0)
        self.output = output
        return output

    def _derivative(self, measured: float, dt: float) -> float:
        """The filtered slope of the measured value, per h."""
        before, self._last = self._last, measured
        if self.settings.derivative_time == 0.0 or math.isnan(before):
            self._slope = 0.0
            return 0.0
        filtering = self.settings.derivative_time / DERIVATIVE_FILTER
        share = dt / (filtering + dt)
        self._slope += share * ((measured - before) / dt - self._slope)
        return self._slope

    def to_manual(self, output: float) -> None:
        """Somebody takes the output over."""
        self.mode = "manual"
        self.output = min(max(output, self.settings.low), self.settings.high)

    def to_automatic(self) -> None:
        """The controller takes over where the output stands."""
        if self.mode == "manual":
            self.mode = "automatic"
            self.integral = math.nan

    def shift(self, output: float) -> None:
        """What it drives is counted otherwise from now on: the same action has another output. What it has learnt and
        what it would do next move along."""
        self.integral += output - self.output
        self.output = output

    def retune(self, settings: PidSettings) -> None:
        """Other settings from now on, without a bump."""
        self.settings = settings
        self.integral = math.nan
        self.output = min(max(self.output, settings.low), settings.high)

    def to_data(self) -> list[Any]:
        """Its state, JSON-ready; not a number is None."""
        numbers = (self.output, self.integral, self._slope, self._last)
        return [self.mode, *(None if math.isnan(number) else number for number in numbers)]

    def restore(self, data: Sequence[Any]) -> None:
        """The state of `to_data`."""
        self.mode = data[0]
        numbers = (math.nan if number is None else float(number) for number in data[1:])
        self.output, self.integral, self._slope, self._last = numbers
