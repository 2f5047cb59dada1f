"""Review by exception: what kept its limits collapses, everything else is shown to the reviewer first."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Final

from seedtrain.base import InputError, digest
from seedtrain.base import translate as _
from seedtrain.gmp._batch._lines import ReviewItem, ReviewLine
from seedtrain.gmp._batch._record import BatchRecord, batch_record
from seedtrain.gmp._master._approval import approval, at_head
from seedtrain.gmp._permit import unchecked_phases
from seedtrain.gmp._quality._deviations import excursions, uncovered, well_closed
from seedtrain.recipe import ControlRecipe, MasterRecipe, State, hold_points
from seedtrain.record import Draft, Event, Ledger, append_signed

REVIEW: Final = "review of the batch record"
KINDS: Final = (
    "excursion",
    "correction",
    "intervention",
    "manual entry",
    "data gap",
    "missing check",
    "missing signature",
    "deviation",
    "result",
    "material",
    "sequence",
    "clock",
)
"""What a reviewer sees, in this order."""

SHORTEST_COVERAGE: Final = Decimal("0.98")
"""Share of a phase that its telemetry must span, or a gap is shown; assumed."""


@dataclass(frozen=True)
class Collapsed:
    """What a review does not show one by one: values and materials within limits, results that conform."""

    values: int
    materials: int
    results: int


def review_items(
    record: BatchRecord, recipe: MasterRecipe | None = None, clock: Iterable[Event] = ()
) -> tuple[ReviewItem, ...]:
    """Every exception of a batch, the gravest kinds first, each kind in the order of the record.

    - `recipe`: the batch's own; without it nobody can say what is missing, and that is an exception too.
    - `clock`: the ledger's `clock.checked` events.
    """
    items = [
        *_values(record),
        *_people(record, recipe),
        *_gaps(record, recipe),
        *_quality(record),
        *_clock(record, clock),
    ]
    return tuple(sorted(items, key=lambda item: (KINDS.index(item.kind), item.seq)))


def collapsed(record: BatchRecord) -> Collapsed:
    """How much kept its limits."""
    return Collapsed(
        values=sum(item.within and item.keeps_limits and not item.corrections for item in record.values),
        materials=sum(item.keeps_limits for item in record.consumed),
        results=sum(item.state == "conforms" and not item.corrections for item in record.results),
    )


def review(
    ledger: Ledger,
    batch: str,
    reviewer: str,
    *,
    recipe: ControlRecipe | None = None,
    at: datetime | None = None,
) -> ReviewLine:
    """A person who ran no phase reviews the batch by exception and signs; what they saw is recorded with it.

    - `recipe`: the batch's own, where its text is not in the ledger.

    A review of the same state by the same person is not written twice. Raises `InputError` for an operator.
    """

    def decide(head: int) -> ReviewLine:
        record = batch_record(ledger.events(subject=batch), batch)
        if reviewer in record.operators:
            raise InputError(
                f"{reviewer} ran phases of {batch} and cannot review it", remedy="Have another person review it."
            )
        found = latest_review(record)
        if found is not None and found.actor == reviewer:
            return found
        items = review_items(record, recipe_of(ledger, record, recipe), ledger.events(type="clock.checked"))
        payload = {
            "exceptions": [{"kind": item.kind, "seq": item.seq, "words": item.words} for item in items],
            "acknowledged": [item.seq for item in items],
        }
        identity = digest(["batch.reviewed", batch, reviewer, record.last])[:32]
        append_signed(ledger, Draft("batch.reviewed", batch, payload, reviewer, at, id=identity), REVIEW, at_head=head)
        made = latest_review(batch_record(ledger.events(subject=batch), batch))
        assert made is not None
        return made

    return at_head(ledger, decide)


def latest_review(record: BatchRecord) -> ReviewLine | None:
    """The last signed review after which nothing of substance was recorded, by somebody who ran no phase."""
    good = [item for item in record.reviews if item.signed and not item.stale and item.actor not in record.operators]
    return good[-1] if good else None


def recipe_of(ledger: Ledger, record: BatchRecord, given: ControlRecipe | None) -> MasterRecipe | None:
    """The batch's recipe: the one given if it is that of the batch, else the approved text in the ledger."""
    if given is not None:
        if given.digest != record.header.recipe_digest:
            raise InputError(
                f"this is not the recipe of {record.batch}: its digest is {given.digest[:16]}..., the batch was made "
                f"with {record.header.recipe_digest[:16]}...",
                remedy="Give the recipe with which the batch was created.",
            )
        return given.recipe
    found = approval(ledger, record.header.recipe_digest)
    return None if found is None else found.recipe


def _values(record: BatchRecord) -> Iterator[ReviewItem]:
    for found in excursions(record):
        yield ReviewItem("excursion", found.first_seq, found.words)
    for item in record.values:
        name = f"{item.tag} of {item.phase}"
        for number, fix in enumerate(item.corrections):
            old = item.corrections[number - 1].value if number else item.value
            words = f"{name}: {old} became {fix.value} {item.unit}".rstrip() + f" ({fix.reason})"
            yield ReviewItem("correction", fix.seq, words)
        out = not (item.within and item.keeps_limits)
        if out and item.kind == "entry":
            words = f"{name}: {item.current} {item.unit}".rstrip() + f" entered by hand, limits {item.limits}"
            yield ReviewItem("manual entry", item.seq, words)
        if item.within and not item.keeps_limits and not item.corrections:
            words = f"{name}: recorded as within limits, but {item.value} is not within {item.limits}"
            yield ReviewItem("sequence", item.seq, words)
    for result in record.results:
        for fix in result.corrections:
            yield ReviewItem(
                "correction", fix.seq, f"{result.attribute}: {result.value} became {fix.value} ({fix.reason})"
            )


def _people(record: BatchRecord, recipe: MasterRecipe | None) -> Iterator[ReviewItem]:
    for item in record.interventions:
        where = f"{item.unit_procedure} on {item.unit}" if item.unit_procedure else "the batch"
        yield ReviewItem("intervention", item.seq, f"{item.command} of {where}, {item.before} to {item.after}")
    for seq, words in record.illegal:
        yield ReviewItem("sequence", seq, words)
    if recipe is None:
        yield ReviewItem("data gap", 0, "the recipe's text is not in the record: what is missing cannot be said")
        return
    steps = {item.phase: item for item in record.steps}
    for path in unchecked_phases(recipe, record):
        words = f"{path} lacks the check of a second person who signed and did not act in it"
        yield ReviewItem("missing check", steps[path].seq, words)
    for point in hold_points(recipe):
        step = steps.get(point.path)
        if step is not None and step.completed_at is not None and not step.hold_signatures:
            yield ReviewItem("missing signature", step.seq, f"the hold point of {point.path}: {point.words}")


def _gaps(record: BatchRecord, recipe: MasterRecipe | None) -> Iterator[ReviewItem]:
    steps = {item.phase: item for item in record.steps}
    tags = {(item.phase, item.tag) for item in record.values}
    for place in recipe.phases() if recipe is not None else ():
        step = steps.get(place.path)
        if step is None:
            yield ReviewItem("data gap", 0, f"{place.path} was not run")
            continue
        if step.completed_at is None:
            yield ReviewItem("data gap", step.seq, f"{place.path} was not completed")
        for tag in (*place.phase.limits, *place.phase.sample):
            if (place.path, tag) not in tags:
                yield ReviewItem("data gap", step.seq, f"{tag} of {place.path} has limits and no value")
    yield from _order(record, recipe)
    for segment in record.segments:
        step = steps.get(segment.phase)
        if step is None or step.duration_h is None:
            continue
        covered, wanted = Decimal(segment.end_h) - Decimal(segment.start_h), Decimal(step.duration_h)
        if covered < wanted * SHORTEST_COVERAGE:
            words = f"the telemetry of {segment.phase} spans {covered:.3f} h of {wanted:.3f} h"
            yield ReviewItem("data gap", segment.seq, words)


def _order(record: BatchRecord, recipe: MasterRecipe | None) -> Iterator[ReviewItem]:
    """Phases that the recipe lacks, and phases that were started before their turn."""
    turns = {place.path: turn for turn, place in enumerate(recipe.phases())} if recipe is not None else {}
    latest = -1
    for item in record.steps if turns else ():
        turn = turns.get(item.phase)
        if turn is None:
            yield ReviewItem("sequence", item.seq, f"{item.phase} is no phase of the recipe")
        elif turn < latest:
            yield ReviewItem("sequence", item.seq, f"{item.phase} was run out of order")
        latest = max(latest, turn if turn is not None else latest)


def _quality(record: BatchRecord) -> Iterator[ReviewItem]:
    for item in record.deviations:
        state = "closed" if well_closed(record, item) else "open"
        yield ReviewItem("deviation", item.seq, f"{item.deviation} ({state}): {item.words}")
    for found in uncovered(record):
        yield ReviewItem("deviation", found.first_seq, f"no deviation was opened for {found.words}")
    for result in record.results:
        if result.state != "conforms":
            words = "out of specification" if result.state == "oos" else "invalid"
            found_words = f"{result.attribute} {result.reported} is {words} (limit {result.limit})"
            yield ReviewItem("result", result.seq, found_words)
    for used in record.consumed:
        if not used.keeps_limits:
            low, high = used.bounds
            words = f"{used.amount} {used.unit} of {used.lot} for {used.phase}, tolerated {low} .. {high}"
            yield ReviewItem("material", used.seq, words)
    if record.state is not State.COMPLETE:
        yield ReviewItem("sequence", 0, f"the batch is {record.state.value}, not complete")


def _clock(record: BatchRecord, clock: Iterable[Event]) -> Iterator[ReviewItem]:
    first = min((item.seq for item in record.steps), default=0)
    for event in clock:
        if first <= event.seq <= record.last:
            yield ReviewItem("clock", event.seq, f"the clock stood {event.payload['behind_s']} s behind the ledger")


def kind_words(kind: str) -> str:
    """The kind of an exception in the language in use."""
    return {
        "excursion": _("excursion"),
        "correction": _("correction"),
        "intervention": _("intervention"),
        "manual entry": _("manual entry out of limits"),
        "data gap": _("data gap"),
        "missing check": _("second-person check missing"),
        "missing signature": _("signature missing"),
        "deviation": _("deviation"),
        "result": _("result that does not conform"),
        "material": _("amount out of tolerance"),
        "sequence": _("fault of sequence or of the record"),
        "clock": _("clock set back"),
    }[kind]
