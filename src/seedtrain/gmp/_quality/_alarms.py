"""What a reviewer sees of alarms and of gaps in the data: what was kept quiet, missed, grave, or not recorded.

The events are those of the control system, filed under the batch: `alarm.raised`, `returned`, `acknowledged`,
`shelved`, `suppressed` ... with `unit`, `tag`, `alarm`, `priority`, `at`, `reason`, `by` and `until`; `telemetry.gap`
with `unit`, `tag`, `from`, `to`, `cause` and `backfilled`. The words are those of ANSI/ISA-18.2.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from seedtrain.base import decimal_text
from seedtrain.gmp._batch._judged_lines import ReviewItem
from seedtrain.record import Event, moment

ALARM: Final = "alarm."
GAP: Final = "telemetry.gap"
LOWER: Final = ("medium", "low", "journal", "diagnostic")
"""Priorities that collapse once acknowledged; every other one, a name that nobody knows among them, is shown."""

_QUIET: Final = {
    "shelved": "shelved",
    "suppressed": "suppressed",
    "removed_from_service": "taken out of service",
}
_PLAIN: Final = ("raised", "returned", "acknowledged", "reset", "unshelved", "unsuppressed", "returned_to_service")


@dataclass
class _Alarm:
    """One alarm of a unit over the whole batch: when it was raised, and whether each time was acknowledged.

    - `unsigned`: who is said to have acknowledged it; their signature is missing.
    """

    name: str
    priority: str
    seq: int
    times: list[str] = field(default_factory=list)
    unseen: int = 0
    unsigned: str = ""
    stands: bool = False

    @property
    def shown(self) -> bool:
        """Whether a reviewer has to look at it: grave, or missed."""
        return bool(self.unseen) or self.priority not in LOWER

    @property
    def words(self) -> str:
        """What happened, in one line."""
        count = len(self.times)
        first, last = self.times[0], self.times[-1]
        parts = [f"{self.name}: raised " + (first if count == 1 else f"{count} times from {first} to {last}")]
        if self.unseen:
            missed = f"acknowledged by {self.unsigned} without a signature" if self.unsigned else "never acknowledged"
            parts.append(f"{self.unseen} of {count} {missed}")
        if self.stands:
            parts.append("not returned to normal")
        return "; ".join(parts)


def alarm_items(events: Iterable[Event]) -> Iterator[ReviewItem]:
    """Alarms that were kept quiet, each time; those that were grave or never acknowledged, one item for each alarm."""
    events = tuple(events)
    for event in events:
        if not event.type.startswith(ALARM):
            continue
        word = event.type.removeprefix(ALARM)
        if word in _QUIET:
            yield ReviewItem("alarm", event.seq, f"{_name(event.payload)} was {_QUIET[word]} {_whereby(event)}")
        elif word not in _PLAIN:
            yield ReviewItem("alarm", event.seq, f"{_name(event.payload)}: {word.replace('_', ' ')}")
    for alarm in _alarms(events):
        if alarm.shown:
            yield ReviewItem("alarm", alarm.seq, alarm.words)


def quiet_alarms(events: Iterable[Event]) -> int:
    """How many times an alarm was raised that a review does not show: of a lower priority, and acknowledged."""
    return sum(len(item.times) for item in _alarms(events) if not item.shown)


def _alarms(events: Iterable[Event]) -> Sequence[_Alarm]:
    """By unit and name. An acknowledgement is of everything raised before it; a return ends what stands.

    An acknowledgement is a person's act (ANSI/ISA-18.2), who is known by their signature over it: without one it says
    nothing of who saw the alarm, and a reviewer sees the alarm with whoever is said to have acknowledged it.
    """
    events = tuple(events)
    signed = {
        (str(event.payload.get("record_digest")), event.actor) for event in events if event.type == "signature.applied"
    }
    found: dict[tuple[str, str], _Alarm] = {}
    for event in events:
        if not event.type.startswith(ALARM):
            continue
        payload, word = event.payload, event.type.removeprefix(ALARM)
        key = (str(payload.get("unit", "")), str(payload.get("alarm") or payload.get("tag", "")))
        if word == "raised":
            known = found.setdefault(key, _Alarm(_name(payload), str(payload.get("priority", "")).lower(), event.seq))
            known.times.append(str(payload.get("at") or event.occurred_at))
            known.unseen, known.unsigned, known.stands = known.unseen + 1, "", True
            if str(payload.get("priority", "")).lower() not in LOWER:  # its gravest counts
                known.name, known.priority = _name(payload), str(payload.get("priority", "")).lower()
        elif word == "acknowledged" and key in found:
            if (event.digest, event.actor) in signed:
                found[key].unseen = 0
            elif found[key].unseen:
                found[key].unsigned = str(payload.get("by") or event.actor)
        elif word == "returned" and key in found:
            found[key].stands = False
    return tuple(found.values())


def _name(payload: Any) -> str:
    name = f"alarm {payload.get('alarm') or payload.get('tag', '')}"
    name += f" of {payload['unit']}" if payload.get("unit") else ""
    name += f" ({payload['priority']})" if payload.get("priority") else ""
    tags = [str(item["tag"]) for item in payload.get("contributions") or ()]  # of monitoring beside good batches
    return name + (f" by {', '.join(tags)}" if tags else "")


def _whereby(event: Event) -> str:
    """By whom, until when and why."""
    payload = event.payload
    until = f" until {payload['until']}" if payload.get("until") else ", without an end"
    reason = payload.get("reason") or event.reason
    return f"by {payload.get('by') or event.actor}{until} ({reason or 'no reason given'})"


def gap_items(events: Iterable[Event]) -> Iterator[ReviewItem]:
    """Spans without data, exactly as they are recorded; tags that were lost together make one item."""
    lost: dict[str, tuple[int, list[str]]] = {}
    for event in events:
        if event.type == GAP:
            tag = str(event.payload.get("tag") or "every tag")
            lost.setdefault(_span(event.payload), (event.seq, []))[1].append(tag)
    for span, (seq, tags) in lost.items():
        yield ReviewItem("data gap", seq, f"no data of {', '.join(dict.fromkeys(tags))}{span}")


def _span(payload: Any) -> str:
    where = f" of {payload['unit']}" if payload.get("unit") else ""
    start, end = payload.get("from"), payload.get("to")
    if start is None:
        return f"{where} from {payload.get('start_h', '?')} to {payload.get('end_h', '?')} h"
    cause = payload.get("cause") or "no cause given"
    if end is None:
        return f"{where} since {start}, {cause}"
    seconds = decimal_text((moment(str(end)) - moment(str(start))).total_seconds(), 9)
    filled = "filled in later from history" if payload.get("backfilled") is True else "not filled in"
    return f"{where} from {start} to {end} ({seconds} s), {cause}, {filled}"
