"""A phase that people run: begun, completed, checked by a second person, signed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from decimal import Decimal

from seedtrain.base import InputError, decimal_text
from seedtrain.gmp._authority import another_person, authorise
from seedtrain.gmp._batch._fold import HOLD_POINT
from seedtrain.gmp._batch._lines import StepLine, plain
from seedtrain.gmp._batch._record import BatchRecord
from seedtrain.gmp._by_hand._calibrate import calibration_drafts, calibration_refusal
from seedtrain.gmp._by_hand._desk import INCOMPLETE, Act, Desk, HardStop, act, logged, open_desk, read_batch
from seedtrain.gmp._by_hand._values import Figures, judged, pending
from seedtrain.gmp._equipment import use_drafts, use_end_drafts
from seedtrain.gmp._permit import EXECUTE, is_waived
from seedtrain.gmp._quality._results import check_phase
from seedtrain.quantity import Quantity, Range
from seedtrain.recipe import Bands, Command, PhaseAt, Refusal, State, directly_before
from seedtrain.record import SYSTEM, Draft, Ledger, moment, sign


def begin_phase(
    ledger: Ledger,
    batch: str,
    phase: str,
    actor: str,
    *,
    unit: str = "",
    equipment: Sequence[str] = (),
    at: datetime | None = None,
) -> BatchRecord:
    """Begin the phase whose turn it is, on its unit and with its equipment; begun by the same person already: nothing.

    - `unit`: where the recipe names a class only; its own unit otherwise. `equipment`: ids, one of each class needed.

    Raises `HardStop` where a gate refuses; the attempt is recorded.
    """
    authorise(ledger, actor, EXECUTE)

    def do(desk: Desk) -> Act:
        desk.must_run()
        place = desk.place(phase)
        desk.must_go_on(place)
        step = desk.record.step(phase)
        if step is not None and step.completed_at is None:
            if step.started_by == actor:
                return Act()
            raise InputError(f"{phase} was begun by {step.started_by}", remedy="Go on with it, or ask them.")
        where = unit or place.unit_procedure.unit or place.unit_procedure.unit_class
        desk.permit(phase, where, equipment=tuple(equipment))
        return Act([*_opening(desk, place, where, equipment)])

    return act(ledger, batch, actor, do, at=at)


def _opening(desk: Desk, place: PhaseAt, unit: str, equipment: Sequence[str]) -> Iterator[Draft]:
    name = place.unit_procedure.name
    if desk.record.states.get(name, State.IDLE) is State.IDLE:
        yield from desk.commands(name, unit, Command.START)
    yield from _waited(desk, place)
    product = desk.control.recipe.product
    yield from use_drafts(logged(desk, place, unit, equipment), desk.batch, place.path, product, desk.actor, desk.at)
    payload: dict[str, object] = {
        "phase": place.path,
        "unit": unit,
        "do": place.phase.do,
        "settings": {key: str(value) for key, value in place.phase.set.items()},
        "line": desk.control.recipe.position(place.path).line,
        "equipment": list(equipment),
    }
    yield desk.draft("step.started", payload)


def _waited(desk: Desk, place: PhaseAt) -> Iterator[Draft]:
    """How long what the phases before left has waited, against their hold times (21 CFR 211.111)."""
    for before in directly_before(desk.control.recipe, place.path):
        step = desk.record.step(before.path)
        if before.phase.hold_time is not None and step is not None and step.completed_at is not None:
            limits = Range(None, before.phase.hold_time)
            yield _hours(desk, before.path, "hold_time", step.completed_at, limits)


def _hours(desk: Desk, phase: str, tag: str, since: str, limits: Range) -> Draft:
    hours = (desk.now - moment(since)).total_seconds() / 3600.0
    text = decimal_text(max(0.0, hours), 6)
    payload = {"phase": phase, "tag": tag, "value": text, "unit": "h", **judged(text, Bands(action=limits), "h")}
    return desk.draft("step.value_recorded", payload | {"kind": "calculated"}, actor=SYSTEM)


def complete_phase(
    ledger: Ledger, batch: str, phase: str, actor: str, *, reason: str = "", at: datetime | None = None
) -> BatchRecord:
    """End a phase in which everything is there, and sign for having performed it; the same again changes nothing.

    - `reason`: why somebody ends it who has not acted in it (21 CFR 211.188(b)(11): who performed a step, and who
      supervised it, is told apart). The reviewer sees it. A phase that ends by the signature of a role needs none.

    What is calculated at its end (yields, reconciliation) is recorded with it. Raises `HardStop` for what is missing,
    past which quality may let it go on, and `InputError` for a time that is not over, a reason that is missing, and a
    phase that is complete by another person or for another reason.
    """
    words = reason.strip()

    def do(desk: Desk) -> Act:
        step = desk.record.step(phase)
        if step is not None and step.completed_at is not None:
            return _complete_before(step, actor, words)
        place = desk.running_phase(phase)
        authorise(ledger, actor, EXECUTE, place.phase.manual.course or None)
        assert step is not None
        _must_have_acted(place, step, actor, words)
        _must_hold_all(desk, place)
        ended_by, drafts = _ending(desk, place, step)
        drafts += _computed(desk, place)
        drafts += calibration_drafts(desk, place, step)
        used = logged(desk, place, step.unit, step.equipment)
        drafts += use_end_drafts(used, batch, phase, actor, at)
        hours = (desk.now - moment(step.started_at)).total_seconds() / 3600.0
        payload: dict[str, object] = {
            "phase": phase,
            "duration_h": decimal_text(max(0.0, hours), 6),
            "ended_by": ended_by,
        }
        drafts.append(desk.draft("step.completed", payload, reason=words or None))
        return Act(drafts, _meaning(phase, took_part=actor in step.doers))

    return act(ledger, batch, actor, do, at=at)


def _complete_before(step: StepLine, actor: str, reason: str) -> Act:
    """Nothing, where the same is said again; raises `InputError` with what is there otherwise."""
    if step.completed_by == actor and reason in ("", step.completion_reason):
        return Act()
    why = f" ({step.completion_reason})" if step.completion_reason else ""
    raise InputError(
        f"{step.phase} is complete since {step.completed_at}, by {step.completed_by}{why}",
        remedy="A phase ends once; to remark something: seedtrain batch comment.",
    )


def _must_have_acted(place: PhaseAt, step: StepLine, actor: str, reason: str) -> None:
    until = place.phase.until
    if actor in step.doers or reason or (until is not None and until.is_signature):
        return
    raise InputError(
        f"{actor} has neither begun {place.path} nor entered, dispensed or corrected anything in it",
        remedy=f"Have it completed by {', '.join(sorted(step.doers))}, or say why you do it: --reason TEXT "
        "(21 CFR 211.188(b)(11)).",
    )


def _meaning(phase: str, *, took_part: bool) -> str:
    """What who completes a phase signs for; nobody signs to have performed what others did."""
    return f"performed: {phase}" if took_part else f"completed, performed by others: {phase}"


def _must_hold_all(desk: Desk, place: PhaseAt) -> None:
    """Every entry is there, and of every material at least what the tolerance allows."""
    for refusal in (*lacking(desk, place), *calibration_refusal(desk, place)):
        _stop_unless_waived(desk, place.path, refusal)


def lacking(desk: Desk, place: PhaseAt, *, calculated: bool = False) -> Iterator[Refusal]:
    """What a phase still lacks: entries, amounts of materials, and, if asked, what is calculated from them."""
    known = desk.record.values_of(place.path)
    for tag in place.phase.entries():
        if tag not in known:
            yield _lack(tag, f"{tag} is not entered", f"batch enter {desk.batch} {place.path}")
    for material, wanted in place.phase.manual.dispense.items():
        lines = desk.record.consumed_in(place.path, material)
        if not lines or lines[-1].partial:
            total = plain(sum((Decimal(item.amount) for item in lines), Decimal(0)))
            words = f"{total} {wanted.amount.unit} of {material} dispensed, the recipe asks for {wanted.amount}"
            yield _lack(material, words, f"batch dispense {desk.batch} {place.path}")
    for tag in place.phase.manual.calculations() if calculated else ():
        if tag not in known:
            yield _lack(tag, f"{tag} cannot be calculated", f"batch enter {desk.batch} {place.path}")


def _lack(subject: str, words: str, command: str) -> Refusal:
    return Refusal(words, f"Go on: seedtrain {command}.", INCOMPLETE, subject, liftable=True)


def _stop_unless_waived(desk: Desk, phase: str, refusal: Refusal) -> None:
    if not is_waived(desk.ledger, desk.record, phase, desk.actor, refusal):
        raise HardStop(desk.batch, phase, refusal)


def _ending(desk: Desk, place: PhaseAt, step: StepLine) -> tuple[str, list[Draft]]:
    """By what the phase ends, and its time against its limits where it has some."""
    until, at_most = place.phase.until, place.phase.at_most
    if until is None:
        return "person", []
    least = until.value if until.quantity == "elapsed" and isinstance(until.value, Quantity) else None
    hours = (desk.now - moment(step.started_at)).total_seconds() / 3600.0
    if least is not None and hours < least.magnitude("h"):
        raise InputError(
            f"{place.path} has lasted {decimal_text(hours, 4)} h, it ends at {least}", remedy="Wait, and complete it."
        )
    if until.is_signature:
        _must_have_role(desk, str(until.value), place.path)
    drafts = []
    if least is not None or at_most is not None:
        drafts.append(_hours(desk, place.path, "elapsed", step.started_at, Range(least, at_most)))
    return ("signature" if until.is_signature else _reached(desk, place)), drafts


def _must_have_role(desk: Desk, role: str, phase: str) -> None:
    person = authorise(desk.ledger, desk.actor, EXECUTE)
    if role not in person.roles:
        raise InputError(
            f"{phase} ends by the signature of a {role}, and {desk.actor} is {', '.join(person.roles)}",
            remedy=f"Have a {role} complete it.",
        )


def _reached(desk: Desk, place: PhaseAt) -> str:
    """`condition` where the entry that ends the phase meets it, else `at_most`: its time is over."""
    until = place.phase.until
    assert until is not None
    if until.quantity == "elapsed":
        return "condition"
    line = desk.record.values_of(place.path).get(until.quantity)
    met = line is not None and until.holds(Quantity(float(line.current), line.unit))
    return "condition" if met else "at_most"


def _computed(desk: Desk, place: PhaseAt) -> list[Draft]:
    """What is left to be calculated; a value whose entry quality has waived has none."""
    figures = Figures(desk.record, desk.control.recipe)
    drafts = []
    for tag, calculation in pending(desk.record, desk.control.recipe, place.path):
        payload = figures.calculate(place.path, tag, calculation)
        if payload is not None:
            drafts.append(desk.draft("step.value_recorded", payload, actor=SYSTEM))
        else:
            words = f"{tag} cannot be calculated"
            _stop_unless_waived(desk, place.path, _lack(tag, words, f"batch enter {desk.batch} {place.path}"))
    return drafts


def check_by_second(ledger: Ledger, batch: str, phase: str, actor: str, *, at: datetime | None = None) -> BatchRecord:
    """A person who did not act in a complete phase checks it and signs (21 CFR 211.101(c)-(d))."""
    desk = open_desk(ledger, batch, actor, at=at)
    desk.must_be_open()
    place = desk.place(phase)
    step = _complete(desk, phase)
    authorise(ledger, actor, EXECUTE, place.phase.manual.course or None)
    another_person(ledger, actor, step.doers, f"the check of {phase}")
    check_phase(ledger, batch, phase, actor, at=at)
    return read_batch(ledger, batch)


def sign_phase(ledger: Ledger, batch: str, phase: str, actor: str, *, at: datetime | None = None) -> BatchRecord:
    """Sign a complete phase: release its hold point, which needs another person, or, for who performed it, sign anew
    after a correction. A signature that still stands is not put twice."""
    desk = open_desk(ledger, batch, actor, at=at)
    desk.must_be_open()
    place = desk.place(phase)
    step = _complete(desk, phase)
    authorise(ledger, actor, EXECUTE, place.phase.manual.course or None)
    events = ledger.events(subject=batch, type="step.completed")
    end = next(item for item in events if item.seq == step.completed_seq)
    if actor == step.completed_by:
        meaning = _meaning(phase, took_part=step.took_part)
        if step.performed:
            if not place.phase.hold_point:
                return desk.record
            another_person(ledger, actor, step.doers, f"the hold point of {phase}")
    elif place.phase.hold_point:
        another_person(ledger, actor, step.doers, f"the hold point of {phase}")
        if not step.performed and step.completed_by != SYSTEM:  # what equipment completes nobody performed
            raise InputError(f"{step.completed_by} has to sign {phase} first", remedy="Ask them: batch sign.")
        if place.phase.second_person and not step.checked:
            raise InputError(f"{phase} is not checked by a second person", remedy="Have it checked: batch check.")
        meaning = f"{HOLD_POINT}: {place.phase.hold_point}"
        if any(item.actor == actor for item in step.hold_signatures):
            return desk.record
    else:
        raise InputError(f"{phase} has no hold point to sign", remedy="To check it: seedtrain batch check.")
    sign(ledger, actor, end.digest, meaning[:200], subject=batch, occurred_at=at)
    return read_batch(ledger, batch)


def _complete(desk: Desk, phase: str) -> StepLine:
    step = desk.record.step(phase)
    if step is None or step.completed_at is None:
        raise InputError(f"{phase} is not complete", remedy=f"See: seedtrain batch step {desk.batch}.")
    return step
