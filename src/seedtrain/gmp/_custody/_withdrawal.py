"""Taking vials out: by whom, what for, and from a master bank by two persons."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from seedtrain.base import InputError, digest
from seedtrain.gmp._authority import another_person, authorise
from seedtrain.gmp._custody._bank_tests import judge_bank
from seedtrain.gmp._custody._banks import PURPOSES, Asked, Bank, Inventory, Vial, inventory
from seedtrain.gmp._master._approval import at_head
from seedtrain.quality import VerdictWord
from seedtrain.record import Draft, Ledger, append_signed

WITHDRAW: Final = "bank.withdraw"
_HELD_FOR: Final = ("testing", "destruction")  # what a vial on hold may still be taken for


@dataclass(frozen=True)
class Withdrawal:
    """What became of a withdrawal.

    - `request`: of a master bank, the id that a second person confirms; empty once the vials are out.
    - `left`: vials still stored; `tests`: the verdict of the bank's testing plan.
    """

    bank: str
    vials: tuple[str, ...]
    request: str
    left: int
    reserve: int
    tests: VerdictWord

    @property
    def below_reserve(self) -> bool:
        """Whether fewer vials are left than should be."""
        return self.left < self.reserve


def withdraw_vials(
    ledger: Ledger,
    name: str,
    actor: str,
    *,
    purpose: str,
    reason: str,
    vials: Sequence[str] = (),
    count: int = 0,
    used_for: str = "",
    at: datetime | None = None,
) -> Withdrawal:
    """Take vials out of a bank, or ask for it where the bank is a master bank: `confirm_withdrawal` takes them out.

    - `vials`: which; or `count` of those that are stored and free. `used_for`: the batch or bank that they go into.

    Raises `InputError` for somebody without the authority, no reason, a vial that is out or on hold, and for a use in
    production where the bank's tests have not passed. The same again changes nothing.
    """
    authorise(ledger, actor, WITHDRAW)
    if purpose not in PURPOSES:
        raise InputError(f"there is no purpose {purpose!r}", remedy=f"Use one of: {', '.join(PURPOSES)}.")
    if not reason.strip():
        raise InputError(f"the withdrawal from {name} has no reason", remedy="Say why: --reason.")
    if purpose == "production" and not used_for:
        raise InputError("a vial for production needs its batch", remedy="Name it: --for B-1.")

    def decide(head: int) -> Withdrawal:
        held = inventory(ledger)
        bank = held.bank(name)
        chosen = _chosen(held, bank, vials, count)
        done = [item for item in chosen if item.state != "stored"]
        if vials and done == chosen and all((item.purpose, item.used_for) == (purpose, used_for) for item in chosen):
            return _answer(ledger, bank.id, vials, "")
        for vial in chosen:
            _check_vial(vial, purpose)
        _check_tests(ledger, bank, purpose)
        names = tuple(item.id for item in chosen)
        if bank.tier == "master":
            return _ask(ledger, held, bank, names, purpose, used_for, reason, actor, at, head)
        left = held.count(name, "stored") - len(names)
        draft = _out(bank, names, purpose, used_for, actor, reason, left, at)
        append_signed(ledger, draft, "vials withdrawn", more=_vial_lots(bank, names, purpose, actor, at), at_head=head)
        return _answer(ledger, bank.id, names, "")

    return at_head(ledger, decide)


def confirm_withdrawal(
    ledger: Ledger, name: str, request: str, actor: str, *, at: datetime | None = None
) -> Withdrawal:
    """A second person takes the vials out that a first one asked for (four eyes over a master bank).

    Raises `InputError` for the same person, also under another identity, and where a vial is no longer free.
    """
    authorise(ledger, actor, WITHDRAW)

    def decide(head: int) -> Withdrawal:
        held = inventory(ledger)
        bank = held.bank(name)
        asked = bank.asked.get(request)
        if asked is None:
            open_ones = ", ".join(bank.asked) or "none"
            raise InputError(f"{name} has no open request {request!r}", remedy=f"Open requests: {open_ones}.")
        another_person(ledger, actor, [asked.actor], f"the withdrawal from the master bank {name}")
        for vial in asked.vials:
            _check_vial(held.vial(vial), asked.purpose)
        _check_tests(ledger, bank, asked.purpose)
        left = held.count(name, "stored") - len(asked.vials)
        draft = _out(bank, asked.vials, asked.purpose, asked.used_for, actor, asked.reason, left, at, request)
        lots = _vial_lots(bank, asked.vials, asked.purpose, actor, at)
        append_signed(ledger, draft, "withdrawal confirmed", more=lots, at_head=head)
        return _answer(ledger, bank.id, asked.vials, "")

    return at_head(ledger, decide)


def _chosen(held: Inventory, bank: Bank, vials: Sequence[str], count: int) -> list[Vial]:
    if bool(vials) == bool(count):
        raise InputError("it is not said which vials", remedy="Name them (--vial) or their number (--count).")
    if vials:
        found = [held.vial(item) for item in dict.fromkeys(vials)]
        strange = next((item for item in found if item.bank != bank.id), None)
        if strange is not None:
            raise InputError(f"{strange.id} belongs to {strange.bank}", remedy="Act on one bank at a time.")
        return found
    spoken_for = {vial for asked in bank.asked.values() for vial in asked.vials}
    free = [
        item for item in held.of(bank.id) if item.state == "stored" and not item.on_hold and item.id not in spoken_for
    ]
    if count < 0 or len(free) < count:
        raise InputError(f"{bank.id} has {len(free)} free vials, not {count}", remedy="See: seedtrain bank show.")
    return free[:count]


def _check_vial(vial: Vial, purpose: str) -> None:
    if vial.state != "stored":
        raise InputError(f"{vial.id} is {vial.state} already, for {vial.purpose}", remedy="Choose another vial.")
    if vial.on_hold and purpose not in _HELD_FOR:
        raise InputError(
            f"{vial.id} is on hold: {vial.why_held}",
            remedy="Have the excursion assessed (seedtrain bank assess), or choose another vial.",
        )


def _check_tests(ledger: Ledger, bank: Bank, purpose: str) -> None:
    word = judge_bank(ledger, bank).verdict
    if (purpose == "production" and word != "pass") or (purpose == "bank" and word == "fail"):
        raise InputError(
            f"the testing plan of {bank.id} is not passed: {word}",
            remedy=f"See what is missing: seedtrain bank test {bank.id}.",
        )


def _ask(
    ledger: Ledger,
    held: Inventory,
    bank: Bank,
    vials: tuple[str, ...],
    purpose: str,
    used_for: str,
    reason: str,
    actor: str,
    at: datetime | None,
    head: int,
) -> Withdrawal:
    same = [
        item
        for item in bank.asked.values()
        if (item.vials, item.purpose, item.used_for, item.actor) == (vials, purpose, used_for, actor)
    ]
    if same:
        return _answer(ledger, bank.id, vials, same[0].id)
    taken = _spoken_for(bank, vials)
    if taken is not None:
        raise InputError(f"{taken.id} asks for one of these vials already", remedy="Confirm it, or choose others.")
    request = f"{bank.id}-W-{digest([head, bank.id, list(vials), purpose])[:8]}"
    payload = {"request": request, "vials": list(vials), "purpose": purpose, "for": used_for}
    draft = Draft("bank.withdrawal_asked", bank.id, payload, actor, at, reason=reason)
    append_signed(ledger, draft, "withdrawal asked for", at_head=head)
    return _answer(ledger, bank.id, vials, request)


def _spoken_for(bank: Bank, vials: Sequence[str]) -> Asked | None:
    return next((asked for asked in bank.asked.values() if set(asked.vials) & set(vials)), None)


def _out(
    bank: Bank,
    vials: Sequence[str],
    purpose: str,
    used_for: str,
    actor: str,
    reason: str,
    left: int,
    at: datetime | None,
    request: str = "",
) -> Draft:
    payload: dict[str, Any] = {
        "vials": list(vials),
        "purpose": purpose,
        "for": used_for,
        "request": request,
        "left": left,
        "below_reserve": left < bank.reserve,
    }
    return Draft("bank.withdrawn", bank.id, payload, actor, at, reason=reason)


def _vial_lots(bank: Bank, vials: Sequence[str], purpose: str, actor: str, at: datetime | None) -> list[Draft]:
    """A vial that leaves the freezer becomes a lot of its own, split off its bank; for production it is released."""
    lot = {
        "material": bank.material,
        "supplier": "own bank",
        "quantity": "1",
        "unit": "",
        "expiry": bank.expiry,
        "status": "released" if purpose == "production" else "quarantined",
        "contains": [dict(item) for item in bank.contains],
        "from": [{"lot": bank.id, "amount": "1", "unit": ""}],
    }
    return [Draft("lot.split", vial, lot, actor, at, id=digest(["lot.split", vial])[:32]) for vial in vials]


def _answer(ledger: Ledger, name: str, vials: Sequence[str], request: str) -> Withdrawal:
    held = inventory(ledger)
    bank = held.bank(name)
    left = held.count(name, "stored")
    return Withdrawal(name, tuple(vials), request, left, bank.reserve, judge_bank(ledger, bank).verdict)
