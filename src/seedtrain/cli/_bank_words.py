"""How `seedtrain bank` shows banks, vials and excursions to people and machines."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from seedtrain.base import InputError
from seedtrain.base import translate as _

if TYPE_CHECKING:
    from datetime import datetime

    from seedtrain.gmp import Bank, Excursion, Inventory, Vial, Withdrawal
    from seedtrain.quality import Verdict
    from seedtrain.record import Ledger

NO_EXPIRY = "9999-12-31"


def done_at(ledger: Ledger, text: str) -> datetime | None:
    """When something was done that is entered later; None for now. Raises `InputError` for a time that lies ahead."""
    from seedtrain.record import moment

    if not text:
        return None
    when = moment(text)
    if when > ledger.now:
        raise InputError(f"--at: {text} lies ahead", remedy="Enter what was done, once it was done.")
    return when


def tier_words(tier: str) -> str:
    """The tier of a bank in the language in use."""
    return {"research": _("research bank"), "master": _("master bank"), "working": _("working bank")}[tier]


def kind_words(kind: str) -> str:
    """What a bank holds, in the language in use."""
    return {"cell": _("cells"), "microbial": _("microorganisms"), "vector": _("vector")}[kind]


def age_words(unit: str) -> str:
    """The unit of age in the language in use."""
    return {
        "passages": _("passages"),
        "generations": _("generations"),
        "population doublings": _("population doublings"),
    }[unit]


def purpose_words(purpose: str) -> str:
    """What a vial was taken out for, in the language in use."""
    return {
        "production": _("production"),
        "bank": _("a bank"),
        "testing": _("testing"),
        "transfer": _("transfer"),
        "destruction": _("destruction"),
        "": "",
    }[purpose]


def withdrawal_data(found: Withdrawal) -> dict[str, Any]:
    """A withdrawal, for machines."""
    return {
        "bank": found.bank,
        "vials": list(found.vials),
        "request": found.request or None,
        "left": found.left,
        "reserve": found.reserve,
        "below_reserve": found.below_reserve,
        "tests": found.tests,
    }


def withdrawal_lines(found: Withdrawal) -> Iterator[str]:
    """What became of a withdrawal: the vials, and who has to confirm it."""
    yield from found.vials
    if found.request:
        yield _("A second person confirms it: {request}").format(request=found.request)
    yield _("{count} vials are left, the reserve is {reserve}").format(count=found.left, reserve=found.reserve)
    if found.below_reserve:
        yield _("Warning: the bank is below its reserve. Plan the next one.")


def bank_data(held: Inventory, bank: Bank) -> dict[str, Any]:
    """A bank with its counts."""
    stored = held.count(bank.id, "stored")
    return {
        "bank": bank.id,
        "tier": bank.tier,
        "kind": bank.kind,
        "material": bank.material,
        "from": bank.parent or None,
        "age": bank.age,
        "age_limit": bank.age_limit,
        "age_unit": bank.age_unit,
        "made": bank.made,
        "stored": stored,
        "withdrawn": held.count(bank.id, "withdrawn"),
        "destroyed": held.count(bank.id, "destroyed"),
        "on_hold": sum(item.on_hold for item in held.of(bank.id)),
        "reserve": bank.reserve,
        "below_reserve": stored < bank.reserve,
    }


def whole_bank(held: Inventory, bank: Bank) -> dict[str, Any]:
    """A bank with its vials, for machines."""
    asked = [{"request": item.id, "vials": list(item.vials), "by": item.actor} for item in bank.asked.values()]
    return bank_data(held, bank) | {
        "plan": bank.plan.get("name"),
        "asked": asked,
        "vials": [vial_data(item) for item in held.of(bank.id)],
        "illegal": [{"seq": seq, "words": words} for seq, words in held.illegal],
    }


def bank_line(row: dict[str, Any]) -> str:
    """A bank in one line, with how its tests stand."""
    from seedtrain.quality import verdict_words

    counts = _("{stored} stored, {withdrawn} withdrawn, {destroyed} destroyed").format(**row)
    low = "  " + _("below reserve") if row["below_reserve"] else ""
    age = f"{row['age']}/{row['age_limit']} {age_words(row['age_unit'])}"
    head = f"{row['bank']:<12} {tier_words(row['tier']):<13} {row['material']:<16} {age:<20} {counts}{low}"
    return f"{head}  {verdict_words(str(row['tests']))}"


def bank_lines(held: Inventory, bank: Bank) -> Iterator[str]:
    """A bank with every vial: where it is, what it was used for, and what holds it."""
    from seedtrain.gmp import vial_words

    row = bank_data(held, bank)
    yield f"{bank.id}  {tier_words(bank.tier)}  {kind_words(bank.kind)}  {bank.material}"
    if bank.parent:
        yield "  " + _("made from {parent}").format(parent=bank.parent)
    age = _("  age {age} of {limit} {unit} allowed in production")
    yield age.format(age=bank.age, limit=bank.age_limit, unit=age_words(bank.age_unit))
    counts = _("{stored} stored, {withdrawn} withdrawn, {destroyed} destroyed").format(**row)
    held_back = _("{count} on hold").format(count=row["on_hold"])
    reserve = _("reserve {count}").format(count=bank.reserve)
    low = ", " + _("below reserve") if row["below_reserve"] else ""
    yield f"  {_('{count} vials made').format(count=bank.made)}: {counts}; {held_back}; {reserve}{low}"
    for item in bank.asked.values():
        words = _("  {request}: {vials} asked for by {person}; another person confirms it")
        yield words.format(request=item.id, vials=", ".join(item.vials), person=item.actor)
    yield from (f"! {seq} {words}" for seq, words in held.illegal)
    for vial in held.of(bank.id):
        used = f"{purpose_words(vial.purpose)} {vial.used_for}".strip()
        yield f"{vial.id:<16} {vial_words(vial):<10} {vial.place or '-'!s:<18} {used} {vial.why_held}".rstrip()


def vial_data(vial: Vial) -> dict[str, Any]:
    """A vial."""
    return {
        "vial": vial.id,
        "state": vial.state,
        "place": str(vial.place) if vial.place else None,
        "purpose": vial.purpose or None,
        "for": vial.used_for or None,
        "holds": list(vial.open_holds),
        "rejected": vial.rejected or None,
    }


def place_lines(held: Inventory, vials: Iterable[Vial]) -> Iterator[str]:
    """Where vials stand now, and whether an excursion that was found before holds them."""
    for vial in vials:
        yield f"{vial.id}  {vial.place}"
        for name in vial.open_holds:
            if vial.id in held.excursions[name].late:
                words = _("{vial} is on hold: it stood there during {excursion}, which was found before this entry")
                yield words.format(vial=vial.id, excursion=name)


def excursion_data(item: Excursion) -> dict[str, Any]:
    """An excursion."""
    return {
        "excursion": item.id,
        "kind": item.kind,
        "start": item.start,
        "end": item.end,
        "minutes": item.minutes,
        "peak": item.peak or None,
        "limit": item.limit,
        "vials": list(item.vials),
        "decision": item.decision or None,
    }


def excursion_lines(item: Excursion) -> Iterator[str]:
    """An excursion, and what was decided on its vials."""
    what = _("no data") if item.kind == "no data" else f"{item.peak} degC ({item.limit})"
    yield f"{item.id}  {item.freezer}  {item.start} .. {item.end}  {item.minutes} min  {what}"
    if item.undecided:
        yield "  " + _("{count} vials on hold until it is assessed").format(count=len(item.undecided))
    if item.decision:
        words = {"keep": _("may be used"), "reject": _("not to be used")}[item.decision]
        decided = _("{count} vials {decision}, by {person}: {reason}")
        yield "  " + decided.format(
            count=len(item.covered), decision=words, person=item.assessed_by, reason=item.assessment
        )


def verdict_lines(name: str, verdict: Verdict) -> Iterator[str]:
    """A verdict with its criteria and what it rests on."""
    from seedtrain.gmp import recorded_words, state_word
    from seedtrain.quality import verdict_words

    yield f"{name}: {verdict_words(verdict.verdict)}"
    for item in verdict.criteria:
        limit = f" ({state_word(recorded_words(item.limit))})" if item.limit else ""
        value = state_word(recorded_words(str(item.value or "-")))
        yield f"  {verdict_words(item.verdict):<12} {recorded_words(item.name)}: {value}{limit}"
    yield from (f"  {recorded_words(line)}" for line in verdict.evidence)


def found_lines(name: str, found: Sequence[Excursion]) -> Iterator[str]:
    """What a logger's table came to."""
    if not found:
        yield _("No excursion in {file}").format(file=name)
    for item in found:
        yield from excursion_lines(item)
