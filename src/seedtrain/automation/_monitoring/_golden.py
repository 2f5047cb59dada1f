"""Batches of the virtual plant to learn from and to try out on: cultures that differ, noise, planted faults.

Everything here is simulated.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from seedtrain.automation._control import GAS_AS_SET, Case, ExponentialFeed, VesselControl, culture_of_run
from seedtrain.automation._faults import Fault
from seedtrain.automation._monitoring._latent import Floats
from seedtrain.base import UnavailableError

if TYPE_CHECKING:
    from seedtrain.automation._plant._live_tank import DrivenTank

TICK_H: Final = 30 / 3600
POINT_TICKS: Final = 12  # a point every six minutes
LONGEST_GROWTH_H: Final = 40.0
TAGS: Final = (
    *("temperature", "jacket_temperature", "pH", "dissolved_oxygen", "stirrer_speed", "aeration", "head_pressure"),
    *("broth_volume", "feed_rate", "base_rate", "OUR", "CER", "exit_oxygen", "exit_carbon_dioxide", "foam"),
)
"""Instruments."""
SOFT_TAGS: Final = ("RQ", "mu", "biomass_estimate")
"""Soft sensors, which count where they are good."""
PATH: Final = "feed"


@dataclass(frozen=True)
class Planted:
    """A fault that is planted: `name` in words, `kind`, `tag` and `offset` as in `Fault`, for `hours`."""

    name: str
    kind: str
    tag: str = ""
    offset: float = 0.0
    hours: float = 100.0

    def at(self, start: float) -> Fault:
        """The fault from `start` h of the feed on."""
        return Fault("", PATH, self.tag, self.offset, start, start + self.hours, self.name, self.kind)


def planted_faults() -> tuple[Planted, ...]:
    """What the table of detection tries; sizes are assumed, some of them too small to be found."""
    return (
        Planted("pH probe drifts by 0.05/h", "drift", "pH", 0.05),
        Planted("pH probe off by 0.15", "offset", "pH", -0.15),
        Planted("temperature probe off by 0.5 degC", "offset", "temperature", 0.5),
        Planted("oxygen probe off by 6 %", "offset", "dissolved_oxygen", 6.0),
        Planted("oxygen probe stuck", "stuck", "dissolved_oxygen"),
        Planted("gas analyser (O2) noisy, 8 times", "noise", "exit_oxygen", 8.0),
        Planted("feed line blocked for 30 min", "feed_blocked", hours=0.5),
        Planted("base runs dry", "base_blocked"),
        Planted("no gas for 6 min", "air_lost", hours=0.1),
        Planted("power dip of 3 min", "power_dip", hours=0.05),
        Planted("foams 3 times as readily", "foaming", offset=3.0),
        Planted("contaminant comes in, 0.05 g/L", "contamination", offset=0.05),
        Planted("contaminant comes in, 0.5 g/L", "contamination", offset=0.5),
    )


def golden_batch(
    case: Case, seed: Sequence[int], *, hours: float, faults: Sequence[Fault] = ()
) -> tuple[Floats, float]:
    """One batch from the beginning of the feed for `hours`: means over six minutes of what is good, as telemetry is
    learnt from; "time tag" of `TAGS` and `SOFT_TAGS`, not a number where nothing was good.

    With it the biomass at the end, g. `faults` in h of the feed. The culture of a `seed` is always the same.
    """
    # A plant's code is for the plant's process, and for benches like this one.
    from seedtrain.automation._plant._instruments import Instruments
    from seedtrain.automation._plant._live_tank import DrivenTank

    driven = DrivenTank(
        culture_of_run(case, seed),
        VesselControl(case.vessel, case.set_points, scheme=GAS_AS_SET),
        Instruments("golden", int(np.random.default_rng([*seed, 1]).integers(2**31))),
        case.base,
    )
    driven.feed_liquid = case.feed
    driven.estimate()
    for _ in range(round(LONGEST_GROWTH_H / TICK_H)):
        driven.look(TICK_H, ())
        if driven.truth()[case.substrate] < 0.1:
            break
        driven.move(0.0, TICK_H, ())
    else:
        raise UnavailableError(
            f"the culture has not used up its substrate in {LONGEST_GROWTH_H:g} h",
            remedy="Compare a recipe whose batch phase ends.",
        )
    driven.feeding = ExponentialFeed(case.rate, case.growth_rate, case.most)
    rows: list[Floats] = []
    stretch: list[list[float]] = []
    for number in range(round(hours / TICK_H)):
        now = number * TICK_H
        active = [(fault, now - fault.start) for fault in faults if fault.start <= now < fault.end]
        driven.look(TICK_H, active)
        driven.move(now, TICK_H, active)
        stretch.append([_good(driven, tag) for tag in (*TAGS, *SOFT_TAGS)])
        if len(stretch) == POINT_TICKS:
            rows.append(_means(stretch))
            stretch = []
    true = driven.truth()
    return np.array(rows), true["cells"] * true["volume"]


def _good(driven: DrivenTank, tag: str) -> float:
    """What is seen of a tag; not a number where it is not to be trusted."""
    return driven.seen[tag] if driven.quality(tag) == "good" else float("nan")


def _means(stretch: Sequence[Sequence[float]]) -> Floats:
    """Of each tag over what was good."""
    table = np.array(stretch)
    read = np.isfinite(table)
    total, count = np.where(read, table, 0.0).sum(axis=0), read.sum(axis=0)
    means: Floats = np.divide(total, count, out=np.full(len(count), np.nan), where=count > 0)
    return means
