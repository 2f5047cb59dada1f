"""Where every alarm of a batch stands, folded from the record."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Final

from seedtrain.automation._alarms._states import AlarmHappening, AlarmState, Layers, next_alarm_state
from seedtrain.record import Event, Ledger, moment

PREFIX: Final = "alarm."


@dataclass(frozen=True)
class Standing:
    """One alarm of a batch.

    - `since`: when its state last changed; `turned_at`: when its condition last came or went.
    - `value`, `limit`: as they stood when it was raised, in `measure`. `first_out`: the first of its group to come.
    - `until`: when shelving ends. `by`, `reason`: who last acted on it, and why.
    """

    unit: str
    name: str
    tag: str
    priority: str
    layers: Layers = field(default_factory=Layers)
    latching: bool = False
    group: str = ""
    first_out: bool = False
    raised_at: datetime | None = None
    since: datetime | None = None
    turned_at: datetime | None = None
    until: datetime | None = None
    by: str = ""
    reason: str = ""
    value: str = ""
    limit: str = ""
    measure: str = ""
    origin: str = ""
    action: str = ""
    count: int = 0

    @property
    def state(self) -> AlarmState:
        """The state that it shows."""
        return self.layers.state

    @property
    def key(self) -> tuple[str, str]:
        """Unit and name."""
        return self.unit, self.name

    def to_data(self) -> dict[str, Any]:
        """As JSON has it."""
        times = {name: None if (at := getattr(self, name)) is None else at.isoformat() for name in _TIMES}
        plain = {name: getattr(self, name) for name in _PLAIN}
        return {**plain, "state": self.state.value, "present": self.layers.present, **times}


_WORDS: Final = ("value", "limit", "measure", "origin", "action")
_TIMES: Final = ("raised_at", "since", "until")
_PLAIN: Final = (
    *("unit", "name", "tag", "priority", "group", "first_out", "latching", "by", "reason"),
    *("value", "limit", "measure", "origin", "action", "count"),
)


@dataclass
class AlarmBook:
    """The alarms of one batch by unit and name. A happening that the diagram does not have there changes nothing."""

    alarms: dict[tuple[str, str], Standing] = field(default_factory=dict)
    seq: int = 0

    def apply(self, event: Event) -> Standing | None:
        """Take the next event of the batch; the alarm that it changed."""
        self.seq = event.seq
        word = event.type.removeprefix(PREFIX)
        if not event.type.startswith(PREFIX) or word not in set(AlarmHappening):
            return None
        payload, happening = event.payload, AlarmHappening(word)
        key = (str(payload["unit"]), str(payload["alarm"]))
        before = self.alarms.get(key) or Standing(*key, str(payload["tag"]), str(payload["priority"]))
        latching = bool(payload.get("latching", before.latching))
        layers = next_alarm_state(before.layers, happening, latching=latching)
        if layers is None:
            return None
        found = replace(before, layers=layers, latching=latching, since=moment(str(payload["at"])))
        if happening in (AlarmHappening.RAISED, AlarmHappening.RETURNED):
            found = replace(found, turned_at=found.since)
        if happening is AlarmHappening.RAISED:
            found = self._raised(found, payload)
        elif happening is AlarmHappening.SHELVED:
            found = replace(found, until=moment(str(payload["until"])))
        elif happening is AlarmHappening.UNSHELVED:
            found = replace(found, until=None)
        if payload.get("by"):
            found = replace(found, by=str(payload["by"]), reason=str(payload.get("reason") or ""))
        self.alarms[key] = found
        if found.group and not any(self._of(found.group)):
            for other in [item for item in self.alarms.values() if item.group == found.group]:
                self.alarms[other.key] = replace(other, first_out=False)
        return self.alarms[key]

    def _raised(self, alarm: Standing, payload: Any) -> Standing:
        group = str(payload.get("group", ""))
        words: dict[str, Any] = {name: str(payload.get(name) or "") for name in _WORDS}
        first = bool(group) and not any(item.key != alarm.key for item in self._of(group))
        return replace(
            alarm,
            group=group,
            first_out=first or (alarm.first_out and alarm.group == group),
            raised_at=moment(str(payload["at"])),
            count=alarm.count + 1,
            priority=str(payload["priority"]),
            **words,
        )

    def _of(self, group: str) -> Iterator[Standing]:
        """The alarms of a group that are not normal."""
        return (item for item in self.alarms.values() if item.group == group and item.state is not AlarmState.NORMAL)

    def get(self, unit: str, name: str) -> Standing | None:
        """One alarm."""
        return self.alarms.get((unit, name))

    @property
    def standing(self) -> tuple[Standing, ...]:
        """Every alarm that is not normal: those to be acted on first, the gravest first, then the oldest."""
        return tuple(sorted((item for item in self.alarms.values() if item.state is not AlarmState.NORMAL), key=_order))


_PRIORITY: Final = {"critical": 0, "high": 1, "medium": 2, "low": 3}
_SILENT: Final = (AlarmState.SHELVED, AlarmState.SUPPRESSED, AlarmState.OUT_OF_SERVICE)


def _order(item: Standing) -> tuple[bool, int, str, str]:
    since = "" if item.raised_at is None else item.raised_at.isoformat()
    return item.state in _SILENT, _PRIORITY.get(item.priority, 9), since, item.name


def alarm_book(ledger: Ledger, batch: str) -> AlarmBook:
    """Where the alarms of a batch stand."""
    book = AlarmBook()
    for event in ledger.events(subject=batch):
        book.apply(event)
    return book
