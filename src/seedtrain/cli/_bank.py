"""`seedtrain bank`: cell, microbial and vector banks, and their vials in the freezer."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import App, Parameter

from seedtrain.base import EXIT_DONE
from seedtrain.base import translate as _
from seedtrain.cli._bank_words import bank_data, done, vial_data, withdrawn
from seedtrain.cli._common import Common, print_json
from seedtrain.cli._signing import RecordUrl, Signer, open_record, signing

if TYPE_CHECKING:
    from datetime import date

    from seedtrain.quality import Constituent

app = App(name="bank", help="Cell and vector banks: vials, places, withdrawals, excursions, tests.")
Vials = Annotated[list[str] | None, Parameter(name="--vial", negative="", help="Such as MCB-1-007; repeat it.")]


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

    options = common or Common()
    found = read_plan(plan or kind).to_data()
    inside, last = _inside(contains or []), _day(expiry)
    with open_record(record) as ledger, signing(ledger, signer) as actor:
        create_bank(
            ledger,
            bank,
            actor,
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
    return done(options, {"bank": bank, "tier": tier, "plan": found["name"], "plan_digest": found["digest"]})


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
    bank: str,
    *,
    vials: Annotated[int, Parameter(help="How many were filled.")],
    content: Annotated[str, Parameter(help="Of each vial, as its label says it.")] = "",
    signer: Signer,
    record: RecordUrl = None,
    common: Common | None = None,
) -> int:
    """Say how many vials a bank has, once and for all; they are called BANK-001 and so on.

    Example: seedtrain bank fill MCB-1 --vials 200 --content "1 mL, 1e7 cells" --as person-1

    Parameters
    ----------
    bank
        The bank.
    """
    from seedtrain.gmp import fill_bank, vial_id

    with open_record(record) as ledger, signing(ledger, signer) as actor:
        fill_bank(ledger, bank, vials, actor, content=content)
    first, last = vial_id(bank, 1), vial_id(bank, vials)
    return done(common or Common(), {"bank": bank, "vials": vials, "first": first, "last": last})


@app.command
def place(
    bank: str,
    box: str,
    *,
    vial: Vials = None,
    first: Annotated[str, Parameter(help="The first position, such as A1; else the free ones.")] = "",
    grid: Annotated[str, Parameter(help="Rows x columns of a new box; 9x9 if not given.")] = "",
    count: Annotated[int | None, Parameter(help="So many of those that have no place yet.")] = None,
    signer: Signer,
    record: RecordUrl = None,
    common: Common | None = None,
) -> int:
    """Put vials into a box, row by row: those named, or all that have no place yet.

    Example: seedtrain bank place MCB-1 F1/R2/B3 --count 81 --as person-1

    Parameters
    ----------
    bank
        The bank.
    box
        Freezer, rack and box: F1/R2/B3.
    """
    from seedtrain.gmp import inventory, place_vials

    with open_record(record) as ledger, signing(ledger, signer) as actor:
        names = list(vial or [])
        if not names and count is not None:
            loose = [item.id for item in inventory(ledger).of(bank) if item.state == "stored" and item.place is None]
            names = loose[:count]
        place_vials(ledger, bank, box, actor, vials=names, first=first, grid=grid)
        held = inventory(ledger)
    rows = {item.id: str(item.place) for item in held.of(bank) if item.place and (not names or item.id in names)}
    return done(common or Common(), {"bank": bank, "places": rows})


@app.command
def move(
    moves: list[str],
    *,
    reason: Annotated[str, Parameter(help="Why.")] = "",
    grid: Annotated[str, Parameter(help="Rows x columns of a new box.")] = "",
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
    from seedtrain.gmp import inventory, move_vials

    wanted: dict[str, str] = {}
    for text in moves:
        name, sign, there = text.partition("=")
        if not sign or name in wanted:
            raise InputError(f"{text!r} is not a move, or moves a vial twice", remedy="Write MCB-1-001=F2/R1/B1/A1.")
        wanted[name] = there
    with open_record(record) as ledger, signing(ledger, signer) as actor:
        move_vials(ledger, wanted, actor, grid=grid, reason=reason)
        held = inventory(ledger)
    return done(common or Common(), {"places": {name: str(held.vial(name).place) for name in wanted}})


@app.command
def withdraw(
    bank: str,
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

    Parameters
    ----------
    bank
        The bank.
    """
    from seedtrain.base import use_language
    from seedtrain.gmp import withdraw_vials

    options = common or Common()
    with open_record(record) as ledger, use_language(options.lang), signing(ledger, signer) as actor:
        found = withdraw_vials(
            ledger, bank, actor, purpose=purpose, reason=reason, vials=vial or (), count=count, used_for=used_for
        )
        return withdrawn(options, found)


@app.command
def confirm(bank: str, request: str, *, signer: Signer, record: RecordUrl = None, common: Common | None = None) -> int:
    """Take the vials out that another person asked for; two persons stand for a master bank.

    Example: seedtrain bank confirm MCB-1 MCB-1-W-1a2b3c4d --as person-2

    Parameters
    ----------
    bank
        The bank.
    request
        The id that `bank withdraw` printed.
    """
    from seedtrain.base import use_language
    from seedtrain.gmp import confirm_withdrawal

    options = common or Common()
    with open_record(record) as ledger, use_language(options.lang), signing(ledger, signer) as actor:
        return withdrawn(options, confirm_withdrawal(ledger, bank, request, actor))


@app.command(name="list")
def list_banks(*, record: RecordUrl = None, common: Common | None = None) -> int:
    """Every bank: tier, age, how many vials are stored, withdrawn and destroyed, and how its tests stand.

    Example: seedtrain bank list --record record.db
    """
    from seedtrain.base import use_language
    from seedtrain.gmp import inventory, judge_bank
    from seedtrain.quality import verdict_words

    options = common or Common()
    with open_record(record, read_only=True) as ledger, use_language(options.lang):
        held = inventory(ledger)
        rows = [bank_data(held, bank) | {"tests": judge_bank(ledger, bank).verdict} for bank in held.banks.values()]
        if options.json:
            print_json(rows)
            return EXIT_DONE
        for row in rows:
            counts = _("{stored} stored, {withdrawn} withdrawn, {destroyed} destroyed").format(**row)
            low = "  " + _("below reserve") if row["below_reserve"] else ""
            age = f"{row['age']}/{row['age_limit']} {row['age_unit']}"
            print(f"{row['bank']:<12} {row['tier']:<9} {row['material']:<16} {age:<20} {counts}{low}", end="  ")
            print(verdict_words(str(row["tests"])))
    return EXIT_DONE


@app.command
def show(bank: str, *, record: RecordUrl = None, common: Common | None = None) -> int:
    """A bank with every vial: where it is, what it was used for, and what holds it.

    Example: seedtrain bank show MCB-1 --record record.db

    Parameters
    ----------
    bank
        The bank.
    """
    from seedtrain.base import use_language
    from seedtrain.gmp import inventory, vial_words

    options = common or Common()
    with open_record(record, read_only=True) as ledger, use_language(options.lang):
        held = inventory(ledger)
        found = held.bank(bank)
        data = bank_data(held, found)
        if options.json:
            asked = [{"request": item.id, "vials": list(item.vials), "by": item.actor} for item in found.asked.values()]
            vials = [vial_data(item) for item in held.of(bank)]
            illegal = [{"seq": seq, "words": words} for seq, words in held.illegal]
            print_json(data | {"plan": found.plan.get("name"), "asked": asked, "vials": vials, "illegal": illegal})
            return EXIT_DONE
        print(*(f"{name}: {'-' if value is None else value}" for name, value in data.items()), sep="\n")
        for seq, words in held.illegal:
            print(f"! {seq} {words}")
        for item in held.of(bank):
            print(f"{item.id:<16} {vial_words(item):<10} {item.place or '-'!s:<18} {item.used_for} {item.why_held}")
    return EXIT_DONE


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
