"""`seedtrain bank`: cell, microbial and vector banks, and their vials in the freezer."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from cyclopts import App, Parameter

from seedtrain.base import EXIT_DONE
from seedtrain.base import translate as _
from seedtrain.cli._acted import acted, shown
from seedtrain.cli._arguments import BankName
from seedtrain.cli._bank_words import (
    bank_data,
    bank_line,
    bank_lines,
    done_at,
    place_lines,
    tier_words,
    whole_bank,
    withdrawal_data,
    withdrawal_lines,
)
from seedtrain.cli._common import Common, print_json
from seedtrain.cli._signing import RecordUrl, Signer, open_record

if TYPE_CHECKING:
    from datetime import date

    from seedtrain.gmp import Vial
    from seedtrain.quality import Constituent
    from seedtrain.record import Ledger

app = App(name="bank", help="Cell and vector banks: vials, places, withdrawals, excursions, tests.")
Vials = Annotated[list[str] | None, Parameter(name="--vial", negative="", help="Such as MCB-1-007; repeat it.")]
At = Annotated[
    str, Parameter(help="When it was done, if it is entered later: ISO 8601 with a zone, 2026-03-02T10:30:00Z.")
]


@app.command
def create(
    bank: str,
    *,
    tier: Literal["research", "master", "working"],
    kind: Literal["cell", "microbial", "vector"],
    material: Annotated[str, Parameter(help="What is in it: the line, strain or vector.")],
    age: Annotated[int, Parameter(help="Passages or generations of the cells in it.")],
    age_limit: Annotated[int, Parameter(help="The limit of in vitro age for production.")],
    parent: Annotated[str, Parameter(name="--from", help="The vial or lot that it is made from.")] = "",
    age_unit: Literal["passages", "generations", "population doublings"] = "passages",
    reserve: Annotated[int, Parameter(help="Warn when fewer vials than this are left.")] = 0,
    plan: Annotated[str | None, Parameter(help="cell, microbial, vector, or a file of one's own.")] = None,
    contains: Annotated[
        list[str] | None, Parameter(negative="", help="NAME=ORIGIN of what is in it; repeat it.")
    ] = None,
    expiry: Annotated[str, Parameter(help="The last day on which a vial may be used, if there is one.")] = "9999-12-31",
    signer: Signer,
    record: RecordUrl = None,
    common: Common | None = None,
) -> int:
    """Begin a bank, with its age, its limit of age and its testing plan.

    Example: seedtrain bank create MCB-1 --tier master --kind cell --material CHO --age 12 --age-limit 60 --as person-1

    Parameters
    ----------
    bank
        Its id, such as MCB-1.
    """
    from seedtrain.gmp import create_bank, read_plan

    found = read_plan(plan or kind).to_data()
    inside, last = _inside(contains or []), _day(expiry)

    def act(ledger: Ledger, actor: str) -> dict[str, str]:
        create_bank(
            *(ledger, bank, actor),
            tier=tier,
            kind=kind,
            material=material,
            age=age,
            age_limit=age_limit,
            parent=parent,
            age_unit=age_unit,
            reserve=reserve,
            plan=found,
            contains=inside,
            expiry=last,
        )
        return {"bank": bank, "tier": tier, "plan": found["name"], "plan_digest": found["digest"]}

    def tell(said: dict[str, str]) -> list[str]:
        words = _("{bank}: a {tier} of {material} is begun, with the testing plan {plan}")
        return [words.format(bank=bank, tier=tier_words(tier), material=material, plan=said["plan"])]

    return acted(signer, record, common, act, tell)


def _inside(texts: list[str]) -> list[Constituent]:
    from seedtrain.base import InputError
    from seedtrain.quality import ORIGINS, Constituent

    found = []
    for text in texts:
        name, _sign, origin = text.partition("=")
        if not name.strip() or origin not in ("", *ORIGINS):
            raise InputError(f"{text!r} is no NAME=ORIGIN", remedy=f"Origins: {', '.join(ORIGINS)}; empty: not known.")
        found.append(Constituent(name.strip(), origin or None))
    return found


def _day(text: str) -> date:
    from datetime import date

    from seedtrain.base import InputError

    try:
        return date.fromisoformat(text)
    except ValueError:
        raise InputError(f"{text!r} is not a date", remedy="Write year-month-day, such as 2040-05-31.") from None


@app.command
def fill(
    bank: BankName,
    *,
    vials: Annotated[int, Parameter(help="How many were filled.")],
    content: Annotated[str, Parameter(help="Of each vial, as its label says it.")] = "",
    signer: Signer,
    record: RecordUrl = None,
    common: Common | None = None,
) -> int:
    """Say how many vials a bank has, once and for all; they are called BANK-001 and so on.

    Example: seedtrain bank fill MCB-1 --vials 200 --content "1 mL, 1e7 cells" --as person-1
    """
    from seedtrain.gmp import fill_bank, vial_id

    ends = vial_id(bank, 1), vial_id(bank, vials)

    def act(ledger: Ledger, actor: str) -> dict[str, object]:
        fill_bank(ledger, bank, vials, actor, content=content)
        return {"bank": bank, "vials": vials, "first": ends[0], "last": ends[1]}

    return acted(
        *(signer, record, common, act),
        lambda _said: [
            _("{bank}: {count} vials, {first} to {last}").format(bank=bank, count=vials, first=ends[0], last=ends[1])
        ],
    )


@app.command
def place(
    bank: BankName,
    box: str,
    *,
    vial: Vials = None,
    first: Annotated[str, Parameter(help="The first position, such as A1; else the free ones.")] = "",
    grid: Annotated[str, Parameter(help="Rows x columns of a new box; 9x9 if not given.")] = "",
    count: Annotated[int | None, Parameter(help="So many of those that have no place yet.")] = None,
    at: At = "",
    signer: Signer,
    record: RecordUrl = None,
    common: Common | None = None,
) -> int:
    """Put vials into a box, row by row: those named, or all that have no place yet.

    Example: seedtrain bank place MCB-1 F1/R2/B3 --count 81 --as person-1

    Parameters
    ----------
    box
        Freezer, rack and box: F1/R2/B3.
    """
    from seedtrain.gmp import Inventory, inventory, place_vials

    chosen: list[str] = list(vial or [])

    def act(ledger: Ledger, actor: str) -> Inventory:
        when = done_at(ledger, at)
        if not chosen and count is not None:
            loose = [item.id for item in inventory(ledger).of(bank) if item.state == "stored" and item.place is None]
            chosen.extend(loose[:count])
        place_vials(ledger, bank, box, actor, vials=chosen, first=first, grid=grid, at=when)
        return inventory(ledger)

    def placed(held: Inventory) -> list[Vial]:
        return [item for item in held.of(bank) if item.place and (not chosen or item.id in chosen)]

    return acted(
        *(signer, record, common, act),
        lambda held: place_lines(held, placed(held)),
        data=lambda held: {"bank": bank, "places": {item.id: str(item.place) for item in placed(held)}},
    )


@app.command
def move(
    moves: list[str],
    *,
    reason: Annotated[str, Parameter(help="Why.")] = "",
    grid: Annotated[str, Parameter(help="Rows x columns of a new box.")] = "",
    at: At = "",
    signer: Signer,
    record: RecordUrl = None,
    common: Common | None = None,
) -> int:
    """Move vials to other places, all of them at once or none.

    Example: seedtrain bank move MCB-1-001=F2/R1/B1/A1 MCB-1-002=F2/R1/B1/A2 --as person-1

    Parameters
    ----------
    moves
        VIAL=PLACE, into one box.
    """
    from seedtrain.base import InputError
    from seedtrain.gmp import Inventory, inventory, move_vials

    wanted: dict[str, str] = {}
    for text in moves:
        name, sign, there = text.partition("=")
        if not sign or name in wanted:
            raise InputError(f"{text!r} is not a move, or moves a vial twice", remedy="Write MCB-1-001=F2/R1/B1/A1.")
        wanted[name] = there

    def act(ledger: Ledger, actor: str) -> Inventory:
        move_vials(ledger, wanted, actor, grid=grid, reason=reason, at=done_at(ledger, at))
        return inventory(ledger)

    return acted(
        *(signer, record, common, act),
        lambda held: place_lines(held, [held.vial(name) for name in wanted]),
        data=lambda held: {"places": {name: str(held.vial(name).place) for name in wanted}},
    )


@app.command
def withdraw(
    bank: BankName,
    *,
    purpose: Literal["production", "bank", "testing", "transfer", "destruction"],
    reason: Annotated[str, Parameter(help="Why.")],
    vial: Vials = None,
    count: Annotated[int, Parameter(help="Or so many of the free ones.")] = 0,
    used_for: Annotated[str, Parameter(name="--for", help="The batch or bank that they go into.")] = "",
    signer: Signer,
    record: RecordUrl = None,
    common: Common | None = None,
) -> int:
    """Take vials out of a bank; from a master bank a second person must confirm it.

    Example: seedtrain bank withdraw WCB-1 --count 1 --purpose production --for B-7 --reason "batch B-7" --as person-1
    """
    from seedtrain.gmp import withdraw_vials

    return acted(
        *(signer, record, common),
        lambda ledger, actor: withdraw_vials(
            ledger, bank, actor, purpose=purpose, reason=reason, vials=vial or (), count=count, used_for=used_for
        ),
        withdrawal_lines,
        data=withdrawal_data,
    )


@app.command
def confirm(
    bank: BankName, request: str, *, signer: Signer, record: RecordUrl = None, common: Common | None = None
) -> int:
    """Take the vials out that another person asked for; two persons stand for a master bank.

    Example: seedtrain bank confirm MCB-1 MCB-1-W-1a2b3c4d --as person-2

    Parameters
    ----------
    request
        The id that `bank withdraw` printed.
    """
    from seedtrain.gmp import confirm_withdrawal

    return acted(
        *(signer, record, common),
        lambda ledger, actor: confirm_withdrawal(ledger, bank, request, actor),
        withdrawal_lines,
        data=withdrawal_data,
    )


@app.command(name="list")
def list_banks(*, record: RecordUrl = None, common: Common | None = None) -> int:
    """Every bank: tier, age, how many vials are stored, withdrawn and destroyed, and how its tests stand.

    Example: seedtrain bank list --record record.db
    """
    from seedtrain.gmp import inventory, judge_bank

    def read(ledger: Ledger) -> list[dict[str, Any]]:
        held = inventory(ledger)
        return [bank_data(held, bank) | {"tests": judge_bank(ledger, bank).verdict} for bank in held.banks.values()]

    return shown(record, common, read, lambda rows: map(bank_line, rows))


@app.command
def show(bank: BankName, *, record: RecordUrl = None, common: Common | None = None) -> int:
    """A bank with every vial: where it is, what it was used for, and what holds it.

    Example: seedtrain bank show MCB-1 --record record.db
    """
    from seedtrain.gmp import inventory

    return shown(
        *(record, common),
        inventory,
        lambda held: bank_lines(held, held.bank(bank)),
        data=lambda held: whole_bank(held, held.bank(bank)),
    )


@app.command(name="map")
def show_map(box: str, *, svg: Path | None = None, record: RecordUrl = None, common: Common | None = None) -> int:
    """A box as a table of its positions, or as an SVG picture.

    Example: seedtrain bank map F1/R2/B3 --svg box.svg --record record.db

    Parameters
    ----------
    box
        Freezer, rack and box: F1/R2/B3.
    svg
        Write the picture here.
    """
    from seedtrain.base import use_language, write_atomic
    from seedtrain.gmp import box_map, box_svg, inventory

    options = common or Common()
    with open_record(record, read_only=True) as ledger, use_language(options.lang):
        held = inventory(ledger)
        grid, vials = box_map(held, box)
        if svg is not None:
            write_atomic(svg, box_svg(held, box))
        if options.json:
            print_json({"box": box, "grid": str(grid), "vials": {at: item.id for at, item in vials.items()}})
            return EXIT_DONE
        width = max((len(item.id) for item in vials.values()), default=3) + 1
        print(f"{box}\n  " + "".join(f"{column:<{width + 1}}" for column in range(1, grid.columns + 1)))
        for at, position in enumerate(grid.positions()):
            if at % grid.columns == 0:
                print(("\n" if at else "") + position[0], end=" ")
            item = vials.get(position)
            print(f"{(item.id + ('!' if item.on_hold else '')) if item else '.':<{width}}", end=" ")
        print("\n" + _("! = on hold, or not to be used"))
    return EXIT_DONE
