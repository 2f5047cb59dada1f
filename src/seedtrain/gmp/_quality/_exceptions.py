"""The exceptions of a batch: excursions first, then whatever else a reviewer must see; the rest keeps its limits."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Final

from seedtrain.base import translate as _
from seedtrain.gmp._batch._judged_lines import ResultLine, ReviewItem
from seedtrain.gmp._batch._lines import ValueLine, limit_words
from seedtrain.gmp._batch._record import BatchRecord
from seedtrain.gmp._permit import unchecked_phases, unsigned_phases
from seedtrain.gmp._quality._alarms import alarm_items, gap_items
from seedtrain.gmp._quality._deviations import Deviation, well_closed
from seedtrain.gmp._quality._excursions import Deviating, excursions, uncovered
from seedtrain.gmp._quality._oos import investigations
from seedtrain.gmp._quality._results import is_out, out_value, state_now
from seedtrain.recipe import MasterRecipe, State, earlier, hold_points
from seedtrain.record import Event, moment

KINDS: Final = (
    "excursion",
    "proven range",
    "action limit",
    "alert limit",
    "correction",
    "audit trail",
    "alarm",
    "hard stop",
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
    "late entry",
    "comment",
)
"""What a reviewer sees, in this order."""

LEVELS: Final = {
    "specification": "excursion",
    "proven": "proven range",
    "action": "action limit",
    "alert": "alert limit",
}
"""Limits beside those of the phase that a value may carry, the gravest first, and the kind of exception each makes."""

SHORTEST_COVERAGE: Final = Decimal("0.98")
"""Share of a phase that its telemetry must span, or a gap is shown; assumed."""

LATE_MIN: Final = 15.0
"""Minutes between an act and its record after which an entry is late (21 CFR 211.100(b): at the time); assumed."""

_KNOWN: Final = (
    *("batch.", "step.", "value.", "lot.", "sample.", "result.", "segment.", "deviation.", "oos.", "retest."),
    *("signature.", "exception.", "alarm.", "telemetry.", "equipment.", "capa.", "change.", "certificate.", "custody."),
    *(
        "line.",
        "permit.",
        "stop.",
        "document.",
        "bank.",
        "assurance.",
        "material.",
        "container.",
        "recipe.",
        "sequence.",
        "clock.",
        "label.",
    ),
)
_BY_HAND: Final = ("step.started", "step.completed", "step.checked", "step.value_recorded", "lot.consumed", "batch.")


def review_items(
    record: BatchRecord,
    recipe: MasterRecipe | None = None,
    clock: Iterable[Event] = (),
    *,
    events: Sequence[Event] = (),
    lots: Iterable[Event] = (),
    strange: Iterable[Event] = (),
    cases: Sequence[Deviation] = (),
) -> tuple[ReviewItem, ...]:
    """Every exception of a batch, the gravest kinds first, each kind in the order of the record.

    - `recipe`: the batch's own; without it nobody can say what is missing, and that is an exception too.
    - `clock`: the ledger's `clock.checked` events. `events`: of the batch. `lots`: of the lots that went in.
    - `strange`: events of people who had no role for them; they count for nothing, and are shown.
    - `cases`: the deviations that concern the batch, wherever they are filed.
    """
    out = excursions(record)
    items = [
        *_values(record, out),
        *_deviations(record, out, cases),
        *_levels(record),
        *_people(record, recipe),
        *_gaps(record, recipe),
        *_quality(record),
        *_clock(record, clock),
        *_told(record, events),
        *_investigated(events),
        *_changed_lots(record, lots),
        *(
            ReviewItem("audit trail", item.seq, f"{item.type} by {item.actor}, who had no role for it")
            for item in strange
        ),
    ]
    return tuple(sorted(items, key=lambda item: (KINDS.index(item.kind), item.seq)))


def _levels(record: BatchRecord) -> Iterator[ReviewItem]:
    """Values beyond their alert, action, proven-range or specification band: the gravest one passed.

    An excursion is told as such already; only a band that is graver than an action limit adds to it.
    """
    for item in record.values:
        passed = item.outside if "levels" in item.more else ()
        if not passed or (not item.keeps_limits and passed[-1] not in ("proven", "specification")):
            continue
        low, high = item.levels[passed[-1]]
        words = f"{item.tag} of {item.phase}: {item.current} {item.unit}".rstrip()
        yield ReviewItem(LEVELS[passed[-1]], item.seq, f"{words} outside {limit_words(low, high)} ({passed[-1]})")


def _told(record: BatchRecord, events: Sequence[Event]) -> Iterator[ReviewItem]:
    """What the batch's events tell beside the record's lines: alarms, gaps, late entries, comments, the unknown."""
    yield from alarm_items(events)
    yield from gap_items(events)
    for line in record.comments:
        yield ReviewItem("comment", line.seq, f"{line.phase}: {line.text}" if line.phase else line.text)
    for stop in record.stops:
        state = "not lifted" if stop.lifted_by is None else "lifted under a deviation"
        yield ReviewItem("hard stop", stop.seq, f"{stop.phase}: {stop.reason} ({state})")
    simulated = record.header.origin == "simulated"
    for event in events:
        if event.type in ("lot.held", "lot.hold_lifted"):
            word = "held" if event.type == "lot.held" else "freed from a hold"
            yield ReviewItem("audit trail", event.seq, f"{event.subject} was {word} ({event.reason})")
        elif event.type == "target.overridden":
            told = event.payload
            value = f"{told.get('value')} {told.get('unit_of_measure')}".rstrip()
            words = f"{told.get('tag')} of {told.get('phase')} set by hand to {value}, recipe {told.get('recipe')}"
            yield ReviewItem("intervention", event.seq, f"{words} ({event.reason})")
        elif not event.type.startswith(_KNOWN):
            yield ReviewItem("audit trail", event.seq, f"{event.type}, which this review does not know")
        if not simulated and event.device is None and event.type.startswith(_BY_HAND):
            yield from _late(event)


def _late(event: Event) -> Iterator[ReviewItem]:
    minutes = (moment(event.recorded_at) - moment(event.occurred_at)).total_seconds() / 60.0
    if abs(minutes) > LATE_MIN:
        words = f"recorded {minutes:.0f} min after it occurred" if minutes > 0 else f"dated {-minutes:.0f} min ahead"
        yield ReviewItem("late entry", event.seq, f"{event.type} {event.payload.get('phase', '')}: {words}")


def _investigated(events: Sequence[Event]) -> Iterator[ReviewItem]:
    """Investigations with their conclusion, and every retest."""
    for item in investigations(events):
        state = item.conclusion or f"open, {item.phase}"
        yield ReviewItem("result", item.seq, f"{item.name} ({state}): {item.attribute} {item.reported} was out")
        for retest in item.retests:
            words = f"retest {retest.number} of {item.name}: {retest.reported}, {retest.state}"
            yield ReviewItem("result", retest.seq, words)


def _changed_lots(record: BatchRecord, lots: Iterable[Event]) -> Iterator[ReviewItem]:
    """Lots that were stated anew or changed their status after they went in."""
    used = {item.lot: item.seq for item in reversed(record.consumed)}
    for event in lots:
        if event.type in ("lot.amended", "lot.status_changed") and event.seq > used.get(event.subject, event.seq):
            what = f"became {event.payload.get('status', '?')}" if event.type != "lot.amended" else "was stated anew"
            yield ReviewItem("audit trail", event.seq, f"lot {event.subject} {what} after it was used ({event.reason})")


def _values(record: BatchRecord, out: Sequence[Deviating]) -> Iterator[ReviewItem]:
    for found in out:
        yield ReviewItem("excursion", found.first_seq, found.words)
    for item in record.values:
        yield from _value(item)
    for result in record.results:
        yield from _corrected(result)
    for used in record.consumed:
        for old, fix in zip(used.all_amounts, used.corrections, strict=False):
            words = f"amount of {used.material} ({used.lot}): {old} became {fix.value} {fix.unit}".rstrip()
            yield ReviewItem("correction", fix.seq, f"{words} ({fix.reason})")


def _corrected(result: ResultLine) -> Iterator[ReviewItem]:
    """The corrections of a result, each with what stood there before, and what it means for the specification."""
    before = result.value
    for number, fix in enumerate(result.corrections, start=1):
        words = f"{result.attribute}: {before} became {fix.value} ({fix.reason})"
        now = replace(result, corrections=result.corrections[:number])
        if state_now(now) == "oos":
            words += ", which is out of specification"
        elif is_out(now):
            words += ", which was out of specification: its investigation decides"
        yield ReviewItem("correction", fix.seq, words)
        before = fix.value


def _value(item: ValueLine) -> Iterator[ReviewItem]:
    keeps = item.keeps_limits
    if item.within and keeps and not item.corrections:
        return
    name = f"{item.tag} of {item.phase}"
    for number, fix in enumerate(item.corrections):
        old = item.corrections[number - 1].value if number else item.value
        words = f"{name}: {old} became {fix.value} {item.unit}".rstrip() + f" ({fix.reason})"
        yield ReviewItem("correction", fix.seq, words)
    if not (item.within and keeps) and item.kind == "entry":
        words = f"{name}: {item.current} {item.unit}".rstrip() + f" entered by hand, limits {item.limits}"
        yield ReviewItem("manual entry", item.seq, words)
    if item.within and not keeps and not item.corrections:
        words = f"{name}: recorded as within limits, but {item.value} is not within {item.limits}"
        yield ReviewItem("sequence", item.seq, words)


def _people(record: BatchRecord, recipe: MasterRecipe | None) -> Iterator[ReviewItem]:
    for item in record.interventions:
        where = f"{item.unit_procedure} on {item.unit}" if item.unit else item.unit_procedure or "the batch"
        why = f" ({item.reason})" if item.reason else ""
        yield ReviewItem("intervention", item.seq, f"{item.command} of {where}, {item.before} to {item.after}{why}")
    for seq, words in record.illegal:
        yield ReviewItem("sequence", seq, words)
    yield from _bystanders(record, recipe)
    if recipe is None:
        yield ReviewItem("data gap", 0, "the recipe's text is not in the record: what is missing cannot be said")
        return
    steps = {item.phase: item for item in record.steps}
    for path in unchecked_phases(recipe, record):
        words = f"{path} lacks the check of a second person who signed and did not act in it"
        yield ReviewItem("missing check", steps[path].seq, words)
    for path in unsigned_phases(record):
        words = f"{path}: {steps[path].completed_by} has not signed for it, or not since a correction"
        yield ReviewItem("missing signature", steps[path].seq, words)
    for point in hold_points(recipe):
        step = steps.get(point.path)
        if step is not None and step.completed_at is not None and not step.hold_signatures:
            yield ReviewItem("missing signature", step.seq, f"the hold point of {point.path}: {point.words}")


def _bystanders(record: BatchRecord, recipe: MasterRecipe | None) -> Iterator[ReviewItem]:
    """Phases that were ended by somebody who had not acted in them, where the recipe does not ask for just that."""
    ends = {place.path: place.phase.until for place in recipe.phases()} if recipe is not None else {}
    for step in record.steps:
        until = ends.get(step.phase)
        if not step.took_part and not (until is not None and until.is_signature):
            why = f" ({step.completion_reason})" if step.completion_reason else ", without a reason"
            words = f"{step.phase} was completed by {step.completed_by}, who had not acted in it{why}"
            yield ReviewItem("intervention", step.completed_seq or step.seq, words)


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
    if recipe is None:
        return
    known = {place.path for place in recipe.phases()}
    before: set[str] = set()  # what should have been run before something that has been
    for item in record.steps:
        if item.phase not in known:
            yield ReviewItem("sequence", item.seq, f"{item.phase} is no phase of the recipe")
            continue
        if item.phase in before:
            yield ReviewItem("sequence", item.seq, f"{item.phase} was run out of order")
        before |= earlier(recipe, item.phase)


def _deviations(record: BatchRecord, out: Sequence[Deviating], cases: Sequence[Deviation]) -> Iterator[ReviewItem]:
    """Each deviation with its state; those filed elsewhere and linked with the batch too."""
    for item in record.deviations if not cases else ():
        state = "closed" if well_closed(record, item) else "open"
        yield ReviewItem("deviation", item.seq, f"{item.deviation} ({state}): {item.words}")
    for case in cases:
        state = "closed" if case.closed else "open"
        yield ReviewItem("deviation", case.seq, f"{case.name} ({state}): {case.words}")
    for found in uncovered(record, out):
        yield ReviewItem("deviation", found.first_seq, f"no deviation was opened for {found.words}")


def _quality(record: BatchRecord) -> Iterator[ReviewItem]:
    for result in record.results:
        if result.state != "conforms" or is_out(result):
            words = "invalid" if result.state == "invalid" else "out of specification"
            found_words = f"{result.attribute} {out_value(result)} is {words} (limit {result.limit})"
            yield ReviewItem("result", result.seq, found_words)
    for used in record.consumed:
        if not used.keeps_limits:
            low, high = used.bounds
            words = f"{used.worst} {used.unit} of {used.lot} for {used.phase}, tolerated {low} .. {high}"
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
        "proven range": _("outside the proven range"),
        "action limit": _("action limit passed"),
        "alert limit": _("alert limit passed"),
        "correction": _("correction"),
        "audit trail": _("audit trail change"),
        "alarm": _("alarm"),
        "hard stop": _("hard stop"),
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
        "late entry": _("late entry"),
        "comment": _("comment"),
    }[kind]
