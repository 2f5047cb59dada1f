"""The state of a batch, folded from its events: nothing about a running batch is known from anywhere else."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from seedtrain.base import IntegrityError
from seedtrain.recipe import Command, State, next_state
from seedtrain.record import Event

WHOLE: Final = ""
"""The `unit_procedure` under which the state of the batch as a whole is recorded."""

HOLD_POINT: Final = "hold point"
"""How the meaning of a signature begins that releases one."""

LOST: Final = "the executor was lost"
"""How the reason begins of a hold because nobody drives the batch any more."""

_CLOCKED: Final = frozenset(
    {
        *("batch.created", "batch.state_changed", "step.started", "segment.stored", "step.ended", "step.completed"),
        "lot.produced",
    }
)


@dataclass(frozen=True)
class Mark:
    """Where something stands in the record: its time on the process clock and the digest of its event."""

    time: datetime
    digest: str


@dataclass
class BatchState:
    """What the record says of one batch so far.

    - `states`: ISA-88 state by unit procedure; `WHOLE` is the batch itself.
    - `started`, `checked`, `completed`: phases by path; a checked one has all its values, not yet its end.
    - `starts`, `settings`, `segments`: by phase, how it was started, the set points as recorded and the digest of the
      telemetry.
    - `consumed`, `values`, `samples`: payloads in the order of the record, values with their seq.
    - `signed`: the digests over which a signature stands, `released` those that release a hold point. `clock`: the
      latest time on the process clock.
    - `clocks`: of these the latest of each phase and unit procedure, and of the batch itself under `WHOLE`.
    - `ended`: phases whose equipment is done and which people complete. `overrides`: targets that people set by hand.
    - `executor`: who drives the batch now, since the event `attached`; empty where nobody but `execute` ever did.
    - `still`: since when a started phase stands still, by its unit; `stood`: how long it has before that.
    - `orders`: the last change of state by unit procedure, `WHOLE` for the batch. `lost`: seq of the last hold because
      the executor was gone; `obeyed`: the units that followed which order. `completers`: who completed a phase.
    - `counts`: events by type and phase (or unit procedure), which number the next one. `seq`: of the last event.
    """

    batch: str
    seq: int = 0
    created: Mapping[str, Any] | None = None
    begun: datetime | None = None
    clock: datetime | None = None
    clocks: dict[str, datetime] = field(default_factory=dict)
    states: dict[str, State] = field(default_factory=dict)
    started: dict[str, Mark] = field(default_factory=dict)
    checked: set[str] = field(default_factory=set)
    completed: dict[str, Mark] = field(default_factory=dict)
    starts: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    settings: dict[str, Mapping[str, str]] = field(default_factory=dict)
    segments: dict[str, str] = field(default_factory=dict)
    consumed: list[Mapping[str, Any]] = field(default_factory=list)
    values: list[tuple[int, Mapping[str, Any]]] = field(default_factory=list)
    samples: list[Mapping[str, Any]] = field(default_factory=list)
    signed: set[str] = field(default_factory=set)
    released: set[str] = field(default_factory=set)
    ended: dict[str, Mark] = field(default_factory=dict)
    overrides: list[tuple[int, Mapping[str, Any]]] = field(default_factory=list)
    executor: str = ""
    attached: Event | None = None
    orders: dict[str, Event] = field(default_factory=dict)
    lost: int = 0
    obeyed: set[tuple[int, str]] = field(default_factory=set)
    completers: dict[str, str] = field(default_factory=dict)
    still: dict[str, datetime] = field(default_factory=dict)
    stood: dict[str, timedelta] = field(default_factory=dict)
    produced: Mapping[str, Any] | None = None
    counts: Counter[tuple[str, str]] = field(default_factory=Counter)

    def state(self, unit_procedure: str = WHOLE) -> State:
        """The state of a unit procedure or of the whole batch; idle before its first command."""
        return self.states.get(unit_procedure, State.IDLE)

    @property
    def held(self) -> bool:
        """Whether the batch waits for somebody."""
        return self.state() is State.HELD

    @property
    def ordered(self) -> Event | None:
        """The last change of the whole batch's state."""
        return self.orders.get(WHOLE)

    @property
    def order(self) -> int:
        """Its seq; 0 before the first."""
        return self.order_of(WHOLE)

    def order_of(self, unit_procedure: str) -> int:
        """Seq of the last order that holds for a unit procedure: its own, or that of the whole batch."""
        return max((self.orders[name].seq for name in {unit_procedure, WHOLE} & set(self.orders)), default=0)

    def apply(self, event: Event) -> None:
        """Take the next event of this batch."""
        payload, phase = event.payload, str(event.payload.get("phase", ""))
        match event.type:
            case "batch.created":
                self.created, self.begun = payload, event.occurred
            case "batch.state_changed":
                self._command(event)
            case "step.started":
                self.started[phase] = Mark(event.occurred, event.digest)
                self.settings[phase] = payload["settings"]
                self.starts[phase] = payload
            case "step.value_recorded":
                self.values.append((event.seq, payload))
            case "segment.stored" if phase:  # one of the telemetry belongs to no phase
                self.segments[phase] = payload["digest"]
            case "step.checked":
                self.checked.add(phase)
            case "step.completed":
                self.completed[phase] = Mark(event.occurred, event.digest)
                self.completers[phase] = event.actor
            case "lot.consumed":
                self.consumed.append(payload)
            case "lot.produced":
                self.produced = payload
            case "sample.taken":
                self.samples.append(payload)
            case "signature.applied":
                self.signed.add(payload["record_digest"])
                if str(payload["meaning"]).startswith(HOLD_POINT):
                    self.released.add(payload["record_digest"])
            case "step.ended":
                self.ended[phase] = Mark(event.occurred, event.digest)
            case "batch.attached":
                self.executor, self.attached = str(payload["executor"]), event
            case "step.commanded":
                self.obeyed.add((int(payload["order"]), str(payload["unit"])))
                self._stand(phase, str(payload["command"]), event.occurred)
            case "target.overridden":
                self.overrides.append((event.seq, payload))
        self.counts[counted(event.type, payload)] += 1
        self.seq = event.seq
        if event.type in _CLOCKED:
            self.clock = event.occurred if self.clock is None else max(self.clock, event.occurred)
            key = counted(event.type, payload)[1]
            self.clocks[key] = max(self.clocks.get(key, event.occurred), event.occurred)

    def stood_by(self, phase: str, at: datetime) -> timedelta:
        """How long the phase has stood still up to `at`, on the process clock."""
        since = self.still.get(phase)
        return self.stood.get(phase, timedelta(0)) + (max(at - since, timedelta(0)) if since else timedelta(0))

    def _stand(self, phase: str, command: str, at: datetime) -> None:
        if command == "hold":
            self.still.setdefault(phase, at)
        elif command == "restart" and phase in self.still:
            self.stood[phase] = self.stood_by(phase, at)
            del self.still[phase]

    def _command(self, event: Event) -> None:
        name, payload = str(event.payload["unit_procedure"]), event.payload
        before = self.state(name)
        after = next_state(before, Command(payload["command"]))
        if (before.value, after.value) != (payload["before"], payload["after"]):
            raise IntegrityError(
                f"event {event.seq} says that {name or self.batch!r} went from {payload['before']} to "
                f"{payload['after']}, but {before.value} goes to {after.value}",
                remedy="Check the ledger with `seedtrain record verify`.",
            )
        self.states[name] = after
        self.orders[name] = event
        if name == WHOLE and (event.reason or "").startswith(LOST):
            self.lost = event.seq


def counted(type: str, payload: Mapping[str, Any]) -> tuple[str, str]:
    """Under what an event is counted: its type, and its phase or unit procedure."""
    return type, str(payload.get("phase", payload.get("unit_procedure", "")))
