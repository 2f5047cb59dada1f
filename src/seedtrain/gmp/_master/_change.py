"""Change control: what changes and why, its impact, who approved it, what it brought, and whether that was right.

open -> assessed -> approved -> implemented -> closed, or rejected. Sources: ICH Q10 3.2.3 (evaluated before, approved,
evaluated after); 21 CFR 211.100(a), 211.160(a) (drafted by the unit concerned, approved by the quality unit).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal, get_args

from seedtrain.base import InputError, digest
from seedtrain.base import translate as _
from seedtrain.gmp._authority import another_person, authorise, could, same_person
from seedtrain.gmp._master._head import at_head
from seedtrain.record import Draft, Event, Ledger, append_signed

ChangeKind = Literal["recipe", "specification", "equipment", "method"]
ChangeState = Literal["open", "assessed", "approved", "implemented", "closed", "rejected"]
Risk = Literal["low", "medium", "high"]
OPENED: Final = "change.opened"
ASSESSED: Final = "change.assessed"
APPROVED: Final = "change.approved"
REJECTED: Final = "change.rejected"
IMPLEMENTED: Final = "change.implemented"
CLOSED: Final = "change.closed"
LINKED: Final = "change.linked"
CHANGE_MEANINGS: Final = {
    OPENED: "change request",
    ASSESSED: "impact assessment",
    APPROVED: "approval",
    REJECTED: "rejection",
    IMPLEMENTED: "implementation",
    CLOSED: "closure",
}

_DUTY: Final = {
    OPENED: "change.open",
    ASSESSED: "change.assess",
    APPROVED: "quality.approve",
    REJECTED: "quality.approve",
    IMPLEMENTED: "change.open",
    CLOSED: "quality.approve",
}


@dataclass(frozen=True)
class Assessment:
    """What one person found a change to mean."""

    actor: str
    at: str
    impact: str
    risk: str


@dataclass(frozen=True)
class ChangeRequest:
    """A change and how far it has come.

    - `kind`, `about`: what changes: a recipe by its name, a specification, a piece of equipment, a method.
    - `made`: digests of the recipe versions that it made effective.
    """

    change: str
    kind: str
    about: str
    proposal: str
    reason: str
    opened_by: str
    opened_at: str
    state: ChangeState = "open"
    assessments: tuple[Assessment, ...] = ()
    approved_by: str | None = None
    decision: str = ""
    made: tuple[str, ...] = ()
    implemented_by: str | None = None
    done: str = ""
    closed_by: str | None = None
    outcome: str = ""


def change_requests(ledger: Ledger) -> tuple[ChangeRequest, ...]:
    """Every change request, in order."""
    subjects = dict.fromkeys(event.subject for event in ledger.events(type=OPENED))
    found = (_folded(ledger, subject) for subject in subjects)
    return tuple(item for item in found if item is not None)


def change_request(ledger: Ledger, change: str, *, before: int | None = None) -> ChangeRequest:
    """The change request of this identity, as it stood before an event; `InputError` where there is none."""
    found = _folded(ledger, change, before)
    if found is None:
        raise InputError(f"there is no change request {change!r}", remedy="See: seedtrain change list.")
    return found


def _folded(ledger: Ledger, change: str, before: int | None = None) -> ChangeRequest | None:
    def may(found: ChangeRequest | None, step: Event) -> bool:
        if not could(ledger, step, _DUTY[step.type]):
            return False
        return step.type != APPROVED or found is None or not same_person(ledger, step.actor, found.opened_by)

    return fold_change((item for item in ledger.events(change) if before is None or item.seq < before), may)


def _anybody(found: ChangeRequest | None, step: Event) -> bool:
    return True


def fold_change(
    events: Iterable[Event], may: Callable[[ChangeRequest | None, Event], bool] = _anybody
) -> ChangeRequest | None:
    """The request from the events filed under it; a step counts once its actor signed it, and where it may follow.

    - `may`: whether the step's actor might take it; `change_request` asks the ledger.
    """
    found: ChangeRequest | None = None
    waiting: dict[str, Event] = {}
    for event in events:
        if event.type in CHANGE_MEANINGS:
            waiting[event.digest] = event
        elif event.type == LINKED and found is not None and found.state in ("approved", "implemented"):
            found = replace(found, made=tuple(dict.fromkeys((*found.made, str(event.payload["digest"])))))
        elif event.type == "signature.applied":
            step = waiting.pop(str(event.payload["record_digest"]), None)
            if step is not None and step.actor == event.actor and may(found, step):
                found = _after(found, step)
    return found


def open_change(ledger: Ledger, actor: str, kind: str, about: str, *, proposal: str, reason: str) -> ChangeRequest:
    """Ask for a change; returns the request with its new identity (`CC-1`)."""
    authorise(ledger, actor, "change.open")
    if kind not in get_args(ChangeKind):
        raise InputError(f"{kind!r} is no kind of change", remedy=f"Use one of: {', '.join(get_args(ChangeKind))}.")
    payload = {"kind": kind, "about": _said(about, "about what"), "proposal": _said(proposal, "what is proposed")}
    payload["reason"] = _said(reason, "why")
    for item in change_requests(ledger):
        asked = {"kind": item.kind, "about": item.about, "proposal": item.proposal, "reason": item.reason}
        if asked == payload and item.state == "open" and item.opened_by == actor:
            return item

    def decide(head: int) -> ChangeRequest:
        number = len({event.subject for event in ledger.events(type=OPENED)}) + 1
        return _taken(ledger, f"CC-{number}", OPENED, payload, actor, head)

    return at_head(ledger, decide)


def assess_change(ledger: Ledger, change: str, actor: str, *, impact: str, risk: str) -> ChangeRequest:
    """Say what the change means for product, process and registration, and how large the risk is."""
    authorise(ledger, actor, "change.assess")
    if risk not in get_args(Risk):
        raise InputError(f"{risk!r} is no level of risk", remedy=f"Use one of: {', '.join(get_args(Risk))}.")
    payload = {"impact": _said(impact, "the impact"), "risk": risk}
    return _step(ledger, change, ASSESSED, payload, actor, ("open", "assessed"))


def approve_change(ledger: Ledger, change: str, actor: str, *, comment: str, approve: bool = True) -> ChangeRequest:
    """Quality decides on an assessed change that somebody else asked for, and that somebody else assessed."""
    authorise(ledger, actor, "quality.approve")
    payload = {"comment": _said(comment, "the decision's grounds")}
    found = change_request(ledger, change)
    alone = [found.opened_by] if len(found.assessments) != 1 else [found.opened_by, found.assessments[0].actor]
    another_person(ledger, actor, alone, f"the approval of {change}")
    states: tuple[ChangeState, ...] = ("assessed",) if approve else ("open", "assessed")
    return _step(ledger, change, APPROVED if approve else REJECTED, payload, actor, states)


def implement_change(ledger: Ledger, change: str, actor: str, *, done: str) -> ChangeRequest:
    """Say what was done. A change of a recipe is implemented once a version is effective under it."""
    authorise(ledger, actor, "change.open")
    found = change_request(ledger, change)
    if found.kind == "recipe" and not found.made and found.state == "approved":
        raise InputError(
            f"no version of {found.about} is effective under {change}",
            remedy=f"seedtrain recipe effective {found.about}@VERSION --change {change}",
        )
    return _step(ledger, change, IMPLEMENTED, {"done": _said(done, "what was done")}, actor, ("approved",))


def close_change(ledger: Ledger, change: str, actor: str, *, outcome: str) -> ChangeRequest:
    """Quality has looked at what came of it: the aim was met and nothing suffered (ICH Q10 3.2.3)."""
    authorise(ledger, actor, "quality.approve")
    found = change_request(ledger, change)
    another_person(ledger, actor, [found.implemented_by] if found.implemented_by else [], f"the closure of {change}")
    return _step(ledger, change, CLOSED, {"outcome": _said(outcome, "what came of it")}, actor, ("implemented",))


def change_words(state: ChangeState) -> str:
    """The state in the reader's language."""
    return {
        "open": _("open"),
        "assessed": _("assessed"),
        "approved": _("approved"),
        "implemented": _("implemented"),
        "closed": _("closed"),
        "rejected": _("not approved"),
    }[state]


def _step(
    ledger: Ledger, change: str, type: str, payload: dict[str, str], actor: str, states: Sequence[ChangeState]
) -> ChangeRequest:
    def decide(head: int) -> ChangeRequest:
        found = change_request(ledger, change)
        if found.state not in states and ledger.find(_identity(change, type, payload, actor)) is None:
            raise InputError(
                f"{change} is {found.state}", remedy=f"This is done with one that is {' or '.join(states)}."
            )
        return _taken(ledger, change, type, payload, actor, head)

    return at_head(ledger, decide)


def _taken(ledger: Ledger, change: str, type: str, payload: dict[str, str], actor: str, head: int) -> ChangeRequest:
    draft = Draft(type, change, payload, actor, id=_identity(change, type, payload, actor))
    append_signed(ledger, draft, CHANGE_MEANINGS[type], at_head=head)
    return change_request(ledger, change)


def _identity(change: str, type: str, payload: dict[str, str], actor: str) -> str:
    return digest([type, change, actor, payload])[:32]


def _after(found: ChangeRequest | None, event: Event) -> ChangeRequest | None:
    payload, at = event.payload, event.recorded_at
    if found is None:
        return _opened(event) if event.type == OPENED else None
    state = found.state
    if event.type == ASSESSED and state in ("open", "assessed"):
        more = Assessment(event.actor, at, str(payload["impact"]), str(payload["risk"]))
        return replace(found, state="assessed", assessments=(*found.assessments, more))
    if event.type == APPROVED and state == "assessed" and event.actor != found.opened_by:
        return replace(found, state="approved", approved_by=event.actor, decision=str(payload["comment"]))
    if event.type == REJECTED and state in ("open", "assessed"):
        return replace(found, state="rejected", decision=str(payload["comment"]))
    if event.type == IMPLEMENTED and state == "approved":
        return replace(found, state="implemented", implemented_by=event.actor, done=str(payload["done"]))
    if event.type == CLOSED and state == "implemented" and event.actor != found.implemented_by:
        return replace(found, state="closed", closed_by=event.actor, outcome=str(payload["outcome"]))
    return found


def _opened(event: Event) -> ChangeRequest:
    kind, about, proposal, reason = (str(event.payload[name]) for name in ("kind", "about", "proposal", "reason"))
    return ChangeRequest(event.subject, kind, about, proposal, reason, event.actor, event.recorded_at)


def _said(text: str, what: str) -> str:
    if not text.strip():
        raise InputError(f"{what} is not said", remedy="Give it in words.")
    return text.strip()
