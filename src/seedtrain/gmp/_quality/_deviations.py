"""Deviations: opened by a person or by the system, classified, investigated, assessed, and closed by another person.

Source: 21 CFR 211.100(b) and 211.192; ICH Q10 3.2.2; EU GMP chapter 8. The classes and days are ours.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final, Literal, get_args

from seedtrain.base import InputError, digest
from seedtrain.gmp._authority import another_person, authorise, in_service
from seedtrain.gmp._batch._judged_lines import Closure, DeviationLine
from seedtrain.gmp._batch._record import BatchRecord
from seedtrain.gmp._quality._case import (
    SITE,
    counting,
    is_product,
    later_day,
    said,
    signed_pairs,
    step_draft,
    take_step,
)
from seedtrain.record import Draft, Event, Ledger

CLOSING: Final = "closing of a deviation"
Classification = Literal["minor", "major", "critical"]
Disposition = Literal["use", "rework", "hold", "reject"]
DAYS: Final[Mapping[str, int]] = {"": 30, "minor": 30, "major": 30, "critical": 15}
"""Days from opening to the due date; assumed."""
_SUBSTANCE: Final = ("deviation.classified", "deviation.investigated", "deviation.assessed", "deviation.capa_linked")
_SOURCE: Final = "ICH Q10, 21 CFR 211.192"
_REST: Final = "the rest of what closing needs"


@dataclass(frozen=True)
class Deviation:
    """A deviation as the ledger has it.

    - `subject`: the batch or lot under which it is filed, or `site`. `linked`: other batches and lots that it concerns.
    - `classification` and `disposition` are empty until somebody states them. `due`: a day, year-month-day.
    - `capa`: the CAPA that follows from it; `no_capa`: why there is none.
    - `barred`: who may not close it, and why.
    """

    name: str
    subject: str
    seq: int
    words: str
    phase: str
    opened_by: str
    opened_at: str
    due: str
    linked: tuple[str, ...] = ()
    classification: str = ""
    findings: str = ""
    cause: str = ""
    impact: str = ""
    disposition: str = ""
    capa: str = ""
    no_capa: str = ""
    barred: Mapping[str, str] | None = None
    closing: Closure | None = None

    @property
    def lacks(self) -> tuple[str, ...]:
        """What it needs before it can be closed, besides the closing itself."""
        missing = [] if self.classification else ["a classification"]
        if self.classification in ("major", "critical"):
            missing += [] if self.findings else ["an investigation"]
            missing += [] if self.disposition else ["the disposition of the product"]
            missing += [] if self.capa or self.no_capa else ["a CAPA, or the reason why there is none"]
        return tuple(missing)

    @property
    def closed(self) -> bool:
        """Whether it is closed with everything it needs, signed, by somebody who may."""
        closing = self.closing
        return (
            closing is not None
            and closing.signed
            and closing.actor not in (self.barred or {})
            and all(text.strip() for text in (closing.impact, closing.cause, closing.action))
            and not self.lacks
        )


def deviations(events: Iterable[Event]) -> tuple[Deviation, ...]:
    """Fold the deviations out of events of one subject, in the order of the record.

    Whatever is stated after a closing opens the deviation again: the closing answered something else.
    """
    kept = [item for item in events if item.type.startswith(("deviation.", "signature.", "step."))]
    signed = signed_pairs(kept)
    doers = _doers(kept)
    found: dict[str, Deviation] = {}
    for event in kept:
        name = str(event.payload.get("deviation", ""))
        if event.type == "deviation.opened":
            found.setdefault(name, _opened(event, name))
        elif event.type.startswith("deviation.") and name in found and event.subject == found[name].subject:
            found[name] = _then(found[name], event, (event.digest, event.actor) in signed)
    return tuple(replace(item, barred=_barred(item, doers)) for item in found.values())


def _opened(event: Event, name: str) -> Deviation:
    payload = event.payload
    return Deviation(
        name=name,
        subject=event.subject,
        seq=event.seq,
        words=str(payload["words"]),
        phase=str(payload.get("phase", "")),
        opened_by=event.actor,
        opened_at=event.occurred_at,
        due=str(payload.get("due") or later_day(event.occurred_at, DAYS[""])),
        linked=tuple(str(item) for item in payload.get("linked", ())),
        barred={event.actor: "opened it"},
    )


def _then(item: Deviation, event: Event, signed: bool) -> Deviation:
    payload = event.payload
    if event.type == "deviation.closed":
        texts = {name: str(payload.get(name, "")) for name in ("impact", "cause", "action")}
        closing = Closure(event.seq, **texts, actor=event.actor, occurred_at=event.occurred_at, signed=signed)
        own: dict[str, Any] = {
            name: str(payload[name]) for name in ("classification", "disposition") if payload.get(name)
        }
        return replace(item, closing=closing, impact=texts["impact"], cause=texts["cause"], **own)
    if event.type not in _SUBSTANCE or not signed:
        return item
    names = ("classification", "findings", "cause", "impact", "disposition", "capa", "no_capa", "due")
    stated: dict[str, Any] = {name: str(payload[name]) for name in names if name in payload}
    barred = dict(item.barred or {})
    if event.type == "deviation.investigated":
        barred.setdefault(event.actor, "investigated it")
    return replace(item, closing=None, barred=barred, **stated)


def _doers(events: Iterable[Event]) -> dict[str, set[str]]:
    doers: dict[str, set[str]] = {}
    for event in events:
        if event.type in ("step.started", "step.completed") or event.payload.get("kind") == "entry":
            doers.setdefault(str(event.payload.get("phase", "")), set()).add(event.actor)
    return doers


def _barred(item: Deviation, doers: Mapping[str, set[str]]) -> dict[str, str]:
    if item.phase:
        return {**dict.fromkeys(doers.get(item.phase, ()), "ran the phase"), **(item.barred or {})}
    whole = dict.fromkeys((actor for people in doers.values() for actor in people), "ran the batch")
    return {**whole, **(item.barred or {})}


def find_deviation(ledger: Ledger, name: str) -> Deviation:
    """The deviation of this name; raises `InputError` with those that there are."""
    opened = {str(item.payload["deviation"]): item.subject for item in ledger.events(type="deviation.opened")}
    if name not in opened:
        known = ", ".join(list(opened)[-10:]) or "none"
        raise InputError(f"the ledger has no deviation {name!r}", remedy=f"It has: {known}.")
    events = counting(ledger, ledger.events(subject=opened[name]))
    return next(item for item in deviations(events) if item.name == name)


def all_deviations(ledger: Ledger) -> tuple[Deviation, ...]:
    """Every deviation of the ledger, oldest first."""
    subjects = dict.fromkeys(item.subject for item in ledger.events(type="deviation.opened"))
    found = [item for subject in subjects for item in deviations(counting(ledger, ledger.events(subject=subject)))]
    return tuple(sorted(found, key=lambda item: item.seq))


def concerning(ledger: Ledger, batch: str, events: Sequence[Event]) -> tuple[Deviation, ...]:
    """The deviations filed under a batch, and those filed elsewhere that were linked with it.

    - `events`: of the batch.
    """
    own = deviations(counting(ledger, events))
    names = dict.fromkeys(str(item.payload["deviation"]) for item in events if item.type == "deviation.linked")
    return (*own, *(find_deviation(ledger, name) for name in names))


def raise_deviation(
    ledger: Ledger,
    subject: str,
    words: str,
    actor: str,
    *,
    phase: str = "",
    tag: str = "",
    linked: Sequence[str] = (),
    at: datetime | None = None,
) -> Deviation:
    """A person opens a deviation on a batch, a lot or the `site`, and links the other batches and lots it concerns.

    A phase and tag of the batch say which recorded excursion it covers. The same words of the same person on the same
    place are one deviation. Raises `InputError` for a subject that the ledger does not know.
    """
    in_service(ledger, actor)
    text = said("description", words, _SOURCE)
    for name in (subject, *linked):
        if name != SITE and not is_product(ledger, name):
            raise InputError(f"the ledger knows no batch or lot {name!r}", remedy=f"Check the id, or use {SITE!r}.")
    others = tuple(dict.fromkeys(item for item in linked if item not in (subject, SITE)))

    def step(events: tuple[Event, ...]) -> Draft | Event:
        for item in events:
            payload = item.payload
            if item.type != "deviation.opened" or item.actor != actor:
                continue
            if (payload["words"], payload["phase"], payload["tag"]) == (text, phase, tag):
                return item
        if phase and not any(item.payload.get("phase") == phase for item in events):
            raise InputError(f"{subject} has no phase {phase!r} in its record", remedy="Give a phase that was run.")
        count = sum(item.type == "deviation.opened" for item in events)
        name = f"{subject}-DEV-{count + 1:02d}"
        blank: dict[str, Any] = dict.fromkeys(("value", "unit", "start_h", "end_h"), "")
        payload = {"deviation": name, "phase": phase, "tag": tag, "words": text, "low": None, "high": None, **blank}
        payload |= {"linked": list(others), "due": later_day(_clock(ledger, at), DAYS[""]), "raised": True}
        return Draft("deviation.opened", subject, payload, actor, at, id=digest(["deviation", name])[:32])

    event, _ = take_step(ledger, subject, "opening of a deviation", step)
    name = str(event.payload["deviation"])
    links = [
        Draft("deviation.linked", other, {"deviation": name}, actor, at, id=digest(["linked", name, other])[:32])
        for other in others
    ]
    if links:
        ledger.append(*links)
    return find_deviation(ledger, name)


def _clock(ledger: Ledger, at: datetime | None) -> str:
    return (at or ledger.now).isoformat()


def classify_deviation(
    ledger: Ledger, name: str, classification: Classification, reason: str, actor: str, *, at: datetime | None = None
) -> Deviation:
    """State how grave a deviation is, and why; signed. A later statement counts, and the earlier one stays visible."""
    authorise(ledger, actor, "quality.investigate")
    if classification not in get_args(Classification):
        known = ", ".join(get_args(Classification))
        raise InputError(f"there is no classification {classification!r}", remedy=f"Use one of: {known}.")
    item = find_deviation(ledger, name)
    due = later_day(item.opened_at, DAYS[classification])
    payload = {"classification": classification, "due": due}
    why = said("reason", reason, _SOURCE)
    return _state(ledger, item, "deviation.classified", payload, actor, "classification of a deviation", why, at)


def investigate_deviation(
    ledger: Ledger, name: str, *, findings: str, cause: str, actor: str, at: datetime | None = None
) -> Deviation:
    """Record what the investigation found and the root cause; signed."""
    authorise(ledger, actor, "quality.investigate")
    payload = {"findings": said("finding", findings, _SOURCE), "cause": said("root cause", cause, _SOURCE)}
    meaning = "investigation of a deviation"
    return _state(ledger, find_deviation(ledger, name), "deviation.investigated", payload, actor, meaning, None, at)


def assess_deviation(
    ledger: Ledger, name: str, *, impact: str, disposition: Disposition, actor: str, at: datetime | None = None
) -> Deviation:
    """Record the impact on product and patient, and what becomes of the product; signed."""
    authorise(ledger, actor, "quality.investigate")
    if disposition not in get_args(Disposition):
        known = ", ".join(get_args(Disposition))
        raise InputError(f"there is no disposition {disposition!r}", remedy=f"Use one of: {known}.")
    payload = {"impact": said("impact", impact, _SOURCE), "disposition": disposition}
    meaning = "impact of a deviation"
    return _state(ledger, find_deviation(ledger, name), "deviation.assessed", payload, actor, meaning, None, at)


def link_capa(
    ledger: Ledger, name: str, actor: str, *, capa: str = "", no_capa: str = "", at: datetime | None = None
) -> Deviation:
    """Name the CAPA that follows from a deviation, or say why there is none; signed."""
    authorise(ledger, actor, "quality.investigate")
    if bool(capa.strip()) == bool(no_capa.strip()):
        raise InputError("give either a CAPA or the reason why there is none", remedy="Give one of the two.")
    if capa and next(iter(ledger.events(subject=capa, type="capa.opened")), None) is None:
        raise InputError(f"the ledger has no CAPA {capa!r}", remedy="Open it first: seedtrain quality capa open.")
    payload = {"capa": capa.strip(), "no_capa": no_capa.strip()}
    item = find_deviation(ledger, name)
    return _state(ledger, item, "deviation.capa_linked", payload, actor, "CAPA of a deviation", None, at)


def _state(
    ledger: Ledger,
    item: Deviation,
    type: str,
    payload: Mapping[str, str],
    actor: str,
    meaning: str,
    reason: str | None,
    at: datetime | None,
) -> Deviation:
    def step(events: tuple[Event, ...]) -> Draft | Event:
        now = next(other for other in deviations(counting(ledger, events)) if other.name == item.name)
        draft = step_draft(events, type, item.subject, ("deviation", item.name), payload, actor, reason=reason, at=at)
        if now.closed and isinstance(draft, Draft):
            raise InputError(f"{item.name} is closed", remedy="Open another deviation for what was found since.")
        return draft

    take_step(ledger, item.subject, meaning, step)
    return find_deviation(ledger, item.name)


def close_deviation(
    ledger: Ledger,
    batch: str,
    deviation: str,
    *,
    impact: str = "",
    cause: str = "",
    action: str,
    actor: str,
    classification: Classification | None = None,
    disposition: Disposition | None = None,
    at: datetime | None = None,
) -> tuple[Event, Event]:
    """Close a deviation with impact, cause and action, signed by a person who neither opened, ran nor investigated it.

    - `batch`: what it is filed under. `impact`, `cause`: those stated before where left out.
    - `classification`, `disposition`: where nobody stated them before; a minor one needs no investigation.

    Returns the closing and the signature; the same again where it is closed already in the same words. Raises
    `InputError` for another closing of a closed one, for what is missing, and for somebody who may not.
    """
    authorise(ledger, actor, "quality.approve")

    def step(events: tuple[Event, ...]) -> Draft | Event:
        found = {item.name: item for item in deviations(counting(ledger, events))}
        if deviation not in found:
            known = ", ".join(found) or "none"
            raise InputError(f"{batch} has no deviation {deviation!r}", remedy=f"It has: {known}.")
        item = found[deviation]
        texts = {"impact": impact or item.impact, "cause": cause or item.cause, "action": action}
        for name, text in texts.items():
            if not text.strip():
                raise InputError(f"{deviation} has no {name}", remedy=f"Say what the {name} is ({_SOURCE}).")
        _may_close(ledger, item, actor)
        own = {"classification": classification, "disposition": disposition}
        payload = {"deviation": deviation, **texts} | {name: text for name, text in own.items() if text}
        whole = replace(
            item,
            classification=classification or item.classification,
            disposition=disposition or item.disposition,
        )
        missing = whole.lacks
        if missing and not item.closed:
            raise InputError(f"{deviation} lacks {', '.join(missing)}", remedy=f"State {_REST}, then close it.")
        count = sum(other.type == "deviation.closed" and other.payload["deviation"] == deviation for other in events)
        number = count - (1 if item.closing is not None else 0)
        identity = digest(["deviation.closed", batch, deviation, *([number] if number else [])])[:32]
        return Draft("deviation.closed", batch, payload, actor, at, id=identity)

    return take_step(ledger, batch, CLOSING, step)


def _may_close(ledger: Ledger, item: Deviation, actor: str) -> None:
    barred = item.barred or {}
    if actor in barred:
        raise InputError(
            f"{actor} cannot close {item.name}: the one who {barred[actor]} does not judge it",
            remedy="Have another person close it.",
        )
    another_person(ledger, actor, barred, f"the closing of {item.name}")


def involved(record: BatchRecord, deviation: DeviationLine) -> dict[str, str]:
    """Who may not close a deviation of a batch, and why."""
    step = record.step(deviation.phase)
    barred = dict.fromkeys(step.doers if step else (), "ran the phase")
    barred[deviation.opened_by] = "opened it"
    return barred


def well_closed(record: BatchRecord, deviation: DeviationLine) -> bool:
    """Whether a deviation's line shows a closing with all three answers, signed, by somebody who may."""
    closure = deviation.closure
    return (
        closure is not None
        and closure.signed
        and closure.actor not in involved(record, deviation)
        and all(text.strip() for text in (closure.impact, closure.cause, closure.action))
    )
