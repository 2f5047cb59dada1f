"""Review by exception: what kept its limits collapses, everything else is shown to the reviewer first."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from seedtrain.base import InputError, digest
from seedtrain.gmp._authority import another_person, authorise
from seedtrain.gmp._batch._judged_lines import ReviewItem, ReviewLine
from seedtrain.gmp._batch._lines import Header
from seedtrain.gmp._batch._record import BatchRecord, batch_record
from seedtrain.gmp._master._approval import approval, at_head, read_copy
from seedtrain.gmp._quality._alarms import quiet_alarms
from seedtrain.gmp._quality._case import counting, said, signed_pairs, strange
from seedtrain.gmp._quality._deviations import concerning
from seedtrain.gmp._quality._exceptions import review_items
from seedtrain.recipe import ControlRecipe, MasterRecipe
from seedtrain.record import Draft, Event, Ledger, append_signed

REVIEW: Final = "review of the batch record"
ACKNOWLEDGEMENT: Final = "acknowledgement of an exception"


@dataclass(frozen=True)
class Collapsed:
    """What a review does not show one by one: values and materials within limits, results that conform, alarms of a
    lower priority that somebody acknowledged."""

    values: int
    materials: int
    results: int
    alarms: int = 0


@dataclass(frozen=True)
class Exceptional:
    """An exception as a reviewer meets it.

    - `key`: eight hexadecimal digits of its batch, kind, event and words: another text is another exception.
    - `acknowledged`: who acknowledged it with which comment.
    """

    key: str
    item: ReviewItem
    acknowledged: Mapping[str, str]


@dataclass(frozen=True)
class OpenReview:
    """A batch opened for review: the exceptions first, the rest in numbers.

    - `standing`: the signed review that covers all of this, or None.
    """

    batch: str
    exceptions: tuple[Exceptional, ...]
    within: Collapsed
    standing: ReviewLine | None

    def unacknowledged(self, reviewer: str) -> tuple[Exceptional, ...]:
        """What this reviewer has not acknowledged yet."""
        return tuple(item for item in self.exceptions if reviewer not in item.acknowledged)


def open_review(ledger: Ledger, batch: str, *, recipe: ControlRecipe | None = None) -> OpenReview:
    """Open a batch for review; reads the ledger and writes nothing."""
    events, record = reading(ledger, batch)
    items = current_items(ledger, record, events, recipe_of(ledger, record, recipe))
    said_of = acknowledgements(record, counting(ledger, events))
    standing = latest_review(record)
    if standing is not None and uncovered_items(standing, items):
        standing = None
    comments = _comments(events, standing)
    found = []
    for item in items:
        key = item_key(batch, item)
        found.append(Exceptional(key, item, {**said_of.get(key, {}), **comments.get(item, {})}))
    within = replace(collapsed(record), alarms=quiet_alarms(events))
    return OpenReview(batch, tuple(found), within, standing)


def reading(ledger: Ledger, batch: str) -> tuple[tuple[Event, ...], BatchRecord]:
    """The events of a batch, and its record without what people wrote who had no role for it."""
    events = tuple(ledger.events(subject=batch))
    return events, batch_record(counting(ledger, events), batch)


def _comments(events: Iterable[Event], standing: ReviewLine | None) -> dict[ReviewItem, dict[str, str]]:
    """What the standing review said of each exception."""
    signed = next((item for item in events if standing is not None and item.seq == standing.seq), None)
    rows = signed.payload["exceptions"] if signed is not None else ()
    return {
        ReviewItem(str(row["kind"]), int(row["seq"]), str(row["words"])): {signed.actor: str(row["comment"])}
        for row in rows
        if signed is not None and row.get("comment")
    }


def current_items(
    ledger: Ledger, record: BatchRecord, events: Sequence[Event], recipe: MasterRecipe | None
) -> tuple[ReviewItem, ...]:
    """Every exception of a batch as the whole ledger has it now: its lots and the clock too."""
    lots = [
        event for lot in dict.fromkeys(item.lot for item in record.consumed) for event in ledger.events(subject=lot)
    ]
    dropped = strange(ledger, events)
    clock = ledger.events(type="clock.checked")
    cases = concerning(ledger, record.batch, events)
    own = counting(ledger, events)
    return review_items(record, recipe, clock, events=own, lots=lots, strange=dropped, cases=cases)


def item_key(batch: str, item: ReviewItem) -> str:
    """How a reviewer names an exception."""
    return digest([batch, item.kind, item.seq, item.words])[:8]


def acknowledgements(record: BatchRecord, events: Iterable[Event]) -> dict[str, dict[str, str]]:
    """Exception -> person -> comment; none that is unsigned, an operator's, or older than its exception."""
    kept = [item for item in events if item.type in ("exception.acknowledged", "signature.applied")]
    signed = signed_pairs(kept)
    found: dict[str, dict[str, str]] = {}
    for event in kept:
        payload = event.payload
        if event.type != "exception.acknowledged" or (event.digest, event.actor) not in signed:
            continue
        if event.actor not in record.operators and event.seq > int(payload["seq"]):
            found.setdefault(str(payload["item"]), {})[event.actor] = str(payload["comment"])
    return found


def acknowledge(
    ledger: Ledger,
    batch: str,
    items: Sequence[str],
    comment: str,
    reviewer: str,
    *,
    recipe: ControlRecipe | None = None,
    at: datetime | None = None,
) -> tuple[Event, ...]:
    """A reviewer acknowledges exceptions, each by its key, with a comment; signed one by one.

    Raises `InputError` for somebody who ran the batch, for a key that is no exception now, and without a comment.
    """
    authorise(ledger, reviewer, "batch.review")
    words = said("comment", comment, "what was looked at and why it is acceptable")
    found = open_review(ledger, batch, recipe=recipe)
    known = {item.key: item for item in found.exceptions}
    strange = [key for key in items if key not in known]
    if strange or not items:
        raise InputError(
            f"batch {batch} has no exception {', '.join(strange) or 'of no name'}",
            remedy=f"See: seedtrain batch review {batch}. What changed since has another key.",
        )
    _not_an_operator(ledger, reading(ledger, batch)[1], reviewer)
    made = []
    for key in dict.fromkeys(items):
        item = known[key].item
        payload = {"item": key, "kind": item.kind, "seq": item.seq, "words": item.words, "comment": words}
        identity = digest(["exception.acknowledged", batch, key, reviewer, words])[:32]
        draft = Draft("exception.acknowledged", batch, payload, reviewer, at, id=identity)
        made.append(append_signed(ledger, draft, ACKNOWLEDGEMENT)[0])
    return tuple(made)


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
    comment: str = "",
    at: datetime | None = None,
) -> ReviewLine:
    """A person who ran no phase reviews the batch by exception and signs; what they saw is recorded with it.

    - `recipe`: the batch's own, where its text is not in the ledger.
    - `comment`: acknowledges every exception that the reviewer has not acknowledged before.

    A review of the same state by the same person is not written twice. Raises `InputError` for an operator, and while
    an exception lacks its acknowledgement.
    """
    authorise(ledger, reviewer, "batch.review")

    def decide(head: int) -> ReviewLine:
        events, record = reading(ledger, batch)
        _not_an_operator(ledger, record, reviewer)
        items = current_items(ledger, record, events, recipe_of(ledger, record, recipe))
        found = latest_review(record)
        if found is not None and found.actor == reviewer and not uncovered_items(found, items):
            return found
        told = acknowledgements(record, counting(ledger, events))
        given = {key: people[reviewer] for key, people in told.items() if reviewer in people}
        comments = [given.get(item_key(batch, item), comment.strip()) for item in items]
        _all_acknowledged(batch, items, comments)
        rows = zip(items, comments, strict=True)
        payload = {
            "exceptions": [{"kind": x.kind, "seq": x.seq, "words": x.words, "comment": words} for x, words in rows],
            "acknowledged": [item.seq for item in items],
        }
        identity = digest(["batch.reviewed", batch, reviewer, record.last, len(record.reviews)])[:32]
        append_signed(ledger, Draft("batch.reviewed", batch, payload, reviewer, at, id=identity), REVIEW, at_head=head)
        made = latest_review(reading(ledger, batch)[1])
        assert made is not None
        return made

    return at_head(ledger, decide)


def _all_acknowledged(batch: str, items: Sequence[ReviewItem], comments: Sequence[str]) -> None:
    missing = [item for item, words in zip(items, comments, strict=True) if not words]
    if missing:
        shown = "; ".join(f"{item_key(batch, item)} {item.words}" for item in missing[:5])
        raise InputError(
            f"{len(missing)} of {len(items)} exceptions of {batch} are not acknowledged: {shown}",
            remedy=f"Look at each: seedtrain batch acknowledge {batch} KEY --comment ...",
        )


def _not_an_operator(ledger: Ledger, record: BatchRecord, reviewer: str) -> None:
    if reviewer in record.operators:
        raise InputError(
            f"{reviewer} ran phases of {record.batch} and cannot review it", remedy="Have another person review it."
        )
    another_person(ledger, reviewer, sorted(record.operators), f"the review of {record.batch}")


def latest_review(record: BatchRecord) -> ReviewLine | None:
    """The last signed review after which nothing of substance was recorded, by somebody who ran no phase."""
    good = [item for item in record.reviews if item.signed and not item.stale and item.actor not in record.operators]
    return good[-1] if good else None


def uncovered_items(found: ReviewLine, items: Iterable[ReviewItem]) -> tuple[ReviewItem, ...]:
    """The exceptions of now that a review did not have before it."""
    seen = {(item.kind, item.seq, item.words) for item in found.exceptions}
    return tuple(item for item in items if (item.kind, item.seq, item.words) not in seen)


def recipe_of(ledger: Ledger, record: BatchRecord, given: ControlRecipe | None) -> MasterRecipe | None:
    """The batch's recipe: the one given if it is that of the batch, else the approved text, else the own copy."""
    if given is not None:
        if given.digest != record.header.recipe_digest:
            raise InputError(
                f"this is not the recipe of {record.batch}: its digest is {given.digest[:16]}..., the batch was made "
                f"with {record.header.recipe_digest[:16]}...",
                remedy="Give the recipe with which the batch was created.",
            )
        return given.recipe
    found = approval(ledger, record.header.recipe_digest)
    return carried_recipe(record.header)[0] if found is None else found.recipe


def carried_recipe(header: Header) -> tuple[MasterRecipe | None, str]:
    """The recipe that a batch carries itself, as a trial does that nobody approved, and what is wrong with it."""
    if not header.text:
        return None, ""
    copy = {name: getattr(header, name) for name in ("text", "master_digest", "unit", "volume")}
    return read_copy(copy, header.recipe_digest, "that the batch pins")
