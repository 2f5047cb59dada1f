"""What stops a phase because of a bank's vial or of a patient."""

from __future__ import annotations

from collections.abc import Iterator

from seedtrain.gmp._batch._gate import Asked
from seedtrain.gmp._custody._banks import inventory
from seedtrain.gmp._custody._chain import HAND_OVER, custody_chain
from seedtrain.gmp._lots._genealogy import walk
from seedtrain.gmp._lots._holds import made_from
from seedtrain.gmp._lots._received import STATED, stated_particulars
from seedtrain.gmp._standing import Standing
from seedtrain.recipe import Refusal
from seedtrain.record import Event, Ledger


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
    bound = Bindings(ledger)
    code, token = bound.of(request.batch)
    yield from _stopped(ledger, code, f"the chain {code} of batch {request.batch}")
    for lot in request.lots:
        whose = patients_of(ledger, lot, bound)
        strange = whose - {token}
        if strange:
            batch = f"is made for {token}" if token else "is bound to no patient"
            words = f"lot {lot} is of the patient {', '.join(sorted(strange))}; batch {request.batch} {batch}"
            remedy = "Part the goods and call quality. A batch is bound to its patient by: seedtrain custody bind."
            yield Refusal(words, remedy, "custody.patient", lot)
        for other in sorted({bound.code(mark) for mark in whose} - {code, ""}):
            yield from _stopped(ledger, other, f"the chain {other} of lot {lot}")
        if bound.of(lot)[0] and not strange:
            yield from _not_here(ledger, bound.of(lot)[0], lot)


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


class Bindings:
    """Which lots and batches are bound to whose chain; a binding counts with its signature, and the first one stands.

    Only the names that are asked for are looked at closely: a site may have thousands of patients.
    """

    def __init__(self, ledger: Ledger) -> None:
        self._standing = Standing(ledger)
        self._opened = {event.subject: event for event in ledger.events(type="custody.opened")}
        self._codes = {str(event.payload["token"]): code for code, event in self._opened.items()}
        self._named: dict[str, list[Event]] = {}
        for event in self._opened.values():
            for lot in event.payload["lots"]:
                self._named.setdefault(str(lot), []).append(event)
        for event in ledger.events(type="custody.bound") if self._opened else ():
            self._named.setdefault(str(event.payload["id"]), []).append(event)

    def of(self, name: str) -> tuple[str, str]:
        """The code of the chain and the patient's token to which a lot or batch is bound; empty where to none."""
        for event in self._named.get(name, ()):
            opened = self._opened.get(event.subject)
            if opened is not None and all(self._standing.counts(item, HAND_OVER) for item in (opened, event)):
                return event.subject, str(opened.payload["token"])
        return "", ""

    def code(self, token: str) -> str:
        """The chain of a patient's token; empty where there is none."""
        return self._codes.get(token, "")


def patients_of(ledger: Ledger, lot: str, bound: Bindings | None = None) -> frozenset[str]:
    """The tokens of all patients that a lot or batch comes from, itself and everything that it was made from."""
    known = Bindings(ledger) if bound is None else bound
    found: set[str] = set()
    for name, _depth, _into in walk(lot, lambda here: made_from(ledger, here)):
        stated = [event for type in (*STATED, "lot.amended") for event in ledger.events(subject=name, type=type)]
        found |= {known.of(name)[1], stated_particulars(stated).patient if stated else ""}
    return frozenset(found - {""})
