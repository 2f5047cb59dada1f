"""When each culture of a seed train starts, told from the harvest backwards, and the steps after it."""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from typing import Any

from seedtrain.development._scale import ScaleResult


@dataclass(frozen=True)
class Moment:
    """What happens `hours` after the start of the harvest (negative: before), where, for how long (h)."""

    what: str
    unit: str
    hours: float
    duration: float

    def at(self, harvest: datetime.datetime) -> datetime.datetime:
        """The moment by the clock."""
        return harvest + datetime.timedelta(hours=self.hours)

    def to_data(self) -> dict[str, Any]:
        """JSON-ready data."""
        return dict(vars(self))


def timing(result: ScaleResult) -> tuple[Moment, ...]:
    """Preparation and inoculation of every culture, the harvest, and every unit procedure after it, in order."""
    runs = (*result.seeds, result.production)
    names = [*(vessel.name for vessel in result.seed_vessels), result.vessel.name]
    found: list[Moment] = []
    start = -sum(run.totals["duration"][0] for run in runs)
    for run, name in zip(runs, names, strict=True):
        preparation, duration = run.totals["preparation"][0], run.totals["duration"][0]
        found.append(Moment("prepare", name, start - preparation, preparation))
        found.append(Moment("inoculate", name, start, duration))
        start += duration
    now = 0.0
    for step in result.steps:
        place = step.path.partition("/")[0]
        if found and found[-1].unit == place:
            last = found.pop()
            found.append(Moment(last.what, place, last.hours, last.duration + step.duration))
        else:
            found.append(Moment("harvest" if now == 0.0 else "process", place, now, step.duration))
        now += step.duration
    return tuple(sorted(found, key=lambda moment: moment.hours))
