"""What imperfect mixing does: zones against the well-mixed vessel, and how often cells meet the feed."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from seedtrain.base import InputError
from seedtrain.development._feed import feed_phases, within
from seedtrain.development._scale import ScaleResult
from seedtrain.simulation import Culture, Run, StirredTank, simulate, zone_exchange

Floats = NDArray[np.float64]
MOST_ZONES: Final = 12
RTOL: Final = 1e-5
SHOWN: Final = 0.02
"""Relative difference between zones below which a variable shows no gradient."""


@dataclass(frozen=True)
class Gradient:
    """One variable at the hardest moment: its value in each zone from the bottom up, in `unit`."""

    name: str
    unit: str
    zones: tuple[float, ...]

    @property
    def spread(self) -> float:
        """Highest less lowest."""
        return max(self.zones) - min(self.zones)


@dataclass(frozen=True)
class Gradients:
    """The production culture in zones beside the same in a well-mixed vessel.

    - `time`: of the highest oxygen uptake within the feed, h; everything below is told there. `volume`: L.
    - `exchange`: flow each way between neighbouring zones that the run had, L/h. `stay`: time in the feed's zone, s;
      `return_time`: from one entry there to the next, s, both means of the zone model.
    - `oxygen_low`: part of the feed's time in which the poorest zone has less than a third of the oxygen set point.
    - `titre`: at harvest in zones and well mixed, g/L.
    """

    count: int
    time: float
    volume: float
    exchange: float
    rows: tuple[Gradient, ...]
    oxygen_low: float
    titre: tuple[float, float]
    run: Run = dataclasses.field(repr=False, compare=False)

    @property
    def stay(self) -> float:
        """Mean time in the zone of the feed, s: it is left through one side."""
        return self.volume / self.count / self.exchange * 3600.0

    @property
    def return_time(self) -> float:
        """Mean time from one entry into the zone of the feed to the next, s.

        By Kac's lemma: a zone with the share 1/N of the liquid that is left at the rate Q N/V is entered every V/Q.
        """
        return self.volume / self.exchange * 3600.0

    @property
    def titre_lost(self) -> float:
        """Part of the well-mixed titre that the gradients cost."""
        return 1.0 - self.titre[0] / self.titre[1] if self.titre[1] > 0 else 0.0

    def to_data(self) -> dict[str, Any]:
        """JSON-ready data without the trajectories."""
        return {
            "zones": self.count,
            "time_h": self.time,
            "exchange_L_per_h": self.exchange,
            "stay_s": self.stay,
            "return_time_s": self.return_time,
            "rows": [dataclasses.asdict(row) for row in self.rows],
            "oxygen_low": self.oxygen_low,
            "titre_in_zones": self.titre[0],
            "titre_well_mixed": self.titre[1],
            "titre_lost": self.titre_lost,
        }


def gradients(culture: Culture, result: ScaleResult, zones: int = 4) -> Gradients:
    """The production of `result` once more in `zones` layers; raises `InputError` for fewer than 2 or more than 12."""
    check_zones(zones)
    vessel = result.vessel
    if not isinstance(vessel, StirredTank):
        raise InputError(f"{vessel.name} is no stirred tank and has no layers", remedy="Ask in a stirred tank.")
    probe = min(vessel.probe_zone, zones)
    tank = dataclasses.replace(vessel, zones=zones, feed_zone=0, probe_zone=probe, side_compartment=None)
    recipe = result.control.recipe
    run = simulate(
        culture,
        tank,
        recipe,
        unit_procedure=recipe.production.name,
        inoculum=result.seeds[-1] if result.seeds else None,
        rtol=RTOL,
    )
    at = hardest(run, result)
    volume = float(run["V"][at])
    exchange = _exchange(tank, result, run, at)
    rows = tuple(row for row in _rows(run, zones, at) if row.spread > SHOWN * max(max(row.zones), 1e-12))
    mixed = result.production.totals["titre"][0]
    return Gradients(
        zones, float(run.time[at]), volume, exchange, rows, _oxygen_low(run, result, zones),
        (run.totals["titre"][0], mixed), run,
    )  # fmt: skip


def check_zones(count: int) -> None:
    """Refuse fewer than two zones, and more than a correlation of the mixing time can tell apart."""
    if not 2 <= count <= MOST_ZONES:
        raise InputError(f"{count} zones show no gradient", remedy=f"Ask for 2 to {MOST_ZONES} zones.")


def _exchange(tank: StirredTank, result: ScaleResult, run: Run, at: int) -> float:
    """The flow between neighbouring zones that the run has at `at`, L/h: without gas, at its phase's highest speed."""
    time = float(run.time[at])
    path = next(span.path for span in reversed(run.phases) if span.start <= time <= span.end)
    low, high = tank.stirrer_speed
    speed = result.control.recipe.phase(path).number("stirrer_speed", "1/min", high)
    return zone_exchange(tank, float(run["V"][0]), min(max(speed, low), high))


def hardest(run: Run, result: ScaleResult) -> int:
    """Index of the highest oxygen uptake while fed, or of all where nothing is fed."""
    fed = _fed(run, result)
    uptake = np.where(fed, run["OUR"], -1.0) if fed.any() else run["OUR"]
    return int(np.argmax(uptake))


def _fed(run: Run, result: ScaleResult) -> Any:
    found = np.zeros(len(run.time), dtype=bool)
    paths = {path for path, _ in feed_phases(result.control.recipe)}
    for span in run.phases:
        if span.path in paths:
            found[within(run, span)] = True
    return found


def _rows(run: Run, zones: int, at: int) -> list[Gradient]:
    names = [name[:-3] for name in run.variables if name.endswith("[1]")]
    found = []
    for name in names:
        values = tuple(float(run[f"{name}[{zone}]"][at]) for zone in range(1, zones + 1))
        found.append(Gradient(name, run.variables[f"{name}[1]"].unit, values))
    return found


def _oxygen_low(run: Run, result: ScaleResult, zones: int) -> float:
    """Part of the feed's time with too little oxygen in the poorest zone."""
    return float(_low_times(run, result, zones).max(axis=0, initial=0.0) @ _steps(run, result))


def low_share(run: Run, result: ScaleResult, shares: Floats) -> float:
    """Part of the cells' time within the feed with too little oxygen; `shares`: of each zone, shape "zone time"."""
    return float((_low_times(run, result, len(shares)) * shares).sum(axis=0) @ _steps(run, result))


def _steps(run: Run, result: ScaleResult) -> Floats:
    """Every stored point's part of the feed's time."""
    fed = np.append(np.diff(run.time), 0.0) * _fed(run, result)
    return np.asarray(fed / max(fed.sum(), 1e-12), dtype=float)


def _low_times(run: Run, result: ScaleResult, zones: int) -> Floats:
    """1 where a zone has less than a third of the oxygen set point, shape "zone time"."""
    if "DO[1]" not in run.variables:
        return np.zeros((zones, len(run.time)))
    points = [phase.quantity("dissolved_oxygen") for _, phase in feed_phases(result.control.recipe)]
    target = max((point.magnitude("") for point in points if point is not None), default=0.3)
    percent = run["DO_percent"]
    saturation = np.divide(100.0 * run["DO"], percent, out=np.zeros_like(percent), where=percent > 0)
    held = np.array([run[f"DO[{zone}]"] for zone in range(1, zones + 1)])
    return np.asarray(held < target / 3.0 * saturation, dtype=float)
