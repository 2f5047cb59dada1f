"""Feeding strategies: how much a feed pump gives, from the time and from what the instruments show."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from seedtrain.automation._control._pid import Pid, PidSettings


class Feeding(Protocol):
    """A feeding strategy."""

    def step(self, hours: float, dt: float, seen: Mapping[str, float]) -> float:
        """L/h for the next `dt` hours, `hours` after the feed began; `seen`: readings by tag."""


@dataclass
class ConstantFeed:
    """The same rate all the time, L/h."""

    rate: float

    def step(self, hours: float, dt: float, seen: Mapping[str, float]) -> float:
        """As `Feeding.step`."""
        return self.rate


@dataclass
class ExponentialFeed:
    """Open loop: F = F_0 exp(mu t), up to `most`; L/h and 1/h."""

    initial: float
    growth_rate: float
    most: float = math.inf

    def step(self, hours: float, dt: float, seen: Mapping[str, float]) -> float:
        """As `Feeding.step`."""
        return min(self.initial * math.exp(self.growth_rate * hours), self.most)


@dataclass
class MuStat:
    """Exponential feed whose rate follows the growth rate that a soft sensor finds (tag `mu`, 1/h).

    The feed grows with `growth_rate` plus a correction between -`most_correction` and `most_correction` (1/h).
    """

    initial: float
    growth_rate: float
    most: float = math.inf
    most_correction: float = 0.1
    _rate: float = field(default=math.nan)
    _loop: Pid = field(init=False)

    def __post_init__(self) -> None:
        bound = self.most_correction
        self._loop = Pid(PidSettings(gain=1.0, integral_time=2.0, low=-bound, high=bound))

    def step(self, hours: float, dt: float, seen: Mapping[str, float]) -> float:
        """As `Feeding.step`."""
        if math.isnan(self._rate):
            self._rate = self.initial
            return self._rate
        correction = self._loop.step(self.growth_rate, seen.get("mu", math.nan), dt)
        self._rate = min(self._rate * math.exp((self.growth_rate + correction) * dt), self.most)
        return self._rate


@dataclass
class RiseStat:
    """Feeds a pulse when a value rises above a threshold, as it does when the substrate is used up.

    On `dissolved_oxygen` (of air saturation) it is a DO-stat, on `pH` a pH-stat. A pulse gives `rate` L/h for `pulse`
    hours, and there is none for `pause` hours after it.
    """

    tag: str
    threshold: float
    rate: float
    pulse: float = 0.1
    pause: float = 0.05
    _until: float = field(default=-math.inf)

    def step(self, hours: float, dt: float, seen: Mapping[str, float]) -> float:
        """As `Feeding.step`."""
        if hours < self._until:
            return self.rate
        if hours >= self._until + self.pause and seen.get(self.tag, -math.inf) > self.threshold:
            self._until = hours + self.pulse
            return self.rate
        return 0.0
