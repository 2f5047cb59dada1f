"""How a batch is judged: samples, results, deviations, reviews, decisions and signatures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from seedtrain.gmp._batch._judged_lines import (
    Closure,
    DecisionLine,
    DecisionWord,
    DeviationLine,
    ResultLine,
    ReviewItem,
    ReviewLine,
    SampleLine,
)
from seedtrain.gmp._batch._lines import SignatureLine
from seedtrain.gmp._batch._tally import Handler, Tally, optional
from seedtrain.record import Event


def sampled(tally: Tally, event: Event, payload: Mapping[str, Any]) -> None:
    attributes = tuple(str(item) for item in payload["attributes"])
    line = SampleLine(
        event.seq, str(payload["sample"]), str(payload["phase"]), attributes, event.actor, event.occurred_at
    )
    tally.lines.append(line)


def resulted(tally: Tally, event: Event, payload: Mapping[str, Any]) -> None:
    if payload["state"] not in ("conforms", "oos", "invalid"):
        raise ValueError(f"{payload['state']!r} is no state of a result")
    tally.results[event.id] = ResultLine(
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


def deviates(tally: Tally, event: Event, payload: Mapping[str, Any]) -> None:
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
        low=optional(payload.get("low")),
        high=optional(payload.get("high")),
        opened_by=event.actor,
        occurred_at=event.occurred_at,
        covers=(int(first), int(last)) if first is not None and last is not None else None,
    )
    tally.deviations.setdefault(line.deviation, line)


def closes(tally: Tally, event: Event, payload: Mapping[str, Any]) -> None:
    deviation = tally.deviations[str(payload["deviation"])]
    closure = Closure(
        seq=event.seq,
        impact=str(payload["impact"]),
        cause=str(payload["cause"]),
        action=str(payload["action"]),
        actor=event.actor,
        occurred_at=event.occurred_at,
        signed=False,
    )
    tally.deviations[deviation.deviation] = replace(deviation, closure=closure)


def reviewed(tally: Tally, event: Event, payload: Mapping[str, Any]) -> None:
    items = tuple(ReviewItem(str(item["kind"]), int(item["seq"]), str(item["words"])) for item in payload["exceptions"])
    acknowledged = tuple(int(item) for item in payload["acknowledged"])
    tally.lines.append(ReviewLine(event.seq, event.actor, event.occurred_at, items, acknowledged, False, False))


def decided(tally: Tally, event: Event, payload: Mapping[str, Any]) -> None:
    tally.lines.append(
        DecisionLine(
            seq=event.seq,
            decision=DECISIONS[event.type],
            reasons=tuple(str(item) for item in payload["reasons"]),
            verdict=payload["verdict"],
            actor=event.actor,
            occurred_at=event.occurred_at,
            signed=False,
        )
    )


def signs(tally: Tally, event: Event, payload: Mapping[str, Any]) -> None:
    digest = str(payload["record_digest"])
    line = SignatureLine(
        seq=event.seq,
        actor=event.actor,
        meaning=str(payload["meaning"]),
        record_digest=digest,
        over=tally.digests.get(digest),
        occurred_at=event.occurred_at,
        recorded_at=event.recorded_at,
    )
    tally.lines.append(line)


DECISIONS: Final[Mapping[str, DecisionWord]] = {
    "batch.released": "released",
    "batch.rejected": "rejected",
    "batch.on_hold": "on_hold",
}
JUDGED: Final[Mapping[str, Handler]] = {
    "sample.taken": sampled,
    "result.recorded": resulted,
    "deviation.opened": deviates,
    "deviation.closed": closes,
    "batch.reviewed": reviewed,
    **dict.fromkeys(DECISIONS, decided),
    "signature.applied": signs,
}
