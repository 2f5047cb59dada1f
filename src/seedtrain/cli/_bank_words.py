"""How `seedtrain bank` shows banks, vials and excursions to people and machines."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from seedtrain.base import EXIT_DONE
from seedtrain.base import translate as _
from seedtrain.cli._common import Common, print_json

if TYPE_CHECKING:
    from seedtrain.gmp import Bank, Excursion, Inventory, Vial, Withdrawal
    from seedtrain.quality import Verdict


def withdrawn(options: Common, found: Withdrawal) -> int:
    """Say what became of a withdrawal."""
    if options.json:
        print_json(
            {
                "bank": found.bank,
                "vials": list(found.vials),
                "request": found.request or None,
                "left": found.left,
                "reserve": found.reserve,
                "below_reserve": found.below_reserve,
                "tests": found.tests,
            }
        )
        return EXIT_DONE
    print(*found.vials, sep="\n")
    if found.request:
        print(_("A second person confirms it: {request}").format(request=found.request))
    print(_("{count} vials are left, the reserve is {reserve}").format(count=found.left, reserve=found.reserve))
    if found.below_reserve:
        print(_("Warning: the bank is below its reserve. Plan the next one."))
    return EXIT_DONE


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


def print_excursion(item: Excursion) -> None:
    """An excursion in two lines."""
    what = _("no data") if item.kind == "no data" else f"{item.peak} degC ({item.limit})"
    print(f"{item.id}  {item.start} .. {item.end}  {item.minutes} min  {what}")
    print("  " + _("{count} vials on hold until it is assessed").format(count=len(item.vials)))


def print_verdict(options: Common, name: str, verdict: Verdict) -> None:
    """The verdict of a testing plan."""
    from seedtrain.quality import verdict_words

    if options.json:
        print_json(verdict.to_data())
        return
    print(f"{name}: {verdict_words(verdict.verdict)}")
    for item in verdict.criteria:
        print(f"  {verdict_words(item.verdict):<12} {item.name}: {item.value or '-'} ({item.limit})")
    for line in verdict.evidence:
        print(f"  {line}")


def done(options: Common, data: dict[str, Any]) -> int:
    """Say what was done."""
    if options.json:
        print_json(data)
        return EXIT_DONE
    for name, value in data.items():
        if isinstance(value, dict):
            print(*(f"{key}  {item}" for key, item in value.items()), sep="\n")
        else:
            print(f"{name}: {', '.join(map(str, value)) if isinstance(value, list) else value}")
    return EXIT_DONE
