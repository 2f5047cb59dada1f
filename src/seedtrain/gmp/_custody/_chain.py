"""The chain of identity and custody of what is made from one patient's cells for the same patient: a pure fold.

Clauses: 21 CFR 1271.290(b)-(c) tracking from donor to recipient and back by a code that is not the name; 1271.90(c)
labels of what is stored for autologous use.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final, Literal

from seedtrain.base import InputError
from seedtrain.gmp._standing import Standing
from seedtrain.quality import Criterion, Verdict, VerdictWord
from seedtrain.quantity import Range, parse_range
from seedtrain.record import Event, Ledger, moment

Stage = Literal["collection", "transport", "receipt", "manufacture", "return", "infusion"]
STAGES: Final[tuple[Stage, ...]] = ("collection", "transport", "receipt", "manufacture", "return", "infusion")
NEXT: Final[Mapping[str, tuple[str, ...]]] = {
    "collection": ("transport", "receipt"),
    "transport": ("transport", "receipt"),
    "receipt": ("receipt", "manufacture"),
    "manufacture": ("manufacture", "return"),
    "return": ("return", "infusion"),
    "infusion": (),
}
"""Which stage may follow which. A hand-over within a stage (one courier to the next) is one too."""
AUTOLOGOUS: Final = "FOR AUTOLOGOUS USE ONLY"  # 21 CFR 1271.90(c)(1)
NOT_EVALUATED: Final = "NOT EVALUATED FOR INFECTIOUS SUBSTANCES"  # 21 CFR 1271.90(c)(2)
INTACT: Final = "intact"
CONDITIONS: Final = (INTACT, "damaged", "leaking", "seal broken", "thawed")
HAND_OVER: Final = "custody.hand_over"
CLEAR: Final = "quality.approve"
DUTIES: Final[Mapping[str, str]] = {
    "custody.opened": HAND_OVER,
    "custody.bound": HAND_OVER,
    "custody.handed_over": HAND_OVER,
    "custody.received": HAND_OVER,
    "deviation.closed": CLEAR,
    "custody.resumed": CLEAR,
}
"""What somebody must be allowed to do for their event to count. A refusal counts as it stands."""


@dataclass(frozen=True)
class Scan:
    """What one side of a hand-over saw: where, when, how warm, in which condition. Identifiers were compared then."""

    actor: str
    place: str
    time: str
    temperature: str
    condition: str
    faults: tuple[str, ...]


@dataclass(frozen=True)
class HandOver:
    """One hand-over: the giver's side, and the receiver's once they have taken it."""

    seq: int
    stage: Stage
    to: str
    given: Scan
    received: Scan | None = None


@dataclass(frozen=True)
class Stop:
    """A hard stop: an identifier that does not match, or goods out of limits. It ends with a closed deviation."""

    seq: int
    reason: str
    deviation: str
    actor: str
    time: str
    mismatch: bool
    resumed: bool = False


@dataclass(frozen=True)
class Chain:
    """One patient's chain. `code` and `token` are the two identifiers; the person behind them is sealed.

    - `limits`: stage to the temperatures allowed there; `within_h`: hours from collection to manufacture.
    - `lots`, `batches`: what is bound to it. `custodian`: who has it; `pending`: a hand-over that nobody has received.
    - `illegal`: events that cannot be, by seq: they changed nothing, and the chain is not whole.
    """

    code: str
    token: str
    product: str
    sealed: str
    limits: Mapping[str, str]
    within_h: str
    evaluated: bool
    opened_by: str
    opened_at: str
    place: str
    lots: tuple[str, ...] = ()
    batches: tuple[str, ...] = ()
    hand_overs: tuple[HandOver, ...] = ()
    stops: tuple[Stop, ...] = ()
    illegal: tuple[tuple[int, str], ...] = ()

    @property
    def pending(self) -> HandOver | None:
        """The hand-over that is under way."""
        last = self.hand_overs[-1] if self.hand_overs else None
        return last if last is not None and last.received is None else None

    @property
    def taken(self) -> tuple[HandOver, ...]:
        """The hand-overs with both sides."""
        return tuple(item for item in self.hand_overs if item.received is not None)

    @property
    def custodian(self) -> str:
        """Who answers for it now: the last who received it."""
        return self.taken[-1].to if self.taken else self.opened_by

    @property
    def stage(self) -> Stage:
        """How far it has come."""
        return self.taken[-1].stage if self.taken else "collection"

    @property
    def stopped(self) -> Stop | None:
        """The hard stop that holds it."""
        return next((item for item in self.stops if not item.resumed), None)

    @property
    def label(self) -> tuple[str, ...]:
        """What the label must say, beside the code and the token (21 CFR 1271.90(c)); the words are the rule's own."""
        return (AUTOLOGOUS,) if self.evaluated else (AUTOLOGOUS, NOT_EVALUATED)

    def limit(self, stage: str) -> Range | None:
        """The temperatures allowed in a stage."""
        text = self.limits.get(stage) or self.limits.get("all")
        return parse_range(text, like="degC") if text else None


def custody_chain(ledger: Ledger, code: str) -> Chain:
    """The chain of this code. Raises `InputError` for an unknown one.

    What does not follow from what is before it, or was never signed by who may do it, changes nothing: `illegal`.
    """
    found = _read(ledger, code, Standing(ledger))
    if found is None:
        raise InputError(f"there is no chain of custody {code!r}", remedy="See: seedtrain custody list.")
    return found


def custody_chains(ledger: Ledger) -> tuple[Chain, ...]:
    """Every chain of the ledger, oldest first."""
    codes = dict.fromkeys(event.subject for event in ledger.events(type="custody.opened"))
    standing = Standing(ledger)
    return tuple(found for code in codes if (found := _read(ledger, code, standing)) is not None)


def _read(ledger: Ledger, code: str, standing: Standing) -> Chain | None:
    return fold_chain(
        ledger.events(subject=code),
        lambda event: event.type not in DUTIES or standing.counts(event, DUTIES[event.type]),
    )


def fold_chain(events: Iterable[Event], counts: Callable[[Event], bool] = lambda event: True) -> Chain | None:
    """Fold the events of one chain, in the order of the record; None where it was never opened.

    - `counts`: whether an event is signed by somebody who may.
    """
    fold = _Fold()
    for event in events:
        handler = _HANDLERS.get(event.type)
        if handler is None:
            continue
        try:
            _must(counts(event), "it is not signed by somebody who may do it")
            handler(fold, event, event.payload)
        except (KeyError, ValueError, TypeError) as error:
            fold.illegal.append((event.seq, f"{event.type}: {error}"))
    return None if fold.chain is None else replace(fold.chain, illegal=tuple(fold.illegal))


@dataclass
class _Fold:
    """Each handler checks everything before it changes anything."""

    chain: Chain | None = None
    closed: set[str] = field(default_factory=set)
    illegal: list[tuple[int, str]] = field(default_factory=list)

    @property
    def open(self) -> Chain:
        if self.chain is None:
            raise ValueError("the chain was never opened")
        return self.chain

    def opened(self, event: Event, payload: Mapping[str, Any]) -> None:
        _must(self.chain is None, "the chain is opened twice")
        self.chain = Chain(
            code=event.subject,
            token=str(payload["token"]),
            product=str(payload["product"]),
            sealed=str(payload["sealed"]),
            limits={str(name): str(text) for name, text in payload["limits"].items()},
            within_h=str(payload["within_h"]),
            evaluated=payload["evaluated"] is True,
            opened_by=event.actor,
            opened_at=event.occurred_at,
            place=str(payload["place"]),
            lots=tuple(payload["lots"]),
        )

    def bound(self, event: Event, payload: Mapping[str, Any]) -> None:
        name = str(payload["id"])
        if payload["kind"] == "lot":
            self.chain = replace(self.open, lots=(*self.open.lots, name))
        else:
            self.chain = replace(self.open, batches=(*self.open.batches, name))

    def handed(self, event: Event, payload: Mapping[str, Any]) -> None:
        scan = self.going(event, payload)
        _must(self.open.pending is None, "a hand-over is under way")
        _must(event.actor == self.open.custodian, f"it is with {self.open.custodian}")
        _must(payload["stage"] in NEXT[self.open.stage], f"after {self.open.stage} comes no {payload['stage']}")
        item = HandOver(event.seq, payload["stage"], str(payload["to"]), scan)
        self.chain = replace(self.open, hand_overs=(*self.open.hand_overs, item))

    def taken(self, event: Event, payload: Mapping[str, Any]) -> None:
        scan = self.going(event, payload)
        pending = self.open.pending
        if pending is None or pending.to != event.actor:
            raise ValueError("nothing was handed over to this person")
        self.chain = replace(self.open, hand_overs=(*self.open.hand_overs[:-1], replace(pending, received=scan)))

    def going(self, event: Event, payload: Mapping[str, Any]) -> Scan:
        """The scan of an act on a chain that goes on; an act that tells of goods out of limits is its own stop."""
        scan, stop = _scan(event, payload), self.open.stopped
        told = (False, event.actor, "; ".join(scan.faults))
        _must(stop is None or (stop.mismatch, stop.actor, stop.reason) == told, "the chain is stopped")
        return scan

    def refused(self, event: Event, payload: Mapping[str, Any]) -> None:
        stop = Stop(
            event.seq,
            event.reason or "",
            str(payload["deviation"]),
            event.actor,
            event.occurred_at,
            payload["mismatch"] is True,
        )
        self.chain = replace(self.open, stops=(*self.open.stops, stop))

    def shut(self, event: Event, payload: Mapping[str, Any]) -> None:
        self.closed.add(str(payload["deviation"]))

    def resumed(self, event: Event, payload: Mapping[str, Any]) -> None:
        name = str(payload["deviation"])
        stop = next((item for item in self.open.stops if item.deviation == name and not item.resumed), None)
        _must(stop is not None and stop.actor != event.actor, "there is no such stop, or it is the person's own")
        _must(name in self.closed, f"the deviation {name} is not closed")
        stops = tuple(replace(item, resumed=True) if item.deviation == name else item for item in self.open.stops)
        self.chain = replace(self.open, stops=stops)


def _must(holds: bool, words: str) -> None:
    if not holds:
        raise ValueError(words)


def _scan(event: Event, payload: Mapping[str, Any]) -> Scan:
    return Scan(
        actor=event.actor,
        place=str(payload["place"]),
        time=event.occurred_at,
        temperature=str(payload["temperature"]),
        condition=str(payload["condition"]),
        faults=tuple(payload["faults"]),
    )


_HANDLERS: Final[Mapping[str, Callable[[_Fold, Event, Mapping[str, Any]], None]]] = {
    "custody.opened": _Fold.opened,
    "custody.bound": _Fold.bound,
    "custody.handed_over": _Fold.handed,
    "custody.received": _Fold.taken,
    "custody.refused": _Fold.refused,
    "deviation.closed": _Fold.shut,
    "custody.resumed": _Fold.resumed,
}


def judge_custody(found: Chain) -> Verdict:
    """Whether the chain is whole: each hand-over on both sides, goods in limits, in time, and to its end.

    A chain that is under way, or stopped, is inconclusive; one with a stop for an identifier that did not match shows
    it for ever, and passes once that was cleared under a deviation and the chain came to its end.
    """
    criteria = [_both_sides(found), _in_limits(found), _in_time(found), _stops(found), _ended(found), _legal(found)]
    evidence = [
        f"{item.stage}: {item.given.actor} to {item.to}, {item.given.time}, {item.given.temperature}, "
        f"{item.given.condition}" + ("" if item.received else ", not received")
        for item in found.hand_overs
    ]
    evidence += [f"stop: {item.reason} ({item.deviation})" for item in found.stops]
    evidence += [f"event {seq}: {words}" for seq, words in found.illegal]
    return Verdict.of([item for item in criteria if item is not None], evidence)


def _both_sides(found: Chain) -> Criterion:
    value = f"{len(found.taken)} of {len(found.hand_overs)}"
    word: VerdictWord = "pass" if found.hand_overs and found.pending is None else "inconclusive"
    return Criterion("hand-overs with both sides", value, None, "every one", None, word)


def _in_limits(found: Chain) -> Criterion:
    faults = [text for item in found.hand_overs for scan in (item.given, item.received) if scan for text in scan.faults]
    cleared = all(item.resumed for item in found.stops)
    if faults:
        word: VerdictWord = "inconclusive" if cleared else "fail"
    else:
        word = "pass" if found.hand_overs and found.limits else "inconclusive"
    value = "; ".join(faults) or ("none" if found.limits else "no limit was set")
    return Criterion("temperature and condition out of limits", value, None, "none", None, word)


def _in_time(found: Chain) -> Criterion | None:
    arrived = next((item for item in found.taken if item.stage == "manufacture"), None)
    if not found.within_h:
        return None
    name, limit = "hours from collection to manufacture", f"<= {found.within_h} h"
    if arrived is None or arrived.received is None:
        return Criterion(name, None, None, limit, None, "inconclusive")
    hours = (moment(arrived.received.time) - moment(found.opened_at)).total_seconds() / 3600
    word: VerdictWord = "pass" if hours <= float(found.within_h) else "fail"
    return Criterion(name, f"{hours:.2f} h", None, limit, None, word)


def _stops(found: Chain) -> Criterion:
    open_ones = [item for item in found.stops if not item.resumed]
    value = f"{len(found.stops)} stops, {len(open_ones)} not cleared"
    return Criterion("identifiers and hard stops", value, None, "none open", None, "fail" if open_ones else "pass")


def _ended(found: Chain) -> Criterion:
    word: VerdictWord = "pass" if found.stage == "infusion" else "inconclusive"
    return Criterion("stage reached", found.stage, None, "infusion", None, word)


def _legal(found: Chain) -> Criterion:
    word: VerdictWord = "fail" if found.illegal else "pass"
    return Criterion("events that cannot be", str(len(found.illegal)), None, "none", None, word)
