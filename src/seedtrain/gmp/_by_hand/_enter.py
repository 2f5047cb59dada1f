"""What people put into a running phase: values, and amounts of lots."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from seedtrain.base import InputError, digest
from seedtrain.gmp._authority import authorise
from seedtrain.gmp._batch._lines import ConsumedLine, ValueLine, plain
from seedtrain.gmp._batch._record import BatchRecord
from seedtrain.gmp._by_hand._desk import Act, Desk, HardStop, act
from seedtrain.gmp._by_hand._values import Figures, entry_payload, is_of_amounts, number, pending
from seedtrain.gmp._equipment_gates import Register
from seedtrain.gmp._lots._amounts import amount_in
from seedtrain.gmp._lots._stock import have
from seedtrain.gmp._permit import EXECUTE
from seedtrain.quantity import read_unit
from seedtrain.recipe import PHASE_KINDS, Dispensing, Phase, PhaseAt, Refusal
from seedtrain.record import SYSTEM, Draft, Ledger


def enter_value(
    ledger: Ledger,
    batch: str,
    phase: str,
    tag: str,
    value: str,
    unit: str,
    actor: str,
    *,
    instrument: str = "",
    at: datetime | None = None,
) -> BatchRecord:
    """Record a value that a person read, in the unit of the recipe; what it lets calculate is recorded with it.

    - `instrument`: the id of the device it was read on; the phase's own of that class if not given.

    The same again changes nothing; another value needs a correction. A value outside its limits is recorded as it is.
    """
    authorise(ledger, actor, EXECUTE)

    def do(desk: Desk) -> Act:
        place = desk.running_phase(phase)
        entries = place.phase.entries()
        if tag not in entries:
            raise InputError(f"{phase} has no entry {tag!r}", remedy=f"It has: {', '.join(entries) or 'none'}.")
        payload = entry_payload(phase, tag, entries[tag], value, unit)
        known = desk.record.values_of(phase).get(tag)
        if known is not None:
            _must_be_same(desk, known, str(payload["value"]))
            return Act()
        device = _instrument(desk, place, tag, entries[tag].instrument, instrument)
        step = desk.record.step(phase)
        assert step is not None
        desk.permit(phase, step.unit, equipment=tuple(dict.fromkeys((*step.equipment, *((device,) if device else ())))))
        payload |= {"kind": "entry"} | ({"instrument": device} if device else {})
        draft = desk.draft("step.value_recorded", payload)
        identity = digest(["step.value_recorded", batch, phase, tag])[:32]
        entry = Draft(draft.type, batch, draft.payload, actor, at, id=identity)
        return Act([entry, *_calculated(desk, place, tag, str(payload["value"]), str(payload["unit"]))])

    return act(ledger, batch, actor, do, at=at)


def _must_be_same(desk: Desk, known: ValueLine, value: str) -> None:
    if known.value == value and known.actor == desk.actor and not known.corrections:
        return
    raise InputError(
        f"{known.tag} of {known.phase} is {known.current} {known.unit}".rstrip() + ", entered before",
        remedy=f"Correct it with a reason: seedtrain batch correct {desk.batch} {known.phase} {known.tag}.",
    )


def _instrument(desk: Desk, place: PhaseAt, tag: str, kind: str, given: str) -> str:
    """The device of the class that the entry is read on; it must be one that the phase uses, or be named."""
    if not kind and not given:
        return ""
    step = desk.record.step(place.path)
    assert step is not None
    register = Register(desk.ledger, {})
    for name in (given,) if given else step.equipment:
        found = register.find(name)
        if found is not None and (not kind or found.kind == kind):
            return found.id
    wanted = f"on a {kind}" if kind else f"on {given}, which is registered"
    refusal = Refusal(f"{tag} is to be read {wanted}", "Name one: --instrument.", "equipment.missing", kind or given)
    raise HardStop(desk.batch, place.path, refusal)


def _calculated(desk: Desk, place: PhaseAt, tag: str, value: str, unit: str) -> list[Draft]:
    """What can be calculated now that the phase has this value; what needs whole amounts waits for its end."""
    figures = Figures(desk.record, desk.control.recipe)
    figures.put(place.path, tag, value, unit)
    drafts = []
    for name, calculation in pending(desk.record, desk.control.recipe, place.path):
        payload = None if is_of_amounts(calculation) else figures.calculate(place.path, name, calculation)
        if payload is not None:
            drafts.append(desk.draft("step.value_recorded", payload, actor=SYSTEM))
    return drafts


def dispense(
    ledger: Ledger,
    batch: str,
    phase: str,
    lot: str,
    amount: str,
    unit: str,
    actor: str,
    *,
    reference: str = "",
    instrument: str = "",
    at: datetime | None = None,
) -> BatchRecord:
    """Record an amount of a lot that goes into a running phase, in the unit of the recipe (21 CFR 211.101).

    - `reference`: a ticket's number, which names one weighing of a lot in a phase. Without one, an equal amount is the
      same weighing told again, however it is written (10 g, 10.0 g, 0.01 kg); who weighs the same twice gives the
      second a reference.

    Several lots may make up an amount. Less than the tolerance allows waits for the rest; more is recorded as it is,
    an excursion. Raises `HardStop` for a lot that may not be used, and for another material; `InputError` where the
    same weighing stands there with another amount, or by another person or on another balance.
    """
    authorise(ledger, actor, EXECUTE)

    def do(desk: Desk) -> Act:
        place = desk.running_phase(phase)
        ticket = reference.strip()
        known = _weighing(desk, phase, lot, amount, unit, ticket)
        if known is not None:
            _must_be_same_weighing(known, actor, amount, unit, instrument)
            return Act()
        step = desk.record.step(phase)
        assert step is not None
        desk.permit(phase, step.unit, lots=(lot,), equipment=step.equipment)
        text = number(amount, lot)
        entry, _ = have(ledger, lot, text, unit)
        wanted = _wanted(desk, place, lot, entry.material)
        payload: dict[str, object] = {"lot": lot, "material": entry.material, "amount": text, "phase": phase}
        payload |= {"unit": read_unit(unit).spelling, "target": None, "tolerance_percent": None}
        if wanted is not None:
            payload |= _against(desk, place, entry.material, wanted, Decimal(text), str(payload["unit"]))
        payload |= {"instrument": instrument} if instrument else {}
        payload |= {"reference": ticket} if ticket else {}
        draft = desk.draft("lot.consumed", payload)
        identity = digest(["lot.consumed", batch, phase, lot, ticket or plain(Decimal(text)), payload["unit"]])[:32]
        return Act([Draft(draft.type, batch, draft.payload, actor, at, id=identity)])

    return act(ledger, batch, actor, do, at=at)


def _weighing(desk: Desk, phase: str, lot: str, amount: str, unit: str, reference: str) -> ConsumedLine | None:
    """The weighing that is meant, where the record has it: that of the reference, or without one an equal amount."""
    lines = [item for item in desk.record.consumed if (item.phase, item.lot) == (phase, lot)]
    if reference:
        return next((item for item in lines if item.reference == reference), None)
    return next((item for item in lines if not item.reference and _equal(item, amount, unit)), None)


def _equal(line: ConsumedLine, amount: str, unit: str) -> bool:
    """Whether an amount is that of the line, as recorded or put right, in whatever unit and with however many zeros."""
    found = amount_in(amount, unit, line.unit)
    return found is not None and found in [Decimal(item) for item in line.all_amounts]


def _must_be_same_weighing(known: ConsumedLine, actor: str, amount: str, unit: str, instrument: str) -> None:
    if _equal(known, amount, unit) and known.actor == actor and instrument in ("", known.instrument):
        return
    named = f"weighing {known.reference} of {known.lot}" if known.reference else f"a weighing of {known.lot}"
    where = f" on {known.instrument}" if known.instrument else ""
    raise InputError(
        f"{named} is recorded in {known.phase}: {known.amount} {known.unit}".rstrip() + f" by {known.actor}{where}",
        remedy="If it is another weighing, name it: --reference and the number of its ticket.",
    )


def _wanted(desk: Desk, place: PhaseAt, lot: str, material: str) -> Dispensing | None:
    """What the recipe asks for of this material here; a material that it does not ask for is a mix-up."""
    wanted = place.phase.manual.dispense.get(material)
    if wanted is not None:
        return wanted
    named = _named(desk, place.phase)
    if material in named:
        return None
    asked = ", ".join((*place.phase.manual.dispense, *named)) or "no material"
    refusal = Refusal(
        f"lot {lot} is {material}; this phase takes {asked}", "Take a lot of the right material.", "material", lot
    )
    raise HardStop(desk.batch, place.path, refusal)


def _named(desk: Desk, phase: Phase) -> list[str]:
    """The materials that the phase's settings name, a prepared one with its constituents."""
    kinds = PHASE_KINDS[phase.do].parameters
    names = [str(value) for name, value in phase.set.items() if kinds[name].is_material]
    return [item for name in names for item in (name, *desk.control.recipe.materials.get(name, ()))]


def _against(
    desk: Desk, place: PhaseAt, material: str, wanted: Dispensing, amount: Decimal, unit: str
) -> dict[str, object]:
    """Target, tolerance, and what went in before; `partial` while another lot has to give the rest."""
    if unit != wanted.amount.unit:
        raise InputError(
            f"{material} is weighed in {unit or 'no unit'}; the record states {wanted.amount}",
            remedy=f"Give it in {wanted.amount.unit or 'no unit'}.",
        )
    lines = desk.record.consumed_in(place.path, material)
    before = sum((Decimal(item.amount) for item in lines), Decimal(0))
    target = Decimal(repr(wanted.amount.value))
    least = target - target * Decimal(wanted.tolerance_percent) / 100
    return {
        "target": plain(target),
        "tolerance_percent": wanted.tolerance_percent,
        "before": plain(before),
        "partial": before + amount < least,
    }
