"""A running batch beside a model of good ones: what its telemetry says is judged as it comes, and gives alarms."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import numpy as np

from seedtrain.automation._alarms import Alarm, AlarmWatch, Priority
from seedtrain.automation._fold import BatchState
from seedtrain.automation._monitoring._file import GoldenBatches, GoldenPhase
from seedtrain.automation._monitoring._latent import Floats
from seedtrain.automation._monitoring._model import IN_A_ROW, STATISTICS, Finding, Trace, index_of
from seedtrain.automation._monitoring._profile import OWN, PhaseTime, own_tags, phase_times, profile
from seedtrain.base import InputError, decimal_text, digest
from seedtrain.quantity import Quantity, QuantityError, same_dimension
from seedtrain.record import Draft, Ledger, Spool, Telemetry, batch_time, telemetry_path, time_of, timestamp

SYSTEM: Final = "system"
SEEN: Final = "batch.monitored"
INDEX: Final = f"{OWN}index"
NAMED: Final = 3
"""Tags that an alarm names."""
OUTCOME: Final = f"{OWN}outcome"
_TAGS: Final = (f"{OWN}SPE", f"{OWN}T2", f"{OWN}mean_SPE")


@dataclass(frozen=True)
class GoldenPoint:
    """One time of a phase: its end, h of the phase, and each statistic over its limit for an alarm.

    - `index`: what stands against 1. `told`: the outcome as far as it can be told; None where the model tells none.
    - `alarm`: whether the alarm stands then. `finding`: what is above 1 is made of.
    """

    unit: str
    phase: str
    at: datetime
    hours: float
    ratios: Mapping[str, float]
    index: float
    told: float | None
    alarm: bool
    finding: Finding | None

    def to_data(self) -> dict[str, Any]:
        """JSON-ready."""
        found = self.finding
        return {
            "unit": self.unit,
            "phase": self.phase,
            "at": timestamp(self.at),
            "hours": round(self.hours, 6),
            "ratios": dict(self.ratios),
            "index": self.index,
            "told": self.told,
            "alarm": self.alarm,
            "statistic": found.statistic if found is not None else None,
            "contributions": dict(found.contributions) if found is not None else {},
        }


@dataclass
class _Seen:
    """What was judged of one phase so far: how many times, the highest index, and whether the record has its end."""

    count: int = 0
    highest: float = 0.0
    closed: bool = False


class GoldenWatch:
    """Judges one batch by a model, time after time; each look reads what the record and the telemetry have gained.

    What it finds goes into the telemetry as the tags `golden.SPE`, `golden.T2`, `golden.mean_SPE` (each over its limit
    for an alarm), `golden.index` and, where the model tells the outcome, `golden.outcome`; into the record as an alarm
    `golden@PHASE`, and as `batch.monitored` when a phase begins to be watched and when it is over. Made anew after a
    kill it judges the running phase again and writes nothing twice.

    Raises `InputError` for a batch that is not there, of another recipe, or measured where the model is of simulated
    batches.
    """

    def __init__(self, ledger: Ledger, batch: str, model: GoldenBatches, *, priority: Priority = "high") -> None:
        self.ledger, self.batch, self.model = ledger, batch, model
        self.state = BatchState(batch)
        self._catch_up()
        self._check()
        origin = str((self.state.created or {}).get("origin", ""))
        self.origin: Any = "measured" if origin == "measured" else "simulated"
        self._priority: Priority = priority
        self._digest = model.digest
        self._seen: dict[str, _Seen] = {}
        self._alarms: dict[str, AlarmWatch] = {}
        self._spool = Spool(telemetry_path(ledger.path))

    def _check(self) -> None:
        created = self.state.created
        if created is None:
            raise InputError(f"the ledger has no batch {self.batch!r}", remedy="See: seedtrain batch list.")
        if created.get("recipe") != self.model.recipe:
            raise InputError(
                f"batch {self.batch} runs {created.get('recipe')}, the model is of {self.model.recipe}",
                remedy="Give the model of its own recipe.",
            )
        if created.get("origin") == "measured" and self.model.origin != "measured":
            raise InputError(
                f"batch {self.batch} is measured, the model is of simulated batches",
                remedy="Learn from measured batches: seedtrain batch golden.",
            )

    def look(self) -> tuple[GoldenPoint, ...]:
        """Judge every time that is over since the last look."""
        self._catch_up()
        events = list(self.ledger.events(subject=self.batch, type="step.commanded"))
        found: list[GoldenPoint] = []
        with Telemetry(self.ledger) as telemetry:
            for path, time in phase_times(batch_time(self.ledger, self.batch), events).items():
                golden = self.model.phases.get(path)
                if golden is not None and not (path in self._seen and self._seen[path].closed):
                    found += self._phase(telemetry, golden, time)
        self._spool.flush()
        return tuple(found)

    @property
    def ended(self) -> bool:
        """Whether the batch is over."""
        return self.state.state().is_final

    def close(self) -> None:
        """Bring everything to the disk."""
        self._spool.close()

    def _catch_up(self) -> None:
        for event in self.ledger.events(subject=self.batch, after=self.state.seq):
            self.state.apply(event)

    def _phase(self, telemetry: Telemetry, golden: GoldenPhase, time: PhaseTime) -> Iterator[GoldenPoint]:
        model, every = golden.model, self.model.every
        units = dict(zip(model.tags, golden.units, strict=True))
        known = [tag for tag in telemetry.tags() if tag in units]
        end = None if time.end is None else time_of(time.end) + timedelta(microseconds=1)
        trends = own_tags(telemetry.trends(known, time_of(time.start), end) if known else (), time.unit)
        self._check_units(trends, units)
        hours = [time.hours(item.time) for items in trends.values() for item in items]
        latest = max((float(np.nanmax(item, initial=0.0)) for item in hours), default=0.0)
        seen = self._seen.get(golden.path) or self._begun(golden, time)
        count = min(int(latest * 3600.0 / every + 1e-6), len(model.hours))
        values = profile(trends, time, units, every, count)
        if count > seen.count:
            trace = model.trace(values)
            for place in range(seen.count, count):
                yield self._point(golden, time, values[: place + 1], trace)
            seen.count = count
        if time.end is not None:
            self._over(golden, time, seen)

    def _check_units(self, trends: Mapping[str, Any], units: Mapping[str, str]) -> None:
        for tag, items in trends.items():
            for item in items:
                try:
                    same = same_dimension(item.unit, units[tag])
                except QuantityError:
                    same = False
                if not same:
                    here, there = item.unit or "no unit", units[tag] or "no unit"
                    raise InputError(
                        f"{item.device} is in {here}, the model has {tag} in {there}",
                        remedy="Learn the model from batches of this plant.",
                    )

    def _begun(self, golden: GoldenPhase, time: PhaseTime) -> _Seen:
        """A phase begins to be watched: its alarm, and a line in the record."""
        path, start = golden.path, time_of(time.start)
        delay = timedelta(seconds=self.model.every * IN_A_ROW)
        alarm = Alarm(
            time.unit,
            INDEX,
            f"golden@{path}",
            "high",
            Quantity(1.0, ""),
            off_delay=delay,
            priority=self._priority,
            phases=(path,),
        )
        watch = AlarmWatch(self.ledger, self.batch, [alarm], origin=self.origin)
        watch.phase(time.unit, path, "", start)
        self._alarms[path] = watch
        self._tell(golden, time, "began", start)
        return self._seen.setdefault(path, _Seen())

    def _point(self, golden: GoldenPhase, time: PhaseTime, values: Floats, trace: Trace) -> GoldenPoint:
        """Judge the last time of `values`: into the telemetry, and to the alarm."""
        model, unit, place = golden.model, time.unit, len(values) - 1
        ratios = model.ratios(trace)
        index = index_of(ratios)[:, place]
        highest = float(index.max())
        finding = model.finding(values, place, STATISTICS[int(index.argmax())]) if highest > 1.0 else None
        at = time.moment(float(model.hours[place]))
        told = None if trace.outcome is None else float(trace.outcome[place])
        for tag, value in (*zip(_TAGS, ratios[:, place].tolist(), strict=True), (INDEX, highest)):
            self._spool.put(tag, value, "", at, origin=self.origin, device=f"{unit}.{tag}")
        if told is not None:
            self._spool.put(OUTCOME, told, self.model.outcome, at, origin=self.origin, device=f"{unit}.{OUTCOME}")
        seen = self._seen[golden.path]
        seen.highest = max(seen.highest, highest)
        self._alarms[golden.path].see(unit, INDEX, highest, "", "good", at, details=_details(finding, self._digest))
        return GoldenPoint(
            unit=unit,
            phase=golden.path,
            at=at,
            hours=float(model.hours[place]),
            ratios=dict(zip(STATISTICS, ratios[:, place].tolist(), strict=True)),
            index=highest,
            told=told,
            alarm=self._alarms[golden.path].present(unit, f"golden@{golden.path}"),
            finding=finding,
        )

    def _over(self, golden: GoldenPhase, time: PhaseTime, seen: _Seen) -> None:
        """A phase is over: its alarm returns, and the record has how it went."""
        assert time.end is not None
        end, seen.closed = time_of(time.end), True
        self._alarms[golden.path].phase(time.unit, "", "", end)
        highest = {"points": seen.count, "highest": decimal_text(seen.highest, 4)}
        self._tell(golden, time, "ended", end, **highest)

    def _tell(self, golden: GoldenPhase, time: PhaseTime, word: str, at: datetime, **more: Any) -> None:
        payload = {
            "watch": word,
            "phase": golden.path,
            "unit": time.unit,
            "model": self._digest,
            "batches": len(self.model.batches),
            "false_alarms": decimal_text(self.model.false_alarms, 3),
            "origin": self.origin,
            **more,
        }
        identity = digest([SEEN, self.batch, word, golden.path, self._digest])[:32]
        self.ledger.append(Draft(SEEN, self.batch, payload, SYSTEM, at, id=identity))


def _details(finding: Finding | None, model: str) -> dict[str, Any]:
    """What an alarm says beside its value: the tags that give most, and by which model."""
    if finding is None:
        return {"model": model}
    total = sum(abs(value) for value in finding.contributions.values()) or 1.0
    shares = {tag: abs(value) / total for tag, value in list(finding.contributions.items())[:NAMED]}
    words = ", ".join(f"{tag} {share:.0%}" for tag, share in shares.items())
    return {
        "model": model,
        "statistic": finding.statistic,
        "contributions": [{"tag": tag, "share": decimal_text(share, 3)} for tag, share in shares.items()],
        "action": f"{finding.statistic}: {words}. Compare these with good batches.",
    }
