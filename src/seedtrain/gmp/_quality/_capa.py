"""Corrective and preventive actions: root cause, plan approved, actions done, effectiveness checked, closed.

Source: ICH Q10 3.2.2. Identities `CAPA-001`; each is a subject of its own in the ledger.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final, Literal, get_args

from seedtrain.base import InputError, digest
from seedtrain.gmp._authority import another_person, authorise, in_service
from seedtrain.gmp._quality._case import counting, day, said, signed_pairs, step_draft, take_step
from seedtrain.gmp._quality._sources import read_source
from seedtrain.record import Draft, Event, Ledger

ActionKind = Literal["corrective", "preventive"]
_SOURCE: Final = "ICH Q10 3.2.2"


@dataclass(frozen=True)
class CapaAction:
    """One action of a CAPA; `owner` does it by `due` (year-month-day); `evidence` is empty until it is done."""

    number: int
    kind: str
    words: str
    owner: str
    due: str
    evidence: str = ""
    done_at: str = ""


@dataclass(frozen=True)
class Capa:
    """A CAPA as the ledger has it.

    - `sources`: the deviations, investigations or audits that it follows from.
    - `criterion`, `check_due`: how and when its effect is judged; `effective`: None until somebody judged it.
    - `approved_by`, `closed_by`: whose signatures count; empty where there is none.
    """

    name: str
    title: str
    sources: tuple[str, ...]
    cause: str
    criterion: str
    check_due: str
    opened_by: str
    opened_at: str
    seq: int
    actions: tuple[CapaAction, ...] = ()
    approved_by: str = ""
    effective: bool | None = None
    effect: str = ""
    checked_by: str = ""
    closed_by: str = ""

    @property
    def state(self) -> str:
        """open, approved (the plan is signed), done (every action), effective, ineffective or closed."""
        if self.closed_by:
            return "closed"
        if self.effective is not None:
            return "effective" if self.effective else "ineffective"
        if not self.approved_by:
            return "open"
        return "done" if all(item.evidence for item in self.actions) else "approved"

    @property
    def barred(self) -> frozenset[str]:
        """Who neither approves nor closes it: who opened it, and the owners of its actions."""
        return frozenset({self.opened_by, *(item.owner for item in self.actions)})


def capa_of(events: Iterable[Event]) -> Capa | None:
    """Fold a CAPA out of the events of its subject; None if it was never opened.

    A step that is not signed does not count; nor does one that comes before what it needs, or by somebody who may not.
    """
    kept = list(events)
    signed = signed_pairs(kept)
    found: Capa | None = None
    for event in kept:
        if not event.type.startswith("capa.") or (event.digest, event.actor) not in signed:
            continue
        if event.type == "capa.opened":
            found = found or _opened(event)
        elif found is not None:
            found = _then(found, event)
    return found


def _opened(event: Event) -> Capa:
    payload = event.payload
    return Capa(
        name=event.subject,
        title=str(payload["title"]),
        sources=tuple(str(item) for item in payload["sources"]),
        cause=str(payload["cause"]),
        criterion=str(payload["criterion"]),
        check_due=str(payload["check_due"]),
        opened_by=event.actor,
        opened_at=event.occurred_at,
        seq=event.seq,
    )


def _then(item: Capa, event: Event) -> Capa:
    payload, kind = event.payload, event.type
    if item.state == "closed":
        return item
    if kind == "capa.action_added":
        action = CapaAction(
            len(item.actions) + 1, *(str(payload[name]) for name in ("action_kind", "words", "owner", "due"))
        )
        # A plan that grew is another plan: it is approved anew, and its effect is judged anew.
        return replace(item, actions=(*item.actions, action), approved_by="", effective=None, checked_by="")
    if kind == "capa.approved" and item.actions and event.actor not in item.barred:
        return replace(item, approved_by=event.actor)
    if kind == "capa.action_done" and item.approved_by:
        return _done(item, event)
    if kind == "capa.effect_checked" and item.state in ("done", "effective", "ineffective"):
        effective = payload["effective"] is True
        return replace(item, effective=effective, effect=str(payload["evidence"]), checked_by=event.actor)
    if kind == "capa.closed" and item.state == "effective" and event.actor not in item.barred:
        return replace(item, closed_by=event.actor)
    return item


def _done(item: Capa, event: Event) -> Capa:
    number, evidence = int(event.payload["action"]), str(event.payload["evidence"])
    actions = tuple(
        replace(action, evidence=evidence, done_at=event.occurred_at)
        if action.number == number and action.owner == event.actor and not action.evidence
        else action
        for action in item.actions
    )
    return replace(item, actions=actions)


def find_capa(ledger: Ledger, name: str) -> Capa:
    """The CAPA of this name; raises `InputError` for one that there is not."""
    found = capa_of(counting(ledger, ledger.events(subject=name)))
    if found is None:
        known = ", ".join([item.name for item in all_capas(ledger)][-10:]) or "none"
        raise InputError(f"the ledger has no CAPA {name!r}", remedy=f"It has: {known}.")
    return found


def all_capas(ledger: Ledger) -> tuple[Capa, ...]:
    """Every CAPA of the ledger, oldest first."""
    names = dict.fromkeys(item.subject for item in ledger.events(type="capa.opened"))
    found = (capa_of(counting(ledger, ledger.events(subject=name))) for name in names)
    return tuple(item for item in found if item is not None)


def open_capa(
    ledger: Ledger,
    title: str,
    actor: str,
    *,
    cause: str,
    criterion: str,
    check_due: str,
    sources: Iterable[str] = (),
    at: datetime | None = None,
) -> Capa:
    """Open a CAPA with its root cause, and how and when its effect will be judged; signed. The same again is one.

    - `check_due`: year-month-day, not in the past. `sources`: cases of the ledger by name, others as `KIND:TEXT`
      (`read_source`).
    """
    authorise(ledger, actor, "quality.investigate")
    payload = {
        "title": said("title", title, _SOURCE),
        "cause": said("root cause", cause, _SOURCE),
        "criterion": said("criterion of effectiveness", criterion, _SOURCE),
        "check_due": day(check_due, "the effectiveness check's due date"),
        "sources": list(dict.fromkeys(read_source(ledger, item) for item in sources)),
    }
    opened = list(ledger.events(type="capa.opened"))
    same = next((item for item in opened if (dict(item.payload), item.actor) == (payload, actor)), None)
    if same is None:
        _not_past(ledger, str(payload["check_due"]), "the effectiveness check", at)
    name = same.subject if same else f"CAPA-{len(opened) + 1:03d}"

    def step(_: tuple[Event, ...]) -> Draft | Event:
        identity = digest(["capa.opened", name])[:32]
        return same or Draft("capa.opened", name, payload, actor, at, id=identity)

    take_step(ledger, name, "opening of a CAPA", step)
    return find_capa(ledger, name)


def _not_past(ledger: Ledger, due: str, what: str, at: datetime | None) -> None:
    today = (at or ledger.now).date().isoformat()
    if due < today:
        raise InputError(f"{what} is due on {due}, which is past: today is {today}", remedy="Give a day to come.")


def add_action(
    ledger: Ledger,
    capa: str,
    actor: str,
    *,
    kind: ActionKind,
    words: str,
    owner: str,
    due: str,
    at: datetime | None = None,
) -> Capa:
    """Add an action with its owner and due date; signed. The plan is approved anew after it."""
    authorise(ledger, actor, "quality.investigate")
    in_service(ledger, owner)
    if kind not in get_args(ActionKind):
        raise InputError(f"there is no kind of action {kind!r}", remedy="Use corrective or preventive.")
    payload = {
        "action_kind": kind,
        "words": said("action", words, _SOURCE),
        "owner": owner,
        "due": day(due, "the due date"),
    }
    if not any(
        (item.words, item.owner, item.due) == (words.strip(), owner, due) for item in find_capa(ledger, capa).actions
    ):
        _not_past(ledger, str(payload["due"]), "the action", at)
    return _step(ledger, capa, "capa.action_added", payload, actor, "action of a CAPA", at)


def approve_capa(ledger: Ledger, capa: str, actor: str, *, at: datetime | None = None) -> Capa:
    """Quality approves the plan, signed; not by who opened it, nor by the owner of an action."""
    authorise(ledger, actor, "quality.approve")
    item = find_capa(ledger, capa)
    if not item.actions:
        raise InputError(f"{capa} has no action to approve", remedy="Add one: seedtrain quality capa action.")
    another_person(ledger, actor, item.barred, f"the approval of {capa}")
    payload = {"actions": len(item.actions)}
    return _step(ledger, capa, "capa.approved", payload, actor, "approval of a CAPA", at)


def finish_action(
    ledger: Ledger, capa: str, number: int, evidence: str, actor: str, *, at: datetime | None = None
) -> Capa:
    """The owner says that an action of an approved plan is done, and where that can be seen; signed."""
    item = find_capa(ledger, capa)
    action = next((other for other in item.actions if other.number == number), None)
    if action is None:
        raise InputError(f"{capa} has no action {number}", remedy=f"It has {len(item.actions)}.")
    if action.owner != actor:
        raise InputError(f"action {number} of {capa} is {action.owner}'s", remedy="Have its owner finish it.")
    if not item.approved_by:
        raise InputError(f"the plan of {capa} is not approved", remedy="Have quality approve it first.")
    in_service(ledger, actor)
    payload = {"action": number, "evidence": said("evidence", evidence, _SOURCE)}
    return _step(ledger, capa, "capa.action_done", payload, actor, "action done", at)


def check_effect(
    ledger: Ledger, capa: str, actor: str, *, effective: bool, evidence: str, at: datetime | None = None
) -> Capa:
    """Judge the effect by the criterion that was set at the beginning; signed by quality."""
    authorise(ledger, actor, "quality.investigate")
    item = find_capa(ledger, capa)
    if item.state not in ("done", "effective", "ineffective"):
        raise InputError(f"{capa} is {item.state}: not every action is done", remedy="Finish the actions first.")
    payload = {"effective": effective, "evidence": said("evidence", evidence, _SOURCE), "actions": len(item.actions)}
    return _step(ledger, capa, "capa.effect_checked", payload, actor, "effectiveness check", at)


def close_capa(ledger: Ledger, capa: str, actor: str, *, at: datetime | None = None) -> Capa:
    """Quality closes an effective CAPA, signed; not by who opened it, nor by the owner of an action."""
    authorise(ledger, actor, "quality.approve")
    item = find_capa(ledger, capa)
    if item.state == "closed":
        return item
    if item.state != "effective":
        raise InputError(
            f"{capa} is {item.state}, not effective", remedy="Check its effect first; add an action if there is none."
        )
    another_person(ledger, actor, item.barred, f"the closing of {capa}")
    return _step(ledger, capa, "capa.closed", {}, actor, "closing of a CAPA", at)


def _step(
    ledger: Ledger,
    capa: str,
    type: str,
    payload: Mapping[str, object],
    actor: str,
    meaning: str,
    at: datetime | None,
) -> Capa:
    before = find_capa(ledger, capa)

    def step(events: tuple[Event, ...]) -> Draft | Event:
        draft = step_draft(events, type, capa, ("capa", capa), payload, actor, at=at)
        if before.state == "closed" and isinstance(draft, Draft):
            raise InputError(f"{capa} is closed", remedy="Open another CAPA.")
        return draft

    take_step(ledger, capa, meaning, step)
    return find_capa(ledger, capa)
