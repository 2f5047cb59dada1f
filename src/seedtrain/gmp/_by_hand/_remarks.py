"""What is said about a batch afterwards or beside it: comments, corrections, line clearance, the lifting of a stop."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from seedtrain.base import InputError, digest
from seedtrain.gmp._authority import another_person, authorise, in_service
from seedtrain.gmp._batch._lines import ValueLine
from seedtrain.gmp._batch._record import BatchRecord
from seedtrain.gmp._by_hand._desk import INCOMPLETE, Act, Desk, act, refused
from seedtrain.gmp._by_hand._phase import lacking
from seedtrain.gmp._by_hand._values import Figures, entry_payload
from seedtrain.gmp._permit import EXECUTE, LIFT
from seedtrain.gmp._quality._deviations import find_deviation
from seedtrain.record import Draft, Ledger

LONGEST_COMMENT = 2000


def comment_on(
    ledger: Ledger, batch: str, text: str, actor: str, *, phase: str = "", at: datetime | None = None
) -> BatchRecord:
    """Somebody in service remarks something, on the batch or one of its phases; the reviewer reads it."""
    in_service(ledger, actor)
    words = text.strip()
    if not words or len(words) > LONGEST_COMMENT:
        raise InputError(f"a comment of {len(words)} characters", remedy=f"Write 1 to {LONGEST_COMMENT}.")

    def do(desk: Desk) -> Act:
        if phase:
            desk.place(phase)
        return Act([desk.draft("batch.commented", {"phase": phase, "comment": words})])

    return act(ledger, batch, actor, do, at=at)


def clear_line(
    ledger: Ledger, batch: str, line: str, actor: str, *, found: str, at: datetime | None = None
) -> BatchRecord:
    """Somebody has inspected the line, and it holds nothing of a batch before; signed (21 CFR 211.130(e)).

    - `found`: what was looked at and found: "empty, last product removed, labels counted".
    """
    authorise(ledger, actor, EXECUTE)
    if not found.strip():
        raise InputError(f"the clearance of {line} does not say what was found", remedy="Say it: --found TEXT.")

    def do(desk: Desk) -> Act:
        desk.must_run()
        lines = dict.fromkeys(
            place.phase.manual.clear for place in desk.control.recipe.phases() if place.phase.manual.clear
        )
        if line not in lines:
            raise InputError(f"the recipe clears no line {line!r}", remedy=f"It clears: {', '.join(lines) or 'none'}.")
        return Act([desk.draft("line.cleared", {"line": line, "found": found.strip()})], f"line clearance: {line}")

    return act(ledger, batch, actor, do, at=at)


def correct_entry(
    ledger: Ledger,
    batch: str,
    phase: str,
    tag: str,
    value: str,
    actor: str,
    *,
    unit: str = "",
    reason: str,
    at: datetime | None = None,
) -> BatchRecord:
    """Put right an entry, with a reason and signed; what was calculated from it is calculated anew in the same commit.

    - `unit`: of `value`, which must be that of the entry; it is taken to be if not given.

    The old value stays visible. Whoever checked or signed the phase before has to do it again.
    """
    authorise(ledger, actor, EXECUTE)
    if not reason.strip():
        raise InputError("a correction has no reason", remedy="Say why: --reason TEXT (21 CFR 11.10(e)).")

    def do(desk: Desk) -> Act:
        desk.must_be_open()
        place = desk.place(phase)
        line = desk.record.values_of(phase).get(tag)
        if line is None or line.kind != "entry":
            known = [name for name, item in desk.record.values_of(phase).items() if item.kind == "entry"]
            raise InputError(f"{phase} has no entry {tag!r}", remedy=f"It has: {', '.join(known) or 'none'}.")
        authorise(ledger, actor, EXECUTE, place.phase.manual.course or None)
        entry = place.phase.entries()[tag]
        payload = entry_payload(phase, tag, entry, value, unit or line.unit)
        if payload["value"] == line.current:
            return Act()
        figures = Figures(desk.record, desk.control.recipe)
        figures.put(phase, tag, str(payload["value"]), line.unit)
        again = list(calculated_anew(desk, figures, f"{tag} of {phase} corrected: {reason.strip()}"))
        return Act([*again, _correction(desk, line, payload, reason.strip())], f"correction: {phase}")

    return act(ledger, batch, actor, do, at=at)


def calculated_anew(desk: Desk, figures: Figures, reason: str) -> Iterator[Draft]:
    """Every recorded calculation whose value changes, in the order of the procedure."""
    for place in desk.control.recipe.phases():
        known = desk.record.values_of(place.path)
        for tag, calculation in place.phase.manual.calculations().items():
            line = known.get(tag)
            if line is None:
                continue
            payload = figures.calculate(place.path, tag, calculation)
            if payload is not None and payload["value"] != line.current:
                yield _correction(desk, line, payload, reason)


def _correction(desk: Desk, line: ValueLine, payload: dict[str, object], reason: str) -> Draft:
    number_of = len(line.corrections)
    whole = {**payload, "before": line.current, "kind": line.kind, "origin": line.origin}
    identity = digest(["value.corrected", desk.batch, line.id, number_of])[:32]
    return Draft(
        "value.corrected", desk.batch, whole, desk.actor, desk.at, reason=reason, corrects=line.id, id=identity
    )


def lift_stop(
    ledger: Ledger,
    batch: str,
    phase: str,
    gate: str,
    subject: str,
    actor: str,
    *,
    deviation: str,
    reason: str,
    at: datetime | None = None,
) -> BatchRecord:
    """Quality decides, under a deviation and signed, that a phase goes on past a hard stop that somebody met there.

    It counts for this phase, gate and subject only. Raises `InputError` for a stop that nobody met, a deviation that
    is not of this batch, and somebody who runs the batch.
    """
    authorise(ledger, actor, LIFT)
    if not reason.strip():
        raise InputError("the decision has no reason", remedy="Say why it may go on (21 CFR 211.100(b)).")

    def do(desk: Desk) -> Act:
        desk.must_be_open()
        desk.place(phase)
        another_person(ledger, actor, desk.record.operators, f"the lifting of a stop of {batch}")
        met = [item for item in desk.record.stops if (item.phase, item.gate, item.subject) == (phase, gate, subject)]
        if met and met[-1].lifted_by is not None:
            return Act()
        drafts = [] if met else [_lacks(desk, phase, gate, subject)]
        found = find_deviation(ledger, deviation)
        events = ledger.events(subject=batch)
        if not any(item.payload.get("deviation") == deviation for item in events):
            raise InputError(f"{found.name} does not concern {batch}", remedy="Open a deviation on this batch.")
        payload: dict[str, object] = {"phase": phase, "gate": gate, "subject": subject, "deviation": deviation}
        drafts.append(desk.draft("stop.lifted", payload, reason=reason.strip()))
        return Act(drafts, f"hard stop lifted under {deviation}")

    return act(ledger, batch, actor, do, at=at)


def _lacks(desk: Desk, phase: str, gate: str, subject: str) -> Draft:
    """The stop that a running phase would meet at its end: something that it lacks is recorded when it is lifted."""
    found = lacking(desk, desk.running_phase(phase), calculated=True) if gate == INCOMPLETE else ()
    for refusal in found:
        if refusal.subject == subject:
            return refused(desk, phase, refusal)
    raise InputError(
        f"nobody was stopped in {phase} by {gate} because of {subject!r}",
        remedy="See the stops: seedtrain batch status.",
    )
