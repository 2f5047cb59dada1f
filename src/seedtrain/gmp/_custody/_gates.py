"""What stops a phase because of a bank's vial or of a patient."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from seedtrain.gmp._batch._gate import Asked
from seedtrain.gmp._custody._banks import inventory
from seedtrain.gmp._custody._chain import HAND_OVER, custody_chain
from seedtrain.gmp._lots._genealogy import walk
from seedtrain.gmp._lots._holds import made_from
from seedtrain.gmp._lots._received import STATED, stated_particulars
from seedtrain.gmp._standing import Standing
from seedtrain.recipe import Refusal
from seedtrain.record import Ledger


def bank_gate(asked: Asked) -> Iterator[Refusal]:
    """A vial goes into the batch for which it was withdrawn, and not while an excursion or an assessment holds it."""
    lots = asked.request.lots
    if not lots or next(iter(asked.ledger.events(type="bank.created")), None) is None:
        return
    held = inventory(asked.ledger)
    for lot in lots:
        if lot in held.banks:
            words = f"{lot} is a bank and not a vial of it"
            yield Refusal(words, f"Withdraw a vial: seedtrain bank withdraw {lot}.", "bank.vial", lot)
        vial = held.vials.get(lot)
        if vial is None:
            continue
        if vial.on_hold:
            remedy = "Have the excursion assessed: seedtrain bank assess; or withdraw another vial."
            yield Refusal(f"the vial {lot} is on hold: {vial.why_held}", remedy, "bank.hold", lot)
        if (vial.purpose, vial.used_for) != ("production", asked.request.batch):
            what = f"withdrawn for {vial.purpose} {vial.used_for}".rstrip() if vial.purpose else "not withdrawn"
            remedy = f"Withdraw a vial for this batch: seedtrain bank withdraw {vial.bank}."
            yield Refusal(f"the vial {lot} is {what}, not for {asked.request.batch}", remedy, "bank.vial", lot)


def patient_gate(asked: Asked) -> Iterator[Refusal]:
    """Nothing of one patient goes into what is made for another, and nothing goes on while a chain is stopped.

    Whose a lot is follows from its binding, from what its receipt states, and from everything that it was made from.
    Nobody can lift this: the clauses behind it are 21 CFR 1271.290 and Regulation (EC) 1394/2007 Art. 15.
    """
    request, ledger = asked.request, asked.ledger
    bound = bindings(ledger)
    code, token = bound.get(request.batch, ("", ""))
    yield from _stopped(ledger, code, f"the chain {code} of batch {request.batch}")
    for lot in request.lots:
        whose = patients_of(ledger, lot, bound)
        strange = whose - {token}
        if strange:
            batch = f"is made for {token}" if token else "is bound to no patient"
            words = f"lot {lot} is of the patient {', '.join(sorted(strange))}; batch {request.batch} {batch}"
            remedy = "Part the goods and call quality. A batch is bound to its patient by: seedtrain custody bind."
            yield Refusal(words, remedy, "custody.patient", lot)
        for other in {code for code, mark in bound.values() if mark in whose} - {code}:
            yield from _stopped(ledger, other, f"the chain {other} of lot {lot}")
        if lot in bound and not strange:
            yield from _not_here(ledger, bound[lot][0], lot)


def _stopped(ledger: Ledger, code: str, what: str) -> Iterator[Refusal]:
    stop = custody_chain(ledger, code).stopped if code else None
    if stop is not None:
        remedy = f"Close the deviation {stop.deviation}, then: seedtrain custody resume."
        yield Refusal(f"{what} is on hold: {stop.reason}", remedy, "custody.stopped", code)


def _not_here(ledger: Ledger, code: str, lot: str) -> Iterator[Refusal]:
    """What was collected is used once manufacture has received it, identifiers compared, and not before."""
    found = custody_chain(ledger, code)
    if found.stage != "manufacture" or found.pending is not None:
        where = f"handed to {found.pending.to} and not received" if found.pending else f"at the stage {found.stage}"
        remedy = "Hand it over to manufacture and have it received: seedtrain custody hand-over, receive."
        yield Refusal(f"lot {lot} of the chain {code} is {where}", remedy, "custody.stage", lot)


def bindings(ledger: Ledger) -> dict[str, tuple[str, str]]:
    """Each lot and batch that is bound to a patient: (code of the chain, the patient's token)."""
    tokens: dict[str, str] = {}
    found: dict[str, tuple[str, str]] = {}
    standing = Standing(ledger)
    for event in ledger.events(type="custody.opened"):
        if standing.counts(event, HAND_OVER):
            tokens.setdefault(event.subject, str(event.payload["token"]))
            for lot in event.payload["lots"]:
                found.setdefault(str(lot), (event.subject, tokens[event.subject]))
    for event in ledger.events(type="custody.bound") if tokens else ():
        if event.subject in tokens and standing.counts(event, HAND_OVER):
            found.setdefault(str(event.payload["id"]), (event.subject, tokens[event.subject]))
    return found


def patients_of(ledger: Ledger, lot: str, bound: Mapping[str, tuple[str, str]] | None = None) -> frozenset[str]:
    """The tokens of all patients that a lot or batch comes from, itself and everything that it was made from.

    - `bound`: of `bindings`, where the caller has them.
    """
    known = bindings(ledger) if bound is None else bound
    found: set[str] = set()
    for name, _depth, _into in walk(lot, lambda here: made_from(ledger, here)):
        if name in known:
            found.add(known[name][1])
        stated = [event for type in (*STATED, "lot.amended") for event in ledger.events(subject=name, type=type)]
        patient = stated_particulars(stated).patient if stated else ""
        found |= {patient} if patient else set()
    return frozenset(found)
