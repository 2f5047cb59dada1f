"""How a batch is made: what each event of its making adds to the tally."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from seedtrain.gmp._batch._content import WHOLE
from seedtrain.gmp._batch._lines import (
    CheckLine,
    ClearanceLine,
    CommentLine,
    ConsumedLine,
    Correction,
    Header,
    Intervention,
    LiftLine,
    SegmentLine,
    StepLine,
    StopLine,
    ValueLine,
)
from seedtrain.gmp._batch._probes import calibrated
from seedtrain.gmp._batch._tally import Handler, Tally, optional
from seedtrain.recipe import Command, IllegalCommand, State, next_state
from seedtrain.record import Event

_PLAIN_VALUE: Final = frozenset({"phase", "tag", "value", "unit", "low", "high", "within", "kind", "origin"})
_STEPPING_IN: Final = ("hold", "restart", "pause", "resume", "stop", "abort")


def created(tally: Tally, event: Event, payload: Mapping[str, Any]) -> None:
    if tally.header is not None:
        raise ValueError("the batch is created twice")
    tally.header = Header(
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


def state_changed(tally: Tally, event: Event, payload: Mapping[str, Any]) -> None:
    name, command = str(payload["unit_procedure"]), str(payload["command"])
    before = tally.states.get(name, State.IDLE)
    try:
        after = next_state(before, Command(command))
        if (str(payload["before"]), str(payload["after"])) == (before.value, after.value):
            tally.states[name] = after
            if name == WHOLE and after is State.COMPLETE:
                tally.completed_by = event.actor
        else:
            words = f"{command} from {payload['before']} to {payload['after']}, while {before.value}"
            tally.illegal.append((event.seq, f"{name or event.subject}: {words}"))
    except (IllegalCommand, ValueError):
        tally.illegal.append((event.seq, f"{name or event.subject}: {command} is not legal while {before.value}"))
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
            reason=event.reason or "",
        )
        tally.lines.append(line)


def started(tally: Tally, event: Event, payload: Mapping[str, Any]) -> None:
    phase = str(payload["phase"])
    known = tally.steps.get(phase)
    doers = frozenset({event.actor}) | (known.doers if known else frozenset())
    if known is not None:  # started again after a kill: the first start stands
        tally.steps[phase] = replace(known, doers=doers)
        return
    tally.steps[phase] = StepLine(
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


def completed(tally: Tally, event: Event, payload: Mapping[str, Any]) -> None:
    phase, duration, ended_by = (str(payload[name]) for name in ("phase", "duration_h", "ended_by"))
    step = tally.steps.get(phase)
    if step is None or step.completed_at is not None:
        words = "which was not started" if step is None else "a second time"
        tally.illegal.append((event.seq, f"the end of {phase} was recorded, {words}"))
        return
    tally.steps[phase] = replace(
        step,
        completed_at=event.occurred_at,
        completed_by=event.actor,
        completed_seq=event.seq,
        duration_h=duration,
        ended_by=ended_by,
        took_part=event.actor in step.doers,
        completion_reason=event.reason or "",
        doers=step.doers | {event.actor},
    )


def value(tally: Tally, event: Event, payload: Mapping[str, Any]) -> None:
    tally.values[event.id] = ValueLine(
        seq=event.seq,
        id=event.id,
        phase=str(payload["phase"]),
        tag=str(payload["tag"]),
        value=str(payload["value"]),
        unit=str(payload["unit"]),
        low=optional(payload["low"]),
        high=optional(payload["high"]),
        within=payload["within"] is True,
        kind=str(payload["kind"]),
        origin=str(payload.get("origin", "")),
        actor=event.actor,
        device=event.device,
        occurred_at=event.occurred_at,
        more={name: item for name, item in payload.items() if name not in _PLAIN_VALUE},
    )
    if payload["kind"] == "entry":
        tally.by_hand(event, str(payload["phase"]), str(payload["tag"]))


def corrects(tally: Tally, event: Event, payload: Mapping[str, Any]) -> None:
    correction = Correction(
        seq=event.seq,
        value=str(payload["value"]),
        unit=str(payload["unit"]),
        reason=event.reason or "",
        actor=event.actor,
        occurred_at=event.occurred_at,
    )
    target = str(event.corrects)
    if target in tally.results:
        result = tally.results[target]
        tally.results[target] = replace(result, corrections=(*result.corrections, correction))
        return
    value = tally.values[target]
    if correction.unit != value.unit:
        raise ValueError(f"the unit {correction.unit!r} is not that of the value, {value.unit!r}")
    tally.values[target] = replace(value, corrections=(*value.corrections, correction))
    tally.corrected[value.phase] = event.seq
    tally.does(value.phase, event.actor)


def consumes(tally: Tally, event: Event, payload: Mapping[str, Any]) -> None:
    tally.consumed[event.id] = ConsumedLine(
        seq=event.seq,
        lot=str(payload["lot"]),
        material=str(payload["material"]),
        amount=str(payload["amount"]),
        unit=str(payload["unit"]),
        target=optional(payload.get("target")),
        tolerance_percent=optional(payload.get("tolerance_percent")),
        phase=str(payload.get("phase", "")),
        actor=event.actor,
        occurred_at=event.occurred_at,
        before=str(payload.get("before", "0")),
        partial=payload.get("partial") is True,
        instrument=optional(payload.get("instrument")),
        reference=str(payload.get("reference", "")),
        id=event.id,
        recorded=str(payload["amount"]),
    )
    tally.by_hand(event, str(payload.get("phase", "")), f"an amount of {payload['lot']}")


def corrects_amount(tally: Tally, event: Event, payload: Mapping[str, Any]) -> None:
    """A later amount of a lot that went in; the first one stays, and whoever signed for the phase does it again."""
    line = tally.consumed[str(event.corrects)]
    if str(payload["unit"]) != line.unit:
        raise ValueError(f"the unit {payload['unit']!r} is not that of the amount, {line.unit!r}")
    amount = str(payload["amount"])
    fix = Correction(event.seq, amount, line.unit, event.reason or "", event.actor, event.occurred_at)
    tally.consumed[line.id] = replace(line, amount=amount, corrections=(*line.corrections, fix))
    tally.corrected[line.phase] = event.seq
    tally.does(line.phase, event.actor)


def produces(tally: Tally, event: Event, payload: Mapping[str, Any]) -> None:
    tally.lot, tally.material = str(payload["lot"]), str(payload["material"])
    amount = payload.get("amount")
    tally.amount = "" if amount is None else f"{amount} {payload['unit']}".rstrip()


def stored(tally: Tally, event: Event, payload: Mapping[str, Any]) -> None:
    line = SegmentLine(
        seq=event.seq,
        phase=str(payload.get("phase", "")),
        digest=str(payload["digest"]),
        tags=tuple(str(item) for item in payload["tags"]),
        start_h=str(payload["start_h"]),
        end_h=str(payload["end_h"]),
        count=int(payload["count"]),
    )
    tally.lines.append(line)


def checked(tally: Tally, event: Event, payload: Mapping[str, Any]) -> None:
    phase, meaning = str(payload["phase"]), str(payload["meaning"])
    tally.lines.append(CheckLine(event.seq, phase, event.actor, meaning, event.occurred_at, False, False))


def commented(tally: Tally, event: Event, payload: Mapping[str, Any]) -> None:
    line = CommentLine(
        event.seq, str(payload.get("phase", "")), str(payload["comment"]), event.actor, event.occurred_at
    )
    tally.lines.append(line)


def cleared(tally: Tally, event: Event, payload: Mapping[str, Any]) -> None:
    line, found = str(payload["line"]), str(payload["found"])
    tally.lines.append(ClearanceLine(event.seq, line, found, event.actor, event.occurred_at, False))


def stopped(tally: Tally, event: Event, payload: Mapping[str, Any]) -> None:
    line = StopLine(
        seq=event.seq,
        phase=str(payload["phase"]),
        gate=str(payload["gate"]),
        subject=str(payload["subject"]),
        reason=str(payload["reason"]),
        actor=event.actor,
        occurred_at=event.occurred_at,
    )
    tally.lines.append(line)


def lifted(tally: Tally, event: Event, payload: Mapping[str, Any]) -> None:
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
    tally.lines.append(line)


MADE: Final[Mapping[str, Handler]] = {
    "batch.created": created,
    "batch.state_changed": state_changed,
    "step.started": started,
    "step.completed": completed,
    "step.value_recorded": value,
    "value.corrected": corrects,
    "lot.consumed": consumes,
    "lot.consumption_corrected": corrects_amount,
    "lot.produced": produces,
    "segment.stored": stored,
    "step.checked": checked,
    "batch.commented": commented,
    "line.cleared": cleared,
    "permit.refused": stopped,
    "stop.lifted": lifted,
    "probe.calibrated": calibrated,
}
