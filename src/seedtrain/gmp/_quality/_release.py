"""The decision on a batch. Anything missing is a hold; only an out-of-specification result rejects."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from seedtrain.base import InputError, digest
from seedtrain.gmp._batch._lines import DecisionLine, DecisionWord
from seedtrain.gmp._batch._record import BatchRecord, batch_record
from seedtrain.gmp._master._approval import Approval, approval, at_head
from seedtrain.gmp._permit import unchecked_phases
from seedtrain.gmp._quality._deviations import uncovered, well_closed
from seedtrain.gmp._quality._results import as_result
from seedtrain.gmp._quality._review import latest_review, recipe_of
from seedtrain.quality import Criterion, Verdict, VerdictWord, judge
from seedtrain.recipe import ControlRecipe, MasterRecipe, State, hold_points
from seedtrain.record import Draft, Ledger, append_signed

RELEASE: Final = {"released": "release", "rejected": "rejection", "on_hold": "hold"}


def judge_release(record: BatchRecord, recipe: MasterRecipe | None, approved: Approval | None) -> Verdict:
    """Whether a batch may be released: pass (yes), fail (an out-of-specification result), inconclusive (not yet).

    - `recipe`: the batch's own; `approved`: what the ledger says of it.

    The evidence gives the reasons, one a line, and is empty for a pass. 21 CFR 211.22, 211.165, 211.188, 211.192.
    """
    parts = [
        _recipe_approved(record, approved),
        _complete(record, recipe),
        _checked(record, recipe),
        _hold_points(record, recipe),
        _deviations(record),
        _record_sound(record),
        _reviewed(record),
    ]
    criteria = [criterion for criterion, _ in parts]
    reasons = [reason for _, found in parts for reason in found]
    if recipe is None or not recipe.specification.lines:
        criteria.append(Criterion("specification", None, None, "every line conforms", None, "inconclusive"))
        reasons.append("there is no specification to release against")
    else:
        tested = judge(recipe.specification, [as_result(item) for item in record.results])
        criteria += tested.criteria
        reasons += [_result_reason(item) for item in tested.criteria if item.verdict != "pass"]
    return Verdict.of(criteria, reasons)


def decide_release(
    ledger: Ledger, batch: str, qa: str, *, recipe: ControlRecipe | None = None, at: datetime | None = None
) -> DecisionLine:
    """Quality decides and signs: `batch.released`, `batch.rejected` or `batch.on_hold`, with verdict and reasons.

    - `qa`: a person who ran no phase of the batch. `recipe`: the batch's own, where its text is not in the ledger.

    A batch is released or rejected once; a hold for the same reasons is not written twice. Raises `InputError` for
    somebody who may not decide.
    """

    def decide(head: int) -> DecisionLine:
        record = batch_record(ledger.events(subject=batch), batch)
        if qa in record.operators:
            raise InputError(
                f"{qa} ran phases of {batch} and cannot decide on it", remedy="Have quality assurance decide (211.22)."
            )
        last = record.decision
        if last is not None and last.signed and last.decision != "on_hold":
            return last
        approved = approval(ledger, record.header.recipe_digest)
        verdict = judge_release(record, recipe_of(ledger, record, recipe), approved)
        if last is not None and last.signed and last.reasons == verdict.evidence and last.actor == qa:
            return last
        words: dict[VerdictWord, DecisionWord] = {"pass": "released", "fail": "rejected", "inconclusive": "on_hold"}
        word = words[verdict.verdict]
        payload = {"reasons": list(verdict.evidence), "verdict": verdict.to_data()}
        identity = digest(["batch.decided", batch, len(record.decisions)])[:32]
        draft = Draft(f"batch.{word}", batch, payload, qa, at, id=identity)
        append_signed(ledger, draft, RELEASE[word], at_head=head)
        made = batch_record(ledger.events(subject=batch), batch).decision
        assert made is not None
        return made

    return at_head(ledger, decide)


_Part = tuple[Criterion, Sequence[str]]


def _part(name: str, limit: str, reasons: Sequence[str]) -> _Part:
    """A criterion that holds if there is no reason against it; a missing thing is never a fail, always a hold."""
    value = "yes" if not reasons else f"{len(reasons)} open"
    word: VerdictWord = "inconclusive" if reasons else "pass"
    return Criterion(name, value, None, limit, None, word), reasons


def _recipe_approved(record: BatchRecord, approved: Approval | None) -> _Part:
    limit = "approved by two persons, as it was run"
    if approved is None:
        return _part("recipe", limit, ["the recipe was never approved"])
    if approved.fault:
        return _part("recipe", limit, [approved.fault])
    if len(approved.signers) < 2:
        return _part("recipe", limit, [f"the recipe is signed by {', '.join(approved.signers) or 'nobody'} only"])
    if record.header.master_digest != approved.event.payload.get("master_digest"):
        return _part("recipe", limit, ["the batch names another master recipe than the approval"])
    return _part("recipe", limit, [])


def _complete(record: BatchRecord, recipe: MasterRecipe | None) -> _Part:
    reasons = []
    done = {item.phase for item in record.steps if item.completed_at is not None}
    for path in [place.path for place in recipe.phases()] if recipe is not None else []:
        if path not in done:
            reasons.append(f"{path} is not completed")
    if recipe is None:
        reasons.append("the recipe's text is not in the record: which phases there are cannot be said")
    if record.state is not State.COMPLETE:
        reasons.append(f"the batch is {record.state.value}, not complete")
    return _part("phases", "every phase completed", reasons)


def _checked(record: BatchRecord, recipe: MasterRecipe | None) -> _Part:
    missing = unchecked_phases(recipe, record) if recipe is not None else ()
    reasons = [f"{path} lacks the check of a second person" for path in missing]
    return _part("second-person checks", "every one signed by another person", reasons)


def _hold_points(record: BatchRecord, recipe: MasterRecipe | None) -> _Part:
    signed = {item.phase for item in record.steps if item.hold_signatures}
    missing = [item for item in hold_points(recipe) if item.path not in signed] if recipe is not None else []
    return _part(
        "hold points", "every one signed", [f"the hold point of {item.path} is not signed" for item in missing]
    )


def _deviations(record: BatchRecord) -> _Part:
    reasons = [f"no deviation was opened for {item.words}" for item in uncovered(record)]
    reasons += [
        f"{item.deviation} is not closed with impact, cause and action, signed by another person"
        for item in record.deviations
        if not well_closed(record, item)
    ]
    return _part("deviations", "every excursion has one, every one is closed", reasons)


def _record_sound(record: BatchRecord) -> _Part:
    """What an independent recalculation does not find as it was recorded."""
    reasons = [f"event {seq}: {words}" for seq, words in record.illegal]
    reasons += [
        f"event {item.seq}: {item.tag} of {item.phase} is recorded as within limits and is not"
        for item in record.values
        if item.within and not item.keeps_limits and not item.corrections
    ]
    return _part("record", "states and limits as recalculated", reasons)


def _reviewed(record: BatchRecord) -> _Part:
    reasons = []
    if latest_review(record) is None:
        words = (
            "is older than the last event of the batch" if any(item.signed for item in record.reviews) else "is missing"
        )
        reasons.append(f"the review {words}, or its reviewer ran the batch")
    return _part("review", "signed by a person who ran no phase, after the last event", reasons)


def _result_reason(item: Criterion) -> str:
    if item.verdict == "fail":
        return f"{item.name} {item.value} is out of specification ({item.limit})"
    return f"{item.name} has no valid result that decides ({item.limit})"
