"""The steps of an out-of-specification investigation, each signed by somebody who may take it; `_oos` folds them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from seedtrain.base import InputError, digest
from seedtrain.gmp._authority import another_person, authorise
from seedtrain.gmp._batch._record import batch_record
from seedtrain.gmp._master._approval import at_head
from seedtrain.gmp._quality._case import counting, said, step_draft, take_step
from seedtrain.gmp._quality._context import TestContext
from seedtrain.gmp._quality._oos import CONCLUSIONS, LABORATORY_ERROR, Investigation, investigations
from seedtrain.gmp._quality._results import correct_value, is_out, out_value, result_draft, sample_draft
from seedtrain.gmp._quality._standards import checked_context
from seedtrain.quality import Result, Specification
from seedtrain.record import SYSTEM, Draft, Event, Ledger

_SOURCE: Final = "FDA guidance on OOS results, 2022"
MOST_RETESTS: Final = 20  # assumed: more would be another study


def open_investigations(
    ledger: Ledger, batch: str, actor: str = SYSTEM, *, at: datetime | None = None
) -> tuple[Event, ...]:
    """Open an investigation for every out-of-specification result that has none; returns those opened now.

    A retest belongs to the investigation that planned it and opens none of its own.
    """

    def decide(head: int) -> tuple[Event, ...]:
        events = tuple(ledger.events(subject=batch))
        known = investigations(events)
        retests = {item.id for item in events if item.type == "result.recorded" and item.payload.get("retest")}
        covered = {item.result for item in known} | retests
        fresh = [item for item in batch_record(events, batch).results if is_out(item) and item.id not in covered]
        drafts = []
        for number, item in enumerate(fresh, start=len(known) + 1):
            payload = {
                "oos": f"{batch}-OOS-{number:02d}",
                "result": item.id,
                "sample": item.sample,
                "attribute": item.attribute,
                "method": item.method,
                "reported": out_value(item),
                "limit": item.limit,
            }
            drafts.append(
                Draft("oos.opened", batch, payload, actor, at, id=digest(["oos.opened", batch, item.id])[:32])
            )
        return ledger.append(*drafts, at_head=head) if drafts else ()

    return at_head(ledger, decide)


def correct_result(
    ledger: Ledger, batch: str, result: str, value: str, *, reason: str, actor: str, at: datetime | None = None
) -> tuple[Event, tuple[Event, ...]]:
    """Put right a result of quality control (`correct_value`), and open what an out-of-specification one opens.

    - `result`: the id of its event. Returns the correction, and the investigations that were opened with it.

    A result that is, was or becomes out of specification has an investigation: its own laboratory error is found by
    another person than who tested or corrected it, or it stands (21 CFR 211.192, 211.194(a)(8)).
    """
    event, _ = correct_value(ledger, batch, result, value, reason=reason, actor=actor, at=at)
    return event, open_investigations(ledger, batch, at=at)


def find_investigation(ledger: Ledger, name: str) -> Investigation:
    """The investigation of this name, such as `B-1-OOS-01`; raises `InputError` for one that there is not."""
    batch = name.rpartition("-OOS-")[0]
    found = investigations(counting(ledger, ledger.events(subject=batch))) if batch else ()
    for item in found:
        if item.name == name:
            return item
    known = ", ".join(item.name for item in found) or "none"
    raise InputError(f"the ledger has no investigation {name!r}", remedy=f"The batch has: {known}.")


def assess_laboratory(
    ledger: Ledger, name: str, *, findings: str, assignable: bool, actor: str, at: datetime | None = None
) -> Investigation:
    """Phase I: whether an error of the laboratory explains the result; signed by another person than the analyst."""
    authorise(ledger, actor, "quality.investigate")
    item = find_investigation(ledger, name)
    another_person(ledger, actor, sorted(item.testers), f"the laboratory assessment of {name}")
    payload = {"findings": said("finding", findings, _SOURCE), "assignable": assignable}
    return _step(ledger, item, "oos.assessed", payload, actor, "laboratory assessment", at)


def invalidate_result(
    ledger: Ledger, name: str, *, cause: str, actor: str, at: datetime | None = None
) -> Investigation:
    """Quality takes the original test as invalid for an assignable error; the result stays in the record."""
    authorise(ledger, actor, "quality.approve")
    item = find_investigation(ledger, name)
    if not item.assignable:
        raise InputError(
            f"{name} has no assignable error of the laboratory: {item.attribute} {item.reported} stands",
            remedy="Go on with the full-scale investigation.",
        )
    another_person(ledger, actor, [*sorted(item.testers), item.assessed_by], f"the invalidation of {item.attribute}")
    payload = {"result": item.result, "cause": said("cause", cause, _SOURCE)}
    return _step(ledger, item, "result.invalidated", payload, actor, "invalidation of a result", at)


def investigate_fully(
    ledger: Ledger, name: str, *, findings: str, cause: str, actor: str, at: datetime | None = None
) -> Investigation:
    """Phase II: review of production, and the cause as far as it is known; signed."""
    authorise(ledger, actor, "quality.investigate")
    item = find_investigation(ledger, name)
    if item.assignable is None:
        raise InputError(f"{name} has no laboratory assessment", remedy="Assess the laboratory's work first.")
    payload = {"findings": said("finding", findings, _SOURCE), "cause": said("cause", cause, _SOURCE)}
    return _step(ledger, item, "oos.investigated", payload, actor, "full-scale investigation", at)


def plan_retest(
    ledger: Ledger, name: str, *, retests: int, why: str, actor: str, at: datetime | None = None
) -> Investigation:
    """Fix the number of retests in advance; signed. There is one plan, and it cannot be changed."""
    authorise(ledger, actor, "quality.investigate")
    item = find_investigation(ledger, name)
    if not item.findings:
        raise InputError(f"{name} has no full-scale investigation", remedy="Investigate before testing again.")
    if not 1 <= retests <= MOST_RETESTS:
        raise InputError(f"{retests} retests", remedy=f"Plan 1 to {MOST_RETESTS}.")
    payload = {"retests": retests, "why": said("reason", why, _SOURCE)}
    if item.plan is not None and (item.plan.retests, item.plan.why, item.plan.planned_by) != (
        retests,
        payload["why"],
        actor,
    ):
        raise InputError(
            f"{name} has a plan of {item.plan.retests} retests already",
            remedy="The number of retests is not adjusted; conclude by what was planned.",
        )
    return _step(ledger, item, "retest.planned", payload, actor, "plan of retests", at)


def approve_retest(ledger: Ledger, name: str, actor: str, *, at: datetime | None = None) -> Investigation:
    """Quality approves the plan, signed, before any retest; not the analyst, nor who planned it."""
    authorise(ledger, actor, "quality.approve")
    item = find_investigation(ledger, name)
    if item.plan is None:
        raise InputError(f"{name} has no plan of retests", remedy="Plan them: seedtrain quality retest plan.")
    another_person(ledger, actor, item.barred, f"the approval of the retests of {name}")
    payload = {"retests": item.plan.retests}
    return _step(ledger, item, "retest.approved", payload, actor, "approval of a plan of retests", at)


def record_retest(
    ledger: Ledger,
    name: str,
    specification: Specification,
    value: Result,
    number: int,
    actor: str,
    *,
    context: TestContext | None = None,
    at: datetime | None = None,
) -> Event:
    """Record retest `number` (1, 2 ...) of an approved plan, from the original sample, by a second analyst.

    - `value`: its `sample` is the original one; the result is stored under `SAMPLE/OOS/number`.

    Every retest is recorded, whatever it gives, in their order. Raises `InputError` for one that no plan allows.
    """
    authorise(ledger, actor, "result.record")
    item = find_investigation(ledger, name)
    if item.plan is None or not item.plan.approved_seq:
        raise InputError(
            f"{name} has no approved plan of retests: {item.attribute} is not tested again",
            remedy="Plan the retests and have quality approve them first.",
        )
    if (value.attribute, value.sample) != (item.attribute, item.sample):
        raise InputError(
            f"{name} plans retests of {item.attribute} in sample {item.sample}, "
            f"not of {value.attribute} in {value.sample}",
            remedy="Test the original sample.",
        )
    another_person(ledger, actor, [item.analyst], f"a retest of {item.attribute}")
    if number > item.plan.retests or number > len(item.retests) + 1 or number < 1:
        raise InputError(
            f"retest {number} of {name}: {len(item.retests)} of {item.plan.retests} planned ones are recorded",
            remedy="Record the planned retests in their order, and no more: there is no testing into compliance.",
        )
    label = f"{item.sample}/{item.name.rpartition('-OOS-')[2]}/{number}"
    tested = Result(value.attribute, value.value, value.method, label, value.uncertainty, value.detected, value.valid)
    record = batch_record(ledger.events(subject=item.batch), item.batch)
    more = {"retest": name, "number": number}
    own = checked_context(ledger, value.method, context, at)
    draft = result_draft(record, specification.line(item.attribute), tested, actor, own, at, more)
    phase = record.steps[-1].phase if record.steps else ""
    drafts = [draft]
    if not any(other.sample == label for other in record.samples):
        drafts.insert(0, sample_draft(record, label, [item.attribute], phase, actor, at))
    return ledger.append(*drafts)[-1]


def close_investigation(
    ledger: Ledger, name: str, *, conclusion: str, words: str, actor: str, at: datetime | None = None
) -> Investigation:
    """Quality concludes: laboratory error, confirmed, or not confirmed; signed by a person who did not test.

    Raises `InputError` with everything that speaks against the conclusion.
    """
    authorise(ledger, actor, "quality.approve")
    if conclusion not in CONCLUSIONS:
        raise InputError(f"there is no conclusion {conclusion!r}", remedy=f"Use one of: {', '.join(CONCLUSIONS)}.")
    item = find_investigation(ledger, name)
    assessor = [item.assessed_by] if conclusion == LABORATORY_ERROR and item.assessed_by else []
    another_person(ledger, actor, [*item.barred, *assessor], f"the conclusion of {name}")
    missing = () if item.conclusion else item.against(conclusion)
    if missing:
        raise InputError(
            f"{name} cannot be concluded as {conclusion}: {'; '.join(missing)}", remedy="See to that first."
        )
    payload = {"conclusion": conclusion, "words": said("reasoning", words, _SOURCE)}
    return _step(ledger, item, "oos.closed", payload, actor, "conclusion of an investigation", at)


def _step(
    ledger: Ledger,
    item: Investigation,
    type: str,
    payload: Mapping[str, object],
    actor: str,
    meaning: str,
    at: datetime | None,
) -> Investigation:
    def step(events: tuple[Event, ...]) -> Draft | Event:
        draft = step_draft(events, type, item.batch, ("oos", item.name), payload, actor, at=at)
        now = next(other for other in investigations(counting(ledger, events)) if other.name == item.name)
        if now.conclusion and isinstance(draft, Draft):
            raise InputError(f"{item.name} is closed: {now.conclusion}", remedy="Nothing is to be done.")
        return draft

    take_step(ledger, item.batch, meaning, step)
    return find_investigation(ledger, item.name)
