"""What a cell meets on its way through a vessel's zones: how far substrate and oxygen swing, how long, how often."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Zone:
    """A part of the broth at one moment: its share, substrate g/L, dissolved oxygen % of air."""

    share: float
    substrate: float
    oxygen: float


@dataclass(frozen=True)
class Swing:
    """One variable as the cells of a vessel meet it: its mean, the standard deviation over the cells, and the time for
    which what one cell meets stays alike, s (the integral of its autocorrelation; 0 where nothing swings)."""

    mean: float
    deviation: float
    persistence: float


@dataclass(frozen=True)
class Fluctuations:
    """A vessel's zones at its hardest moment, and what cells that wander through them meet.

    - `rates`: 1/h, from the zone of the row to that of the column. - `fed`: the zone that the feed enters.
    - `low`: part of the cells' time within the feed with less than a third of the oxygen set point.
    """

    zones: tuple[Zone, ...]
    rates: tuple[tuple[float, ...], ...]
    fed: int
    low: float

    @property
    def substrate(self) -> Swing:
        """Of the substrate, g/L."""
        return self._swing([zone.substrate for zone in self.zones])

    @property
    def oxygen(self) -> Swing:
        """Of the dissolved oxygen, % of air."""
        return self._swing([zone.oxygen for zone in self.zones])

    @property
    def stay(self) -> float:
        """Mean time in the zone of the feed, s."""
        return 3600.0 / sum(self.rates[self.fed])

    @property
    def entries(self) -> float:
        """How often a cell enters that zone, 1/h: in the steady walk as often as it leaves it."""
        return self.zones[self.fed].share * sum(self.rates[self.fed])

    def _swing(self, values: Sequence[float]) -> Swing:
        shares = np.array([zone.share for zone in self.zones])
        given = np.array(values)
        mean = float(shares @ given)
        off = given - mean
        variance = float(shares @ off**2)
        if variance <= (1e-9 * max(abs(mean), 1e-9)) ** 2:
            return Swing(mean, 0.0, 0.0)
        return Swing(mean, float(np.sqrt(variance)), 3600.0 * persistence(np.array(self.rates), shares, off))

    def path(self, seconds: float, seed: int = 0) -> tuple[Floats, NDArray[np.int_]]:
        """The zones that one cell passes by chance: the times (s) at which it enters them, and which; `seed` draws."""
        random = np.random.default_rng(seed)
        rates = np.array(self.rates)
        times, places = [0.0], [self.fed]
        while times[-1] < seconds:
            leaving = rates[places[-1]]
            times.append(times[-1] + 3600.0 * random.exponential(1.0 / leaving.sum()))
            places.append(int(random.choice(len(leaving), p=leaving / leaving.sum())))
        return np.array(times), np.array(places)

    def to_data(self) -> dict[str, Any]:
        """JSON-ready data."""
        return {
            "zones": [dict(vars(zone)) for zone in self.zones],
            "substrate": dict(vars(self.substrate)),
            "oxygen": dict(vars(self.oxygen)),
            "stay_s": self.stay,
            "entries_per_h": self.entries,
            "low_oxygen": self.low,
        }


def persistence(rates: Floats, shares: Floats, off: Floats) -> float:
    """Integral of the autocorrelation of what one cell meets, in the inverse unit of `rates`.

    - `rates`: from zone to zone, shape "from to". - `shares`: of each zone, its part of the cells' time.
    - `off`: the variable in each zone less its mean.

    The walk has the generator G = rates - diag(their sums), so that the integral of the covariance is the mean of
    off (-G)^-1 off on what has no mean (derived).
    """
    generator = rates - np.diag(rates.sum(axis=1))
    passed = np.linalg.lstsq(-generator, off, rcond=None)[0]
    passed = passed - shares @ passed
    return float(shares @ (off * passed) / (shares @ off**2))
