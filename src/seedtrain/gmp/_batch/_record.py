"""The batch record: a pure fold over the events of one batch, and nothing else."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from seedtrain.base import InputError, IntegrityError
from seedtrain.gmp._batch._lines import (
    CheckLine,
    Closure,
    ConsumedLine,
    Correction,
    DecisionLine,
    DeviationLine,
    Header,
    Intervention,
    ResultLine,
    ReviewItem,
    ReviewLine,
    SampleLine,
    SegmentLine,
    SignatureLine,
    StepLine,
    ValueLine,
)
from seedtrain.recipe import Command, IllegalCommand, State, next_state
from seedtrain.record import Event

_PLAIN_VALUE: Final = frozenset({"phase", "tag", "value", "unit", "low", "high", "within", "kind", "origin"})
WHOLE: Final = ""  # the `unit_procedure` under which the state of the whole batch stands
_STEPPING_IN: Final = ("hold", "restart", "pause", "resume", "stop", "abort")
_NOT_OF_SUBSTANCE: Final = (
    "signature.applied",
    "batch.reviewed",
    "batch.released",
    "batch.rejected",
    "batch.on_hold",
)


@dataclass(frozen=True)
class BatchRecord:
    """All that the ledger says of one batch, in the order of the record.

    - `lot`: what the batch produced, as a lot of its own; None while it has not. `amount`: of it, with unit.
    - `illegal`: state changes that ISA-88 does not allow, by seq. `last`: seq of the last event of substance.
    """

    header: Header
    steps: tuple[StepLine, ...]
    values: tuple[ValueLine, ...]
    consumed: tuple[ConsumedLine, ...]
    samples: tuple[SampleLine, ...]
    results: tuple[ResultLine, ...]
    deviations: tuple[DeviationLine, ...]
    interventions: tuple[Intervention, ...]
    segments: tuple[SegmentLine, ...]
    signatures: tuple[SignatureLine, ...]
    reviews: tuple[ReviewLine, ...]
    decisions: tuple[DecisionLine, ...]
    states: Mapping[str, State]
    illegal: tuple[tuple[int, str], ...]
    lot: str | None
    material: str
    amount: str
    last: int

    @property
    def batch(self) -> str:
        """Its id."""
        return self.header.batch

    @property
    def state(self) -> State:
        """The ISA-88 state of the whole batch."""
        return self.states.get(WHOLE, State.IDLE)

    @property
    def simulated(self) -> bool:
        """Whether anything in it was simulated."""
        return self.header.origin != "measured" or any(item.origin == "simulated" for item in self.values)

    def step(self, phase: str) -> StepLine | None:
        """The phase of this path, if it was started."""
        return next((item for item in self.steps if item.phase == phase), None)

    @property
    def operators(self) -> frozenset[str]:
        """Everybody who ran a phase; none of them reviews or decides."""
        return frozenset(actor for item in self.steps for actor in (item.started_by, item.completed_by) if actor)

    @property
    def decision(self) -> DecisionLine | None:
        """The last decision."""
        return self.decisions[-1] if self.decisions else None


def batch_record(events: Iterable[Event], batch: str | None = None) -> BatchRecord:
    """Fold the events of a batch, in the order of the record, into its record.

    - `batch`: which one, where `events` are of several subjects.

    Raises `InputError` where the batch is not there, `IntegrityError` for an event that lacks what its type needs.
    """
    fold = _Fold(batch)
    for event in events:
        if event.type == "batch.created" and fold.batch is None:
            fold.batch = event.subject
        if event.subject != fold.batch:
            continue
        try:
            fold.apply(event)
        except (KeyError, ValueError, TypeError, ArithmeticError) as error:
            raise IntegrityError(
                f"event {event.seq} ({event.type}) of {event.subject} lacks a part or holds a wrong one: {error!r}",
                remedy="Check the ledger with `seedtrain record verify`, then ask who wrote this event.",
            ) from error
    return fold.finish()


@dataclass
class _Fold:
    batch: str | None
    header: Header | None = None
    steps: dict[str, StepLine] = field(default_factory=dict)
    values: dict[str, ValueLine] = field(default_factory=dict)
    results: dict[str, ResultLine] = field(default_factory=dict)
    consumed: list[ConsumedLine] = field(default_factory=list)
    samples: list[SampleLine] = field(default_factory=list)
    deviations: dict[str, DeviationLine] = field(default_factory=dict)
    interventions: list[Intervention] = field(default_factory=list)
    segments: list[SegmentLine] = field(default_factory=list)
    signatures: list[SignatureLine] = field(default_factory=list)
    reviews: list[ReviewLine] = field(default_factory=list)
    decisions: list[DecisionLine] = field(default_factory=list)
    checks: list[CheckLine] = field(default_factory=list)
    states: dict[str, State] = field(default_factory=dict)
    illegal: list[tuple[int, str]] = field(default_factory=list)
    digests: dict[str, int] = field(default_factory=dict)
    corrected: dict[str, int] = field(default_factory=dict)  # phase -> seq of its last correction
    lot: str | None = None
    material: str = ""
    amount: str = ""
    last: int = 0

    def apply(self, event: Event) -> None:
        self.digests[event.digest] = event.seq
        if event.type not in _NOT_OF_SUBSTANCE:
            self.last = event.seq
        handler = _HANDLERS.get(event.type)
        if handler is not None:
            handler(self, event, event.payload)

    def created(self, event: Event, payload: Mapping[str, Any]) -> None:
        if self.header is not None:
            raise ValueError("the batch is created twice")
        self.header = Header(
            batch=event.subject,
            recipe=str(payload["recipe"]),
            recipe_digest=str(payload["recipe_digest"]),
            master_digest=str(payload["master_digest"]),
            unit=str(payload["unit"]),
            volume=str(payload["volume"]),
            origin=str(payload.get("origin", "")),
            created_at=event.occurred_at,
            created_by=event.actor,
        )

    def state_changed(self, event: Event, payload: Mapping[str, Any]) -> None:
        name, command = str(payload["unit_procedure"]), str(payload["command"])
        before = self.states.get(name, State.IDLE)
        try:
            after = next_state(before, Command(command))
            if (str(payload["before"]), str(payload["after"])) != (before.value, after.value):
                self.illegal.append((event.seq, f"{name or event.subject}: {before.value} goes to {after.value}"))
            self.states[name] = after
        except (IllegalCommand, ValueError):
            self.illegal.append((event.seq, f"{name or event.subject}: {command} is not legal while {before.value}"))
        if command in _STEPPING_IN:
            line = Intervention(
                seq=event.seq,
                unit_procedure=name,
                unit=str(payload.get("unit", "")),
                command=command,
                before=str(payload["before"]),
                after=str(payload["after"]),
                actor=event.actor,
                occurred_at=event.occurred_at,
            )
            self.interventions.append(line)

    def started(self, event: Event, payload: Mapping[str, Any]) -> None:
        phase = str(payload["phase"])
        known = self.steps.get(phase)
        doers = frozenset({event.actor}) | (known.doers if known else frozenset())
        if known is not None:  # started again after a kill: the first start stands
            self.steps[phase] = replace(known, doers=doers)
            return
        self.steps[phase] = StepLine(
            phase=phase,
            unit=str(payload["unit"]),
            do=str(payload["do"]),
            settings={name: str(value) for name, value in payload["settings"].items()},
            line=int(payload.get("line") or 0),
            seq=event.seq,
            started_at=event.occurred_at,
            started_by=event.actor,
            doers=doers,
        )

    def completed(self, event: Event, payload: Mapping[str, Any]) -> None:
        phase = str(payload["phase"])
        step = self.steps[phase]
        self.steps[phase] = replace(
            step,
            completed_at=event.occurred_at,
            completed_by=event.actor,
            completed_seq=event.seq,
            duration_h=str(payload["duration_h"]),
            ended_by=str(payload["ended_by"]),
            doers=step.doers | {event.actor},
        )

    def value(self, event: Event, payload: Mapping[str, Any]) -> None:
        self.values[event.id] = ValueLine(
            seq=event.seq,
            id=event.id,
            phase=str(payload["phase"]),
            tag=str(payload["tag"]),
            value=str(payload["value"]),
            unit=str(payload["unit"]),
            low=_optional(payload["low"]),
            high=_optional(payload["high"]),
            within=payload["within"] is True,
            kind=str(payload["kind"]),
            origin=str(payload.get("origin", "")),
            actor=event.actor,
            device=event.device,
            occurred_at=event.occurred_at,
            more={name: item for name, item in payload.items() if name not in _PLAIN_VALUE},
        )
        if payload["kind"] == "entry":
            self.does(str(payload["phase"]), event.actor)

    def corrects(self, event: Event, payload: Mapping[str, Any]) -> None:
        correction = Correction(
            seq=event.seq,
            value=str(payload["value"]),
            unit=str(payload["unit"]),
            reason=event.reason or "",
            actor=event.actor,
            occurred_at=event.occurred_at,
        )
        target = str(event.corrects)
        if target in self.results:
            result = self.results[target]
            self.results[target] = replace(result, corrections=(*result.corrections, correction))
            return
        value = self.values[target]
        if correction.unit != value.unit:
            raise ValueError(f"the unit {correction.unit!r} is not that of the value, {value.unit!r}")
        self.values[target] = replace(value, corrections=(*value.corrections, correction))
        self.corrected[value.phase] = event.seq
        self.does(value.phase, event.actor)

    def does(self, phase: str, actor: str) -> None:
        if phase in self.steps:
            self.steps[phase] = replace(self.steps[phase], doers=self.steps[phase].doers | {actor})

    def consumes(self, event: Event, payload: Mapping[str, Any]) -> None:
        self.consumed.append(
            ConsumedLine(
                seq=event.seq,
                lot=str(payload["lot"]),
                material=str(payload["material"]),
                amount=str(payload["amount"]),
                unit=str(payload["unit"]),
                target=_optional(payload.get("target")),
                tolerance_percent=_optional(payload.get("tolerance_percent")),
                phase=str(payload.get("phase", "")),
                actor=event.actor,
                occurred_at=event.occurred_at,
            )
        )

    def produces(self, event: Event, payload: Mapping[str, Any]) -> None:
        self.lot, self.material = str(payload["lot"]), str(payload["material"])
        amount = payload.get("amount")
        self.amount = "" if amount is None else f"{amount} {payload['unit']}".rstrip()

    def sampled(self, event: Event, payload: Mapping[str, Any]) -> None:
        attributes = tuple(str(item) for item in payload["attributes"])
        line = SampleLine(
            event.seq, str(payload["sample"]), str(payload["phase"]), attributes, event.actor, event.occurred_at
        )
        self.samples.append(line)

    def resulted(self, event: Event, payload: Mapping[str, Any]) -> None:
        if payload["state"] not in ("conforms", "oos", "invalid"):
            raise ValueError(f"{payload['state']!r} is no state of a result")
        self.results[event.id] = ResultLine(
            seq=event.seq,
            id=event.id,
            sample=str(payload["sample"]),
            attribute=str(payload["attribute"]),
            method=str(payload["method"]),
            value=str(payload["value"]),
            unit=str(payload["unit"]),
            limit=str(payload["limit"]),
            state=payload["state"],
            reported=str(payload.get("reported", f"{payload['value']} {payload['unit']}".rstrip())),
            detected=payload.get("detected", True) is True,
            origin=str(payload.get("origin", "")),
            actor=event.actor,
            occurred_at=event.occurred_at,
        )

    def stored(self, event: Event, payload: Mapping[str, Any]) -> None:
        line = SegmentLine(
            seq=event.seq,
            phase=str(payload.get("phase", "")),
            digest=str(payload["digest"]),
            tags=tuple(str(item) for item in payload["tags"]),
            start_h=str(payload["start_h"]),
            end_h=str(payload["end_h"]),
            count=int(payload["count"]),
        )
        self.segments.append(line)

    def checked(self, event: Event, payload: Mapping[str, Any]) -> None:
        phase, meaning = str(payload["phase"]), str(payload["meaning"])
        self.checks.append(CheckLine(event.seq, phase, event.actor, meaning, event.occurred_at, False, False))

    def deviates(self, event: Event, payload: Mapping[str, Any]) -> None:
        first, last = payload.get("first_seq"), payload.get("last_seq")
        line = DeviationLine(
            seq=event.seq,
            deviation=str(payload["deviation"]),
            phase=str(payload["phase"]),
            tag=str(payload["tag"]),
            value=str(payload["value"]),
            unit=str(payload["unit"]),
            start_h=str(payload["start_h"]),
            end_h=str(payload["end_h"]),
            words=str(payload["words"]),
            low=_optional(payload.get("low")),
            high=_optional(payload.get("high")),
            opened_by=event.actor,
            occurred_at=event.occurred_at,
            covers=(int(first), int(last)) if first is not None and last is not None else None,
        )
        self.deviations.setdefault(line.deviation, line)

    def closes(self, event: Event, payload: Mapping[str, Any]) -> None:
        deviation = self.deviations[str(payload["deviation"])]
        closure = Closure(
            seq=event.seq,
            impact=str(payload["impact"]),
            cause=str(payload["cause"]),
            action=str(payload["action"]),
            actor=event.actor,
            occurred_at=event.occurred_at,
            signed=False,
        )
        self.deviations[deviation.deviation] = replace(deviation, closure=closure)

    def reviewed(self, event: Event, payload: Mapping[str, Any]) -> None:
        items = tuple(
            ReviewItem(str(item["kind"]), int(item["seq"]), str(item["words"])) for item in payload["exceptions"]
        )
        acknowledged = tuple(int(item) for item in payload["acknowledged"])
        self.reviews.append(ReviewLine(event.seq, event.actor, event.occurred_at, items, acknowledged, False, False))

    def decided(self, event: Event, payload: Mapping[str, Any]) -> None:
        words = {"batch.released": "released", "batch.rejected": "rejected", "batch.on_hold": "on_hold"}
        self.decisions.append(
            DecisionLine(
                seq=event.seq,
                decision=words[event.type],  # type: ignore[arg-type]
                reasons=tuple(str(item) for item in payload["reasons"]),
                verdict=payload["verdict"],
                actor=event.actor,
                occurred_at=event.occurred_at,
                signed=False,
            )
        )

    def signs(self, event: Event, payload: Mapping[str, Any]) -> None:
        digest = str(payload["record_digest"])
        line = SignatureLine(
            seq=event.seq,
            actor=event.actor,
            meaning=str(payload["meaning"]),
            record_digest=digest,
            over=self.digests.get(digest),
            occurred_at=event.occurred_at,
            recorded_at=event.recorded_at,
        )
        self.signatures.append(line)

    def finish(self) -> BatchRecord:
        if self.header is None:
            raise InputError(
                f"the ledger holds no batch {self.batch!r}" if self.batch else "there is no batch in these events",
                remedy="Check the batch's id.",
            )
        signed = {(item.over, item.actor) for item in self.signatures}
        reviews = [replace(item, signed=(item.seq, item.actor) in signed) for item in self.reviews]
        return BatchRecord(
            header=self.header,
            steps=tuple(self._step(step, signed) for step in self.steps.values()),
            values=tuple(self.values.values()),
            consumed=tuple(self.consumed),
            samples=tuple(self.samples),
            results=tuple(self.results.values()),
            deviations=tuple(_closed(item, signed) for item in self.deviations.values()),
            interventions=tuple(self.interventions),
            segments=tuple(self.segments),
            signatures=tuple(self.signatures),
            reviews=tuple(replace(item, stale=self.last > item.seq) for item in reviews),
            decisions=tuple(replace(item, signed=(item.seq, item.actor) in signed) for item in self.decisions),
            states=dict(self.states),
            illegal=tuple(self.illegal),
            lot=self.lot,
            material=self.material,
            amount=self.amount,
            last=self.last,
        )

    def _step(self, step: StepLine, signed: _Signed) -> StepLine:
        """With its checks and signatures: one that stands before a correction in the same phase does not count."""
        corrected = self.corrected.get(step.phase, 0)
        checks = tuple(
            replace(item, signed=(item.seq, item.actor) in signed, stale=corrected > item.seq)
            for item in self.checks
            if item.phase == step.phase
        )
        ends = (item for item in self.signatures if item.over is not None and item.over == step.completed_seq)
        return replace(step, checks=checks, hold_signatures=tuple(item for item in ends if item.seq > corrected))


_Signed = set[tuple[int | None, str]]


def _closed(item: DeviationLine, signed: _Signed) -> DeviationLine:
    if item.closure is None:
        return item
    closure = item.closure
    return replace(item, closure=replace(closure, signed=(closure.seq, closure.actor) in signed))


def _optional(value: Any) -> str | None:
    return None if value is None else str(value)


_HANDLERS: Final[Mapping[str, Callable[[_Fold, Event, Mapping[str, Any]], None]]] = {
    "batch.created": _Fold.created,
    "batch.state_changed": _Fold.state_changed,
    "step.started": _Fold.started,
    "step.completed": _Fold.completed,
    "step.value_recorded": _Fold.value,
    "value.corrected": _Fold.corrects,
    "step.checked": _Fold.checked,
    "lot.consumed": _Fold.consumes,
    "lot.produced": _Fold.produces,
    "sample.taken": _Fold.sampled,
    "result.recorded": _Fold.resulted,
    "segment.stored": _Fold.stored,
    "deviation.opened": _Fold.deviates,
    "deviation.closed": _Fold.closes,
    "batch.reviewed": _Fold.reviewed,
    "batch.released": _Fold.decided,
    "batch.rejected": _Fold.decided,
    "batch.on_hold": _Fold.decided,
    "signature.applied": _Fold.signs,
}
