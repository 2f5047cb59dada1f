"""The fold that reads a batch record: what each type of event adds to it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from seedtrain.base import InputError
from seedtrain.gmp._batch._content import BatchRecord
from seedtrain.gmp._batch._lines import (
    CheckLine,
    ClearanceLine,
    Closure,
    CommentLine,
    ConsumedLine,
    Correction,
    DecisionLine,
    DeviationLine,
    Header,
    Intervention,
    LiftLine,
    ResultLine,
    ReviewItem,
    ReviewLine,
    SampleLine,
    SegmentLine,
    SignatureLine,
    StepLine,
    StopLine,
    ValueLine,
)
from seedtrain.recipe import Command, IllegalCommand, State, next_state
from seedtrain.record import Event

_PLAIN_VALUE: Final = frozenset({"phase", "tag", "value", "unit", "low", "high", "within", "kind", "origin"})
HOLD_POINT: Final = "hold point"  # how the meaning of a signature that releases one begins
_STEPPING_IN: Final = ("hold", "restart", "pause", "resume", "stop", "abort")
_NOT_OF_SUBSTANCE: Final = (
    "signature.applied",
    "batch.reviewed",
    "batch.released",
    "batch.rejected",
    "batch.on_hold",
    "exception.acknowledged",
)


@dataclass
class Fold:
    """What was read so far; `finish` gives the record, and more events may follow."""

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
    comments: list[CommentLine] = field(default_factory=list)
    clearances: list[ClearanceLine] = field(default_factory=list)
    stops: list[StopLine] = field(default_factory=list)
    lifts: list[LiftLine] = field(default_factory=list)

    def apply(self, event: Event) -> None:
        """Take the next event of the batch; raises what a missing or wrong part of it raises."""
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
            text=str(payload.get("text", "")),
            trial=payload.get("trial") is True,
            manual=payload.get("manual") is True,
        )

    def state_changed(self, event: Event, payload: Mapping[str, Any]) -> None:
        name, command = str(payload["unit_procedure"]), str(payload["command"])
        before = self.states.get(name, State.IDLE)
        try:
            after = next_state(before, Command(command))
            if (str(payload["before"]), str(payload["after"])) == (before.value, after.value):
                self.states[name] = after
            else:
                words = f"{command} from {payload['before']} to {payload['after']}, while {before.value}"
                self.illegal.append((event.seq, f"{name or event.subject}: {words}"))
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
            equipment=tuple(str(item) for item in payload.get("equipment", ())),
        )

    def completed(self, event: Event, payload: Mapping[str, Any]) -> None:
        phase, duration, ended_by = (str(payload[name]) for name in ("phase", "duration_h", "ended_by"))
        step = self.steps.get(phase)
        if step is None or step.completed_at is not None:
            words = "which was not started" if step is None else "a second time"
            self.illegal.append((event.seq, f"the end of {phase} was recorded, {words}"))
            return
        self.steps[phase] = replace(
            step,
            completed_at=event.occurred_at,
            completed_by=event.actor,
            completed_seq=event.seq,
            duration_h=duration,
            ended_by=ended_by,
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
            self.by_hand(event, str(payload["phase"]), str(payload["tag"]))

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

    def by_hand(self, event: Event, phase: str, what: str) -> None:
        """Somebody did something in a phase; outside its time it is a fault, and takes back who checked it before."""
        self.does(phase, event.actor)
        step = self.steps.get(phase)
        if phase and step is None:
            self.illegal.append((event.seq, f"{what} was recorded for {phase}, which was not started"))
        elif step is not None and step.completed_at is not None:
            self.illegal.append((event.seq, f"{what} was recorded after the end of {phase}"))
            self.corrected[phase] = event.seq

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
                before=str(payload.get("before", "0")),
                partial=payload.get("partial") is True,
                instrument=_optional(payload.get("instrument")),
            )
        )
        self.by_hand(event, str(payload.get("phase", "")), f"an amount of {payload['lot']}")

    def commented(self, event: Event, payload: Mapping[str, Any]) -> None:
        line = CommentLine(
            event.seq, str(payload.get("phase", "")), str(payload["comment"]), event.actor, event.occurred_at
        )
        self.comments.append(line)

    def cleared(self, event: Event, payload: Mapping[str, Any]) -> None:
        line, found = str(payload["line"]), str(payload["found"])
        self.clearances.append(ClearanceLine(event.seq, line, found, event.actor, event.occurred_at, False))

    def stopped(self, event: Event, payload: Mapping[str, Any]) -> None:
        line = StopLine(
            seq=event.seq,
            phase=str(payload["phase"]),
            gate=str(payload["gate"]),
            subject=str(payload["subject"]),
            reason=str(payload["reason"]),
            actor=event.actor,
            occurred_at=event.occurred_at,
        )
        self.stops.append(line)

    def lifted(self, event: Event, payload: Mapping[str, Any]) -> None:
        line = LiftLine(
            seq=event.seq,
            phase=str(payload["phase"]),
            gate=str(payload["gate"]),
            subject=str(payload["subject"]),
            deviation=str(payload["deviation"]),
            reason=event.reason or "",
            actor=event.actor,
            occurred_at=event.occurred_at,
            signed=False,
        )
        self.lifts.append(line)

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
        lifts = [replace(item, signed=(item.seq, item.actor) in signed) for item in self.lifts]
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
            comments=tuple(self.comments),
            clearances=tuple(replace(item, signed=(item.seq, item.actor) in signed) for item in self.clearances),
            stops=tuple(replace(item, lifted_by=_lifting(item, lifts)) for item in self.stops),
            lifts=tuple(lifts),
        )

    def _step(self, step: StepLine, signed: _Signed) -> StepLine:
        """With its checks and signatures: one that stands before a correction in the same phase does not count."""
        corrected = self.corrected.get(step.phase, 0)
        checks = tuple(
            replace(item, signed=(item.seq, item.actor) in signed, stale=corrected > item.seq)
            for item in self.checks
            if item.phase == step.phase
        )
        ends = [item for item in self.signatures if item.over is not None and item.over == step.completed_seq]
        releases = tuple(
            item
            for item in ends
            if item.meaning.startswith(HOLD_POINT) and item.seq > corrected and item.actor not in step.doers
        )
        performed = any(item.actor == step.completed_by and item.seq > corrected for item in ends)
        return replace(step, checks=checks, hold_signatures=releases, performed=performed)


_Signed = set[tuple[int | None, str]]


def _closed(item: DeviationLine, signed: _Signed) -> DeviationLine:
    if item.closure is None:
        return item
    closure = item.closure
    return replace(item, closure=replace(closure, signed=(closure.seq, closure.actor) in signed))


def _lifting(stop: StopLine, lifts: Sequence[LiftLine]) -> int | None:
    """The signed decision after a stop that lets the same thing go on; the last one."""
    found = [item.seq for item in lifts if item.signed and item.seq > stop.seq and item.covers(stop)]
    return found[-1] if found else None


def _optional(value: Any) -> str | None:
    return None if value is None else str(value)


_HANDLERS: Final[Mapping[str, Callable[[Fold, Event, Mapping[str, Any]], None]]] = {
    "batch.created": Fold.created,
    "batch.state_changed": Fold.state_changed,
    "step.started": Fold.started,
    "step.completed": Fold.completed,
    "step.value_recorded": Fold.value,
    "value.corrected": Fold.corrects,
    "step.checked": Fold.checked,
    "lot.consumed": Fold.consumes,
    "lot.produced": Fold.produces,
    "batch.commented": Fold.commented,
    "line.cleared": Fold.cleared,
    "permit.refused": Fold.stopped,
    "stop.lifted": Fold.lifted,
    "sample.taken": Fold.sampled,
    "result.recorded": Fold.resulted,
    "segment.stored": Fold.stored,
    "deviation.opened": Fold.deviates,
    "deviation.closed": Fold.closes,
    "batch.reviewed": Fold.reviewed,
    "batch.released": Fold.decided,
    "batch.rejected": Fold.decided,
    "batch.on_hold": Fold.decided,
    "signature.applied": Fold.signs,
}
