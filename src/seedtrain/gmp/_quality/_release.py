"""The decision on a batch. Anything missing is a hold; only an out-of-specification result rejects."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from seedtrain.base import InputError, digest
from seedtrain.gmp._authority import another_person, authorise
from seedtrain.gmp._batch._judged_lines import DecisionLine, DecisionWord, ReviewItem
from seedtrain.gmp._batch._record import BatchRecord
from seedtrain.gmp._lots._holds import open_holds
from seedtrain.gmp._lots._received import received_lot
from seedtrain.gmp._master._approval import Approval, approval, at_head
from seedtrain.gmp._permit import unchecked_phases, unsigned_phases
from seedtrain.gmp._quality._capa import capa_of
from seedtrain.gmp._quality._case import counting, said
from seedtrain.gmp._quality._deviations import Deviation, concerning, well_closed
from seedtrain.gmp._quality._excursions import uncovered
from seedtrain.gmp._quality._oos import Investigation, investigations
from seedtrain.gmp._quality._reportable import reportable
from seedtrain.gmp._quality._review import current_items, latest_review, reading, recipe_of, uncovered_items
from seedtrain.quality import Criterion, Verdict, VerdictWord, judge
from seedtrain.recipe import ControlRecipe, MasterRecipe, State, hold_points
from seedtrain.record import Draft, Ledger, append_signed

RELEASE: Final = {"released": "release", "rejected": "rejection", "on_hold": "hold"}
_STANDS: Final = ("approved", "done", "effective", "ineffective", "closed")  # states of a CAPA whose plan is approved
Hold = Callable[[Ledger, str], Iterable[str]]
"""What may keep a batch back for reasons of its own: the reasons, none where it may go (assurance, custody)."""


@dataclass(frozen=True)
class Surroundings:
    """What the rest of the ledger says of a batch.

    - `deviations`: filed under it or linked with it. `investigations`: of its results.
    - `materials`: what is wrong by now with the lots that went in. `holds`: why others keep it back.
    - `items`: its exceptions as they are now. `capas`: deviations whose CAPA has no approved plan.
    """

    deviations: tuple[Deviation, ...] = ()
    investigations: tuple[Investigation, ...] = ()
    materials: tuple[str, ...] = ()
    holds: tuple[str, ...] = ()
    items: tuple[ReviewItem, ...] = ()
    capas: tuple[str, ...] = ()


def surroundings(
    ledger: Ledger, batch: str, recipe: MasterRecipe | None = None, holds: Sequence[Hold] = ()
) -> Surroundings:
    """Gather what `judge_release` needs beside the batch's own record; writes nothing."""
    events, record = reading(ledger, batch)
    found = concerning(ledger, batch, events)
    capas = []
    for item in found:
        capa = capa_of(counting(ledger, ledger.events(subject=item.capa))) if item.capa else None
        if item.capa and (capa is None or capa.state not in _STANDS):
            capas.append(f"{item.capa} of {item.name} has no approved plan")
    held = [f"held: {item.reason} (hold {item.hold}, from {item.root})" for item in open_holds(ledger, batch)]
    held += [reason for hold in holds for reason in hold(ledger, batch)]
    return Surroundings(
        deviations=found,
        investigations=investigations(counting(ledger, events)),
        materials=_lots_now(ledger, record),
        holds=tuple(dict.fromkeys(held)),
        items=current_items(ledger, record, events, recipe),
        capas=tuple(capas),
    )


def _lots_now(ledger: Ledger, record: BatchRecord) -> tuple[str, ...]:
    reasons = []
    for name in dict.fromkeys(item.lot for item in record.consumed):
        lot = received_lot(ledger, name)
        if lot is not None and lot.status != "released":
            reasons.append(f"lot {name} ({lot.material}) is {lot.status} now")
    return tuple(reasons)


def judge_release(
    record: BatchRecord,
    recipe: MasterRecipe | None,
    approved: Approval | None,
    around: Surroundings | None = None,
) -> Verdict:
    """Whether a batch may be released: pass (yes), fail (an out-of-specification result), inconclusive (not yet).

    - `recipe`: the batch's own; `approved`: what the ledger says of it. `around`: the rest of the ledger; without it
      the batch's record is judged by itself.

    The evidence gives the reasons, one a line, and is empty for a pass. 21 CFR 211.22, 211.165, 211.188, 211.192.
    """
    parts = [
        _recipe_approved(record, approved),
        _complete(record, recipe),
        _checked(record, recipe),
        _hold_points(record, recipe),
        _deviations(record, around),
        _record_sound(record),
        _reviewed(record, around),
        *([] if around is None else _around(around)),
    ]
    criteria = [criterion for criterion, _ in parts]
    reasons = [reason for _, found in parts for reason in found]
    if recipe is None or not recipe.specification.lines:
        criteria.append(Criterion("specification", None, None, "every line conforms", None, "inconclusive"))
        reasons.append("there is no specification to release against")
    else:
        tested = judge(recipe.specification, reportable(record, () if around is None else around.investigations))
        criteria += tested.criteria
        reasons += [_result_reason(item) for item in tested.criteria if item.verdict != "pass"]
    return Verdict.of(criteria, reasons)


def release_verdict(
    ledger: Ledger, batch: str, *, recipe: ControlRecipe | None = None, holds: Sequence[Hold] = ()
) -> Verdict:
    """What stands for and against the release of a batch now; writes nothing."""
    _, record = reading(ledger, batch)
    own = recipe_of(ledger, record, recipe)
    approved = approval(ledger, record.header.recipe_digest)
    return judge_release(record, own, approved, surroundings(ledger, batch, own, holds))


def decide_release(
    ledger: Ledger,
    batch: str,
    qa: str,
    *,
    recipe: ControlRecipe | None = None,
    holds: Sequence[Hold] = (),
    at: datetime | None = None,
) -> DecisionLine:
    """Quality lets the record decide and signs: `batch.released`, `batch.rejected` or `batch.on_hold`, with reasons.

    - `qa`: a person of the quality unit who ran no phase of the batch. `recipe`: the batch's own, where its text is
      not in the ledger. `holds`: what else may keep it back.

    A batch is released or rejected once; a hold for the same reasons is not written twice. Raises `InputError` for
    somebody who may not decide.
    """
    words: dict[VerdictWord, DecisionWord] = {"pass": "released", "fail": "rejected", "inconclusive": "on_hold"}

    def choose(verdict: Verdict) -> tuple[DecisionWord, tuple[str, ...]]:
        return words[verdict.verdict], verdict.evidence

    return _decide(ledger, batch, qa, choose, recipe, holds, at)


def release_batch(
    ledger: Ledger,
    batch: str,
    qa: str,
    *,
    recipe: ControlRecipe | None = None,
    holds: Sequence[Hold] = (),
    at: datetime | None = None,
) -> DecisionLine | Verdict:
    """Release a batch, signed; or the verdict with what stands against it, and nothing is written.

    A person who signs a release means a release: what cannot be released is neither rejected nor held in their name.
    A released batch is not released again. Raises `InputError` for a rejected one, and for somebody who may not decide.
    """
    _, record = reading(ledger, batch)
    _may_decide(ledger, record, qa)
    last = record.decision
    if last is not None and last.signed and last.decision == "released":
        return last
    if last is not None and last.signed and last.decision == "rejected":
        raise InputError(f"batch {batch} is rejected, for good", remedy="Make another batch.")
    verdict = release_verdict(ledger, batch, recipe=recipe, holds=holds)
    if verdict.verdict != "pass":
        return verdict

    def choose(found: Verdict) -> tuple[DecisionWord, tuple[str, ...]]:
        if found.verdict != "pass":
            raise InputError(f"batch {batch} changed while it was released", remedy="Look at it again.")
        return "released", ()

    return _decide(ledger, batch, qa, choose, recipe, holds, at)


def stop_batch(
    ledger: Ledger,
    batch: str,
    qa: str,
    decision: DecisionWord,
    reason: str,
    *,
    recipe: ControlRecipe | None = None,
    at: datetime | None = None,
) -> DecisionLine:
    """Reject a batch, or put it on hold, with a reason; signed. A person may always be stricter than the record.

    A released batch is taken back so: nothing of it may be used or shipped until it is reviewed and decided anew.
    """
    if decision == "released":
        raise InputError("a release is no stop", remedy="Use release.")
    text = said("reason", reason, "21 CFR 211.192")

    def choose(_: Verdict) -> tuple[DecisionWord, tuple[str, ...]]:
        return decision, (text,)

    return _decide(ledger, batch, qa, choose, recipe, (), at, stricter=True)


def _decide(
    ledger: Ledger,
    batch: str,
    qa: str,
    choose: Callable[[Verdict], tuple[DecisionWord, tuple[str, ...]]],
    recipe: ControlRecipe | None,
    holds: Sequence[Hold],
    at: datetime | None,
    *,
    stricter: bool = False,
) -> DecisionLine:
    """`stricter`: a release may be taken back."""

    def decide(head: int) -> DecisionLine:
        _, record = reading(ledger, batch)
        _may_decide(ledger, record, qa)
        last = record.decision
        final = ("rejected",) if stricter else ("released", "rejected")
        if last is not None and last.signed and last.decision in final:
            return last
        verdict = release_verdict(ledger, batch, recipe=recipe, holds=holds)
        word, reasons = choose(verdict)
        if last is not None and last.signed and (last.decision, last.reasons, last.actor) == (word, reasons, qa):
            return last
        payload = {"reasons": list(reasons), "verdict": verdict.to_data()}
        identity = digest(["batch.decided", batch, len(record.decisions)])[:32]
        draft = Draft(f"batch.{word}", batch, payload, qa, at, id=identity)
        append_signed(ledger, draft, RELEASE[word], at_head=head)
        made = reading(ledger, batch)[1].decision
        assert made is not None
        return made

    return at_head(ledger, decide)


def _may_decide(ledger: Ledger, record: BatchRecord, qa: str) -> None:
    batch = record.batch
    authorise(ledger, qa, "batch.release")
    if qa in record.operators:
        raise InputError(
            f"{qa} ran phases of {batch} and cannot decide on it", remedy="Have quality assurance decide (211.22)."
        )
    another_person(ledger, qa, sorted(record.operators), f"the decision on {batch}")


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
    objection = approved.objection(record.header.created_at)
    if objection:
        return _part("recipe", limit, [objection])
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
    reasons += [f"{path} lacks the signature of who performed it" for path in unsigned_phases(record)]
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


def _deviations(record: BatchRecord, around: Surroundings | None) -> _Part:
    reasons = [f"no deviation was opened for {item.words}" for item in uncovered(record)]
    lacking = "is not closed with impact, cause and action, signed by another person"
    if around is None:
        reasons += [f"{item.deviation} {lacking}" for item in record.deviations if not well_closed(record, item)]
        return _part("deviations", "every excursion has one, every one is closed", reasons)
    for item in around.deviations:
        if not item.closed:
            more = f" (lacks {', '.join(item.lacks)})" if item.lacks else ""
            reasons.append(f"{item.name} {lacking}{more}")
        elif item.disposition not in ("", "use"):
            reasons.append(f"{item.name} disposes of the product: {item.disposition}")
    return _part("deviations", "every excursion has one, every one is closed", [*reasons, *around.capas])


def _around(around: Surroundings) -> Iterable[_Part]:
    reasons = [
        f"{item.name} ({item.attribute}) is not concluded" + "".join(f"; {fault}" for fault in item.faults)
        for item in around.investigations
        if not item.conclusion
    ]
    yield _part("investigations", "every out-of-specification result is investigated to its end", reasons)
    yield _part("lots", "every lot that went in is still released", around.materials)
    yield _part("holds", "nothing holds the batch", around.holds)


def _record_sound(record: BatchRecord) -> _Part:
    """What an independent recalculation does not find as it was recorded."""
    reasons = [f"event {seq}: {words}" for seq, words in record.illegal]
    reasons += [
        f"event {item.seq}: {item.tag} of {item.phase} is recorded as within limits and is not"
        for item in record.values
        if item.within and not item.keeps_limits and not item.corrections
    ]
    return _part("record", "states and limits as recalculated", reasons)


def _reviewed(record: BatchRecord, around: Surroundings | None) -> _Part:
    reasons = []
    found = latest_review(record)
    if found is None:
        words = (
            "is older than the last event of the batch" if any(item.signed for item in record.reviews) else "is missing"
        )
        reasons.append(f"the review {words}, or its reviewer ran the batch")
    elif around is not None:
        reasons += [f"the review does not cover: {item.words}" for item in uncovered_items(found, around.items)]
    return _part("review", "signed by a person who ran no phase, after the last event", reasons)


def _result_reason(item: Criterion) -> str:
    if item.verdict == "fail":
        return f"{item.name} {item.value} is out of specification ({item.limit})"
    return f"{item.name} has no valid result that decides ({item.limit})"
